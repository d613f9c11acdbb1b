//! Tests of the secrecy of secrets: never in the log at any level, only in the one answer that issues them, not in
//! clear in the database; and a sealed secret opens nowhere else.

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Database as Connector};
use serde_json::{Value, json};
use standin::Options;

use crate::support::{Answer, Client, Database, Deployment, Gate, Process, Slack, browser, step, until};

const CLIENT_SECRET: &str = "canary-of-the-client-secret";
const SIGNING_SECRET: &str = "canary-of-the-signing-secret";
const JWT_SECRET: &str = "canary-of-the-jwt-secret-with-more-than-32-bytes";
const SECRET_KEY: &str = "Y2FuYXJ5IG9mIHRoZSBzZWNyZXQga2V5LCAzMiBieXQ=";
const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// Record of the issued secrets and of all answers.
struct Witness {
    /// Name and text of each secret.
    secrets: Vec<(String, String)>,
    /// The answers, without the secret that an answer issues.
    answers: String,
    client: Client,
    anon: Client,
    gate: Gate,
}

impl Witness {
    /// Records an answer that must not have a secret in it.
    async fn said(&mut self, answer: impl Future<Output = Answer>) -> Answer {
        let answer = answer.await;
        self.answers += &format!("{answer:?}\n");
        answer
    }

    /// Records an answer that issues a new secret, which must not be in any other.
    async fn issued(&mut self, what: &str, answer: Answer, secret: impl Fn(&Value) -> String) -> String {
        let secret = secret(&answer.json());
        self.answers += &format!("{answer:?}\n").replace(&secret, "");
        self.keep(what, &secret);
        secret
    }

    fn keep(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 8, "{what} is too short to be found: {secret}");
        self.secrets.push((what.to_owned(), secret.to_owned()));
    }

    /// Asks for an OAuth URL, presses Allow, and returns the code and the state.
    async fn allowed(&mut self, slack: &Slack) -> (String, String) {
        let answer = self.client.get("/v1/slack-integrations/oauth-url").await;
        let url = answer.ok(200)["oauthUrl"].as_str().unwrap().to_owned();
        let (code, state) = slack.allow(&url, "T0STANDIN").await;
        self.issued("an OAuth state", answer, |_| state.clone()).await;
        self.keep("an OAuth code", &code);
        (code, state)
    }

    /// Sends an event whose delivery fails in a way, and reads its reported attempts.
    async fn goes_wrong(&mut self, slack: &Slack, fault: Value) {
        slack.fault(fault).await;
        let client = self.client.clone();
        let event = self.said(client.post("/v1/events", &step("x"))).await.ok(202)["id"].as_str().unwrap().to_owned();
        let found = until("it was tried", LIMIT, async || {
            let answer = client.get(&format!("/v1/deliveries?eventId={event}")).await;
            (answer.ok(200)["data"][0]["attemptCount"].as_i64() > Some(0)).then_some(answer)
        })
        .await;
        let id = found.json()["data"][0]["id"].as_str().unwrap().to_owned();
        self.answers += &found.text;
        self.said(client.get(&format!("/v1/deliveries/{id}"))).await.ok(200);
        slack.mend().await;
    }

    /// Records the tokens that Slack has issued so far.
    fn keep_tokens(&mut self) {
        let seen = self.gate.seen();
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let tokens = seen.match_indices("xox").map(|(at, _)| seen[at..].split(|c| !is_part(c)).next().unwrap());
        let mut tokens: Vec<&str> = tokens.filter(|token| token.len() > 20).collect();
        tokens.sort_unstable();
        tokens.dedup();
        for token in tokens {
            if !self.secrets.iter().any(|(_, known)| known == token) {
                self.keep("a token of Slack's", token);
            }
        }
    }

    fn one_token(&self, prefix: &str) -> String {
        let found = self.secrets.iter().rev().find(|(_, text)| text.starts_with(prefix));
        found.expect("Slack has handed a token out").1.clone()
    }

    /// Asserts that no secret is in a text.
    fn clears(&self, place: &str, text: &[u8]) {
        for (what, secret) in &self.secrets {
            let at = text.windows(secret.len()).position(|window| window == secret.as_bytes());
            if let Some(at) = at {
                let around = &text[at.saturating_sub(300)..(at + 100).min(text.len())];
                panic!("{what} is in {place}: …{}…", String::from_utf8_lossy(around));
            }
        }
    }
}

/// Signs a JWT for a subject, valid for an hour.
fn jwt(subject: &str, secret: &str) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let claims = json!({"sub": subject, "iss": "tieline", "aud": "tieline", "exp": now + 3600});
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn everything_that_handles_secrets(witness: &mut Witness, slack: &Slack, organisation: &str, user: &str) {
    let (owner, anon) = (witness.client.clone(), witness.anon.clone());

    // A JWT, valid and invalid.
    let me = format!("/v1/organisations/{organisation}/members/{user}");
    witness.said(owner.patch(&me, &json!({"subject": "idp|olga"}))).await.ok(200);
    let good = jwt("idp|olga", JWT_SECRET);
    witness.keep("a JWT", &good);
    let offered = witness.said(anon.with_token(&good).get("/v1/invitations")).await.ok(200);
    let accept = format!("/v1/invitations/{}/accept", offered["data"][0]["id"].as_str().unwrap());
    witness.said(anon.with_token(&good).post(&accept, &json!({}))).await.ok(200);
    witness.said(anon.with_token(&good).get("/v1/organisations")).await.ok(200);
    let bad = jwt("idp|olga", "not the secret, but as long as it must be");
    witness.keep("a JWT that is refused", &bad);
    assert_eq!(witness.said(anon.with_token(&bad).get("/v1/organisations")).await.status, 401);

    // A personal token: created, used, listed, revoked, used.
    let made = owner.post("/v1/tokens", &json!({"name": "canary"})).await;
    let id = made.ok(201)["token"]["id"].as_str().unwrap().to_owned();
    let text = witness.issued("a personal token", made, |body| body["secret"].as_str().unwrap().to_owned()).await;
    let other = anon.with_token(&text);
    witness.said(other.get("/v1/tokens")).await.ok(200);
    // The same in another header, and in an address.
    let cards = anon.request(Method::GET, "/api/v2/integration?team=acme").header("x-access-token", &text);
    witness.said(anon.send(cards)).await.ok(200);
    for (shown, status) in [(text.clone(), 302), (format!("{text}x"), 401)] {
        let install = format!("/api/v2/integration/slack/install?access_token={shown}");
        assert_eq!(witness.said(anon.get(&install)).await.status, status);
    }
    witness.said(owner.delete(&format!("/v1/tokens/{id}"))).await.ok(204);
    assert_eq!(witness.said(other.get("/v1/tokens")).await.status, 401);

    // The secret that signs the calls of an app: shown, and rotated.
    let new = json!({"name": "canary", "json_url": "nowhere"});
    let made = witness.said(owner.post("/organisations/acme/integrations", &new)).await.ok(201);
    let path = format!("/v1/apps/{}/signing-secret", made["data"]["id"].as_str().unwrap());
    let rotated = owner.post(&format!("{path}/rotate"), &json!({})).await;
    for (what, answer) in [("a replaced signing secret", rotated), ("a signing secret", owner.get(&path).await)] {
        witness.issued(what, answer, |body| body["secret"].as_str().unwrap().to_owned()).await;
    }

    // OAuth, with valid and invalid requests.
    const COMPLETE: &str = "/v1/slack-integrations/oauth/complete";
    let (code, state) = witness.allowed(slack).await;
    let body = json!({"code": code, "state": state, "surplus": 1});
    assert_eq!(witness.said(owner.post(COMPLETE, &body)).await.status, 400);
    let body = json!({"code": code, "state": [state]});
    assert_eq!(witness.said(owner.post(COMPLETE, &body)).await.status, 400);
    let body = json!({"code": code, "state": format!("{state}x")});
    assert_eq!(witness.said(owner.post(COMPLETE, &body)).await.status, 400);
    let body = json!({"code": code, "state": state});
    witness.said(owner.post(COMPLETE, &body)).await.ok(200);
    assert_eq!(witness.said(owner.post(COMPLETE, &body)).await.status, 400);
    let callback = "/v1/slack/oauth/callback";
    let come_back =
        |code: &str, state: &str| anon.request(Method::GET, callback).query(&[("code", code), ("state", state)]);
    let (code, state) = witness.allowed(slack).await;
    let asked = anon.send(come_back(&code, &state)).await;
    let (cookie, place) = (browser::cookie(&asked), asked.header("location").to_owned());
    witness.keep("half a question", cookie.split_once('=').unwrap().1);
    let mut asked = witness.said(anon.send(anon.request(Method::GET, &place).header("cookie", &cookie))).await;
    asked.headers.insert("x-kept-cookie", cookie.parse().unwrap());
    assert_eq!(witness.said(anon.send(browser::button(&anon, &asked))).await.status, 200);
    assert_eq!(witness.said(anon.send(browser::button(&anon, &asked))).await.status, 400);
    assert_eq!(witness.said(anon.send(come_back(&code, &state))).await.status, 400);
    let (_, state) = witness.allowed(slack).await;
    let asked = browser::look(&anon, witness.said(anon.send(come_back(&code, &state))).await).await;
    assert_eq!(witness.said(anon.send(browser::button(&anon, &asked))).await.status, 400);
    let (code, state) = witness.allowed(slack).await;
    slack.fault(json!({"method": "oauth.v2.access", "status": 500, "times": 1})).await;
    let body = json!({"code": code, "state": state});
    assert_eq!(witness.said(owner.post(COMPLETE, &body)).await.status, 503);

    // The connection in use.
    witness.said(owner.get("/v1/slack-integrations/channels")).await.ok(200);
    let body = json!({"slackChannelId": "C0ALERTS", "triggers": ["KIND_EXIT"]});
    witness.said(owner.patch("/v1/slack-integrations", &body)).await.ok(200);
    witness.said(owner.get("/v1/slack-integrations")).await.ok(200);
    witness.said(owner.post("/v1/slack-integrations/test", &json!({}))).await.ok(200);
    let post = "chat.postMessage";
    witness.goes_wrong(slack, json!({"method": "auth.test", "status": 500})).await;
    witness.goes_wrong(slack, json!({"method": post, "error": "token_expired", "times": 1})).await;
    witness.keep_tokens();
    let (token, refresh) = (witness.one_token("xoxe.xoxb-"), witness.one_token("xoxe-"));

    // A Slack that answers too much.
    let says = |body: Value| json!({"method": post, "body": body.to_string(), "times": 1});
    let reported =
        json!({"ok": false, "error": "fatal_error", "why": format!("token={token}"), "refresh_token": refresh});
    witness.goes_wrong(slack, says(reported)).await;
    witness.goes_wrong(slack, says(json!({"ok": false, "error": token}))).await;
    let reported = format!("<p>400 for Authorization: Bearer {token}</p>");
    witness.goes_wrong(slack, json!({"method": post, "status": 400, "body": reported, "times": 1})).await;
    let reported = json!({"ok": false, "error": "invalid_blocks", "response_metadata": {"messages": [token, refresh]}});
    witness.goes_wrong(slack, says(reported)).await;
    for method in ["conversations.list", post] {
        slack.fault(json!({"method": method, "status": 403, "body": format!("no, {token}!")})).await;
        let path = if method == post { "/v1/slack-integrations/test" } else { "/v1/slack-integrations/channels" };
        let verb = if method == post { Method::POST } else { Method::GET };
        let answer = witness.said(owner.send(owner.request(verb, path).json(&json!({})))).await;
        assert!(answer.status.as_u16() >= 400, "{answer:?}");
        slack.mend().await;
    }

    for path in ["/v1/deliveries?limit=250", "/v1/events", "/v1/destinations", "/metrics", "/openapi.json"] {
        assert_eq!(witness.said(owner.get(path)).await.status, 200, "{path}");
    }
    witness.said(owner.delete("/v1/slack-integrations")).await.ok(200);
    witness.keep_tokens();
}

/// Bytes of the database's files.
fn database_files(database: &std::path::Path) -> Vec<u8> {
    let beside = |suffix: &str| std::fs::read(format!("{}{suffix}", database.display())).unwrap_or_default();
    [beside(""), beside("-wal"), beside("-shm")].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_logged_answered_or_kept_in_clear() {
    let options = Options {
        client_secret: CLIENT_SECRET.into(),
        signing_secret: SIGNING_SECRET.into(),
        rotation: true,
        ..Options::default()
    };
    let slack = Slack::start(options).await;
    slack.unlimited().await;
    let gate = Gate::before(slack.base().trim_start_matches("http://").trim_end_matches("/slack")).await;
    let database = Database::sqlite();
    let file = database.folder().join("tieline.db");
    let mut deployment = Deployment::new(database, &format!("http://{}/slack", gate.address));
    deployment
        .set("TIELINE_SLACK__CLIENT_SECRET", CLIENT_SECRET)
        .set("TIELINE_SLACK__SIGNING_SECRET", SIGNING_SECRET)
        .set("TIELINE_SECRET_KEY", SECRET_KEY)
        .set("TIELINE_AUTH__JWT__HS256_SECRET", JWT_SECRET)
        .set("TIELINE_DELIVERY__RETRY_SCHEDULE_SECS", "1,1,1,1,1,1,2,2,5,10")
        .set("TIELINE_LOG__FILTER", "trace");
    let organisation = deployment.run(&["org", "create", "acme"]).await;
    let made = deployment.run(&["token", "create", "--org", "acme", "--user", "olga", "--role", "owner"]).await;
    let process = deployment.serve("all").await;

    let owner = made.ok();
    let token = owner["token"].as_str().unwrap();
    let mut witness = Witness {
        secrets: Vec::new(),
        answers: String::new(),
        client: process.client(token),
        anon: process.anon(),
        gate,
    };
    for (what, secret) in [
        ("the client secret", CLIENT_SECRET),
        ("the signing secret", SIGNING_SECRET),
        ("the JWT secret", JWT_SECRET),
        ("the secret key", SECRET_KEY),
        ("the secret key's bytes", "canary of the secret key, 32 byt"),
        ("the operator's token", token),
        ("the secret in the operator's token", &token[25..68]),
    ] {
        witness.keep(what, secret);
    }
    let organisation = organisation.ok();
    let (organisation, user) = (organisation["id"].as_str().unwrap(), owner["user_id"].as_str().unwrap());
    everything_that_handles_secrets(&mut witness, &slack, organisation, user).await;
    let revoked = deployment.run(&["token", "revoke", token]).await;
    assert_eq!(revoked.ok()["revoked"], true);

    let log = process.output();
    for proof in ["TRACE", "hyper_util", "tieline"] {
        assert!(log.contains(proof), "the log says nothing of {proof}, so this proves nothing");
    }
    let kinds = |prefix: &str| witness.secrets.iter().filter(|(_, text)| text.starts_with(prefix)).count();
    assert!(kinds("xoxe.xoxb-") >= 3 && kinds("xoxe-") >= 3, "{:?}", witness.secrets);
    witness.clears("the log", log.as_bytes());
    witness.clears("the log of a command", made.stderr.as_bytes());
    witness.clears("a command's output", format!("{revoked:?}").as_bytes());
    witness.clears("an answer", witness.answers.as_bytes());
    witness.clears("the database", &database_files(&file));
    drop(process);
    witness.clears("the database", &database_files(&file));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_databases_password_is_not_logged() {
    let Some(mut database) = Database::postgres().await else { return };
    // The server logs as much as it can too: its messages are logged within spans, with their arguments.
    database.url = database.url.replace("tieline@", "tieline:canary-password@");
    database.add_options("-c client_min_messages=debug5");
    let mut wrong: url::Url = database.url.parse().unwrap();
    wrong.set_path("/no_such_database");
    let mut deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
    for filter in ["trace", "sea_orm::driver=trace,sea_orm::database=trace,sqlx::postgres::notice=trace,tieline=trace"]
    {
        deployment.set("TIELINE_LOG__FILTER", filter);
        let mut process = deployment.serve("all").await;
        process.terminate();
        assert!(process.exited(LIMIT).await.0.success());
        let log = process.output();
        assert!(log.contains("stopping"), "{log}");
        assert!(!log.contains("canary-password"), "{log}");
    }
    deployment.set("DATABASE_URL", wrong.as_str());
    let ran = deployment.run(&["migrate"]).await;
    assert!(!ran.success && !ran.stderr.contains("canary-password"), "{ran:?}");
}

/// Two connected organisations, and the file of their database. Nothing is running.
async fn two_connected(slack: &Slack) -> (Deployment, [String; 2], String) {
    slack.unlimited().await;
    let database = Database::sqlite();
    let url = database.url.clone();
    let deployment = Deployment::new(database, &slack.base());
    let process = deployment.serve("api").await;
    let acme = deployment.connected(&process, "acme", slack, ("T0STANDIN", "C0ALERTS")).await;
    let globex = deployment.connected(&process, "globex", slack, ("T0SECOND", "C1ALERTS")).await;
    (deployment, [acme, globex], url)
}

async fn change(url: &str, statements: &[&str]) {
    let database = Connector::connect(url).await.unwrap();
    for statement in statements {
        assert!(database.execute_unprepared(statement).await.unwrap().rows_affected() > 0, "{statement}");
    }
    database.close().await.unwrap();
}

/// Returns the delivery of a new event after its first attempt.
async fn tried(process: &Process, token: &str) -> Value {
    let client = process.client(token);
    let event = client.post("/v1/events", &step("moved")).await.ok(202)["id"].as_str().unwrap().to_owned();
    until("it was tried", LIMIT, async || {
        let found = client.get(&format!("/v1/deliveries?eventId={event}")).await.ok(200);
        (found["data"][0]["attemptCount"].as_i64() > Some(0)).then(|| found["data"][0].clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_token_opens_only_where_it_belongs() {
    let to_another_row =
        ["UPDATE slack_link SET access_token = (SELECT access_token FROM slack_link WHERE team_id = 'T0STANDIN')
         WHERE team_id = 'T0SECOND'"];
    let to_another_organisation = [
        "DELETE FROM slack_link WHERE team_id = 'T0SECOND'",
        "UPDATE slack_link SET organisation_id = (SELECT id FROM organisation WHERE slug = 'globex'),
         destination_id = (SELECT d.id FROM destination d JOIN organisation o ON o.id = d.organisation_id
         WHERE o.slug = 'globex')",
    ];
    let with_its_key = [
        "DELETE FROM slack_link WHERE team_id = 'T0SECOND'",
        to_another_organisation[1],
        "UPDATE tenant_key SET wrapped_key = (SELECT k.wrapped_key FROM tenant_key k JOIN organisation o
         ON o.id = k.organisation_id WHERE o.slug = 'acme')",
    ];
    for moved in [&to_another_row[..], &to_another_organisation[..], &with_its_key[..]] {
        let slack = Slack::start(Options::default()).await;
        let (deployment, [_, globex], url) = two_connected(&slack).await;
        change(&url, moved).await;
        let process = deployment.serve("all").await;
        let delivery = tried(&process, &globex).await;
        assert_eq!(delivery["state"], "pending", "{delivery}");
        let reason = delivery["reason"].as_str().unwrap();
        assert!(!reason.contains("slack_link") && !reason.contains("tenant"), "it names our tables: {reason}");
        // The log comes through a pipe, and may be later than the answer.
        until("the log says why", LIMIT, async || process.output().contains("does not open").then_some(())).await;
        assert_eq!(slack.calls("chat.postMessage").await.len(), 0, "nothing was sent with it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_noticed_at_the_start() {
    let slack = Slack::start(Options::default()).await;
    let (mut deployment, ..) = two_connected(&slack).await;
    deployment.set("TIELINE_SECRET_KEY", SECRET_KEY);
    for command in [&["serve"][..], &["key", "rotate"], &["org", "create", "initech"]] {
        let ran = deployment.run(command).await;
        let complaint = ran.refused();
        assert!(complaint.contains("secret_key") && complaint.contains("secret_key_previous"), "{complaint}");
        assert!(!complaint.contains(SECRET_KEY), "{complaint}");
    }
}
