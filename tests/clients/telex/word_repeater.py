"""A modifier, as the product's example in FastAPI behaves: it repeats words of each message, and demands `user_type`."""

from example import members, serve, settings


def descriptor(base):
    return {
        "data": {
            "date": {"created_at": "2025-02-13", "updated_at": "2025-02-13"},
            "descriptions": {
                "app_name": "Word Repeater",
                "app_description": "Repeats words",
                "app_logo": f"{base}/logo.png",
                "app_url": base,
                "background_color": "#fff",
            },
            "is_active": True,
            "integration_type": "modifier",
            "integration_category": "Communication & Collaboration",
            "key_features": ["repeats words"],
            "permissions": {"events": ["Receive messages from Telex channels."]},
            "author": "Tieline",
            "settings": [
                {"label": "maxMessageLength", "type": "number", "required": True, "default": 30},
                {"label": "repeatWords", "type": "multi-select", "required": True, "default": "world, happy"},
                {"label": "noOfRepetitions", "type": "number", "required": True, "default": 2},
            ],
            "target_url": f"{base}/format-message",
            "tick_url": f"{base}/format-message",
        }
    }


def format_message(body):
    message = members(body, ("settings", "message", "channel_id", "user_type"))
    chosen = {setting["label"]: setting["default"] for setting in settings(message)}
    text = message["message"]
    for word in chosen["repeatWords"].split(","):
        text = text.replace(word.strip(), f"{word.strip()} " * chosen["noOfRepetitions"])
    text = text[: chosen["maxMessageLength"]]
    return 200, {"event_name": "message_formatted", "message": text, "status": "success", "username": "message-formatter-bot"}


serve({"/formatter-json": descriptor}, {"/format-message": format_message})
