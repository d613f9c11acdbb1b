//! Tests of `tieline listen`: the real binary relays from a real server to a real local one.

use std::{io::Write, net::TcpListener, process::ChildStdin, time::Duration};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::{Call, Client, Deployment, Integration, Process, Reply, until};

const LIMIT: Duration = Duration::from_secs(30);

/// A server with an organisation, and a local server beside it.
struct Scene {
    deployment: Deployment,
    server: Process,
    token: String,
    local: Integration,
}

/// A running command.
struct Listener {
    process: Process,
    input: ChildStdin,
}

impl Scene {
    async fn start() -> Self {
        let mut deployment = Deployment::bare();
        // No other process binds it: the kernel gives out other ports until it comes round.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        deployment.set("TIELINE_LISTEN", free.to_string()).set("TIELINE_EGRESS__ALLOW", "127.0.0.0/8");
        let token = deployment.owner("acme").await;
        let server = deployment.serve("all").await;
        Self { deployment, server, token, local: Integration::start("output", json!([])).await }
    }

    fn owner(&self) -> Client {
        self.server.client(&self.token)
    }

    fn hook(&self) -> String {
        format!("{}/hook", self.local.base())
    }

    async fn listen(&self, arguments: &[&str]) -> Listener {
        let (url, server) = (self.hook(), format!("http://{}", self.server.address));
        let begin = ["listen", &url, "--server", &server, "--token", &self.token];
        Listener::begin(&self.deployment, &[&begin, arguments].concat()).await
    }

    async fn calls(&self, count: usize) -> Vec<Call> {
        until("the calls are relayed", LIMIT, async || {
            let calls = self.local.calls();
            (calls.len() >= count).then_some(calls)
        })
        .await
    }
}

impl Listener {
    async fn begin(deployment: &Deployment, arguments: &[&str]) -> Self {
        let (process, input) = deployment.start(arguments);
        let this = Self { process, input };
        this.says("ready").await;
        this
    }

    async fn says(&self, text: &str) -> String {
        until(text, LIMIT, async || Some(self.process.output()).filter(|output| output.contains(text))).await
    }

    fn type_in(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn secret(&self) -> String {
        let output = self.process.output();
        output.lines().find_map(|line| line.strip_prefix("signing secret: ")).unwrap().to_owned()
    }

    async fn ends(mut self) {
        self.process.terminate();
        let (status, _) = self.process.exited(LIMIT).await;
        assert!(status.success(), "{status}: {}", self.process.output());
    }
}

async fn send(owner: &Client, kind: &str) -> String {
    let event = json!({"type": kind, "attributes": {"region": "eu"}, "data": {"total": 12}});
    owner.post("/v1/events", &event).await.ok(202)["id"].as_str().unwrap().to_owned()
}

fn is_signed(call: &Call, secret: &str) -> bool {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, call.header(name).parse().unwrap());
    }
    Webhook::new(secret).unwrap().verify(&call.raw, &headers).is_ok()
}

/// The command of the guide, as a shell would take it apart.
fn guides_command(url: &str, server: &str, token: &str) -> Vec<String> {
    let page = std::fs::read_to_string("docs/guide/events-and-deliveries.md").unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix("tieline ")).unwrap();
    let word = |word: &str| match word {
        "http://localhost:3000/hooks" => url.to_owned(),
        "\"$TIELINE\"" => server.to_owned(),
        "\"$TOKEN\"" => token.to_owned(),
        word => word.trim_matches('\'').to_owned(),
    };
    line.split_whitespace().map(word).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_relayed_signed_and_sent_again_as_the_guide_says() {
    let scene = Scene::start().await;
    let owner = scene.owner();
    send(&owner, "order.before").await;
    let command = guides_command(&scene.hook(), &format!("http://{}", scene.server.address), &scene.token);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut listener = Listener::begin(&scene.deployment, &command).await;

    let first = send(&owner, "order.created").await;
    send(&owner, "invoice.paid").await;
    let second = send(&owner, "Order.paid").await;
    let calls = scene.calls(2).await;
    assert_eq!(calls.iter().map(|call| &call.body["id"]).collect::<Vec<_>>(), [&json!(first), &json!(second)]);
    let secret = listener.secret();
    assert!(calls.iter().all(|call| is_signed(call, &secret)), "{calls:?}");
    assert_eq!(calls[0].header("content-type"), "application/json");
    assert_eq!(calls[0].header("webhook-id"), format!("msg_{}", first.replace('-', "")));
    let event = owner.get(&format!("/v1/events/{first}")).await.ok(200);
    let expected = json!({
        "id": first, "type": "order.created", "timestamp": event["createdAt"], "source": "api",
        "attributes": {"region": "eu"}, "data": {"total": 12},
    });
    assert_eq!(calls[0].body, expected);
    let output = listener.says("2  Order.paid").await;
    let line = output.lines().find(|line| line.contains("1  order.created")).unwrap();
    assert!(line.contains(&first) && line.contains("  202  ") && line.ends_with(" ms"), "{line}");

    listener.type_in("r 1");
    let calls = scene.calls(3).await;
    assert_eq!((&calls[2].raw, calls[2].header("webhook-id")), (&calls[0].raw, calls[0].header("webhook-id")));
    assert!(is_signed(&calls[2], &secret));
    listener.type_in("r");
    assert_eq!(scene.calls(4).await[3].body["id"], second);
    listener.type_in("r 9");
    listener.says("there is no call 9 among the last 100").await;
    listener.type_in("again");
    listener.says("enter r and the number of a call").await;
    listener.ends().await;

    let again = scene.listen(&["--source", "slack,github*"]).await;
    assert_eq!(again.secret(), secret, "the same token has the same secret");
    drop(again.input);
    assert_eq!(scene.local.calls().len(), 4, "what was relayed by a former run is not relayed again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_server_loses_and_repeats_nothing() {
    let mut scene = Scene::start().await;
    let mut listener = scene.listen(&["--print-json"]).await;
    let mut sent = Vec::new();
    for round in 0..3 {
        for number in 0..10 {
            sent.push(send(&scene.owner(), &format!("order.{round}_{number}")).await);
        }
        if round < 2 {
            scene.server.terminate();
            scene.server.exited(LIMIT).await;
            listener.says("is away").await;
            scene.server = scene.deployment.serve("all").await;
        }
    }
    let calls = scene.calls(30).await;
    listener.says("the server is back").await;
    listener.type_in("r 30");
    let calls_after = scene.calls(31).await;
    assert_eq!(calls_after.len(), 31, "nothing else was sent meanwhile");
    let relayed: Vec<&str> = calls.iter().map(|call| call.body["id"].as_str().unwrap()).collect();
    assert_eq!(relayed, sent);
    listener.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deliveries_of_a_destination_are_relayed_as_they_were_sent() {
    let scene = Scene::start().await;
    let owner = scene.owner();
    let target = Integration::start("output", json!([])).await;
    let destination = json!({"kind": "webhook", "url": format!("{}/billing", target.base())});
    let route = json!({"types": ["order.*"], "template": {"sum": "{{ data.total }}"}, "destination": destination});
    let route = owner.post("/v1/routes", &route).await.ok(201);
    let id = route["destinationId"].as_str().unwrap();
    let listener = scene.listen(&["--destination", id, "--print-json"]).await;

    send(&owner, "order.created").await;
    send(&owner, "invoice.paid").await;
    let calls = scene.calls(1).await;
    assert_eq!((&calls[0].raw, &calls[0].body), (&target.calls()[0].raw, &json!({"sum": 12})));
    assert_eq!(calls[0].header("webhook-id"), target.calls()[0].header("webhook-id"), "it is the same delivery");
    assert!(is_signed(&calls[0], &listener.secret()));

    owner.patch(&format!("/v1/destinations/{id}"), &json!({"enabled": false})).await.ok(200);
    scene.local.reply(Reply::Text(500, String::new()));
    send(&owner, "order.refused").await;
    let output = listener.says("not sent (failed)").await;
    let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!((&lines[0]["status"], &lines[0]["body"]), (&json!(202), &json!({"sum": 12})));
    assert_eq!((&lines[1]["type"], &lines[1]["number"]), (&json!("order.refused"), &json!(2)));
    assert_eq!(lines.len(), 2, "{output}");
    listener.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_is_reported_with_its_reason() {
    let scene = Scene::start().await;
    let server = format!("http://{}", scene.server.address);
    let member = scene.deployment.token("acme", "mia", "member").await;
    let missing = "0199c1de-0000-7000-8000-000000000001";
    for (arguments, expected) in [
        (vec!["--token", "tl_wrong"], "the token is not valid"),
        (vec!["--token", &member], "403"),
        (vec!["--token", &scene.token, "--destination", missing], "404"),
        (vec!["--token", &scene.token, "--secret", "whsec_x"], "base64 of 24 to 64 bytes"),
        (vec!["--token", &scene.token, "--types", "a", "--destination", missing], "cannot be used with"),
        (vec![], "--token"),
    ] {
        let ran =
            scene.deployment.run(&[&["listen", &scene.hook(), "--server", &server], &arguments[..]].concat()).await;
        assert!(ran.refused().contains(expected), "{ran:?}");
    }
    let ran = scene.deployment.run(&["listen", "localhost:3000", "--token", "t"]).await;
    assert!(ran.refused().contains("http://localhost:3000/hooks"), "{ran:?}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (away, _input) = scene.deployment.start(&[
        "listen",
        "http://localhost:1/",
        "--server",
        &format!("http://{nobody}"),
        "--token",
        "t",
    ]);
    until("it says that the server is away", LIMIT, async || {
        away.output().contains("is away (no connection)").then_some(())
    })
    .await;
    let arguments = ["listen", &format!("http://{nobody}/"), "--server", &server, "--token", &scene.token];
    let listener = Listener::begin(&scene.deployment, &arguments).await;
    send(&scene.owner(), "order.created").await;
    listener.says(&format!("no server answers at http://{nobody}/")).await;
    listener.ends().await;
}
