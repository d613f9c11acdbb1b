//! What an integration's answer means for what comes after it: gone, too fast, and back again.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    channel_integrations::{channel, put, say, use_in},
    support::{Integration, Reply, TestApp},
};

const ALL: &str = "/organisations/acme/integrations";

/// What is known of an integration as a destination.
async fn destination(app: &TestApp, integration: &str) -> Value {
    let all = app.owner.get("/v1/destinations").await.ok(200)["data"].clone();
    let found = all.as_array().unwrap().iter().find(|one| one["name"] == integration);
    found.unwrap_or_else(|| panic!("{integration} is not in {all}")).clone()
}

async fn health(app: &TestApp, integration: &str) -> String {
    destination(app, integration).await["health"].as_str().unwrap().to_owned()
}

both! {
    async fn one_that_is_gone_is_switched_off_until_somebody_switches_it_on(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let id = use_in(&app, &channel, &output).await;
        // The first does not get through, so the second waits behind it.
        output.reply(Reply::Text(500, "try again".into()));
        for text in ["one", "two"] {
            say(&app, &channel, text).await;
        }
        output.reply(Reply::Text(410, "gone".into()));
        app.advance(Duration::from_secs(60));
        app.drain().await;
        let gone = destination(&app, &id).await;
        assert_eq!(gone["health"], "off", "{gone}");
        let reason = gone["reason"].as_str().unwrap();
        assert!(reason.contains("410") && reason.contains("switch it on again"), "{reason}");
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 2, "what waited ends with it: {failed:?}");
        assert!(failed.iter().all(|delivery| delivery["reason"] == reason), "{failed:?}");
        let calls = output.calls().len();

        output.reply(Reply::Text(202, String::new()));
        app.advance(Duration::from_secs(600));
        say(&app, &channel, "three").await;
        assert_eq!(output.calls().len(), calls, "it is not probed");
        assert_eq!(app.deliveries("state=failed").await[0]["reason"], reason);
        let replay = format!("/v1/deliveries/{}/replay", failed[0]["id"].as_str().unwrap());
        app.owner.post(&replay, &json!({})).await.problem(409, "failed_precondition");

        let classic = format!("{ALL}/{id}");
        let custom = format!("{ALL}/custom/{id}");
        let here = format!("/v1/channels/{channel}/integrations/{id}");
        for (method, path, idle) in [
            (Method::PATCH, &classic, json!({"name": "another"})),
            (Method::PATCH, &classic, json!({"is_active": false})),
            (Method::PUT, &here, json!({"position": 7})),
            (Method::PUT, &here, json!({"active": false})),
        ] {
            app.owner.send(app.owner.request(method, path).json(&idle)).await.ok(200);
            assert_eq!(health(&app, &id).await, "off", "{idle}");
        }
        for (method, path, mends) in [
            (Method::PATCH, &classic, json!({"is_active": true})),
            (Method::PUT, &here, json!({"active": true})),
            (Method::PATCH, &classic, json!({"json_url": output.json_url()})),
            (Method::PUT, &custom, json!({"json_url": output.json_url()})),
        ] {
            app.owner.send(app.owner.request(method, path).json(&mends)).await.ok(200);
            assert_eq!(health(&app, &id).await, "healthy", "{mends}");
            let before = output.calls().len();
            say(&app, &channel, "again").await;
            if path == &classic && mends.get("is_active").is_some() {
                assert_eq!(output.calls().len(), before, "still switched off in the channel");
                put(&app, &here, json!({"active": true})).await;
                say(&app, &channel, "again").await;
            }
            assert_eq!(output.calls().len(), before + 1, "{mends}");
            output.reply(Reply::Text(410, String::new()));
            say(&app, &channel, "gone again").await;
            assert_eq!(health(&app, &id).await, "off");
            output.reply(Reply::Text(202, String::new()));
        }
    }

    async fn a_modifier_that_is_gone_is_passed_over_and_on_record(app) {
        let channel = channel(&app).await;
        let modifier = Integration::start("modifier", json!([])).await;
        let id = use_in(&app, &channel, &modifier).await;
        modifier.reply(Reply::Text(410, String::new()));
        assert_eq!(say(&app, &channel, "one").await, ["one"]);
        assert_eq!(health(&app, &id).await, "off");
        modifier.reply(Reply::Change("<{}>".into()));
        assert_eq!(say(&app, &channel, "two").await[0], "two");
        assert_eq!(modifier.calls().len(), 1, "it is not called");
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed.iter().all(|delivery| delivery["reason"].as_str().unwrap().contains("410")), "{failed:?}");
        put(&app, &format!("/v1/channels/{channel}/integrations/{id}"), json!({"active": true})).await;
        assert_eq!(say(&app, &channel, "three").await[0], "<three>");
    }
}
