//! Tests of a person's rights, with good and bad answers.

use super::*;

async fn exchange(answer: Answer) -> Result<Secret> {
    client(&TestServer::answering(vec![answer])).exchange_code("a code").await
}

#[tokio::test]
async fn a_code_is_exchanged_for_a_token_and_nothing_else_is_kept() {
    let body =
        r#"{"access_token":"ghu_1","expires_in":28800,"refresh_token":"ghr_1","scope":"","token_type":"bearer"}"#;
    let server = TestServer::answering(vec![Answer::json(200, body)]);
    assert_eq!(client(&server).exchange_code("a+code&").await.unwrap().expose(), "ghu_1");
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(first_line(head), "POST /web/login/oauth/access_token HTTP/1.1");
    assert_eq!(header(head, "accept"), Some("application/json"));
    assert_eq!(
        body,
        "client_id=Iv1.abc&client_secret=hush-client&code=a%2Bcode%26\
         &redirect_uri=https%3A%2F%2Ftieline.example%2Fv1%2Fgithub%2Fcallback"
    );
}

#[tokio::test]
async fn a_refused_code_keeps_githubs_own_word_at_any_status() {
    for (status, body, expected) in [
        (200, r#"{"error":"bad_verification_code","error_description":"x"}"#, "bad_verification_code"),
        (200, r#"{"error":"incorrect_client_credentials"}"#, "incorrect_client_credentials"),
        (200, r#"{"error":"redirect_uri_mismatch"}"#, "redirect_uri_mismatch"),
        (200, r#"{"error":"bad_verification_code","access_token":"ghu_1"}"#, "bad_verification_code"),
        (404, r#"{"error":"Not Found"}"#, "Not Found"),
        (200, r#"{"error":"<script>"}"#, "HTTP 200"),
        (200, r#"{"error":"ghu_abc"}"#, "HTTP 200"),
        (400, r#"{"error":""}"#, "HTTP 400"),
    ] {
        match exchange(Answer::json(status, body)).await {
            Err(Error::Refused { upstream: Upstream::Github, code }) => assert_eq!(code, expected, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_neither_a_token_nor_a_refusal_is_no_answer() {
    for answer in [
        Answer::json(200, "access_token=ghu_1&token_type=bearer"),
        Answer::json(200, "error=bad_verification_code"),
        Answer::json(200, "{}"),
        Answer::json(200, r#"{"access_token":""}"#),
        Answer::json(200, r#"{"access_token":null}"#),
        Answer::json(200, r#"{"access_token":1}"#),
        Answer::json(200, r#"{"error":{"code":"x"}}"#),
        Answer::json(400, r#"{"access_token":"ghu_1"}"#),
        Answer::json(404, "<html>"),
        Answer::json(500, r#"{"error":"x"}"#),
        Answer::redirect(),
        Answer::HangUp,
        Answer::Half,
        Answer::Endless,
    ] {
        unavailable(exchange(answer).await);
    }
}

#[tokio::test]
async fn the_user_is_asked_for_in_githubs_own_way() {
    let server = TestServer::answering(vec![Answer::json(200, r#"{"login":"octocat","id":583231,"type":"User"}"#)]);
    let user = client(&server).user(&token()).await.unwrap();
    assert_eq!(user, GithubUser { id: 583_231, login: "octocat".into() });
    let request = server.requests()[0].clone();
    assert_eq!(first_line(&request), "GET /api/v3/user HTTP/1.1");
    assert_eq!(header(&request, "authorization"), Some("Bearer ghu_hush"));
    assert_eq!(header(&request, "accept"), Some("application/vnd.github+json"));
    assert_eq!(header(&request, "x-github-api-version"), Some("2022-11-28"));
    assert!(header(&request, "user-agent").is_some_and(|agent| agent.starts_with("tieline/")));
}

#[tokio::test]
async fn a_dead_token_is_refused() {
    let server = TestServer::answering(vec![Answer::json(401, BAD_CREDENTIALS)]);
    let client = client(&server);
    let refused = |error| matches!(error, Error::Refused { code, .. } if code == "Bad credentials");
    assert!(refused(client.user(&token()).await.unwrap_err()));
    assert!(refused(client.user_sees_installation(&token(), 1).await.unwrap_err()));
    assert!(refused(client.is_organization_admin(&token(), "acme").await.unwrap_err()));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_not_sent() {
    let server = TestServer::answering(vec![Answer::json(200, "{}")]);
    unavailable(client(&server).user(&Secret::new("a\r\nb")).await);
    assert!(server.requests().is_empty());
}

async fn sees(script: Vec<Answer>, id: i64) -> (Result<bool>, Vec<String>) {
    let server = TestServer::answering(script);
    let seen = client(&server).user_sees_installation(&token(), id).await;
    (seen, server.requests())
}

fn installations(ids: std::ops::Range<i64>, total: usize) -> Answer {
    let listed: Vec<_> = ids.map(|id| json!({"id": id, "account": {"login": "x"}})).collect();
    Answer::json(200, &json!({"total_count": total, "installations": listed}).to_string())
}

#[tokio::test]
async fn an_installation_is_looked_for_on_every_page() {
    let script = || vec![installations(0..100, 150), installations(100..150, 150)];
    for (id, expected, pages) in [(7, true, 1), (120, true, 2), (150, false, 2), (-1, false, 2)] {
        let (seen, requests) = sees(script(), id).await;
        assert_eq!((seen.unwrap(), requests.len()), (expected, pages), "{id}");
        assert_eq!(first_line(&requests[0]), "GET /api/v3/user/installations?per_page=100&page=1 HTTP/1.1");
    }
    assert!(!sees(vec![installations(0..0, 0)], 1).await.0.unwrap());
    unavailable(sees(vec![Answer::json(200, "[]")], 1).await.0);
}

#[tokio::test]
async fn pages_are_requested_by_number_and_not_by_link() {
    let body = r#"{"installations":[{"id":1}]}"#;
    let next = Answer::with(200, "link: <http://127.0.0.1:1/evil?page=7>; rel=\"next\"\r\n", body);
    let last = Answer::with(200, "link: <http://127.0.0.1:1/evil>; rel=\"prev\"\r\n", body);
    let (seen, requests) = sees(vec![next, last], 2).await;
    assert!(!seen.unwrap());
    assert_eq!(first_line(&requests[1]), "GET /api/v3/user/installations?per_page=100&page=2 HTTP/1.1");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn only_an_active_admin_administers() {
    let yes = json!({"state": "active", "role": "admin", "organization": {"login": "acme"}});
    for (answer, expected) in [
        (Answer::json(200, &yes.to_string()), true),
        (Answer::json(200, r#"{"state":"active","role":"member"}"#), false),
        (Answer::json(200, r#"{"state":"active","role":"billing_manager"}"#), false),
        (Answer::json(200, r#"{"state":"pending","role":"admin"}"#), false),
        (Answer::json(404, NOT_FOUND), false),
        (Answer::json(403, FORBIDDEN), false),
    ] {
        let server = TestServer::answering(vec![answer]);
        assert_eq!(client(&server).is_organization_admin(&token(), "acme-1").await.unwrap(), expected);
        assert_eq!(first_line(&server.requests()[0]), "GET /api/v3/user/memberships/orgs/acme-1 HTTP/1.1");
    }
    for answer in [
        Answer::json(200, "[]"),
        Answer::json(200, r#"{"state":"active"}"#),
        Answer::json(404, "<html>"),
        Answer::json(500, "{}"),
        Answer::redirect(),
        Answer::with(403, "x-ratelimit-remaining: 0\r\n", FORBIDDEN),
        Answer::with(403, "retry-after: 7\r\n", FORBIDDEN),
    ] {
        unavailable(client(&TestServer::answering(vec![answer])).is_organization_admin(&token(), "acme").await);
    }
}

#[tokio::test]
async fn a_name_that_would_lead_elsewhere_is_nobodys() {
    let server = TestServer::answering(vec![Answer::json(200, r#"{"state":"active","role":"admin"}"#)]);
    let client = client(&server);
    for login in ["", ".", "..", "a/b", "a?b", "a%2Fb", "a#", "ä", "a b", &"a".repeat(101)] {
        assert!(!client.is_organization_admin(&token(), login).await.unwrap(), "{login}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn revoking_a_dead_token_succeeds() {
    for (answer, expected) in [
        (Answer::Bytes(b"HTTP/1.1 204 X\r\n\r\n".to_vec()), true),
        (Answer::json(404, NOT_FOUND), true),
        (Answer::json(422, r#"{"message":"Validation Failed"}"#), true),
        (Answer::json(401, BAD_CREDENTIALS), false),
        (Answer::json(500, ""), false),
    ] {
        let server = TestServer::answering(vec![answer]);
        assert_eq!(client(&server).revoke_user_token(&token()).await.is_ok(), expected);
        let request = server.requests()[0].clone();
        assert_eq!(first_line(&request), "DELETE /api/v3/applications/Iv1.abc/token HTTP/1.1");
        assert_eq!(header(&request, "authorization"), Some("Basic SXYxLmFiYzpodXNoLWNsaWVudA=="));
        assert!(request.ends_with("\r\n\r\n{\"access_token\":\"ghu_hush\"}"));
    }
}
