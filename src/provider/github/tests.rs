//! Tests of the client against well and badly behaved upstreams: shared helpers, and addresses.

mod installations;
mod oauth;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{
        Error,
        ambient::{Clock, Random, Time},
        error::{Noun, Upstream},
        github::GithubUser,
    },
    provider::test_server::{Answer, TestServer},
};

const NOW: i64 = 1_800_000_000;
/// Long enough on a busy machine.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// For upstreams that would never answer.
const SHORT_TIMEOUT: Duration = Duration::from_millis(250);

const NOT_FOUND: &str = r#"{"message":"Not Found","status":"404"}"#;
const BAD_CREDENTIALS: &str = r#"{"message":"Bad credentials","status":"401"}"#;
const SUSPENDED: &str = r#"{"message":"This installation has been suspended","status":"403"}"#;
const FORBIDDEN: &str = r#"{"message":"Resource not accessible by integration","status":"403"}"#;

/// Manually moved clock, in seconds.
#[derive(Default)]
struct Hand(AtomicI64);

impl Hand {
    fn advance(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Time {
        Time::from_timestamp(NOW + self.0.load(Ordering::SeqCst), 0).unwrap()
    }
}

struct Zero;

impl Random for Zero {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn app(web_base: &str, api_base: Url) -> GithubApp {
    GithubApp {
        app_id: "4711".into(),
        slug: "tieline".into(),
        client_id: "Iv1.abc".into(),
        client_secret: Secret::new("hush-client"),
        private_key: Secret::new(jwt::tests::pkcs1()),
        webhook_secrets: vec![Secret::new("hush-hook")],
        web_base: Url::parse(web_base).unwrap(),
        api_base,
        redirect_uri: Url::parse("https://tieline.example/v1/github/callback").unwrap(),
    }
}

/// A client with one upstream as both GitHub's site and its API, and its clock.
fn client_and_clock(server: &TestServer, total: Duration) -> (GithubClient, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    let limits = Limits { connect: LONG_TIMEOUT, total, max_answer_bytes: 64 * 1024 };
    let app = app(server.url("/web").as_str(), server.url("/api/v3/"));
    let ambient = Ambient::new(clock.clone(), Arc::new(Zero));
    (GithubClient::new(app, http::client(&limits).unwrap(), limits, ambient).unwrap(), clock)
}

fn client(server: &TestServer) -> GithubClient {
    client_and_clock(server, LONG_TIMEOUT).0
}

fn client_of(web_base: &str) -> GithubClient {
    let limits = Limits::default();
    let ambient = Ambient::new(Arc::new(Hand::default()), Arc::new(Zero));
    let app = app(web_base, Url::parse("https://api.github.example").unwrap());
    GithubClient::new(app, http::client(&limits).unwrap(), limits, ambient).unwrap()
}

fn token() -> Secret {
    Secret::new("ghu_hush")
}

fn first_line(request: &str) -> &str {
    request.lines().next().unwrap_or_default()
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn issued(token: &str, secs: i64) -> Answer {
    let expires_at = Time::from_timestamp(NOW + secs, 0).unwrap();
    Answer::json(201, &json!({"token": token, "expires_at": expires_at, "permissions": {}}).to_string())
}

fn repositories(ids: std::ops::Range<i64>, total: usize) -> Value {
    let described = |id| json!({"id": id, "name": "r", "full_name": format!("o/r{id}"), "private": id % 2 == 0});
    json!({"total_count": total, "repositories": ids.map(described).collect::<Vec<_>>()})
}

fn one_repository() -> Answer {
    Answer::json(200, &repositories(1..2, 1).to_string())
}

fn unavailable<T: std::fmt::Debug>(result: Result<T>) -> (String, Option<Duration>) {
    match result {
        Err(Error::UpstreamUnavailable { upstream: Upstream::Github, reason, retry_after }) => (reason, retry_after),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_app_is_installed_at_the_hosts_own_address() {
    for (web_base, expected) in [
        ("https://github.com", "https://github.com/apps/tieline/installations/new?state=a+b%26c"),
        ("https://github.com/", "https://github.com/apps/tieline/installations/new?state=a+b%26c"),
        ("https://acme.ghe.com", "https://acme.ghe.com/apps/tieline/installations/new?state=a+b%26c"),
        ("https://github.acme.dev", "https://github.acme.dev/github-apps/tieline/installations/new?state=a+b%26c"),
        ("https://notghe.com", "https://notghe.com/github-apps/tieline/installations/new?state=a+b%26c"),
        ("http://127.0.0.1:9/github", "http://127.0.0.1:9/github/github-apps/tieline/installations/new?state=a+b%26c"),
    ] {
        assert_eq!(client_of(web_base).install_url("a b&c").as_str(), expected);
    }
}

#[test]
fn the_authorize_url_names_the_app_the_way_back_and_the_state() {
    assert_eq!(
        client_of("https://github.com").authorize_url("a b&c").as_str(),
        "https://github.com/login/oauth/authorize?client_id=Iv1.abc\
         &redirect_uri=https%3A%2F%2Ftieline.example%2Fv1%2Fgithub%2Fcallback&state=a+b%26c"
    );
}

#[test]
fn an_invalid_key_is_named() {
    let mut app = app("https://github.com", Url::parse("https://api.github.com").unwrap());
    app.private_key = Secret::new("hush");
    let limits = Limits::default();
    let ambient = Ambient::new(Arc::new(Hand::default()), Arc::new(Zero));
    let made = GithubClient::new(app, http::client(&limits).unwrap(), limits, ambient);
    assert!(matches!(made, Err(Error::Invalid(broken)) if broken[0].field == "github.private_key"));
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?}", client_of("https://github.com"));
    assert!(shown.contains("tieline") && !shown.contains("hush") && !shown.contains("PRIVATE"), "{shown}");
}
