"""An output, as the product's example behaves: it passes each message of its channel on, here to its own output."""

from example import members, say, serve, settings


def descriptor(base):
    return {
        "data": {
            "date": {"created_at": "2025-02-09", "updated_at": "2025-02-09"},
            "descriptions": {
                "app_name": "Webhook Slug Logger",
                "app_description": "Logs payloads",
                "app_logo": f"{base}/logo.png",
                "app_url": base,
                "background_color": "#fff",
            },
            "is_active": True,
            "integration_type": "output",
            "key_features": ["logs payloads"],
            "category": "Logging",
            "author": "Tieline",
            "website": base,
            "settings": [{"label": "webhook-slug", "type": "text", "required": True, "default": "slug"}],
            "target_url": f"{base}/target_url",
        }
    }


def target(body):
    message = members(body, ("message", "settings"))
    [slug] = [setting["default"] for setting in settings(message) if setting["label"] == "webhook-slug"]
    say(f"logged: {slug}: {message['message']}")
    return 200, {"status": "success"}


serve({"/integration.json": descriptor}, {"/target_url": target})
