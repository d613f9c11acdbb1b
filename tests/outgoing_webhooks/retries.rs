//! Tests of retries after a failed call.

use std::time::Duration;

use serde_json::{Value, json};

use super::{far, last, say, scene, texts, wanted};
use crate::support::{Database, Integration, Reply, Setup, TestApp};

async fn strict() -> TestApp {
    let settings = vec![("TIELINE_WEBHOOKS__STRICT_RETRIES", "true".to_owned())];
    TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await
}

/// Moves the clock to just before a moment, and to it; returns the number of calls each time.
async fn around(app: &TestApp, far: &Integration, millis: u64) -> [usize; 2] {
    app.advance(Duration::from_millis(millis - 1));
    app.drain().await;
    let before = far.calls().len();
    app.advance(Duration::from_millis(1));
    app.drain().await;
    [before, far.calls().len()]
}

both! {
    async fn a_call_that_fails_is_made_again_by_the_rule(app) {
        let (rob, channel) = scene(&app).await;
        for (rule, pauses) in [
            ("powers-of-ten", [100, 1_000, 10_000]),
            ("powers-of-two", [2_000, 4_000, 8_000]),
            ("increments-of-two", [2_000, 4_000, 6_000]),
        ] {
            let far = far().await;
            far.reply(Reply::Text(502, "no".into()));
            let retries = json!({"retryFailedCalls": true, "retryCount": 3, "retryDelay": rule});
            let id = rob.make(&far, retries).await;
            say(&app, &channel, "go").await;
            for (made, pause) in pauses.into_iter().enumerate() {
                assert_eq!(around(&app, &far, pause).await, [made + 1, made + 2], "{rule}");
            }
            app.advance(Duration::from_secs(3600));
            app.drain().await;
            assert_eq!(far.calls().len(), 4);
            let steps = ["going-to-retry-1", "going-to-retry-2", "going-to-retry-3", "too-many-retries"];
            assert_eq!(rob.steps(&id).await, steps);
            let ids: Vec<_> = far.calls().iter().map(|call| call.header("webhook-id").to_owned()).collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "the same one each time");
            rob.post("integrations.remove", &json!({"type": "webhook-outgoing", "integrationId": id})).await.ok(200);
        }
    }

    async fn a_pause_holds_up_nobody_and_outlives_the_worker(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let id = rob.make(&far, json!({"retryFailedCalls": true, "retryCount": 2, "retryDelay": "powers-of-two"})).await;
        far.reply(Reply::Text(503, String::new()));
        say(&app, &channel, "first").await;
        far.reply(Reply::Text(202, String::new()));
        say(&app, &channel, "second").await;
        assert_eq!(texts(&far), ["first", "second"]);
        // Another process, on the same database.
        let other = app.twin().await;
        let deliverer = app.worker_of(other);
        app.advance(Duration::from_millis(1_999));
        assert_eq!(deliverer.step().await.unwrap().destinations, 0);
        app.advance(Duration::from_millis(1));
        deliverer.step().await.unwrap();
        assert_eq!(texts(&far), ["first", "second", "first"]);
        assert_eq!(rob.steps(&id).await, ["going-to-retry-1", "after-http-call", "after-http-call"]);
        assert!(app.deliveries("state=pending").await.is_empty());
    }

    async fn who_is_gone_is_switched_off(app) {
        let (rob, channel) = scene(&app).await;
        let far = far().await;
        let retries = json!({"retryFailedCalls": true, "retryCount": 5, "retryDelay": "powers-of-two"});
        let id = rob.make(&far, retries).await;
        far.reply(Reply::Text(502, String::new()));
        say(&app, &channel, "waits").await;
        far.reply(Reply::Text(410, "gone".into()));
        say(&app, &channel, "go").await;
        assert_eq!(rob.webhook(&id).await["enabled"], false);
        assert_eq!(rob.history(&id).await[0]["step"], "after-process-http-status-410");
        assert!(app.deliveries("state=pending").await.is_empty(), "pending deliveries ended");
        let all = app.owner.get("/v1/destinations").await.ok(200)["data"].clone();
        let gone = all.as_array().unwrap().iter().find(|one| one["kind"] == "outgoing-webhook").unwrap().clone();
        assert_eq!(gone["health"], "disabled", "{gone}");
        far.reply(Reply::Text(202, String::new()));
        let calls = far.calls().len();
        say(&app, &channel, "hello?").await;
        assert_eq!(far.calls().len(), calls);
        let change = wanted(&[far.base()], json!({"integrationId": id}));
        rob.call(reqwest::Method::PUT, "integrations.update", Some(&change)).await.ok(200);
        say(&app, &channel, "hello!").await;
        assert_eq!(last(&far).body["text"], "hello!");
    }

    async fn a_change_ends_what_waits(app) {
        let (rob, channel) = scene(&app).await;
        let retries = json!({"retryFailedCalls": true, "retryCount": 5, "retryDelay": "powers-of-two"});
        for end in ["disable", "move", "remove"] {
            let far = far().await;
            far.reply(Reply::Text(500, "no".into()));
            let id = rob.make(&far, retries.clone()).await;
            say(&app, &channel, "go").await;
            assert_eq!(app.deliveries("state=pending").await.len(), 1);
            let mut change = wanted(&[far.base()], json!({"integrationId": id}));
            match end {
                "disable" => change["enabled"] = false.into(),
                _ => change["urls"] = json!(["http://127.0.0.1:9/elsewhere"]),
            }
            if end == "remove" {
                let which = json!({"type": "webhook-outgoing", "integrationId": id});
                rob.post("integrations.remove", &which).await.ok(200);
            } else {
                rob.call(reqwest::Method::PUT, "integrations.update", Some(&change)).await.ok(200);
            }
            app.run_for(5).await;
            assert_eq!(far.calls().len(), 1, "{end}");
            assert!(app.deliveries("state=pending").await.is_empty(), "{end}");
            let which = json!({"type": "webhook-outgoing", "integrationId": id});
            rob.post("integrations.remove", &which).await;
        }
    }

    async fn what_cannot_be_called_says_why(app) {
        let (rob, channel) = scene(&app).await;
        let closed = {
            let far = far().await;
            far.base().to_owned()
        };
        let made = rob.post("integrations.create", &wanted(&[&closed], json!({"retryFailedCalls": true, "retryCount": 1, "retryDelay": "soon"}))).await.ok(200);
        let id = made["integration"]["_id"].as_str().unwrap().to_owned();
        say(&app, &channel, "go").await;
        let run = rob.history(&id).await[0].clone();
        assert_eq!(run["step"], "failed-and-retry-delay-is-invalid");
        assert!(run["errorStack"].as_str().unwrap().contains("soon"), "{run}");
        assert!(run["httpError"]["message"].as_str().unwrap().contains("no connection"), "{run}");
        assert_eq!(run["error"], true);
        let inside = rob.post("integrations.create", &wanted(&["http://169.254.169.254/latest"], json!({}))).await;
        assert_eq!(inside.status, 400);
        assert_eq!(inside.ok(400)["errorType"], "error-invalid-urls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_longer_retry_after_is_honoured() {
    let app = TestApp::start(Database::sqlite()).await;
    let (rob, channel) = scene(&app).await;
    let far = far().await;
    far.reply(Reply::Pause(429, 30));
    rob.make(&far, json!({"retryFailedCalls": true, "retryCount": 1, "retryDelay": "powers-of-ten"})).await;
    say(&app, &channel, "go").await;
    assert_eq!(around(&app, &far, 30_000).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_strict_mode_it_is_as_in_the_product() {
    let app = strict().await;
    let (rob, channel) = scene(&app).await;
    let retries = json!({"retryFailedCalls": true, "retryCount": 2, "retryDelay": "powers-of-ten"});
    for (reply, step) in [
        (Reply::Text(500, "no".into()), "after-process-http-status-500"),
        (Reply::Text(500, String::new()), "going-to-retry-1"),
        (Reply::Text(204, String::new()), "going-to-retry-1"),
        (Reply::Text(200, String::new()), "going-to-retry-1"),
        (Reply::Text(203, "x".into()), "going-to-retry-1"),
        (Reply::Text(201, "x".into()), "after-http-call"),
        (Reply::Text(410, String::new()), "going-to-retry-1"),
        (Reply::Text(410, "x".into()), "after-process-http-status-410"),
    ] {
        let far = far().await;
        far.reply(reply.clone());
        let id = rob.make(&far, retries.clone()).await;
        say(&app, &channel, "go").await;
        assert_eq!(rob.steps(&id).await, [step], "{reply:?}");
        rob.post("integrations.remove", &json!({"type": "webhook-outgoing", "integrationId": id})).await.ok(200);
    }
    let closed = far().await.base().to_owned();
    let made = rob.post("integrations.create", &wanted(&[&closed], retries)).await.ok(200);
    say(&app, &channel, "go").await;
    app.run_for(3).await;
    let runs: Vec<Value> = rob.history(made["integration"]["_id"].as_str().unwrap()).await;
    assert_eq!((runs.len(), &runs[0]["step"]), (1, &json!("after-http-call")));
}
