//! Channels and messages.

use serde_json::{Value, json};

use super::support::World;

#[tokio::test]
async fn who_may_post_where() {
    let world = World::new().await;
    let token = world.install().await;
    for (channel, error) in [
        ("C0GENERAL", "not_in_channel"),
        ("#general", "not_in_channel"),
        ("C0OLD", "is_archived"),
        ("C0PRIVATE", "channel_not_found"),
        ("C0NOWHERE", "channel_not_found"),
        ("", "channel_not_found"),
    ] {
        assert_eq!(world.post(&token, channel, "x").await["error"], error, "{channel}");
    }
    assert_eq!(world.post(&token, "C0SECRET", "x").await["ok"], true);
    assert_eq!(world.post(&token, "alerts", "x").await["channel"], "C0ALERTS");

    assert_eq!(world.call(&token, "conversations.join", json!({"channel": "C0GENERAL"})).await["ok"], true);
    assert_eq!(world.post(&token, "C0GENERAL", "x").await["ok"], true);
    let again = world.call(&token, "conversations.join", json!({"channel": "C0GENERAL"})).await;
    assert_eq!(again["warning"], "already_in_channel");

    let public = world.install_with("chat:write,chat:write.public").await;
    assert_eq!(world.post(&public, "C0TEAM007", "x").await["ok"], true);
}

#[tokio::test]
async fn an_ephemeral_message_reaches_one_person() {
    let world = World::new().await;
    let token = world.install().await;
    for channel in ["U0STANDINMAX", "D0STANDINMAX"] {
        assert_eq!(world.post(&token, channel, "psst").await["channel"], "D0STANDINMAX");
    }
    assert_eq!(world.post(&token, "U0SECONDMAX", "psst").await["error"], "channel_not_found");
    let info = world.call(&token, "conversations.info", json!({"channel": "D0STANDINMAX"})).await;
    assert_eq!((&info["channel"]["is_im"], &info["channel"]["is_group"]), (&json!(true), &json!(false)));
    let shown = world.look("/slack/messages?channel=U0STANDINMAX").await;
    assert_eq!(shown["posted"], 2);
    assert!(world.page("/slack/T0STANDIN/U0STANDINMAX").await.contains("psst"));
    let page = world.page("/slack").await;
    assert!(page.contains("D0STANDINMAX") && !page.contains("D0STANDINADA"), "only who has heard something");
}

#[tokio::test]
async fn what_may_be_posted() {
    let world = World::new().await;
    let token = world.install().await;
    world.control("/slack/ratelimit", json!({"enabled": false})).await;
    let header = json!([{"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}}]);
    for (fields, error) in [
        (json!({}), "no_text"),
        (json!({"text": " "}), "no_text"),
        (json!({"text": "x".repeat(40_001)}), "msg_too_long"),
        (json!({"blocks": header.clone()}), "invalid_blocks"),
        (json!({"blocks": "not json"}), "invalid_blocks_format"),
        (json!({"blocks": vec![json!({"type": "divider"}); 51]}), "msg_blocks_too_long"),
        (json!({"attachments": vec![json!({"text": "x"}); 101]}), "too_many_attachments"),
        (json!({"text": "a", "markdown_text": "b"}), "markdown_text_conflict"),
    ] {
        let mut body = fields;
        body["channel"] = json!("C0ALERTS");
        assert_eq!(world.call(&token, "chat.postMessage", body.clone()).await["error"], error, "{body}");
    }
    let refused = world.call(&token, "chat.postMessage", json!({"channel": "C0ALERTS", "blocks": header})).await;
    assert_eq!(
        refused["response_metadata"]["messages"][0],
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    );
    // Characters count, not bytes.
    assert_eq!(world.post(&token, "C0ALERTS", &"ü".repeat(40_000)).await["ok"], true);
}

#[tokio::test]
async fn a_form_may_hold_blocks_as_json() {
    let world = World::new().await;
    let token = world.install().await;
    let blocks = json!([
        {"type": "header", "text": {"type": "plain_text", "text": "A <header>"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*bold*"}, "fields": [{"type": "mrkdwn", "text": "`f`"}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "_small_"}]},
        {"type": "divider"},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Press"}}]},
    ]);
    let form = [("channel", "C0ALERTS"), ("text", "fallback"), ("blocks", &blocks.to_string()), ("token", &token)];
    let url = world.url("/slack/api/chat.postMessage");
    let posted: Value = world.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(posted["message"]["blocks"], blocks);
    assert_eq!(posted["message"]["bot_id"], "B0STANDIN");
    let page = world.page("/slack/T0STANDIN/C0ALERTS").await;
    for shown in [
        "<h3>A &lt;header&gt;</h3>",
        "<strong>bold</strong>",
        "<code>f</code>",
        "<em>small</em>",
        "<hr>",
        "<button disabled>Press</button>",
        "http-equiv=\"refresh\"",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    assert!(!page.contains("fallback"));
}

#[tokio::test]
async fn messages_have_growing_timestamps_and_can_be_changed_and_deleted() {
    let world = World::new().await;
    let token = world.install().await;
    let first = world.post(&token, "C0ALERTS", "one").await;
    let reply = json!({"channel": "C0ALERTS", "text": "two", "thread_ts": first["ts"]});
    let second = world.call(&token, "chat.postMessage", reply).await;
    assert!(second["ts"].as_str() > first["ts"].as_str());
    assert_eq!(second["message"]["thread_ts"], first["ts"]);

    let change = json!({"channel": "C0ALERTS", "ts": first["ts"], "text": "changed"});
    assert_eq!(world.call(&token, "chat.update", change).await["text"], "changed");
    let target = json!({"channel": "C0ALERTS", "ts": second["ts"]});
    assert_eq!(world.call(&token, "chat.delete", target.clone()).await["ok"], true);
    assert_eq!(world.call(&token, "chat.delete", target).await["error"], "message_not_found");

    let seen = world.look("/slack/messages?team=T0STANDIN&channel=C0ALERTS").await;
    assert_eq!(seen["posted"], 2);
    assert_eq!(seen["messages"].as_array().unwrap().len(), 1);
    assert_eq!(seen["messages"][0]["text"], "changed");
    assert_eq!(seen["messages"][0]["edited"]["user"], "U0STANDINBOT");

    world.http.post(world.url("/slack/T0STANDIN/C0ALERTS/say")).form(&[("text", "by ada")]).send().await.unwrap();
    let seen = world.look("/slack/messages?team=T0STANDIN&channel=C0ALERTS").await;
    let foreign = json!({"channel": "C0ALERTS", "ts": seen["messages"][1]["ts"], "text": "mine"});
    assert_eq!(world.call(&token, "chat.update", foreign).await["error"], "cant_update_message");
}

#[tokio::test]
async fn channels_come_in_pages_and_what_the_bot_cannot_see_does_not() {
    let world = World::new().await;
    let token = world.install().await;
    let (mut names, mut cursor, mut pages, mut short) = (Vec::new(), String::new(), 0, false);
    loop {
        let body = json!({
            "types": "public_channel,private_channel", "exclude_archived": true, "limit": 60, "cursor": cursor,
        });
        let page = world.call(&token, "conversations.list", body).await;
        let channels = page["channels"].as_array().unwrap();
        names.extend(channels.iter().map(|channel| channel["name"].as_str().unwrap().to_owned()));
        pages += 1;
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
        short |= channels.len() < 60;
    }
    assert_eq!((pages, names.len(), short), (5, 253, true));
    assert!(names.contains(&"secret-plans".to_owned()));
    assert!(!names.contains(&"leadership".to_owned()) && !names.contains(&"old-stuff".to_owned()));

    for (body, error) in [
        (json!({"limit": 1001}), "invalid_limit"),
        (json!({"limit": "many"}), "invalid_limit"),
        (json!({"cursor": "made-up"}), "invalid_cursor"),
        (json!({"types": "secret_channel"}), "invalid_types"),
        (json!({"types": "im"}), "missing_scope"),
    ] {
        assert_eq!(world.call(&token, "conversations.list", body).await["error"], error);
    }
    let info = world.call(&token, "conversations.info", json!({"channel": "C0SECRET"})).await;
    assert_eq!((&info["channel"]["is_private"], &info["channel"]["is_member"]), (&json!(true), &json!(true)));
    let members = world.call(&token, "conversations.members", json!({"channel": "C0ALERTS"})).await;
    assert_eq!(members["members"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn people_invite_remove_and_archive_on_the_page() {
    let world = World::new().await;
    let token = world.install().await;
    let press = async |action: &str| {
        let url = world.url(&format!("/slack/T0STANDIN/C0GENERAL/{action}"));
        assert_eq!(world.http.post(url).send().await.unwrap().status(), 303);
    };
    press("invite").await;
    assert_eq!(world.post(&token, "C0GENERAL", "x").await["ok"], true);
    press("archive").await;
    assert_eq!(world.post(&token, "C0GENERAL", "x").await["error"], "is_archived");
    press("unarchive").await;
    press("remove").await;
    assert_eq!(world.post(&token, "C0GENERAL", "x").await["error"], "not_in_channel");
    assert!(world.page("/slack").await.contains("Acme Stand-in"));
    assert!(world.page("/").await.contains("/slack/T0STANDIN/C0ALERTS"));
    assert_eq!(world.http.get(world.url("/slack/T0/C0")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn people_are_known_to_who_may_ask() {
    let world = World::new().await;
    let token = world.install().await;
    let ada = world.call(&token, "users.info", json!({"user": "U0STANDINADA"})).await;
    assert_eq!(ada["user"]["is_admin"], true);
    assert!(ada["user"]["profile"].get("email").is_none());
    let token = world.install_with("users:read.email,team:read").await;
    let max = world.call(&token, "users.lookupByEmail", json!({"email": "max@acme-standin.example"})).await;
    assert_eq!(max["user"]["id"], "U0STANDINMAX");
    assert_eq!(world.call(&token, "team.info", json!({})).await["team"]["domain"], "acme-standin");
    assert_eq!(world.call(&token, "users.list", json!({})).await["members"].as_array().unwrap().len(), 3);
}
