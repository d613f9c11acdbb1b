//! Tests of the payload of each event.

use serde_json::{Value, json};
use tieline::{
    domain::{secret::Secret, tenancy::member::Role},
    provider::webhook::Signer,
};

use super::{far, join, last, messages, rocket, say, scene, texts};
use crate::support::is_documented;

/// Removes the members that differ each time; they have to be present.
fn without_times(mut body: Value) -> Value {
    fn strip(value: &mut Value) {
        if let Value::Object(object) = value {
            for key in ["timestamp", "ts", "createdAt"] {
                if let Some(time) = object.remove(key) {
                    let time = time.as_str().unwrap();
                    assert!(time.ends_with('Z') && time.contains('T'), "{time}");
                }
            }
            object.values_mut().for_each(strip);
        }
    }
    strip(&mut body);
    body
}

both! {
    async fn a_message_is_sent_signed(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let id = rob.make(&far, json!({"triggerWords": ["deploy"]})).await;
        say(&app, &channel, "deploy web").await;
        let call = last(&far);
        assert_eq!((call.method.as_str(), call.header("content-type")), ("POST", "application/json"));
        assert!(call.header("user-agent").starts_with("tieline/"), "{call:?}");
        let owner = app.app.base.store();
        let olga = tieline::store::tenancy::members::find_by_username(owner.reader(), app.organisation("acme").await, "olga")
            .await.unwrap().unwrap().user_id.to_string();
        let body = without_times(call.body.clone());
        let message_id = body["message_id"].as_str().unwrap().to_owned();
        assert_eq!(body, json!({
            "token": "t0ken-of-the-far-end", "bot": false, "trigger_word": "deploy", "channel_id": channel,
            "channel_name": "general", "message_id": message_id, "user_id": olga, "user_name": "olga",
            "text": "deploy web", "siteUrl": body["siteUrl"],
        }));
        assert!(body["siteUrl"].as_str().unwrap().starts_with("http"));
        assert!(!call.header("webhook-id").is_empty());
        let shown = app.owner.get(&format!("/v1/outgoing-webhooks/{id}/signing-secret")).await.ok(200);
        let secret = [Secret::new(shown["secret"].as_str().unwrap())];
        for (name, value) in
            Signer::new(&secret).unwrap().headers(call.header("webhook-id"), app.now(), &call.raw).unwrap()
        {
            assert_eq!(call.header(name.as_str()), value.to_str().unwrap(), "{name}");
        }
    }

    async fn a_file_is_sent_with_its_message(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        rob.make(&far, json!({"event": "fileUploaded"})).await;
        let file = json!({"_id": "f1", "name": "a.png", "type": "image/png"});
        let user = json!({"userId": rob.user_id, "username": "rob"});
        let data = json!({"message": "see", "file": file, "user": user});
        let event = json!({"type": "file.uploaded", "channelId": channel, "data": data});
        let sent = app.owner.post("/v1/events", &event).await.ok(202);
        app.drain().await;
        let body = without_times(last(&far).body);
        let (id, user) = (&sent["id"], json!({"_id": rob.user_id, "username": "rob"}));
        assert_eq!(body, json!({
            "token": "t0ken-of-the-far-end", "bot": false, "channel_id": channel, "channel_name": "general",
            "message_id": id, "user_id": rob.user_id, "user_name": "rob", "text": "see", "user": user,
            "room": {"_id": channel, "name": "general", "t": "c"},
            "message": {"_id": id, "rid": channel, "msg": "see", "u": user, "file": file},
        }));
    }

    async fn what_happens_to_channels_is_sent(app) {
        let (rob, general) = scene(&app).await;
        let (created, archived, joined, left) = (far().await, far().await, far().await, far().await);
        for (far, event, channel) in [
            (&created, "roomCreated", ""), (&archived, "roomArchived", ""),
            (&joined, "roomJoined", "#general"), (&left, "roomLeft", "#general"),
        ] {
            rob.make(far, json!({"event": event, "channel": channel})).await;
        }
        let ada = rocket(&app, "acme", "ada", Role::Member).await;
        let user = json!({
            "_id": ada.user_id, "username": "ada", "type": "user", "active": true, "roles": ["member"],
            "emails": [{"address": "ada@example.org"}],
        });
        let in_general = json!({
            "token": "t0ken-of-the-far-end", "bot": false, "channel_id": general, "channel_name": "general",
            "user_id": ada.user_id, "user_name": "ada", "user": user,
            "room": {"_id": general, "name": "general", "t": "c"},
        });
        join(&app, &general, &ada.user_id).await;
        join(&app, &general, &ada.user_id).await;
        app.drain().await;
        assert_eq!(joined.calls().len(), 1, "a second time changes nothing");
        assert_eq!(without_times(last(&joined).body), in_general);
        let member = format!("/v1/channels/{general}/members/{}", ada.user_id);
        assert!(app.owner.delete(&member).await.status.is_success());
        app.drain().await;
        assert_eq!(without_times(last(&left).body), in_general, "also when another member removes them");

        let made = app.owner.post("/v1/channels", &json!({"name": "secret", "private": true})).await.ok(201);
        app.drain().await;
        let body = without_times(last(&created).body);
        assert_eq!((&body["channel_id"], &body["channel_name"]), (&made["id"], &json!("secret")));
        assert_eq!((&body["user_name"], &body["owner"]["username"]), (&json!("olga"), &json!("olga")));
        assert_eq!(body["room"], json!({"_id": made["id"], "name": "secret", "t": "p"}));
        assert!(body.get("user").is_none());

        let path = format!("/v1/channels/{}", made["id"].as_str().unwrap());
        for (archive, times) in [(true, 1), (true, 1), (false, 1), (true, 2)] {
            let changed = app.owner.patch(&path, &json!({"archived": archive})).await.ok(200);
            assert_eq!(changed["archivedAt"].is_string(), archive);
            app.drain().await;
            assert_eq!(archived.calls().len(), times);
        }
        let body = without_times(last(&archived).body);
        assert_eq!(body["room"], json!({"_id": made["id"], "name": "secret", "t": "p", "archived": true}));
        assert_eq!(body["user"]["username"], "olga");
        assert_eq!([&created, &joined, &left].map(|far| far.calls().len()), [1, 1, 1]);
    }

    async fn a_new_member_is_sent_and_answers_go_to_the_channel_named(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        far.reply(crate::support::Reply::Json(json!({"text": "welcome"})));
        rob.make(&far, json!({"event": "userCreated", "channel": "", "targetRoom": "#general"})).await;
        let ada = rocket(&app, "acme", "ada", Role::Member).await;
        app.drain().await;
        let body = without_times(last(&far).body);
        assert_eq!(body, json!({
            "token": "t0ken-of-the-far-end", "bot": false, "user_id": ada.user_id, "user_name": "ada",
            "user": {
                "_id": ada.user_id, "username": "ada", "type": "user", "active": true, "roles": ["member"],
                "emails": [{"address": "ada@example.org"}],
            },
        }));
        assert_eq!(messages(&app, &channel).await[0]["message"], "welcome");
        let member = json!({"username": "bob", "role": "member"});
        let path = format!("/v1/organisations/{}/members", app.organisation("acme").await);
        app.owner.post(&path, &member).await.ok(201);
        app.drain().await;
        assert_eq!(last(&far).body["user_name"], "bob");
        assert_eq!(texts(&far).len(), 2);
    }
}

#[test]
fn what_is_sent_is_held_to_the_document() {
    let tick = json!({"channel_id": "01a1fba0-bef7-7000-a896-5d7ab42cd607", "return_url": "https://a", "settings": []});
    assert!(is_documented("/tick", &tick));
    for (path, body) in
        [("/tick", json!({})), ("/target", tick), ("/", json!({"bot": "no"})), ("/", json!({"bot": true}))]
    {
        assert!(!is_documented(path, &body), "{path} {body}");
    }
}
