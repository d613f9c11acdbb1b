//! Authorization by users, and the exchange of their codes for tokens.

use super::*;

async fn code(world: &World, user: &str) -> String {
    let granted = world.control("/github/authorize", json!({"redirect_uri": CALLBACK, "user": user})).await;
    granted["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_is_good_once_and_for_ten_minutes() {
    let world = world().await;
    let spent = code(&world, "ada").await;
    let tokens = world.trade(&[("code", &spent)]).await;
    assert!(tokens["access_token"].as_str().unwrap().starts_with("ghu_"));
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("ghr_"));
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(28_800), &json!("bearer")));
    assert_eq!(world.trade(&[("code", &spent)]).await["error"], "bad_verification_code");
    let other = code(&world, "ada").await;
    let elsewhere = world.trade(&[("code", &other), ("redirect_uri", "http://127.0.0.1:9/other")]).await;
    assert_eq!(elsewhere["error"], "redirect_uri_mismatch");
    assert_eq!(world.trade(&[("code", &other)]).await["error"], "bad_verification_code");
    let wrong = world.trade(&[("client_secret", "wrong"), ("code", &code(&world, "ada").await)]).await;
    assert_eq!(wrong["error"], "incorrect_client_credentials");

    let late = code(&world, "ada").await;
    world.control("/clock", json!({"skewSecs": 600})).await;
    assert_eq!(world.trade(&[("code", &late)]).await["error"], "bad_verification_code");
    let calls = world.look("/calls").await;
    assert_eq!(calls[1]["method"], "POST /login/oauth/access_token");
    assert_eq!((&calls[1]["status"], &calls[1]["error"]), (&json!(200), &json!("bad_verification_code")));
    assert!(!calls.to_string().contains(&late));
}

#[tokio::test]
async fn a_token_ends_after_eight_hours_and_is_renewed_once() {
    let world = world().await;
    let tokens = world.trade(&[("code", &code(&world, "max").await)]).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    world.control("/clock", json!({"skewSecs": 28_800})).await;
    let ended = world.ask("/user", access).await;
    assert_eq!((ended.status, &ended.body["message"]), (401, &json!("Bad credentials")));
    let renewed = world.trade(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    let user = world.ask("/user", renewed["access_token"].as_str().unwrap()).await;
    assert_eq!((&user.body["login"], &user.body["id"]), (&json!("max"), &json!(1002)));
    let again = world.trade(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(again["error"], "bad_refresh_token");
}

#[tokio::test]
async fn an_answer_is_a_form_unless_json_is_asked_for_and_an_order_may_be_json() {
    let world = world().await;
    let order = json!({
        "client_id": "Iv1.standin", "client_secret": "standin-github-client-secret", "code": code(&world, "eve").await,
    });
    let url = world.url("/github/login/oauth/access_token");
    let answer = world.http.post(&url).json(&order).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-www-form-urlencoded; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("access_token=ghu_") && text.contains("&expires_in=28800&"), "{text}");
}

#[tokio::test]
async fn the_page_asks_and_takes_no_for_an_answer() {
    let world = world().await;
    let path = "/github/login/oauth/authorize?client_id=Iv1.standin&state=s&login=max";
    let page = world.page(path).await;
    assert!(page.contains("<option selected>max</option>") && page.contains("Authorize Tieline"), "{page}");
    let allowed = query(&world.press(path, &[("who", "max"), ("decision", "authorize")]).await);
    assert_eq!((allowed[0].0.as_str(), allowed[1].1.as_str()), ("code", "s"));
    let declined = query(&world.press(path, &[("who", "max"), ("decision", "cancel")]).await);
    assert_eq!(declined[0], ("error".to_owned(), "access_denied".to_owned()));
    assert_eq!(declined.last().unwrap().1, "s");

    for query in [
        "client_id=other",
        "client_id=Iv1.standin&redirect_uri=http://127.0.0.1:9/elsewhere",
        "client_id=Iv1.standin&redirect_uri=https://evil.example/callback",
    ] {
        let url = world.url(&format!("/github/login/oauth/authorize?{query}"));
        assert_eq!(world.http.get(url).send().await.unwrap().status(), 400, "{query}");
    }
    // GitHub leaves the port of a loopback address to the caller.
    let url =
        world.url("/github/login/oauth/authorize?client_id=Iv1.standin&redirect_uri=http://127.0.0.1:99/callback");
    assert_eq!(world.http.get(url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_user_takes_their_authorization_back() {
    let world = world().await;
    let app = world.listening().await;
    let token = world.user_token("max").await;
    world.control("/github/revoke", json!({"user": "max"})).await;
    assert_eq!(world.ask("/user", &token).await.status, 401);
    let heard = app.wait_for(1).await;
    assert_eq!(what(&heard[0]), "github_app_authorization.revoked");
    assert_eq!(heard[0].json()["sender"]["id"], 1002);
}
