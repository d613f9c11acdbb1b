//! Tests of sessions: the ways to sign a browser in, what its cookie may do, and what ends it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tieline::{
    app::kernel::chore::Chore,
    domain::tenancy::member::{Permission, Role},
    openapi,
};

use crate::support::{Answer, Client, Database, Setup, TestApp, browser::cookie};

/// Origin of the public URL.
const ORIGIN: &str = "http://127.0.0.1:8080";
const SESSIONS: &str = "/v1/sessions";
const SESSION: &str = "/v1/session";
const PORTAL_SESSIONS: &str = "/v1/portal-sessions";
const CHANNELS: &str = "/v1/channels";

/// A browser that is signed in.
struct Browser {
    client: Client,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Takes the cookie of an answer, and asks who it is.
    async fn of(client: &Client, answer: &Answer) -> Self {
        let mut this = Self { client: client.clone(), cookie: cookie(answer), csrf: String::new() };
        this.csrf = this.session().await["csrfToken"].as_str().unwrap().to_owned();
        this
    }

    /// Signs in with a token that was pasted.
    async fn with_token(app: &TestApp, token: &str) -> Self {
        let answer = app.anon.post(SESSIONS, &json!({"token": token})).await;
        answer.ok(201);
        Self::of(&app.anon, &answer).await
    }

    /// Opens a link.
    async fn by_link(app: &TestApp, made: &Value) -> Self {
        let answer = app.anon.get(&link(made)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/portal/"), "{}", answer.text);
        Self::of(&app.anon, &answer).await
    }

    async fn session(&self) -> Value {
        self.get(SESSION).await.ok(200)
    }

    /// A request with the cookie and nothing else.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, path).header("cookie", &self.cookie)
    }

    /// A request as a page of ours sends it.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("origin", ORIGIN).header("x-csrf-token", &self.csrf)
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.send(self.bare(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.client.send(self.request(Method::POST, path).json(&body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.client.send(self.request(Method::DELETE, path)).await
    }
}

/// Path and query of a link that was made.
fn link(made: &Value) -> String {
    let url = made["url"].as_str().unwrap();
    url.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{url}")).to_owned()
}

async fn narrow(app: &TestApp, scopes: &[&str]) -> (String, String) {
    let made = app.owner.post("/v1/tokens", &json!({"name": "narrow", "scopes": scopes})).await.ok(201);
    (made["secret"].as_str().unwrap().to_owned(), format!("/v1/tokens/{}", made["token"]["id"].as_str().unwrap()))
}

async fn log(app: &TestApp, query: &str) -> Vec<Value> {
    app.owner.get(&format!("/v1/audit-log?{query}")).await.ok(200)["data"].as_array().unwrap().clone()
}

async fn members(app: &TestApp) -> (String, Vec<Value>) {
    let home = app.organisation("acme").await.to_string();
    let path = format!("/v1/organisations/{home}/members");
    let all = app.owner.get(&path).await.ok(200)["data"].as_array().unwrap().clone();
    (path, all)
}

both! {
    async fn a_pasted_token_becomes_a_session(app) {
        let answer = app.anon.post(SESSIONS, &json!({"token": app.owner.token()})).await;
        let session = answer.ok(201);
        let set = answer.header("set-cookie");
        let (value, attributes) = set.split_once(';').unwrap();
        assert_eq!(attributes, " Path=/; Max-Age=43200; HttpOnly; SameSite=Lax");
        let secret = value.strip_prefix("tieline_session=").unwrap();
        assert_eq!(secret.len(), 43, "32 bytes, base64url");
        assert!(!answer.text.contains(secret) && answer.header("cache-control") == "no-store");
        assert_eq!((&session["organisation"]["slug"], &session["organisation"]["name"]), (&"acme".into(), &"Acme".into()));
        assert_eq!((&session["member"]["username"], &session["member"]["role"]), (&"olga".into(), &"owner".into()));
        assert_eq!(session["permissions"].as_array().unwrap().len(), Permission::ALL.len());
        assert_eq!(session["pages"], json!(["home", "routes", "deliveries", "events", "apps", "organisation"]));
        assert_eq!((&session["theme"], &session["embedded"]), (&"auto".into(), &json!(false)));
        let browser = Browser::of(&app.anon, &answer).await;
        assert_eq!(browser.session().await, session);

        let made = browser.post(CHANNELS, json!({"name": "alerts"})).await.ok(201);
        let path = format!("{CHANNELS}/{}", made["id"].as_str().unwrap());
        assert_eq!(browser.get(&path).await.ok(200), made);
        let opened = &log(&app, "action=session.open").await[0];
        assert_eq!((&opened["detail"], &opened["actor"]), (&json!({"by": "token"}), &session["member"]["userId"]));
        assert!(!opened.to_string().contains(secret));

        let ended = browser.delete(SESSION).await;
        ended.ok(204);
        assert_eq!(ended.header("set-cookie"), "tieline_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        browser.get(SESSION).await.problem(401, "session_ended");
        browser.get(&path).await.problem(401, "session_ended");
        assert_eq!(log(&app, "action=session.*").await.len(), 2);
    }

    async fn a_wrong_token_opens_no_session(app) {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.e30.AAAA";
        for token in ["", "garbage", jwt, &app.owner.token()[1..]] {
            let answer = app.anon.post(SESSIONS, &json!({"token": token})).await;
            answer.problem(401, "token_invalid");
            assert_eq!(answer.header("set-cookie"), "");
        }
        let from = |origin: &str| {
            let request = app.anon.request(Method::POST, SESSIONS).header("origin", origin);
            app.anon.send(request.json(&json!({"token": app.owner.token()})))
        };
        from("https://evil.example").await.problem(403, "origin_not_allowed");
        from(ORIGIN).await.ok(201);
        app.anon.get(SESSION).await.problem(401, "session_ended");
        let nonsense = app.anon.request(Method::GET, SESSION).header("cookie", "tieline_session=AAAA");
        app.anon.send(nonsense).await.problem(401, "session_ended");
        let options = app.anon.get("/v1/sign-in-options").await.ok(200);
        assert_eq!(options, json!({"tokens": true}));
    }

    async fn a_change_needs_the_csrf_token_and_our_origin(app) {
        let browser = Browser::with_token(&app, &app.owner.token()).await;
        let other = Browser::with_token(&app, &app.owner.token()).await;
        assert_ne!(browser.csrf, other.csrf);
        let send = async |headers: &[(&str, &str)]| {
            let bare = browser.bare(Method::POST, CHANNELS).json(&json!({"name": "alerts"}));
            let request = headers.iter().fold(bare, |request, (name, value)| request.header(*name, *value));
            app.anon.send(request).await
        };
        let own = ("x-csrf-token", browser.csrf.as_str());
        for headers in [
            &[own][..],
            &[own, ("origin", "https://evil.example")],
            &[own, ("origin", "http://127.0.0.1:8081")],
            &[own, ("origin", "null")],
            &[own, ("sec-fetch-site", "same-site")],
            &[own, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        ] {
            send(headers).await.problem(403, "origin_not_allowed");
        }
        for headers in [
            &[("origin", ORIGIN)][..],
            &[("origin", ORIGIN), ("x-csrf-token", "")],
            &[("origin", ORIGIN), ("x-csrf-token", &browser.csrf[1..])],
            &[("sec-fetch-site", "same-origin"), ("x-csrf-token", &other.csrf)],
        ] {
            send(headers).await.problem(403, "csrf_token_invalid");
        }
        assert_eq!(browser.get(CHANNELS).await.ok(200)["data"], json!([]), "nothing was changed");
        send(&[own, ("sec-fetch-site", "same-origin")]).await.ok(201);
        app.anon.send(browser.bare(Method::DELETE, SESSION)).await.problem(403, "origin_not_allowed");
        // A token is proof enough, and the cookie beside it is not looked at.
        let both = app.owner.request(Method::POST, CHANNELS).header("cookie", "tieline_session=AAAA");
        app.owner.send(both.json(&json!({"name": "more"}))).await.ok(201);
    }

    async fn a_session_ends_with_what_it_came_from(app) {
        let (token, path) = narrow(&app, &["channels:read", "portal-sessions:create"]).await;
        let browser = Browser::with_token(&app, &token).await;
        assert_eq!(browser.session().await["permissions"], json!(["channels:read", "portal-sessions:create"]));
        browser.get(CHANNELS).await.ok(200);
        browser.post(CHANNELS, json!({"name": "alerts"})).await.problem(403, "forbidden");
        let framed = Browser::by_link(&app, &browser.post(PORTAL_SESSIONS, json!({})).await.ok(201)).await;
        framed.post(CHANNELS, json!({"name": "alerts"})).await.problem(403, "forbidden");
        let waiting = link(&browser.post(PORTAL_SESSIONS, json!({})).await.ok(201));
        app.owner.delete(&path).await.ok(204);
        for browser in [&browser, &framed] {
            browser.get(CHANNELS).await.problem(401, "session_ended");
        }
        assert_eq!(app.anon.get(&waiting).await.status, 400);

        let soon = app.now() + Duration::from_secs(600);
        let soon = soon.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let made = app.owner.post("/v1/tokens", &json!({"name": "short", "expiresAt": soon})).await.ok(201);
        let browser = Browser::with_token(&app, made["secret"].as_str().unwrap()).await;
        assert_eq!(browser.session().await["expiresAt"], soon);
        app.advance(Duration::from_secs(600));
        browser.get(CHANNELS).await.problem(401, "session_ended");
    }

    async fn a_session_ends_in_time(app) {
        let browser = Browser::with_token(&app, &app.owner.token()).await;
        let waiting = link(&app.owner.post(PORTAL_SESSIONS, &json!({})).await.ok(201));
        app.advance(Duration::from_secs(12 * 3600 - 1));
        browser.get(CHANNELS).await.ok(200);
        app.advance(Duration::from_secs(1));
        browser.get(CHANNELS).await.problem(401, "session_ended");
        assert_eq!(app.anon.get(&waiting).await.status, 400);
        let later = Browser::with_token(&app, &app.owner.token()).await;
        assert_eq!(app.app.tenancy.run(app.now()).await.unwrap(), 2, "housekeeping removes what has expired");
        later.get(CHANNELS).await.ok(200);
    }

    async fn a_change_of_the_member_holds_at_once(app) {
        let ada = app.caller("acme", "ada", Role::Admin).await;
        let browser = Browser::with_token(&app, &ada.token()).await;
        browser.post(CHANNELS, json!({"name": "alerts"})).await.ok(201);
        let (path, all) = members(&app).await;
        let id = all.iter().find(|member| member["username"] == "ada").unwrap()["userId"].as_str().unwrap().to_owned();
        app.owner.patch(&format!("{path}/{id}"), &json!({"role": "member"})).await.ok(200);
        browser.post(CHANNELS, json!({"name": "more"})).await.problem(403, "forbidden");
        assert_eq!(browser.session().await["member"]["role"], "member");
        browser.post(PORTAL_SESSIONS, json!({})).await.problem(403, "forbidden");
        app.owner.delete(&format!("{path}/{id}")).await.ok(204);
        browser.get(CHANNELS).await.problem(401, "session_ended");
    }

    async fn a_session_is_of_one_organisation(app) {
        let stranger = app.other("globex").await;
        let made = app.owner.post(CHANNELS, &json!({"name": "alerts"})).await.ok(201);
        let path = format!("{CHANNELS}/{}", made["id"].as_str().unwrap());
        let browser = Browser::with_token(&app, &stranger.token()).await;
        browser.get(&path).await.problem(404, "not_found");
        browser.delete(&path).await.problem(404, "not_found");
        let home = app.organisation("acme").await.to_string();
        let named = browser.bare(Method::GET, CHANNELS).header("x-organisation-id", &home);
        app.anon.send(named).await.problem(401, "not_a_member");
        let own = app.organisation("globex").await.to_string();
        app.anon.send(browser.bare(Method::GET, CHANNELS).header("x-organisation-id", &own)).await.ok(200);
        assert_eq!(browser.get("/v1/organisations").await.ok(200)["data"][0]["slug"], "globex");
        let frames = format!("/v1/organisations/{home}/frame-ancestors");
        browser.get(&frames).await.problem(404, "not_found");
    }

    async fn a_link_opens_the_portal_once(app) {
        let body = json!({"returnUrl": "https://app.example.com/back", "theme": "dark"});
        let made = app.owner.post(PORTAL_SESSIONS, &body).await.ok(201);
        assert!(made["url"].as_str().unwrap().starts_with(&format!("{ORIGIN}/portal/open?code=")), "{made}");
        let created = &log(&app, "action=portal-session.create").await[0];
        assert!(!created.to_string().contains(made["url"].as_str().unwrap().split_once('=').unwrap().1));
        let head = app.anon.send(app.anon.request(Method::HEAD, &link(&made))).await;
        let ahead = app.anon.request(Method::GET, &link(&made)).header("sec-purpose", "prefetch;prerender");
        for answer in [head, app.anon.send(ahead).await] {
            assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (204, ""), "it does not use the link up");
        }
        let answer = app.anon.get(&link(&made)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/portal/"));
        assert!(answer.header("set-cookie").ends_with("; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"));
        assert_eq!(answer.header("cache-control"), "no-store");
        let browser = Browser::of(&app.anon, &answer).await;
        let session = browser.session().await;
        assert_eq!((&session["returnUrl"], &session["theme"]), (&body["returnUrl"], &body["theme"]));
        assert_eq!(log(&app, "action=session.open").await[0]["detail"], json!({"by": "portal-session"}));

        let again = app.anon.get(&link(&made)).await;
        assert_eq!((again.status.as_u16(), again.header("set-cookie")), (400, ""));
        assert!(again.text.contains("once") && again.text.contains("href=\"/portal/sign-in\""), "{}", again.text);
        assert!(again.header("content-security-policy").contains("frame-ancestors 'none'"));
        let code = link(&made).split_once('=').unwrap().1.to_owned();
        let as_cookie = app.anon.request(Method::GET, SESSION).header("cookie", format!("tieline_session={code}"));
        app.anon.send(as_cookie).await.problem(401, "session_ended");
        for path in ["/portal/open", "/portal/open?code=", "/portal/open?code=AAAA"] {
            assert_eq!(app.anon.get(path).await.status, 400, "{path}");
        }

        let late = app.owner.post(PORTAL_SESSIONS, &json!({})).await.ok(201);
        let waiting = late["url"].as_str().unwrap().split_once('=').unwrap().1;
        let early = app.anon.request(Method::GET, SESSION).header("cookie", format!("tieline_session={waiting}"));
        app.anon.send(early).await.problem(401, "session_ended");
        app.advance(Duration::from_secs(300));
        assert_eq!(app.anon.get(&link(&late)).await.status, 400);
        browser.get(CHANNELS).await.ok(200);
        app.advance(Duration::from_secs(3300));
        browser.get(CHANNELS).await.problem(401, "session_ended");
    }

    async fn a_session_of_some_pages_does_no_more(app) {
        for (field, body) in [
            ("/pages", json!({"pages": []})),
            ("/pages/0", json!({"pages": ["everything"]})),
            ("/returnUrl", json!({"returnUrl": "javascript:alert(1)"})),
            ("/returnUrl", json!({"returnUrl": "http://app.example.com/"})),
            ("/theme", json!({"theme": "pink"})),
        ] {
            let problem = app.owner.post(PORTAL_SESSIONS, &body).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], field, "{problem}");
        }
        let made = app.owner.post(PORTAL_SESSIONS, &json!({"pages": ["deliveries", "routes"]})).await.ok(201);
        let browser = Browser::by_link(&app, &made).await;
        assert_eq!(browser.session().await["pages"], json!(["routes", "deliveries"]));
        for path in ["/v1/deliveries", "/v1/routes", "/v1/destinations", "/v1/connections", "/v1/events", "/v1/apps", CHANNELS] {
            browser.get(path).await.ok(200);
        }
        let home = app.organisation("acme").await;
        let own = format!("/v1/organisations/{home}");
        for path in ["/v1/outgoing-webhooks", "/v1/tokens", "/v1/audit-log", "/v1/incoming-webhooks", &own] {
            browser.get(path).await.problem(403, "page_not_allowed");
        }
        for path in [PORTAL_SESSIONS, "/v1/tokens", "/v1/connections", CHANNELS] {
            browser.post(path, json!({"name": "x", "provider": "slack"})).await.problem(403, "page_not_allowed");
        }
        browser.delete(SESSION).await.ok(204);
    }

    async fn other_dialects_take_no_cookie(app) {
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        let browser = Browser::with_token(&app, &app.owner.token()).await;
        for path in [
            "/v1/slack-integrations",
            "/api/v2/integration?team=acme",
            "/organisations/acme/integrations",
            "/api/v1/integrations.list",
            "/v1/admin/integrations",
        ] {
            assert_eq!(app.owner.get(path).await.status, 200, "{path}");
            assert_eq!(app.anon.send(browser.request(Method::GET, path)).await.status, 401, "{path}");
        }
    }

    async fn a_frame_is_allowed_where_the_organisation_says_so(app) {
        let path = format!("/v1/organisations/{}/frame-ancestors", app.organisation("acme").await);
        assert_eq!(app.owner.get(&path).await.ok(200), json!({"origins": []}));
        let put = async |origins: Value| {
            app.owner.send(app.owner.request(Method::PUT, &path).json(&json!({"origins": origins}))).await
        };
        for bad in ["*", "app.example.com", "http://app.example.com", "https://app.example.com/x", "https://a b"] {
            let problem = put(json!(["https://ok.example", bad])).await.problem(400, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/origins/1", "{bad}");
        }
        let before = Browser::by_link(&app, &app.owner.post(PORTAL_SESSIONS, &json!({})).await.ok(201)).await;
        assert_eq!(before.session().await["embedded"], false);
        let origins = json!(["https://app.example.com", "http://localhost:3000"]);
        assert_eq!(put(origins.clone()).await.ok(200), json!({"origins": origins}));
        assert_eq!(log(&app, "action=organisation.frame-ancestors").await[0]["detail"], json!({"origins": origins}));
        let browser = Browser::by_link(&app, &app.owner.post(PORTAL_SESSIONS, &json!({})).await.ok(201)).await;
        assert_eq!(browser.session().await["embedded"], true);

        let ancestors = |answer: Answer| {
            let policy = answer.header("content-security-policy").to_owned();
            assert_eq!(answer.header("vary"), "Accept-Encoding");
            policy.split_once("frame-ancestors ").unwrap().1.to_owned()
        };
        let listed = "'self' https://app.example.com http://localhost:3000";
        assert_eq!(ancestors(browser.get("/portal/routes").await), listed);
        assert_eq!(ancestors(app.anon.get("/portal/").await), "'none'");
        let stranger = Browser::with_token(&app, &app.other("globex").await.token()).await;
        assert_eq!(ancestors(stranger.get("/portal/").await), "'none'");
        browser.delete(SESSION).await.ok(204);
        assert_eq!(ancestors(browser.get("/portal/").await), "'none'");
    }
}

/// Operations that identify a subject, which a session does not do.
const SUBJECTS: [&str; 3] = ["listInvitations", "acceptInvitation", "declineInvitation"];

#[test]
fn the_cookie_is_published_for_the_native_dialect_alone() {
    for document in &openapi::documents().unwrap().dialects {
        let schemes = document.value["components"]["securitySchemes"].as_object().unwrap();
        assert_eq!(schemes.contains_key("cookieAuth"), document.name == "native", "{}", document.name);
        for (path, item) in document.value["paths"].as_object().unwrap().iter().filter(|_| document.name == "native") {
            for (method, operation) in item.as_object().unwrap() {
                let takes = |scheme: &str| operation["security"].to_string().contains(scheme);
                let id = operation["operationId"].as_str().unwrap();
                let is_known = SUBJECTS.contains(&id) || [SESSION].contains(&path.as_str());
                let takes_a_token = takes("bearerAuth") || takes("operatorAuth");
                assert!(is_known || takes_a_token == takes("cookieAuth"), "{method} {path}");
            }
        }
    }
}

async fn at(public_url: &str) -> TestApp {
    let settings = vec![("TIELINE_PUBLIC_URL", public_url.to_owned())];
    TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_host_and_transport() {
    let app = at("https://tieline.example").await;
    let answer = app.anon.post(SESSIONS, &json!({"token": app.owner.token()})).await;
    let session = answer.ok(201);
    let set = answer.header("set-cookie");
    assert!(set.starts_with("__Host-tieline_session="), "{set}");
    assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"), "{set}");
    let cookie = cookie(&answer);
    let plain = cookie.replace("__Host-", "");
    app.anon.send(app.anon.request(Method::GET, SESSION).header("cookie", plain)).await.problem(401, "session_ended");
    let post = |origin: &str| {
        let request = app.anon.request(Method::POST, CHANNELS).header("cookie", &cookie).header("origin", origin);
        let request = request.header("x-csrf-token", session["csrfToken"].as_str().unwrap());
        app.anon.send(request.json(&json!({"name": "alerts"})))
    };
    post("http://tieline.example").await.problem(403, "origin_not_allowed");
    post("https://tieline.example").await.ok(201);

    let open = async || {
        let made = app.owner.post(PORTAL_SESSIONS, &json!({})).await.ok(201);
        let url = made["url"].as_str().unwrap().strip_prefix("https://tieline.example").unwrap().to_owned();
        app.anon.get(&url).await.header("set-cookie").to_owned()
    };
    assert!(open().await.ends_with("; SameSite=Lax; Secure"));
    let path = format!("/v1/organisations/{}/frame-ancestors", app.organisation("acme").await);
    let put = app.owner.request(Method::PUT, &path).json(&json!({"origins": ["https://app.example.com"]}));
    app.owner.send(put).await.ok(200);
    let framed = open().await;
    assert!(framed.ends_with("; Path=/; Max-Age=3600; HttpOnly; SameSite=None; Secure; Partitioned"), "{framed}");
}

#[tokio::test]
async fn over_plain_http_nobody_is_signed_in_by_a_cookie() {
    let app = at("http://tieline.example").await;
    for refused in [
        app.anon.post(SESSIONS, &json!({"token": app.owner.token()})).await,
        app.owner.post(PORTAL_SESSIONS, &json!({})).await,
    ] {
        let problem = refused.problem(409, "failed_precondition");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("plain http") && detail.contains("https"), "{detail}");
        assert_eq!(refused.header("set-cookie"), "");
    }
    app.owner.get(CHANNELS).await.ok(200);
}

#[tokio::test]
async fn many_wrong_tokens_are_rate_limited() {
    let settings = vec![("TIELINE_LIMITS__WRONG_CREDENTIALS_PER_MINUTE", "3".to_owned())];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let paste = async |token: &str| app.anon.post(SESSIONS, &json!({"token": token})).await;
    for _ in 0..3 {
        paste("tl_wrong").await.problem(401, "token_invalid");
    }
    paste("tl_wrong").await.problem(429, "rate_limited");
    for _ in 0..5 {
        let old = app.anon.request(Method::GET, SESSION).header("cookie", "tieline_session=AAAA");
        app.anon.send(old).await.problem(401, "session_ended");
    }
}
