//! Tests of installations, their repositories and their tokens.

use super::*;

fn installation(app_id: i64, target: &str) -> Answer {
    let account = json!({"login": "acme", "id": 9, "type": "Organization", "html_url": "https://github.com/acme"});
    let body = json!({
        "id": 5, "app_id": app_id, "account": account, "target_type": target, "events": ["push"],
        "repository_selection": "all", "suspended_at": null, "updated_at": "2026-11-20T10:00:00Z"
    });
    Answer::json(200, &body.to_string())
}

#[tokio::test]
async fn the_app_asks_for_an_installation_in_its_own_name() {
    let server = TestServer::answering(vec![installation(4711, "Organization")]);
    let (client, clock) = client_and_clock(&server, LONG_TIMEOUT);
    let found = client.installation(5).await.unwrap();
    assert_eq!((found.id, found.app_id, found.account.login.as_str()), (5, 4711, "acme"));
    clock.advance(479);
    client.installation(5).await.unwrap();
    clock.advance(1);
    client.installation(5).await.unwrap();
    let requests = server.requests();
    assert_eq!(first_line(&requests[0]), "GET /api/v3/app/installations/5 HTTP/1.1");
    let bearers: Vec<_> = requests.iter().map(|request| header(request, "authorization").unwrap()).collect();
    assert_eq!(bearers[0], bearers[1], "the app's token is kept");
    for (bearer, made_at) in [(bearers[0], NOW), (bearers[2], NOW + 480)] {
        let claims = jwt::tests::claims(bearer.strip_prefix("Bearer ").unwrap());
        assert_eq!(claims, json!({"iss": "4711", "iat": made_at - 60, "exp": made_at + 540}));
    }
}

#[tokio::test]
async fn without_an_app_id_the_client_id_speaks_for_the_app() {
    let server = TestServer::answering(vec![installation(1, "Organization")]);
    let mut app = app("https://github.com", server.url("/"));
    app.app_id = String::new();
    let limits = Limits::default();
    let ambient = Ambient::new(Arc::new(Hand::default()), Arc::new(Zero));
    let client = GithubClient::new(app, http::client(&limits).unwrap(), limits, ambient).unwrap();
    client.installation(5).await.unwrap();
    let request = server.requests()[0].clone();
    let bearer = header(&request, "authorization").unwrap();
    assert_eq!(jwt::tests::claims(bearer.strip_prefix("Bearer ").unwrap())["iss"], "Iv1.abc");
}

#[tokio::test]
async fn an_installation_that_is_not_ours_is_not_found() {
    for answer in [Answer::json(404, NOT_FOUND), installation(4712, "Organization")] {
        let asked = client(&TestServer::answering(vec![answer])).installation(5).await;
        assert!(
            matches!(&asked, Err(Error::NotFound { noun: Noun::GithubInstallation, id }) if id == "5"),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn an_obstacle_to_an_installation_is_reported() {
    for (answer, expected) in [
        (Answer::json(401, BAD_CREDENTIALS), "github.private_key"),
        (installation(4711, "Enterprise"), "enterprise"),
        (Answer::json(403, SUSPENDED), "unsuspend it"),
    ] {
        match client(&TestServer::answering(vec![answer])).installation(5).await {
            Err(Error::FailedPrecondition { message }) => assert!(message.contains(expected), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    // Another installation than the requested one, and none.
    unavailable(client(&TestServer::answering(vec![installation(4711, "Organization")])).installation(6).await);
    unavailable(client(&TestServer::answering(vec![Answer::json(200, "{}")])).installation(5).await);
    unavailable(client(&TestServer::answering(vec![Answer::json(404, "<html>")])).installation(5).await);
}

#[tokio::test]
async fn all_pages_of_repositories_are_read_and_none_twice() {
    let page = |ids, total| Answer::json(200, &repositories(ids, total).to_string());
    let server =
        TestServer::answering(vec![issued("ghs_1", 3600), page(0..100, 201), page(99..199, 201), page(199..200, 201)]);
    let read = client(&server).repositories(5).await.unwrap();
    assert_eq!(read.iter().map(|repository| repository.id).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    assert_eq!((read[2].full_name.as_str(), read[2].private, read[3].private), ("o/r2", true, false));
    let requests = server.requests();
    assert_eq!(first_line(&requests[0]), "POST /api/v3/app/installations/5/access_tokens HTTP/1.1");
    assert_eq!(first_line(&requests[3]), "GET /api/v3/installation/repositories?per_page=100&page=3 HTTP/1.1");
    assert_eq!(header(&requests[3], "authorization"), Some("Bearer ghs_1"));
    assert_eq!(requests.len(), 4);
}

#[tokio::test]
async fn a_page_may_be_big_but_not_endless() {
    let mut big = repositories(0..100, 100);
    big["repositories"][0]["description"] = json!("x".repeat(3_000_000));
    let server = TestServer::answering(vec![issued("ghs_1", 3600), Answer::json(200, &big.to_string())]);
    assert_eq!(client(&server).repositories(5).await.unwrap().len(), 100);
    let server = TestServer::answering(vec![issued("ghs_1", 3600), Answer::Endless]);
    assert_eq!(unavailable(client(&server).repositories(5).await).0, "the answer was too large");
}

#[tokio::test]
async fn reading_ends_after_two_hundred_pages() {
    let server =
        TestServer::answering(vec![issued("ghs_1", 3600), Answer::json(200, &repositories(0..1, 99_999).to_string())]);
    match client(&server).repositories(5).await {
        Err(Error::FailedPrecondition { message }) => assert!(message.contains("more than 20000"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.requests().len(), 201);
}

#[tokio::test]
async fn all_pages_together_have_a_time_limit_too() {
    let (client, _) = client_and_clock(&TestServer::answering(vec![one_repository()]), Duration::from_millis(10));
    let begun = Instant::now();
    let waited = client.in_time(std::future::pending::<Result<()>>()).await;
    assert_eq!(unavailable(waited).0, "no complete answer in time");
    assert!((Duration::from_millis(300)..LONG_TIMEOUT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

async fn ask_at_once(client: &GithubClient) -> Vec<Result<usize>> {
    let ask = |client: GithubClient| async move { client.repositories(5).await.map(|read| read.len()) };
    futures_util::future::join_all((0..20).map(|_| ask(client.clone()))).await
}

#[tokio::test]
async fn a_token_is_fetched_once_for_everyone_who_asks_at_once() {
    let mut script = vec![one_repository(); 21];
    script[0] = issued("ghs_1", 3600);
    script.extend([issued("ghs_2", 7200), one_repository()]);
    let server = TestServer::answering(script);
    let (client, clock) = client_and_clock(&server, LONG_TIMEOUT);
    for fetches in [1, 2] {
        assert!(ask_at_once(&client).await.into_iter().all(|read| matches!(read, Ok(1))));
        let fetched = server.requests().iter().filter(|request| request.starts_with("POST ")).count();
        assert_eq!((fetched, server.requests().len()), (fetches, fetches * 21));
        clock.advance(3_600);
    }
}

#[tokio::test]
async fn a_failure_to_fetch_a_token_is_shared_and_not_remembered() {
    let server = TestServer::answering(vec![Answer::json(502, ""), issued("ghs_1", 3600), one_repository()]);
    let client = client(&server);
    ask_at_once(&client).await.into_iter().for_each(|read| assert_eq!(unavailable(read).0, "a server error"));
    assert_eq!(server.requests().len(), 1);
    assert_eq!(client.repositories(5).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_used_until_five_minutes_before_its_end() {
    let script =
        vec![issued("ghs_1", 3600), one_repository(), one_repository(), issued("ghs_2", 7200), one_repository()];
    let server = TestServer::answering(script);
    let (client, clock) = client_and_clock(&server, LONG_TIMEOUT);
    client.repositories(5).await.unwrap();
    clock.advance(3_299);
    client.repositories(5).await.unwrap();
    clock.advance(1);
    client.repositories(5).await.unwrap();
    let bearers: Vec<_> = server.requests().iter().filter(|request| request.starts_with("GET")).cloned().collect();
    let bearers: Vec<_> = bearers.iter().map(|request| header(request, "authorization").unwrap()).collect();
    assert_eq!(bearers, ["Bearer ghs_1", "Bearer ghs_1", "Bearer ghs_2"]);
}

#[tokio::test]
async fn each_installation_has_its_own_token() {
    let server =
        TestServer::answering(vec![issued("ghs_5", 3600), one_repository(), issued("ghs_6", 3600), one_repository()]);
    let client = client(&server);
    client.repositories(5).await.unwrap();
    client.repositories(6).await.unwrap();
    assert_eq!(header(&server.requests()[3], "authorization"), Some("Bearer ghs_6"));
}

#[tokio::test]
async fn a_token_that_died_early_is_replaced_once() {
    let dead = || Answer::json(401, BAD_CREDENTIALS);
    let script = vec![
        issued("ghs_1", 3600),
        one_repository(),
        dead(),
        issued("ghs_2", 3600),
        one_repository(),
        one_repository(),
    ];
    let server = TestServer::answering(script);
    let client = client(&server);
    for _ in 0..3 {
        assert_eq!(client.repositories(5).await.unwrap().len(), 1);
    }
    assert_eq!(header(&server.requests()[5], "authorization"), Some("Bearer ghs_2"));
    assert_eq!(server.requests().len(), 6);

    let server = TestServer::answering(vec![issued("ghs_1", 3600), dead(), issued("ghs_2", 3600), dead(), dead()]);
    let asked = self::client(&server).repositories(5).await;
    assert!(matches!(asked, Err(Error::Refused { code, .. }) if code == "Bad credentials"));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn an_installation_that_is_gone_or_suspended_says_so() {
    let gone = |result| matches!(result, Err(Error::NotFound { noun: Noun::GithubInstallation, .. }));
    let suspended = |result| match result {
        Err(Error::FailedPrecondition { message }) => message.contains("suspended") && message.contains("unsuspend it"),
        _ => false,
    };
    let ask = |script| async { client(&TestServer::answering(script)).repositories(5).await };
    assert!(gone(ask(vec![Answer::json(404, NOT_FOUND)]).await));
    assert!(suspended(ask(vec![Answer::json(403, SUSPENDED)]).await));
    assert!(suspended(ask(vec![issued("ghs_1", 3600), Answer::json(403, SUSPENDED)]).await));
    let uninstalled = vec![issued("ghs_1", 3600), Answer::json(401, BAD_CREDENTIALS), Answer::json(404, NOT_FOUND)];
    assert!(gone(ask(uninstalled).await));
    let forbidden = ask(vec![Answer::json(403, FORBIDDEN)]).await;
    assert!(matches!(forbidden, Err(Error::Refused { code, .. }) if code.starts_with("Resource not accessible")));
}

#[tokio::test]
async fn rate_limits_ask_for_a_pause() {
    let limited = r#"{"message":"API rate limit exceeded for installation ID 5."}"#;
    let reset = format!("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: {}\r\n", NOW + 90);
    for (status, headers, pause) in [
        (403, "retry-after: 7\r\n", 7),
        (429, "retry-after: 7\r\n", 7),
        (403, reset.as_str(), 90),
        (429, reset.as_str(), 90),
        (429, "", 60),
        (403, "", 60),
    ] {
        let server = TestServer::answering(vec![issued("ghs_1", 3600), Answer::with(status, headers, limited)]);
        let expected = ("rate limited".to_owned(), Some(Duration::from_secs(pause)));
        assert_eq!(unavailable(client(&server).repositories(5).await), expected, "{status} {headers}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_api_is_no_answer() {
    for (answer, expected) in [
        (Answer::json(500, "{}"), "a server error"),
        (Answer::json(200, "<html>"), "the answer was not what its API answers"),
        (Answer::json(200, r#"{"repositories":[null]}"#), "the answer was not what its API answers"),
        (Answer::redirect(), "it redirected elsewhere"),
        (Answer::HangUp, "the connection was closed before the answer was complete"),
        (Answer::Half, "the connection was closed before the answer was complete"),
    ] {
        let server = TestServer::answering(vec![issued("ghs_1", 3600), answer]);
        assert_eq!(unavailable(client(&server).repositories(5).await), (expected.to_owned(), None));
    }
    for answer in [Answer::json(201, r#"{"token":"ghs_1"}"#), Answer::json(201, "{}")] {
        unavailable(client(&TestServer::answering(vec![answer])).repositories(5).await);
    }
}

#[tokio::test]
async fn one_time_limit_covers_headers_and_body() {
    for answer in [Answer::Silence, Answer::HeadersOnly] {
        let server = TestServer::answering(vec![answer]);
        let (client, _) = client_and_clock(&server, SHORT_TIMEOUT);
        let begun = Instant::now();
        assert_eq!(unavailable(client.user(&token()).await).0, "no complete answer in time");
        assert!((SHORT_TIMEOUT..LONG_TIMEOUT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}
