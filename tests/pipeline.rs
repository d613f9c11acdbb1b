//! Tests of the path from an accepted event to a message in Slack, and of every failure on it.

use std::time::Duration;

use serde_json::json;
use standin::Options;

use crate::support::{Database, Setup, TestApp, step};

const CHANNEL: &str = "C0ALERTS";

async fn connect(app: &TestApp) {
    app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
}

both! {
    async fn a_step_becomes_a_message(app) {
        connect(&app).await;
        let event = app.step("Ada").await;
        assert_eq!(app.delivery_of(&event).await["state"], "pending");
        app.drain().await;
        let messages = app.slack.messages(CHANNEL).await;
        assert_eq!(messages.len(), 1);
        let shown = messages[0]["blocks"].to_string();
        for expected in ["Form submit", "Ada", "0199c1de-0000-7000-8000-000000000001"] {
            assert!(shown.contains(expected), "{expected} is not in {shown}");
        }
        let delivery = app.delivery_of(&event).await;
        assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("delivered"), &json!(1)));
        let attempt = &delivery["attempts"][0];
        assert_eq!((&attempt["outcome"], &attempt["statusCode"]), (&json!("delivered"), &json!(200)));
        assert!(attempt["answer"].as_str().unwrap().contains("\"ok\":true"), "{attempt}");
        assert!(attempt["request"].as_str().unwrap().contains("Ada"), "{attempt}");
        let link = app.owner.get("/v1/slack-integrations").await.ok(200);
        assert_eq!(link["slackIntegration"]["successCount"], 1);
        assert!(link["slackIntegration"]["lastSentAt"].is_string());
    }

    async fn a_channel_gets_its_messages_in_order(app) {
        connect(&app).await;
        for number in 0..12 {
            app.step(&format!("number {number:02}")).await;
        }
        app.run_for(12).await;
        let order: Vec<bool> = app
            .slack
            .messages(CHANNEL)
            .await
            .iter()
            .enumerate()
            .map(|(number, message)| message["blocks"].to_string().contains(&format!("number {number:02}")))
            .collect();
        assert_eq!(order, [true; 12]);
    }

    async fn a_channel_gets_a_burst_and_then_one_a_second(app) {
        connect(&app).await;
        for number in 0..10 {
            app.step(&number.to_string()).await;
        }
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 5, "the burst");
        app.advance(Duration::from_millis(999));
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 5);
        app.advance(Duration::from_millis(1));
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 6, "one a second after that");
        app.run_for(4).await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 10);
    }

    async fn a_clock_that_is_set_back_holds_up_nothing(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "status": 500, "times": 1})).await;
        for number in 0..11 {
            app.step(&number.to_string()).await;
        }
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 0, "the first waits for its retry");
        app.set_back(Duration::from_secs(3600));
        app.drain().await;
        assert!(app.slack.texts(CHANNEL).await.len() >= 5, "a burst");
        // While the process is down, too.
        app.advance(Duration::from_secs(1));
        app.drain().await;
        app.set_back(Duration::from_secs(3600));
        let restarted = app.worker_of(app.twin().await);
        for _ in 0..10 {
            while restarted.step().await.unwrap().destinations > 0 {}
            app.advance(Duration::from_secs(1));
        }
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 11);
    }

    async fn a_pause_that_slack_asks_for_is_kept_exactly(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "retryAfterSecs": 37, "times": 1})).await;
        let first = app.step("first").await;
        let second = app.step("second").await;
        app.drain().await;
        let delivery = app.delivery_of(&first).await;
        assert_eq!(delivery["state"], "pending");
        assert!(delivery["reason"].as_str().unwrap().contains("37 s"), "{delivery}");
        app.advance(Duration::from_secs(36));
        app.drain().await;
        assert_eq!(app.slack.calls("chat.postMessage").await.len(), 1, "no call during the pause");
        app.advance(Duration::from_secs(1));
        app.drain().await;
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 2);
        assert_eq!(app.delivery_of(&first).await["attemptCount"], 2);
        assert_eq!(app.delivery_of(&second).await["attemptCount"], 1, "the second waited for the first");
    }

    async fn a_slack_that_is_down_delays_and_loses_nothing(app) {
        connect(&app).await;
        for fault in [
            json!({"method": "chat.postMessage", "status": 503}),
            json!({"method": "chat.postMessage", "drop": "before"}),
            json!({"method": "chat.postMessage", "body": "<html>maintenance</html>"}),
            json!({"method": "chat.postMessage", "error": "internal_error"}),
        ] {
            let before = app.slack.messages(CHANNEL).await.len();
            app.slack.fault(fault.clone()).await;
            let event = app.step("patience").await;
            app.run_for(6).await;
            let delivery = app.delivery_of(&event).await;
            assert_eq!(delivery["state"], "pending", "{fault}: {delivery}");
            assert!(delivery["attempts"].as_array().unwrap().len() >= 2, "{fault}: {delivery}");
            app.slack.mend().await;
            app.advance(Duration::from_secs(300));
            app.drain().await;
            assert_eq!(app.delivery_of(&event).await["state"], "delivered", "{fault}");
            assert_eq!(app.slack.messages(CHANNEL).await.len(), before + 1, "{fault}");
        }
    }

    async fn a_delivery_exhausts_its_retries_and_can_be_replayed(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "status": 500})).await;
        let event = app.step("late").await;
        app.drain().await;
        for step in [5, 300, 1800, 7200, 18_000, 36_000, 36_000] {
            assert_eq!(app.delivery_of(&event).await["state"], "pending");
            app.advance(Duration::from_secs(step));
            app.drain().await;
        }
        let delivery = app.delivery_of(&event).await;
        assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("failed"), &json!(8)));
        assert!(delivery["reason"].as_str().unwrap().starts_with("all 8 attempts failed; replay"), "{delivery}");
        let path = format!("/v1/deliveries/{}/replay", delivery["id"].as_str().unwrap());
        let replayed = app.owner.post(&path, &json!({})).await.ok(202);
        assert_eq!(replayed["state"], "pending");
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "pending", "its retry schedule begins anew");
        app.slack.mend().await;
        app.advance(Duration::from_secs(60));
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 1);
    }

    async fn a_channel_that_refuses_opens_the_circuit_and_recovers(app) {
        connect(&app).await;
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        let (first, second) = (app.step("first").await, app.step("second").await);
        app.drain().await;
        for event in [&first, &second] {
            let delivery = app.delivery_of(event).await;
            assert_eq!(delivery["state"], "failed");
            assert!(delivery["reason"].as_str().unwrap().contains("is_archived"), "{delivery}");
        }
        let destinations = app.owner.get("/v1/destinations").await.ok(200);
        let destination = &destinations["data"][0];
        assert_eq!(destination["health"], "failing", "{destinations}");
        let third = app.step("third").await;
        assert_eq!(app.delivery_of(&third).await["state"], "failed", "not tried so soon again");
        let link = app.owner.get("/v1/slack-integrations").await.ok(200);
        assert_eq!(link["slackIntegration"]["status"], "SLACK_INTEGRATION_STATUS_ACTIVE");

        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        app.advance(Duration::from_secs(60));
        let fourth = app.step("fourth").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&fourth).await["state"], "delivered", "it recovers by itself");
        let body = json!({"destinationId": destination["id"]});
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.ok(202)["count"], 3);
        app.run_for(3).await;
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 4);
        assert_eq!(app.deliveries("state=failed").await.len(), 0);
    }

    async fn a_dead_token_disconnects(app) {
        connect(&app).await;
        app.slack.order("uninstall", json!({"team": "T0STANDIN"})).await;
        let (first, second) = (app.step("first").await, app.step("second").await);
        app.drain().await;
        for event in [&first, &second] {
            assert_eq!(app.delivery_of(event).await["state"], "failed");
        }
        let link = app.owner.get("/v1/slack-integrations").await.ok(200);
        assert_eq!(link["slackIntegration"]["status"], "SLACK_INTEGRATION_STATUS_DISCONNECTED");
        let third = app.step("third").await;
        let delivery = app.delivery_of(&third).await;
        assert_eq!(delivery["state"], "failed");
        assert!(delivery["reason"].as_str().unwrap().contains("connect Slack again"), "{delivery}");
        let path = format!("/v1/deliveries/{}/replay", delivery["id"].as_str().unwrap());
        assert_eq!(app.owner.post(&path, &json!({})).await.status, 409);

        connect(&app).await;
        app.owner.post(&path, &json!({})).await.ok(202);
        app.drain().await;
        assert_eq!(app.delivery_of(&third).await["state"], "delivered");
    }

    async fn a_message_that_slack_refuses_does_not_hold_up_the_next(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "error": "invalid_blocks", "times": 1})).await;
        let (bad, good) = (app.step("bad").await, app.step("good").await);
        app.drain().await;
        assert_eq!(app.delivery_of(&bad).await["state"], "failed");
        assert_eq!(app.delivery_of(&good).await["state"], "delivered");
    }

    async fn what_is_not_sent_says_why(app) {
        let nothing = app.step("nobody listens").await;
        assert_eq!(app.deliveries(&format!("eventId={nothing}")).await.len(), 0);
        connect(&app).await;
        for (change, reason) in [
            (json!({"triggers": ["KIND_ENTRY"]}), "trigger filter"),
            (json!({"triggers": [], "linkId": "0199c1de-0000-7000-8000-0000000000ff"}), "link filter"),
            (json!({"linkId": "", "slackChannelId": ""}), "no Slack channel is chosen"),
            (json!({"slackChannelId": CHANNEL, "status": "SLACK_INTEGRATION_STATUS_PAUSED"}), "paused"),
        ] {
            app.owner.patch("/v1/slack-integrations", &change).await.ok(200);
            let event = app.step("kept").await;
            let delivery = app.delivery_of(&event).await;
            assert_eq!(delivery["state"], "skipped", "{change}");
            assert!(delivery["reason"].as_str().unwrap().contains(reason), "{change}: {delivery}");
        }
        app.owner.patch("/v1/slack-integrations", &json!({"status": "SLACK_INTEGRATION_STATUS_ACTIVE"})).await.ok(200);
        let event = app.step("sent").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 1);
    }

    async fn a_pause_ends_what_still_waits(app) {
        connect(&app).await;
        let event = app.step("waiting").await;
        app.owner.patch("/v1/slack-integrations", &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "skipped");
        assert_eq!(app.slack.messages(CHANNEL).await.len(), 0);
    }

    async fn organisations_do_not_wait_for_each_other(app) {
        connect(&app).await;
        let other = app.other("globex").await;
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        app.slack.fault(json!({"method": "chat.postMessage", "team": "T0STANDIN", "status": 500})).await;
        let stuck = app.step("stuck").await;
        other.post("/v1/events", &step("free")).await.ok(202);
        app.drain().await;
        assert_eq!(app.delivery_of(&stuck).await["state"], "pending");
        assert_eq!(app.slack.messages("C1ALERTS").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_rotate_are_renewed_in_time_and_on_demand() {
    let slack = Options { rotation: true, ..Options::default() };
    let app = TestApp::start_with(Database::sqlite(), Setup { slack, ..Setup::default() }).await;
    connect(&app).await;
    let event = app.step("with the first token").await;
    app.drain().await;
    assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 1);

    app.advance(Duration::from_secs(11 * 3600));
    let event = app.step("renewed before its end").await;
    app.drain().await;
    assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 2);

    app.slack.fault(json!({"method": "chat.postMessage", "error": "token_expired", "times": 1})).await;
    let event = app.step("renewed because Slack said so").await;
    app.drain().await;
    assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 3);
}
