//! Tests of the history: its contents, and its operations.

use std::time::Duration;

use serde_json::json;
use tieline::{
    app::{kernel::chore::Chore, pipeline::retention::Retention, webhooks::history::HistoryRetention},
    domain::tenancy::member::Role,
    store::pipeline::partitions::Days,
};

use super::{far, messages, rocket, say, scene, texts};
use crate::support::Reply;

both! {
    async fn what_an_address_is_good_for_is_seen_by_those_who_manage_it(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let paths = [
            ("in?secret=canary-one&x=1", "in?secret=[redacted]&x=1"),
            ("api/webhooks/1199999999999999999/canary-two", "api/webhooks/[redacted]"),
            ("hooks/catch/12/canary", "hooks/catch/[redacted]"),
            ("webhook/0199c1de-0000-7000-8000-0000canary00", "webhook/[redacted]"),
        ];
        let urls: Vec<String> = paths.iter().map(|(path, _)| format!("{}/{path}", far.base())).collect();
        let id = rob.make(&far, json!({"urls": urls})).await;
        say(&app, &channel, "hello").await;
        let reader = app.caller("acme", "reader", Role::Member).await;
        let listed = reader.get("/v1/deliveries?limit=250").await;
        let mut reported = vec![listed.text.clone(), reader.get("/v1/destinations?limit=250").await.text];
        for delivery in listed.ok(200)["data"].as_array().unwrap() {
            reported.push(reader.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await.text);
        }
        for mut run in rob.history(&id).await {
            // The webhook itself is shown to its managers.
            run.as_object_mut().unwrap().remove("integration");
            reported.push(run.to_string());
        }
        let reported = reported.concat();
        assert!(!reported.contains("canary"), "{reported}");
        for (_, shown) in paths {
            assert!(reported.contains(&format!("/{shown}")), "{shown}: {reported}");
        }
        assert_eq!(rob.webhook(&id).await["urls"], json!(urls), "its managers see it");
    }

    async fn a_run_is_shown_with_all_that_became_of_it(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        far.reply(Reply::Json(json!({"ok": true, "echo": "t0ken-of-the-far-end", "access_token": "s3cret-of-theirs"})));
        let script = json!({"scriptEnabled": true, "script": "class Script { other() {} }", "triggerWords": ["go"]});
        let id = rob.make(&far, script).await;
        say(&app, &channel, "go on").await;
        let answer = rob.get(&format!("integrations.history?id={id}")).await.ok(200);
        for (key, value) in [("offset", 0), ("items", 1), ("count", 1), ("total", 1)] {
            assert_eq!(answer[key], value);
        }
        let run = answer["history"][0].clone();
        for (key, value) in [
            ("type", json!("outgoing-webhook")), ("step", json!("after-http-call")),
            ("event", json!("sendMessage")), ("triggerWord", json!("go")), ("ranPrepareScript", json!(false)),
            ("finished", json!(false)), ("error", json!(false)), ("url", json!(far.base())),
            ("prepareSentMessage", json!([])), ("processSentMessage", json!([])), ("resultMessage", json!([])),
        ] {
            assert_eq!(run[key], value, "{key}");
        }
        assert_eq!((&run["data"]["text"], &run["data"]["token"]), (&json!("go on"), &json!("[redacted]")));
        assert_eq!(run["httpCallData"]["text"], "go on");
        let result: String = serde_json::from_str(run["httpResult"].as_str().unwrap()).unwrap();
        assert!(result.contains(r#""ok":true"#), "{result}");
        assert_eq!((&run["integration"]["_id"], &run["integration"]["name"]), (&json!(id), &json!("Far")));
        assert!(run["integration"].get("token").is_none() && run["integration"].get("script").is_none());
        assert!(run["_createdAt"].is_string() && run["_updatedAt"].is_string() && run["_id"].is_string());
        let all = answer.to_string() + &app.owner.get("/v1/deliveries").await.text;
        assert!(!all.contains("t0ken") && !all.contains("s3cret-of"), "{all}");
        for delivery in app.deliveries("").await {
            let shown = app.owner.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await.text;
            assert!(!shown.contains("t0ken-of"), "{shown}");
        }
        let fields = rob.get(&format!("integrations.history?id={id}&fields=%7B%22step%22:1%7D")).await.ok(200);
        assert_eq!(fields["history"][0].as_object().unwrap().len(), 2, "{fields}");
    }

    async fn a_history_is_paged_cleared_and_bounded(app) {
        let (rob, channel) = scene(&app).await;
        let (far, other) = (far().await, far().await);
        let retries = json!({"retryFailedCalls": true, "retryCount": 1, "retryDelay": "powers-of-two"});
        let (id, kept) = (rob.make(&far, retries).await, rob.make(&other, json!({})).await);
        for number in 0..7 {
            say(&app, &channel, &number.to_string()).await;
        }
        let page = rob.get(&format!("integrations.history?id={id}&offset=2&count=3")).await.ok(200);
        let texts: Vec<_> = page["history"].as_array().unwrap().iter().map(|run| run["data"]["text"].clone()).collect();
        assert_eq!((texts, &page["total"], &page["count"]), (vec![json!("4"), json!("3"), json!("2")], &json!(7), &json!(3)));
        // The document promises `int64`, and the databases store it.
        for path in [format!("integrations.history?id={id}&"), "integrations.list?".into()] {
            for name in ["offset", "count"] {
                let over = rob.get(&format!("{path}{name}=9223372036854775808")).await.ok(400);
                assert_eq!(over["errorType"], "invalid-params", "{path}{name}: {over}");
                rob.get(&format!("{path}{name}=9223372036854775807")).await.ok(200);
            }
        }

        let histories = HistoryRetention::new(app.app.base.clone(), 5);
        assert_eq!(histories.run(app.now()).await.unwrap(), 4);
        assert_eq!(rob.history(&id).await.len(), 5);
        assert_eq!(rob.history(&id).await[4]["data"]["text"], "2", "the oldest go");
        assert_eq!(histories.run(app.now()).await.unwrap(), 0);

        far.reply(Reply::Text(500, "no".into()));
        say(&app, &channel, "waits").await;
        let clear = json!({"integrationId": id});
        let cleared = rob.post("integrations.clearHistory", &clear).await.ok(200);
        assert_eq!(cleared, json!({"success": true}));
        let left = rob.history(&id).await;
        assert_eq!((left.len(), &left[0]["step"]), (1, &json!("going-to-retry-1")), "unfinished runs stay");
        assert_eq!(rob.history(&kept).await.len(), 6, "and another webhook's");
        app.run_for(3).await;
        rob.post("integrations.clearHistory", &clear).await.ok(200);
        assert!(rob.history(&id).await.is_empty());
        app.advance(Duration::from_secs(3 * 24 * 3600));
        Retention::new(app.app.base.clone(), Days::default(), Duration::from_secs(60)).run(app.now()).await.unwrap();
        assert!(rob.history(&kept).await.is_empty(), "by age, as everything");
    }

    async fn a_run_is_made_once_more(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        far.reply(Reply::Text(500, "no".into()));
        let id = rob.make(&far, json!({})).await;
        say(&app, &channel, "go").await;
        let run = rob.history(&id).await[0].clone();
        assert_eq!(run["step"], "failed-and-not-configured-to-retry");
        far.reply(Reply::Json(json!({"text": "done"})));
        let replay = json!({"integrationId": id, "historyId": run["_id"]});
        assert_eq!(rob.post("integrations.replayOutgoing", &replay).await.ok(200), json!({"success": true}));
        app.drain().await;
        assert_eq!(texts(&far), ["go", "go"]);
        assert_eq!(rob.steps(&id).await, ["failed-and-not-configured-to-retry", "url-response-sent-message"]);
        assert_eq!(messages(&app, &channel).await[0]["message"], "done");
        let [first, second] = [0, 1].map(|call: usize| far.calls()[call].header("webhook-id").to_owned());
        assert_ne!(first, second, "a run of its own");
        assert_eq!(app.deliveries("").await.iter().filter(|one| one["state"] == "failed").count(), 1);

        let unknown = json!({"integrationId": id, "historyId": "0199c1de-0000-7000-8000-00000000dead"});
        let answer = rob.post("integrations.replayOutgoing", &unknown).await.ok(400);
        assert_eq!(answer["errorType"], "error-invalid-integration-history");
        assert_eq!(answer["error"], "Invalid Integration History [error-invalid-integration-history]");
        let another = rob.make(&far, json!({})).await;
        let foreign = json!({"integrationId": another, "historyId": run["_id"]});
        let answer = rob.post("integrations.replayOutgoing", &foreign).await.ok(400);
        assert_eq!(answer["errorType"], "error-invalid-integration-history");
        for bad in [json!({"integrationId": id}), json!({"integrationId": id, "historyId": ""}), json!({"integrationId": id, "historyId": "x", "more": 1})] {
            assert_eq!(rob.post("integrations.replayOutgoing", &bad).await.ok(400)["errorType"], "invalid-params");
        }
    }

    async fn a_history_is_for_those_who_manage_the_webhook(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let id = rob.make(&far, json!({})).await;
        say(&app, &channel, "go").await;
        let run = rob.history(&id).await[0]["_id"].clone();
        let incoming = json!({
            "type": "webhook-incoming", "username": "rob", "channel": "#general", "scriptEnabled": false,
            "name": "In", "enabled": true,
        });
        let made = rob.post("integrations.create", &incoming).await.ok(200);
        let incoming = made["integration"]["_id"].as_str().unwrap().to_owned();
        assert!(rob.history(&incoming).await.is_empty(), "an incoming one has none");
        assert_eq!(rob.get("integrations.history?id=%20").await.ok(400)["error"], "Invalid integration id.");
        assert_eq!(rob.get("integrations.history").await.ok(400)["errorType"], "invalid-params");
        let replay = |id: &str| json!({"integrationId": id, "historyId": run});
        let wrong = rob.post("integrations.replayOutgoing", &replay(&incoming)).await.ok(400);
        assert_eq!(wrong["error"], "integration-type-must-be-outgoing");

        let mia = rocket(&app, "acme", "mia", Role::Member).await;
        assert_eq!(mia.get(&format!("integrations.history?id={id}")).await.status, 403);
        for path in ["integrations.clearHistory", "integrations.replayOutgoing"] {
            let body = if path.ends_with("History") { json!({"integrationId": id}) } else { replay(&id) };
            let refused = mia.post(path, &body).await.ok(400);
            assert_eq!(refused, json!({"success": false, "error": "[not_authorized]", "errorType": "not_authorized"}));
        }
        app.other("globex").await;
        let eve = rocket(&app, "globex", "eve", Role::Admin).await;
        assert!(eve.history(&id).await.is_empty());
        for path in ["integrations.clearHistory", "integrations.replayOutgoing"] {
            let body = if path.ends_with("History") { json!({"integrationId": id}) } else { replay(&id) };
            let refused = eve.post(path, &body).await.ok(400);
            assert_eq!(refused["errorType"], "error-invalid-integration", "{path}");
        }
        assert_eq!(rob.history(&id).await.len(), 1, "nothing happened to it");
        assert_eq!(far.calls().len(), 1);

        let home = app.organisation("acme").await;
        let own = json!({"permissions": ["manage-own-outgoing-integrations"]});
        app.owner.patch(&format!("/v1/organisations/{home}/members/{}", mia.user_id), &own).await.ok(200);
        assert!(mia.history(&id).await.is_empty(), "it is not hers");
        let refused = mia.post("integrations.clearHistory", &json!({"integrationId": id})).await.ok(400);
        assert_eq!(refused["errorType"], "error-invalid-integration");
        let hers = mia.make(&far, json!({"channel": "all_public_channels"})).await;
        say(&app, &channel, "go").await;
        assert_eq!(mia.history(&hers).await.len(), 1);
        mia.post("integrations.clearHistory", &json!({"integrationId": hers})).await.ok(200);
    }
}
