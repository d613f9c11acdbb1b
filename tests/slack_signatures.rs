//! Tests of the authentication of Slack's requests: the table of possible signatures, on each of the three routes.

use std::time::Duration;

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use standin::Options;

use crate::support::{
    Answer, COMMANDS, Database, Deployment, EVENTS, INTERACTIVITY, Sender, Setup, TestApp, form, sign,
};

const TIMESTAMP: &str = "X-Slack-Request-Timestamp";
const SIGNATURE: &str = "X-Slack-Signature";

/// A valid body for each route, with no effect but an answer.
fn routes() -> [(&'static str, String); 3] {
    let command = form(&[
        ("team_id", "T0NOBODY"),
        ("user_id", "U1"),
        ("command", "/workflow"),
        ("text", "a b"),
        ("trigger_id", "1.2.a"),
    ]);
    let closed = json!({"type": "view_closed", "team": {"id": "T0NOBODY"}, "user": {"id": "U1"}, "view": {}});
    [
        (COMMANDS, command),
        (EVENTS, json!({"type": "url_verification", "challenge": "c"}).to_string()),
        (INTERACTIVITY, form(&[("payload", &closed.to_string())])),
    ]
}

struct Scene {
    app: TestApp,
    secret: String,
}

impl Scene {
    async fn start() -> Self {
        Self { app: TestApp::start(Database::sqlite()).await, secret: Options::default().signing_secret }
    }

    /// A correct signature over any timestamp.
    fn sign(&self, timestamp: impl AsRef<[u8]>, body: &str) -> String {
        sign(&self.secret, timestamp.as_ref(), body.as_bytes())
    }

    /// Sends a body with these headers.
    async fn send(&self, path: &str, body: &str, headers: &[(&str, &[u8])]) -> Answer {
        let now = self.app.now().timestamp();
        let request = headers.iter().fold(Sender::new(&self.app.anon, now).request(path, body), |request, header| {
            request.header(header.0, HeaderValue::from_bytes(header.1).unwrap())
        });
        self.app.anon.send(request).await
    }

    /// Sends a body with one timestamp and one signature.
    async fn try_with(&self, path: &str, body: &str, timestamp: &[u8], signature: &[u8]) -> Answer {
        self.send(path, body, &[(TIMESTAMP, timestamp), (SIGNATURE, signature)]).await
    }
}

/// Asserts that it was not accepted as Slack's. A forger gets no reason.
#[track_caller]
fn refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 401, "{why}: {}", answer.text);
    let error: Value = answer.json();
    assert_eq!((&error["code"], &error["reason"]), (&json!(401), &json!("SIGNATURE_INVALID")), "{why}");
    assert!(!answer.header("www-authenticate").is_empty(), "{why}");
    assert!(!answer.text.contains("v0="), "{why}: {}", answer.text);
}

#[tokio::test]
async fn a_time_is_near_ours_and_in_digits() {
    let scene = Scene::start().await;
    let now = scene.app.now().timestamp();
    let at = |offset: i64| (now + offset).to_string();
    for (path, body) in routes() {
        for good in [at(0), at(-300), at(300), format!("0{now}"), format!("00{now}")] {
            let signature = scene.sign(&good, &body);
            let answer = scene.try_with(path, &body, good.as_bytes(), signature.as_bytes()).await;
            assert_eq!(answer.status, 200, "{path} {good}: {}", answer.text);
        }
        let grouped = now.to_string().replacen('1', "1_", 1);
        for bad in [
            at(-301),
            at(301),
            at(86_400),
            at(-86_400),
            "0".into(),
            "now".into(),
            "undefined".into(),
            format!("{now}.0"),
            format!("{now}.5"),
            format!("{now}000"),
            format!("000{now}"),
            format!("+{now}"),
            format!("-{now}"),
            format!("0x{now:x}"),
            format!("{now}e0"),
            format!("{now}, {now}"),
            format!("{now} 0"),
            "9".repeat(40),
            grouped,
            String::new(),
        ] {
            let signature = scene.sign(&bad, &body);
            let answer = scene.try_with(path, &body, bad.as_bytes(), signature.as_bytes()).await;
            refused(&answer, &format!("{path} {bad:?}"));
        }
        for bytes in [&b"\xd9\xa1\xd9\xa7"[..], b"\xff\xfe"] {
            let signature = scene.sign(bytes, &body);
            refused(&scene.try_with(path, &body, bytes, signature.as_bytes()).await, &format!("{path} {bytes:?}"));
        }
        // HTTP removes the space (RFC 9110, 5.5), so the signed bytes differ from the received ones.
        for spaced in [format!(" {now}"), format!("{now} "), format!("\t{now}")] {
            let signature = scene.sign(&spaced, &body);
            let answer = scene.try_with(path, &body, spaced.as_bytes(), signature.as_bytes()).await;
            refused(&answer, &format!("{path} {spaced:?}"));
        }
    }
}

#[tokio::test]
async fn a_clock_that_goes_on_leaves_a_signature_behind() {
    let scene = Scene::start().await;
    let signed_at = scene.app.now().timestamp().to_string();
    let (path, body) = routes()[1].clone();
    let signature = scene.sign(&signed_at, &body);
    for (seconds, status) in [(0, 200), (300, 200), (1, 401)] {
        scene.app.advance(Duration::from_secs(seconds));
        let answer = scene.try_with(path, &body, signed_at.as_bytes(), signature.as_bytes()).await;
        assert_eq!(answer.status.as_u16(), status, "after {seconds} s more");
    }
}

#[tokio::test]
async fn only_the_whole_signature_will_do() {
    let scene = Scene::start().await;
    let now = scene.app.now().timestamp().to_string();
    for (path, body) in routes() {
        let good = scene.sign(&now, &body);
        let hex = good.strip_prefix("v0=").unwrap();
        let zero = sign("", now.as_bytes(), body.as_bytes());
        let other = sign("another secret", now.as_bytes(), body.as_bytes());
        for bad in [
            String::new(),
            "v0=".into(),
            "v0".into(),
            hex.into(),
            format!("v0={}", hex.to_uppercase()),
            format!("V0={hex}"),
            format!("v1={hex}"),
            format!("v0:{hex}"),
            format!("sha256={hex}"),
            good[..good.len() - 1].into(),
            good[..35].into(),
            format!("{good}="),
            format!("{good}0"),
            format!("{good},{good}"),
            format!("{good} {good}"),
            format!("v0={hex}{hex}"),
            format!("v0=0x{hex}"),
            format!("v0={}", "0".repeat(64)),
            zero,
            other,
        ] {
            refused(&scene.try_with(path, &body, now.as_bytes(), bad.as_bytes()).await, &format!("{path} {bad}"));
        }
        let accented = "v0=".to_owned() + &"ü".repeat(32);
        for bytes in [accented.as_bytes(), b"v0=\xff\xfe", b"\xff", "v0=\u{661}".as_bytes()] {
            refused(&scene.try_with(path, &body, now.as_bytes(), bytes).await, &format!("{path} {bytes:?}"));
        }
        assert_eq!(scene.try_with(path, &body, now.as_bytes(), good.as_bytes()).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn each_header_comes_once() {
    let scene = Scene::start().await;
    let now = scene.app.now().timestamp().to_string();
    for (path, body) in routes() {
        let signature = scene.sign(&now, &body);
        let (time, good) = ((TIMESTAMP, now.as_bytes()), (SIGNATURE, signature.as_bytes()));
        let wrong = (SIGNATURE, &b"v0=00"[..]);
        for headers in [
            &[][..],
            &[time],
            &[good],
            &[time, good, good],
            &[time, wrong, good],
            &[time, good, wrong],
            &[time, time, good],
            &[(TIMESTAMP, b"1"), time, good],
            &[time, (TIMESTAMP, b"1"), good],
        ] {
            refused(&scene.send(path, &body, headers).await, &format!("{path} {headers:?}"));
        }
        // The HMAC that a careless program would make of a missing time.
        for nothing in ["undefined", "null", "None", "nil", ""] {
            let signature = scene.sign(nothing, &body);
            refused(&scene.send(path, &body, &[(SIGNATURE, signature.as_bytes())]).await, nothing);
        }
        let lower = [("x-slack-request-timestamp", now.as_bytes()), ("x-slack-signature", signature.as_bytes())];
        assert_eq!(scene.send(path, &body, &lower).await.status, 200, "the names of headers have no case");
    }
}

#[tokio::test]
async fn the_very_bytes_are_signed() {
    let scene = Scene::start().await;
    let now = scene.app.now().timestamp().to_string();
    let [(_, command), (_, event), (_, interaction)] = routes();
    let (first, rest) = command.split_once('&').unwrap();
    for (path, signed, sent) in [
        (COMMANDS, &command, format!("{rest}&{first}")),
        (COMMANDS, &command, command.replace("%2F", "%2f")),
        (COMMANDS, &command, command.replace("%2F", "/")),
        (COMMANDS, &command, command.replace('+', "%20")),
        (COMMANDS, &command, format!("{command}&")),
        (COMMANDS, &command, format!("{command}&text=")),
        (COMMANDS, &command, format!("{command}&ssl_check=1")),
        (COMMANDS, &command, format!("ssl_check=1&{command}")),
        (COMMANDS, &command, "ssl_check=1".into()),
        (COMMANDS, &command, String::new()),
        (EVENTS, &event, event.replace(':', ": ")),
        (EVENTS, &event, format!("{event}\n")),
        (EVENTS, &event, format!(" {event}")),
        (EVENTS, &event, format!("\u{feff}{event}")),
        (EVENTS, &event, event.replace("\"c\"", "\"\\u0063\"")),
        (EVENTS, &event, r#"{"challenge":"c","type":"url_verification"}"#.into()),
        (INTERACTIVITY, &interaction, interaction.replace("%7B", "%7b")),
        (INTERACTIVITY, &interaction, format!("{interaction}&payload=%7B%7D")),
    ] {
        assert_ne!(*signed, sent);
        let signature = scene.sign(&now, signed);
        refused(&scene.try_with(path, &sent, now.as_bytes(), signature.as_bytes()).await, &sent);
    }
    // The faults of these bodies do not concern the signature, which is valid.
    for (path, sent) in [
        (COMMANDS, format!("{rest}&{first}")),
        (COMMANDS, command.replace("%2F", "%2f")),
        (EVENTS, event.replace(':', ": ")),
        (EVENTS, event.replace("\"c\"", "\"\\u0063\"")),
        (INTERACTIVITY, interaction.replace("%7B", "%7b")),
    ] {
        let signature = scene.sign(&now, &sent);
        let answer = scene.try_with(path, &sent, now.as_bytes(), signature.as_bytes()).await;
        assert_eq!(answer.status, 200, "{sent}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_certificate_check_grants_nothing() {
    let scene = Scene::start().await;
    let sender = Sender::new(&scene.app.anon, scene.app.now().timestamp());
    let check = form(&[("ssl_check", "1"), ("token", "t")]);
    let answer = sender.send(COMMANDS, &check).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    refused(&scene.app.anon.send(sender.request(COMMANDS, &check)).await, "unsigned");
    let [(_, command), ..] = routes();
    for appended in [format!("{command}&ssl_check=1"), format!("ssl_check=1&{command}")] {
        refused(&scene.app.anon.send(sender.request(COMMANDS, &appended)).await, &appended);
        assert_eq!(sender.send(COMMANDS, &appended).await.status, 200);
    }
    for other in ["ssl_check=0", "ssl_check=", "ssl_check=1&ssl_check=1", "ssl_check=true"] {
        assert_eq!(sender.send(COMMANDS, other).await.ok(400)["reason"], "VALUE_INVALID", "{other}");
    }
}

#[tokio::test]
async fn a_body_is_taken_up_to_its_limit() {
    let scene = Scene::start().await;
    let sender = Sender::new(&scene.app.anon, scene.app.now().timestamp());
    for ((path, body), limit) in routes().into_iter().zip([64 << 10, 1 << 20, 64 << 10]) {
        let filler = if path == EVENTS { " " } else { "&" };
        for (length, expected) in [(limit, 200), (limit + 1, 413)] {
            let long = format!("{body}{}", filler.repeat(length - body.len()));
            assert_eq!(sender.send(path, &long).await.status.as_u16(), expected, "{path} {length}");
            let unsigned = scene.app.anon.send(sender.request(path, &long)).await;
            refused(&unsigned, "nobody's body is not even measured");
        }
    }
}

#[tokio::test]
async fn without_an_app_nothing_is_taken_for_slacks() {
    let names = ["TIELINE_SLACK__CLIENT_ID", "TIELINE_SLACK__CLIENT_SECRET", "TIELINE_SLACK__SIGNING_SECRET"];
    let settings = names.map(|name| (name, String::new())).into();
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let now = app.now().timestamp();
    for (path, body) in routes() {
        for secret in ["", &Options::default().signing_secret] {
            let signature = sign(secret, now.to_string().as_bytes(), body.as_bytes());
            let request = Sender::new(&app.anon, now).request(path, &body).header(TIMESTAMP, now);
            let answer = app.anon.send(request.header(SIGNATURE, signature)).await;
            assert_eq!(answer.ok(400)["reason"], "FAILED_PRECONDITION", "{path}");
        }
    }
}

#[tokio::test]
async fn an_empty_secret_does_not_start() {
    for secret in ["", " ", "\t"] {
        let mut deployment = Deployment::bare();
        deployment.set("TIELINE_SLACK__CLIENT_ID", "1.2").set("TIELINE_SLACK__CLIENT_SECRET", "hush-hush");
        deployment.set("TIELINE_SLACK__SIGNING_SECRET", secret);
        let ran = deployment.run(&["serve"]).await;
        let complaint = ran.refused();
        assert!(
            complaint.contains("slack.signing_secret") && !complaint.contains("hush-hush"),
            "{secret:?}: {complaint}"
        );
    }
    let mut deployment = Deployment::bare();
    deployment.set("TIELINE_SLACK__CLIENT_ID", "1.2").set("TIELINE_SLACK__CLIENT_SECRET", "hush-hush");
    assert!(deployment.run(&["serve"]).await.refused().contains("slack.signing_secret"), "left out");
}
