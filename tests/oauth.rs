//! Tests of connecting Slack by OAuth: accepted states, Slack's possible answers, the browser's pages, and tokens that
//! rotate.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use standin::Options;
use tieline::{domain::tenancy::member::Role, store};

use crate::support::{Answer, Client, Database, Setup, TestApp, browser, until};

const BASE: &str = "/v1/slack-integrations";
const COMPLETE: &str = "/v1/slack-integrations/oauth/complete";
const CALLBACK: &str = "/v1/slack/oauth/callback";
const TEAM: &str = "T0STANDIN";
const CHANNEL: &str = "C0ALERTS";
/// Time limit of a wait for another task.
const WAIT_LIMIT: Duration = Duration::from_secs(5);
const DISCONNECTED: &str = "SLACK_INTEGRATION_STATUS_DISCONNECTED";

async fn oauth_url(caller: &Client) -> String {
    caller.get("/v1/slack-integrations/oauth-url").await.ok(200)["oauthUrl"].as_str().unwrap().to_owned()
}

/// Starts a flow and presses Allow: the code and the state.
async fn allowed(app: &TestApp, caller: &Client) -> (String, String) {
    app.slack.allow(&oauth_url(caller).await, TEAM).await
}

async fn complete(caller: &Client, code: &str, state: &str) -> Answer {
    caller.post(COMPLETE, &json!({"code": code, "state": state})).await
}

/// Comes back from Slack as a browser does, without a token, and agrees where it is asked.
async fn come_back(app: &TestApp, query: &[(&str, &str)]) -> Answer {
    let answer = app.anon.send(app.anon.request(Method::GET, CALLBACK).query(query)).await;
    browser::go_on(&app.anon, answer).await
}

#[track_caller]
fn refused(answer: &Answer, code: u16, code_type: &str) -> String {
    let error = &answer.ok(code)["error"];
    assert_eq!(error["codeType"], code_type, "{error}");
    error["message"].as_str().unwrap().to_owned()
}

/// Asserts a page of ours: readable, with the headers that keep a browser safe, and without a secret in it.
#[track_caller]
fn page(answer: &Answer, status: u16, secrets: &[&str]) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    assert!(!answer.text.contains("<script"), "{}", answer.text);
    for secret in secrets.iter().chain(&["xoxb-", "xoxe"]) {
        assert!(!format!("{answer:?}").contains(secret), "{secret} is in {answer:?}");
    }
    answer.text.clone()
}

async fn is_connected(caller: &Client) -> bool {
    caller.get(BASE).await.ok(200).get("slackIntegration").is_some()
}

async fn own_id(app: &TestApp, username: &str) -> (String, String) {
    let organisation = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let members = app.owner.get(&format!("/v1/organisations/{organisation}/members")).await.ok(200);
    let member = members["data"].as_array().unwrap().iter().find(|member| member["username"] == username).unwrap();
    (organisation.clone(), format!("/v1/organisations/{organisation}/members/{}", member["userId"].as_str().unwrap()))
}

both! {
    async fn the_url_leads_to_slacks_page(app) {
        let url = Url::parse(&oauth_url(&app.owner).await).unwrap();
        assert!(url.as_str().starts_with(&format!("{}/oauth/v2/authorize?", app.slack.base())), "{url}");
        let query = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(query("client_id"), Options::default().client_id);
        assert_eq!(query("scope"), "chat:write,channels:read,groups:read");
        assert!(query("redirect_uri").ends_with(CALLBACK));
        assert!(query("state").len() >= 43, "at least 256 bits");
        assert_ne!(oauth_url(&app.owner).await, url.as_str(), "each has a state of its own");
    }

    async fn a_state_works_for_its_member_alone(app) {
        let (code, state) = allowed(&app, &app.owner).await;
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let other = app.other("globex").await;
        let reported = refused(&complete(&app.owner, &code, "forged").await, 400, "INVALID_ARGUMENT");
        for thief in [&admin, &other] {
            let answer = complete(thief, &code, &state).await;
            assert_eq!(refused(&answer, 400, "INVALID_ARGUMENT"), reported, "as if it had never been issued");
        }
        assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 0, "Slack is not asked");
        complete(&app.owner, &code, &state).await.ok(200);
        assert_eq!(refused(&complete(&app.owner, &code, &state).await, 400, "INVALID_ARGUMENT"), reported, "used");
        assert!(!is_connected(&other).await);
    }

    async fn a_code_and_a_state_are_needed(app) {
        let (code, state) = allowed(&app, &app.owner).await;
        for (body, field) in [
            (json!({"code": code}), "/state"),
            (json!({"state": state}), "/code"),
            (json!({"code": code, "state": ""}), "/state"),
            (json!({"code": "", "state": state}), "/code"),
            (json!({"code": code, "state": null}), "/state"),
        ] {
            let answer = app.owner.post(COMPLETE, &body).await;
            refused(&answer, 400, "INVALID_ARGUMENT");
            let details = &answer.json()["error"]["details"];
            assert_eq!((&details[0]["field"], details.as_array().unwrap().len()), (&json!(field), 1), "{details}");
        }
        let answer = app.owner.post(COMPLETE, &json!({})).await;
        assert_eq!(answer.ok(400)["error"]["details"].as_array().unwrap().len(), 2, "both are named");
        complete(&app.owner, &code, &state).await.ok(200);
    }

    async fn a_state_lives_ten_minutes(app) {
        let (code, state) = allowed(&app, &app.owner).await;
        let (late_code, late_state) = allowed(&app, &app.owner).await;
        app.advance(Duration::from_secs(599));
        complete(&app.owner, &code, &state).await.ok(200);
        app.advance(Duration::from_secs(1));
        let message = refused(&complete(&app.owner, &late_code, &late_state).await, 400, "INVALID_ARGUMENT");
        assert!(message.contains("too old"), "{message}");
        let again = refused(&complete(&app.owner, &late_code, &late_state).await, 400, "INVALID_ARGUMENT");
        assert!(again.contains("used already"), "{again}");
    }

    async fn two_tabs_work_once_each(app) {
        let (first, second) = (allowed(&app, &app.owner).await, allowed(&app, &app.owner).await);
        let id = |answer: &Answer| answer.ok(200)["slackIntegration"]["id"].clone();
        let one = id(&complete(&app.owner, &second.0, &second.1).await);
        let two = id(&complete(&app.owner, &first.0, &first.1).await);
        assert_ne!(one, two, "the second replaces the first");
        for (code, state) in [first, second] {
            refused(&complete(&app.owner, &code, &state).await, 400, "INVALID_ARGUMENT");
        }
        assert!(is_connected(&app.owner).await);
    }

    async fn two_presses_connect_once(app) {
        let (code, state) = allowed(&app, &app.owner).await;
        let both = tokio::join!(complete(&app.owner, &code, &state), complete(&app.owner, &code, &state));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
        assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 1);
    }

    async fn the_state_of_somebody_who_left_is_void(app) {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let (code, state) = allowed(&app, &admin).await;
        let (_, member) = own_id(&app, "ada").await;
        assert_eq!(app.owner.delete(&member).await.status, 204);
        refused(&complete(&admin, &code, &state).await, 401, "UNAUTHENTICATED");
        page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 400, &[&code, &state]);
        assert!(!is_connected(&app.owner).await);
        assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 0);
    }

    async fn who_may_no_longer_connect_does_not(app) {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let (code, state) = allowed(&app, &admin).await;
        let (_, member) = own_id(&app, "ada").await;
        app.owner.patch(&member, &json!({"role": "member"})).await.ok(200);
        refused(&complete(&admin, &code, &state).await, 403, "PERMISSION_DENIED");
        page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 400, &[&code, &state]);
        assert!(!is_connected(&app.owner).await);
        assert_eq!(app.slack.calls("oauth.v2.access").await.len(), 0);
    }

    async fn a_code_that_slack_does_not_know_is_refused(app) {
        let (used, state) = allowed(&app, &app.owner).await;
        complete(&app.owner, &used, &state).await.ok(200);
        for (code, expected) in [("1111.2222.nonsense", "invalid_code"), (&used, "code_already_used")] {
            let (_, state) = allowed(&app, &app.owner).await;
            let message = refused(&complete(&app.owner, code, &state).await, 400, "INVALID_ARGUMENT");
            assert!(message.contains(expected) && !message.contains(code), "{message}");
        }
        let url = Url::parse(&oauth_url(&app.owner).await).unwrap();
        let state = url.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned();
        let order = json!({
            "client_id": Options::default().client_id, "redirect_uri": "http://127.0.0.1/elsewhere",
            "scope": "chat:write", "state": state,
        });
        let code = app.slack.order("authorize", order).await["code"].as_str().unwrap().to_owned();
        let message = refused(&complete(&app.owner, &code, &state).await, 502, "UNKNOWN");
        assert!(message.contains("bad_redirect_uri"), "{message}");
    }

    async fn each_refusal_of_slacks_is_passed_on(app) {
        for (code, status, code_type) in [
            ("invalid_code", 400, "INVALID_ARGUMENT"),
            ("code_already_used", 400, "INVALID_ARGUMENT"),
            ("bad_client_secret", 502, "UNKNOWN"),
            ("bad_redirect_uri", 502, "UNKNOWN"),
            ("cannot_install_an_org_installed_app", 502, "UNKNOWN"),
            ("invalid_client_id", 502, "UNKNOWN"),
            ("invalid_code_verifier", 502, "UNKNOWN"),
            ("invalid_grant_type", 502, "UNKNOWN"),
            ("invalid_refresh_token", 502, "UNKNOWN"),
            ("no_scopes", 502, "UNKNOWN"),
            ("oauth_authorization_url_mismatch", 502, "UNKNOWN"),
            ("pkce_not_allowed", 502, "UNKNOWN"),
            ("preview_feature_not_available", 502, "UNKNOWN"),
            ("user_email_unverified", 502, "UNKNOWN"),
            ("internal_error", 503, "UNAVAILABLE"),
            ("ratelimited", 503, "UNAVAILABLE"),
        ] {
            let (right, state) = allowed(&app, &app.owner).await;
            app.slack.fault(json!({"method": "oauth.v2.access", "error": code, "times": 1})).await;
            let message = refused(&complete(&app.owner, &right, &state).await, status, code_type);
            assert!(status == 503 || message.contains(code), "{message}");
            assert!(!message.contains(&right), "{message}");
            refused(&complete(&app.owner, &right, &state).await, 400, "INVALID_ARGUMENT");
        }
        assert!(!is_connected(&app.owner).await);
    }

    async fn a_slack_that_does_not_answer_uses_the_state_up_and_nothing_else(app) {
        for fault in [
            json!({"status": 503}),
            json!({"body": "<html>maintenance</html>"}),
            json!({"body": "{\"ok\":true,\"access_token\":\"xoxb-canary\",\"team\":7}"}),
            json!({"latencyMs": 5000}),
            json!({"hang": "body"}),
            json!({"endlessBytes": 50_000_000}),
            json!({"drop": "before"}),
            json!({"drop": "after"}),
            json!({"retryAfterSecs": 9}),
        ] {
            let (code, state) = allowed(&app, &app.owner).await;
            let mut order = fault.clone();
            order["method"] = json!("oauth.v2.access");
            app.slack.fault(order).await;
            let answer = complete(&app.owner, &code, &state).await;
            let message = refused(&answer, 503, "UNAVAILABLE");
            assert!(!message.contains("canary"), "{fault}: {message}");
            assert_eq!(answer.header("retry-after"), if fault["retryAfterSecs"] == 9 { "9" } else { "" }, "{fault}");
            app.slack.mend().await;
            refused(&complete(&app.owner, &code, &state).await, 400, "INVALID_ARGUMENT");
            assert!(!is_connected(&app.owner).await, "{fault}");
        }
        let (code, state) = allowed(&app, &app.owner).await;
        complete(&app.owner, &code, &state).await.ok(200);
    }

    async fn what_slack_grants_must_be_a_bot(app) {
        let granted = json!({"ok": true, "team": {"id": TEAM, "name": "Acme"}, "authed_user": {"id": "U1"}});
        let (code, state) = allowed(&app, &app.owner).await;
        app.slack.fault(json!({"method": "oauth.v2.access", "body": granted.to_string(), "times": 2})).await;
        let message = refused(&complete(&app.owner, &code, &state).await, 400, "FAILED_PRECONDITION");
        assert!(message.contains("no bot token"), "{message}");
        let (code, state) = allowed(&app, &app.owner).await;
        let text = page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 400, &[&code, &state]);
        assert!(text.contains("no bot token"), "{text}");
        assert!(!is_connected(&app.owner).await);
    }

    async fn a_whole_enterprise_is_connected_like_a_workspace(app) {
        let granted = json!({
            "ok": true, "access_token": "xoxb-canary", "is_enterprise_install": true, "team": null,
            "enterprise": {"id": "E0CORP", "name": "Corp"}, "authed_user": {"id": "U1"},
        });
        let (code, state) = allowed(&app, &app.owner).await;
        app.slack.fault(json!({"method": "oauth.v2.access", "body": granted.to_string(), "times": 1})).await;
        let answer = complete(&app.owner, &code, &state).await;
        assert!(answer.text.contains("Corp") && !answer.text.contains("canary"), "{}", answer.text);
        answer.ok(200);
        assert!(is_connected(&app.owner).await);
    }

    async fn the_browser_comes_back_and_is_connected(app) {
        let (organisation, _) = own_id(&app, "olga").await;
        let name = json!({"name": "<b>Acme</b> & \"Sons\""});
        app.owner.patch(&format!("/v1/organisations/{organisation}"), &name).await.ok(200);
        let (code, state) = allowed(&app, &app.owner).await;
        let text = page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 200, &[&code, &state]);
        assert!(text.contains("Acme Stand-in"), "{text}");
        assert!(text.contains("&lt;b&gt;Acme&lt;/b&gt; &amp; &quot;Sons&quot;"), "{text}");
        assert!(is_connected(&app.owner).await);
        page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 400, &[&code, &state]);
        assert!(is_connected(&app.owner).await, "a reload takes nothing back");

        let granted = json!({
            "ok": true, "access_token": "xoxb-canary", "team": {"id": "T0EVIL", "name": "<script>alert(1)</script>"},
        });
        let (code, state) = allowed(&app, &app.owner).await;
        app.slack.fault(json!({"method": "oauth.v2.access", "body": granted.to_string(), "times": 1})).await;
        let text = page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 200, &[&code, &state]);
        assert!(text.contains("&lt;script&gt;"), "{text}");
    }

    async fn the_browser_shows_the_failure(app) {
        let (code, used) = allowed(&app, &app.owner).await;
        complete(&app.owner, &code, &used).await.ok(200);
        let (code, old) = allowed(&app, &app.owner).await;
        app.advance(Duration::from_secs(601));
        let (fresh_code, fresh) = allowed(&app, &app.owner).await;
        for (query, expected) in [
            (vec![("code", code.as_str()), ("state", "forged")], "not one that was issued"),
            (vec![("code", &code), ("state", &used)], "used already"),
            (vec![("code", &code), ("state", &old)], "too old"),
            (vec![("code", &code), ("state", "")], "not one that was issued"),
            (vec![("code", &code)], "not complete"),
            (vec![("state", &fresh)], "not complete"),
            (vec![], "not complete"),
            (vec![("error", "access_denied"), ("state", &fresh)], "Cancel"),
            (vec![("error", "<script>alert(1)</script>"), ("state", &fresh)], "Slack refused"),
            (vec![("error", "access_denied"), ("code", &fresh_code), ("state", &fresh)], "Cancel"),
        ] {
            let text = page(&come_back(&app, &query).await, 400, &[&code, &used, &old, &fresh, &fresh_code]);
            assert!(text.contains("connected</h1>") && text.contains(expected), "{query:?}: {text}");
        }
        page(&come_back(&app, &[("code", "wrong"), ("state", &fresh)]).await, 400, &[&fresh]);
        for fault in [json!({"method": "oauth.v2.access", "status": 500}), json!({"method": "oauth.v2.access", "drop": "before"})] {
            let (code, state) = allowed(&app, &app.owner).await;
            app.slack.fault(fault).await;
            page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 503, &[&code, &state]);
            app.slack.mend().await;
        }
    }

    async fn the_browser_does_not_take_anothers_workspace(app) {
        app.slack.connect(&app.owner, TEAM, CHANNEL).await;
        let other = app.other("globex").await;
        let (code, state) = allowed(&app, &other).await;
        let text = page(&come_back(&app, &[("code", &code), ("state", &state)]).await, 400, &[&code, &state]);
        assert!(text.contains("another organisation"), "{text}");
        assert!(!is_connected(&other).await && is_connected(&app.owner).await);
    }

    async fn the_state_alone_says_for_whom(app) {
        let other = app.other("globex").await;
        let (first_code, first_state) = allowed(&app, &app.owner).await;
        let (second_code, second_state) = app.slack.allow(&oauth_url(&other).await, "T0SECOND").await;
        page(&come_back(&app, &[("code", &second_code), ("state", &first_state)]).await, 200, &[&first_state]);
        let mine = app.owner.get(BASE).await.ok(200);
        assert_eq!(mine["slackIntegration"]["slackTeamId"], "T0SECOND");
        assert!(!is_connected(&other).await);
        page(&come_back(&app, &[("code", &second_code), ("state", &second_state)]).await, 400, &[&second_state]);
        page(&come_back(&app, &[("code", &first_code), ("state", &second_state)]).await, 400, &[&second_state]);
        assert!(!is_connected(&other).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_slack_app_it_says_which_settings_are_missing() {
    let settings = vec![("TIELINE_SLACK__CLIENT_ID", String::new()), ("TIELINE_SLACK__CLIENT_SECRET", String::new())];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let message = refused(&app.owner.get("/v1/slack-integrations/oauth-url").await, 400, "FAILED_PRECONDITION");
    for setting in ["TIELINE_SLACK__CLIENT_ID", "TIELINE_SLACK__CLIENT_SECRET", "TIELINE_SLACK__SIGNING_SECRET"] {
        assert!(message.contains(setting), "{message}");
    }
    assert_eq!(app.owner.get(BASE).await.ok(200), json!({}));
    refused(&complete(&app.owner, "code", "state").await, 400, "INVALID_ARGUMENT");
}

/// Runs a scenario on both databases, with this setup.
async fn on_each_database(setup: impl Fn() -> Setup, story: impl AsyncFn(TestApp)) {
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        story(TestApp::start_with(database, setup()).await).await;
    }
}

/// The same with a Slack app that rotates its tokens, connected and with a channel.
async fn with_rotation(story: impl AsyncFn(TestApp)) {
    let slack = || Options { rotation: true, ..Options::default() };
    on_each_database(
        || Setup { slack: slack(), ..Setup::default() },
        async |app| {
            app.slack.connect(&app.owner, TEAM, CHANNEL).await;
            story(app).await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_is_connected_all_the_same() {
    let settings = || vec![("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "10000".to_owned())];
    on_each_database(
        || Setup { settings: settings(), ..Setup::default() },
        async |app| {
            for through_the_browser in [false, true] {
                let (code, state) = allowed(&app, &app.owner).await;
                let request = match through_the_browser {
                    true => {
                        let back = app.anon.request(Method::GET, CALLBACK).query(&[("code", &code), ("state", &state)]);
                        let asked = browser::look(&app.anon, app.anon.send(back).await).await;
                        browser::button(&app.anon, &asked)
                    }
                    false => app.owner.request(Method::POST, COMPLETE).json(&json!({"code": code, "state": state})),
                };
                app.slack.fault(json!({"method": "oauth.v2.access", "latencyMs": 600, "times": 1})).await;
                let asking = tokio::spawn(request.send());
                until("Slack is asked", WAIT_LIMIT, async || (!app.slack.is_fault_waiting().await).then_some(())).await;
                asking.abort();
                assert!(asking.await.unwrap_err().is_cancelled(), "it was answered already");
                until("it is connected", WAIT_LIMIT, async || is_connected(&app.owner).await.then_some(())).await;
                app.owner.delete(BASE).await.ok(200);
            }
        },
    )
    .await;
}

async fn renewals(app: &TestApp) -> usize {
    app.slack.calls("oauth.v2.access").await.len() - 1
}

async fn status(app: &TestApp) -> Value {
    app.owner.get(BASE).await.ok(200)["slackIntegration"]["status"].clone()
}

const LONG: Duration = Duration::from_secs(13 * 3600);
const NEARLY_AS_LONG: Duration = Duration::from_secs(11 * 3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_slack_refuses_disconnects() {
    for fault in [
        json!({"method": "oauth.v2.access", "error": "invalid_refresh_token"}),
        json!({"method": "oauth.v2.access", "error": "token_revoked"}),
    ] {
        with_rotation(async |app| {
            app.advance(LONG);
            app.slack.fault(fault.clone()).await;
            let event = app.step("too late").await;
            app.drain().await;
            assert_eq!(app.delivery_of(&event).await["state"], "failed");
            assert_eq!(status(&app).await, DISCONNECTED);
            assert_eq!(app.slack.texts(CHANNEL).await.len(), 0);
        })
        .await;
        with_rotation(async |app| {
            app.advance(LONG);
            app.slack.fault(fault.clone()).await;
            refused(&app.owner.get("/v1/slack-integrations/channels").await, 502, "UNKNOWN");
            assert_eq!(status(&app).await, DISCONNECTED, "at any caller that finds out");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_our_own_settings_spoil_disconnects_nobody() {
    with_rotation(async |app| {
        app.advance(LONG);
        app.slack.fault(json!({"method": "oauth.v2.access", "error": "bad_client_secret"})).await;
        let event = app.step("patience").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "pending");
        assert_ne!(status(&app).await, DISCONNECTED);
        app.slack.mend().await;
        app.run_for(60).await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_waits_for_a_slack_that_is_down() {
    for fault in [
        json!({"method": "oauth.v2.access", "status": 503}),
        json!({"method": "oauth.v2.access", "drop": "before"}),
        json!({"method": "oauth.v2.access", "body": "<html>"}),
    ] {
        with_rotation(async |app| {
            app.advance(LONG);
            app.slack.fault(fault.clone()).await;
            let event = app.step("patience").await;
            app.run_for(3).await;
            assert_eq!(app.delivery_of(&event).await["state"], "pending", "{fault}");
            refused(&app.owner.get("/v1/slack-integrations/channels").await, 503, "UNAVAILABLE");
            app.slack.mend().await;
            app.owner.get("/v1/slack-integrations/channels").await.ok(200);
            app.advance(std::time::Duration::from_secs(300));
            app.drain().await;
            assert_eq!(app.delivery_of(&event).await["state"], "delivered", "{fault}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_still_works_is_used_while_slack_does_not_renew_it() {
    with_rotation(async |app| {
        app.advance(NEARLY_AS_LONG);
        app.slack.fault(json!({"method": "oauth.v2.access", "status": 503})).await;
        let event = app.step("in time").await;
        app.drain().await;
        assert_eq!(app.delivery_of(&event).await["state"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_need_a_token_renew_it_once() {
    with_rotation(async |app| {
        app.advance(NEARLY_AS_LONG);
        app.slack.fault(json!({"method": "oauth.v2.access", "latencyMs": 100})).await;
        let channels = "/v1/slack-integrations/channels";
        let answers = tokio::join!(app.owner.get(channels), app.owner.get(channels), app.owner.get(channels));
        for answer in [answers.0, answers.1, answers.2] {
            answer.ok(200);
        }
        assert_eq!(renewals(&app).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_takes_the_token_that_another_renewed() {
    with_rotation(async |app| {
        let reader = app.app.base.store().reader();
        let organisation = own_id(&app, "olga").await.0.parse().unwrap();
        let seen = store::slack::links::find(reader, organisation).await.unwrap().unwrap();
        let renewed = app.app.slack.renew_slack_token(&seen).await.unwrap();
        let late = app.app.slack.renew_slack_token(&seen).await.unwrap();
        assert!(renewed.expose() == late.expose(), "both have the same one");
        assert_eq!(renewals(&app).await, 1, "a refresh token is valid for one use");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_early_is_renewed_for_whoever_needs_it() {
    with_rotation(async |app| {
        app.slack.fault(json!({"method": "conversations.list", "error": "token_expired", "times": 1})).await;
        app.owner.get("/v1/slack-integrations/channels").await.ok(200);
        app.slack.fault(json!({"method": "chat.postMessage", "error": "token_expired", "times": 1})).await;
        let test = app.owner.post("/v1/slack-integrations/test", &json!({})).await;
        assert_eq!(test.ok(200), json!({"success": true}));
        assert_eq!(renewals(&app).await, 2);
        assert_eq!(status(&app).await, "SLACK_INTEGRATION_STATUS_ACTIVE");
    })
    .await;
}
