//! Tests of CloudEvents over HTTP: sent one by one and in batches, and read back.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

async fn send(app: &TestApp, path: &str, media_type: &str, body: &Value) -> Answer {
    let request = app.owner.request(Method::POST, path).header("content-type", media_type);
    app.owner.send(request.body(body.to_string())).await
}

async fn send_structured(app: &TestApp, body: &Value) -> Answer {
    send(app, "/v1/events", ONE, body).await
}

async fn read(app: &TestApp, id: &Value, accept: &str) -> Answer {
    let path = format!("/v1/events/{}", id.as_str().unwrap());
    app.owner.send(app.owner.request(Method::GET, &path).header("accept", accept)).await
}

fn order(id: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "https://example.com/shop",
        "type": "com.example.order.created",
        "subject": "4711",
        "time": "2026-11-18T09:00:00Z",
        "region": "eu",
        "retries": 3,
        "data": {"total": 12},
    })
}

fn pointers(answer: &Answer) -> Vec<String> {
    let problem = answer.problem(400, "invalid");
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut pointers: Vec<_> = errors.map(|one| one["pointer"].as_str().unwrap().to_owned()).collect();
    pointers.sort();
    pointers
}

both! {
    async fn a_cloud_event_is_an_event(app) {
        let accepted = send(&app, "/v1/events", "Application/CloudEvents+JSON; charset=utf-8", &order("a")).await.ok(202);
        let event = read(&app, &accepted["id"], "application/json").await.ok(200);
        assert_eq!((&event["type"], &event["data"]), (&json!("com.example.order.created"), &json!({"total": 12})));
        assert_eq!(
            event["attributes"],
            json!({
                "specversion": "1.0", "id": "a", "source": "https://example.com/shop", "subject": "4711",
                "time": "2026-11-18T09:00:00Z", "region": "eu", "retries": "3",
            })
        );
        let found = app.owner.get("/v1/events?attribute=region:eu").await.ok(200);
        assert_eq!(found["data"][0]["id"], accepted["id"]);
        let back = read(&app, &accepted["id"], "text/html, application/cloudevents+json;q=0.9").await;
        assert_eq!(back.header("content-type"), ONE);
        let mut expected = order("a");
        expected["retries"] = json!("3");
        assert_eq!(back.ok(200), expected);
    }

    async fn a_cloud_event_in_binary_mode_is_the_same_event(app) {
        let send = async |headers: &[(&str, &str)], body: &str| {
            let request = headers.iter().fold(app.owner.request(Method::POST, "/v1/events"), |request, (name, value)| {
                request.header(*name, *value)
            });
            app.owner.send(request.body(body.to_owned())).await
        };
        let context = [
            ("ce-specversion", "1.0"),
            ("ce-id", "A-1"),
            ("ce-source", "https://example.com/shop"),
            ("ce-type", "com.example.order.created"),
            ("ce-city", "\"K%C3%B6ln\""),
        ];
        let with = |more: &[(&'static str, &'static str)]| [&context[..], more].concat();
        let made = send(&with(&[("content-type", "application/json")]), r#"{"total": 12}"#).await.ok(202);
        let event = app.owner.get(&format!("/v1/events/{}", made["id"].as_str().unwrap())).await.ok(200);
        assert_eq!((&event["type"], &event["data"]), (&"com.example.order.created".into(), &json!({"total": 12})));
        assert_eq!(event["attributes"]["city"], "Köln");
        assert_eq!(event["attributes"]["datacontenttype"], "application/json");
        let repeated = send_structured(&app, &json!({
            "specversion": "1.0", "id": "A-1", "source": "https://example.com/shop", "type": "com.example.order.created",
            "city": "Köln", "datacontenttype": "application/json", "data": {"total": 12},
        })).await;
        assert_eq!(repeated.ok(202)["id"], made["id"], "one event, whatever the mode");

        for (id, media_type, body, data) in [
            ("B", Some("text/plain"), "hello", json!("hello")),
            ("C", Some("application/octet-stream"), "hello", json!({"data_base64": "aGVsbG8="})),
            ("D", None, "[1]", json!([1])),
            ("E", None, "", Value::Null),
        ] {
            let mut headers = context.to_vec();
            headers[1].1 = id;
            headers.extend(media_type.map(|media_type| ("content-type", media_type)));
            let made = send(&headers, body).await.ok(202);
            let event = app.owner.get(&format!("/v1/events/{}", made["id"].as_str().unwrap())).await.ok(200);
            assert_eq!(event["data"], data, "{id}");
        }
        let json_type = ("content-type", "application/json");
        assert_eq!(pointers(&send(&[context[0], json_type], "{}").await), ["/id", "/source", "/type"]);
        send(&with(&[json_type]), "{").await.problem(400, "malformed_json");
        send(&with(&[json_type]), r#"{"a": "\u0000"}"#).await.problem(400, "invalid");
        send(&with(&[("ce-id", "again"), json_type]), "{}").await.problem(400, "invalid_parameter");
        send(&with(&[json_type, ("idempotency-key", "k")]), "{}").await.problem(400, "invalid");
    }

    async fn a_source_and_an_id_are_accepted_once(app) {
        let first = send(&app, "/v1/events", ONE, &order("a")).await.ok(202);
        let mut again = order("a");
        again["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let second = send(&app, "/v1/events", ONE, &again).await;
        assert_eq!(second.header("idempotent-replayed"), "true");
        assert_eq!(second.ok(202), first);
        let batch = send(&app, "/v1/events/batch", BATCH, &json!([order("b"), order("a")])).await.ok(202);
        assert_eq!((&batch["events"][0]["repeated"], &batch["events"][1]), (&json!(false), &json!({"id": first["id"], "repeated": true})));
        let mut elsewhere = order("a");
        elsewhere["source"] = json!("/other");
        assert_ne!(send(&app, "/v1/events", ONE, &elsewhere).await.ok(202), first);
        // A key of a caller's own is another.
        let request = app.owner.request(Method::POST, "/v1/events").header("Idempotency-Key", "a").json(&json!({"type": "a"}));
        assert_ne!(app.owner.send(request).await.ok(202), first);
        let request = app.owner.request(Method::POST, "/v1/events").header("Idempotency-Key", "a").header("content-type", ONE);
        let refused = app.owner.send(request.body(order("c").to_string())).await;
        assert_eq!(pointers(&refused), ["Idempotency-Key"]);
        assert_eq!(send(&app, "/v1/events/batch", BATCH, &json!([])).await.ok(202), json!({"events": []}));
    }

    async fn what_breaks_the_specification_is_named(app) {
        let mut broken = order("a");
        broken["specversion"] = json!("0.3");
        broken["time"] = json!("now");
        broken["Region"] = json!("eu");
        let answer = send(&app, "/v1/events", ONE, &broken).await;
        assert_eq!(pointers(&answer), ["/Region", "/specversion", "/time"]);
        let mut hyphen = order("a");
        hyphen["type"] = json!("order-created");
        hyphen["id"] = json!("hyphen");
        assert_eq!(pointers(&send(&app, "/v1/events", ONE, &hyphen).await), ["/type"]);
        let batch = json!([order("a"), broken, hyphen, {"specversion": "1.0"}]);
        let answer = send(&app, "/v1/events/batch", BATCH, &batch).await;
        assert_eq!(pointers(&answer), ["/1/Region", "/1/specversion", "/1/time", "/3/id", "/3/source", "/3/type"]);
        let answer = send(&app, "/v1/events/batch", BATCH, &json!([order("a"), hyphen, order("a")])).await;
        assert_eq!(pointers(&answer), ["/1/type", "/2/id"]);
        assert_eq!(pointers(&send(&app, "/v1/events/batch", BATCH, &json!({"events": []})).await), [""]);
        send(&app, "/v1/events", ONE, &Value::Null).await.problem(400, "invalid");
        let request = app.owner.request(Method::POST, "/v1/events").header("content-type", ONE);
        app.owner.send(request.body("{")).await.problem(400, "malformed_json");
        // As an event of our own it has unknown members.
        send(&app, "/v1/events", "application/json", &order("a")).await.problem(400, "invalid");
        assert_eq!(app.owner.get("/v1/events").await.ok(200)["data"], json!([]));
    }

    async fn binary_data_and_other_events_are_cloud_events_too(app) {
        let mut image = order("image");
        image.as_object_mut().unwrap().remove("data");
        image["retries"] = json!("3");
        image["datacontenttype"] = json!("image/png");
        image["data_base64"] = json!("AAEC/w==");
        let accepted = send(&app, "/v1/events", ONE, &image).await.ok(202);
        assert_eq!(read(&app, &accepted["id"], ONE).await.ok(200), image);
        let native = app.owner.post("/v1/events", &json!({"type": "order.paid", "attributes": {"linkId": "7"}})).await.ok(202);
        let written = read(&app, &native["id"], ONE).await.ok(200);
        assert_eq!((&written["id"], &written["linkid"], &written["specversion"]), (&native["id"], &json!("7"), &json!("1.0")));
        assert!(written["source"].as_str().unwrap().ends_with("/v1/events?source=api"), "{written}");
        assert_eq!(read(&app, &native["id"], "*/*").await.header("content-type"), "application/json");
    }
}
