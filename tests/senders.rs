//! Conformance of the senders: each kind of destination behaves alike where its far end fails, keeps its order, hides
//! its secrets, and is sent to again by a replay.
//!
//! A kind joins by one [`FarEnd`]. Not here: the contents of its messages, which its own tests have.

mod far_ends;

use std::time::Duration;

use serde_json::{Value, json};

use self::far_ends::{App, Channel, Email, Endpoint, Slack, Webhook, Workflow};
use crate::support::{Database, MailServer, Setup, TestApp};

/// Behaviour of a far end that does not take what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It takes the connection and says nothing.
    Silence,
    /// It asks for a pause, in its way.
    RateLimit,
    /// It answers with an error of its own.
    ServerError,
    /// It begins an answer, and never ends it.
    SlowBody,
    /// It points to another address.
    Redirect,
    /// It says that the address is gone.
    Gone,
}

const FAULTS: [Fault; 6] =
    [Fault::Silence, Fault::RateLimit, Fault::ServerError, Fault::SlowBody, Fault::Redirect, Fault::Gone];

/// Outcome of the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is tried again by itself.
    Retried,
    /// It has failed.
    Failed,
    /// It has failed, and the destination has this health.
    Closed(&'static str),
    /// It counts as delivered: the status is the answer.
    Delivered,
}

/// Far end of a kind of destination, with the way of an event to it.
#[async_trait::async_trait]
trait FarEnd: Send + Sync {
    /// Sets it up.
    async fn set_up(app: &TestApp, mail: &MailServer) -> Self
    where
        Self: Sized;

    /// Kind of the destination.
    fn kind(&self) -> &'static str;

    /// Sends an event that leads to one delivery there.
    async fn send(&self, app: &TestApp, text: &str);

    /// Sets its behaviour from now on.
    async fn behave(&self, app: &TestApp, fault: Option<Fault>);

    /// Returns what it has taken, oldest first. Each contains the text of its event.
    async fn taken(&self, app: &TestApp) -> Vec<String>;

    /// Returns the outcome of an attempt, or nothing where it cannot behave so.
    fn expects(&self, fault: Fault) -> Option<Outcome>;

    /// True if deliveries leave in their order.
    fn keeps_order(&self) -> bool {
        true
    }

    /// True if it recognises what it has taken before, so that a replay of that has no effect.
    fn recognises(&self) -> bool {
        false
    }

    /// Secrets that it is called with, or that its address contains.
    fn secrets(&self) -> Vec<String>;
}

/// Starts an app whose upstreams have little time, and which sends e-mail by `mail`.
async fn start(database: Database, mail: &MailServer) -> TestApp {
    let settings = vec![
        ("TIELINE_EMAIL__SMTP_URL", format!("smtp://tieline:{}@{}", far_ends::MAIL_PASSWORD, mail.address)),
        ("TIELINE_EMAIL__FROM", "Tieline <tieline@example.com>".into()),
        ("TIELINE_EMAIL__RECIPIENT_DOMAINS", "example.com".into()),
        ("TIELINE_EMAIL__TIMEOUT_MS", "1000".into()),
        ("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "1000".into()),
        ("TIELINE_EGRESS__CONNECT_TIMEOUT_MS", "500".into()),
        ("TIELINE_EGRESS__TOTAL_TIMEOUT_MS", "1000".into()),
    ];
    TestApp::start_with(database, Setup { settings, ..Setup::default() }).await
}

/// The destination of a kind; there is one.
async fn destination(app: &TestApp, kind: &str) -> Value {
    let all = app.owner.get("/v1/destinations").await.ok(200)["data"].clone();
    let found: Vec<&Value> = all.as_array().unwrap().iter().filter(|one| one["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}: {all}");
    found[0].clone()
}

/// The deliveries to the destination of a kind, newest first.
async fn deliveries(app: &TestApp, kind: &str) -> Vec<Value> {
    let id = destination(app, kind).await["id"].as_str().unwrap().to_owned();
    app.deliveries(&format!("destinationId={id}")).await
}

/// The last delivery to the destination of a kind, with its attempts.
async fn last(app: &TestApp, kind: &str) -> Value {
    let id = deliveries(app, kind).await[0]["id"].as_str().unwrap().to_owned();
    app.owner.get(&format!("/v1/deliveries/{id}")).await.ok(200)
}

/// Moves the clock until nothing is pending, or the retry schedule would be used up.
async fn come_to_rest(app: &TestApp, kind: &str) {
    for _ in 0..20 {
        app.drain().await;
        if deliveries(app, kind).await.iter().all(|delivery| delivery["state"] != "pending") {
            return;
        }
        app.advance(Duration::from_secs(600));
        app.set_their_clocks().await;
    }
    panic!("{:?}", deliveries(app, kind).await);
}

async fn replay(app: &TestApp, delivery: &Value) {
    let path = format!("/v1/deliveries/{}/replay", delivery["id"].as_str().unwrap());
    app.owner.post(&path, &json!({})).await.ok(202);
    app.drain().await;
}

#[track_caller]
fn has(taken: &[String], texts: &[&str]) {
    assert_eq!(taken.len(), texts.len(), "{texts:?}: {taken:?}");
    for (one, text) in taken.iter().zip(texts) {
        assert!(one.contains(text), "{text}: {one}");
    }
}

async fn what_it_takes_is_delivered_once(far: &dyn FarEnd, app: &TestApp) {
    far.send(app, "alpha").await;
    come_to_rest(app, far.kind()).await;
    has(&far.taken(app).await, &["alpha"]);
    let delivery = last(app, far.kind()).await;
    assert_eq!(
        (&delivery["state"], delivery["attempts"].as_array().unwrap().len()),
        (&json!("delivered"), 1),
        "{delivery}"
    );
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["outcome"], "delivered", "{attempt}");
    assert!(attempt["request"].as_str().is_some_and(|request| request.contains("alpha")), "{attempt}");
    assert_eq!(destination(app, far.kind()).await["health"], "healthy");
}

async fn faults_lead_to_the_same_outcomes(far: &dyn FarEnd, app: &TestApp) {
    for fault in FAULTS {
        let Some(expected) = far.expects(fault) else { continue };
        let before = far.taken(app).await.len();
        far.behave(app, Some(fault)).await;
        let text = format!("{fault:?}");
        far.send(app, &text).await;
        app.drain().await;
        let delivery = last(app, far.kind()).await;
        let delivered = expected == Outcome::Delivered;
        assert_eq!(delivery["reason"].is_null(), delivered, "{fault:?}: {delivery}");
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1, "{fault:?}: {delivery}");
        let place = destination(app, far.kind()).await;
        let found = match (delivery["state"].as_str().unwrap(), place["health"].as_str().unwrap()) {
            ("pending", "healthy") => Outcome::Retried,
            ("failed", "healthy") => Outcome::Failed,
            ("failed", "failing") => Outcome::Closed("failing"),
            ("failed", "disabled") => Outcome::Closed("disabled"),
            ("delivered", "healthy") => Outcome::Delivered,
            other => panic!("{fault:?}: {other:?}"),
        };
        assert_eq!(found, expected, "{fault:?}: {delivery}");
        assert_eq!(far.taken(app).await.len(), before, "{fault:?}");
        far.behave(app, None).await;
        match expected {
            Outcome::Delivered => continue,
            Outcome::Retried => come_to_rest(app, far.kind()).await,
            Outcome::Closed("disabled") => return,
            Outcome::Failed | Outcome::Closed(_) => replay(app, &delivery).await,
        }
        let delivery = last(app, far.kind()).await;
        assert_eq!(delivery["state"], "delivered", "{fault:?}: {delivery}");
        let taken = far.taken(app).await;
        assert_eq!(taken.len(), before + 1, "{fault:?}: {taken:?}");
        assert!(taken[before].contains(&text), "{fault:?}: {taken:?}");
        assert_eq!(destination(app, far.kind()).await["health"], "healthy", "{fault:?}");
    }
}

async fn order_is_kept_where_it_is_promised(far: &dyn FarEnd, app: &TestApp) {
    let before = far.taken(app).await.len();
    if far.expects(Fault::ServerError).is_some() {
        far.behave(app, Some(Fault::ServerError)).await;
        far.send(app, "first").await;
        app.drain().await;
        far.behave(app, None).await;
    } else {
        far.send(app, "first").await;
    }
    far.send(app, "second").await;
    app.drain().await;
    if !far.keeps_order() {
        has(&far.taken(app).await[before..], &["second"]);
    }
    come_to_rest(app, far.kind()).await;
    let texts = if far.keeps_order() { ["first", "second"] } else { ["second", "first"] };
    has(&far.taken(app).await[before..], &texts);
}

async fn a_replay_is_sent_again(far: &dyn FarEnd, app: &TestApp) {
    far.send(app, "omega").await;
    come_to_rest(app, far.kind()).await;
    let before = far.taken(app).await.len();
    replay(app, &last(app, far.kind()).await).await;
    let delivery = last(app, far.kind()).await;
    assert_eq!(
        (&delivery["state"], delivery["attempts"].as_array().unwrap().len()),
        (&json!("delivered"), 2),
        "{delivery}"
    );
    let taken = far.taken(app).await;
    assert_eq!(taken.len(), before + usize::from(!far.recognises()), "{taken:?}");
    assert!(taken.last().unwrap().contains("omega"), "{taken:?}");
}

async fn no_secret_is_shown(far: &dyn FarEnd, app: &TestApp) {
    let mut shown = destination(app, far.kind()).await.to_string();
    for delivery in deliveries(app, far.kind()).await {
        let path = format!("/v1/deliveries/{}", delivery["id"].as_str().unwrap());
        shown.push_str(&app.owner.get(&path).await.ok(200).to_string());
    }
    for secret in far.secrets() {
        assert!(!secret.is_empty() && !shown.contains(&secret), "{}: {secret} is shown", far.kind());
    }
}

async fn conforms<F: FarEnd>(database: Database) {
    let mail = MailServer::start().await;
    let app = start(database, &mail).await;
    let far = F::set_up(&app, &mail).await;
    what_it_takes_is_delivered_once(&far, &app).await;
    order_is_kept_where_it_is_promised(&far, &app).await;
    a_replay_is_sent_again(&far, &app).await;
    faults_lead_to_the_same_outcomes(&far, &app).await;
    no_secret_is_shown(&far, &app).await;
}

both_databases! {
    async fn slack(database) {
        conforms::<Slack>(database).await;
    }

    async fn endpoint(database) {
        conforms::<Endpoint>(database).await;
    }

    async fn webhook(database) {
        conforms::<Webhook>(database).await;
    }

    async fn app(database) {
        conforms::<App>(database).await;
    }

    async fn channel(database) {
        conforms::<Channel>(database).await;
    }

    async fn workflow(database) {
        conforms::<Workflow>(database).await;
    }

    async fn email(database) {
        conforms::<Email>(database).await;
    }
}
