//! Tests of the client against well and badly behaved upstreams: messages here, the rest in the modules.

mod lists;
mod oauth;
mod people;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::slack::SlackMessage,
    provider::test_server::{Answer, TestServer},
};

const OK: &str = r#"{"ok":true,"channel":"C1","ts":"1700000000.000100","message":{"text":"hi"}}"#;
/// Long enough on a busy machine.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// For upstreams that would never answer.
const SHORT_TIMEOUT: Duration = Duration::from_millis(250);

fn client(server: &TestServer) -> SlackClient {
    client_at(server.url("/api"))
}

fn client_at(api_base: Url) -> SlackClient {
    let app = SlackApp {
        client_id: "11.22".into(),
        client_secret: Secret::new("hush-client"),
        signing_secret: Secret::new("hush-signing"),
        web_base: Url::parse("https://slack.example").unwrap(),
        api_base,
        hooks_base: Url::parse("https://hooks.slack.example").unwrap(),
        redirect_uri: Url::parse("https://tieline.example/cb?x=1").unwrap(),
        scopes: vec!["chat:write".into(), "channels:read".into()],
        connection_redirect_uri: Url::parse("https://tieline.example/connection").unwrap(),
        app_redirect_uri: Url::parse("https://tieline.example/app").unwrap(),
        app_scopes: vec!["chat:write".into(), "commands".into()],
    };
    let limits = Limits { connect: LONG_TIMEOUT, total: LONG_TIMEOUT, max_answer_bytes: 64 * 1024 };
    SlackClient::new(app, http_client(&limits).unwrap(), limits)
}

fn message() -> SlackMessage {
    SlackMessage { text: "Grüße \"<\"".into(), blocks: json!([{"type": "divider"}]) }
}

fn token() -> Secret {
    Secret::new("xoxb-1-hush")
}

async fn post(answer: Answer) -> PostAnswer {
    let server = TestServer::answering(vec![answer]);
    client(&server).post(&token(), post_body("C1", &message(), None)).await
}

fn unreachable(answer: PostAnswer) -> (Unreachable, Option<u16>) {
    match answer {
        PostAnswer::Unreachable { reason, status, answer } => {
            assert_eq!(status.is_some(), answer.is_some());
            (reason, status)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_is_posted_as_json_over_one_kept_connection() {
    let server = TestServer::answering(vec![Answer::json(200, OK)]);
    let client = client(&server);
    for _ in 0..3 {
        let answer = client.post(&token(), post_body("C1", &message(), None)).await;
        assert_eq!(answer, PostAnswer::Posted { ts: "1700000000.000100".into(), answer: OK.into() });
    }
    assert_eq!(server.connections(), 1);
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/chat.postMessage HTTP/1.1\r\n"), "{head}");
    for line in ["authorization: Bearer xoxb-1-hush", "content-type: application/json; charset=utf-8"] {
        assert!(head.lines().any(|l| l == line), "{line} in {head}");
    }
    assert!(head.contains("user-agent: tieline/"));
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        sent,
        json!({"channel": "C1", "text": "Grüße \"<\"", "blocks": [{"type": "divider"}],
               "unfurl_links": false, "unfurl_media": false})
    );
}

#[test]
fn a_reply_names_its_thread() {
    let sent = |broadcast| {
        let reply = Reply { thread_ts: "1700000000.000100", broadcast };
        serde_json::from_str::<Value>(&post_body("C1", &message(), Some(reply))).unwrap()
    };
    assert_eq!(sent(false)["thread_ts"], "1700000000.000100");
    assert!(sent(false).get("reply_broadcast").is_none());
    assert_eq!(sent(true)["reply_broadcast"], true);
}

#[tokio::test]
async fn a_message_without_blocks_sends_none() {
    let server = TestServer::answering(vec![Answer::json(200, OK)]);
    let plain = SlackMessage { text: "x".into(), blocks: json!([]) };
    client(&server).post(&token(), post_body("C1", &plain, None)).await;
    assert!(!server.requests()[0].contains("blocks"));
}

#[tokio::test]
async fn a_refusal_has_its_code_and_no_secrets() {
    let body = r#"{"ok":false,"error":"not_in_channel","token":"xoxb-1-hush"}"#;
    let PostAnswer::Refused { code, status, answer } = post(Answer::json(200, body)).await else { panic!() };
    assert_eq!((code.as_str(), status), ("not_in_channel", 200));
    assert!(answer.contains("not_in_channel") && !answer.contains("hush"), "{answer}");
}

#[tokio::test]
async fn a_pause_is_as_long_as_slack_says() {
    let limited = r#"{"ok":false,"error":"ratelimited"}"#;
    for (header, secs) in [
        ("retry-after: 7\r\n", 7),
        ("", 30),
        ("retry-after: soon\r\n", 30),
        ("retry-after: 0\r\n", 1),
        ("retry-after: 999999\r\n", 3_600),
    ] {
        let PostAnswer::RateLimited { retry_after, answer } = post(Answer::with(429, header, limited)).await else {
            panic!("{header}")
        };
        assert_eq!((retry_after, answer.as_str()), (Duration::from_secs(secs), limited));
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_web_api_is_no_answer() {
    for (answer, expected) in [
        (Answer::json(500, r#"{"ok":false,"error":"fatal_error"}"#), (Unreachable::ServerError, Some(500))),
        (Answer::json(503, ""), (Unreachable::ServerError, Some(503))),
        (Answer::json(200, "<html>"), (Unreachable::NotJson, Some(200))),
        (Answer::json(200, r#"{"ok":true}"#), (Unreachable::NotJson, Some(200))),
        (Answer::json(200, r#"{"ok":true,"ts":""}"#), (Unreachable::NotJson, Some(200))),
        (Answer::json(200, r#"{"ok":true,"ts":17.1}"#), (Unreachable::NotJson, Some(200))),
        (Answer::json(404, "not found"), (Unreachable::NotJson, Some(404))),
        (Answer::redirect(), (Unreachable::Redirected, Some(302))),
        (Answer::HangUp, (Unreachable::Closed, None)),
        (Answer::Half, (Unreachable::Closed, Some(200))),
        (Answer::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), (Unreachable::Closed, None)),
    ] {
        assert_eq!(unreachable(post(answer).await), expected);
    }
}

#[tokio::test]
async fn one_time_limit_covers_headers_and_body() {
    for (answer, status) in [(Answer::Silence, None), (Answer::HeadersOnly, Some(200))] {
        let server = TestServer::answering(vec![answer]);
        let mut client = client(&server);
        client.limits.total = SHORT_TIMEOUT;
        let begun = Instant::now();
        let answer = client.post(&token(), post_body("C1", &message(), None)).await;
        assert_eq!(unreachable(answer), (Unreachable::Timeout, status));
        assert!((SHORT_TIMEOUT..LONG_TIMEOUT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let server = TestServer::answering(vec![Answer::Endless]);
    let answer = client(&server).post(&token(), post_body("C1", &message(), None)).await;
    let PostAnswer::Unreachable { reason: Unreachable::AnswerTooLarge, status: Some(200), answer: Some(answer) } =
        answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(answer.len(), 512);
    // Bytes written beyond the cap are in buffers between client and server; the server could not go on.
    assert!(server.written() < 16 * 1024 * 1024, "{}", server.written());
}

#[tokio::test]
async fn nobody_there_is_no_connection() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client_at(Url::parse(&format!("http://{gone}/api")).unwrap());
    let answer = client.post(&token(), post_body("C1", &message(), None)).await;
    assert_eq!(unreachable(answer), (Unreachable::Connect, None));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_not_sent() {
    let server = TestServer::answering(vec![Answer::json(200, OK)]);
    let answer = client(&server).post(&Secret::new("a\r\nb"), post_body("C1", &message(), None)).await;
    assert_eq!(unreachable(answer), (Unreachable::Other, None));
    assert!(server.requests().is_empty());
}

#[test]
fn the_authorize_url_names_the_app_its_scopes_and_the_state() {
    let url = client_at(Url::parse("https://slack.example/api/").unwrap()).authorize_url(Flow::Slack, "a b&c");
    assert_eq!(
        url.as_str(),
        "https://slack.example/oauth/v2/authorize?client_id=11.22&scope=chat%3Awrite%2Cchannels%3Aread\
         &redirect_uri=https%3A%2F%2Ftieline.example%2Fcb%3Fx%3D1&state=a+b%26c"
    );
    let url = client_at(Url::parse("https://slack.example/api/").unwrap()).authorize_url(Flow::SlackApp, "s");
    assert_eq!(
        url.as_str(),
        "https://slack.example/oauth/v2/authorize?client_id=11.22&scope=chat%3Awrite%2Ccommands\
         &redirect_uri=https%3A%2F%2Ftieline.example%2Fapp&state=s"
    );
}

#[test]
fn bases_are_taken_with_and_without_a_slash() {
    for base in ["https://slack.example/api", "https://slack.example/api/"] {
        let client = client_at(Url::parse(base).unwrap());
        assert_eq!(client.method("auth.revoke").as_str(), "https://slack.example/api/auth.revoke");
    }
}

#[test]
fn no_secret_is_shown() {
    let client = client_at(Url::parse("https://slack.example/api").unwrap());
    assert!(!format!("{client:?}").contains("hush"));
    assert!(!format!("{:?}", bearer(&token())).contains("hush"));
}
