// Verification of the webhooks that Tieline sends, as Standard Webhooks 1.0.0 specifies it.
import { Webhook } from 'standardwebhooks';

/** A call that is not Tieline's, or not a fresh one. Answer it with 401. */
export class WebhookRefused extends Error {}

/** Headers of a request: those of `fetch`, or those of Node's `http`. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

const NAMES = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

/**
 * Verifies a call over the raw bytes of its body, and returns its id: do nothing twice for one id.
 *
 * @param secrets the secret; while it is replaced, the new one and the former one
 * @throws WebhookRefused where no secret made a signature, or the call is more than five minutes old or ahead
 */
export function verifyWebhook(secrets: string | string[], headers: WebhookHeaders, body: string | Uint8Array): string {
  const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  const sent = Object.fromEntries(NAMES.map((name) => [name, String(header(headers, name) ?? '')]));
  const all = [secrets].flat();
  let reason = 'there is no secret to verify it by';
  for (const secret of all) {
    try {
      new Webhook(secret).verify(text, sent);
      return sent['webhook-id'] ?? '';
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new WebhookRefused(`the webhook is refused: ${reason}`);
}

function header(headers: WebhookHeaders, name: string): unknown {
  return headers instanceof Headers ? headers.get(name) : headers[name];
}
