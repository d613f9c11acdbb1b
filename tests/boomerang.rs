//! Tests of the Boomerang dialect as a translation: credentials, parameters, media types, limits, empty answers and
//! redirections; and the two native routes for GitHub beside it. The use cases behind them are tested elsewhere.

use std::fmt::Write;

use aws_lc_rs::hmac;
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};
use standin::Options;
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Database, Setup, TestApp};

const CARDS: &str = "/api/v2/integration?team=acme";
const INSTALLATION: &str = "/api/v2/integration/github/installation";
const LINK: &str = "/api/v2/integration/github/link";
const UNLINK: &str = "/api/v2/integration/github/unlink";
const INSTALL: &str = "/api/v2/integration/slack/install";
const AUTH: &str = "/api/v2/integration/slack/auth";
const COMMANDS: &str = "/api/v2/integration/slack/commands";
const EVENTS: &str = "/api/v2/integration/slack/events";
const INTERACTIVITY: &str = "/api/v2/integration/slack/interactivity";
const GITHUB: &str = "/v1/github/events";
const GITHUB_CALLBACK: &str = "/v1/github/callback";

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const WEBHOOK_SECRET: &str = "It's a Secret to Everybody";

async fn start() -> TestApp {
    let settings = vec![
        ("TIELINE_GITHUB__WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
        ("TIELINE_SERVER__BODY_LIMIT_BYTES", "2000".to_owned()),
    ];
    TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await
}

/// Asserts an error of this dialect.
#[track_caller]
fn error(answer: &Answer, status: u16, code: u16, reason: &str) -> String {
    let body = answer.ok(status);
    assert_eq!((&body["code"], &body["reason"]), (&json!(code), &json!(reason)), "{}", answer.text);
    assert_eq!(answer.header("content-type"), JSON, "{}", answer.text);
    body["message"].as_str().unwrap().to_owned()
}

/// Asserts an answer without a text.
#[track_caller]
fn empty(answer: &Answer, status: u16) {
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (status, ""));
}

fn hex_hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    parts.iter().for_each(|part| context.update(part));
    let hex = |mut text: String, byte: &u8| {
        write!(text, "{byte:02x}").unwrap();
        text
    };
    context.sign().as_ref().iter().fold(String::new(), hex)
}

/// A request as Slack sends it, this many seconds from now.
fn slack(app: &TestApp, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let body = body.into();
    let time = app.now().timestamp().to_string();
    let signature = hex_hmac(&Options::default().signing_secret, &[b"v0:", time.as_bytes(), b":", &body]);
    app.anon
        .request(Method::POST, path)
        .header("X-Slack-Request-Timestamp", time)
        .header("X-Slack-Signature", format!("v0={signature}"))
        .header(header::CONTENT_TYPE, content_type)
        .body(body)
}

/// A request as GitHub sends it.
fn github(app: &TestApp, content_type: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
    let body = body.into();
    app.anon
        .request(Method::POST, GITHUB)
        .header("X-GitHub-Event", "ping")
        .header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        .header("X-Hub-Signature-256", format!("sha256={}", hex_hmac(WEBHOOK_SECRET, &[&body])))
        .header(header::CONTENT_TYPE, content_type)
        .body(body)
}

/// Text of a token of the owner's.
async fn token(app: &TestApp) -> String {
    let made = app.owner.post("/v1/tokens", &json!({"name": "t"})).await.ok(201);
    made["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_credential_comes_in_either_header() {
    let app = start().await;
    let token = token(&app).await;
    let get = |path: &str, headers: &[(&str, &str)]| {
        let request = app.anon.request(Method::GET, path);
        app.anon.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    };
    let bearer = format!("Bearer {token}");
    get(CARDS, &[("authorization", &bearer)]).await.ok(200);
    get(CARDS, &[("x-access-token", &token)]).await.ok(200);
    get(CARDS, &[("x-access-token", &format!(" {token} "))]).await.ok(200);
    get(CARDS, &[("authorization", &bearer), ("x-access-token", "nonsense")]).await.ok(200);

    for headers in [
        &[("authorization", "Bearer nonsense"), ("x-access-token", token.as_str())][..],
        &[("authorization", "Basic YTpi"), ("x-access-token", &token)],
        &[("x-access-token", "nonsense")],
        &[("x-access-token", "")],
        &[("x-access-token", &token), ("x-access-token", &token)],
        &[("x-access-token", &bearer)],
    ] {
        let answer = get(CARDS, headers).await;
        error(&answer, 401, 401, "TOKEN_INVALID");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{headers:?}");
    }
    let answer = get(CARDS, &[]).await;
    error(&answer, 401, 401, "TOKEN_MISSING");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_credential_in_the_address_is_for_one_link_only() {
    let app = start().await;
    let token = token(&app).await;
    let install = app.anon.get(&format!("{INSTALL}?access_token={token}&team=acme")).await;
    empty(&install, 302);
    for path in [CARDS, &format!("{INSTALLATION}?team=acme")] {
        error(&app.anon.get(&format!("{path}&access_token={token}")).await, 401, 401, "TOKEN_MISSING");
    }
    error(&app.anon.get(&format!("{INSTALL}?access_token=nonsense")).await, 401, 401, "TOKEN_INVALID");
    error(&app.anon.get(&format!("{INSTALL}?access_token=")).await, 401, 401, "TOKEN_INVALID");
    error(&app.anon.get(INSTALL).await, 401, 401, "TOKEN_MISSING");
    let wrong = app.anon.with_token("nonsense").get(&format!("{INSTALL}?access_token={token}")).await;
    error(&wrong, 401, 401, "TOKEN_INVALID");
}

#[tokio::test]
async fn cards_leave_out_what_there_is_none_of() {
    let app = start().await;
    let answer = app.owner.get(CARDS).await;
    let cards = answer.ok(200);
    let names: Vec<_> = cards.as_array().unwrap().iter().map(|card| card["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["GitHub", "Slack"]);
    assert!(!answer.text.contains("null"), "{}", answer.text);
    for card in cards.as_array().unwrap() {
        let linked = card.get("ref").is_some();
        assert_eq!(card["status"], if linked { "linked" } else { "unlinked" });
    }
    for team in ["nobodys", "", "0199c1de-0000-7000-8000-00000000dead"] {
        let cards = app.owner.get(&format!("/api/v2/integration?team={team}")).await.ok(200);
        assert!(cards.as_array().unwrap().iter().all(|card| card["status"] == "unlinked"), "{team}: {cards}");
    }
    let message = error(&app.owner.get("/api/v2/integration").await, 400, 400, "PARAMETER_INVALID");
    assert_eq!(message, "the parameter team is required");
    let message = error(&app.owner.get("/api/v2/integration?team=%00").await, 400, 400, "PARAMETER_INVALID");
    assert_eq!(message, "the parameter team must not contain the character U+0000");
    let head = app.owner.send(app.owner.request(Method::HEAD, CARDS)).await;
    empty(&head, 200);
}

#[tokio::test]
async fn version_5_says_workspace_for_team() {
    let app = start().await;
    // A link has a fresh state each time, and only a team of the caller's has links.
    for (query, links) in [
        ("team=acme", true),
        ("workspace=acme", true),
        ("team=acme&workspace=nobodys", true),
        ("team=nobodys&workspace=acme", false),
    ] {
        let cards = app.owner.get(&format!("/api/v2/integration?{query}")).await.ok(200);
        assert!(cards.as_array().unwrap().iter().all(|card| card["link"].is_string() == links), "{query}: {cards}");
    }
    for query in ["workspace=nobodys", "team=nobodys&workspace=acme"] {
        let path = format!("{INSTALLATION}?{query}");
        error(&app.owner.get(&path).await, 400, 1101, "TEAM_INVALID_REF");
        error(&app.owner.get(&format!("{INSTALL}?{query}")).await, 400, 1101, "TEAM_INVALID_REF");
    }
    empty(&app.owner.get(&format!("{INSTALL}?workspace=acme")).await, 302);
    empty(&app.owner.post(UNLINK, &json!({"ref": "4711", "workspace": "acme"})).await, 200);
    for path in [LINK, UNLINK] {
        let body = json!({"ref": "4711", "workspace": "nobodys"});
        error(&app.owner.post(path, &body).await, 400, 1101, "TEAM_INVALID_REF");
    }
}

#[tokio::test]
async fn an_installation_is_asked_for_by_a_number_or_a_team() {
    let app = start().await;
    let ask = |query: &str| {
        let path = format!("{INSTALLATION}?{query}");
        let owner = &app.owner;
        async move { owner.get(&path).await }
    };
    error(&ask("").await, 400, 400, "VALUE_INVALID");
    for id in ["abc", "", "1.5", "1e3", "99999999999999999999"] {
        error(&ask(&format!("id={id}&team=acme")).await, 400, 400, "PARAMETER_INVALID");
    }
    // A missing one and another organisation's are reported alike, and as the product reports them.
    error(&ask("id=404").await, 400, 1601, "ACTION_INVALID_REF");
    error(&ask("team=nobodys").await, 400, 1101, "TEAM_INVALID_REF");
}

#[tokio::test]
async fn a_reference_is_text_or_a_number_and_more_members_are_passed_over() {
    let app = start().await;
    for body in [
        json!({"ref": "4711", "team": "acme"}),
        json!({"ref": 4711, "team": "acme"}),
        json!({"ref": 3_000_000_000_u64, "team": "acme", "code": "c", "state": "s"}),
        json!({"ref": "x", "team": "acme", "id": null, "installers": [1], "type": {"a": "b"}}),
    ] {
        let answer = app.owner.post(UNLINK, &body).await;
        empty(&answer, 200);
        assert_eq!(answer.header("content-type"), "", "{body}");
    }
    for (body, says) in [
        (json!({"team": "acme"}), "/ref is required"),
        (json!({"ref": "4711"}), "/team is required"),
        (json!({"ref": 1.5, "team": "acme"}), "/ref"),
        (json!({"ref": null, "team": "acme"}), "/ref"),
        (json!({"ref": ["4711"], "team": "acme"}), "/ref"),
        (json!({"ref": "4711", "team": 5}), "/team must be a string"),
        (json!({"ref": "x".repeat(65), "team": "acme"}), "/ref"),
        (json!({"ref": 1e30, "team": "acme"}), ""),
    ] {
        for path in [LINK, UNLINK] {
            let message = error(&app.owner.post(path, &body).await, 400, 400, "BODY_INVALID");
            assert!(message.contains(says), "{path} {body}: {message}");
        }
    }
    for path in [LINK, UNLINK] {
        let body = json!({"ref": "4711", "team": "nobodys"});
        error(&app.owner.post(path, &body).await, 400, 1101, "TEAM_INVALID_REF");
        let member = app.caller("acme", "bob", Role::Member).await;
        let body = json!({"ref": "4711", "team": "acme"});
        error(&member.post(path, &body).await, 403, 403, "PERMISSION_DENIED");
    }
    error(&app.owner.post(LINK, &json!({"ref": "404", "team": "acme"})).await, 404, 1601, "ACTION_INVALID_REF");
}

#[tokio::test]
async fn installing_slack_leads_to_slack() {
    let app = start().await;
    for path in [format!("{INSTALL}?team=acme"), INSTALL.to_owned()] {
        let answer = app.owner.get(&path).await;
        empty(&answer, 302);
        let to = reqwest::Url::parse(answer.header("location")).unwrap();
        assert!(to.as_str().starts_with(&format!("{}/oauth/v2/authorize?", app.slack.base())), "{to}");
        assert!(to.query_pairs().any(|(name, value)| name == "state" && value.len() > 20), "{to}");
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("", "no-store"));
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    error(&app.owner.get(&format!("{INSTALL}?team=nobodys")).await, 400, 1101, "TEAM_INVALID_REF");
}

#[tokio::test]
async fn coming_back_from_slack_needs_a_code_and_a_state() {
    let app = start().await;
    let back = |caller: &Client, query: &str| {
        let (caller, path) = (caller.clone(), format!("{AUTH}?{query}"));
        async move { caller.get(&path).await }
    };
    let missing = error(&back(&app.anon, "state=s").await, 400, 400, "PARAMETER_INVALID");
    assert_eq!(missing, "the parameter code is required");
    let missing = error(&back(&app.anon, "code=c").await, 400, 400, "PARAMETER_INVALID");
    assert_eq!(missing, "the parameter state is required");
    let refused = error(&back(&app.anon, "error=access_denied&state=s").await, 400, 400, "SLACK_REFUSED");
    assert_eq!(refused, "Slack refused: access_denied");
    let answer = back(&app.anon, "error=%3Cscript%3E").await;
    error(&answer, 400, 400, "SLACK_REFUSED");
    assert!(!answer.text.contains("script"), "{}", answer.text);
    for caller in [&app.anon, &app.owner] {
        error(&back(caller, "code=c&state=nonsense").await, 400, 400, "INTEGRATION_INVALID_STATE");
    }
    let garbage = app.anon.with_token("garbage");
    error(&back(&garbage, "code=c&state=nonsense").await, 401, 401, "TOKEN_INVALID");
    let answer = app.anon.send(app.anon.request(Method::GET, AUTH).header("x-access-token", "garbage")).await;
    error(&answer, 401, 401, "TOKEN_INVALID");
}

#[tokio::test]
async fn what_slack_sends_is_taken_as_it_was_signed() {
    let app = start().await;
    let challenge = json!({"type": "url_verification", "challenge": "3eZbrw1aB \u{e4}\""});
    for content_type in [JSON, "application/json; charset=utf-8"] {
        let answer = app.anon.send(slack(&app, EVENTS, content_type, challenge.to_string())).await;
        assert_eq!(answer.ok(200), json!({"challenge": challenge["challenge"]}));
        assert_eq!(answer.header("content-type"), JSON);
    }
    // A parser would lose the spaces and the order: the bytes went on as they came.
    let odd = "{ \"type\" :\t\"url_verification\",\r\n\"challenge\" : \"c\" , \"a\":1,\"a\":2 }";
    assert_eq!(app.anon.send(slack(&app, EVENTS, JSON, odd)).await.ok(200), json!({"challenge": "c"}));

    let command =
        "token=t&team_id=T0NOBODY&channel_id=C1&user_id=U1&command=%2ftieline&text=help&trigger_id=1.2&x=%7a+";
    let answer = app.anon.send(slack(&app, COMMANDS, FORM, command)).await;
    empty(&answer, 200);
    assert_eq!(answer.header("content-type"), "");
    let payload = json!({"type": "view_closed", "team": {"id": "T0NOBODY"}, "user": {"id": "U1"}, "view": {}});
    let form = reqwest::Url::parse_with_params("http://x", [("payload", payload.to_string())]).unwrap();
    empty(&app.anon.send(slack(&app, INTERACTIVITY, FORM, form.query().unwrap())).await, 200);
}

#[tokio::test]
async fn what_is_not_signed_is_refused_before_it_is_read() {
    let app = start().await;
    let challenge = json!({"challenge": "c"}).to_string();
    for (path, content_type) in [(COMMANDS, FORM), (EVENTS, JSON), (INTERACTIVITY, FORM)] {
        let signed = || slack(&app, path, content_type, challenge.clone()).build().unwrap();
        for (name, value) in [
            ("X-Slack-Signature", None),
            ("X-Slack-Request-Timestamp", None),
            ("X-Slack-Signature", Some("v0=00")),
            ("X-Slack-Request-Timestamp", Some("1795000000.0")),
            ("X-Slack-Request-Timestamp", Some("1")),
        ] {
            let mut request = signed();
            request.headers_mut().remove(name);
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            let builder = RequestBuilder::from_parts(reqwest_client(), request);
            let answer = app.anon.send(builder).await;
            error(&answer, 401, 401, "SIGNATURE_INVALID");
            assert!(!answer.header("www-authenticate").is_empty());
        }
        // Neither its media type nor its length is checked.
        for request in [app.anon.request(Method::POST, path), app.owner.request(Method::POST, path)] {
            let request = request.header(header::CONTENT_TYPE, "text/plain").body("x".repeat(2 << 20));
            error(&app.anon.send(request).await, 401, 401, "SIGNATURE_INVALID");
        }
        let mut twice = signed();
        twice.headers_mut().append("X-Slack-Signature", "v0=00".parse().unwrap());
        let builder = RequestBuilder::from_parts(reqwest_client(), twice);
        error(&app.anon.send(builder).await, 401, 401, "SIGNATURE_INVALID");
    }
}

fn reqwest_client() -> reqwest::Client {
    #[allow(clippy::disallowed_methods, reason = "a caller from outside, not a part of the service")]
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

#[tokio::test]
async fn each_route_has_its_media_type() {
    let app = start().await;
    for (path, taken, others) in [
        (COMMANDS, FORM, [JSON, "text/plain", "multipart/form-data; boundary=x", ""]),
        (INTERACTIVITY, FORM, [JSON, "text/plain", "application/x-www-form-urlencoded; charset=latin1", ""]),
        (EVENTS, JSON, [FORM, "text/plain", "application/json; charset=utf-16", ""]),
    ] {
        for other in others {
            let message =
                error(&app.anon.send(slack(&app, path, other, "{}")).await, 415, 415, "MEDIA_TYPE_UNSUPPORTED");
            assert!(message.starts_with(&format!("send the body as {taken}, not")), "{path}: {message}");
        }
        let packed = slack(&app, path, taken, "{}").header(header::CONTENT_ENCODING, "gzip");
        error(&app.anon.send(packed).await, 415, 415, "MEDIA_TYPE_UNSUPPORTED");
    }
}

#[tokio::test]
async fn each_route_has_its_limit() {
    let app = start().await;
    for (path, content_type, limit) in
        [(COMMANDS, FORM, 64 << 10), (INTERACTIVITY, FORM, 64 << 10), (EVENTS, JSON, 1 << 20)]
    {
        let long = |length: usize| {
            let frame = "{\"challenge\":\"c\",\"x\":\"\"}".len();
            let text = format!("{{\"challenge\":\"c\",\"x\":\"{}\"}}", "x".repeat(length - frame));
            assert_eq!(text.len(), length);
            text
        };
        let fits = app.anon.send(slack(&app, path, content_type, long(limit))).await;
        assert!([200, 400].contains(&fits.status.as_u16()), "{path}: {}", fits.text);
        let message =
            error(&app.anon.send(slack(&app, path, content_type, long(limit + 1))).await, 413, 413, "BODY_TOO_LARGE");
        assert_eq!(message, format!("the body is longer than {limit} bytes"));
    }
    // The other routes keep the usual limit.
    let body = json!({"ref": "4711", "team": "acme", "x": "x".repeat(2000)});
    error(&app.owner.post(UNLINK, &body).await, 413, 413, "BODY_TOO_LARGE");
}

#[tokio::test]
async fn what_github_sends_is_long_and_of_two_kinds() {
    let app = start().await;
    let ping = json!({"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "App", "app_id": 99}});
    let form = reqwest::Url::parse_with_params("http://x", [("payload", ping.to_string())]).unwrap();
    let reason = "a ping shows that this URL is reachable, and notifies nobody";
    let none = json!({"events": 0, "repeated": 0, "ignored": true, "reason": reason});
    assert_eq!(app.anon.send(github(&app, JSON, ping.to_string())).await.ok(202), none);
    assert_eq!(app.anon.send(github(&app, FORM, form.query().unwrap())).await.ok(202), none);
    let mut long = ping.clone();
    long["x"] = json!("x".repeat(3 << 20));
    assert_eq!(app.anon.send(github(&app, JSON, long.to_string())).await.ok(202), none);

    let answer = app.anon.send(github(&app, "text/plain", "{}")).await;
    let reported = answer.problem(415, "unsupported_media_type")["detail"].clone();
    assert_eq!(reported, format!("send the body as {JSON} or {FORM}, not text/plain"));
    app.anon.send(github(&app, JSON, "{")).await.problem(400, "invalid");
    let unsigned = app.anon.request(Method::POST, GITHUB).json(&ping);
    app.anon.send(unsigned).await.problem(401, "signature_invalid");
    let mut long = vec![b' '; (25 << 20) + 1];
    long[0] = b'1';
    app.anon.send(github(&app, JSON, long)).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn coming_back_from_github_always_shows_a_page() {
    let app = start().await;
    for query in [
        "",
        "state=nonsense&code=c&installation_id=1&setup_action=install",
        "installation_id=abc&state=s",
        "error=%3Cscript%3E&state=s",
        "setup_action=request&state=nonsense",
    ] {
        let page = app.anon.get(&format!("{GITHUB_CALLBACK}?{query}")).await;
        assert_eq!(page.status, 400, "{query}: {}", page.text);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(page.text.contains("<h1>") && !page.text.contains("<script"), "{}", page.text);
        assert!(page.text.contains("<link rel=\"stylesheet\" href=\"/style.css\">"), "{}", page.text);
    }
}

#[tokio::test]
async fn another_method_is_refused() {
    let app = start().await;
    for (path, allow) in
        [(COMMANDS, "POST"), (EVENTS, "POST"), (INTERACTIVITY, "POST"), (LINK, "POST"), (AUTH, "GET, HEAD")]
    {
        let answer = app.anon.send(app.anon.request(Method::PUT, path).json(&Value::Null)).await;
        error(&answer, 405, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), allow, "{path}");
    }
}
