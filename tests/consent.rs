//! Tests of the page that asks before Slack or GitHub is connected: its contents, the accepted answers, and their
//! single use.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tieline::domain::tenancy::member::Role;

use crate::support::{Answer, Client, Database, Setup, TestApp, browser, card_state};

const TEAM: &str = "T0STANDIN";
/// Address of the service for browsers, and so the origin of its pages.
const ORIGIN: &str = "http://127.0.0.1:8080";

/// Consent at Slack by the notifications' flow, or by the app's: the path to which the browser comes back, and the
/// code.
async fn allowed(app: &TestApp, caller: &Client, of_app: bool, team: &str) -> (String, String) {
    let (page, back) = if of_app {
        let begun = caller.get("/api/v2/integration/slack/install").await;
        (begun.header("location").to_owned(), "/api/v2/integration/slack/auth")
    } else {
        let begun = caller.get("/v1/slack-integrations/oauth-url").await.ok(200);
        (begun["oauthUrl"].as_str().unwrap().to_owned(), "/v1/slack/oauth/callback")
    };
    let (code, state) = app.slack.allow(&page, team).await;
    (format!("{back}?code={code}&state={state}"), code)
}

async fn exchanges(app: &TestApp) -> usize {
    app.slack.calls("oauth.v2.access").await.len()
}

async fn connected(caller: &Client) -> Value {
    caller.get("/v1/slack-integrations").await.ok(200)["slackIntegration"]["slackTeamId"].clone()
}

#[track_caller]
fn page(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.text.contains(says), "{says:?} is not in {}", answer.text);
    assert!(!answer.text.contains("<script"), "{}", answer.text);
}

/// Answers a consent page, with these headers.
async fn answer(app: &TestApp, state: &str, headers: &[(&str, &str)]) -> Answer {
    let request = app.anon.request(Method::POST, browser::CONSENT).form(&[("state", state)]);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    app.anon.send(request).await
}

both! {
    async fn slack_is_connected_by_a_button_and_not_before(app) {
        let organisation = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let name = json!({"name": "<b>Acme</b> & \"Sons\""});
        app.owner.patch(&format!("/v1/organisations/{organisation}"), &name).await.ok(200);
        for (of_app, before) in [(false, 0), (true, 1)] {
            let (back, code) = allowed(&app, &app.owner, of_app, TEAM).await;
            let led = app.anon.get(&back).await;
            assert_eq!((led.status.as_u16(), led.text.as_str(), led.header("cache-control")), (302, "", "no-store"));
            assert!(led.header("location").starts_with("/v1/consent?state="), "{led:?}");
            assert!(!format!("{led:?}").contains(&code), "no code in the address, nor in clear: {led:?}");
            let cookie = led.header("set-cookie");
            assert!(cookie.starts_with("tieline-consent-"), "{cookie}");
            assert!(cookie.ends_with("; Path=/v1/consent; Max-Age=600; HttpOnly; SameSite=Lax"), "{cookie}");

            for _ in 0..2 {
                let asked = browser::look(&app.anon, led.clone()).await;
                page(&asked, 200, "<h1>Connect the Slack workspace to &lt;b&gt;Acme&lt;/b&gt; &amp; &quot;Sons&quot;?</h1>");
                page(&asked, 200, "The member olga of the organisation");
                page(&asked, 200, "(acme)");
                page(&asked, 200, "<form method=\"post\" action=\"/v1/consent\">");
                let policy = asked.header("content-security-policy");
                assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
                assert_eq!(asked.header("referrer-policy"), "same-origin", "or the form's origin is null");
                assert!(!asked.text.contains(&code), "{}", asked.text);
            }
            assert_eq!(exchanges(&app).await, before, "nothing is exchanged");
            assert_eq!(connected(&app.owner).await, Value::Null);

            let asked = browser::look(&app.anon, led.clone()).await;
            let done = browser::agree(&app.anon, &asked).await;
            page(&done, 200, "The Slack workspace Acme Stand-in is connected to &lt;b&gt;Acme");
            assert_eq!(done.text.contains("<a href=\"slack://app?team=T0STANDIN&amp;id="), of_app, "{}", done.text);
            assert!(done.header("set-cookie").contains("=; Path=/v1/consent; Max-Age=0;"), "{done:?}");
            assert_eq!(connected(&app.owner).await, TEAM);

            page(&browser::agree(&app.anon, &asked).await, 400, "used already");
            page(&browser::look(&app.anon, led).await, 400, "used already");
            app.owner.delete("/v1/slack-integrations").await.ok(200);
            assert_eq!(exchanges(&app).await, before + 1);
        }
    }

    async fn an_answer_comes_from_our_page_in_the_browser_that_was_asked(app) {
        let (back, _) = allowed(&app, &app.owner, false, TEAM).await;
        let led = app.anon.get(&back).await;
        let (cookie, state) = (browser::cookie(&led), browser::state(&browser::look(&app.anon, led.clone()).await));
        let ours = ("origin", ORIGIN);
        // Another page sends the form.
        for headers in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://127.0.0.1:8081")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        ] {
            let headers = [headers, &[("cookie", cookie.as_str())]].concat();
            page(&answer(&app, &state, &headers).await, 400, "did not come from this page");
        }
        // Another browser sends it, or one with the cookie of another consent page.
        let (other, _) = allowed(&app, &app.owner, false, TEAM).await;
        let others = browser::cookie(&app.anon.get(&other).await);
        let mixed = format!("{}={}", cookie.split_once('=').unwrap().0, others.split_once('=').unwrap().1);
        for shown in ["a=b", &others] {
            page(&answer(&app, &state, &[ours, ("cookie", shown)]).await, 400, "This browser was not asked");
        }
        for (state, shown) in [(state.as_str(), mixed.as_str()), ("forged", &cookie), ("", &cookie)] {
            let answer = answer(&app, state, &[ours, ("cookie", shown)]).await;
            page(&answer, 400, "<h1>Nothing was connected</h1>");
        }
        let place = led.header("location");
        page(&app.anon.get(place).await, 400, "This browser was not asked");
        page(&app.anon.get("/v1/consent").await, 400, "This browser was not asked");
        assert_eq!((exchanges(&app).await, connected(&app.owner).await), (0, Value::Null));
        page(&answer(&app, &state, &[ours, ("cookie", &cookie)]).await, 200, "is connected to Acme");
    }

    async fn a_link_from_an_outsider_connects_no_workspace(app) {
        let mallory = app.other("evil").await;
        for of_app in [false, true] {
            let (back, _) = allowed(&app, &mallory, of_app, TEAM).await;
            let asked = browser::look(&app.anon, app.anon.get(&back).await).await;
            page(&asked, 200, "<h1>Connect the Slack workspace to evil?</h1>");
            page(&asked, 200, "The member otto of the organisation evil (evil)");
            page(&asked, 200, "Close this page if that is not what you want.");
            // Mallory knows the address, and not the cookie.
            let request = [("origin", ORIGIN)];
            page(&answer(&app, &browser::state(&asked), &request).await, 400, "This browser was not asked");
        }
        assert_eq!((exchanges(&app).await, connected(&mallory).await), (0, Value::Null));
    }

    async fn a_question_is_open_for_ten_minutes(app) {
        let (back, _) = allowed(&app, &app.owner, false, TEAM).await;
        let led = app.anon.get(&back).await;
        let asked = browser::look(&app.anon, led.clone()).await;
        app.advance(Duration::from_secs(600));
        app.set_their_clocks().await;
        page(&browser::look(&app.anon, led).await, 400, "too old");
        page(&browser::agree(&app.anon, &asked).await, 400, "too old");
        assert_eq!((exchanges(&app).await, connected(&app.owner).await), (0, Value::Null));
    }

    async fn who_may_no_longer_connect_is_not_connected_by_a_yes(app) {
        let admin = app.caller("acme", "ada", Role::Admin).await;
        let organisation = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
        let members = format!("/v1/organisations/{organisation}/members");
        let all = app.owner.get(&members).await.ok(200)["data"].as_array().unwrap().clone();
        let ada = all.iter().find(|member| member["username"] == "ada").unwrap()["userId"].as_str().unwrap().to_owned();
        let mut asked = Vec::new();
        for of_app in [false, true, false] {
            let (back, _) = allowed(&app, &admin, of_app, TEAM).await;
            asked.push(browser::look(&app.anon, app.anon.get(&back).await).await);
        }
        app.owner.patch(&format!("{members}/{ada}"), &json!({"role": "member"})).await.ok(200);
        for asked in &asked[..2] {
            page(&browser::agree(&app.anon, asked).await, 400, "slack:manage");
        }
        app.owner.delete(&format!("{members}/{ada}")).await.ok(204);
        page(&browser::agree(&app.anon, &asked[2]).await, 400, "not one that was issued");
        assert_eq!((exchanges(&app).await, connected(&app.owner).await), (0, Value::Null));
    }

    async fn two_tabs_are_asked_two_questions(app) {
        let globex = app.other("globex").await;
        let mut tabs = Vec::new();
        for (caller, team) in [(&app.owner, TEAM), (&globex, "T0SECOND")] {
            let (back, _) = allowed(&app, caller, false, team).await;
            tabs.push(app.anon.get(&back).await);
        }
        // One browser keeps both cookies.
        let cookies = tabs.iter().map(browser::cookie).collect::<Vec<_>>().join("; ");
        for led in &tabs {
            let state = browser::state(&browser::look(&app.anon, led.clone()).await);
            page(&answer(&app, &state, &[("origin", ORIGIN), ("cookie", &cookies)]).await, 200, "is connected to");
        }
        assert_eq!((connected(&app.owner).await, connected(&globex).await), (json!(TEAM), json!("T0SECOND")));
    }

    async fn githubs_question_is_a_form_too(app) {
        let location = app.github.install_as("ada", "acme", &card_state(&app.owner, "acme").await).await;
        let led = app.anon.get(&format!("{}?{}", location.path(), location.query().unwrap())).await;
        assert_eq!((led.status.as_u16(), led.header("location").starts_with("/v1/consent?state=")), (302, true));
        let asked = browser::look(&app.anon, led.clone()).await;
        page(&asked, 200, "<h1>Link the GitHub account acme to Acme?</h1>");
        page(&asked, 200, "The member olga of the organisation Acme (acme)");
        page(&asked, 200, "<form method=\"post\" action=\"/v1/consent\">");
        let cards = async || app.owner.get("/api/v2/integration?team=acme").await.ok(200)[0]["status"].clone();
        page(&answer(&app, &browser::state(&asked), &[("origin", ORIGIN)]).await, 400, "This browser was not asked");
        assert!(!app.owner.get("/api/v2/integration?team=acme").await.text.contains("\"linked\""), "{}", cards().await);
        page(&browser::agree(&app.anon, &asked).await, 200, "The GitHub account acme is linked to Acme.");
        assert!(app.owner.get("/api/v2/integration?team=acme").await.text.contains("\"linked\""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_https_the_cookie_is_of_this_host_alone() {
    // The stand-in redirects to loopback only.
    let settings = vec![
        ("TIELINE_PUBLIC_URL", "https://tieline.example".to_owned()),
        ("TIELINE_SLACK__REDIRECT_URI", format!("{ORIGIN}/v1/slack/oauth/callback")),
    ];
    let app = TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await;
    let (back, _) = allowed(&app, &app.owner, false, TEAM).await;
    let led = app.anon.get(&back).await;
    let cookie = led.header("set-cookie");
    assert!(cookie.starts_with("__Host-tieline-consent-"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let state = browser::state(&browser::look(&app.anon, led.clone()).await);
    let cookie = browser::cookie(&led);
    page(&answer(&app, &state, &[("origin", ORIGIN), ("cookie", &cookie)]).await, 400, "did not come from this page");
    let ours = [("origin", "https://tieline.example"), ("cookie", cookie.as_str())];
    page(&answer(&app, &state, &ours).await, 200, "is connected to Acme");
}
