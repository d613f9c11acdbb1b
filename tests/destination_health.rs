//! Tests of the retry schedule, of heads that step aside, of the health of destinations, and of operational events.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::{ambient::Time, tenancy::member::Role};

use crate::support::{Answer, Database, MailReply, MailServer, Setup, TestApp, step};

const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";
const OPERATORS: &str = "operators@example.com";
/// The default schedule, in seconds.
const STEPS: [u64; 7] = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];
const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

async fn connect(app: &TestApp) {
    app.slack.connect(&app.owner, TEAM, CHANNEL).await;
}

async fn fault(app: &TestApp, fault: Value) {
    app.slack.mend().await;
    let mut whole = json!({"method": "chat.postMessage"});
    whole.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    app.slack.fault(whole).await;
}

async fn advance(app: &TestApp, by: Duration) {
    app.advance(by);
    app.set_their_clocks().await;
    app.drain().await;
}

/// The Slack destination; there is one.
async fn place(app: &TestApp) -> Value {
    let all = app.owner.get("/v1/destinations").await.ok(200)["data"].clone();
    all.as_array().unwrap().iter().find(|one| one["kind"] == "slack").unwrap().clone()
}

async fn health(app: &TestApp) -> String {
    place(app).await["health"].as_str().unwrap().to_owned()
}

async fn change(app: &TestApp, body: Value) -> Value {
    let path = format!("/v1/destinations/{}", place(app).await["id"].as_str().unwrap());
    app.owner.send(app.owner.request(Method::PATCH, &path).json(&body)).await.ok(200)
}

/// Time until the next attempt of a delivery.
async fn pause(app: &TestApp, event: &str) -> Duration {
    let delivery = app.delivery_of(event).await;
    let next: Time = delivery["nextAttemptAt"].as_str().unwrap_or_else(|| panic!("{delivery}")).parse().unwrap();
    (next - app.now()).to_std().unwrap()
}

/// Moves the clock to the next attempt of a delivery, which is made.
async fn retry(app: &TestApp, event: &str) {
    let pause = pause(app, event).await;
    advance(app, pause).await;
}

/// Names of the events that Slack has in the channel, in their order.
async fn posted(app: &TestApp, names: &[&str]) -> Vec<String> {
    let messages = app.slack.messages(CHANNEL).await;
    let name_in = |message: &Value| names.iter().find(|name| message["blocks"].to_string().contains(**name));
    messages.iter().filter_map(name_in).map(|name| (*name).to_owned()).collect()
}

/// The operational events, oldest first: type, and the value of an attribute.
async fn reported(app: &TestApp) -> Vec<Value> {
    let all = app.owner.get("/v1/events?limit=250").await.ok(200)["data"].clone();
    let mut all = all.as_array().unwrap().clone();
    all.reverse();
    all.retain(|event| event["source"] == "tieline");
    all
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// Starts an app whose operators get every operational event by e-mail.
async fn start(database: Database) -> (TestApp, MailServer) {
    let mail = MailServer::start().await;
    let settings = vec![
        ("TIELINE_EMAIL__SMTP_URL", format!("smtp://{}", mail.address)),
        ("TIELINE_EMAIL__FROM", "Tieline <tieline@example.com>".into()),
        ("TIELINE_EMAIL__RECIPIENT_DOMAINS", "example.com".into()),
    ];
    let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
    connect(&app).await;
    let route = json!({
        "types": ["tieline.*"], "sources": ["tieline"], "destination": {"kind": "email", "address": OPERATORS},
    });
    app.owner.post("/v1/routes", &route).await.ok(201);
    (app, mail)
}

async fn put_json(app: &TestApp, path: &str, body: Value) -> Answer {
    app.owner.send(app.owner.request(Method::PUT, path).json(&body)).await
}

both! {
    async fn all_that_may_pass_follows_one_schedule(app) {
        connect(&app).await;
        for passing in [json!({"status": 500}), json!({"drop": "before"}), json!({"error": "internal_error"})] {
            fault(&app, passing.clone()).await;
            let event = app.step("late").await;
            app.drain().await;
            for (number, step) in (1..).zip(STEPS) {
                let delivery = app.delivery_of(&event).await;
                let found = (&delivery["state"], &delivery["attemptCount"]);
                assert_eq!(found, (&json!("pending"), &json!(number)), "{passing}");
                let pause = pause(&app, &event).await;
                let full = Duration::from_secs(step);
                assert!((full / 2..=full).contains(&pause), "{passing}: {pause:?} after attempt {number}");
                advance(&app, pause - MILLI).await;
                assert_eq!(app.delivery_of(&event).await["attemptCount"], number, "{passing}");
                advance(&app, MILLI).await;
            }
            let delivery = app.delivery_of(&event).await;
            assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("failed"), &json!(8)), "{passing}");
            let reason = delivery["reason"].as_str().unwrap();
            assert!(reason.starts_with("all 8 attempts failed; replay"), "{reason}");
            let last = delivery["attempts"][7]["reason"].as_str().unwrap();
            assert!(reason.ends_with(last) && !last.contains("all 8"), "{last}");
        }
    }

    async fn a_destination_has_a_schedule_of_its_own(app) {
        connect(&app).await;
        assert_eq!(place(&app).await.get("retrySchedule"), None);
        assert_eq!(change(&app, json!({"retrySchedule": [60, 90]})).await["retrySchedule"], json!([60, 90]));
        assert_eq!(change(&app, json!({})).await["retrySchedule"], json!([60, 90]), "absent fields stay");
        fault(&app, json!({"status": 500})).await;
        let event = app.step("late").await;
        app.drain().await;
        for full in [60, 90].map(Duration::from_secs) {
            let pause = pause(&app, &event).await;
            assert!((full / 2..=full).contains(&pause), "{pause:?}");
            advance(&app, pause).await;
        }
        let delivery = app.delivery_of(&event).await;
        assert!(delivery["reason"].as_str().unwrap().starts_with("all 3 attempts failed"), "{delivery}");
        assert_eq!(change(&app, json!({"retrySchedule": null})).await.get("retrySchedule"), None);

        let path = format!("/v1/destinations/{}", place(&app).await["id"].as_str().unwrap());
        for steps in [json!([]), json!([0]), json!([5, 604_801]), json!(vec![1; 21])] {
            let body = json!({"retrySchedule": steps});
            let refused = app.owner.send(app.owner.request(Method::PATCH, &path).json(&body)).await;
            let refused = refused.problem(400, "invalid");
            assert!(refused.to_string().contains("/retrySchedule"), "{refused}");
        }
        let member = app.caller("acme", "max", Role::Member).await;
        assert_eq!(member.send(member.request(Method::PATCH, &path).json(&json!({}))).await.status, 403);
    }

    async fn an_organisation_has_a_schedule_of_its_own(app) {
        connect(&app).await;
        let home = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/organisations/{home}/retry-schedule");
        assert_eq!(app.owner.get(&path).await.ok(200), json!({"retrySchedule": null}));
        let body = json!({"retrySchedule": [70, 80]});
        assert_eq!(put_json(&app, &path, body.clone()).await.ok(200), body);
        assert_eq!(app.owner.get(&path).await.ok(200), body);
        fault(&app, json!({"status": 500})).await;
        let event = app.step("late").await;
        app.drain().await;
        for full in [70, 80].map(Duration::from_secs) {
            let pause = pause(&app, &event).await;
            assert!((full / 2..=full).contains(&pause), "{pause:?}");
            advance(&app, pause).await;
        }
        let delivery = app.delivery_of(&event).await;
        assert!(delivery["reason"].as_str().unwrap().starts_with("all 3 attempts failed"), "{delivery}");
        change(&app, json!({"retrySchedule": [10]})).await;
        let event = app.step("its own").await;
        app.drain().await;
        assert!(pause(&app, &event).await <= Duration::from_secs(10), "a destination's own comes first");
        put_json(&app, &path, json!({"retrySchedule": [0]})).await.problem(400, "invalid");
        assert_eq!(put_json(&app, &path, json!({"retrySchedule": null})).await.ok(200), json!({"retrySchedule": null}));
        app.other("globex").await.get(&path).await.problem(404, "not_found");
    }

    async fn a_head_that_keeps_failing_steps_aside(app) {
        connect(&app).await;
        fault(&app, json!({"error": "internal_error"})).await;
        let (stuck, next) = (app.step("stuck").await, app.step("second").await);
        app.step("third").await;
        app.drain().await;
        let first_attempt = app.now();
        let aside = Duration::from_secs(30 * 60);
        loop {
            let left = aside - (app.now() - first_attempt).to_std().unwrap();
            let pause = pause(&app, &stuck).await;
            if pause >= left {
                advance(&app, left - MILLI).await;
                break;
            }
            advance(&app, pause).await;
        }
        app.slack.mend().await;
        app.drain().await;
        assert_eq!(app.delivery_of(&next).await["attemptCount"], 0, "until then, the order is kept");
        let tried = app.delivery_of(&stuck).await["attemptCount"].clone();
        advance(&app, MILLI).await;
        assert_eq!(posted(&app, &["stuck", "second", "third"]).await, ["second", "third"]);
        app.step("fourth").await;
        app.drain().await;
        let waiting = app.delivery_of(&stuck).await;
        assert_eq!((&waiting["state"], &waiting["attemptCount"]), (&json!("pending"), &tried), "by its own schedule");
        retry(&app, &stuck).await;
        let names = ["stuck", "second", "third", "fourth"];
        assert_eq!(posted(&app, &names).await, ["second", "third", "fourth", "stuck"]);
    }

    async fn many_that_step_aside_are_all_tried_again(app) {
        connect(&app).await;
        change(&app, json!({"retrySchedule": vec![2000; 20]})).await;
        fault(&app, json!({"error": "internal_error"})).await;
        let mut events = Vec::new();
        for number in 0..7 {
            events.push(app.step(&format!("aside-{number}")).await);
        }
        // One after another comes to the head, and fails there.
        for _ in 0..7 {
            app.drain().await;
            advance(&app, Duration::from_secs(1800)).await;
        }
        app.slack.mend().await;
        for _ in 0..10 {
            advance(&app, Duration::from_secs(500)).await;
        }
        for event in events {
            assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        }
    }

    async fn while_the_upstream_is_down_nobody_steps_aside(app) {
        connect(&app).await;
        fault(&app, json!({"status": 503})).await;
        let (first, second) = (app.step("first").await, app.step("second").await);
        app.drain().await;
        for _ in 0..5 {
            retry(&app, &first).await;
        }
        assert_eq!(app.delivery_of(&first).await["attemptCount"], 6);
        assert_eq!(app.delivery_of(&second).await["attemptCount"], 0, "it would fare no better");
        app.slack.mend().await;
        retry(&app, &first).await;
        assert_eq!(posted(&app, &["first", "second"]).await, ["first", "second"]);
    }

    async fn a_run_of_failures_is_failing_until_the_next_success(app) {
        connect(&app).await;
        fault(&app, json!({"status": 500})).await;
        let event = app.step("late").await;
        app.drain().await;
        for _ in 0..3 {
            retry(&app, &event).await;
        }
        let fair = place(&app).await;
        assert_eq!((&fair["health"], &fair["consecutiveFailureCount"]), (&json!("healthy"), &json!(4)));
        retry(&app, &event).await;
        let failing = place(&app).await;
        assert_eq!((&failing["health"], &failing["consecutiveFailureCount"]), (&json!("failing"), &json!(5)));
        assert!(failing["reason"].as_str().unwrap().starts_with("5 attempts in a row failed; the last"), "{failing}");
        assert_eq!(failing["since"].as_str().unwrap().parse::<Time>().unwrap(), app.now());
        let other = app.step("other").await;
        assert_eq!(app.delivery_of(&other).await["state"], "pending", "nothing fails at once");
        app.slack.mend().await;
        retry(&app, &event).await;
        let healthy = place(&app).await;
        assert_eq!((&healthy["health"], &healthy["consecutiveFailureCount"]), (&json!("healthy"), &json!(0)));
        assert_eq!((healthy.get("reason"), healthy.get("since")), (None, None));
        assert_eq!(app.delivery_of(&other).await["state"], "delivered");
    }

    async fn long_failure_disables_until_a_member_enables(app) {
        connect(&app).await;
        change(&app, json!({"retrySchedule": [60, 60, 60, 60, 400_000, 400_000]})).await;
        fault(&app, json!({"status": 500})).await;
        let (event, waiting) = (app.step("late").await, app.step("waiting").await);
        app.drain().await;
        for _ in 0..4 {
            retry(&app, &event).await;
        }
        assert_eq!(health(&app).await, "failing");
        let since = app.now();
        while app.now() < since + chrono::Duration::days(5) {
            assert_eq!(health(&app).await, "failing");
            advance(&app, HOUR * 12).await;
        }
        advance(&app, Duration::from_secs(400_000)).await;
        let disabled = place(&app).await;
        assert_eq!(disabled["health"], "disabled", "{disabled}");
        assert!(disabled["reason"].as_str().unwrap().starts_with("no attempt has succeeded since "), "{disabled}");
        assert_eq!(app.deliveries("state=pending").await.len(), 0);
        let later = app.step("later").await;
        let delivery = app.delivery_of(&later).await;
        assert_eq!((&delivery["state"], &delivery["reason"]), (&json!("failed"), &disabled["reason"]));

        app.slack.mend().await;
        let body = json!({"destinationId": disabled["id"]});
        assert_eq!(app.owner.post("/v1/deliveries/replay", &body).await.status, 409);
        assert_eq!(change(&app, json!({"enabled": true})).await["health"], "healthy");
        app.owner.post("/v1/deliveries/replay", &body).await.ok(202);
        app.run_for(5).await;
        assert_eq!(app.delivery_of(&waiting).await["state"], "delivered");
        let off = change(&app, json!({"enabled": false})).await;
        assert_eq!(off["health"], "disabled");
        assert!(off["reason"].as_str().unwrap().contains("enable it"), "{off}");
    }

    async fn the_types_of_operational_events_are_refused(app) {
        for forged in ["tieline.destination.failing", "tieline.x"] {
            let problem = app.owner.post("/v1/events", &json!({"type": forged})).await.problem(400, "invalid");
            assert!(problem.to_string().contains("/type"), "{problem}");
        }
        app.owner.post("/v1/events", &json!({"type": "tielines.x"})).await.ok(202);
    }
}

both_databases! {
    async fn operational_events_reach_the_destination_of_a_route(database) {
        let (app, mail) = start(database).await;
        // The upstream is down until the schedule is exhausted, and works again.
        change(&app, json!({"retrySchedule": [60, 60, 60, 60]})).await;
        fault(&app, json!({"status": 500})).await;
        let event = app.step("lost").await;
        app.drain().await;
        for _ in 0..4 {
            retry(&app, &event).await;
        }
        app.slack.mend().await;
        app.step("well").await;
        app.drain().await;
        // A message is refused; then the channel, and at last the whole connection.
        fault(&app, json!({"error": "invalid_blocks", "times": 1})).await;
        app.step("refused").await;
        app.drain().await;
        app.slack.order("archive", json!({"channel": CHANNEL})).await;
        app.step("archived").await;
        app.drain().await;
        app.slack.order("unarchive", json!({"channel": CHANNEL})).await;
        advance(&app, Duration::from_secs(60)).await;
        app.slack.order("uninstall", json!({"team": TEAM})).await;
        app.step("dead").await;
        app.drain().await;
        connect(&app).await;
        app.drain().await;

        let expected = [
            "tieline.delivery.exhausted",
            "tieline.destination.failing",
            "tieline.destination.healthy",
            "tieline.delivery.exhausted",
            "tieline.destination.failing",
            "tieline.connection.lost",
            "tieline.destination.disabled",
            "tieline.connection.restored",
        ];
        let events = reported(&app).await;
        assert_eq!(types(&events), expected);
        let subjects: Vec<String> = mail.mailbox.mails().iter().map(|mail| mail.header("Subject").to_owned()).collect();
        assert_eq!(subjects, expected, "each is delivered by the route");
        let (delivery, place) = (app.delivery_of(&event).await, place(&app).await);
        let attributes = &events[0]["attributes"];
        for (name, value) in [
            ("deliveryId", &delivery["id"]),
            ("eventId", &json!(event)),
            ("eventType", &json!("workflow.step.completed")),
            ("attemptCount", &json!("5")),
            ("destinationId", &place["id"]),
            ("destinationKind", &json!("slack")),
            ("destinationName", &place["name"]),
        ] {
            assert_eq!(&attributes[name], value, "{name}: {attributes}");
        }
        assert!(attributes["reason"].as_str().unwrap().starts_with("all 5 attempts failed"), "{attributes}");
        let failing = &events[1]["attributes"];
        assert_eq!(failing["destinationId"], place["id"]);
        assert!(failing["since"].is_string() && failing["reason"].is_string(), "{failing}");
        for index in [5, 7] {
            assert_eq!(events[index]["attributes"]["provider"], "slack", "{}", events[index]);
        }
        assert!(events[5]["attributes"]["reason"].as_str().unwrap().contains("Slack"), "{}", events[5]);
    }

    async fn an_operational_event_makes_no_other(database) {
        let (app, mail) = start(database).await;
        mail.mailbox.reply(MailReply::Refuse("554 5.7.1 no"));
        fault(&app, json!({"error": "invalid_blocks", "times": 1})).await;
        app.step("refused").await;
        app.drain().await;
        let events = reported(&app).await;
        assert_eq!(types(&events), ["tieline.delivery.exhausted"], "of the message");
        let of_the_event = app.delivery_of(events[0]["id"].as_str().unwrap()).await;
        assert_eq!(of_the_event["state"], "failed", "{of_the_event}");
        // The recipient is refused: the circuit opens, and nothing is reported to it.
        mail.mailbox.reply(MailReply::Refuse("550 5.1.1 no such user"));
        fault(&app, json!({"error": "invalid_blocks", "times": 1})).await;
        app.step("refused").await;
        app.drain().await;
        let all = app.owner.get("/v1/destinations").await.ok(200)["data"].clone();
        let email = all.as_array().unwrap().iter().find(|one| one["kind"] == "email").unwrap().clone();
        assert_eq!(email["health"], "failing", "{email}");
        assert_eq!(types(&reported(&app).await), ["tieline.delivery.exhausted"; 2]);
        // An event of the product that fails there is reported, once.
        let route = json!({"types": ["order.*"], "destinationId": email["id"]});
        app.owner.post("/v1/routes", &route).await.ok(201);
        advance(&app, Duration::from_secs(60)).await;
        mail.mailbox.reply(MailReply::Refuse("554 5.7.1 no"));
        app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
        app.drain().await;
        assert_eq!(types(&reported(&app).await), ["tieline.delivery.exhausted"; 3]);
    }

    async fn the_operator_turns_long_failure_off(database) {
        let settings = vec![
            ("TIELINE_DELIVERY__DISABLE_AFTER_DAYS", "0".into()),
            ("TIELINE_DELIVERY__FAILING_AFTER_ATTEMPTS", "1".into()),
            ("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "604800,604800".into()),
        ];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        connect(&app).await;
        fault(&app, json!({"status": 500})).await;
        let event = app.owner.post("/v1/events", &step("late")).await.ok(202)["id"].as_str().unwrap().to_owned();
        app.drain().await;
        assert_eq!(health(&app).await, "failing", "after one attempt");
        retry(&app, &event).await;
        retry(&app, &event).await;
        assert_eq!(app.delivery_of(&event).await["state"], "failed");
        assert_eq!(health(&app).await, "failing");
    }
}
