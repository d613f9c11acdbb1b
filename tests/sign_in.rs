//! Tests of signing in by an identity provider: the stand-in's, over real HTTP.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Database, Setup, TestApp, browser};

const ORIGIN: &str = "http://127.0.0.1:8080";
const BEGIN: &str = "/portal/sign-in/oidc";
const CALLBACK: &str = "/portal/sign-in/oidc/callback";

async fn start(more: &[(&'static str, &str)]) -> TestApp {
    let settings = [
        ("TIELINE_OIDC__ISSUER", "{standin}/oidc"),
        ("TIELINE_OIDC__CLIENT_ID", "tieline-portal"),
        ("TIELINE_OIDC__CLIENT_SECRET", "standin-oidc-secret"),
        ("TIELINE_OIDC__NAME", "Acme SSO"),
    ];
    let settings = settings.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect();
    TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await
}

/// The identity provider, as a browser reaches it.
fn provider(app: &TestApp) -> Client {
    Client::new(app.slack.server().origin())
}

/// Begins to sign in: the provider's page, and the cookie.
async fn begun(app: &TestApp, query: &str) -> (String, String) {
    let answer = app.anon.get(&format!("{BEGIN}{query}")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let set = answer.header("set-cookie");
    assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{set}");
    let page = answer.header("location").strip_prefix(&app.slack.server().origin()).unwrap().to_owned();
    (page, browser::cookie(&answer))
}

/// Chooses a person on the provider's page: the path and the query with which the browser comes back.
async fn chosen(app: &TestApp, page: &str, person: &str) -> String {
    let answer = provider(app).get(&format!("{page}&login_hint={person}")).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    answer.header("location").strip_prefix(ORIGIN).unwrap().to_owned()
}

async fn come_back(app: &TestApp, path: &str, cookie: &str) -> Answer {
    app.anon.send(app.anon.request(Method::GET, path).header("cookie", cookie)).await
}

/// Signs in as a person.
async fn sign_in(app: &TestApp, person: &str, query: &str) -> Answer {
    let (page, cookie) = begun(app, query).await;
    let back = chosen(app, &page, person).await;
    come_back(app, &back, &cookie).await
}

/// Cookies that an answer sets.
fn set_cookies(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

async fn session(app: &TestApp, answer: &Answer) -> Value {
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/portal/"), "{}", answer.text);
    let cookies = set_cookies(answer);
    assert!(cookies[1].starts_with("tieline_sign_in=; Path=/; Max-Age=0;"), "the ticket is removed: {cookies:?}");
    let request = app.anon.request(Method::GET, "/v1/session").header("cookie", cookies[0].split(';').next().unwrap());
    app.anon.send(request).await.ok(200)
}

#[track_caller]
fn refused(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert!(answer.text.contains(text) && answer.text.contains("href=\"/portal/sign-in\""), "{}", answer.text);
    assert!(set_cookies(answer).iter().all(|cookie| !cookie.starts_with("tieline_session")), "{answer:?}");
}

/// Creates a member with this identity, as the operator or an administrator knows them.
async fn member(app: &TestApp, caller: &Client, slug: &str, body: Value) {
    let path = format!("/v1/organisations/{}/members", app.organisation(slug).await);
    caller.post(&path, &body).await.ok(201);
}

const ADA: &str = "ada@acme-standin.example";

#[tokio::test]
async fn a_verified_address_or_a_subject_means_a_member() {
    let app = start(&[]).await;
    let options = app.anon.get("/v1/sign-in-options").await.ok(200);
    assert_eq!(options, json!({"openIdConnect": {"name": "Acme SSO", "url": BEGIN}, "tokens": true}));
    refused(&sign_in(&app, "ada", "").await, 403, "no organisation here has you as a member");

    member(&app, &app.owner, "acme", json!({"username": "ada", "email": "Ada@acme-standin.example", "role": "admin"}))
        .await;
    let found = session(&app, &sign_in(&app, "ada", "").await).await;
    assert_eq!((&found["member"]["username"], &found["member"]["role"]), (&"ada".into(), &"admin".into()));
    let log = app.owner.get("/v1/audit-log?action=session.open").await.ok(200);
    assert_eq!(log["data"][0]["detail"], json!({"by": "identity-provider"}));
    refused(&sign_in(&app, "eve", "").await, 403, "no organisation here");

    // An administrator's word about a subject is an invitation, until its holder accepts it.
    member(&app, &app.owner, "acme", json!({"username": "max", "subject": "standin|max"})).await;
    refused(&sign_in(&app, "max", "").await, 403, "no organisation here");
    app.other("globex").await;
    let operator = tieline::app::tenancy::members::NewMember {
        user_id: None,
        username: "max".into(),
        email: None,
        subject: Some("standin|max".into()),
        role: Role::Member,
    };
    app.app.tenancy.ensure_member_as_operator("globex", operator).await.unwrap();
    let found = session(&app, &sign_in(&app, "max", "").await).await;
    assert_eq!((&found["organisation"]["slug"], &found["member"]["username"]), (&"globex".into(), &"max".into()));
}

#[tokio::test]
async fn a_member_of_several_organisations_chooses_one() {
    let app = start(&[]).await;
    let other = app.other("globex").await;
    for (slug, caller) in [("acme", &app.owner), ("globex", &other)] {
        member(&app, caller, slug, json!({"username": "ada", "email": ADA})).await;
    }
    let asked = sign_in(&app, "ada", "").await;
    assert_eq!(asked.status, 200);
    for slug in ["acme", "globex"] {
        assert!(asked.text.contains(&format!("href=\"{BEGIN}?organisation={slug}\"")), "{}", asked.text);
        let found = session(&app, &sign_in(&app, "ada", &format!("?organisation={slug}")).await).await;
        assert_eq!(found["organisation"]["slug"], slug);
    }
    refused(&sign_in(&app, "ada", "?organisation=nobodys").await, 403, "no organisation here");
    refused(&app.anon.get(&format!("{BEGIN}?organisation=A_B")).await, 400, "/slug");
}

#[tokio::test]
async fn an_answer_is_of_the_browser_that_asked_and_is_used_once() {
    let app = start(&[]).await;
    member(&app, &app.owner, "acme", json!({"username": "ada", "email": ADA})).await;
    let (page, cookie) = begun(&app, "").await;
    let query = Url::parse("http://x").unwrap().join(&page).unwrap();
    let value = |name: &str| query.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!((value("code_challenge_method").as_str(), value("scope").as_str()), ("S256", "openid email"));
    assert_eq!(value("redirect_uri"), format!("{ORIGIN}{CALLBACK}"));
    assert!(["state", "nonce", "code_challenge"].iter().all(|name| value(name).len() == 43));
    let back = chosen(&app, &page, "ada").await;

    let unknown = "did not ask to sign in";
    refused(&app.anon.get(&back).await, 400, unknown);
    let (_, other) = begun(&app, "").await;
    refused(&come_back(&app, &back, &other).await, 400, unknown);
    refused(&come_back(&app, &format!("{CALLBACK}?code=x"), &cookie).await, 400, unknown);
    refused(&come_back(&app, &back.replace("state=", "state=x"), &cookie).await, 400, unknown);
    let denied = format!("{CALLBACK}?error=access_denied&state={}", value("state"));
    refused(&come_back(&app, &denied, &cookie).await, 400, "did not sign you in");
    session(&app, &come_back(&app, &back, &cookie).await).await;
    refused(&come_back(&app, &back, &cookie).await, 400, "not valid any more");

    let (page, cookie) = begun(&app, "").await;
    let challenge = Url::parse("http://x").unwrap().join(&page).unwrap();
    let challenge = challenge.query_pairs().find(|(key, _)| key == "code_challenge").unwrap().1.into_owned();
    let wrong = page.replace(&challenge, "another-challenge");
    let back = chosen(&app, &wrong, "ada").await;
    refused(&come_back(&app, &back, &cookie).await, 400, "not valid any more");
}

#[tokio::test]
async fn a_token_that_is_not_for_us_signs_nobody_in() {
    let app = start(&[]).await;
    member(&app, &app.owner, "acme", json!({"username": "ada", "email": ADA})).await;
    let now = app.now().timestamp();
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another"}),
        json!({"aud": ["tieline-portal", "another"]}),
        json!({"aud": ["tieline-portal", "another"], "azp": "another"}),
        json!({"azp": "another"}),
        json!({"exp": now - 120}),
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"sub": ""}),
    ] {
        provider(&app).post("/control/oidc/claims", &claims).await.ok(200);
        refused(&sign_in(&app, "ada", "").await, 400, "not valid any more");
    }
    provider(&app).post("/control/oidc/claims", &json!({"email_verified": "false"})).await.ok(200);
    refused(&sign_in(&app, "ada", "").await, 403, "no organisation here");
    for claims in [
        json!({}),
        json!({"aud": ["tieline-portal", "another"], "azp": "tieline-portal"}),
        json!({"email_verified": "true"}),
    ] {
        provider(&app).post("/control/oidc/claims", &claims).await.ok(200);
        session(&app, &sign_in(&app, "ada", "").await).await;
    }
    let (page, cookie) = begun(&app, "").await;
    let back = chosen(&app, &page, "ada").await;
    app.advance(Duration::from_secs(120));
    app.set_their_clocks().await;
    refused(&come_back(&app, &back, &cookie).await, 400, "not valid any more");
}

#[tokio::test]
async fn subjects_of_another_issuer_are_other_people() {
    let secret = "an hs256 secret of at least 32 bytes";
    let app = start(&[("TIELINE_AUTH__JWT__HS256_SECRET", secret)]).await;
    let operator = tieline::app::tenancy::members::NewMember {
        user_id: None,
        username: "max".into(),
        email: None,
        subject: Some("standin|max".into()),
        role: Role::Owner,
    };
    app.app.tenancy.ensure_member_as_operator("acme", operator).await.unwrap();
    refused(&sign_in(&app, "max", "").await, 403, "no organisation here");
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_to_begin() {
    let app = TestApp::start(Database::sqlite()).await;
    refused(&app.anon.get(BEGIN).await, 400, "No identity provider is configured");
    refused(&app.anon.get(CALLBACK).await, 400, "did not ask to sign in");
    let away = start(&[("TIELINE_PUBLIC_URL", "http://tieline.example")]).await;
    refused(&away.anon.get(BEGIN).await, 400, "plain http");
    let silent = start(&[("TIELINE_OIDC__ISSUER", "http://127.0.0.1:9")]).await;
    refused(&silent.anon.get(BEGIN).await, 503, "identity provider");
}
