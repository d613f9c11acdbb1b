//! Tests of large webhooks: GitHub sends up to 25 MB.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::support::{Deployment, Github, Slack};

/// Maximum size of GitHub's webhooks.
const LIMIT: usize = 25 << 20;

/// Large enough to show the growth of memory.
const CROWDED: usize = 8 << 20;

/// A push of this many bytes.
fn long(installation: i64, bytes: usize) -> Vec<u8> {
    let mut body = json!({
        "installation": {"id": installation}, "ref": "refs/heads/main", "sender": {"login": "ada"}, "forced": true,
        "repository": {"id": 1, "full_name": "acme/web", "default_branch": "main"}, "commits": [], "padding": "",
    })
    .to_string();
    let missing = bytes - body.len();
    body.insert_str(body.len() - 2, &"x".repeat(missing));
    body.into_bytes()
}

/// The same with many small parts, which takes the most memory.
fn crowded(installation: i64, bytes: usize) -> Vec<u8> {
    let mut body = long(installation, 400);
    body.truncate(body.len() - 1);
    body.extend_from_slice(b",\"commits\":[{}");
    while body.len() + 200 < bytes {
        body.extend_from_slice(
            br#",{"id":"6dcb09b5b57875f334f61aebed695e2e4193db5e","message":"Fix","distinct":true,"added":["a"]}"#,
        );
    }
    body.extend_from_slice(b"]}");
    body
}

/// Sends head and body over a connection of its own, and returns the status.
async fn raw(app: &TestApp, hook: &Webhook, length: &str, body: &[&[u8]]) -> u16 {
    let request = app.anon.request(Method::POST, PATH).build().unwrap();
    let url = request.url();
    let mut connection = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: tieline\r\nConnection: close\r\n{length}\r\n");
    for (name, value) in &hook.headers {
        head.push_str(&format!("{name}: {}\r\n", std::str::from_utf8(value).unwrap()));
    }
    connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    for part in body {
        connection.write_all(part).await.unwrap();
    }
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(60), connection.read_exact(&mut answer));
    read.await.expect("an answer").unwrap();
    std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
}

both! {
    async fn the_longest_is_taken_and_kept_and_anything_longer_is_not(app) {
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let installation = app.github.link(&app.owner, "acme", "acme").await;
        let rules = json!({"repositories": ["acme/web"]});
        app.owner.post("/v1/routes", &subscription("C0ALERTS", rules)).await.ok(201);

        let longest = Webhook::new("push", &guid(1), long(installation, LIMIT));
        assert_eq!(longest.body.len(), LIMIT);
        assert_eq!(longest.send(&app).await.ok(202), acknowledgement(1, 0, false));
        let id = app.deliveries("").await[0]["eventId"].as_str().unwrap().to_owned();
        let kept = app.owner.get(&format!("/v1/events/{id}")).await.ok(200);
        assert_eq!(kept["data"], serde_json::from_slice::<Value>(&longest.body).unwrap());
        app.drain().await;
        assert_eq!(app.delivery_of(&id).await["state"], "delivered");

        let chunk = format!("{LIMIT:x}\r\n");
        let pieces = |number| Webhook::new("push", &guid(number), longest.body.clone());
        let chunked = "Transfer-Encoding: chunked";
        let whole: [&[u8]; 3] = [chunk.as_bytes(), &longest.body, b"\r\n0\r\n\r\n"];
        assert_eq!(raw(&app, &pieces(2), chunked, &whole).await, 202);

        let too_long = Webhook::new("push", &guid(3), long(installation, LIMIT + 1));
        let announced = format!("Content-Length: {}", LIMIT + 1);
        assert_eq!(raw(&app, &too_long, &announced, &[]).await, 413, "announced, and nothing sent");
        let chunk = format!("{:x}\r\n", LIMIT + 1);
        let endless: [&[u8]; 2] = [chunk.as_bytes(), &too_long.body];
        assert_eq!(raw(&app, &too_long, chunked, &endless).await, 413, "in pieces, without an end");
        assert_eq!(app.deliveries("").await.len(), 2);

        let unsigned = longest.with("x-hub-signature-256", None);
        let announced = format!("Content-Length: {LIMIT}");
        assert_eq!(raw(&app, &unsigned, &announced, &[]).await, 401, "nothing of it is read");
    }
}

/// Long deliveries, several at once and for several organisations, take memory in proportion and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_deliveries_take_little_memory() {
    let slack = Slack::start(Options::default()).await;
    let server = slack.server();
    let mut deployment = Deployment::new(Database::sqlite(), &slack.base());
    deployment.set("TIELINE_PUBLIC_URL", "http://127.0.0.1").set_all(slack.github_settings());
    let process = deployment.serve("all").await;
    let (webhooks, callback) = (format!("http://{}{PATH}", process.address), "http://127.0.0.1/v1/github/callback");
    let github = Github::new(server.origin(), process.anon(), webhooks, callback).await;
    let mut installation = 0;
    let mut callers = Vec::new();
    for slug in ["acme", "globex"] {
        let caller = process.client(&deployment.owner(slug).await);
        installation = github.link(&caller, slug, "acme").await;
        callers.push(caller);
    }
    let before = process.peak_memory();
    let anon = process.anon();
    let sent = (0..2).map(|number| {
        let hook = Webhook::new("push", &guid(number), crowded(installation, CROWDED));
        let mut request = anon.request(Method::POST, PATH).body(hook.body);
        for (name, value) in hook.headers {
            request = request.header(name, HeaderValue::from_bytes(&value).unwrap());
        }
        async { anon.send(request).await.ok(202) }
    });
    assert_eq!(join_all(sent).await, [acknowledgement(2, 0, false), acknowledgement(2, 0, false)]);
    let grown = (process.peak_memory() - before) >> 20;
    assert!(grown < 500, "{grown} MB for two deliveries of 8 MB at once, each for two organisations");
    for caller in callers {
        let found = caller.get("/v1/events?limit=2").await.ok(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 2);
    }
}
