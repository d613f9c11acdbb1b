//! Tests of the limits of clients and organisations: memory for bodies, wrong credentials, quotas, and text that no
//! database stores.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use standin::Options;
use tieline::domain::tenancy::member::Role;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    outgoing_webhooks::wanted,
    support::{Answer, Client, Database, Setup, TestApp, sign, subscription, until},
};

const LIMIT: Duration = Duration::from_secs(60);
const NOBODY: &str = "0199c1de-0000-7000-8000-00000000dead";
const EVENTS: &str = "/api/v2/integration/slack/events";

/// A list of each dialect, the status of a rate limit there, and an unknown path.
const DIALECTS: [(&str, u16, &str); 6] = [
    ("/v1/channels", 429, "/v1/channels/x/nothing"),
    ("/v1/slack-integrations", 503, "/v1/slack-integrations/nothing"),
    ("/api/v2/integration?team=acme", 503, "/api/v2/integration/nothing"),
    ("/organisations/acme/integrations", 429, "/organisations/acme/nothing"),
    ("/api/v1/integrations.list", 429, "/api/v1/nothing"),
    ("/v1/admin/integrations", 429, "/v1/admin/nothing"),
];

/// A world on each database, with these settings.
async fn worlds(settings: &[(&'static str, &str)]) -> Vec<TestApp> {
    let mut worlds = Vec::new();
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        worlds.push(TestApp::start_with(database, Setup { settings, ..Setup::default() }).await);
    }
    worlds
}

/// Sends a GET for a client behind a proxy.
async fn from(client: &str, caller: &Client, path: &str) -> Answer {
    caller.send(caller.request(Method::GET, path).header("X-Forwarded-For", client)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_rate_limited_by_client() {
    let settings =
        [("TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE", "3"), ("TIELINE_SERVER__TRUSTED_PROXIES", "127.0.0.0/8")];
    for app in worlds(&settings).await {
        let mia = app.caller("acme", "mia", Role::Member).await;
        let wrong = app.anon.with_token("tl_wrong");
        from("203.0.113.7", &app.owner, "/v1/channels").await.ok(200);
        for _ in 0..3 {
            from("203.0.113.7", &wrong, "/v1/channels").await.problem(401, "token_invalid");
        }
        for (path, status, _) in DIALECTS {
            let answer = from("203.0.113.7", &wrong, path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            assert_eq!(answer.header("retry-after"), "20", "{path}");
        }
        from("203.0.113.7", &mia, "/v1/channels").await.problem(429, "rate_limited");
        from("203.0.113.7", &app.owner, "/v1/channels").await.ok(200);
        from("203.0.113.8", &mia, "/v1/channels").await.ok(200);
        from("203.0.113.8", &wrong, "/v1/channels").await.problem(401, "token_invalid");
        let text = app.metrics();
        assert!(text.contains(r#"tieline_http_refusals_total{reason="wrong_credentials"} 7"#), "{text}");
        app.advance(Duration::from_secs(20));
        from("203.0.113.7", &mia, "/v1/channels").await.ok(200);
        from("203.0.113.7", &wrong, "/v1/channels").await.problem(401, "token_invalid");
        from("203.0.113.7", &wrong, "/v1/channels").await.problem(429, "rate_limited");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_in_addresses_are_rate_limited_by_client() {
    let settings =
        [("TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE", "2"), ("TIELINE_SERVER__TRUSTED_PROXIES", "127.0.0.0/8")];
    for app in worlds(&settings).await {
        let post = format!("/v1/return/{NOBODY}?key=wrong&event_name=e&message=m&status=success&username=u");
        for (client, path) in [("203.0.113.7", format!("/hooks/{NOBODY}/wrong")), ("203.0.113.8", post)] {
            for _ in 0..2 {
                let answer = from(client, &app.anon, &path).await;
                assert!([401, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.text);
            }
            let refused = from(client, &app.anon, &path).await;
            assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "30"), "{}", refused.text);
        }
        let (wrong, path) =
            (format!("tlx_{}", "A".repeat(43)), format!("/organisations/acme/integrations/{NOBODY}/settings"));
        let keyed = app.anon.with_token(&wrong);
        for status in [401, 401, 429] {
            from("203.0.113.9", &keyed, &path).await.ok(status);
        }
    }
}

/// Head of a request as from Slack, with this signature and a body of this length to come.
fn head(app: &TestApp, signature: &str, length: usize) -> String {
    let now = app.now().timestamp();
    format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: tieline\r\nContent-Type: application/json\r\nX-Slack-Signature: {signature}\r\n\
         X-Slack-Request-Timestamp: {now}\r\nContent-Length: {length}\r\n\r\n"
    )
}

async fn connect(app: &TestApp) -> TcpStream {
    let url = app.anon.request(Method::GET, "/").build().unwrap().url().clone();
    TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_for_bodies_is_bounded_before_they_are_verified() {
    const BODY: usize = 1 << 20;
    let settings = [("TIELINE_LIMITS__UNVERIFIED_BODY_BUDGET_BYTES", "26214400")];
    for app in worlds(&settings).await {
        let forged = format!("v0={}", "ab".repeat(32));
        let now = app.now().timestamp().to_string();
        let send = async |body: Vec<u8>, signature: &str| {
            let request = app.anon.request(Method::POST, EVENTS).header("Content-Type", "application/json");
            let request = request.header("X-Slack-Signature", signature).header("X-Slack-Request-Timestamp", &now);
            app.anon.send(request.body(body)).await
        };
        // Connections that send nearly all of a body, and then wait: more and more of them. The end of one may find no
        // budget, because of the probe, and is dropped.
        let mut held = Vec::new();
        let refused = until("the budget is used up", LIMIT, async || {
            let mut connection = connect(&app).await;
            connection.write_all(head(&app, &forged, BODY).as_bytes()).await.unwrap();
            _ = connection.write_all(&vec![b'x'; BODY - 1000]).await;
            held.push(connection);
            let answer = send(vec![b'x'; BODY], &forged).await;
            (answer.status == 503).then_some(answer)
        });
        let refused = refused.await;
        assert_eq!((refused.json()["code"].clone(), refused.header("retry-after")), (json!(503), "1"));
        let text = app.metrics();
        assert!(text.contains(r#"tieline_http_refusals_total{reason="unverified_bodies"}"#), "{text}");
        // Authenticated callers have a budget of their own.
        app.owner.post("/v1/channels", &json!({"name": "alerts"})).await.ok(201);
        drop(held);
        let body = json!({"type": "url_verification", "challenge": "c", "padding": "x".repeat(BODY - 100)}).to_string();
        let right = sign(&Options::default().signing_secret, now.as_bytes(), body.as_bytes());
        until("there is room again", LIMIT, async || {
            let answer = send(body.clone().into_bytes(), &right).await;
            (answer.status == 200).then_some(())
        })
        .await;
    }
}

both! {
    async fn a_body_is_not_read_without_a_signature_that_could_be_one(app) {
        use tokio::io::AsyncReadExt;
        for signature in ["", "v0=abc", "v1=00"] {
            let mut connection = connect(&app).await;
            // No byte of the body is ever sent.
            connection.write_all(head(&app, signature, 1 << 20).as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            let read = tokio::time::timeout(LIMIT, connection.read_exact(&mut answer)).await;
            read.expect("an answer").unwrap();
            assert_eq!(&answer, b"HTTP/1.1 401", "{signature}");
        }
    }

    async fn of_a_long_wrong_list_the_first_violations_are_reported(app) {
        let wrong: Value = vec![1; 500_000].into();
        for rules in [
            json!({"repositories": wrong}),
            json!({"repositories": ["acme/web"], "branches": {"include": wrong}}),
            json!({"repositories": ["acme/web"], "workflows": {"names": wrong}}),
        ] {
            let answer = app.owner.post("/v1/routes", &subscription("C0ALERTS", rules)).await;
            let errors = answer.problem(400, "invalid")["errors"].as_array().unwrap().clone();
            assert!((1..=20).contains(&errors.len()), "{}", answer.text);
            assert!(errors[0]["pointer"].as_str().unwrap().ends_with("/0"), "{}", answer.text);
        }
    }

    async fn text_with_a_nul_is_refused_alike(app) {
        for (method, path, body, pointer) in [
            (Method::POST, "/v1/channels", json!({"name": "a\0b"}), "/name"),
            (Method::POST, "/v1/events", json!({"type": "a.b", "data": {"list": ["x", "\0"]}}), "/data/list/1"),
            (Method::POST, "/v1/events", json!({"type": "a.b", "data": {"a\0": 1}}), "/data"),
            (Method::POST, "/v1/organisations", json!({"slug": "a-b", "name": "\0"}), "/name"),
        ] {
            let answer = app.owner.send(app.owner.request(method, path).json(&body)).await;
            let problem = answer.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{path}");
        }
        let path = app.owner.get("/v1/channels/a%00b").await.problem(400, "invalid_parameter");
        assert!(path["detail"].as_str().unwrap().contains("U+0000"), "{path}");
        app.owner.get("/v1/deliveries?cursor=%00").await.problem(400, "invalid_parameter");
        for (path, _, nothing) in DIALECTS {
            let more = if path.contains('?') { '&' } else { '?' };
            let query = app.owner.get(&format!("{path}{more}any=%00")).await;
            assert_eq!(query.status, 400, "{path}: {}", query.text);
            assert_eq!(app.owner.get(&format!("{nothing}%00")).await.status, 400, "{nothing}");
        }
    }

    async fn an_answer_does_not_repeat_a_long_path(app) {
        let long = "a".repeat(60_000);
        for (_, _, nothing) in DIALECTS {
            let answer = app.owner.get(&format!("{nothing}/{long}")).await;
            assert_eq!(answer.status, 404, "{nothing}");
            assert!(answer.text.len() < 2_000, "{nothing}: {} bytes", answer.text.len());
        }
        let event = app.owner.get(&format!("/v1/workflows/{long}")).await;
        assert!(event.status.is_client_error() && event.text.len() < 2_000, "{} bytes", event.text.len());
    }
}

/// Statuses of concurrent requests.
async fn together(requests: impl Iterator<Item = reqwest::RequestBuilder>, caller: &Client) -> Vec<Answer> {
    join_all(requests.map(|request| caller.send(request))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotas_hold_also_for_creations_at_the_same_time() {
    let settings = [
        ("TIELINE_LIMITS__ORGANISATIONS_PER_OWNER", "3"),
        ("TIELINE_LIMITS__WEBHOOKS_PER_ORGANISATION", "2"),
        ("TIELINE_LIMITS__DESTINATIONS_PER_ORGANISATION", "2"),
    ];
    for app in worlds(&settings).await {
        app.advance(Duration::from_secs(1));
        let owner = &app.owner;
        // The owner of `acme` counts as its creator here: the clock stood still in between.
        let post = |path: &str, body: Value| owner.request(Method::POST, path).json(&body);
        let organisations =
            (0..6).map(|n| post("/v1/organisations", json!({"slug": format!("org-{n}"), "name": "Org"})));
        demand(together(organisations, owner).await, (201, 2), (409, "limits.organisations_per_owner"));

        owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
        let hook = |n| {
            let name = format!("hook {n}");
            json!({
                "type": "webhook-incoming", "username": "olga", "channel": "#general", "scriptEnabled": false,
                "name": name, "enabled": true,
            })
        };
        let webhooks = (0..6).map(|n| post("/api/v1/integrations.create", hook(n)));
        demand(together(webhooks, owner).await, (200, 2), (400, "limits.webhooks_per_organisation"));

        // Connecting creates a destination for notifications.
        app.slack.connect(owner, "T0STANDIN", "C0ALERTS").await;
        let rules = json!({"repositories": ["acme/web"]});
        let routed = |n: usize| json!({"kind": "webhook", "url": format!("https://hooks.example/routed/{n}")});
        let routes = (0..6).map(|n| post("/v1/routes", json!({"types": ["*"], "destination": routed(n)})));
        demand(together(routes, owner).await, (201, 1), (409, "limits.destinations_per_organisation"));
        let again = owner.post("/v1/routes", &subscription("C0ALERTS", rules)).await;
        assert_eq!(again.status, 409, "{}", again.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quota_of_destinations_holds_wherever_one_is_set_up() {
    let settings = [("TIELINE_LIMITS__DESTINATIONS_PER_ORGANISATION", "3")];
    for app in worlds(&settings).await {
        let (owner, limit) = (&app.owner, "limits.destinations_per_organisation");
        owner.post("/v1/channels", &json!({"name": "general"})).await.ok(201);
        let webhook = |name: &str, urls: &[&str]| {
            let urls: Vec<String> = urls.iter().map(|url| format!("https://hooks.example/{url}")).collect();
            wanted(&urls.iter().map(String::as_str).collect::<Vec<_>>(), json!({"name": name, "username": "olga"}))
        };
        let made = owner.post("/api/v1/integrations.create", &webhook("one", &["a", "b", "a"])).await.ok(200);
        let refused = owner.post("/api/v1/integrations.create", &webhook("two", &["c", "d"])).await;
        demand(vec![refused], (200, 0), (400, limit));
        let update = async |urls: &[&str]| {
            let mut changed = webhook("one", urls);
            changed["integrationId"] = made["integration"]["_id"].clone();
            owner.send(owner.request(Method::PUT, "/api/v1/integrations.update").json(&changed)).await
        };
        demand(vec![update(&["a", "b", "c", "d"]).await], (200, 0), (400, limit));
        update(&["a", "b", "c"]).await.ok(200);
        let integration = json!({"name": "App", "json_url": "https://apps.example/app.json"});
        let install = || owner.post("/organisations/acme/integrations", &integration);
        assert_eq!(install().await.status, 400);
        let link = app.slack.install(owner, "T0STANDIN").await;
        assert!(link.status.is_client_error() && link.text.contains(limit), "{}", link.text);
        update(&["a"]).await.ok(200);
        install().await.ok(201);
        app.slack.connect(owner, "T0STANDIN", "C0ALERTS").await;
        let wanted_route = subscription("C0ALERTS", json!({"repositories": ["acme/web"]}));
        demand(vec![owner.post("/v1/routes", &wanted_route).await], (201, 0), (409, limit));
        // A webhook that is gone leaves its place to others, as everything else does.
        let gone = json!({"type": "webhook-outgoing", "integrationId": made["integration"]["_id"]});
        owner.post("/api/v1/integrations.remove", &gone).await.ok(200);
        let route = owner.post("/v1/routes", &wanted_route).await.ok(201);
        let path = format!("/v1/routes/{}", route["id"].as_str().unwrap());
        owner.send(owner.request(Method::DELETE, &path)).await;
        owner.post("/api/v1/integrations.create", &webhook("three", &["x"])).await.ok(200);
    }
}

/// Asserts the number of created things, and that the others were refused by the limit.
#[track_caller]
fn demand(answers: Vec<Answer>, (made, count): (u16, usize), (refused, limit): (u16, &str)) {
    let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == made);
    assert_eq!(good.len(), count, "{bad:?}");
    for answer in bad {
        assert!(answer.status == refused && answer.text.contains(limit), "{answer:?}");
    }
}
