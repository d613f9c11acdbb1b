//! Modals and the home tab.

use serde_json::{Value, json};

use super::support::{Receiver, World};

fn modal(title: &str) -> Value {
    json!({"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [{"type": "divider"}]})
}

#[tokio::test]
async fn a_modal_needs_a_fresh_trigger() {
    let world = World::new().await;
    let (app, url) = Receiver::start().await;
    world.control("/slack/app", json!({"commandsUrl": url})).await;
    let token = world.install().await;
    let trigger = async |number: usize| {
        world.control("/slack/command", json!({"channel": "C0ALERTS", "command": "/x"})).await;
        let heard = app.wait_for(number).await;
        let body = heard[number - 1].body.clone();
        url::form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "trigger_id").unwrap().1.into_owned()
    };
    let open = async |trigger: &str, view: Value| {
        world.call(&token, "views.open", json!({"trigger_id": trigger, "view": view})).await
    };

    let first = trigger(1).await;
    let opened = open(&first, modal("Settings")).await;
    assert_eq!(opened["ok"], true, "{opened}");
    assert_eq!(opened["view"]["app_id"], "A0STANDIN");
    assert_eq!(open(&first, modal("Settings")).await["error"], "exchanged_trigger_id");
    assert_eq!(open("made-up", modal("Settings")).await["error"], "invalid_trigger_id");
    assert_eq!(open(&first, modal(&"x".repeat(25))).await["error"], "invalid_arguments");

    let id = &opened["view"]["id"];
    let stale = json!({"view_id": id, "hash": "old", "view": modal("Next")});
    assert_eq!(world.call(&token, "views.update", stale).await["error"], "hash_conflict");
    let fresh = json!({"view_id": id, "hash": opened["view"]["hash"], "view": modal("Next")});
    assert_eq!(world.call(&token, "views.update", fresh).await["view"]["title"]["text"], "Next");

    let late = trigger(2).await;
    world.control("/clock", json!({"skewSecs": 10})).await;
    assert_eq!(open(&late, modal("Late")).await["error"], "expired_trigger_id");
    assert_eq!(world.look("/slack/views?team=T0STANDIN").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_home_tab_is_published_over_the_one_before() {
    let world = World::new().await;
    let token = world.install().await;
    let home = json!({"user_id": "U0STANDINADA", "view": {"type": "home", "blocks": [{"type": "divider"}]}});
    let first = world.call(&token, "views.publish", home.clone()).await;
    let second = world.call(&token, "views.publish", home.clone()).await;
    assert_eq!(first["view"]["id"], second["view"]["id"]);
    let mut stale = home;
    stale["hash"] = first["view"]["hash"].clone();
    assert_eq!(world.call(&token, "views.publish", stale).await["error"], "hash_conflict");
}
