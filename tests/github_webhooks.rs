//! Tests of GitHub's webhooks: authentication, acceptance, the resulting events of each organisation, and the state of
//! installations.

use aws_lc_rs::hmac;
use futures_util::future::join_all;
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};
use standin::Options;

use crate::support::{Answer, Client, Database, Setup, TestApp, sabotage, subscription};

mod fan_out;
mod installations;
mod sizes;

const PATH: &str = "/v1/github/events";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The example that GitHub publishes, by a secret that is not ours.
const PUBLISHED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// A delivery of ours, to be modified before it is sent.
struct Webhook {
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
}

impl Webhook {
    fn new(event: &str, id: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let signature = signature(&Options::default().github_webhook_secret, &body);
        Self {
            headers: vec![
                ("content-type", JSON.into()),
                ("x-github-event", event.into()),
                ("x-github-delivery", id.into()),
                ("x-hub-signature-256", signature.into()),
            ],
            body,
        }
    }

    /// Replaces a header, or removes it.
    fn with(mut self, name: &'static str, value: Option<&[u8]>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.extend(value.map(|value| (name, value.to_vec())));
        self
    }

    /// Adds a header once more.
    fn and(mut self, name: &'static str, value: &[u8]) -> Self {
        self.headers.push((name, value.to_vec()));
        self
    }

    async fn send(&self, app: &TestApp) -> Answer {
        let mut request = app.anon.request(Method::POST, PATH).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        app.anon.send(request).await
    }
}

/// GitHub's signature over a body.
fn signature(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// A delivery id, distinguished by its number.
fn guid(number: u64) -> String {
    format!("72d3162e-cc78-11e3-81ab-{number:012x}")
}

fn acknowledgement(events: u64, repeated: u64, ignored: bool) -> Value {
    json!({"events": events, "repeated": repeated, "ignored": ignored})
}

/// Asserts that a delivery became no event, and returns the reason.
#[track_caller]
fn no_event(mut answer: Value, ignored: bool) -> String {
    let reason = answer.as_object_mut().unwrap().remove("reason").expect("a reason");
    assert_eq!(answer, acknowledgement(0, 0, ignored), "{reason}");
    reason.as_str().unwrap().to_owned()
}

/// Returns the events of the caller's organisation, newest first.
async fn events(caller: &Client) -> Vec<Value> {
    caller.get("/v1/events?limit=250").await.ok(200)["data"].as_array().unwrap().clone()
}

fn star(installation: i64) -> String {
    json!({
        "action": "created", "installation": {"id": installation}, "sender": {"login": "ada", "type": "User"},
        "repository": {"id": 1, "full_name": "acme/web", "private": false},
    })
    .to_string()
}

both! {
    async fn only_what_github_signed_is_believed(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let body = star(installation);
        let good = signature(&Options::default().github_webhook_secret, body.as_bytes());
        let hex = good.strip_prefix("sha256=").unwrap();
        let hook = || Webhook::new("star", &guid(1), body.clone());
        let bad: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("no digits", b"sha256=".to_vec()),
            ("no prefix", hex.into()),
            ("upper-case digits", format!("sha256={}", hex.to_uppercase()).into()),
            ("upper-case prefix", format!("SHA256={hex}").into()),
            ("another prefix", format!("sha1={hex}").into()),
            ("the older header's", b"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59".to_vec()),
            ("cut", good[..good.len() - 1].into()),
            ("half", good[..39].into()),
            ("longer", format!("{good}00").into()),
            ("doubled", format!("sha256={hex}{hex}").into()),
            ("two in one", format!("{good},{good}").into()),
            ("by another secret", signature("another", body.as_bytes()).into()),
            ("by none", signature("", body.as_bytes()).into()),
            ("of another body", signature(&Options::default().github_webhook_secret, b"{}").into()),
            ("published, of another secret", PUBLISHED.into()),
            ("not ASCII", [b"sha256=".as_slice(), "ü".repeat(32).as_bytes()].concat()),
            ("not even UTF-8", b"sha256=\xff\xfe".to_vec()),
        ];
        for (what, value) in bad {
            let answer = hook().with("x-hub-signature-256", Some(&value)).send(&app).await;
            assert_eq!(answer.status.as_u16(), 401, "{what}: {}", answer.text);
            answer.problem(401, "signature_invalid");
        }
        hook().with("x-hub-signature-256", None).send(&app).await.problem(401, "signature_invalid");
        hook().and("x-hub-signature-256", good.as_bytes()).send(&app).await.problem(401, "signature_invalid");
        for at in [0, body.len() / 2, body.len() - 1] {
            let mut hook = hook();
            hook.body[at] ^= 1;
            hook.send(&app).await.problem(401, "signature_invalid");
        }
        let nameless = hook().with("x-github-event", None).with("x-hub-signature-256", Some(b"sha256=0"));
        nameless.send(&app).await.problem(401, "signature_invalid");
        assert_eq!(events(&app.owner).await.len(), 0);
        assert_eq!(hook().send(&app).await.ok(202), acknowledgement(1, 0, false));
    }

    async fn json_and_forms_are_taken(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let title = "100 % & more + \u{1f680} =?";
        let order = |number: u64| json!({
            "event": "issues", "installation": installation, "repository": "web", "number": number, "title": title,
        });
        assert_eq!(app.github.send(order(1)).await["status"], 202);
        app.github.order("app", json!({"webhookContentType": "form"})).await;
        let sent = app.github.send(order(2)).await;
        assert_eq!((&sent["status"], &sent["body"]), (&json!(202), &json!(acknowledgement(1, 0, false).to_string())));
        let found = events(&app.owner).await;
        let titles: Vec<_> = found.iter().map(|event| (&event["type"], &event["data"]["issue"]["title"])).collect();
        assert_eq!(titles, [(&json!("github.issues"), &json!(title)); 2]);

        let body = star(installation);
        let hook = |media: &str, body: &str| {
            Webhook::new("star", &guid(9), body).with("content-type", Some(media.as_bytes()))
        };
        for (media, text, status) in [
            ("application/json; charset=utf-8", body.as_str(), 202),
            ("text/plain", &body, 415),
            ("multipart/form-data; boundary=x", &body, 415),
            ("application/json; charset=latin1", &body, 415),
            (FORM, &body, 400),
            (FORM, "payload=%7B%7D&payload=%7B%7D", 400),
            (FORM, "Payload=%7B%7D", 400),
            (FORM, "payload=", 400),
            (FORM, "payload=%7B%7D&other=1", 202),
            (JSON, "payload=%7B%7D", 400),
        ] {
            let answer = hook(media, text).send(&app).await;
            assert_eq!(answer.status.as_u16(), status, "{media} {text}: {}", answer.text);
        }
        let none = hook(JSON, &body).with("content-type", None).send(&app).await;
        none.problem(415, "unsupported_media_type");
        for encoding in [b"gzip".as_slice(), b"br", b"identity, gzip"] {
            let compressed = hook(JSON, &body).with("content-encoding", Some(encoding)).send(&app).await;
            compressed.problem(415, "unsupported_media_type");
        }
    }

    async fn every_signed_body_is_answered_and_nothing_breaks(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let hook = |event: &str, body: &[u8]| Webhook::new(event, &guid(1), body);
        for (what, body) in [
            ("nothing", &b""[..]),
            ("no JSON", b"{"),
            ("not UTF-8", b"{\"zen\": \"\xff\"}"),
            ("half a pair", b"{\"zen\": \"\\ud800\"}"),
            ("more than one", b"{} {}"),
            ("deep", &[b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
            ("deep objects", &[b"{\"a\":".repeat(100_000), b"1".to_vec(), b"}".repeat(100_000)].concat()),
        ] {
            let answer = hook("push", body).send(&app).await;
            let problem = answer.problem(400, "invalid");
            assert!(problem["detail"].as_str().unwrap().len() < 300, "{what}: {problem}");
        }
        for body in [
            "[]", "null", "1", "\"x\"", "{}", "[{\"installation\": {\"id\": 1}}]", r#"{"installation": null}"#,
            r#"{"installation": []}"#, r#"{"installation": {}}"#, r#"{"installation": {"id": null}}"#,
            r#"{"installation": {"id": 1.5}}"#, r#"{"installation": {"id": -1}}"#,
            r#"{"installation": {"id": 18446744073709551615}}"#, r#"{"installation": {"id": 9223372036854775807}}"#,
            &format!(r#"{{"installation": {{"id": "{installation}"}}}}"#),
            &format!(r#"{{"installation": {installation}}}"#),
        ] {
            for event in ["push", "ping", "installation", "installation_repositories", "installation_target"] {
                no_event(hook(event, body.as_bytes()).send(&app).await.ok(202), true);
            }
        }
        // Too little data about an installation changes nothing, and is not an event either.
        let little = json!({"action": "deleted", "installation": {"id": installation}}).to_string();
        for event in ["installation", "installation_repositories", "installation_target"] {
            let reason = no_event(hook(event, little.as_bytes()).send(&app).await.ok(202), true);
            assert_eq!(reason, "the installation cannot be read", "{event}");
        }
        assert_eq!(events(&app.owner).await.len(), 0);

        // Unknown names and actions are stored, also without a repository.
        let mut number = 10;
        for (event, body) in [
            ("quantum_entanglement", json!({"action": "observed", "installation": {"id": installation}})),
            ("push", json!({"action": 7, "installation": {"id": installation}, "repository": "web"})),
            ("pull_request", json!({"action": "<x>", "installation": {"id": installation}, "repository": {"id": "1"}})),
            ("issues", json!({"installation": {"id": installation}, "repository": {"id": 1, "full_name": ""}})),
            ("issues", json!({"installation": {"id": installation}, "text": "a\u{0}b", "n": 1e300})),
        ] {
            number += 1;
            let hook = Webhook::new(event, &guid(number), body.to_string());
            assert_eq!(hook.send(&app).await.ok(202), acknowledgement(1, 0, false), "{event} {body}");
            let found = &events(&app.owner).await[0];
            assert_eq!((&found["type"], &found["data"]), (&json!(format!("github.{event}")), &body));
        }
        let (open, close) = ("[".repeat(120), "]".repeat(120));
        let deepest = format!(r#"{{"installation": {{"id": {installation}}}, "x": {open}1{close}}}"#);
        assert_eq!(Webhook::new("push", &guid(30), deepest).send(&app).await.ok(202), acknowledgement(1, 0, false));
        events(&app.owner).await;
    }

    async fn headers_are_needed_and_checked(app) {
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let hook = || Webhook::new("star", &guid(1), star(installation));
        let long = [b'a'; 101];
        for (name, about) in [("x-github-event", "X-GitHub-Event"), ("x-github-delivery", "X-GitHub-Delivery")] {
            for value in [None, Some(&b""[..]), Some(b"a b"), Some(b"a/../b"), Some(b"st\xc3\xa4r"), Some(&long)] {
                let problem = hook().with(name, value).send(&app).await.problem(400, "invalid");
                assert_eq!(problem["errors"][0]["pointer"], about, "{value:?}: {problem}");
            }
        }
        assert_eq!(events(&app.owner).await.len(), 0);
        let ping = json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "App"}});
        let ping = Webhook::new("ping", &guid(2), ping.to_string()).send(&app).await;
        assert!(no_event(ping.ok(202), true).starts_with("a ping"));
        assert_eq!(app.github.send(json!({"event": "ping"})).await["status"], 202);
        assert_eq!(app.github.send(json!({"event": "github_app_authorization"})).await["status"], 202);
        assert_eq!(events(&app.owner).await.len(), 0);
    }

    async fn a_delivery_is_taken_once(app) {
        let other = app.other("globex").await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        assert_eq!(app.github.link(&other, "globex", "acme").await, installation);
        let hook = || Webhook::new("star", &guid(0xabc), star(installation));
        let acknowledgements = join_all((0..50).map(|_| async { hook().send(&app).await.ok(202) })).await;
        let sum = |name: &str| acknowledgements.iter().map(|acknowledgement| acknowledgement[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("events"), sum("repeated")), (2, 98));
        for caller in [&app.owner, &other] {
            assert_eq!(events(caller).await.len(), 1);
        }
        // A GUID is the same in capitals.
        let shouted = guid(0xabc).to_uppercase();
        let again = hook().with("x-github-delivery", Some(shouted.as_bytes())).send(&app).await;
        assert_eq!(again.ok(202), acknowledgement(0, 2, false));
        // GitHub allows redeliveries for three days.
        app.advance(std::time::Duration::from_secs(4 * 24 * 3600));
        assert_eq!(hook().send(&app).await.ok(202), acknowledgement(0, 2, false));
        assert_eq!(Webhook::new("star", &guid(2), star(installation)).send(&app).await.ok(202), acknowledgement(2, 0, false));
    }

    async fn a_delivery_is_worked_on_again_on_purpose(app) {
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let other = app.other("globex").await;
        let sent = app.github.send(json!({
            "event": "issues", "installation": installation, "repository": "web", "title": "It is slow",
        })).await;
        let id = sent["deliveryId"].as_str().unwrap().to_owned();
        assert_eq!(app.deliveries("").await.len(), 0, "no subscription matches");
        let rules = json!({"repositories": ["acme/web"]});
        app.owner.post("/v1/routes", &subscription("C0ALERTS", rules)).await.ok(201);

        let again = app.github.order(&format!("deliveries/{id}/redeliver"), json!({})).await;
        assert_eq!(again["deliveryId"], id.as_str(), "GitHub keeps the id");
        assert_eq!(serde_json::from_str::<Value>(again["body"].as_str().unwrap()).unwrap(), acknowledgement(0, 1, false));
        assert_eq!((events(&app.owner).await.len(), app.deliveries("").await.len()), (1, 0));

        let path = format!("/v1/github/deliveries/{id}/reprocess");
        other.post(&path, &json!({})).await.problem(404, "not_found");
        app.anon.post(&path, &json!({})).await.problem(401, "unauthenticated");
        let unknown = format!("/v1/github/deliveries/{}/reprocess", guid(404));
        app.owner.post(&unknown, &json!({})).await.problem(404, "not_found");
        let shouted = format!("/v1/github/deliveries/{}/reprocess", id.to_uppercase());
        let event = app.owner.post(&shouted, &json!({})).await.ok(202);
        app.drain().await;
        let found = events(&app.owner).await;
        assert_eq!((found.len(), &found[0]["id"]), (2, &event["id"]));
        assert_eq!(found[0]["data"], found[1]["data"]);
        assert_eq!(app.delivery_of(event["id"].as_str().unwrap()).await["state"], "delivered");
        assert!(app.slack.texts("C0ALERTS").await[0].contains("It is slow"));
        assert_eq!(events(&other).await.len(), 0);
    }
}

#[tokio::test]
async fn the_former_secret_is_believed_while_it_is_named() {
    let previous = ("TIELINE_GITHUB__WEBHOOK_SECRET_PREVIOUS", "what it was before".to_owned());
    let app = TestApp::start_with(Database::sqlite(), Setup { settings: vec![previous], ..Setup::default() }).await;
    let body = r#"{"zen": "Design for failure."}"#;
    let by = |secret: &str| {
        let signature = signature(secret, body.as_bytes());
        Webhook::new("ping", &guid(1), body).with("x-hub-signature-256", Some(signature.as_bytes()))
    };
    for (secret, status) in [
        (Options::default().github_webhook_secret.as_str(), 202),
        ("what it was before", 202),
        ("what it was", 401),
        ("what it was before ", 401),
    ] {
        assert_eq!(by(secret).send(&app).await.status.as_u16(), status, "{secret}");
    }
}

#[tokio::test]
async fn without_an_app_the_answer_says_what_to_do() {
    let settings = ["APP_ID", "APP_SLUG", "CLIENT_ID", "CLIENT_SECRET", "PRIVATE_KEY", "WEBHOOK_SECRET"];
    let names = settings.map(|name| (&*format!("TIELINE_GITHUB__{name}").leak(), String::new()));
    let app = TestApp::start_with(Database::sqlite(), Setup { settings: names.into(), ..Setup::default() }).await;
    let problem = Webhook::new("ping", &guid(1), "{}").send(&app).await.problem(409, "failed_precondition");
    assert!(problem["detail"].as_str().unwrap().contains("TIELINE_GITHUB__APP_ID"), "{problem}");
}
