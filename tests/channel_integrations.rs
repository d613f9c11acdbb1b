//! Tests of app calls: the modifiers of a message in its channel, and the outputs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Integration, Reply, TestApp};

/// Installs an app and uses it in a channel; returns its id.
pub async fn use_in(app: &TestApp, channel: &str, integration: &Integration) -> String {
    let body = json!({"json_url": integration.json_url()});
    app.owner.post("/organisations/acme/integrations/custom", &body).await.ok(201);
    let listed = app.owner.get("/organisations/acme/integrations/custom").await.ok(200);
    let all = listed["data"].as_array().unwrap().clone();
    let id =
        all.iter().find(|one| one["json_url"] == integration.json_url()).unwrap()["id"].as_str().unwrap().to_owned();
    put(app, &format!("/v1/channels/{channel}/apps/{id}"), json!({})).await;
    id
}

pub async fn id_of(app: &TestApp, integration: &Integration) -> String {
    find_id(app, integration).await.unwrap()
}

pub async fn find_id(app: &TestApp, integration: &Integration) -> Option<String> {
    let listed = app.owner.get("/organisations/acme/integrations/custom").await.ok(200);
    let all = listed["data"].as_array().unwrap().clone();
    let found = all.iter().find(|one| one["json_url"] == integration.json_url())?;
    Some(found["id"].as_str().unwrap().to_owned())
}

pub async fn put(app: &TestApp, path: &str, body: Value) -> Value {
    app.owner.send(app.owner.request(reqwest::Method::PUT, path).json(&body)).await.ok(200)
}

pub async fn channel(app: &TestApp) -> String {
    named_channel(app, "support").await
}

pub async fn named_channel(app: &TestApp, name: &str) -> String {
    let made = app.owner.post("/v1/channels", &json!({"name": name})).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

/// Posts a message, runs the worker until nothing is due, and returns the published texts, newest first.
pub async fn say(app: &TestApp, channel: &str, text: &str) -> Vec<String> {
    let event = json!({"type": "message.posted", "channelId": channel, "data": {"message": text}});
    app.owner.post("/v1/events", &event).await.ok(202);
    app.drain().await;
    published(app, channel).await
}

pub async fn published(app: &TestApp, channel: &str) -> Vec<String> {
    let events = app.owner.get(&format!("/v1/channels/{channel}/messages")).await.ok(200);
    let events = events["data"].as_array().unwrap().clone();
    let published = events.iter().filter(|event| event["type"] == "message.published");
    published.map(|event| event["data"]["message"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn a_message_goes_through_the_modifiers_and_out(app) {
        let channel = channel(&app).await;
        let (first, second) = (Integration::start("modifier", json!([])).await, Integration::start("modifier", json!([])).await);
        let output = Integration::start("output", json!([])).await;
        first.reply(Reply::Change("<{}>".into()));
        second.reply(Reply::Change("{}!".into()));
        for integration in [&first, &second, &output] {
            use_in(&app, &channel, integration).await;
        }
        assert_eq!(say(&app, &channel, "hello").await, ["<hello>!"]);
        let sent = output.calls();
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].path.as_str(), &sent[0].body["message"]), ("/target", &json!("<hello>!")));
        assert_eq!(sent[0].body["channel_id"], channel);
        assert!(sent[0].header("webhook-signature").starts_with("v1,") && sent[0].header("webhook-id").starts_with("msg_"));
        let deliveries = app.deliveries("").await;
        let states: Vec<_> = deliveries.iter().map(|delivery| delivery["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["delivered"; 4], "two modifiers, the channel, and the output: {deliveries:?}");
    }

    async fn one_that_fails_costs_its_own_contribution(app) {
        let channel = channel(&app).await;
        let (bad, good) = (Integration::start("modifier", json!([])).await, Integration::start("modifier", json!([])).await);
        good.reply(Reply::Change("{}!".into()));
        use_in(&app, &channel, &bad).await;
        use_in(&app, &channel, &good).await;
        for (number, reply) in [
            Reply::Text(500, "no".into()),
            Reply::Text(200, "not json".into()),
            Reply::Json(json!({"message": 5})),
            Reply::Redirect(format!("{}/elsewhere", good.base())),
            Reply::Bytes(10 << 20),
            Reply::Late(Duration::from_secs(3), json!({"message": "late"})),
        ]
        .into_iter()
        .enumerate()
        {
            bad.reply(reply.clone());
            let text = format!("hello {number}");
            assert_eq!(say(&app, &channel, &text).await[0], format!("{text}!"), "{reply:?}");
        }
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 6);
        assert!(failed.iter().all(|delivery| delivery["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    }

    async fn a_call_that_ended_a_message_is_on_record(app) {
        let channel = channel(&app).await;
        let filter = Integration::start("filter", json!([])).await;
        filter.reply(Reply::Json(json!({"drop": true})));
        use_in(&app, &channel, &filter).await;
        assert!(say(&app, &channel, "hello").await.is_empty());
        let deliveries = app.deliveries("").await;
        let states: Vec<_> = deliveries.iter().map(|delivery| delivery["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["delivered"; 2], "the filter and the channel: {deliveries:?}");
    }

    async fn many_tick_at_once_each_by_its_own_schedule(app) {
        let (first, second) = (channel(&app).await, named_channel(&app, "alerts").await);
        let settings = json!([{"label": "interval", "type": "text", "required": true, "default": "* * * * *"}]);
        let (often, seldom) = (Integration::start("interval", settings.clone()).await, Integration::start("interval", settings).await);
        use_in(&app, &first, &often).await;
        use_in(&app, &second, &often).await;
        let id = use_in(&app, &first, &seldom).await;
        let path = format!("/organisations/acme/integrations/{id}/channels/{first}/settings");
        let hourly = json!({"form_field_label": "interval", "form_field_value": "0 * * * *"});
        app.owner.post(&path, &hourly).await.ok(200);
        app.advance(Duration::from_secs(3600));
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 3);
        app.advance(Duration::from_secs(60));
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 2, "the hourly one rests");
        app.drain().await;
        assert_eq!((often.calls().len(), seldom.calls().len()), (4, 1));
        put(&app, &format!("/v1/channels/{second}/apps/{}", id_of(&app, &often).await), json!({"active": false})).await;
        app.advance(Duration::from_secs(60));
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 1, "switched off in one channel, it ticks in the other");
    }

    async fn nobody_gets_back_what_they_posted(app) {
        let channel = channel(&app).await;
        let settings = json!([{"label": "interval", "type": "text", "required": true, "default": "* * * * *"}]);
        let clock = Integration::start("interval", settings).await;
        let output = Integration::start("output", json!([])).await;
        use_in(&app, &channel, &clock).await;
        use_in(&app, &channel, &output).await;
        app.advance(Duration::from_secs(60));
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 1);
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 0, "a tick comes once");
        app.drain().await;
        let tick = clock.calls().pop().unwrap();
        assert_eq!(tick.path, "/tick");
        let return_url = tick.body["return_url"].as_str().unwrap().to_owned();
        let path = return_url.split_once("8080").map_or(return_url.as_str(), |(_, path)| path).to_owned();
        let post = json!({"event_name": "report", "message": "all is well", "status": "success", "username": "clock"});
        assert!(app.anon.post(&path, &post).await.status.is_success());
        app.drain().await;
        assert_eq!(published(&app, &channel).await, ["all is well"]);
        assert_eq!(output.calls().len(), 1);
        assert!(clock.calls().iter().all(|call| call.path == "/tick"), "its own posts are not sent to it");
        let wrong = path.replace("key=", "key=x");
        assert_eq!(app.anon.post(&wrong, &post).await.status.as_u16(), 401);
        app.advance(Duration::from_secs(3600));
        assert_eq!(app.app.apps.tick(10).await.unwrap(), 1, "an hour that was missed is made up for once");
    }

    async fn settings_reach_the_integration_and_secrets_no_record(app) {
        let channel = channel(&app).await;
        let settings = json!([
            {"label": "words", "type": "text", "required": true, "default": "none"},
            {"label": "token", "type": "text", "required": true, "default": "", "secret": true},
        ]);
        let output = Integration::start("output", settings).await;
        let id = use_in(&app, &channel, &output).await;
        let of_all = format!("/organisations/acme/integrations/{id}/settings");
        let of_channel = format!("/organisations/acme/integrations/{id}/channels/{channel}/settings");
        for (path, label, value) in
            [(&of_all, "words", "for all"), (&of_all, "token", "hush-hush"), (&of_channel, "words", "for this channel")]
        {
            app.owner.post(path, &json!({"form_field_label": label, "form_field_value": value})).await.ok(200);
        }
        say(&app, &channel, "hello").await;
        let sent = output.calls().pop().unwrap();
        assert_eq!(sent.body["settings"][0]["default"], "for this channel");
        assert_eq!(sent.body["settings"][1]["default"], "hush-hush");
        for delivery in app.deliveries("").await {
            let detail = app.owner.get(&format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap())).await;
            assert!(!detail.text.contains("hush"), "{}", detail.text);
        }
    }

    async fn calls_carry_what_the_product_sends(app) {
        let channel = channel(&app).await;
        let (modifier, output) = (Integration::start("modifier", json!([])).await, Integration::start("output", json!([])).await);
        modifier.reply(Reply::Change("{}!".into()));
        let mut agent = output.descriptor("output", json!([]));
        agent["data"]["bot"] = json!(true);
        output.describe(&agent.to_string());
        let ids = [use_in(&app, &channel, &modifier).await, use_in(&app, &channel, &output).await];
        let label = json!({"form_field_label": "undeclared", "form_field_value": 1});
        app.owner.post(&format!("/organisations/acme/integrations/{}/settings", ids[0]), &label).await.ok(200);
        let event = json!({"type": "message.posted", "channelId": channel, "data": {"message": "hello", "threadId": "t-1"}});
        app.owner.post("/v1/events", &event).await.ok(202);
        app.drain().await;
        let setting = json!({"label": "undeclared", "type": "text", "required": false, "default": 1});
        let organisation = app.organisation("acme").await.to_string();
        let expected = |message: &str, settings| {
            json!({"channel_id": channel, "org_id": organisation, "message": message, "settings": settings,
                "thread_id": "t-1", "user_type": "user"})
        };
        assert_eq!(modifier.calls()[0].body, expected("hello", json!([setting])), "the examples demand all of it");
        let mut to_agent = expected("hello!", json!([]));
        to_agent["is_dm"] = json!(false);
        assert_eq!(output.calls()[0].body, to_agent);
        let posted = json!({"message": "from outside", "integrationId": ids[1]});
        let event = json!({"type": "message.posted", "channelId": channel, "data": posted});
        app.owner.post("/v1/events", &event).await.ok(202);
        app.drain().await;
        assert_eq!(modifier.calls()[1].body["user_type"], "bot");
    }

    async fn an_agent_may_listen_to_mentions_alone(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let mut agent = output.descriptor("output", json!([]));
        agent["data"]["bot"] = json!(true);
        agent["data"]["bot_profile"] = json!({"name": "Uptimer"});
        agent["data"]["listening_mode"] = json!(["mentions"]);
        output.describe(&agent.to_string());
        use_in(&app, &channel, &output).await;
        for text in ["hello", "<p>@Uptimer are you there?</p>", "uptimer?", "@A output, too"] {
            say(&app, &channel, text).await;
        }
        let heard: Vec<_> = output.calls().iter().map(|call| call.body["message"].clone()).collect();
        assert_eq!(heard, ["<p>@Uptimer are you there?</p>", "@A output, too"]);
    }
}
