//! Tests of Slack's events: accepted once, applied to the connection, and never lost where the database is down.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use standin::Options;

use crate::support::{Client, Database, Deployment, EVENTS, Gate, Sender, Slack, TestApp, step, until};

const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";
const ADA: &str = "U0STANDINADA";
const MAX: &str = "U0STANDINMAX";
const BOT: &str = "U0STANDINBOT";
const LIMIT: Duration = Duration::from_secs(30);

async fn connect(app: &TestApp) {
    app.slack.connect(&app.owner, TEAM, CHANNEL).await;
}

/// Slack as a sender, at the present moment.
fn slack(app: &TestApp) -> Sender {
    Sender::new(&app.anon, app.now().timestamp())
}

/// Returns every event of the caller's organisation, newest first.
async fn events(caller: &Client) -> Vec<Value> {
    caller.get("/v1/events?limit=250").await.ok(200)["data"].as_array().unwrap().clone()
}

/// Returns their types, oldest first.
async fn types(caller: &Client) -> Vec<String> {
    events(caller).await.iter().rev().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// Returns the status of the caller's Slack integration.
async fn status(caller: &Client) -> String {
    let link = caller.get("/v1/slack-integrations").await.ok(200);
    let status = link["slackIntegration"]["status"].as_str().unwrap();
    status.strip_prefix("SLACK_INTEGRATION_STATUS_").unwrap().to_owned()
}

fn opened(user: &str) -> Value {
    json!({"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": "1.2"})
}

fn revoked(people: &[&str], bots: &[&str]) -> Value {
    json!({"type": "tokens_revoked", "tokens": {"oauth": people, "bot": bots}})
}

fn uninstalled() -> Value {
    json!({"type": "app_uninstalled"})
}

both! {
    async fn the_address_is_proved_to_who_signs(app) {
        app.slack.order("app", json!({"eventsUrl": app.anon.url(EVENTS)})).await;
        assert_eq!(app.slack.order("events/verify", json!({})).await, json!({"verified": true}));
        let body = json!({"token": "t", "challenge": "3eZbrw1aB", "type": "url_verification"}).to_string();
        assert_eq!(slack(&app).send(EVENTS, &body).await.ok(200), json!({"challenge": "3eZbrw1aB"}));
        assert_eq!(app.anon.send(slack(&app).request(EVENTS, &body)).await.status, 401);
        assert_eq!(slack(&app).send(EVENTS, r#"{"type":"url_verification"}"#).await.status, 400);
        // Its name alone does not make it one.
        let other = r#"{"type":"something_new","challenge":"c"}"#;
        assert_eq!(slack(&app).send(EVENTS, other).await.text, "");
    }

    async fn what_comes_again_is_kept_once(app) {
        connect(&app).await;
        let renamed = json!({"type": "channel_rename", "channel": {"id": CHANNEL, "name": "x"}, "event_ts": "1.2"});
        let slack = slack(&app);
        let send = || slack.event(TEAM, "Ev1", renamed.clone(), json!({}));
        join_all([send(), send(), send()]).await;
        // Slack's retry headers change nothing, and neither does another time of signing.
        let body = slack.envelope(TEAM, "Ev1", renamed.clone(), json!({})).to_string();
        app.advance(Duration::from_secs(300));
        let later = Sender::new(&app.anon, app.now().timestamp()).signed(EVENTS, &body);
        let retry = later.header("X-Slack-Retry-Num", "1").header("X-Slack-Retry-Reason", "http_timeout");
        assert_eq!(app.anon.send(retry).await.status, 200);
        let kept = events(&app.owner).await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!((&kept[0]["type"], &kept[0]["data"]), (&json!("slack.channel_rename"), &renamed));
        // The first attempt may never have arrived, so a retry is not dropped for being one.
        let body = slack.envelope(TEAM, "Ev2", renamed.clone(), json!({})).to_string();
        let retry = slack.signed(EVENTS, &body).header("X-Slack-Retry-Num", "3");
        assert_eq!(app.anon.send(retry).await.status, 200);
        assert_eq!(events(&app.owner).await.len(), 2);
        let metrics = app.anon.get("/metrics").await.text;
        for line in [r#"tieline_events_total{outcome="accepted"} 2"#, r#"tieline_events_total{outcome="repeated"} 3"#] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
    }

    async fn a_workspace_that_nobody_connected_is_nobodys(app) {
        connect(&app).await;
        let other = app.other("globex").await;
        let kinds = [json!({"type": "channel_created", "channel": {"id": "C9"}}), opened(ADA), uninstalled(), revoked(&[], &[BOT])];
        for (number, event) in kinds.into_iter().enumerate() {
            slack(&app).event("T0NOBODY", &format!("Ev{number}"), event, json!({})).await;
        }
        for caller in [&app.owner, &other] {
            assert_eq!(events(caller).await, [Value::Null; 0]);
        }
        assert_eq!(status(&app.owner).await, "ACTIVE");
        app.slack.connect(&other, "T0SECOND", "C1ALERTS").await;
        slack(&app).event("T0SECOND", "Ev9", json!({"type": "emoji_changed"}), json!({})).await;
        slack(&app).event(TEAM, "Ev9", json!({"type": "team_rename"}), json!({})).await;
        assert_eq!(types(&other).await, ["slack.emoji_changed"]);
        assert_eq!(types(&app.owner).await, ["slack.team_rename"], "an id is remembered for each organisation");
    }

    async fn what_means_nothing_to_us_is_passed_on(app) {
        connect(&app).await;
        let odd = json!({"type": "message.channels", "user": ADA, "text": "\u{0}\u{1b}[31m <!here> \u{202e}", "n": 1.5e300});
        for (event_id, event) in [("Ev1", json!({"type": "channel_archive", "user": ADA})), ("Ev2", odd.clone())] {
            slack(&app).event(TEAM, event_id, event, json!({})).await;
        }
        // An event without a valid type is accepted, so that Slack does not retry, and ignored.
        for (number, kind) in ["a-b", "a..b", ".", "ü", &"x".repeat(130)].into_iter().enumerate() {
            let kind = if kind == "ü" { "u%" } else { kind };
            slack(&app).event(TEAM, &format!("Ev1{number}"), json!({"type": kind}), json!({})).await;
        }
        let kept = events(&app.owner).await;
        assert_eq!(types(&app.owner).await, ["slack.channel_archive", "slack.message.channels"]);
        assert_eq!(kept[0]["data"], odd);
        assert_eq!(app.deliveries("").await.len(), 0);
    }

    async fn what_we_did_ourselves_is_no_news(app) {
        connect(&app).await;
        let ours = Options::default().app_id;
        for (number, event) in [
            json!({"type": "message", "user": BOT, "bot_id": "B0STANDIN", "app_id": ours, "text": "hello"}),
            json!({"type": "message", "user": BOT, "text": "hello"}),
            json!({"type": "message", "subtype": "bot_message", "bot_id": "B0STANDIN", "app_id": ours, "text": "hello"}),
            json!({"type": "message", "bot_id": "B0STANDIN", "bot_profile": {"id": "B0STANDIN", "app_id": ours}}),
            json!({"type": "reaction_added", "user": BOT}),
            opened(BOT),
        ].into_iter().enumerate() {
            slack(&app).event(TEAM, &format!("Ev{number}"), event, json!({})).await;
        }
        assert_eq!(types(&app.owner).await, [""; 0]);
        let another = json!({"type": "message", "user": "U9", "bot_id": "B9", "app_id": "A9", "text": "build failed"});
        slack(&app).event(TEAM, "Ev100", another, json!({})).await;
        assert_eq!(types(&app.owner).await, ["slack.message"], "another app's bot is somebody else");
    }

    async fn whoever_opens_the_app_is_greeted_once(app) {
        connect(&app).await;
        let slack_now = slack(&app);
        let open = |event_id: &'static str, user: &'static str| slack_now.event(TEAM, event_id, opened(user), json!({}));
        join_all([open("Ev1", ADA), open("Ev2", ADA), open("Ev3", MAX), open("Ev4", ADA)]).await;
        open("Ev3", MAX).await;
        open("Ev5", MAX).await;
        assert_eq!(types(&app.owner).await, ["slack.app_home_opened"; 2]);
        assert_eq!(app.slack.calls("chat.postMessage").await.len(), 0, "it goes by a delivery, not by the request");
        let waiting = app.deliveries("state=pending").await;
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        app.drain().await;
        for user in [ADA, MAX] {
            let reported = app.slack.texts(user).await;
            assert_eq!(reported.len(), 1, "{user}: {reported:?}");
            assert!(reported[0].starts_with("Hello! Tieline connects this workspace"), "{reported:?}");
        }
        assert_eq!(app.deliveries("state=delivered").await.len(), 2);

        // Neither a reconnection nor an absence makes a known user new.
        app.advance(Duration::from_secs(60));
        app.set_their_clocks().await;
        connect(&app).await;
        slack(&app).event(TEAM, "Ev6", opened(ADA), json!({})).await;
        app.owner.delete("/v1/slack-integrations").await.ok(200);
        connect(&app).await;
        app.advance(Duration::from_secs(365 * 24 * 3600));
        app.set_their_clocks().await;
        slack(&app).event(TEAM, "Ev7", opened(ADA), json!({})).await;
        app.drain().await;
        assert_eq!(app.slack.texts(ADA).await.len(), 1);
        for nobody in [json!({"type": "app_home_opened"}), opened("")] {
            slack(&app).event(TEAM, "Ev8", nobody, json!({})).await;
        }
        assert_eq!(events(&app.owner).await.len(), 2);
    }

    async fn a_greeting_waits_for_a_slack_that_is_down(app) {
        connect(&app).await;
        app.slack.fault(json!({"method": "chat.postMessage", "status": 503})).await;
        slack(&app).event(TEAM, "Ev1", opened(ADA), json!({})).await;
        app.drain().await;
        let delivery = &app.deliveries("").await[0];
        assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("pending"), &json!(1)), "{delivery}");
        app.slack.mend().await;
        app.run_for(5).await;
        assert_eq!(app.slack.texts(ADA).await.len(), 1);
        // A pause is for notifications: a user who opens the app is answered.
        app.owner.patch("/v1/slack-integrations", &json!({"status": "SLACK_INTEGRATION_STATUS_PAUSED"})).await.ok(200);
        slack(&app).event(TEAM, "Ev2", opened(MAX), json!({})).await;
        app.drain().await;
        assert_eq!(app.slack.texts(MAX).await.len(), 1);
    }

    async fn an_app_that_is_removed_disconnects(app) {
        for order in [[uninstalled(), revoked(&[], &[BOT])], [revoked(&["U1"], &[BOT]), uninstalled()]] {
            connect(&app).await;
            slack(&app).event(TEAM, "Ev0", opened(ADA), json!({})).await;
            app.drain().await;
            let waiting = app.step("waiting").await;
            let reported_before = app.slack.calls("chat.postMessage").await.len();
            for (number, event) in order.iter().enumerate() {
                // Slack retries each until it is accepted.
                for _ in 0..2 {
                    slack(&app).event(TEAM, &format!("Ev{}{number}", app.now().timestamp()), event.clone(), json!({})).await;
                }
                assert_eq!(status(&app.owner).await, "DISCONNECTED", "{event}");
            }
            let ended = app.delivery_of(&waiting).await;
            assert_eq!(ended["state"], "failed");
            assert!(ended["reason"].as_str().unwrap().contains("connect Slack again"), "{ended}");
            let destinations = app.owner.get("/v1/destinations").await.ok(200);
            let first = if order[0] == uninstalled() { "app_uninstalled" } else { "tokens_revoked" };
            for destination in destinations["data"].as_array().unwrap() {
                assert_eq!(destination["health"], "disabled", "{destination}");
                let reason = destination["reason"].as_str().unwrap();
                assert!(reason.contains("connect Slack again") && reason.contains(first), "{reason}");
            }
            assert_eq!(destinations["data"].as_array().unwrap().len(), 2, "the channel, and Ada");
            let after = app.step("afterwards").await;
            assert_eq!(app.delivery_of(&after).await["state"], "failed");
            slack(&app).event(TEAM, "Ev9", json!({"type": "emoji_changed"}), json!({})).await;
            app.drain().await;
            assert_eq!(app.slack.calls("chat.postMessage").await.len(), reported_before, "nothing is sent any more");
            assert!(!types(&app.owner).await.contains(&"slack.emoji_changed".to_owned()));

            app.advance(Duration::from_secs(60));
            app.set_their_clocks().await;
            connect(&app).await;
            let again = app.step("again").await;
            app.drain().await;
            assert_eq!(app.delivery_of(&again).await["state"], "delivered");
        }
    }

    async fn an_app_that_is_removed_at_slack_says_so_itself(app) {
        app.slack.order("app", json!({"eventsUrl": app.anon.url(EVENTS), "retryFactor": 0})).await;
        for _ in 0..4 {
            app.advance(Duration::from_secs(5));
            app.set_their_clocks().await;
            connect(&app).await;
            app.advance(Duration::from_secs(5));
            app.set_their_clocks().await;
            app.slack.order("uninstall", json!({"team": TEAM})).await;
            until("both events are taken", LIMIT, async || {
                let sent = app.slack.sent_events().await;
                let done = sent.iter().all(|event| event["done"] == true && event["delivered"] == true);
                (done && !sent.is_empty()).then_some(())
            }).await;
            assert_eq!(status(&app.owner).await, "DISCONNECTED");
        }
    }

    async fn what_is_said_of_a_former_connection_comes_too_late(app) {
        connect(&app).await;
        let before = app.now().timestamp();
        app.advance(Duration::from_secs(10));
        app.set_their_clocks().await;
        connect(&app).await;
        for (number, event) in [uninstalled(), revoked(&[], &[BOT])].into_iter().enumerate() {
            for seconds in [0, 9] {
                let event_id = format!("Ev{number}{seconds}");
                slack(&app).event(TEAM, &event_id, event.clone(), json!({"event_time": before + seconds})).await;
            }
        }
        assert_eq!(status(&app.owner).await, "ACTIVE");
        let event = app.step("still").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
        slack(&app).event(TEAM, "Ev3", uninstalled(), json!({"event_time": before + 11})).await;
        assert_eq!(status(&app.owner).await, "DISCONNECTED");
    }

    async fn the_end_of_a_persons_token_is_not_ours(app) {
        connect(&app).await;
        let tokens = |tokens: Value| json!({"type": "tokens_revoked", "tokens": tokens});
        for (number, event) in [
            revoked(&[ADA, MAX], &[]),
            revoked(&[BOT], &["U0OTHERBOT"]),
            tokens(json!({"oauth": [ADA]})),
            tokens(json!({"bot": BOT})),
            tokens(json!({"bot": [null, 1, {}]})),
            tokens(Value::Null),
            json!({"type": "tokens_revoked"}),
        ].into_iter().enumerate() {
            slack(&app).event(TEAM, &format!("Ev{number}"), event, json!({})).await;
        }
        assert_eq!((status(&app.owner).await.as_str(), events(&app.owner).await.len()), ("ACTIVE", 0));
    }

    async fn withheld_events_are_noted(app) {
        connect(&app).await;
        for team in [TEAM, "T0NOBODY"] {
            let limited = json!({
                "token": "t", "type": "app_rate_limited", "team_id": team, "minute_rate_limited": 1_518_467_820,
                "api_app_id": "A1",
            });
            let answer = slack(&app).send(EVENTS, &limited.to_string()).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        }
        assert_eq!(events(&app.owner).await.len(), 0);
        assert!(app.anon.get("/metrics").await.text.contains(r#"tieline_events_total{outcome="rate_limited"} 2"#));
    }

    async fn an_enterprise_speaks_for_its_workspaces(app) {
        let granted = json!({
            "ok": true, "access_token": "xoxb-1", "app_id": "A1", "is_enterprise_install": true, "team": null,
            "bot_user_id": "U0CORPBOT", "enterprise": {"id": "E0CORP", "name": "Corp"}, "authed_user": {"id": "U1"},
        });
        app.slack.fault(json!({"method": "oauth.v2.access", "body": granted.to_string(), "times": 1})).await;
        app.slack.install(&app.owner, TEAM).await.ok(200);
        let wide = |team: Value| json!({
            "team_id": team, "enterprise_id": "E0CORP", "is_enterprise_install": true,
            "authorizations": [{
                "enterprise_id": "E0CORP", "team_id": null, "user_id": "U0CORPBOT", "is_bot": true,
                "is_enterprise_install": true,
            }],
        });
        let without = json!({"team_id": null, "enterprise_id": "E0CORP", "is_enterprise_install": true, "authorizations": []});
        let kind = |kind: &str| json!({"type": kind});
        slack(&app).event("", "Ev1", kind("one"), wide(Value::Null)).await;
        slack(&app).event("", "Ev2", kind("two"), wide(json!("T0CORP1"))).await;
        slack(&app).event("", "Ev3", kind("three"), without).await;
        // A workspace of the enterprise, by its own claim.
        let of_one = json!({"enterprise_id": "E0CORP", "authorizations": null});
        slack(&app).event("T0CORP2", "Ev4", kind("four"), of_one).await;
        // Another enterprise, and a workspace that claims to be one.
        let foreign = json!({"team_id": null, "enterprise_id": "E0EVIL", "is_enterprise_install": true, "authorizations": []});
        slack(&app).event("", "Ev5", kind("five"), foreign).await;
        slack(&app).event("E0CORP", "Ev6", kind("six"), json!({"authorizations": [], "is_enterprise_install": true})).await;
        assert_eq!(types(&app.owner).await, ["slack.one", "slack.two", "slack.three", "slack.four"]);
        slack(&app).event("", "Ev7", revoked(&[], &["U0CORPBOT"]), wide(Value::Null)).await;
        assert_eq!(status(&app.owner).await, "DISCONNECTED");
    }

    async fn nonsense_is_refused_and_never_our_fault(app) {
        connect(&app).await;
        let good = slack(&app).envelope(TEAM, "Ev1", json!({"type": "x"}), json!({}));
        let without = |name: &str| {
            let mut envelope = good.clone();
            envelope.as_object_mut().unwrap().remove(name);
            envelope.to_string()
        };
        let with = |name: &str, value: Value| {
            let mut envelope = good.clone();
            envelope[name] = value;
            envelope.to_string()
        };
        for bad in [
            String::new(),
            "{".into(),
            "[]".into(),
            "null".into(),
            "\"x\"".into(),
            "[".repeat(100_000),
            without("type"),
            without("event"),
            without("event_id"),
            without("event_time"),
            with("event", json!("x")),
            with("event", json!({})),
            with("event", json!({"type": 5})),
            with("event_id", json!("a b")),
            with("event_id", json!("\u{0}")),
            with("event_id", json!("x".repeat(256))),
            with("event_time", json!("now")),
            with("event_time", json!(i64::MAX)),
            with("event_time", json!(1.5)),
            with("type", json!(["event_callback"])),
            with("authorizations", json!([{"team_id": 5}])),
            json!({"type": "app_rate_limited"}).to_string(),
        ] {
            let answer = slack(&app).send(EVENTS, &bad).await;
            let shown: String = bad.chars().take(200).collect();
            assert_eq!(answer.status, 400, "{shown}: {}", answer.text);
        }
        for taken in [json!({"type": "something_new"}).to_string(), with("event_time", json!(0)), with("x", json!("\u{0}"))] {
            assert_eq!(slack(&app).send(EVENTS, &taken).await.status, 200, "{taken}");
        }
        assert_eq!(types(&app.owner).await, ["slack.x"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_down_makes_slack_come_again() {
    let Some(mut database) = Database::postgres().await else { return };
    let address = reqwest::Url::parse(&database.url).unwrap();
    let address = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
    let gate = Gate::before(&address).await;
    database.url = database.url.replace(&address, &gate.address.to_string());
    let slack = Slack::start(Options::default()).await;
    let deployment = Deployment::new(database, &slack.base());
    let process = deployment.serve("all").await;
    let token = deployment.connected(&process, "acme", &slack, (TEAM, CHANNEL)).await;
    let (anon, owner) = (process.anon(), process.client(&token));
    // The retries come at once, after 1.2 s, and after 6 s.
    slack.order("app", json!({"eventsUrl": anon.url(EVENTS), "retryFactor": 0.02})).await;
    gate.shut();
    slack.order("events", json!({"team": TEAM, "event": {"type": "emoji_changed"}})).await;
    let failed = until("it was tried while the database was away", LIMIT, async || {
        let sent = slack.sent_events().await;
        sent[0]["attempts"].get(0).cloned()
    })
    .await;
    // A busy machine may take longer over it than Slack waits.
    assert!(failed["status"] == 503 || failed["reason"] == "http_timeout", "{failed}");
    // Requests from others are still refused.
    assert_eq!(anon.send(anon.request(Method::POST, EVENTS).json(&step("x"))).await.status, 401);
    gate.reopen();
    until("it is taken", LIMIT, async || (slack.sent_events().await[0]["delivered"] == true).then_some(())).await;
    assert_eq!(types(&owner).await, ["slack.emoji_changed"]);
}
