//! The REST API: authorisation of each kind of token, and pagination.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn whoever_belongs_to_an_account_sees_its_installation_but_only_owners_are_admins() {
    let world = world().await;
    let id = world.install_in("acme").await;
    world.install_in("eve").await;
    let visible = async |user: &str| {
        let token = world.user_token(user).await;
        let list = world.ask("/user/installations", &token).await;
        let accounts: Vec<_> = list.body["installations"].as_array().unwrap().iter().collect();
        assert_eq!(list.body["total_count"], accounts.len());
        accounts.iter().map(|it| it["account"]["login"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(visible("ada").await, ["acme"]);
    // The trap: a member without any right to administer it sees it just as well.
    assert_eq!(visible("max").await, ["acme"]);
    assert_eq!(visible("eve").await, ["eve"]);
    for (user, org, status, role) in [
        ("ada", "acme", 200, "admin"),
        ("max", "acme", 200, "member"),
        ("eve", "acme", 404, ""),
        ("ada", "eve", 404, ""),
        ("ada", "globex", 403, ""),
    ] {
        let token = world.user_token(user).await;
        let answer = world.ask(&format!("/user/memberships/orgs/{org}"), &token).await;
        assert_eq!(answer.status, status, "{user} {org} {}", answer.body);
        assert_eq!(answer.body["role"].as_str().unwrap_or_default(), role);
    }
    // Access to one repository is enough, too.
    let order = json!({"login": "acme", "repositories": [{"name": "shared", "collaborators": ["eve"]}]});
    world.control("/github/accounts", order).await;
    assert_eq!(visible("eve").await, ["acme", "eve"]);
    let token = world.user_token("eve").await;
    let list = world.ask(&format!("/user/installations/{id}/repositories"), &token).await;
    assert_eq!((&list.body["total_count"], &list.body["repositories"][0]["name"]), (&json!(1), &json!("shared")));
    assert_eq!(list.body["repositories"][0]["permissions"]["push"], true);
}

#[tokio::test]
async fn only_a_token_that_the_app_signs_now_is_the_apps() {
    let world = world().await;
    let now = crate::clock::Clock::default().now_secs();
    let claims = |iat: i64, exp: i64| json!({"iss": 4242, "iat": iat, "exp": exp});
    for (token, status, message) in [
        (jwt(claims(now + 120, now + 500)), 401, "'Issued at' claim ('iat') must be an Integer"),
        (jwt(claims(now - 60, now + 900)), 401, "'Expiration time' claim ('exp') is too far in the future"),
        (jwt(claims(now - 900, now - 300)), 401, "'Expiration time' claim ('exp') must be a numeric value"),
        (jwt(json!({"iss": 4242, "iat": now})), 401, "Missing 'expiration time' claim"),
        (jwt(json!({"iss": 4243, "iat": now, "exp": now + 60})), 404, "Integration not found"),
        (String::new(), 401, "A JSON web token could not be decoded"),
        ("garbage".to_owned(), 401, "A JSON web token could not be decoded"),
        (world.user_token("ada").await, 401, "A JSON web token could not be decoded"),
    ] {
        let answer = world.ask("/app", &token).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body["message"].as_str().unwrap().starts_with(message), "{}", answer.body);
        assert_eq!(answer.body["status"], status.to_string());
    }
    let app = world.ask("/app", &app_token()).await;
    assert_eq!((&app.body["id"], &app.body["slug"]), (&json!(4242), &json!("tieline")));
    // The clock of the stand-in decides.
    world.control("/clock", json!({"skewSecs": -3600})).await;
    assert_eq!(world.ask("/app", &app_token()).await.status, 401);
}

#[tokio::test]
async fn an_installation_token_lists_repositories_in_pages() {
    let world = world().await;
    let id = world.install_in("acme").await;
    let token = world.installation_token(id).await;
    assert!(token.starts_with("ghs_"));
    for base in ["/github/api/v3", "/github/rest"] {
        let (mut names, mut pages) = (Vec::new(), 0);
        let mut next = Some("/installation/repositories?per_page=100".to_owned());
        while let Some(path) = next {
            let page = world.rest_at(base, Method::GET, &path, &token, Value::Null).await;
            assert_eq!(page.body["total_count"], 133);
            names.extend(page.body["repositories"].as_array().unwrap().iter().map(|it| it["full_name"].clone()));
            pages += 1;
            let prefix = world.url(base);
            next = page.header("link").split(", ").find_map(|link| {
                let (address, relation) = link.split_once("; ")?;
                let address = address.strip_prefix('<')?.strip_suffix('>')?;
                (relation == "rel=\"next\"").then(|| address.strip_prefix(&prefix).unwrap().to_owned())
            });
        }
        assert_eq!((pages, names.len(), &names[2]), (2, 133, &json!("acme/infra")));
    }
    let page = world.ask("/installation/repositories", &token).await;
    assert_eq!(page.body["repositories"].as_array().unwrap().len(), 30);
    assert!(page.header("link").ends_with("?page=5>; rel=\"last\""), "{}", page.header("link"));
    assert!(page.body["repositories"][0]["url"].as_str().unwrap().starts_with(&world.url("/github/api/v3/repos/")));

    assert_eq!(world.ask("/repos/acme/infra", &token).await.body["private"], true);
    assert_eq!(world.ask("/repos/eve/diary", &token).await.status, 404);
    let user = world.user_token("ada").await;
    assert_eq!(world.ask("/installation/repositories", &user).await.status, 403);
    assert_eq!(world.ask("/user", &token).await.body["message"], "Resource not accessible by integration");
    world.control("/clock", json!({"skewSecs": 3600})).await;
    assert_eq!(world.ask("/installation/repositories", &token).await.status, 401);
}

#[tokio::test]
async fn a_token_may_be_for_less() {
    let world = world().await;
    let order = json!({"account": "acme", "repositories": ["web", "api"], "webhook": false});
    let id = world.control("/github/installations", order).await["id"].as_u64().unwrap();
    let path = format!("/app/installations/{id}/access_tokens");
    let asked = async |body: Value| world.rest(Method::POST, &path, &app_token(), body).await;
    let narrow = asked(json!({"repositories": ["api"], "permissions": {"issues": "read"}})).await;
    assert_eq!((narrow.status, &narrow.body["permissions"]), (201, &json!({"issues": "read"})));
    let list = world.ask("/installation/repositories", narrow.body["token"].as_str().unwrap()).await;
    assert_eq!(list.body["total_count"], 1);
    let all = asked(json!({})).await;
    assert_eq!((&all.body["repository_selection"], all.body.get("repositories")), (&json!("selected"), None));
    for body in [
        json!({"repositories": ["infra"]}),
        json!({"repository_ids": [1]}),
        json!({"permissions": {"issues": "admin"}}),
        json!({"permissions": {"secrets": "read"}}),
    ] {
        assert_eq!(asked(body.clone()).await.status, 422, "{body}");
    }
}

#[tokio::test]
async fn a_suspended_or_removed_installation_gives_no_access() {
    let world = world().await;
    let app = world.listening().await;
    let id = world.install_in("acme").await;
    let token = world.installation_token(id).await;
    let path = format!("/app/installations/{id}");
    let tokens = format!("{path}/access_tokens");
    let order = async |method: Method, path: &str| world.rest(method, path, &app_token(), Value::Null).await;

    assert_eq!(order(Method::PUT, &format!("{path}/suspended")).await.status, 204);
    let refused = order(Method::POST, &tokens).await;
    assert_eq!((refused.status, &refused.body["message"]), (403, &json!("This installation has been suspended")));
    assert_eq!(world.ask("/installation/repositories", &token).await.status, 403);
    let shown = order(Method::GET, &path).await;
    assert_eq!(shown.body["suspended_by"]["login"], "ada");
    assert!(shown.body["suspended_at"].is_string());

    assert_eq!(order(Method::DELETE, &format!("{path}/suspended")).await.status, 204);
    assert_eq!(world.ask("/installation/repositories", &token).await.status, 200);
    assert_eq!(order(Method::DELETE, &path).await.status, 204);
    assert_eq!(order(Method::GET, &path).await.status, 404);
    assert_eq!(order(Method::POST, &tokens).await.status, 404);
    assert_eq!(world.ask("/installation/repositories", &token).await.status, 401);
    let mut received: Vec<_> = app.wait_for(3).await.iter().map(what).collect();
    received.sort();
    assert_eq!(received, ["installation.deleted", "installation.suspend", "installation.unsuspend"]);
}

#[tokio::test]
async fn every_answer_has_githubs_headers_and_nobody_is_answered_who_has_no_name() {
    let world = world().await;
    let url = world.url("/github/api/v3/rate_limit");
    let answer = world.http.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.unwrap().contains("User-Agent"));
    let request = world.http.get(&url).header("user-agent", "x").header("x-github-api-version", "2022-11-28");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["x-github-api-version-selected"], "2022-11-28");
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "4999");
    for path in ["/nothing", "/user/installations/x/repositories", "/app/installations/0/more"] {
        let answer = world.ask(path, &world.user_token("ada").await).await;
        assert_eq!((answer.status, &answer.body["message"]), (404, &json!("Not Found")), "{path}");
    }
    assert_eq!(world.ask("/user", "").await.body["message"], "Requires authentication");
}

#[tokio::test]
async fn routes_fail_as_configured() {
    let world = world().await;
    let token = world.user_token("ada").await;
    let fault = async |fault: Value| world.control("/github/faults", fault).await;
    fault(json!({"method": "GET /user/installations", "rateLimitResetSecs": 30, "times": 1})).await;
    let limited = world.ask("/user/installations", &token).await;
    assert_eq!((limited.status, limited.header("x-ratelimit-remaining")), (403, "0"));
    assert!(limited.header("x-ratelimit-reset").parse::<i64>().unwrap() > 1_700_000_000);
    fault(json!({"method": "GET /user/installations", "retryAfterSecs": 7, "status": 403, "times": 1})).await;
    let limited = world.ask("/user/installations", &token).await;
    assert_eq!((limited.status, limited.header("retry-after")), (403, "7"));
    fault(json!({"method": "GET /user/memberships/orgs/{org}", "status": 403, "times": 1})).await;
    assert_eq!(world.ask("/user/memberships/orgs/acme", &token).await.status, 403);
    fault(json!({"error": "Down", "status": 503, "team": "ada", "times": 1})).await;
    assert_eq!(world.ask("/user", &token).await.body["message"], "Down");
    fault(json!({"method": "POST /login/oauth/access_token", "error": "bad_verification_code", "times": 1})).await;
    assert_eq!(world.trade(&[("code", "x")]).await["error"], "bad_verification_code");
    assert_eq!(world.ask("/user", &token).await.status, 200);

    fault(json!({"method": "GET /user", "drop": "before", "times": 1})).await;
    let user = world.url("/github/rest/user");
    let ask = || world.http.get(&user).header("user-agent", "x").bearer_auth(&token).send();
    assert!(ask().await.unwrap_err().is_request());
    fault(json!({"method": "GET /user", "hang": "headers"})).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), ask()).await.is_err());
    // Slack's faults are separate.
    assert_eq!(world.look("/slack/faults").await, json!([]));
    let calls = world.look("/calls?method=GET%20/user").await;
    assert_eq!(
        calls.as_array().unwrap().iter().map(|call| call["status"].clone()).collect::<Vec<_>>(),
        [503, 200, 0, 0]
    );
    world.control("/reset", json!({})).await;
    assert_eq!(world.look("/github/faults").await, json!([]));
    assert_eq!(world.ask("/user", &token).await.status, 401);
}
