//! Tests of operators: their tokens and sessions, what they see of all organisations, and their reviews.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tieline::{
    app::kernel::chore::Chore,
    domain::{ambient::Time, tenancy::member::Role},
};

use crate::support::{Answer, Client, TestApp, browser::cookie, step};

const ORIGIN: &str = "http://127.0.0.1:8080";
const ORGANISATIONS: &str = "/v1/operator/organisations";
const BACKLOG: &str = "/v1/operator/backlog";
const FAILING: &str = "/v1/operator/failing-destinations";
const VERSIONS: &str = "/v1/operator/registry-versions";
/// Operations of the organisations' API, of every dialect.
const THEIRS: &[&str] = &[
    "/v1/organisations",
    "/v1/tokens",
    "/v1/audit-log",
    "/v1/channels",
    "/v1/events",
    "/v1/deliveries",
    "/v1/destinations",
    "/v1/statistics",
    "/v1/retention",
    "/v1/routes",
    "/v1/connections",
    "/v1/apps",
    "/v1/incoming-webhooks",
    "/v1/outgoing-webhooks",
    "/v1/registry/versions",
    "/v1/workflows",
    "/v1/slack-integrations",
    "/v1/admin/integrations",
    "/organisations/acme/integrations",
];

async fn token(app: &TestApp, expires_at: Option<Time>) -> (String, String) {
    let (token, text) = app.app.tenancy.create_operator_token("Nina", expires_at).await.unwrap();
    (token.id.to_string(), text.expose().to_owned())
}

async fn list(caller: &Client, path: &str) -> Vec<Value> {
    caller.get(path).await.ok(200)["data"].as_array().unwrap().clone()
}

fn slugs(of: &[Value]) -> Vec<&str> {
    of.iter().map(|one| one["slug"].as_str().unwrap()).collect()
}

/// Creates a destination whose calls fail, with a route of all events to it.
async fn broken(caller: &Client, name: &str) -> String {
    // Nobody listens there.
    let to = json!({"kind": "webhook", "name": name, "url": "http://127.0.0.1:9/hook?token=hunter2"});
    let id = caller.post("/v1/destinations", &to).await.ok(201)["id"].as_str().unwrap().to_owned();
    let route = json!({"types": ["*"], "sources": ["api"], "destinationId": id});
    caller.post("/v1/routes", &route).await.ok(201);
    id
}

/// Fails a destination until its health has changed.
async fn fail(app: &TestApp, caller: &Client, destination: &str) {
    for _ in 0..20 {
        caller.post("/v1/events", &step("late")).await.ok(202);
        app.drain().await;
        app.advance(Duration::from_secs(3600));
        app.drain().await;
        if caller.get(&format!("/v1/destinations/{destination}")).await.ok(200)["health"] == "failing" {
            return;
        }
    }
    panic!("it does not become failing");
}

/// Signs an operator in and returns the cookie and the CSRF token.
async fn sign_in(app: &TestApp, text: &str) -> (Answer, String, String) {
    let answer = app.anon.post("/v1/sessions", &json!({"token": text})).await;
    let csrf = answer.ok(201)["csrfToken"].as_str().unwrap().to_owned();
    let cookie = cookie(&answer);
    (answer, cookie, csrf)
}

async fn with_cookie(app: &TestApp, path: &str, cookie: &str) -> Answer {
    app.anon.send(app.anon.request(Method::GET, path).header("cookie", cookie)).await
}

/// Publishes a version and requests its verification.
async fn submitted(caller: &Client, name: &str) -> String {
    let body = json!({"name": name, "version": "1.0.0", "title": "Teams", "url": "https://teams.example/secret-hook",
        "secrets": {"API_KEY": "s3cret"}, "visibility": "public"});
    let id = caller.post("/v1/registry/versions", &body).await.ok(201)["id"].as_str().unwrap().to_owned();
    caller.post(&format!("/v1/registry/versions/{id}/verification"), &json!({})).await.ok(204);
    id
}

both! {
    async fn a_token_opens_the_operators_api_and_nothing_of_an_organisation(app) {
        let (id, text) = token(&app, None).await;
        assert!(text.starts_with("tlo_"), "{text}");
        let operator = app.anon.with_token(&text);
        for path in [ORGANISATIONS, BACKLOG, FAILING, VERSIONS] {
            operator.get(path).await.ok(200);
            app.anon.get(path).await.problem(401, "unauthenticated");
            let refused = app.owner.get(path).await.problem(403, "forbidden");
            assert!(refused["detail"].as_str().unwrap().contains("operator"), "{refused}");
        }
        let home = app.organisation("acme").await.to_string();
        for path in THEIRS {
            for caller in [&operator, &operator.in_no_workspace()] {
                let answer = caller.get(path).await;
                assert_eq!(answer.status, 401, "{path}: {}", answer.text);
            }
        }
        let named = operator.request(Method::GET, "/v1/channels").header("X-Organisation-Id", &home);
        operator.send(named).await.problem(401, "not_a_member");
        for (path, body) in [
            ("/v1/events", json!({"type": "x"})),
            ("/v1/tokens", json!({"name": "x"})),
            ("/v1/portal-sessions", json!({})),
            ("/v1/organisations", json!({"slug": "more"})),
        ] {
            operator.post(path, &body).await.problem(401, "not_a_member");
        }
        // Neither text passes for the other kind.
        let forged = text.replace("tlo_", "tl_");
        app.anon.with_token(&forged).get("/v1/organisations").await.problem(401, "token_invalid");
        let forged = app.owner.token().replace("tl_", "tlo_");
        app.anon.with_token(&forged).get(BACKLOG).await.problem(401, "token_invalid");
        let listed = app.app.tenancy.list_operator_tokens().await.unwrap();
        let used = listed.iter().find(|one| one.id.to_string() == id).unwrap();
        assert!(used.last_used_at.is_some() && used.name == "Nina");
    }

    async fn a_token_is_revoked_and_expires(app) {
        let (id, first) = token(&app, None).await;
        let (_, second) = token(&app, None).await;
        let (_, short) = token(&app, Some(app.now() + Duration::from_secs(3600))).await;
        let (_, cookie, _) = sign_in(&app, &first).await;
        let (_, short_cookie, _) = sign_in(&app, &short).await;
        with_cookie(&app, BACKLOG, &cookie).await.ok(200);
        for (by, text) in [(&id, &first), (&second, &second)] {
            let caller = app.anon.with_token(text);
            caller.get(BACKLOG).await.ok(200);
            app.app.tenancy.revoke_token_as_operator(by).await.unwrap();
            caller.get(BACKLOG).await.problem(401, "token_revoked");
            caller.get("/v1/channels").await.problem(401, "token_revoked");
        }
        with_cookie(&app, BACKLOG, &cookie).await.problem(401, "session_ended");
        app.anon.post("/v1/sessions", &json!({"token": first})).await.problem(401, "token_revoked");
        with_cookie(&app, BACKLOG, &short_cookie).await.ok(200);
        app.advance(Duration::from_secs(3600));
        app.anon.with_token(&short).get(BACKLOG).await.problem(401, "token_expired");
        with_cookie(&app, BACKLOG, &short_cookie).await.problem(401, "session_ended");
        app.advance(Duration::from_secs(12 * 3600));
        assert_eq!(app.app.tenancy.run(app.now()).await.unwrap(), 2, "the sessions are removed");
        assert!(app.app.tenancy.create_operator_token("late", Some(app.now())).await.is_err());
        assert!(app.app.tenancy.create_operator_token(" ", None).await.is_err());
    }

    async fn an_operator_signs_a_browser_in(app) {
        let (_, text) = token(&app, None).await;
        let (answer, cookie, csrf) = sign_in(&app, &text).await;
        let session = answer.ok(201);
        assert_eq!((&session["kind"], &session["operator"]), (&json!("operator"), &json!({"name": "Nina"})));
        assert_eq!((session.get("member"), session.get("organisation")), (None, None));
        assert_eq!((&session["permissions"], &session["pages"]), (&json!([]), &json!([])));
        assert!(answer.header("set-cookie").ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"));
        assert_eq!(with_cookie(&app, "/v1/session", &cookie).await.ok(200), session);
        for path in [ORGANISATIONS, BACKLOG, FAILING, VERSIONS] {
            with_cookie(&app, path, &cookie).await.ok(200);
        }
        for path in THEIRS.iter().filter(|path| path.starts_with("/v1/") && !path.contains("admin")) {
            let answer = with_cookie(&app, path, &cookie).await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.text);
        }
        let member = app.anon.post("/v1/sessions", &json!({"token": app.owner.token()})).await;
        assert_eq!(member.ok(201)["kind"], "member");
        let members = crate::support::browser::cookie(&member);
        for path in [ORGANISATIONS, BACKLOG, FAILING, VERSIONS] {
            with_cookie(&app, path, &members).await.problem(403, "forbidden");
        }
        // A change needs the proof that a page of ours sent it.
        let id = submitted(&app.owner, "acme/teams").await;
        let path = format!("{VERSIONS}/{id}");
        let change = || app.anon.request(Method::PATCH, &path).header("cookie", &cookie).json(&json!({}));
        app.anon.send(change()).await.problem(403, "origin_not_allowed");
        let from_here = || change().header("origin", ORIGIN);
        app.anon.send(from_here()).await.problem(403, "csrf_token_invalid");
        app.anon.send(from_here().header("x-csrf-token", &csrf)).await.ok(200);
        let end = app.anon.request(Method::DELETE, "/v1/session").header("cookie", &cookie);
        let ended = app.anon.send(end.header("origin", ORIGIN).header("x-csrf-token", &csrf)).await;
        ended.ok(204);
        assert!(ended.header("set-cookie").starts_with("tieline_session=; "));
        with_cookie(&app, BACKLOG, &cookie).await.problem(401, "session_ended");
    }

    async fn every_organisation_is_counted(app) {
        let operator = app.operator().await;
        let globex = app.other("globex").await;
        app.caller("acme", "bob", Role::Member).await;
        let failing = broken(&globex, "Billing").await;
        fail(&app, &globex, &failing).await;
        // The events so far are older than a day.
        app.advance(Duration::from_secs(25 * 3600));
        app.drain().await;
        globex.post("/v1/events", &step("a")).await.ok(202);
        globex.post("/v1/events", &step("b")).await.ok(202);
        let all = list(&operator, ORGANISATIONS).await;
        assert_eq!(slugs(&all), ["globex", "acme"], "the newest first");
        let counts = |of: &Value| {
            ["members", "destinations", "failingDestinations", "eventsLastDay", "pending"].map(|name| of[name].as_u64().unwrap())
        };
        let events = globex.get("/v1/events?limit=250").await.ok(200)["data"].as_array().unwrap().clone();
        let last_day = app.now() - Duration::from_secs(24 * 3600);
        let recent = |event: &&Value| event["createdAt"].as_str().unwrap().parse::<Time>().unwrap() >= last_day;
        let recent = events.iter().filter(recent).count() as u64;
        assert!(recent >= 2 && events.len() as u64 > recent);
        let pending = globex.get("/v1/deliveries?state=pending&limit=250").await.ok(200)["data"].as_array().unwrap().len();
        assert_eq!(counts(&all[0]), [1, 1, 1, recent, pending as u64]);
        assert_eq!(all[0]["lastEventAt"], events[0]["createdAt"]);
        assert_eq!(counts(&all[1]), [2, 0, 0, 0, 0]);
        assert_eq!((&all[1]["name"], all[1].get("lastEventAt")), (&json!("Acme"), None));
        for secret in ["hunter2", "127.0.0.1:9"] {
            assert!(!operator.get(ORGANISATIONS).await.text.contains(secret));
        }
    }

    async fn organisations_are_listed_by_age_and_by_slug(app) {
        let operator = app.operator().await;
        for slug in ["b-two", "a-one", "b2", "b-one", "c"] {
            app.other(slug).await;
            app.advance(Duration::from_secs(1));
        }
        for (query, expected) in [
            ("", &["c", "b-one", "b2", "a-one", "b-two", "acme"][..]),
            ("order=newest&slug=b", &["b-one", "b2", "b-two"]),
            ("order=slug", &["a-one", "acme", "b-one", "b-two", "b2", "c"]),
            ("order=slug&slug=b-", &["b-one", "b-two"]),
            ("slug=acme", &["acme"]),
            ("slug=z", &[]),
        ] {
            assert_eq!(slugs(&list(&operator, &format!("{ORGANISATIONS}?{query}")).await), expected, "{query}");
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = operator.get(&format!("{ORGANISATIONS}?limit=2&{query}{cursor}")).await.ok(200);
                found.extend(page["data"].as_array().unwrap().clone());
                let Some(next) = page["nextCursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(slugs(&found), expected, "{query}, page after page");
        }
        operator.get(&format!("{ORGANISATIONS}?slug=A%25")).await.problem(400, "invalid");
        operator.get(&format!("{ORGANISATIONS}?order=size")).await.problem(400, "invalid_parameter");
        operator.get(&format!("{ORGANISATIONS}?cursor=x")).await.problem(400, "invalid");
        let gone = operator.get(&format!("{ORGANISATIONS}?limit=1")).await.ok(200);
        app.delete_organisation("c").await;
        let cursor = gone["nextCursor"].as_str().unwrap();
        operator.get(&format!("{ORGANISATIONS}?cursor={cursor}")).await.problem(400, "invalid");
    }

    async fn the_backlog_is_what_is_pending(app) {
        let operator = app.operator().await;
        let empty = operator.get(BACKLOG).await.ok(200);
        assert_eq!((&empty["pending"], &empty["complete"], empty.get("oldestAt")), (&json!(0), &json!(true), None));
        let globex = app.other("globex").await;
        let [billing, _] = [broken(&globex, "Billing").await, broken(&app.owner, "Audit").await];
        let oldest = app.now();
        globex.post("/v1/events", &step("secret-name")).await.ok(202);
        app.drain().await;
        app.advance(Duration::from_secs(1));
        globex.post("/v1/events", &step("b")).await.ok(202);
        app.owner.post("/v1/events", &step("c")).await.ok(202);
        let backlog = operator.get(BACKLOG).await;
        assert!(!backlog.text.contains("hunter2") && !backlog.text.contains("secret-name"), "{}", backlog.text);
        let backlog = backlog.ok(200);
        assert_eq!((&backlog["pending"], &backlog["complete"]), (&json!(3), &json!(true)));
        let time = |value: &Value| value.as_str().unwrap().parse::<Time>().unwrap();
        assert_eq!(time(&backlog["oldestAt"]), oldest);
        assert_eq!(time(&backlog["dueSince"]), app.now());
        assert_eq!(backlog["kinds"][0]["kind"], "webhook");
        assert_eq!((&backlog["kinds"][0]["pending"], &backlog["kinds"][0]["destinations"]), (&json!(3), &json!(2)));
        let by: Vec<_> = backlog["organisations"].as_array().unwrap().iter()
            .map(|one| (one["organisation"]["slug"].as_str().unwrap(), one["pending"].as_u64().unwrap())).collect();
        assert_eq!(by, [("globex", 2), ("acme", 1)], "the oldest first");
        let first = &backlog["destinations"][0];
        assert_eq!((&first["id"], &first["name"], &first["pending"]), (&json!(billing), &json!("Billing"), &json!(2)));
        app.advance(Duration::from_secs(7200));
        let sums = |backlog: &Value| {
            let of = |one: &Value| (one["state"].as_str().unwrap().to_owned(), one["destinations"].as_u64().unwrap());
            backlog["states"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
        };
        let all_due = [("due".to_owned(), 2), ("waiting".to_owned(), 0), ("sending".to_owned(), 0)];
        assert_eq!(sums(&operator.get(BACKLOG).await.ok(200)), all_due);
        app.drain().await;
        let waiting = operator.get(BACKLOG).await.ok(200);
        assert_eq!((&sums(&waiting)[1], waiting.get("dueSince")), (&("waiting".to_owned(), 2), None));
        app.delete_organisation("globex").await;
        assert_eq!(operator.get(BACKLOG).await.ok(200)["pending"], 1, "the rest is nobody's");
    }

    async fn failing_destinations_say_why_without_secrets(app) {
        let operator = app.operator().await;
        let globex = app.other("globex").await;
        let (first, second) = (broken(&globex, "Billing").await, broken(&app.owner, "Audit").await);
        fail(&app, &globex, &first).await;
        app.advance(Duration::from_secs(60));
        fail(&app, &app.owner, &second).await;
        let answer = operator.get(FAILING).await;
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        let all = answer.ok(200)["data"].as_array().unwrap().clone();
        let named: Vec<_> = all.iter().map(|one| (&one["name"], &one["organisation"]["slug"], &one["kind"])).collect();
        let [audit, billing, acme, globex_slug, webhook] =
            ["Audit", "Billing", "acme", "globex", "webhook"].map(Value::from);
        assert_eq!(named, [(&audit, &acme, &webhook), (&billing, &globex_slug, &webhook)], "the last one first");
        assert!(all[0]["since"].as_str() > all[1]["since"].as_str());
        assert!(all[0]["reason"].as_str().unwrap().contains("attempts in a row failed"), "{}", all[0]);
        let page = operator.get(&format!("{FAILING}?limit=1")).await.ok(200);
        let next = page["nextCursor"].as_str().unwrap();
        let rest = operator.get(&format!("{FAILING}?limit=1&cursor={next}")).await.ok(200);
        assert_eq!((&rest["data"], rest.get("nextCursor")), (&json!([all[1]]), None));
        for wrong in ["x", "1", "1-2", "-"] {
            operator.get(&format!("{FAILING}?cursor={wrong}")).await.problem(400, "invalid");
        }
        assert!(list(&operator, &format!("{FAILING}?health=disabled")).await.is_empty());
        let off = json!({"enabled": false});
        let path = format!("/v1/destinations/{first}");
        globex.send(globex.request(Method::PATCH, &path).json(&off)).await.ok(200);
        assert_eq!(list(&operator, &format!("{FAILING}?health=disabled")).await[0]["name"], "Billing");
        assert_eq!(list(&operator, FAILING).await.len(), 1);
        operator.get(&format!("{FAILING}?health=healthy")).await.problem(400, "invalid_parameter");
    }

    async fn versions_are_verified_and_rejected(app) {
        let operator = app.operator().await;
        let globex = app.other("globex").await;
        let (first, second) = (submitted(&app.owner, "acme/teams").await, submitted(&globex, "globex/pager").await);
        let waiting = operator.get(VERSIONS).await;
        assert!(!waiting.text.contains("secret-hook") && !waiting.text.contains("API_KEY"), "{}", waiting.text);
        let waiting = waiting.ok(200);
        let names: Vec<_> = waiting["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["acme/teams", "globex/pager"], "the oldest first");
        let page = operator.get(&format!("{VERSIONS}?limit=1")).await.ok(200);
        let next = page["nextCursor"].as_str().unwrap();
        assert_eq!(list(&operator, &format!("{VERSIONS}?limit=1&cursor={next}")).await, [waiting["data"][1].clone()]);

        let path = |id: &str| format!("{VERSIONS}/{id}");
        app.owner.patch(&path(&first), &json!({"verificationStatus": "approved"})).await.problem(403, "forbidden");
        let approved = operator.patch(&path(&first), &json!({"verificationStatus": "approved"})).await.ok(200);
        assert_eq!((&approved["verificationStatus"], &approved["organisation"]["slug"]), (&json!("approved"), &json!("acme")));
        operator.patch(&path(&second), &json!({"verificationStatus": "rejected"})).await.ok(200);
        assert!(list(&operator, VERSIONS).await.is_empty());
        let theirs = |caller: &Client, id: &str| {
            let (caller, path) = (caller.clone(), format!("/v1/registry/versions/{id}"));
            async move { caller.get(&path).await.ok(200) }
        };
        assert_eq!(theirs(&app.owner, &first).await["verificationStatus"], "approved");
        assert_eq!(theirs(&globex, &second).await["verificationStatus"], "rejected");
        let deprecated = operator.patch(&path(&first), &json!({"lifecycleStatus": "deprecated"})).await.ok(200);
        assert_eq!((&deprecated["lifecycleStatus"], &deprecated["verificationStatus"]), (&json!("deprecated"), &json!("approved")));

        let entry = &app.owner.get("/v1/audit-log?action=registry.*&actor=operator").await.ok(200)["data"];
        assert_eq!((&entry[1]["subject"], &entry[1]["detail"]["verification"]), (&json!(first), &json!("approved")));
        let token = entry[1]["detail"]["operatorToken"].as_str().unwrap();
        assert!(app.app.tenancy.list_operator_tokens().await.unwrap().iter().any(|one| one.id.to_string() == token));
        operator.patch(&path(&first), &json!({"verificationStatus": "maybe"})).await.problem(400, "invalid");
        operator.patch(&path("0199c1de-0000-7000-8000-00000000dead"), &json!({})).await.problem(404, "not_found");
    }
}
