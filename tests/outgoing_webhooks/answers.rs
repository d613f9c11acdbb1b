//! Tests of posts made from the answers.

use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use super::{far, join, messages, rocket, say, scene};
use crate::support::Reply;

both! {
    async fn an_answer_is_posted_in_the_name_of_the_webhook(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let id = rob.make(&far, json!({"alias": "Deployer", "emoji": ":rocket:"})).await;
        far.reply(Reply::Json(json!({"text": " done ", "attachments": [{"title": "log", "msg": "ok"}]})));
        say(&app, &channel, "go").await;
        let posted = messages(&app, &channel).await[0].clone();
        assert_eq!(posted["message"], "done");
        assert_eq!(posted["attachments"], json!([{"title": "log", "text": "ok"}]));
        assert_eq!((&posted["username"], &posted["emoji"]), (&json!("Deployer"), &json!(":rocket:")));
        assert_eq!(posted["user"], json!({"userId": rob.user_id, "username": "rob"}));
        assert_eq!((&posted["integrationId"], &posted["causedBy"]), (&json!(id), &json!([id])));
        let run = rob.history(&id).await[0].clone();
        assert_eq!((&run["step"], &run["finished"]), (&json!("url-response-sent-message"), &json!(true)));
        assert_eq!(run["resultMessage"][0]["message"]["msg"], "done");

        far.reply(Reply::Json(json!({"text": "x", "username": "Me", "icon_url": "https://a.example/a.png"})));
        say(&app, &channel, "go").await;
        let posted = messages(&app, &channel).await[0].clone();
        assert_eq!((&posted["username"], &posted["avatar"]), (&json!("Me"), &json!("https://a.example/a.png")));
        assert!(posted.get("emoji").is_none(), "the picture is in its place");
    }

    async fn an_answer_goes_where_it_says_or_the_webhook_does(app) {
        let (rob, general) = scene(&app).await;
        let other = app.owner.post("/v1/channels", &json!({"name": "other"})).await.ok(201);
        let third = app.owner.post("/v1/channels", &json!({"name": "third"})).await.ok(201);
        let secret = app.owner.post("/v1/channels", &json!({"name": "secret", "private": true})).await.ok(201);
        let [other, third, secret] = [other, third, secret].map(|made| made["id"].as_str().unwrap().to_owned());
        let far = far().await;
        let id = rob.make(&far, json!({"targetRoom": "#other"})).await;
        far.reply(Reply::Json(json!({"text": "here"})));
        say(&app, &general, "go").await;
        far.reply(Reply::Json(json!({"text": "there", "channel": "#third"})));
        say(&app, &general, "go").await;
        assert_eq!(messages(&app, &other).await[0]["message"], "here");
        assert_eq!(messages(&app, &third).await[0]["message"], "there");
        for channel in ["#secret", "#nowhere", "@nobody"] {
            far.reply(Reply::Json(json!({"text": "no", "channel": channel})));
            say(&app, &general, "go").await;
            assert_eq!(rob.history(&id).await[0]["step"], "after-http-call-send-message-failed", "{channel}");
        }
        assert!(messages(&app, &secret).await.is_empty());
        join(&app, &secret, &rob.user_id).await;
        far.reply(Reply::Json(json!({"text": "yes", "channel": "#secret"})));
        say(&app, &general, "go").await;
        assert_eq!(messages(&app, &secret).await[0]["message"], "yes");
    }

    async fn an_answer_may_be_posted_in_the_name_of_who_spoke(app) {
        let (rob, channel) = scene(&app).await;
        let ada = rocket(&app, "acme", "Ada", Role::Member).await;
        join(&app, &channel, &ada.user_id).await;
        let far = far().await;
        far.reply(Reply::Json(json!({"text": "done"})));
        rob.make(&far, json!({"impersonateUser": true})).await;
        let by = |username: &str| json!({"message": "see", "file": {}, "user": {"username": username}});
        rob.make(&far, json!({"impersonateUser": true, "event": "fileUploaded"})).await;
        for (username, poster) in [("ADA", "Ada"), ("somebody", "rob")] {
            let event = json!({"type": "file.uploaded", "channelId": channel, "data": by(username)});
            app.owner.post("/v1/events", &event).await.ok(202);
            app.drain().await;
            let posted = messages(&app, &channel).await;
            let answer = posted.iter().find(|message| message["message"] == "done" && message["causedBy"].as_array().unwrap().len() == 1);
            assert_eq!(answer.unwrap()["user"]["username"], poster, "{posted:?}");
        }
        say(&app, &channel, "go").await;
        let posted: Vec<Value> = messages(&app, &channel).await;
        assert_eq!(posted[0]["user"]["username"], "olga");
    }

    async fn what_says_nothing_is_not_posted(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let id = rob.make(&far, json!({})).await;
        for reply in [
            Reply::Text(204, String::new()), Reply::Text(200, r#"{"text": "no content type"}"#.into()),
            Reply::Json(json!({"ok": true})), Reply::Json(json!({"text": ""})), Reply::Json(json!(["text"])),
            Reply::Bytes(2_000_000),
        ] {
            far.reply(reply.clone());
            let before = messages(&app, &channel).await.len();
            say(&app, &channel, "go").await;
            assert_eq!(messages(&app, &channel).await.len(), before + 1, "{reply:?}");
            let run = rob.history(&id).await[0].clone();
            assert_eq!((&run["step"], &run["error"]), (&json!("after-http-call"), &json!(false)), "{reply:?}");
        }
    }
}
