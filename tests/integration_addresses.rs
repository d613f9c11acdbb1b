//! Tests of the egress guard through the whole service: each spelling of a forbidden address is refused in the
//! dialect's words when it is saved, and again when it is called, and no connection is opened.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    channel_integrations::{channel, find_id, put, use_in},
    support::{Answer, Database, Integration, Names, Reply, Setup, TestApp},
};

const ALL: &str = "/organisations/acme/integrations";
const CUSTOM: &str = "/organisations/acme/integrations/custom";
/// The only permitted address. The server behind it stands for the public internet.
const PUBLIC: &str = "127.0.0.3";

/// Hosts that are refused by their spelling, independent of the operator's policy.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.0.1.",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "localhost.",
    "ok.example.",
    "user@ok@127.0.0.1",
    "ok.example@127.0.0.1",
    "ok.example\\@127.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "255.255.255.255",
    // Metadata services of clouds and platforms.
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.42.42",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fd00:ec2::23]",
    "[fd20:ce::254]",
    "metadata",
    "metadata.google.internal",
    "METADATA.google.internal",
    "instance-data.ec2.internal",
];

/// Names without a forbidden form, where the operator allows a network, with their addresses.
const NAMES: &[(&str, &[&str])] = &[
    ("localhost", &["127.0.0.1"]),
    ("LOCALHOST", &["127.0.0.1"]),
    ("%6cocalhost", &["127.0.0.1"]),
    ("ｌocalhost", &["127.0.0.1"]),
    ("a.localhost", &["127.0.0.1"]),
    ("printer.local", &["127.0.0.1"]),
    ("secrets.internal", &["127.0.0.1"]),
    ("kubernetes.default.svc", &["127.0.0.1"]),
    ("postgres", &["127.0.0.1"]),
    // A CNAME to an internal host, as it is resolved.
    ("alias.example", &["127.0.0.1"]),
    ("both.example", &["93.184.215.14", "::1"]),
    ("both-ways.example", &["::1", "93.184.215.14"]),
    ("most.example", &["127.0.0.3", "127.0.0.1"]),
    ("mapped.example", &["::ffff:127.0.0.1"]),
    ("translated.example", &["64:ff9b::7f00:1"]),
    ("tunnelled.example", &["2002:7f00:1::"]),
    ("everywhere.example", &["0.0.0.0"]),
    ("cloud.example", &["169.254.169.254"]),
    ("azure.example", &["168.63.129.16"]),
    ("bücher.example", &["127.0.0.1"]),
];

/// Counts connections, at every address of this machine.
struct Trap {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let listener = match tokio::net::TcpListener::bind("[::]:0").await {
            Ok(listener) => listener,
            Err(_) => tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap(),
        };
        let (port, visits) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = visits.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        // A trap that cannot be reached proves nothing.
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        while visits.swap(0, Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        Self { port, visits }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }

    /// Addresses that are refused by their text.
    fn forms(&self) -> Vec<String> {
        let port = self.port;
        let hosts = HOSTS.iter().map(|host| format!("http://{host}:{port}/x"));
        let others = [
            format!("http://ok.example:{port}#@evil.example/"),
            format!("http://127.0.0.1:{port}#@ok.example/"),
            format!("http://{}.example:{port}/", "a".repeat(255)),
            format!("http:127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}/"),
            "http://8.8.8.8:22/".into(),
            "http://8.8.8.8:25/".into(),
            "http://8.8.8.8:6379/".into(),
            format!("gopher://127.0.0.1:{port}/_x"),
            "file:///etc/passwd".into(),
            "ftp://127.0.0.1/".into(),
            "unix:///var/run/docker.sock".into(),
            "data:application/json,{}".into(),
            "javascript:alert(1)".into(),
            // This service itself.
            "http://127.0.0.1:8080/v1/return/x".into(),
        ];
        hosts.chain(others).collect()
    }

    /// Addresses that are refused by the resolution of their names.
    fn named_forms(&self) -> Vec<String> {
        let names = NAMES.iter().map(|(name, _)| format!("http://{name}:{}/x", self.port));
        let ports = [22, 25, 6379].map(|port| format!("http://ok.example:{port}/x"));
        names.chain(ports).collect()
    }

    /// A service that calls only [`PUBLIC`], by any name that leads there.
    async fn app(&self, names: &Arc<Names>) -> TestApp {
        for (name, addresses) in NAMES {
            let url = reqwest::Url::parse(&format!("http://{name}/")).unwrap();
            names.set(url.host_str().unwrap(), addresses);
        }
        names.set("ok.example", &["93.184.215.14"]);
        let settings = vec![
            ("TIELINE_EGRESS__ALLOW", format!("{PUBLIC}/32")),
            ("TIELINE_EGRESS__HTTPS_ONLY", "false".to_owned()),
            ("TIELINE_EGRESS__PORTS", self.port.to_string()),
        ];
        let setup = Setup { settings, names: Some(names.clone()), ..Setup::default() };
        TestApp::start_with(Database::sqlite(), setup).await
    }
}

#[track_caller]
fn refused(answer: &Answer, of: &str) {
    assert_eq!(answer.status, 400, "{of}: {}", answer.text);
    let body = answer.json();
    let reported = (&body["status"], &body["status_code"], &body["message"]);
    assert_eq!(reported, (&json!("error"), &json!(400), &json!("Invalid JSON URL supplied.")), "{of}: {}", answer.text);
    assert!(body["error"].as_str().unwrap().starts_with("/json_url: "), "{of}: {}", answer.text);
}

/// Saves an address by each operation that takes one, and asserts that each refuses it.
async fn refused_by_every_operation(app: &TestApp, classic: &str, custom: &str, json_url: &str, of: &str) {
    let owner = &app.owner;
    let body = json!({"json_url": json_url});
    refused(&owner.post(ALL, &json!({"name": "n", "json_url": json_url})).await, of);
    refused(&owner.patch(&format!("{ALL}/{classic}"), &body).await, of);
    refused(&owner.post(CUSTOM, &body).await, of);
    let put = owner.request(Method::PUT, &format!("{CUSTOM}/{custom}")).json(&body);
    refused(&owner.send(put).await, of);
}

/// A classic and a custom app, both valid.
async fn installed(app: &TestApp, integration: &Integration) -> (String, String) {
    let new = json!({"name": "classic", "json_url": integration.json_url()});
    let made = app.owner.post(ALL, &new).await.ok(201);
    app.owner.post(CUSTOM, &json!({"json_url": integration.json_url()})).await.ok(201);
    (made["data"]["id"].as_str().unwrap().to_owned(), find_id(app, integration).await.unwrap())
}

async fn addresses(app: &TestApp) -> Vec<Value> {
    let listed = app.owner.get(ALL).await.ok(200)["data"].clone();
    let own = listed.as_array().unwrap().iter().filter(|one| one["is_system_integration"] == false);
    own.map(|one| one["json_url"].clone()).collect()
}

#[tokio::test]
async fn no_descriptor_is_fetched_from_inside() {
    let (trap, names) = (Trap::set().await, Arc::new(Names::default()));
    let app = trap.app(&names).await;
    let integration = Integration::start_at(PUBLIC, "output", json!([])).await;
    let (classic, custom) = installed(&app, &integration).await;
    let before = addresses(&app).await;
    for form in trap.forms().into_iter().chain(trap.named_forms()) {
        refused_by_every_operation(&app, &classic, &custom, &form, &form).await;
        app.owner.post("/v1/apps/lint", &json!({"url": form})).await.problem(400, "invalid");
    }
    // A name that is valid when it is saved, and leads inside when it is read again.
    names.set("moves.example", &[PUBLIC]);
    let url = format!("{}/me.json", integration.base().replace(PUBLIC, "moves.example"));
    app.owner.post(CUSTOM, &json!({"json_url": url})).await.ok(201);
    names.set("moves-too.example", &["127.0.0.1"]);
    refused_by_every_operation(&app, &classic, &custom, &url.replace("moves", "moves-too"), "moves-too.example").await;
    // Redirections are not followed.
    integration.describe_by(Reply::Redirect(format!("http://127.0.0.1:{}/", trap.port)));
    refused(&app.owner.post(CUSTOM, &json!({"json_url": integration.json_url()})).await, "302");
    app.owner.post(ALL, &json!({"name": "n", "json_url": integration.json_url()})).await.ok(201);
    assert_eq!(addresses(&app).await.len(), before.len() + 2, "the two good ones");
    assert_eq!(trap.visits(), 0);
}

#[tokio::test]
async fn no_descriptor_names_an_address_inside() {
    let (trap, names) = (Trap::set().await, Arc::new(Names::default()));
    let app = trap.app(&names).await;
    let settings = vec![("TIELINE_EGRESS__ALLOW", String::new())];
    let strict = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let interval = json!([{"label": "interval", "type": "text", "required": true, "default": "* * * * *"}]);
    let integration = Integration::start_at(PUBLIC, "interval", interval.clone()).await;
    let (classic, custom) = installed(&app, &integration).await;
    for address in ["target_url", "tick_url"] {
        let describe = |form: &str| {
            let mut document = integration.descriptor("interval", interval.clone());
            document["data"][address] = json!(form);
            document
        };
        let judged = async |app: &TestApp, body: Value| {
            let report = app.owner.post("/v1/apps/lint", &body).await.ok(200);
            let path = format!("/data/{address}");
            let about = |one: &&Value| one["severity"] == "error" && one["path"] == path.as_str();
            assert_eq!(report["valid"], false, "{body}: {report}");
            assert!(report["findings"].as_array().unwrap().iter().any(|one| about(&one)), "{body}: {report}");
        };
        for form in trap.forms() {
            let of = format!("{address} {form}");
            let document = describe(&form);
            integration.describe(&document.to_string());
            refused_by_every_operation(&app, &classic, &custom, &integration.json_url(), &of).await;
            judged(&app, json!({"url": integration.json_url()})).await;
            judged(&strict, json!({"document": document})).await;
        }
        // Without any network of the operator's, these names are refused by their text.
        for (name, _) in &NAMES[..9] {
            judged(&strict, json!({"document": describe(&format!("https://{name}/"))})).await;
        }
    }
    assert_eq!(addresses(&app).await.len(), 2);
    assert_eq!(trap.visits(), 0);
}

#[tokio::test]
async fn what_leads_inside_when_it_is_called_is_not_called() {
    let (trap, names) = (Trap::set().await, Arc::new(Names::default()));
    let app = trap.app(&names).await;
    let channel = channel(&app).await;
    let interval = json!([{"label": "interval", "type": "text", "required": true, "default": "* * * * *"}]);
    for (kind, address) in [("modifier", "target_url"), ("output", "target_url"), ("interval", "tick_url")] {
        let settings = if kind == "interval" { interval.clone() } else { json!([]) };
        let integration = Integration::start_at(PUBLIC, kind, settings.clone()).await;
        let id = use_in(&app, &channel, &integration).await;
        let here = format!("/v1/channels/{channel}/apps/{id}");
        let attempt = async |form: &str| {
            app.advance(std::time::Duration::from_secs(60));
            match kind {
                "interval" => assert_eq!(app.app.apps.tick(10).await.unwrap(), 1, "{form}"),
                _ => drop(app.owner.post("/v1/events", &message(&channel)).await.ok(202)),
            }
            app.drain().await;
            app.deliveries("state=failed").await.first().cloned()
        };
        let mut failed = attempt("before").await;
        // The names resolve to nothing when they are saved. Then those of the table lead inside, and the last does so
        // later.
        let later = format!("http://{kind}-later.example:{}/x", trap.port);
        names.set(&format!("{kind}-later.example"), &[PUBLIC]);
        for form in trap.named_forms().into_iter().chain([later]) {
            let mut document = integration.descriptor(kind, settings.clone());
            document["data"][address] = json!(form);
            if kind == "interval" {
                document["data"]["target_url"] = json!("");
            }
            integration.describe(&document.to_string());
            let put = app.owner.request(Method::PUT, &format!("{CUSTOM}/{id}"));
            app.owner.send(put.json(&json!({"json_url": integration.json_url()}))).await.ok(200);
            names.set(&format!("{kind}-later.example"), &["127.0.0.1"]);
            let now = attempt(&form).await;
            assert_ne!(now, failed, "{kind} {form}");
            let reason = now.as_ref().unwrap()["reason"].as_str().unwrap().to_owned();
            let words = ["leads to a private", "has the port", "private network"];
            assert!(words.iter().any(|one| reason.contains(one)), "{kind} {form}: {reason}");
            failed = now;
        }
        assert_eq!(trap.visits(), 0, "{kind}");
        // Redirections in an answer are not followed either.
        integration.describe(&integration.descriptor(kind, settings).to_string());
        let put_custom = app.owner.request(Method::PUT, &format!("{CUSTOM}/{id}"));
        app.owner.send(put_custom.json(&json!({"json_url": integration.json_url()}))).await.ok(200);
        integration.reply(Reply::Redirect(format!("http://127.0.0.1:{}/", trap.port)));
        assert_ne!(attempt("302").await, failed, "{kind}");
        assert_eq!(trap.visits(), 0, "{kind}");
        put(&app, &here, json!({"active": false})).await;
    }
}

fn message(channel: &str) -> Value {
    json!({"type": "message.posted", "channelId": channel, "data": {"message": "hello"}})
}
