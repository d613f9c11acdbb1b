//! Consent, codes and tokens.

use serde_json::json;

use super::support::{REDIRECT, World};
use crate::Options;

const QUERY: &str = "client_id=1111111111.2222222222&scope=chat:write,channels:read&state=s%261&redirect_uri=http://127.0.0.1:9/callback";

#[tokio::test]
async fn consent_is_asked_for_and_leads_to_a_token_a_message_and_a_page() {
    let world = World::new().await;
    let page = world.page(&format!("/slack/oauth/v2/authorize?{QUERY}")).await;
    for shown in ["Acme Stand-in: Ada Admin", "Second Workspace", "Send messages as itself", "Allow", "Cancel"] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }

    let authorize = world.url(&format!("/slack/oauth/v2/authorize?{QUERY}"));
    let form = [("decision", "allow"), ("who", "T0SECOND/U0SECONDMAX")];
    let answer = world.http.post(&authorize).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(REDIRECT));
    let query: std::collections::HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "s&1");

    let tokens = world.exchange(&[("code", &query["code"]), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(tokens["ok"], true, "{tokens}");
    assert_eq!(tokens["team"], json!({"id": "T0SECOND", "name": "Second Workspace"}));
    assert_eq!(tokens["authed_user"]["id"], "U0SECONDMAX");
    assert_eq!(tokens["scope"], "chat:write,channels:read");
    assert_eq!(tokens["token_type"], "bot");
    assert!(tokens.get("refresh_token").is_none());
    let token = tokens["access_token"].as_str().unwrap();
    assert!(token.starts_with("xoxb-"));

    let posted = world.post(token, "#alerts", "*hello* <world> & <https://x.example|more>").await;
    assert_eq!(posted["ok"], true, "{posted}");
    let page = world.page("/slack/T0SECOND/C1ALERTS").await;
    assert!(page.contains("<strong>hello</strong> &lt;world&gt; &amp; <a"), "{page}");
}

#[tokio::test]
async fn declining_says_so() {
    let world = World::new().await;
    let authorize = world.url(&format!("/slack/oauth/v2/authorize?{QUERY}"));
    let answer = world.http.post(&authorize).form(&[("decision", "cancel")]).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "http://127.0.0.1:9/callback?error=access_denied&state=s%261");
}

#[tokio::test]
async fn a_wrong_request_for_consent_is_explained_and_goes_nowhere() {
    let world = World::with(Options { redirect_uris: vec![REDIRECT.to_owned()], ..Options::default() }).await;
    let good = ("1111111111.2222222222", "chat:write", REDIRECT);
    let cases = [
        (("9", good.1, good.2), "invalid_client_id"),
        ((good.0, "", good.2), "no_scopes"),
        ((good.0, "<b>", good.2), "invalid_scope"),
        ((good.0, good.1, "http://127.0.0.1:9/callback/"), "bad_redirect_uri"),
        ((good.0, good.1, "https://evil.example/"), "bad_redirect_uri"),
    ];
    for ((client_id, scope, redirect_uri), word) in cases {
        let query = [("client_id", client_id), ("scope", scope), ("redirect_uri", redirect_uri)];
        let url = world.url("/slack/oauth/v2/authorize");
        let answer = world.http.get(url).query(&query).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{word}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(word) && !page.contains("<b>"), "{page}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_for_who_asked_and_for_ten_minutes() {
    let world = World::new().await;
    let code = world.code("chat:write").await;
    assert_eq!(world.exchange(&[("code", &code), ("redirect_uri", REDIRECT)]).await["ok"], true);
    let again = world.exchange(&[("code", &code), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(again, json!({"ok": false, "error": "code_already_used"}));

    let code = world.code("chat:write").await;
    assert_eq!(world.exchange(&[("code", &code)]).await["error"], "bad_redirect_uri");

    let code = world.code("chat:write").await;
    world.control("/clock", json!({"skewSecs": 600})).await;
    assert_eq!(world.exchange(&[("code", &code), ("redirect_uri", REDIRECT)]).await["error"], "invalid_code");
    assert_eq!(world.exchange(&[("code", "guess"), ("redirect_uri", REDIRECT)]).await["error"], "invalid_code");
    assert_eq!(world.exchange(&[("grant_type", "password")]).await["error"], "invalid_grant_type");
}

#[tokio::test]
async fn credentials_come_in_the_header_or_in_the_body() {
    let world = World::new().await;
    let url = world.url("/slack/api/oauth.v2.access");
    let code = world.code("chat:write").await;
    let form = [("code", code.as_str()), ("redirect_uri", REDIRECT)];
    let basic = world.http.post(&url).basic_auth("1111111111.2222222222", Some("standin-client-secret"));
    let answer: serde_json::Value = basic.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    let wrong = world.http.post(&url).basic_auth("1111111111.2222222222", Some("no"));
    let answer: serde_json::Value = wrong.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"], "bad_client_secret");
    let answer: serde_json::Value = world.http.post(&url).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"], "invalid_client_id");
}

#[tokio::test]
async fn a_challenge_must_be_met() {
    let world = World::new().await;
    // The example of RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    for (sent, expected) in
        [(Some(verifier), None), (Some("other"), Some("invalid_code_verifier")), (None, Some("invalid_code_verifier"))]
    {
        let order = json!({
            "redirect_uri": REDIRECT, "code_challenge": challenge, "code_challenge_method": "S256",
        });
        let granted = world.control("/slack/authorize", order).await;
        let mut fields = vec![("code", granted["code"].as_str().unwrap()), ("redirect_uri", REDIRECT)];
        fields.extend(sent.map(|verifier| ("code_verifier", verifier)));
        assert_eq!(world.exchange(&fields).await["error"].as_str(), expected);
    }
}

#[tokio::test]
async fn rotating_tokens_expire_and_a_refresh_token_works_once() {
    let world = World::with(Options { rotation: true, ..Options::default() }).await;
    let code = world.code("chat:write").await;
    let first = world.exchange(&[("code", &code), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(first["expires_in"], 43_200);
    let token = first["access_token"].as_str().unwrap();
    assert!(token.starts_with("xoxe.xoxb-1-"));
    world.control("/clock", json!({"skewSecs": 43_200})).await;
    assert_eq!(world.call(token, "auth.test", json!({})).await["error"], "token_expired");

    let refresh = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let second = world.exchange(&fields).await;
    assert_eq!(second["scope"], "chat:write");
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(world.call(second["access_token"].as_str().unwrap(), "auth.test", json!({})).await["ok"], true);
    assert_eq!(world.exchange(&fields).await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn a_whole_organisation_has_one_token_for_all_of_its_workspaces() {
    let world = World::with(Options { rotation: true, ..Options::default() }).await;
    let alone = world.install().await;
    let scope = "chat:write,channels:read,groups:read";
    let order = json!({"redirect_uri": REDIRECT, "scope": scope, "org_wide": true});
    let granted = world.control("/slack/authorize", order).await;
    let tokens = world.exchange(&[("code", granted["code"].as_str().unwrap()), ("redirect_uri", REDIRECT)]).await;
    assert_eq!((&tokens["team"], &tokens["is_enterprise_install"]), (&json!(null), &json!(true)), "{tokens}");
    assert_eq!(tokens["enterprise"], json!({"id": "E0STANDIN", "name": "Stand-in Corporation"}));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let renewed = world.exchange(&refresh).await;
    assert_eq!(renewed["enterprise"], tokens["enterprise"], "{renewed}");
    let token = renewed["access_token"].as_str().unwrap();

    let teams = async |token: &str, body| world.call(token, "auth.teams.list", body).await;
    let first = teams(token, json!({"limit": 1})).await;
    assert_eq!(first["teams"], json!([{"id": "T0SECOND", "name": "Second Workspace"}]), "{first}");
    let next = teams(token, json!({"limit": 1, "cursor": first["response_metadata"]["next_cursor"]})).await;
    assert_eq!((&next["teams"][0]["id"], &next["response_metadata"]["next_cursor"]), (&json!("T0STANDIN"), &json!("")));
    assert_eq!(teams(&alone, json!({})).await["teams"], json!([{"id": "T0STANDIN", "name": "Acme Stand-in"}]));

    assert_eq!(world.call(token, "conversations.list", json!({})).await["error"], "missing_argument");
    let nowhere = world.call(token, "conversations.list", json!({"team_id": "T0NOBODY"})).await;
    assert_eq!(nowhere["error"], "team_access_not_granted");
    let listed = world.call(token, "conversations.list", json!({"team_id": "T0SECOND"})).await;
    assert_eq!(listed["channels"].as_array().unwrap().len(), 2, "{listed}");
    for channel in ["C0ALERTS", "C1ALERTS"] {
        let posted = world.post(token, channel, "hello").await;
        assert_eq!(posted["ok"], true, "{posted}");
    }
    assert_eq!(world.call(token, "auth.test", json!({})).await["team_id"], "E0STANDIN");
    assert_eq!(world.call(token, "auth.revoke", json!({"team_id": "T0SECOND"})).await["revoked"], true);
    assert_eq!(world.post(token, "C0ALERTS", "hello").await["error"], "token_revoked", "everywhere");
    assert_eq!(world.post(&alone, "C0ALERTS", "hello").await["ok"], true, "one workspace keeps its own");
}

#[tokio::test]
async fn installing_again_keeps_the_token_and_adds_scopes() {
    let world = World::new().await;
    let first = world.install_with("chat:write").await;
    let second = world.install_with("channels:read").await;
    assert_eq!(first, second);
    let answer = world.try_call(&first, "auth.test", json!({})).await.unwrap();
    assert_eq!(answer.headers()["x-oauth-scopes"], "chat:write,channels:read");
    let who: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(who["team_id"], "T0STANDIN");
    assert_eq!(who["bot_id"], "B0STANDIN");
    assert_eq!(who["url"], world.url("/slack/T0STANDIN/"));
}

#[tokio::test]
async fn tokens_are_checked() {
    let world = World::new().await;
    let url = world.url("/slack/api/auth.test");
    let none: serde_json::Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(none, json!({"ok": false, "error": "not_authed"}));
    assert_eq!(world.call("xoxb-made-up", "auth.test", json!({})).await["error"], "invalid_auth");
    let token = world.install_with("chat:write").await;
    let form: serde_json::Value =
        world.http.post(&url).form(&[("token", &token)]).send().await.unwrap().json().await.unwrap();
    assert_eq!(form["ok"], true);
    let denied = world.call(&token, "conversations.list", json!({})).await;
    assert_eq!(
        denied,
        json!({"ok": false, "error": "missing_scope", "needed": "channels:read", "provided": "chat:write"})
    );
    assert_eq!(world.call(&token, "no.such", json!({})).await["error"], "unknown_method");
    assert_eq!(world.call(&token, "auth.revoke", json!({})).await["revoked"], true);
    assert_eq!(world.call(&token, "auth.test", json!({})).await["error"], "token_revoked");
    assert_ne!(world.install().await, token);
}

#[tokio::test]
async fn an_incoming_webhook_comes_with_its_scope() {
    let world = World::new().await;
    let order = json!({"redirect_uri": REDIRECT, "scope": "incoming-webhook", "channel": "#alerts"});
    let granted = world.control("/slack/authorize", order).await;
    let tokens = world.exchange(&[("code", granted["code"].as_str().unwrap()), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(tokens["incoming_webhook"]["channel_id"], "C0ALERTS", "{tokens}");
    let hook = tokens["incoming_webhook"]["url"].as_str().unwrap();
    let answer = world.http.post(hook).json(&json!({"text": "by the hook"})).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok");
    let answer = world.http.post(hook).json(&json!({})).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (400, "no_text"));
    let seen = world.look("/slack/messages?channel=alerts&team=T0STANDIN").await;
    assert_eq!(seen["messages"][0]["text"], "by the hook");
}
