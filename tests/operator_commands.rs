//! Tests of the commands by which an operator looks after an installation: lists, replays, checks, backups.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::{Value, json};
use standin::Options;

use crate::support::{Database, Deployment, Integration, Process, Reply, Slack, until};

const LIMIT: Duration = Duration::from_secs(30);

/// A deployment with an organisation, a running process, and a webhook that answers 500.
struct Scene {
    deployment: Deployment,
    process: Process,
    token: String,
    target: Integration,
    destination: String,
}

impl Scene {
    async fn start() -> Self {
        let mut deployment = Deployment::bare();
        deployment.set("TIELINE_EGRESS__ALLOW", "127.0.0.0/8").set("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "1");
        let token = deployment.owner("acme").await;
        let process = deployment.serve("all").await;
        let target = Integration::start("output", json!([])).await;
        target.reply(Reply::Text(410, String::new()));
        let to = json!({"kind": "webhook", "name": "billing", "url": format!("{}/billing", target.base())});
        let route = json!({"name": "orders", "types": ["order.*"], "destination": to});
        let route = process.client(&token).post("/v1/routes", &route).await.ok(201);
        let destination = route["destinationId"].as_str().unwrap().to_owned();
        Self { deployment, process, token, target, destination }
    }

    /// Sends an event and waits for its delivery's state.
    async fn deliver(&self, state: &str) -> Value {
        let client = self.process.client(&self.token);
        let event = client.post("/v1/events", &json!({"type": "order.created", "data": {}})).await.ok(202);
        let path = format!("/v1/deliveries?eventId={}", event["id"].as_str().unwrap());
        until("the delivery ends", LIMIT, async || {
            let found = client.get(&path).await.ok(200);
            let delivery = found["data"].get(0).cloned()?;
            (delivery["state"] == state).then_some(delivery)
        })
        .await
    }

    async fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.deployment.run(arguments).await;
        assert!(ran.success, "{ran:?}");
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_finds_out_why_something_did_not_arrive_and_sends_it_again() {
    let scene = Scene::start().await;
    let failed = scene.deliver("failed").await;
    let shown = scene.process.client(&scene.token);

    let listed = scene.lines(&["destination", "list", "--org", "acme"]).await;
    assert_eq!(listed, shown.get("/v1/destinations").await.ok(200)["data"].as_array().unwrap()[..]);
    let by_name = scene.lines(&["destination", "show", "billing", "--org", "acme"]).await;
    assert_eq!((by_name.len(), &by_name[0]["health"]), (1, &json!("disabled")));
    let routes = scene.lines(&["route", "list", "--org", "acme"]).await;
    assert_eq!((routes.len(), &routes[0]["name"]), (1, &json!("orders")));
    assert_eq!(scene.lines(&["route", "show", "orders", "--org", "acme"]).await, routes);

    let list = ["delivery", "list", "--org", "acme", "--state", "failed", "--destination", "billing", "--since", "1h"];
    assert_eq!(scene.lines(&list).await, std::slice::from_ref(&failed));
    assert!(scene.lines(&["delivery", "list", "--org", "acme", "--type", "invoice.*"]).await.is_empty());
    let id = failed["id"].as_str().unwrap();
    let detail = scene.lines(&["delivery", "show", id, "--org", "acme"]).await;
    assert_eq!(detail[0]["attempts"][0]["statusCode"], 410, "{detail:?}");

    let replay = ["delivery", "replay", "--org", "acme"];
    let refused = scene.deployment.run(&[&replay[..], &["--destination", "billing"]].concat()).await;
    assert!(refused.refused().contains("410"), "a disabled destination is not replayed to: {refused:?}");
    let enable = shown.patch(&format!("/v1/destinations/{}", scene.destination), &json!({"enabled": true})).await;
    enable.ok(200);
    scene.target.reply(Reply::Json(json!({})));
    let count = scene.lines(&[&replay[..], &["--destination", "billing", "--dry-run"]].concat()).await;
    assert_eq!(count, [json!({"count": 1, "dryRun": true})]);
    let sent = scene.lines(&[&replay[..], &["--destination", "billing"]].concat()).await;
    assert_eq!(sent, [json!({"count": 1, "dryRun": false})]);
    let path = format!("/v1/deliveries/{id}");
    let delivered = async || (shown.get(&path).await.ok(200)["state"] == "delivered").then_some(());
    until("it is delivered", LIMIT, delivered).await;
    assert_eq!(scene.lines(&[&replay[..], &[id]].concat()).await.len(), 1);

    let audited = shown.get("/v1/audit-log").await.ok(200);
    let replays = audited["data"].as_array().unwrap().iter().filter(|entry| {
        entry["action"].as_str().unwrap().starts_with("delivery.replay") && entry["actor"] == "operator"
    });
    assert_eq!(replays.count(), 2, "{audited}");
}

#[tokio::test]
async fn organisations_members_and_tokens_are_listed() {
    let deployment = Deployment::bare();
    deployment.owner("acme").await;
    deployment.owner("acme-two").await;
    deployment.token("acme", "bob", "member").await;
    let run = async |arguments: &[&str]| {
        let ran = deployment.run(arguments).await;
        assert!(ran.success, "{ran:?}");
        ran.stdout
    };
    let slugs: Vec<Value> =
        run(&["org", "list"]).await.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(slugs.iter().map(|one| &one["slug"]).collect::<Vec<_>>(), ["acme", "acme-two"]);
    let shown: Value = serde_json::from_str(&run(&["org", "show", "acme"]).await).unwrap();
    assert_eq!((&shown["slug"], &shown["members"]), (&json!("acme"), &json!(2)));
    assert_eq!(run(&["member", "list", "--org", "acme"]).await.lines().count(), 2);
    let table = run(&["token", "list", "--org", "acme", "--output", "table"]).await;
    assert!(table.starts_with("ID ") && table.contains("bob") && table.lines().count() == 3, "{table}");
    assert!(!table.contains("tl_"), "the text of a token is never shown again: {table}");
    let unknown = deployment.run(&["member", "list", "--org", "initech"]).await;
    assert!(unknown.refused().contains("there is no organisation initech"), "{unknown:?}");
    let unknown = deployment.run(&["org", "show", "acm"]).await;
    assert!(unknown.refused().contains("there is no organisation acm "), "{unknown:?}");
}

#[tokio::test]
async fn the_configuration_is_checked_and_printed_without_its_secrets() {
    let mut deployment = Deployment::bare();
    let reference = deployment.run(&["config", "print", "--reference"]).await;
    assert_eq!(reference.stdout, include_str!("../src/config.default.toml"));
    let printed = deployment.run(&["config", "print"]).await.stdout;
    fs::write(deployment.path("tieline.toml"), &printed).unwrap();
    assert!(deployment.run(&["config", "check"]).await.success, "what is printed can be read: {printed}");
    fs::remove_file(deployment.path("tieline.toml")).unwrap();

    deployment.set("DATABASE_URL", "postgres://tieline:hush-hush@db/tieline").set("TIELINE_LOG__FORMAT", "json");
    let checked = deployment.run(&["config", "check"]).await.ok();
    assert_eq!(
        checked,
        json!({"valid": true, "database": "postgresql", "changed": ["database_url", "listen", "log.format"]})
    );
    let changed = deployment.run(&["config", "print", "--changed"]).await.stdout;
    assert!(changed.contains("log.format = \"json\"") && !changed.contains("hush-hush"), "{changed}");
    deployment.set("TIELINE_LOG__FORMAT", "xml");
    assert!(deployment.run(&["config", "check"]).await.refused().contains("text or json"));
    assert_eq!(fs::read_dir(&deployment.folder).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn migrations_are_planned_before_they_are_applied() {
    for database in [Some(Database::empty_sqlite()), Database::empty_postgres().await].into_iter().flatten() {
        let deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
        let planned = deployment.run(&["migrate", "--plan"]).await;
        assert!(planned.success && planned.stdout.starts_with("m20261120_000001_core\n"), "{planned:?}");
        assert_eq!(deployment.run(&["migrate", "--plan"]).await.stdout, planned.stdout, "a plan changes nothing");
        assert!(deployment.run(&["migrate"]).await.success);
        assert_eq!(deployment.run(&["migrate", "--plan"]).await.stdout, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_while_the_service_runs_and_restored_elsewhere() {
    let deployment = Deployment::bare();
    let token = deployment.owner("acme").await;
    let process = deployment.serve("all").await;
    let event = process.client(&token).post("/v1/events", &json!({"type": "order.created", "data": {}})).await.ok(202);
    let folder = deployment.path("backup");
    let name = folder.to_str().unwrap();
    let made = deployment.run(&["backup", name]).await.ok();
    assert_eq!((&made["with_key"], &made["folder"]), (&json!(true), &json!(name)));
    let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("tieline.db"), mode("secret.key")), (0o700, 0o600, 0o600));
    assert!(deployment.run(&["backup", name]).await.refused().contains("exists already"));
    assert!(deployment.run(&["restore", name]).await.refused().contains("exists already"));
    process.kill();

    let other = Deployment::bare();
    assert_eq!(other.run(&["restore", name]).await.ok()["with_key"], true);
    let process = other.serve("all").await;
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(process.client(&token).get(&path).await.ok(200)["type"], "order.created");

    let mut wrong = Deployment::bare();
    fs::remove_file(folder.join("secret.key")).unwrap();
    assert!(wrong.run(&["restore", name]).await.refused().contains("TIELINE_SECRET_KEY"));
    assert!(wrong.run(&["restore", "nowhere"]).await.refused().contains("nowhere"));
    wrong.set("DATABASE_URL", "postgres://tieline@127.0.0.1:9/tieline");
    for command in ["backup", "restore"] {
        assert!(wrong.run(&[command, "b"]).await.refused().contains("pg_dump"), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_names_what_is_wrong_with_its_remedy() {
    let slack = Slack::start(Options::default()).await;
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let mut deployment = Deployment::new(database, &slack.base());
        deployment.owner("acme").await;
        let found = async |deployment: &Deployment, check: &str| {
            let ran = deployment.run(&["doctor"]).await;
            let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let one = lines.into_iter().find(|line| line["check"] == check);
            (ran.success, one.unwrap_or_else(|| panic!("{check}: {ran:?}")))
        };
        for check in ["database", "writes", "key", "worker", "destinations", "Slack"] {
            let (success, one) = found(&deployment, check).await;
            assert!(success && one["state"] == "ok", "{one}");
        }
        deployment.set("TIELINE_SLACK__CLIENT_SECRET", "wrong");
        let (success, one) = found(&deployment, "Slack").await;
        assert!(!success && one["found"].as_str().unwrap().contains("bad_client_secret"), "{one}");
        assert!(one["remedy"].as_str().unwrap().contains("slack.client_secret"), "{one}");
        deployment.set("TIELINE_EGRESS__ALLOW", "0.0.0.0/0");
        assert_eq!(found(&deployment, "egress").await.1["state"], "warning");
        deployment.set("DATABASE_URL", "postgres://tieline@127.0.0.1:9/tieline");
        let (success, one) = found(&deployment, "database").await;
        assert!(!success && one["remedy"].as_str().unwrap().contains("DATABASE_URL"), "{one}");
    }
}

#[tokio::test]
async fn a_health_check_asks_the_running_service() {
    let mut deployment = Deployment::bare();
    let process = deployment.serve("all").await;
    deployment.set("TIELINE_LISTEN", process.address.clone());
    assert!(deployment.run(&["healthcheck"]).await.success);
    process.kill();
    assert!(deployment.run(&["healthcheck"]).await.refused().contains("does not answer"));
}

#[tokio::test]
async fn completions_and_manual_pages_are_made_from_the_arguments() {
    let deployment = Deployment::bare();
    for shell in ["bash", "zsh", "fish"] {
        let ran = deployment.run(&["completions", shell]).await;
        assert!(ran.success && ran.stdout.contains("healthcheck"), "{shell}");
    }
    assert!(deployment.run(&["man", "pages"]).await.success);
    let page = fs::read_to_string(deployment.path("pages/tieline-delivery-replay.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("dry\\-run"), "{page}");
}
