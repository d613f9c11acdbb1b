//! Requests from Slack to the app: events, commands, interactions, and the replies to them.

use serde_json::{Value, json};

use super::support::{Receiver, World};
use crate::slack::sign;

#[tokio::test]
async fn an_event_is_signed_and_sent_again_until_it_is_taken() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"eventsUrl": url, "retryFactor": 0.0})).await;
    app.answers(&[(200, ""), (500, ""), (503, "")]);
    let order = json!({"team": "T0STANDIN", "event": {"type": "app_home_opened", "tab": "home"}});
    let id = world.control("/slack/events", order).await["eventId"].clone();
    let heard = app.wait_for(3).await;
    for (number, request) in heard.iter().enumerate() {
        let expected = sign::v0("standin-signing-secret", request.timestamp, request.body.as_bytes());
        assert_eq!(request.signature, expected);
        let body = request.json();
        assert_eq!((&body["event_id"], &body["type"]), (&id, &json!("event_callback")));
        assert_eq!(body["api_app_id"], "A0STANDIN");
        assert_eq!(body["event"]["tab"], "home");
        let (retry, reason) = if number == 0 { (None, None) } else { (Some(number.to_string()), Some("http_error")) };
        assert_eq!((request.retry.clone(), request.reason.as_deref()), (retry, reason));
    }
    let delivery = settled(&world).await;
    assert_eq!(delivery["delivered"], true);
    assert_eq!(delivery["attempts"][1]["status"], 500);
}

#[tokio::test]
async fn an_event_is_exhausted_after_three_retries() {
    let world = World::new().await;
    // Nothing listens there.
    world.control("/slack/app", json!({"eventsUrl": "http://127.0.0.1:9/", "retryFactor": 0.0})).await;
    world.control("/slack/events", json!({"team": "T0STANDIN", "event": {"type": "user_change"}})).await;
    let delivery = settled(&world).await;
    assert_eq!(delivery["delivered"], false);
    let reasons: Vec<_> = delivery["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["reason"]).collect();
    assert_eq!(reasons, vec![&json!("connection_failed"); 4]);
}

async fn settled(world: &World) -> Value {
    for _ in 0..200 {
        let delivery = world.look("/slack/events").await[0].clone();
        if delivery["done"] == true {
            return delivery;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the delivery did not come to an end");
}

#[tokio::test]
async fn the_events_address_must_answer_the_challenge() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"eventsUrl": url})).await;
    assert_eq!(world.control("/slack/events/verify", json!({})).await["verified"], true);
    app.answers(&[(200, "something else")]);
    assert_eq!(world.control("/slack/events/verify", json!({})).await["verified"], false);
}

#[tokio::test]
async fn losing_the_installation_sends_events() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"eventsUrl": url})).await;
    let token = world.install().await;
    world.call(&token, "auth.revoke", json!({})).await;
    let heard = app.wait_for(1).await;
    assert_eq!(heard[0].json()["event"]["tokens"], json!({"oauth": [], "bot": ["U0STANDINBOT"]}));

    let token = world.install().await;
    let app_keys = json!({"client_id": "1111111111.2222222222", "client_secret": "standin-client-secret"});
    assert_eq!(world.call(&token, "apps.uninstall", app_keys).await["ok"], true);
    assert_eq!(world.call(&token, "auth.test", json!({})).await["error"], "account_inactive");
    let mut kinds: Vec<_> =
        app.wait_for(3).await[1..].iter().map(|heard| heard.json()["event"]["type"].to_string()).collect();
    kinds.sort();
    assert_eq!(kinds, ["\"app_uninstalled\"", "\"tokens_revoked\""]);
}

#[tokio::test]
async fn a_command_is_sent_and_replied_to() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"commandsUrl": url})).await;
    app.answers(&[(200, r#"{"response_type":"in_channel","text":"pong"}"#)]);
    let order = json!({"channel": "C0GENERAL", "command": "/ping", "text": "a b"});
    let answer = world.control("/slack/command", order).await;
    assert_eq!(answer["status"], 200);
    let heard = app.wait_for(1).await;
    let fields: std::collections::HashMap<_, _> =
        url::form_urlencoded::parse(heard[0].body.as_bytes()).into_owned().collect();
    assert_eq!((fields["command"].as_str(), fields["text"].as_str()), ("/ping", "a b"));
    assert_eq!(fields["user_name"], "ada");
    assert_eq!(heard[0].signature, sign::v0("standin-signing-secret", heard[0].timestamp, heard[0].body.as_bytes()));

    // Five later replies, and no sixth.
    for (number, status) in [200, 200, 200, 200, 200, 404].into_iter().enumerate() {
        let reply = json!({"text": format!("later {number}")});
        let answer = world.http.post(&fields["response_url"]).json(&reply).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let replies = world.look("/slack/replies").await;
    assert_eq!(replies.as_array().unwrap().len(), 6);
    assert_eq!((&replies[0]["inChannel"], &replies[1]["inChannel"]), (&json!(true), &json!(false)));
    assert!(world.page("/slack/T0STANDIN/C0GENERAL").await.contains("pong"));
}

#[tokio::test]
async fn a_button_on_the_page_is_live_when_somebody_listens() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"interactivityUrl": url})).await;
    let token = world.install().await;
    let blocks = json!([{"type": "actions", "block_id": "b", "elements": [
        {"type": "button", "action_id": "ack", "value": "42", "text": {"type": "plain_text", "text": "Ack"}},
    ]}]);
    let posted =
        world.call(&token, "chat.postMessage", json!({"channel": "C0ALERTS", "text": "t", "blocks": blocks})).await;
    assert!(world.page("/slack/T0STANDIN/C0ALERTS").await.contains("<button>Ack</button>"));
    let form = [("ts", posted["ts"].as_str().unwrap()), ("block_id", "b"), ("action_id", "ack"), ("value", "42")];
    world.http.post(world.url("/slack/T0STANDIN/C0ALERTS/press")).form(&form).send().await.unwrap();
    let heard = app.wait_for(1).await;
    let (_, payload) = url::form_urlencoded::parse(heard[0].body.as_bytes()).next().unwrap();
    let payload: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(payload["actions"][0]["value"], "42");
    assert_eq!(payload["message"]["ts"], posted["ts"]);
}
