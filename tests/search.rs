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
    let route = json!({"types": ["*"], "sources": ["api"], "destinationId": all["data"][0]["id"]});
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

    async fn failures_of_a_period_are_counted_first_and_then_replayed(app) {
        everything_to_slack(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 3})).await;
        let mut moments = Vec::new();
        for kind in ["a", "b", "c"] {
            app.advance(Duration::from_millis(5));
            moments.push(moment(&app));
            send(&app, json!({"type": kind})).await;
            app.drain().await;
        }
        assert_eq!(app.deliveries("state=failed").await.len(), 3);
        let id = app.owner.get("/v1/destinations").await.ok(200)["data"][0]["id"].clone();
        let replay = async |body: &Value| app.owner.post("/v1/deliveries/replay", body).await;
        let of_b = json!({"destinationId": id, "since": moments[1], "until": moments[2]});
        let mut dry = of_b.clone();
        dry["dryRun"] = json!(true);
        assert_eq!(replay(&dry).await.ok(200), json!({"count": 1}));
        assert_eq!(replay(&json!({"destinationId": id, "dryRun": true})).await.ok(200), json!({"count": 3}));
        app.drain().await;
        assert_eq!(app.deliveries("state=failed").await.len(), 3, "nothing was sent");
        assert_eq!(replay(&of_b).await.ok(202), json!({"count": 1}));
        app.drain().await;
        let left: Vec<_> = app.deliveries("state=failed").await.iter().map(|one| one["eventType"].clone()).collect();
        assert_eq!(left, ["c", "a"]);
        assert_eq!(replay(&json!({"destinationId": id, "since": moments[2]})).await.ok(202), json!({"count": 1}));
        let reversed = json!({"destinationId": id, "since": moments[1], "until": moments[0], "dryRun": true});
        replay(&reversed).await.problem(400, "invalid");
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        assert_eq!(replay(&dry).await.ok(200), json!({"count": 0}), "counting asks nothing of the destination");
        replay(&of_b).await.problem(409, "failed_precondition");
    }

    async fn deliveries_are_counted_by_destination_and_hour(app) {
        everything_to_slack(&app).await;
        let begin = moment(&app);
        app.slack.fault(json!({"method": "chat.postMessage", "status": 503, "times": 1})).await;
        send(&app, json!({"type": "late"})).await;
        app.drain().await;
        app.advance(Duration::from_secs(10));
        app.drain().await;
        send(&app, json!({"type": "quick"})).await;
        app.drain().await;
        app.advance(Duration::from_secs(2 * 3600));
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 1})).await;
        send(&app, json!({"type": "failed"})).await;
        app.drain().await;
        send(&app, json!({"type": "pending"})).await;
        let statistics = async |query: &str| app.owner.get(&format!("/v1/statistics?{query}")).await.ok(200)["data"].clone();
        let destination = app.owner.get("/v1/destinations").await.ok(200)["data"][0].clone();
        let hours = statistics("").await;
        let of = |index: usize, fields: &[&str]| fields.iter().map(|field| hours[index][field].clone()).collect::<Vec<_>>();
        let counts = ["delivered", "failed", "skipped", "pending"];
        assert_eq!(hours.as_array().unwrap().len(), 2, "{hours}");
        assert_eq!(of(0, &counts), [0, 1, 0, 1], "{hours}");
        assert_eq!(of(1, &counts), [2, 0, 0, 0], "{hours}");
        // With the durations of the calls, which are real.
        let latency = |field: &str| hours[1][field].as_u64().unwrap();
        assert!((5_000..7_000).contains(&latency("averageLatencyMs")), "{hours}");
        assert!((10_000..12_000).contains(&latency("maxLatencyMs")), "{hours}");
        assert_eq!(hours[0].get("averageLatencyMs"), None);
        assert_eq!(of(0, &["destinationId", "destinationKind", "destinationName"]), [&destination["id"], &destination["kind"], &destination["name"]].map(Clone::clone));
        // The tests begin at 2026-11-18T09:06:40Z.
        assert_eq!(of(1, &["hour"])[0], format!("{}:00:00.000Z", &begin[..13]));
        let end = moment(&app);
        let id = destination["id"].as_str().unwrap();
        assert_eq!(statistics(&format!("until={end}&destinationId={id}")).await[0]["pending"], 0, "until is exclusive");
        assert_eq!(statistics(&format!("since={end}")).await[0]["pending"], 1);
        for (query, status) in [
            (format!("since=2026-01-01T00:00:00Z&until={end}"), 400),
            (format!("since={end}&until={begin}"), 400),
            ("destinationId=0199c1de-0000-7000-8000-00000000dead".to_owned(), 404),
        ] {
            assert_eq!(app.owner.get(&format!("/v1/statistics?{query}")).await.status, status, "{query}");
        }
        let theirs = app.other("globex").await;
        assert_eq!(theirs.get("/v1/retention").await.ok(200), json!({"deliveryDays": 30, "idempotencyKeyHours": 24}));
        assert_eq!(theirs.get("/v1/statistics").await.ok(200), json!({"data": []}));
        assert_eq!(theirs.get(&format!("/v1/statistics?destinationId={id}")).await.status, 404);
    }

    async fn a_messages_text_may_be_called_text(app) {
        let channel = app.owner.post("/v1/channels", &json!({"name": "here"})).await.ok(201)["id"].clone();
        let body = json!({"type": "message.posted", "channelId": channel, "data": {"text": "hi", "tone": "kind"}});
        app.owner.post("/v1/events", &body).await.ok(202);
        let path = format!("/v1/channels/{}/messages", channel.as_str().unwrap());
        let messages = app.owner.get(&path).await.ok(200);
        let data = &messages["data"][0]["data"];
        assert_eq!((&data["message"], data.get("text"), &data["tone"]), (&json!("hi"), None, &json!("kind")));
    }
}
