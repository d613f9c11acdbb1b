//! Tests of searches: events and deliveries by what they are, and by when they were accepted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestApp;

const CHANNEL: &str = "C0ALERTS";

fn moment(app: &TestApp) -> String {
    app.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

async fn send(app: &TestApp, event: Value) -> String {
    app.advance(Duration::from_millis(10));
    app.owner.post("/v1/events", &event).await.ok(202)["id"].as_str().unwrap().to_owned()
}

/// Returns a field of everything that a search finds, over all its pages.
async fn found(app: &TestApp, path: &str, query: &str, field: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.owner.get(&format!("{path}?{query}{cursor}")).await.ok(200);
        found.extend(page["data"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()));
        match page.get("nextCursor") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => return found,
        }
    }
}

/// Routes every event to the Slack channel.
async fn everything_to_slack(app: &TestApp) {
    app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
    let all = app.owner.get("/v1/destinations").await.ok(200);
    let route = json!({"types": ["*"], "destinationId": all["data"][0]["id"]});
    app.owner.post("/v1/routes", &route).await.ok(201);
}

both! {
    async fn events_are_found_by_what_they_are(app) {
        let channel = app.owner.post("/v1/channels", &json!({"name": "here"})).await.ok(201)["id"].clone();
        send(&app, json!({"type": "order.created", "attributes": {"linkId": "a:1", "shop": "x\"y"}})).await;
        let begin = moment(&app);
        send(&app, json!({"type": "order.Paid", "attributes": {"linkId": "a"}, "data": {"linkId": "b"}})).await;
        send(&app, json!({"type": "orderly", "channelId": channel, "attributes": {"shop": "linkId"}})).await;
        let end = moment(&app);
        send(&app, json!({"type": "invoice.paid", "attributes": {"linkId": "A"}})).await;
        let kinds = async |query: &str| found(&app, "/v1/events", query, "type").await;
        for (query, expected) in [
            ("type=order.*", &["order.Paid", "order.created"][..]),
            ("type=*.PAID", &["invoice.paid", "order.Paid"]),
            ("type=order_created", &[]),
            ("type=orderly", &["orderly"]),
            ("attribute=linkId:a", &["order.Paid"]),
            ("attribute=linkId:a:1", &["order.created"]),
            ("attribute=shop:x%22y", &["order.created"]),
            ("attribute=linkId:b", &[]),
            ("attribute=shop:", &[]),
            ("source=channel&type=order*", &[]),
            ("source=api&type=order*&limit=1", &["orderly", "order.Paid", "order.created"]),
            (&format!("channelId={}&type=order*", channel.as_str().unwrap()), &["orderly"]),
            (&format!("since={begin}&until={end}&type=*"), &["order.Paid", "order.created"]),
            (&format!("since={end}&type=i*"), &["invoice.paid"]),
            (&format!("until={begin}&type=order*&limit=1"), &[]),
        ] {
            assert_eq!(kinds(query).await, expected, "{query}");
        }
        for (query, name) in [
            ("attribute=linkId", "attribute"),
            ("attribute=$.x:1", "attribute"),
            ("type=", "type"),
            ("since=2026", "since"),
            ("channelId=x", "channelId"),
            (&*format!("since={end}&until={begin}"), "until"),
        ] {
            let answer = app.owner.get(&format!("/v1/events?{query}")).await;
            assert_eq!(answer.ok(400)["errors"][0]["pointer"], name, "{query}: {}", answer.text);
        }
    }

    async fn deliveries_have_names_and_are_found_by_them(app) {
        everything_to_slack(&app).await;
        let begin = moment(&app);
        send(&app, json!({"type": "order.created"})).await;
        app.drain().await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 1})).await;
        let failed = send(&app, json!({"type": "order.paid"})).await;
        app.drain().await;
        let end = moment(&app);
        send(&app, json!({"type": "invoice.sent"})).await;
        let shown = app.delivery_of(&failed).await;
        let destination = app.owner.get("/v1/destinations").await.ok(200)["data"][0].clone();
        for (field, expected) in [
            ("eventType", &json!("order.paid")),
            ("destinationKind", &destination["kind"]),
            ("destinationName", &destination["name"]),
            ("destinationId", &destination["id"]),
        ] {
            assert_eq!(&shown[field], expected, "{field}: {shown}");
        }
        let id = destination["id"].as_str().unwrap();
        let kinds = async |query: &str| found(&app, "/v1/deliveries", query, "eventType").await;
        for (query, expected) in [
            ("type=ORDER.*", &["order.paid", "order.created"][..]),
            ("state=failed", &["order.paid"]),
            ("state=failed&type=invoice.*", &[]),
            ("state=pending", &["invoice.sent"]),
            ("state=delivered&limit=1", &["order.created"]),
            ("text=INVALID_blocks", &["order.paid"]),
            ("text=invalid%25blocks", &[]),
            ("text=invalid!blocks", &[]),
            ("text=voice", &["invoice.sent"]),
            (&format!("destinationId={id}&type=order.*&limit=1"), &["order.paid", "order.created"]),
            (&format!("eventId={failed}&text=order"), &["order.paid"]),
            (&format!("since={begin}&until={end}"), &["order.created"]),
            (&format!("since={end}"), &["invoice.sent", "order.paid"]),
            (&format!("since={end}&state=failed&destinationId={id}"), &["order.paid"]),
        ] {
            assert_eq!(kinds(query).await, expected, "{query}");
        }
        app.owner.get("/v1/deliveries?destination=x").await.problem(400, "invalid_parameter");
    }
}
