"""Verification of the webhooks that Tieline sends, as Standard Webhooks 1.0.0 specifies it."""

from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook

NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookRefused(Exception):
    """A call that is not Tieline's, or not a fresh one. Answer it with 401."""


def verify_webhook(secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes) -> str:
    """Verifies a call over the raw bytes of its body, and returns its id: do nothing twice for one id.

    `secrets` is the secret; while it is replaced, the new one and the former one. Raises `WebhookRefused` where no secret
    made a signature, or the call is more than five minutes old or ahead.
    """
    sent = {name.lower(): value for name, value in headers.items() if name.lower() in NAMES}
    reason: object = "there is no secret to verify it by"
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        try:
            Webhook(secret).verify(body, sent)
        except Exception as error:  # a signature may be no base64, and a body no text
            reason = error
        else:
            return sent["webhook-id"]
    raise WebhookRefused(f"the webhook is refused: {reason}")
