//! Tests of the operations that clients of Rocket.Chat begin with: logging in, channels, messages.

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::Known;
use crate::{
    channel_integrations::use_in,
    support::{Integration, Reply, TestApp},
};

async fn channel(app: &TestApp, name: &str, private: bool) -> String {
    let made = app.owner.post("/v1/channels", &json!({"name": name, "private": private})).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

fn ids(listed: &Value, member: &str) -> Vec<String> {
    listed[member].as_array().unwrap().iter().map(|one| one["_id"].as_str().unwrap().to_owned()).collect()
}

fn texts(listed: &Value) -> Vec<&str> {
    listed["messages"].as_array().unwrap().iter().map(|one| one["msg"].as_str().unwrap()).collect()
}

both! {
    async fn a_token_takes_the_place_of_a_password(app) {
        let bob = Known::of(&app, &app.caller("acme", "bob", Role::Member).await, "bob").await;
        for body in [
            json!({"user": "bob", "password": bob.token}),
            json!({"username": "bob", "password": bob.token}),
            json!({"user": bob.user_id, "password": bob.token}),
            json!({"resume": bob.token}),
        ] {
            let done = app.anon.post("/api/v1/login", &body).await.ok(200);
            assert_eq!(done["status"], "success");
            let data = &done["data"];
            assert_eq!((&data["userId"], &data["authToken"]), (&json!(bob.user_id), &json!(bob.token)));
            assert_eq!(data["me"], bob.get("me").await.ok(200));
        }
        let me = bob.get("me").await.ok(200);
        assert_eq!((&me["_id"], &me["username"], &me["roles"]), (&json!(bob.user_id), &json!("bob"), &json!(["user"])));
        for body in [
            json!({"user": "ada", "password": bob.token}),
            json!({"user": "bob", "password": "wrong"}),
            json!({"user": "bob"}),
            json!({}),
        ] {
            let refused = app.anon.post("/api/v1/login", &body).await.ok(401);
            assert_eq!(refused["status"], "error", "{body}");
        }
    }

    async fn channels_are_created_changed_and_deleted(app) {
        let ada = Known::of(&app, &app.owner, "olga").await;
        let bob = Known::of(&app, &app.caller("acme", "bob", Role::Member).await, "bob").await;
        for (kind, member, t) in [("channels", "channel", "c"), ("groups", "group", "p")] {
            let call = async |name: &str, body: Value| ada.post(&format!("{kind}.{name}"), body).await;
            let made = call("create", json!({"name": format!("{kind}-new"), "members": ["bob"]})).await.ok(200);
            let (id, room) = (made[member]["_id"].as_str().unwrap(), json!({"roomId": made[member]["_id"]}));
            assert_eq!((&made[member]["t"], &made[member]["archived"]), (&json!(t), &json!(false)));
            let people = format!("{kind}.members?roomId={id}");
            let listed = bob.get(&people).await.ok(200);
            let mut names: Vec<_> = listed["members"].as_array().unwrap().iter().map(|one| &one["username"]).collect();
            names.sort_by_key(|name| name.as_str());
            assert_eq!((names, &listed["total"]), (vec![&json!("bob"), &json!("olga")], &json!(2)));
            let second = bob.get(&format!("{people}&offset=1&count=1")).await.ok(200);
            assert_eq!((&second["members"][0], &second["count"]), (&listed["members"][1], &json!(1)));

            let renamed = call("rename", json!({"roomId": id, "name": format!("{kind}-other")})).await.ok(200);
            assert_eq!(renamed[member]["name"], format!("{kind}-other"));
            assert!(call("archive", room.clone()).await.ok(200)["success"].as_bool().unwrap());
            assert_eq!(ada.get(&format!("{kind}.info?roomId={id}")).await.ok(200)[member]["archived"], true);
            call("unarchive", json!({"roomName": format!("{kind}-other")})).await.ok(200);
            assert_eq!(ada.get(&format!("{kind}.info?roomId={id}")).await.ok(200)[member]["archived"], false);

            let person = json!({"roomId": id, "username": "bob"});
            assert_eq!(call("kick", person.clone()).await.ok(200)[member]["_id"], id);
            assert_eq!(ada.get(&people).await.ok(200)["total"], 1);
            assert_eq!(call("kick", person).await.status, 404, "who is not in it cannot be removed");
            call("invite", json!({"roomId": id, "userId": bob.user_id})).await.ok(200);
            assert_eq!(ada.get(&people).await.ok(200)["total"], 2);

            assert_eq!(call("create", json!({"name": "x", "members": ["nobody"]})).await.status, 404);
            assert_eq!(call("create", json!({"name": format!("{kind}-other")})).await.status, 400);
            assert_eq!(call("invite", json!({"roomId": id})).await.ok(400)["errorType"], "invalid-params");
            assert_eq!(bob.post(&format!("{kind}.delete"), room.clone()).await.status, 403);
            let wrong_kind = if kind == "groups" { "channels" } else { "groups" };
            let refused = ada.post(&format!("{wrong_kind}.delete"), room.clone()).await.ok(400);
            assert_eq!(refused["errorType"], "error-room-not-found");
            call("delete", room.clone()).await.ok(200);
            assert_eq!(call("archive", room).await.ok(400)["errorType"], "error-room-not-found");
            assert!(ids(&ada.get(&format!("{kind}.list")).await.ok(200), kind).is_empty(), "nor is one with an unknown user");
        }
    }

    async fn channels_are_public_or_private(app) {
        let (open, closed) = (channel(&app, "general", false).await, channel(&app, "secret", true).await);
        let ada = Known::of(&app, &app.owner, "olga").await;
        let bob = Known::of(&app, &app.caller("acme", "bob", Role::Member).await, "bob").await;
        for (caller, groups) in [(&ada, vec![closed.clone()]), (&bob, vec![])] {
            let listed = caller.get("channels.list?count=0").await.ok(200);
            assert_eq!(ids(&listed, "channels"), std::slice::from_ref(&open));
            assert_eq!((&listed["total"], &listed["channels"][0]["t"]), (&json!(1), &json!("c")));
            assert_eq!(ids(&caller.get("groups.list").await.ok(200), "groups"), groups);
        }
        let by_name = bob.get("channels.info?roomName=general").await.ok(200);
        assert_eq!(by_name["channel"]["_id"], open);
        assert_eq!(bob.get(&format!("channels.info?roomId={open}")).await.ok(200), by_name);
        assert_eq!(ada.get("groups.info?roomName=secret").await.ok(200)["group"]["t"], "p");
        for path in [
            "channels.info?roomName=secret".to_owned(),
            "channels.info?roomId=nonsense".to_owned(),
            format!("groups.info?roomId={closed}"),
            format!("groups.messages?roomId={closed}"),
            format!("groups.info?roomId={open}"),
        ] {
            let refused = bob.get(&path).await.ok(400);
            assert_eq!(refused["errorType"], "error-room-not-found", "{path}");
        }
        assert_eq!(bob.get("channels.info").await.ok(400)["errorType"], "invalid-params");
    }

    async fn messages_are_listed_once_as_the_channel_published_them(app) {
        let open = channel(&app, "general", false).await;
        let bob = Known::of(&app, &app.caller("acme", "bob", Role::Member).await, "bob").await;
        let first = bob.post("chat.postMessage", json!({"channel": "#general", "text": "first"})).await.ok(200);
        assert_eq!((&first["channel"], &first["message"]["u"]["_id"]), (&json!(open), &json!(bob.user_id)));
        let shouter = Integration::start("modifier", json!([])).await;
        shouter.reply(Reply::Change("{}!".into()));
        use_in(&app, &open, &shouter).await;
        let body = json!({"roomId": open, "text": "second", "alias": "B", "attachments": [{"title": "a"}]});
        let second = bob.post("chat.postMessage", body).await.ok(200);
        app.drain().await;
        let listed = bob.get(&format!("channels.messages?roomId={open}")).await.ok(200);
        assert_eq!((texts(&listed), &listed["total"]), (vec!["second!", "first"], &json!(2)));
        assert_eq!(listed["messages"][0]["_id"], second["message"]["_id"], "the id that its author knows");
        assert_eq!(listed["messages"][0]["attachments"], json!([{"title": "a"}]));
        let page = bob.get("channels.history?roomName=general&offset=1&count=1").await.ok(200);
        assert_eq!((texts(&page), &page["count"], &page["offset"]), (vec!["first"], &json!(1), &json!(1)));
        for (body, code) in [
            (json!({"channel": "#nowhere", "text": "x"}), "invalid-channel"),
            (json!({"text": "x"}), "invalid-channel"),
            (json!({"channel": "#general"}), "unknown-error"),
        ] {
            assert_eq!(bob.post("chat.postMessage", body).await.ok(400)["error"], code);
        }
        let secret = channel(&app, "secret", true).await;
        let refused = bob.call(Method::POST, "chat.postMessage", Some(json!({"roomId": secret, "text": "x"}))).await;
        assert_eq!(refused.ok(400)["error"], "error-not-allowed");
    }
}
