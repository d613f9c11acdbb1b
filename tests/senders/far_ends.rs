//! Far ends of the kinds of destination.

use std::{sync::Mutex, time::Duration};

use serde_json::{Value, json};

use super::{FarEnd, Fault, Outcome};
use crate::{
    channel_integrations::{channel, published, use_in},
    outgoing_webhooks::{Rocket, message, scene},
    slack_commands,
    support::{Integration, MailReply, MailServer, Mailbox, Reply, TestApp},
};

const TEAM: &str = "T0STANDIN";
const ALERTS: &str = "C0ALERTS";
const PATH_SECRET: &str = "s3cret-of-the-address";
pub const MAIL_PASSWORD: &str = "s3cret-of-the-mail-server";
const RECIPIENT: &str = "alerts@example.com";

/// An app's HTTP server, with what it took while it had no fault.
struct HttpEnd {
    server: Integration,
    state: Mutex<(Vec<String>, usize, bool)>,
}

impl HttpEnd {
    fn new(server: Integration) -> Self {
        server.reply(Reply::Text(202, String::new()));
        Self { server, state: Mutex::new((Vec::new(), 0, true)) }
    }

    fn taken(&self) -> Vec<String> {
        let calls = self.server.calls();
        let mut state = self.state.lock().unwrap();
        let (taken, seen, takes) = &mut *state;
        if *takes {
            taken.extend(calls[*seen..].iter().map(|call| call.body.to_string()));
        }
        *seen = calls.len();
        taken.clone()
    }

    fn behave(&self, fault: Option<Fault>) {
        self.taken();
        self.state.lock().unwrap().2 = fault.is_none();
        self.server.reply(match fault {
            None => Reply::Text(202, String::new()),
            Some(Fault::Silence) => Reply::Late(Duration::from_secs(60), Value::Null),
            Some(Fault::RateLimit) => Reply::Pause(429, 30),
            Some(Fault::ServerError) => Reply::Text(500, format!("no /?token={PATH_SECRET}")),
            Some(Fault::SlowBody) => Reply::Drip,
            Some(Fault::Redirect) => Reply::Redirect(format!("{}/elsewhere", self.server.base())),
            Some(Fault::Gone) => Reply::Text(410, "gone".into()),
        });
    }
}

/// A channel of a Slack workspace.
pub struct Slack(String);

#[async_trait::async_trait]
impl FarEnd for Slack {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        app.slack.connect(&app.owner, TEAM, ALERTS).await;
        Self(app.slack.bot_token(TEAM).await)
    }

    fn kind(&self) -> &'static str {
        "slack"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        app.step(text).await;
    }

    async fn behave(&self, app: &TestApp, fault: Option<Fault>) {
        app.slack.mend().await;
        let Some(fault) = fault else { return };
        let mut effect = match fault {
            Fault::Silence => json!({"hang": "headers"}),
            Fault::RateLimit => json!({"retryAfterSecs": 30}),
            Fault::ServerError => json!({"status": 500, "body": format!("no {}", self.0)}),
            Fault::SlowBody => json!({"hang": "body"}),
            Fault::Redirect => json!({"status": 302}),
            Fault::Gone => json!({"error": "channel_not_found"}),
        };
        effect["method"] = json!("chat.postMessage");
        app.slack.fault(effect).await;
    }

    async fn taken(&self, app: &TestApp) -> Vec<String> {
        app.slack.messages(ALERTS).await.iter().map(Value::to_string).collect()
    }

    fn expects(&self, fault: Fault) -> Option<Outcome> {
        Some(if fault == Fault::Gone { Outcome::Closed("failing") } else { Outcome::Retried })
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.0.clone()]
    }
}

/// A URL of an outgoing webhook.
pub struct Webhook {
    end: HttpEnd,
    channel: String,
}

#[async_trait::async_trait]
impl FarEnd for Webhook {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        let (rob, channel): (Rocket, String) = scene(app).await;
        let end = HttpEnd::new(Integration::start("output", json!([])).await);
        let with = json!({
            "urls": [format!("{}/hook?token={PATH_SECRET}", end.server.base())],
            "retryFailedCalls": true, "retryCount": 5, "retryDelay": "powers-of-two",
        });
        rob.make(&end.server, with).await;
        Self { end, channel }
    }

    fn kind(&self) -> &'static str {
        "outgoing-webhook"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        message(&app.owner, &self.channel, text).await;
    }

    async fn behave(&self, _: &TestApp, fault: Option<Fault>) {
        self.end.behave(fault);
    }

    async fn taken(&self, _: &TestApp) -> Vec<String> {
        self.end.taken()
    }

    fn expects(&self, fault: Fault) -> Option<Outcome> {
        Some(if fault == Fault::Gone { Outcome::Closed("disabled") } else { Outcome::Retried })
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn secrets(&self) -> Vec<String> {
        vec![PATH_SECRET.to_owned(), "t0ken-of-the-far-end".to_owned()]
    }
}

/// An app that is called with the messages of a channel.
pub struct App {
    end: HttpEnd,
    channel: String,
}

#[async_trait::async_trait]
impl FarEnd for App {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        let end = HttpEnd::new(Integration::start("output", json!([])).await);
        let mut descriptor = end.server.descriptor("output", json!([]));
        descriptor["data"]["target_url"] = json!(format!("{}/target?token={PATH_SECRET}", end.server.base()));
        end.server.describe(&descriptor.to_string());
        let channel = channel(app).await;
        use_in(app, &channel, &end.server).await;
        Self { end, channel }
    }

    fn kind(&self) -> &'static str {
        "integration"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        message(&app.owner, &self.channel, text).await;
    }

    async fn behave(&self, _: &TestApp, fault: Option<Fault>) {
        self.end.behave(fault);
    }

    async fn taken(&self, _: &TestApp) -> Vec<String> {
        self.end.taken()
    }

    fn expects(&self, fault: Fault) -> Option<Outcome> {
        Some(match fault {
            Fault::Gone => Outcome::Closed("disabled"),
            // Nobody reads the answer of an output.
            Fault::SlowBody => Outcome::Delivered,
            // Its descriptor is wrong.
            Fault::Redirect => Outcome::Failed,
            Fault::Silence | Fault::RateLimit | Fault::ServerError => Outcome::Retried,
        })
    }

    fn secrets(&self) -> Vec<String> {
        vec![PATH_SECRET.to_owned()]
    }
}

/// A channel of ours: the far end is this service, which has no faults of its own.
pub struct Channel {
    channel: String,
    _modifier: Integration,
}

#[async_trait::async_trait]
impl FarEnd for Channel {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        let channel = channel(app).await;
        let modifier = Integration::start("modifier", json!([])).await;
        modifier.reply(Reply::Change("<{}>".into()));
        use_in(app, &channel, &modifier).await;
        Self { channel, _modifier: modifier }
    }

    fn kind(&self) -> &'static str {
        "channel"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        message(&app.owner, &self.channel, text).await;
    }

    async fn behave(&self, _: &TestApp, _: Option<Fault>) {}

    async fn taken(&self, app: &TestApp) -> Vec<String> {
        published(app, &self.channel).await.into_iter().rev().collect()
    }

    fn expects(&self, _: Fault) -> Option<Outcome> {
        None
    }

    fn recognises(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Runs of workflows: the far end is this service, which has no faults of its own.
pub struct Workflow;

#[async_trait::async_trait]
impl FarEnd for Workflow {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        slack_commands::set_up(app).await;
        Self
    }

    fn kind(&self) -> &'static str {
        "workflow-run"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        slack_commands::run(app, text).await;
    }

    async fn behave(&self, _: &TestApp, _: Option<Fault>) {}

    async fn taken(&self, app: &TestApp) -> Vec<String> {
        let events = slack_commands::events(&app.owner, "workflow.run.requested").await;
        events.iter().rev().map(Value::to_string).collect()
    }

    fn expects(&self, _: Fault) -> Option<Outcome> {
        None
    }

    fn recognises(&self) -> bool {
        true
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An e-mail address, by a route.
pub struct Email(Mailbox);

#[async_trait::async_trait]
impl FarEnd for Email {
    async fn set_up(app: &TestApp, mail: &MailServer) -> Self {
        let route = json!({"types": ["order.*"], "destination": {"kind": "email", "address": RECIPIENT}});
        app.owner.post("/v1/routes", &route).await.ok(201);
        Self(mail.mailbox.clone())
    }

    fn kind(&self) -> &'static str {
        "email"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        app.owner.post("/v1/events", &json!({"type": "order.created", "data": {"name": text}})).await.ok(202);
    }

    async fn behave(&self, _: &TestApp, fault: Option<Fault>) {
        self.0.reply(match fault {
            None => MailReply::Accept,
            Some(Fault::Silence) => MailReply::Silence,
            Some(Fault::RateLimit) => MailReply::Refuse("450 4.7.1 too many messages, slow down"),
            Some(Fault::ServerError) => MailReply::Refuse("451 4.3.0 local error"),
            Some(Fault::SlowBody) => MailReply::Drip,
            Some(Fault::Redirect) => MailReply::Refuse("551 5.1.6 try <elsewhere@example.org>"),
            Some(Fault::Gone) => MailReply::Refuse("550 5.1.1 no such mailbox"),
        });
    }

    async fn taken(&self, _: &TestApp) -> Vec<String> {
        let mails = self.0.mails();
        assert!(mails.iter().all(|mail| mail.to == [RECIPIENT]), "{mails:?}");
        mails.into_iter().map(|mail| mail.source).collect()
    }

    fn expects(&self, fault: Fault) -> Option<Outcome> {
        match fault {
            Fault::Redirect | Fault::Gone => Some(Outcome::Closed("failing")),
            Fault::Silence | Fault::RateLimit | Fault::ServerError | Fault::SlowBody => Some(Outcome::Retried),
        }
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = self.0.credentials();
        secrets.push(MAIL_PASSWORD.to_owned());
        secrets
    }
}

/// A URL to which a route sends.
pub struct Endpoint {
    end: HttpEnd,
    secret: String,
}

#[async_trait::async_trait]
impl FarEnd for Endpoint {
    async fn set_up(app: &TestApp, _: &MailServer) -> Self {
        let end = HttpEnd::new(Integration::start("output", json!([])).await);
        let url = format!("{}/hook?token={PATH_SECRET}", end.server.base());
        let destination = json!({"kind": "webhook", "url": url, "headers": {"x-key": "s3cret-of-a-header"}});
        let route = json!({"types": ["order.*"], "destination": destination});
        let route = app.owner.post("/v1/routes", &route).await.ok(201);
        let path = format!("/v1/destinations/{}/secret", route["destinationId"].as_str().unwrap());
        let secret = app.owner.get(&path).await.ok(200)["secret"].as_str().unwrap().to_owned();
        Self { end, secret }
    }

    fn kind(&self) -> &'static str {
        "webhook"
    }

    async fn send(&self, app: &TestApp, text: &str) {
        app.owner.post("/v1/events", &json!({"type": "order.created", "data": {"name": text}})).await.ok(202);
    }

    async fn behave(&self, _: &TestApp, fault: Option<Fault>) {
        self.end.behave(fault);
    }

    async fn taken(&self, _: &TestApp) -> Vec<String> {
        self.end.taken()
    }

    fn expects(&self, fault: Fault) -> Option<Outcome> {
        Some(match fault {
            Fault::Silence | Fault::RateLimit | Fault::ServerError => Outcome::Retried,
            Fault::SlowBody => Outcome::Delivered,
            Fault::Redirect => Outcome::Failed,
            Fault::Gone => Outcome::Closed("disabled"),
        })
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.secret.clone(), PATH_SECRET.to_owned(), "s3cret-of-a-header".to_owned()]
    }
}
