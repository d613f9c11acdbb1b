//! Tests of batches of events: accepted together, in their order, or not at all.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestApp, step};

const BATCH: &str = "/v1/events/batch";

fn numbered(from: usize, to: usize) -> Value {
    let events: Vec<Value> = (from..to).map(|n| json!({"type": format!("order.n{n}"), "data": {"n": n}})).collect();
    json!({"events": events})
}

async fn count(app: &TestApp) -> usize {
    app.owner.get("/v1/events?limit=250").await.ok(200)["data"].as_array().unwrap().len()
}

fn ids(answer: &Value) -> Vec<String> {
    answer["events"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn a_batch_keeps_its_order(app) {
        // More than one transaction has, and every third has a key.
        let mut batch = numbered(0, 600);
        for (index, event) in batch["events"].as_array_mut().unwrap().iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
            event["idempotencyKey"] = json!(format!("key {index}"));
        }
        let answer = app.owner.post(BATCH, &batch).await.ok(202);
        let accepted = ids(&answer);
        assert_eq!(accepted.len(), 600);
        assert!(accepted.is_sorted(), "ids sort as the events do");
        assert!(answer["events"].as_array().unwrap().iter().all(|one| one["repeated"] == false));
        let last = app.owner.get(&format!("/v1/events/{}", accepted[599])).await.ok(200);
        assert_eq!(last["type"], "order.n599");
        let newest = app.owner.get("/v1/events?limit=250").await.ok(200);
        let newest: Vec<_> = newest["data"].as_array().unwrap().iter().map(|event| event["data"]["n"].as_u64().unwrap()).collect();
        assert_eq!(newest, (350..600).rev().collect::<Vec<u64>>());
    }

    async fn deliveries_of_a_batch_go_out_in_its_order(app) {
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let events: Vec<Value> = (0..4).map(|n| step(&format!("number {n}"))).collect();
        app.owner.post(BATCH, &json!({"events": events})).await.ok(202);
        app.drain().await;
        let messages = app.slack.messages("C0ALERTS").await;
        assert_eq!(messages.len(), 4);
        for (n, message) in messages.iter().enumerate() {
            assert!(message["blocks"].to_string().contains(&format!("number {n}")), "{n}: {message}");
        }
    }

    async fn one_invalid_event_refuses_all(app) {
        let unknown = "0199c1de-0000-7000-8000-00000000dead";
        let mut batch = numbered(0, 6);
        batch["events"][1]["type"] = json!("not a type");
        batch["events"][3]["attributes"] = json!({"a-b": "x"});
        batch["events"][4]["channelId"] = json!(unknown);
        batch["events"][5]["type"] = json!("workflow.step.completed");
        let problem = app.owner.post(BATCH, &batch).await.problem(400, "invalid");
        let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
        let expected = ["/events/1/type", "/events/3/attributes/a-b", "/events/4/channelId", "/events/5/attributes/stepKind"];
        assert_eq!(pointers, expected, "{problem}");
        for (events, pointer) in [
            (json!([]), "/events"),
            (numbered(0, 1001)["events"].clone(), "/events"),
            (json!([{"type": "a"}, {"data": 1}]), "/events/1/type"),
            (json!([{"type": "a", "idempotencyKey": "\"quoted\""}]), "/events/0/idempotencyKey"),
            (json!([{"type": "a", "more": 1}]), "/events/0/more"),
            (json!([{"type": "a", "idempotencyKey": "k"}, {"type": "b"}, {"type": "a", "idempotencyKey": "k"}]), "/events/2/idempotencyKey"),
        ] {
            let answer = app.owner.post(BATCH, &json!({"events": events})).await;
            assert_eq!(answer.ok(400)["errors"][0]["pointer"], pointer, "{}", answer.text);
        }
        assert_eq!(count(&app).await, 0);
    }

    async fn a_repeated_event_of_a_batch_is_accepted_once(app) {
        let event = |n: usize| json!({"type": "order.paid", "data": {"n": n}, "idempotencyKey": format!("k{n}")});
        let first = app.owner.post(BATCH, &json!({"events": [event(0), event(1)]})).await.ok(202);
        let second = app.owner.post(BATCH, &json!({"events": [event(2), event(1), {"type": "plain"}]})).await.ok(202);
        let repeated: Vec<_> = second["events"].as_array().unwrap().iter().map(|one| one["repeated"].clone()).collect();
        assert_eq!(repeated, [false, true, false]);
        assert_eq!(ids(&second)[1], ids(&first)[1]);
        let other = json!({"type": "order.paid", "data": {"n": 7}, "idempotencyKey": "k0"});
        app.owner.post(BATCH, &json!({"events": [other]})).await.problem(422, "idempotency_key_reused");
        assert_eq!(count(&app).await, 4);
        app.advance(Duration::from_secs(24 * 3600));
        let later = app.owner.post(BATCH, &json!({"events": [event(0)]})).await.ok(202);
        assert_eq!(later["events"][0]["repeated"], false);
    }

    async fn batches_with_the_same_keys_do_not_wait_for_each_other(app) {
        let event = |n: usize| json!({"type": "order.paid", "data": {"n": n}, "idempotencyKey": format!("k{n}")});
        let sent = (0..8).map(|turn| {
            let mut events: Vec<Value> = (0..40).map(event).collect();
            events.rotate_left(turn * 5);
            let owner = app.owner.clone();
            async move { owner.post(BATCH, &json!({"events": events})).await.ok(202) }
        });
        let answers = join_all(sent).await;
        let fresh = answers.iter().flat_map(|answer| answer["events"].as_array().unwrap()).filter(|one| one["repeated"] == false);
        assert_eq!(fresh.count(), 40);
        assert_eq!(count(&app).await, 40);
    }

    async fn a_search_looks_at_a_bounded_number_of_events(app) {
        app.owner.post("/v1/events", &json!({"type": "needle", "attributes": {"pin": "7"}})).await.ok(202);
        for turn in 0..10 {
            app.owner.post(BATCH, &numbered(turn * 1000, (turn + 1) * 1000)).await.ok(202);
        }
        for query in ["type=needle", "attribute=pin:7", "source=api&type=needle"] {
            let first = app.owner.get(&format!("/v1/events?{query}")).await.ok(200);
            assert_eq!(first["data"], json!([]), "{query}");
            let next = first["nextCursor"].as_str().unwrap();
            let second = app.owner.get(&format!("/v1/events?{query}&cursor={next}")).await.ok(200);
            assert_eq!((second["data"][0]["type"].as_str(), second.get("nextCursor")), (Some("needle"), None), "{query}");
        }
        let all = app.owner.get("/v1/events?limit=250").await.ok(200);
        assert_eq!(all["data"].as_array().unwrap().len(), 250);
    }
}
