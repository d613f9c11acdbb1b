//! Tests of user profiles and modals.

use super::*;
use crate::domain::slack::SlackUser;

async fn user(body: &str) -> Result<SlackUser, SlackFailure> {
    client(&TestServer::answering(vec![Answer::json(200, body)])).users_info(&token(), "U1").await
}

#[tokio::test]
async fn somebody_is_who_slack_says() {
    let body = r#"{"ok":true,"user":{"id":"U1","team_id":"T1","name":"ann","real_name":"Ann A","deleted":false,"is_bot":false,
        "is_email_confirmed":true,"enterprise_user":{"id":"W1","enterprise_id":"E1"},"profile":{"email":"ann@acme.example"}}}"#;
    let expected = SlackUser {
        id: "U1".into(),
        team_id: "T1".into(),
        enterprise_id: Some("E1".into()),
        name: "Ann A".into(),
        email: Some("ann@acme.example".into()),
        is_bot: false,
        deleted: false,
        is_stranger: false,
        is_email_confirmed: Some(true),
    };
    let server = TestServer::answering(vec![Answer::json(200, body)]);
    assert_eq!(client(&server).users_info(&token(), "U1&team=T2").await, Ok(expected));
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /api/users.info?user=U1%26team%3DT2 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer xoxb-1-hush"));
}

#[tokio::test]
async fn what_slack_leaves_out_of_somebody_is_not_made_up() {
    let bare = user(r#"{"ok":true,"user":{"id":"U1"}}"#).await.unwrap();
    assert_eq!((bare.name.as_str(), bare.email, bare.is_email_confirmed), ("U1", None, None));
    let body = r#"{"ok":true,"user":{"id":"U1","name":"ann","real_name":" ","profile":{"email":""},"is_bot":true,
        "deleted":true,"is_stranger":true,"is_email_confirmed":null,"enterprise_user":{}}}"#;
    let odd = user(body).await.unwrap();
    assert_eq!((odd.name.as_str(), odd.email, odd.enterprise_id), ("ann", None, None));
    assert!(odd.is_bot && odd.deleted && odd.is_stranger);
    for nonsense in [r#"{"ok":true}"#, r#"{"ok":true,"user":{}}"#, r#"{"ok":true,"user":{"id":1}}"#, "<html>"] {
        assert!(matches!(user(nonsense).await, Err(SlackFailure::Unavailable { .. })), "{nonsense}");
    }
    let unknown = user(r#"{"ok":false,"error":"user_not_found"}"#).await;
    assert_eq!(unknown, Err(SlackFailure::Refused { code: "user_not_found".into() }));
}

#[tokio::test]
async fn a_modal_is_opened_for_a_trigger() {
    let server = TestServer::answering(vec![Answer::json(200, r#"{"ok":true,"view":{"id":"V1"}}"#)]);
    let view = json!({"type": "modal", "blocks": []});
    client(&server).open_view(&token(), &Secret::new("1.2.x"), &view).await.unwrap();
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/views.open HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json; charset=utf-8"));
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!(sent, json!({"trigger_id": "1.2.x", "view": view}));
    for code in ["expired_trigger_id", "exchanged_trigger_id", "view_too_large"] {
        let server = TestServer::answering(vec![Answer::json(200, &json!({"ok": false, "error": code}).to_string())]);
        let refused = client(&server).open_view(&token(), &Secret::new("x"), &view).await;
        assert_eq!(refused, Err(SlackFailure::Refused { code: code.into() }));
    }
}

#[tokio::test]
async fn nobody_waits_for_a_modal_longer_than_its_trigger_lives() {
    let server = TestServer::answering(vec![Answer::HeadersOnly]);
    let begun = Instant::now();
    let failed = client(&server).open_view(&token(), &Secret::new("x"), &json!({})).await;
    assert!(matches!(failed, Err(SlackFailure::Unavailable { .. })));
    assert!((Duration::from_millis(2_400)..LONG_TIMEOUT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_open_modal_is_replaced() {
    let server = TestServer::answering(vec![Answer::json(200, r#"{"ok":true,"view":{"id":"V1"}}"#)]);
    let view = json!({"type": "modal", "blocks": []});
    client(&server).update_view(&token(), "V1", &view).await.unwrap();
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/views.update HTTP/1.1\r\n"), "{head}");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), json!({"view_id": "V1", "view": view}));
}

#[tokio::test]
async fn a_command_is_answered_at_slacks_response_urls_and_nowhere_else() {
    let respond = async |server: &TestServer, url: &str| {
        let mut client = client(server);
        client.app.hooks_base = server.url("/hooks");
        client.respond(&Secret::new(url), &message()).await
    };
    let server = TestServer::answering(vec![Answer::json(200, "ok")]);
    respond(&server, server.url("/hooks/commands/T1/x").as_str()).await.unwrap();
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hooks/commands/T1/x HTTP/1.1\r\n") && !head.contains("authorization"), "{head}");
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&sent["response_type"], &sent["text"]), (&json!("ephemeral"), &json!(message().text)));
    let elsewhere = [server.url("/other").to_string(), server.url("/hooks/../x").to_string()];
    for url in ["https://evil.example/hooks/x", "http://hooks.evil.example", "x", ""]
        .into_iter()
        .chain(elsewhere.iter().map(String::as_str))
    {
        let refused = SlackFailure::Refused { code: "foreign_response_url".into() };
        assert_eq!(respond(&server, url).await, Err(refused), "{url}");
    }
    assert_eq!(server.requests().len(), 1);
    let used_up = TestServer::answering(vec![Answer::json(404, "used_url")]);
    let refused = respond(&used_up, used_up.url("/hooks/x").as_str()).await;
    assert_eq!(refused, Err(SlackFailure::Refused { code: "response_url_refused".into() }));
    let broken = TestServer::answering(vec![Answer::json(500, "")]);
    assert!(matches!(respond(&broken, broken.url("/hooks/x").as_str()).await, Err(SlackFailure::Unavailable { .. })));
}
