"""An interval integration and agent, as the product's example behaves: a tick is answered at once, and what was found out
is posted to the return URL afterwards."""

import json
import threading
import urllib.error
import urllib.request

from example import members, say, serve, settings


def descriptor(base):
    return {
        "data": {
            "date": {"created_at": "2025-02-09", "updated_at": "2025-02-09"},
            "descriptions": {
                "app_name": "Uptime Monitor",
                "app_description": "A local uptime monitor",
                "app_logo": f"{base}/logo.png",
                "app_url": base,
                "background_color": "#fff",
            },
            "bot": True,
            "bot_profile": {"name": "Uptimer bot"},
            "is_active": False,
            "integration_type": "interval",
            "key_features": ["monitors websites"],
            "integration_category": "Monitoring & Logging",
            "author": "Tieline",
            "website": base,
            "settings": [
                {"label": "site-1", "type": "text", "required": True, "default": f"{base}/there-is-no-such-page"},
                {"label": "interval", "type": "text", "required": True, "default": "* * * * *"},
            ],
            "target_url": "",
            "tick_url": f"{base}/tick",
        }
    }


def status_of(site):
    try:
        with urllib.request.urlopen(site, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def monitor(tick):
    sites = [setting["default"] for setting in settings(tick) if setting["label"].startswith("site")]
    down = [f"Site {site} is down (HTTP {status})" for site in sites if (status := status_of(site)) >= 400]
    post = {"message": "\n".join(down), "username": "Uptime Monitor", "event_name": "Uptime Check", "status": "error"}
    request = urllib.request.Request(tick["return_url"], json.dumps(post).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        say(f"posted: {answer.status}")


def tick(body):
    threading.Thread(target=monitor, args=(members(body, ("channel_id", "return_url", "settings")),)).start()
    return 202, {"status": "success"}


serve({"/integration.json": descriptor}, {"/tick": tick})
