//! Tests of GitHub: linked by proof, received by webhooks, and shown in Slack.

use serde_json::json;

use crate::support::{card_link, subscription};

both! {
    async fn a_pull_request_is_posted_in_a_channel(app) {
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let rules = json!({"repositories": ["acme/web"], "events": ["pulls"]});
        app.owner.post("/v1/routes", &subscription("C0ALERTS", rules)).await.ok(201);
        let sent = app
            .github
            .send(json!({
                "event": "pull_request", "action": "opened", "installation": installation, "repository": "web",
                "number": 12, "title": "Make it <!channel> faster",
            }))
            .await;
        assert_eq!(sent["status"], 202, "{sent}");
        app.drain().await;
        let texts = app.slack.texts("C0ALERTS").await;
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].contains("Make it") && !texts[0].contains("<!channel>"), "{texts:?}");
        let deliveries = app.deliveries("").await;
        assert_eq!((deliveries.len(), &deliveries[0]["state"]), (1, &json!("delivered")), "{deliveries:?}");
    }

    async fn the_card_says_what_is_linked(app) {
        let link = card_link(&app.owner, "acme").await;
        assert!(link.path().ends_with("/installations/new"), "{link}");
        app.github.link(&app.owner, "acme", "acme").await;
        let cards = app.owner.get("/api/v2/integration?team=acme").await.ok(200);
        let statuses: Vec<_> = cards.as_array().unwrap().iter().map(|card| card["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["linked", "unlinked"]);
    }
}
