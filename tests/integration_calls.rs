//! Tests of the outcome of an app's answers: gone, rate limited, and recovered.

use std::time::Duration;

use reqwest::{Method, Url};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use tieline::{
    app::{kernel::chore::Chore, pipeline::retention::Retention},
    store::pipeline::partitions::Days,
};
use uuid::Uuid;

use crate::{
    channel_integrations::{channel, id_of, named_channel, put, say, use_in},
    support::{Database, Integration, Reply, TestApp},
};

const ALL: &str = "/organisations/acme/integrations";

/// Returns the state of an app as a destination.
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
        assert_eq!(gone["health"], "disabled", "{gone}");
        let reason = gone["reason"].as_str().unwrap();
        assert!(reason.contains("410") && reason.contains("switch it on again"), "{reason}");
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 2, "pending deliveries end with it: {failed:?}");
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
        let here = format!("/v1/channels/{channel}/apps/{id}");
        for (method, path, idle) in [
            (Method::PATCH, &classic, json!({"name": "another"})),
            (Method::PATCH, &classic, json!({"is_active": false})),
            (Method::PUT, &here, json!({"position": 7})),
            (Method::PUT, &here, json!({"active": false})),
        ] {
            app.owner.send(app.owner.request(method, path).json(&idle)).await.ok(200);
            assert_eq!(health(&app, &id).await, "disabled", "{idle}");
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
            assert_eq!(health(&app, &id).await, "disabled");
            output.reply(Reply::Text(202, String::new()));
        }
    }

    async fn a_modifier_that_is_gone_is_passed_over_and_on_record(app) {
        let channel = channel(&app).await;
        let modifier = Integration::start("modifier", json!([])).await;
        let id = use_in(&app, &channel, &modifier).await;
        modifier.reply(Reply::Text(410, String::new()));
        assert_eq!(say(&app, &channel, "one").await, ["one"]);
        assert_eq!(health(&app, &id).await, "disabled");
        modifier.reply(Reply::Change("<{}>".into()));
        assert_eq!(say(&app, &channel, "two").await[0], "two");
        assert_eq!(modifier.calls().len(), 1, "it is not called");
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed.iter().all(|delivery| delivery["reason"].as_str().unwrap().contains("410")), "{failed:?}");
        put(&app, &format!("/v1/channels/{channel}/apps/{id}"), json!({"active": true})).await;
        assert_eq!(say(&app, &channel, "three").await[0], "<three>");
    }

    async fn one_that_asks_for_a_pause_gets_it(app) {
        let channel = channel(&app).await;
        let output = Integration::start("output", json!([])).await;
        let id = use_in(&app, &channel, &output).await;
        output.reply(Reply::Pause(429, 30));
        say(&app, &channel, "one").await;
        say(&app, &channel, "two").await;
        assert_eq!(output.calls().len(), 1, "the second waits behind the first");
        let waiting = app.deliveries("state=pending").await;
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        assert!(waiting[1]["reason"].as_str().unwrap().contains("30 s"), "{waiting:?}");
        assert_eq!(health(&app, &id).await, "healthy");
        output.reply(Reply::Text(202, String::new()));
        app.advance(Duration::from_secs(29));
        app.drain().await;
        assert_eq!(output.calls().len(), 1);
        app.advance(Duration::from_secs(1));
        app.drain().await;
        let sent: Vec<_> = output.calls().iter().map(|call| call.body["message"].clone()).collect();
        assert_eq!(sent, ["one", "one", "two"]);
        let calls = output.calls();
        assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"), "the same one again");
        assert_ne!(calls[0].header("webhook-timestamp"), calls[1].header("webhook-timestamp"));
    }

    async fn nothing_is_left_of_an_integration_that_is_deleted(app) {
        let (channel, clock, path) = waiting(&app).await;
        let id = id_of(&app, &clock).await;
        let organisation = app.organisation("acme").await.0;
        assert_eq!(left(&app, organisation).await, BEFORE);
        app.owner.delete(&format!("{ALL}/{id}")).await.ok(200);
        assert_eq!(left(&app, organisation).await, [0; 6]);
        assert_eq!(health(&app, &id).await, "disabled");
        let failed = app.deliveries("state=failed").await;
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed.iter().all(|one| one["reason"].as_str().unwrap().contains("deleted")), "{failed:?}");
        nothing_follows(&app, &clock, &path).await;
        let replay = format!("/v1/deliveries/{}/replay", failed[0]["id"].as_str().unwrap());
        app.owner.post(&replay, &json!({})).await.problem(409, "failed_precondition");
        say(&app, &channel, "hello").await;
        nothing_follows(&app, &clock, &path).await;
    }

    async fn nothing_is_left_of_an_organisation_that_is_deleted(app) {
        let (_, clock, path) = waiting(&app).await;
        let organisation = app.organisation("acme").await.0;
        app.delete_organisation("acme").await;
        assert_eq!(left(&app, organisation).await, [0, 0, 0, 0, 2, 0], "the records stay for a while");
        nothing_follows(&app, &clock, &path).await;
        let retention = Retention::new(app.app.base.clone(), Days::default(), Duration::from_secs(30 * 24 * 3600));
        app.advance(Duration::from_secs(29 * 24 * 3600));
        retention.run(app.now()).await.unwrap();
        assert_eq!(left(&app, organisation).await[4], 2);
        app.advance(Duration::from_secs(3 * 24 * 3600));
        retention.run(app.now()).await.unwrap();
        assert_eq!(left(&app, organisation).await, [0; 6], "and go with the others of their age");
    }

    async fn a_key_has_its_own_rate_limit(app) {
        let (here, there) = (channel(&app).await, named_channel(&app, "alerts").await);
        let post = json!({"event_name": "e", "message": "m", "status": "success", "username": "u"});
        let [one, other] = [address(&app, &here).await, address(&app, &there).await];
        let refused = async || {
            // More than any burst.
            for _ in 0..1000 {
                let answer = app.anon.post(&one, &post).await;
                if answer.status != 200 {
                    return answer;
                }
            }
            panic!("there is no limit");
        };
        let answer = refused().await;
        let body = answer.ok(429);
        let reported = (&body["status"], &body["status_code"], &body["message"]);
        assert_eq!(reported, (&json!("error"), &json!(429), &json!("Too many requests.")), "{body}");
        let pause: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&pause), "{pause}");
        app.anon.post(&other, &post).await.ok(200);
        app.advance(Duration::from_secs(pause));
        app.anon.post(&one, &post).await.ok(200);
        // A refused request does not count against the key.
        let swapped = format!("{}?{}", other.split_once('?').unwrap().0, one.split_once('?').unwrap().1);
        let wrong = one.replace("key=", "key=x");
        let reported: Vec<String> = futures_util::future::join_all([&swapped, &wrong].map(|path| app.anon.post(path, &post)))
            .await
            .iter()
            .map(|answer| answer.ok(401).to_string())
            .collect();
        assert_eq!(reported[0], reported[1], "another channel's key is reported like a wrong one");
    }
}

/// Rows that depend on an installed app: installations, settings, keys, ticks, pending deliveries, and credentials.
const BEFORE: [u64; 6] = [2, 3, 1, 1, 2, 1];

/// Installs an app in a channel with everything that it can have: a credential, settings for all and for the channel, a
/// key, a schedule, and two pending calls. Returns the channel, the app, and its return address.
async fn waiting(app: &TestApp) -> (String, Integration, String) {
    let channel = channel(app).await;
    let settings = json!([
        {"label": "interval", "type": "text", "required": true, "default": "* * * * *"},
        {"label": "token", "type": "text", "required": true, "default": "", "secret": true},
    ]);
    let clock = Integration::start("interval", settings).await;
    let id = use_in(app, &channel, &clock).await;
    app.owner.patch(&format!("{ALL}/{id}"), &json!({"auth_credential": "hunter2-hunter2"})).await.ok(200);
    for (path, label) in [
        (format!("{ALL}/{id}/settings"), "token"),
        (format!("{ALL}/{id}/settings"), "colour"),
        (format!("{ALL}/{id}/channels/{channel}/settings"), "token"),
    ] {
        app.owner.post(&path, &json!({"form_field_label": label, "form_field_value": "v"})).await.ok(200);
    }
    app.advance(Duration::from_secs(60));
    app.app.apps.tick(10).await.unwrap();
    app.drain().await;
    let url = Url::parse(clock.calls()[0].body["return_url"].as_str().unwrap()).unwrap();
    clock.reply(Reply::Pause(429, 3600));
    for text in ["one", "two"] {
        say(app, &channel, text).await;
    }
    (channel, clock, format!("{}?{}", url.path(), url.query().unwrap()))
}

/// Counts the rows of each kind in [`BEFORE`].
async fn left(app: &TestApp, organisation: Uuid) -> [u64; 6] {
    let db = app.app.base.store().reader();
    macro_rules! count {
        ($table:ident, $($more:expr),*) => {
            entity::$table::Entity::find()
                .filter(entity::$table::Column::OrganisationId.eq(organisation))
                $(.filter($more))*
                .count(db)
                .await
                .unwrap()
        };
    }
    // Also of a destination that is gone.
    let pending = "SELECT COUNT(*) FROM delivery d WHERE state = 'pending' AND NOT EXISTS \
                   (SELECT 1 FROM delivery_progress p WHERE p.delivery_id = d.id AND p.state <> 'pending') AND NOT EXISTS \
                   (SELECT 1 FROM attempt a WHERE a.delivery_id = d.id AND a.outcome = 'delivered')";
    let pending = db.query_one_raw(Statement::from_string(db.get_database_backend(), pending)).await.unwrap();
    [
        count!(installation,),
        count!(setting,),
        count!(channel_key,),
        count!(tick,),
        u64::try_from(pending.unwrap().try_get_by_index::<i64>(0).unwrap()).unwrap(),
        count!(installation, entity::installation::Column::Credential.is_not_null()),
    ]
}

/// Advances the clock and asserts that an app gets no more calls, and cannot post.
async fn nothing_follows(app: &TestApp, integration: &Integration, return_path: &str) {
    let before = integration.calls().len();
    integration.reply(Reply::Text(202, String::new()));
    app.advance(Duration::from_secs(7200));
    assert_eq!(app.app.apps.tick(10).await.unwrap(), 0);
    app.drain().await;
    assert_eq!(integration.calls().len(), before);
    let post = json!({"event_name": "e", "message": "m", "status": "success", "username": "u"});
    app.anon.post(return_path, &post).await.ok(401);
}

/// Address by which others post into a channel.
async fn address(app: &TestApp, channel: &str) -> String {
    let reported = app.owner.get(&format!("/v1/channels/{channel}/webhook")).await.ok(200);
    let url = Url::parse(reported["webhookUrl"].as_str().unwrap()).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

#[tokio::test]
async fn nobody_waits_long_for_a_descriptor() {
    let app = TestApp::start(Database::sqlite()).await;
    let late = Integration::start("output", json!([])).await;
    let mut document = late.descriptor("output", json!([]));
    document["data"]["is_active"] = json!(false);
    late.describe_by(Reply::Late(Duration::from_secs(4), document));
    let seen = async |id: &str| {
        let listed = app.owner.get(ALL).await.ok(200)["data"].clone();
        listed.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone()
    };
    let new = json!({"name": "mine", "json_url": late.json_url()});
    let began = std::time::Instant::now();
    let made = app.owner.post(ALL, &new).await.ok(201);
    assert!(began.elapsed() < Duration::from_secs(4), "it is answered before the descriptor comes");
    let id = made["data"]["id"].as_str().unwrap();
    let before = seen(id).await;
    assert_eq!((&before["app_name"], &before["is_active"]), (&json!("mine"), &json!(true)), "kept without it");
    app.app.base.settle().await;
    let after = seen(id).await;
    assert_eq!((&after["app_name"], &after["is_active"]), (&json!("A output"), &json!(false)), "taken when it came");

    // A descriptor that could not be read is read with the next change.
    late.describe_by(Reply::Text(500, String::new()));
    let made = app.owner.post(ALL, &new).await.ok(201);
    let id = made["data"]["id"].as_str().unwrap();
    late.describe_by(Reply::Json(late.descriptor("output", json!([]))));
    assert_eq!(seen(id).await["app_name"], "mine");
    app.owner.patch(&format!("{ALL}/{id}"), &json!({"name": "ours"})).await.ok(200);
    assert_eq!(seen(id).await["app_name"], "A output");
}

#[tokio::test]
async fn a_long_descriptor_is_read_to_its_end() {
    let app = TestApp::start(Database::sqlite()).await;
    let wordy = Integration::start("output", json!([])).await;
    let mut document = wordy.descriptor("output", json!([]));
    let mut lint = async |bytes: usize| {
        document["data"]["descriptions"]["app_description"] = json!("x".repeat(bytes));
        wordy.describe_by(Reply::Json(document.clone()));
        app.owner.post("/v1/apps/lint", &json!({"url": wordy.json_url()})).await
    };
    lint(200_000).await.ok(200);
    let refused = lint(300_000).await.problem(400, "invalid").to_string();
    assert!(refused.contains("to its end"), "{refused}");
}
