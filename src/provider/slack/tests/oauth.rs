//! Tests of grants, refreshes and revocations.

use super::*;
use crate::domain::Error;

const GRANT: &str = r#"{"ok":true,"app_id":"A1","access_token":"xoxe.xoxb-1","token_type":"bot","scope":"chat:write",
    "bot_user_id":"U1","refresh_token":"xoxe-1-r","expires_in":43200,"team":{"id":"T1","name":"Team"},
    "enterprise":null,"is_enterprise_install":false,"authed_user":{"id":"U2"}}"#;

async fn exchange(body: &str) -> crate::domain::Result<SlackGrant> {
    client(&TestServer::answering(vec![Answer::json(200, body)])).exchange_code(Flow::Slack, "a code").await
}

#[tokio::test]
async fn a_code_is_exchanged_for_a_grant() {
    let server = TestServer::answering(vec![Answer::json(200, GRANT)]);
    let grant = client(&server).exchange_code(Flow::Slack, "a+code&").await.unwrap();
    let expected = SlackGrant {
        team_id: "T1".into(),
        team_name: "Team".into(),
        enterprise_id: None,
        org_wide: false,
        bot_user_id: "U1".into(),
        app_id: "A1".into(),
        scopes: "chat:write".into(),
        access_token: Secret::new("xoxe.xoxb-1"),
        refresh_token: Some(Secret::new("xoxe-1-r")),
        expires_in: Some(Duration::from_secs(43_200)),
        authed_user_id: "U2".into(),
        incoming_webhook: None,
    };
    assert_eq!(grant, expected);
    assert!(!format!("{grant:?}").contains("xox"));
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/oauth.v2.access HTTP/1.1\r\n"));
    assert!(head.contains("authorization: Basic MTEuMjI6aHVzaC1jbGllbnQ="), "{head}");
    assert_eq!(body, "code=a%2Bcode%26&redirect_uri=https%3A%2F%2Ftieline.example%2Fcb%3Fx%3D1");
}

#[tokio::test]
async fn a_code_goes_back_with_the_redirect_uri_of_its_flow() {
    let server = TestServer::answering(vec![Answer::json(200, GRANT)]);
    client(&server).exchange_code(Flow::SlackApp, "c").await.unwrap();
    assert!(server.requests()[0].ends_with("\r\n\r\ncode=c&redirect_uri=https%3A%2F%2Ftieline.example%2Fapp"));
}

#[tokio::test]
async fn a_refused_code_keeps_slacks_own_word() {
    for code in ["invalid_code", "code_already_used", "bad_redirect_uri", "bad_client_secret"] {
        let failed = exchange(&format!(r#"{{"ok":false,"error":"{code}"}}"#)).await;
        assert!(matches!(&failed, Err(Error::Refused { code: found, .. }) if found == code), "{failed:?}");
    }
}

#[tokio::test]
async fn slacks_own_trouble_is_not_the_codes_fault() {
    for body in [r#"{"ok":false,"error":"fatal_error"}"#, r#"{"ok":false,"error":"ratelimited"}"#, "nonsense"] {
        let failed = exchange(body).await;
        assert!(matches!(failed, Err(Error::UpstreamUnavailable { .. })), "{failed:?}");
    }
}

#[tokio::test]
async fn an_installation_without_a_bot_is_refused() {
    let failed = exchange(&GRANT.replace("access_token", "other")).await;
    assert!(matches!(failed, Err(Error::FailedPrecondition { .. })), "{failed:?}");
}

const TEAM: &str = r#""team":{"id":"T1","name":"Team"},
    "enterprise":null,"is_enterprise_install":false"#;

#[tokio::test]
async fn an_installation_for_a_whole_enterprise_is_one_of_the_enterprise() {
    assert!(GRANT.contains(TEAM));
    let corp = r#""enterprise":{"id":"E1","name":"Corp"},"is_enterprise_install":true"#;
    for team in ["null", r#"{"id":"T1","name":"Team"}"#] {
        let grant = exchange(&GRANT.replace(TEAM, &format!(r#""team":{team},{corp}"#))).await.unwrap();
        assert_eq!((grant.team_id.as_str(), grant.team_name.as_str()), ("E1", "Corp"));
        assert_eq!((grant.enterprise_id.as_deref(), grant.org_wide), (Some("E1"), true));
    }
    let one_of_it = TEAM.replace(r#""enterprise":null"#, r#""enterprise":{"id":"E1","name":"Corp"}"#);
    let grant = exchange(&GRANT.replace(TEAM, &one_of_it)).await.unwrap();
    assert_eq!((grant.team_id.as_str(), grant.enterprise_id.as_deref(), grant.org_wide), ("T1", Some("E1"), false));
}

#[tokio::test]
async fn an_installation_nowhere_is_no_answer() {
    for nowhere in [
        r#""team":null"#,
        r#""team":{"id":""}"#,
        r#""team":{"id":"T1"},"is_enterprise_install":true"#,
        r#""enterprise":{"name":"Corp"},"is_enterprise_install":true"#,
    ] {
        let failed = exchange(&GRANT.replace(TEAM, nowhere)).await;
        assert!(matches!(failed, Err(Error::UpstreamUnavailable { .. })), "{nowhere}: {failed:?}");
    }
}

#[tokio::test]
async fn a_token_is_refreshed() {
    let server = TestServer::answering(vec![Answer::json(200, GRANT)]);
    let grant = client(&server).refresh(&Secret::new("xoxe-1-old")).await.unwrap();
    assert_eq!(grant.refresh_token, Some(Secret::new("xoxe-1-r")));
    assert!(server.requests()[0].ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=xoxe-1-old"));
}

#[tokio::test]
async fn revoking_a_dead_token_succeeds() {
    for (body, expected) in [
        (r#"{"ok":true,"revoked":true}"#, true),
        (r#"{"ok":false,"error":"token_revoked"}"#, true),
        (r#"{"ok":false,"error":"invalid_auth"}"#, true),
        (r#"{"ok":false,"error":"internal_error"}"#, false),
        ("nonsense", false),
    ] {
        let server = TestServer::answering(vec![Answer::json(200, body)]);
        assert_eq!(client(&server).revoke(&token()).await.is_ok(), expected, "{body}");
    }
}
