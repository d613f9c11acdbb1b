//! Tests of the real binary's command line: output, refusals, and their texts.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use standin::Options;

use crate::support::{Database, Deployment, Slack, step, until};

const LIMIT: Duration = Duration::from_secs(30);
const OLD_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A deployment with an organisation `acme`.
async fn with_acme() -> Deployment {
    let deployment = Deployment::bare();
    deployment.run(&["org", "create", "acme", "--name", "Acme Ltd"]).await.ok();
    deployment
}

fn keys(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn help_lists_the_commands() {
    let deployment = Deployment::bare();
    let ran = deployment.run(&["--help"]).await;
    assert!(ran.success && ran.stderr.is_empty(), "{ran:?}");
    for command in [
        "serve",
        "migrate",
        "doctor",
        "config",
        "backup",
        "restore",
        "org",
        "member",
        "token",
        "route",
        "destination",
        "delivery",
        "key",
        "registry",
        "listen",
        "healthcheck",
        "openapi",
        "completions",
        "man",
    ] {
        assert!(ran.stdout.lines().any(|line| line.trim().starts_with(command)), "{command}: {}", ran.stdout);
        let help = deployment.run(&[command, "--help"]).await;
        assert!(help.success && help.stdout.contains("Usage: tieline"), "{help:?}");
    }
    assert!(!ran.stdout.contains("script-worker"), "it is an internal command: {}", ran.stdout);
    let version = deployment.run(&["--version"]).await;
    assert_eq!(version.stdout.trim(), concat!("tieline ", env!("CARGO_PKG_VERSION")));
    for wrong in [&[][..], &["serv"], &["serve", "--role", "king"], &["org", "create"], &["token", "create"]] {
        let ran = deployment.run(wrong).await;
        let reported = ["Usage: tieline", "possible values"].iter().any(|reported| ran.refused().contains(reported));
        assert!(reported, "{ran:?}");
    }
    assert_eq!(std::fs::read_dir(&deployment.folder).unwrap().count(), 0, "asking for help leaves nothing behind");
}

#[tokio::test]
async fn an_organisation_is_made_once() {
    let deployment = Deployment::bare();
    let made = deployment.run(&["org", "create", "acme", "--name", "Acme Ltd"]).await.ok();
    assert_eq!(keys(&made), ["id", "slug", "name"]);
    assert_eq!((&made["slug"], &made["name"]), (&"acme".into(), &"Acme Ltd".into()));
    assert_eq!(deployment.run(&["org", "create", "globex"]).await.ok()["name"], "globex");
    let again = deployment.run(&["org", "create", "acme"]).await;
    assert!(again.refused().contains("the slug \"acme\" is taken"), "{again:?}");
    let wrong = deployment.run(&["org", "create", "Acme Ltd"]).await;
    assert!(wrong.refused().contains("a-z, 0-9 and -"), "{wrong:?}");
}

#[tokio::test]
async fn a_token_makes_its_member_once() {
    let deployment = with_acme().await;
    let create = ["token", "create", "--org", "acme", "--user", "ada"];
    let first = deployment.run(&[&create[..], &["--role", "admin", "--email", "ada@example.org"]].concat()).await.ok();
    for key in ["token", "user_id", "organisation_id"] {
        assert!(first[key].is_string(), "{first}");
    }
    let second = deployment.run(&create).await.ok();
    assert_eq!(first["user_id"], second["user_id"]);
    assert_ne!(first["token"], second["token"]);

    let process = deployment.serve("api").await;
    for made in [&first, &second] {
        let client = process.client(made["token"].as_str().unwrap());
        let path = format!("/v1/organisations/{}/members", made["organisation_id"].as_str().unwrap());
        let members = client.get(&path).await.ok(200);
        assert_eq!(members["data"].as_array().unwrap().len(), 1, "{members}");
        let member = &members["data"][0];
        let found = [&member["username"], &member["role"], &member["email"]];
        assert_eq!(found, ["ada", "admin", "ada@example.org"], "the second command changed nothing");
    }

    for (arguments, expected) in [
        (["--org", "nope", "--user", "ada", "--role", "owner"], "there is no organisation nope"),
        (["--org", "acme", "--user", "bob", "--role", "king"], "must be owner, admin or member"),
        (["--org", "acme", "--user", "a b", "--role", "owner"], "username"),
    ] {
        let ran = deployment.run(&[&["token", "create"], &arguments[..]].concat()).await;
        assert!(ran.refused().contains(expected), "{ran:?}");
    }
}

#[tokio::test]
async fn an_operators_token_is_made_listed_and_revoked() {
    let deployment = with_acme().await;
    let create = ["token", "create", "--operator", "--name", "Nina"];
    let made = deployment.run(&[&create[..], &["--expires", "90d"]].concat()).await.ok();
    assert_eq!(keys(&made), ["token", "token_id", "name"]);
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("tlo_") && made["name"] == "Nina", "{made}");
    let listed = deployment.run(&["token", "operators"]).await;
    assert!(listed.success && !listed.stdout.contains(text), "{listed:?}");
    let listed: Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    assert_eq!((&listed["token_id"], listed["expires_at"].is_string()), (&made["token_id"], true));
    let process = deployment.serve("api").await;
    let client = process.client(text);
    assert_eq!(client.get("/v1/operator/organisations").await.ok(200)["data"][0]["slug"], "acme");
    client.get("/v1/organisations").await.problem(401, "not_a_member");
    let revoked = deployment.run(&["token", "revoke", text]).await.ok();
    assert_eq!((&revoked["token_id"], &revoked["revoked"]), (&made["token_id"], &true.into()));
    client.get("/v1/operator/organisations").await.problem(401, "token_revoked");
    for (arguments, expected) in [
        (&["--operator"][..], "--name"),
        (&["--operator", "--name", "N", "--org", "acme"], "cannot be used with"),
        (&["--operator", "--name", "N", "--expires", "soon"], "90d"),
        (&["--operator", "--name", "N", "--expires", "2020-01-01T00:00:00Z"], "must be in the future"),
        (&["--name", "N"], "--org"),
    ] {
        let ran = deployment.run(&[&["token", "create"], arguments].concat()).await;
        assert!(ran.refused().contains(expected), "{ran:?}");
    }
    let short = ["token", "create", "--org", "acme", "--user", "ada", "--name", "short", "--expires", "12h"];
    let made = deployment.run(&short).await.ok();
    let client = process.client(made["token"].as_str().unwrap());
    let token = &client.get("/v1/tokens").await.ok(200)["data"][0];
    assert_eq!((&token["name"], token["expiresAt"].is_string()), (&json!("short"), true));
}

#[tokio::test]
async fn a_revoked_token_is_soon_refused_by_a_running_server() {
    let mut deployment = with_acme().await;
    deployment.set("TIELINE_AUTH__CACHE_SECS", "1");
    let create = ["token", "create", "--org", "acme", "--user", "ada", "--role", "owner"];
    let process = deployment.serve("api").await;
    for by_text in [true, false] {
        let made = deployment.run(&create).await.ok();
        let (text, id) = (made["token"].as_str().unwrap(), made["token_id"].as_str().unwrap());
        let client = process.client(text);
        client.get("/v1/organisations").await.ok(200);
        let revoked = deployment.run(&["token", "revoke", if by_text { text } else { id }]).await.ok();
        assert_eq!((&revoked["token_id"], &revoked["revoked"]), (&made["token_id"], &true.into()));
        let begun = std::time::Instant::now();
        let refused = until("the token is refused", LIMIT, async || {
            let answer = client.get("/v1/organisations").await;
            (answer.status == 401).then_some(answer)
        })
        .await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(refused.text.contains("revoked"), "{}", refused.text);
        let again = deployment.run(&["token", "revoke", id]).await.ok();
        assert_eq!(again["revoked"], true, "a second time changes nothing");
    }
    for unknown in ["nonsense", "tl_nonsense", "01a1fba0-bef7-7000-a896-5d7ab42cd6e7"] {
        let ran = deployment.run(&["token", "revoke", unknown]).await;
        assert!(ran.refused().contains("there is no token"), "{ran:?}");
    }
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let databases = [Some(Database::empty_sqlite()), Database::empty_postgres().await];
    for database in databases.into_iter().flatten() {
        let deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
        for _ in 0..2 {
            let ran = deployment.run(&["migrate"]).await;
            assert!(ran.success && ran.stdout.is_empty(), "{ran:?}");
        }
        deployment.run(&["org", "create", "acme"]).await.ok();
        assert!(deployment.run(&["migrate"]).await.success);
        assert!(!deployment.run(&["org", "create", "acme"]).await.success, "it is still there");
    }
}

#[tokio::test]
async fn the_documents_are_checked_one_by_one() {
    let deployment = Deployment::bare();
    let check = async || deployment.run(&["openapi", "--check"]).await;
    let missing = check().await;
    let lines: Vec<&str> = missing.refused().lines().collect();
    assert!(lines.len() >= 3, "{missing:?}");
    for line in lines {
        assert!(line.contains("openapi/") && line.contains(".json cannot be read"), "{line}");
    }
    std::fs::create_dir(deployment.path("openapi")).unwrap();
    assert!(deployment.run(&["openapi"]).await.success);
    let ran = check().await;
    assert!(ran.success && ran.stderr.is_empty(), "{ran:?}");
    std::fs::write(deployment.path("openapi/native.json"), "{}").unwrap();
    let changed = check().await;
    assert_eq!(changed.refused().lines().count(), 1, "{changed:?}");
    assert!(changed.stderr.contains("openapi/native.json is not up to date; run `tieline openapi`"), "{changed:?}");
}

#[tokio::test]
async fn versions_in_the_registry_are_approved_and_deprecated() {
    let deployment = with_acme().await;
    let token = deployment.run(&["token", "create", "--org", "acme", "--user", "ada", "--role", "owner"]).await.ok();
    let process = deployment.serve("api").await;
    let ada = process.client(token["token"].as_str().unwrap());
    let (all, version) =
        ("/v1/admin/integrations", json!({"name": "acme/teams", "version": "1.0.0", "url": "https://a.example/"}));
    let ask = async |method: Method, path: &str, body: Value| {
        ada.send(ada.request(method, path).header("x-workspace-id", "acme").json(&body)).await.ok(200)
    };
    let made = ask(Method::POST, all, version).await;
    let id = made["integration"]["id"].as_str().unwrap();
    assert_eq!(deployment.run(&["registry", "pending"]).await.stdout, "");
    ask(Method::POST, &format!("{all}/request-verification"), json!({"integrationId": id})).await;
    let pending = deployment.run(&["registry", "pending"]).await.ok();
    assert_eq!(
        (&pending["id"], &pending["name"], &pending["verification"]),
        (&json!(id), &json!("acme/teams"), &json!("pending"))
    );

    let set = deployment.run(&["registry", "set", id, "--verification", "approved"]).await.ok();
    assert_eq!((&set["verification"], &set["lifecycle"]), (&json!("approved"), &json!("published")));
    let shown = ask(Method::GET, &format!("{all}/{id}"), json!({})).await;
    assert_eq!(shown["integration"]["verificationStatus"], "approved");
    assert_eq!(deployment.run(&["registry", "pending"]).await.stdout, "");

    let wanted = json!({"registryVersion": {"name": "acme/teams"}});
    let installed = ada.post("/v1/apps", &wanted).await.ok(201);
    let set = deployment.run(&["registry", "set", id, "--lifecycle", "deprecated"]).await.ok();
    assert_eq!((&set["verification"], &set["lifecycle"]), (&json!("approved"), &json!("deprecated")));
    let refused = ada.post("/v1/apps", &wanted).await.problem(409, "failed_precondition");
    assert!(refused.to_string().contains("acme/teams 1.0.0 is deprecated"), "{refused}");
    assert_eq!(ada.get("/v1/apps").await.ok(200)["data"], json!([installed]), "an installed one goes on");

    let ran =
        deployment.run(&["registry", "set", "intver_01JVYWESY3BVAM5FR3XT9X813H", "--lifecycle", "published"]).await;
    assert!(ran.refused().contains("intver_01JVYWESY3BVAM5FR3XT9X813H"), "{ran:?}");
    let ran = deployment.run(&["registry", "set", id, "--verification", "good"]).await;
    assert!(ran.refused().contains("unapproved, pending, approved, rejected"), "{ran:?}");
}

/// Asserts that an event of `acme` still gets to Slack: its token can be decrypted.
async fn delivers(deployment: &Deployment, slack: &Slack, token: &str) {
    let before = slack.messages("C0ALERTS").await.len();
    let mut process = deployment.serve("all").await;
    process.client(token).post("/v1/events", &step("sealed")).await.ok(202);
    until("the message arrives", LIMIT, async || (slack.messages("C0ALERTS").await.len() > before).then_some(())).await;
    // Not killed: on PostgreSQL a dead worker's lease has to end first.
    process.terminate();
    assert!(process.exited(LIMIT).await.0.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_is_deleted_with_all_that_is_its_own() {
    let slack = Slack::start(Options::default()).await;
    slack.unlimited().await;
    let deployment = Deployment::new(Database::sqlite(), &slack.base());
    let mut process = deployment.serve("api").await;
    let token = deployment.connected(&process, "acme", &slack, ("T0STANDIN", "C0ALERTS")).await;
    let other = deployment.connected(&process, "globex", &slack, ("T0SECOND", "C1ALERTS")).await;
    process.client(&token).post("/v1/events", &step("too late")).await.ok(202);

    assert!(deployment.run(&["org", "delete", "initech"]).await.refused().contains("initech"));
    let ran = deployment.run(&["org", "delete", "acme"]).await.ok();
    assert_eq!((&ran["slug"], &ran["deleted"]), (&json!("acme"), &json!(true)));
    assert_eq!(slack.calls("auth.revoke").await.len(), 1, "Slack hears of it");
    process.terminate();
    assert!(process.exited(LIMIT).await.0.success());

    let process = deployment.serve("all").await;
    process.client(&token).get("/v1/organisations").await.problem(401, "token_invalid");
    process.client(&other).post("/v1/events", &step("still here")).await.ok(202);
    until("the other's message arrives", LIMIT, async || (!slack.messages("C1ALERTS").await.is_empty()).then_some(()))
        .await;
    assert!(slack.messages("C0ALERTS").await.is_empty(), "pending deliveries are not sent");
    deployment.run(&["org", "create", "acme"]).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_a_file_is_rotated() {
    let slack = Slack::start(Options::default()).await;
    slack.unlimited().await;
    let mut deployment = Deployment::new(Database::sqlite(), &slack.base());
    deployment.unset("TIELINE_SECRET_KEY");
    let process = deployment.serve("api").await;
    let token = deployment.connected(&process, "acme", &slack, ("T0STANDIN", "C0ALERTS")).await;
    drop(process);
    let file = deployment.path("data/secret.key");
    let mut former = Vec::new();
    for _ in 0..2 {
        let key = std::fs::read_to_string(&file).unwrap();
        assert_eq!(key.lines().count(), 1);
        assert!(!former.contains(&key), "it is a new one");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        former.push(key);
        delivers(&deployment, &slack, &token).await;
        assert_eq!(deployment.run(&["key", "rotate"]).await.ok()["rewrapped"], 1);
        delivers(&deployment, &slack, &token).await;
    }
    let beside: Vec<_> = std::fs::read_dir(deployment.path("data")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(beside.len(), 1, "nothing is left beside the key: {beside:?}");

    std::fs::write(&file, &former[0]).unwrap();
    let ran = deployment.run(&["serve"]).await;
    assert!(ran.refused().contains("sealed by the key"), "the former key opens nothing any more: {ran:?}");
    std::fs::write(&file, "").unwrap();
    let ran = deployment.run(&["serve"]).await;
    assert!(ran.refused().contains("secret.key"), "an empty file is not filled with a new key: {ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_the_environment_is_rotated() {
    let slack = Slack::start(Options::default()).await;
    slack.unlimited().await;
    let Some(database) = Database::postgres().await else { return };
    let mut deployment = Deployment::new(database, &slack.base());
    let process = deployment.serve("api").await;
    let token = deployment.connected(&process, "acme", &slack, ("T0STANDIN", "C0ALERTS")).await;
    drop(process);
    deployment.set("TIELINE_SECRET_KEY", NEW_KEY);
    assert!(deployment.run(&["key", "rotate"]).await.refused().contains("secret_key_previous"));
    deployment.set("TIELINE_SECRET_KEY_PREVIOUS", OLD_KEY);
    delivers(&deployment, &slack, &token).await;
    assert_eq!(deployment.run(&["key", "rotate"]).await.ok()["rewrapped"], 1);
    assert_eq!(deployment.run(&["key", "rotate"]).await.ok()["rewrapped"], 0, "nothing is left to do");
    deployment.unset("TIELINE_SECRET_KEY_PREVIOUS");
    delivers(&deployment, &slack, &token).await;
    deployment.set("TIELINE_SECRET_KEY", OLD_KEY);
    assert!(deployment.run(&["serve"]).await.refused().contains("sealed by the key"));
}

#[tokio::test]
async fn a_wrong_setting_is_named_with_what_is_allowed() {
    for (name, value, key, allowed) in [
        ("TIELINE_NO_SUCH", "1", "no_such", "expected one of `listen`"),
        ("TIELINE_DELIVERY__NO_SUCH", "1", "no_such", "`max_concurrent`"),
        ("TIELINE_DELIVERY__POLL_MS", "soon", "delivery.poll_ms", "an integer"),
        ("TIELINE_LISTEN", "here", "listen", "socket address"),
        ("TIELINE_SLACK__WEB_BASE", "nonsense", "slack.web_base", "URL"),
        ("TIELINE_PUBLIC_URL", "nonsense", "public_url", "https://tieline.example.org"),
        ("TIELINE_LOG__FILTER", "tieline=loud", "log.filter", "\"debug\""),
        ("TIELINE_LOG__FORMAT", "xml", "log.format", "text or json"),
        ("TIELINE_AUTH__JWT__ALGORITHM", "HS256", "auth.jwt.algorithm", "RS256, ES256 or EdDSA"),
        ("TIELINE_DELIVERY__LEASE_SECS", "1", "delivery.lease_secs", "more than twice delivery.total_timeout_ms"),
        ("TIELINE_AUTH__JWT__HS256_SECRET", "hush-hush", "auth.jwt.hs256_secret", "32 bytes"),
        ("TIELINE_SECRET_KEY", "hush-hush", "secret_key", "openssl rand -base64 32"),
        ("TIELINE_SECRET_KEY_PREVIOUS", "hush-hush", "secret_key", "openssl rand -base64 32"),
        ("TIELINE_CONFIG", "nowhere.toml", "nowhere.toml", "not found"),
        ("DATABASE_URL", "mysql://root:hush-hush@here/x", "DATABASE_URL", "sqlite:// or postgres://"),
    ] {
        let mut deployment = Deployment::bare();
        if name == "TIELINE_SECRET_KEY_PREVIOUS" {
            deployment.set("TIELINE_SECRET_KEY", OLD_KEY);
        }
        deployment.set(name, value);
        let ran = deployment.run(&["serve"]).await;
        let complaint = ran.refused();
        assert!(complaint.contains(key) && complaint.contains(allowed), "{name}: {complaint}");
        assert!(!complaint.contains("hush-hush"), "{name}: {complaint}");
    }
}

#[tokio::test]
async fn postgres_demands_a_key() {
    let Some(database) = Database::postgres().await else { return };
    let mut deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
    deployment.unset("TIELINE_SECRET_KEY");
    let ran = deployment.run(&["serve"]).await;
    let complaint = ran.refused();
    assert!(complaint.contains("TIELINE_SECRET_KEY") && complaint.contains("openssl rand -base64 32"), "{complaint}");
}

#[tokio::test]
async fn a_file_sets_what_the_environment_does_not() {
    let mut deployment = Deployment::bare();
    let listens = |port: u16| format!("127.0.0.1:{port}");
    let wanted = {
        let free = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        free.map(|listener| listener.local_addr().unwrap().port())
    };
    std::fs::write(
        deployment.path("tieline.toml"),
        format!("listen = \"{}\"\ndata_dir = \"kept\"\n", listens(wanted[0])),
    )
    .unwrap();
    deployment.unset("TIELINE_LISTEN");
    assert_eq!(deployment.serve("api").await.address, listens(wanted[0]), "by the file");
    assert!(deployment.path("kept/tieline.db").exists() && !deployment.path("data").exists());
    deployment.set("TIELINE_LISTEN", listens(wanted[1])).set("TIELINE_DATA_DIR", "elsewhere");
    assert_eq!(deployment.serve("api").await.address, listens(wanted[1]), "by the environment");
    assert!(deployment.path("elsewhere/secret.key").exists());

    std::fs::write(deployment.path("tieline.toml"), "[delivery]\npoll = 5\n").unwrap();
    let ran = deployment.run(&["migrate"]).await;
    assert!(ran.refused().contains("`poll`") && ran.stderr.contains("`poll_ms`"), "{ran:?}");
    std::fs::write(deployment.path("other.toml"), "").unwrap();
    deployment.set("TIELINE_CONFIG", "other.toml");
    assert!(deployment.run(&["migrate"]).await.success, "another file instead");
}

#[tokio::test]
async fn a_machine_without_certificates_is_told_what_to_install() {
    let mut deployment = Deployment::bare();
    deployment.set("SSL_CERT_FILE", "/dev/null");
    let ran = deployment.run(&["serve"]).await;
    assert!(!ran.success && ran.stderr.contains("install the package ca-certificates"), "{ran:?}");
}
