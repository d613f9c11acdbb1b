//! The client against far ends that behave well and badly.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{
        Error,
        slack::{SlackChannel, SlackMessage, Verdict},
    },
    provider::far_end::{Answer, FarEnd},
};

const OK: &str = r#"{"ok":true,"channel":"C1","ts":"1700000000.000100","message":{"text":"hi"}}"#;
/// Long enough on a busy machine.
const PATIENT: Duration = Duration::from_secs(10);
/// For far ends that would never answer.
const IMPATIENT: Duration = Duration::from_millis(250);

fn client(far_end: &FarEnd) -> SlackClient {
    client_at(far_end.url("/api"))
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
    };
    let limits = Limits { connect: PATIENT, total: PATIENT, max_answer_bytes: 64 * 1024 };
    SlackClient::new(app, http_client(&limits).unwrap(), limits)
}

fn message() -> SlackMessage {
    SlackMessage { text: "Grüße \"<\"".into(), blocks: json!([{"type": "divider"}]) }
}

fn token() -> Secret {
    Secret::new("xoxb-1-hush")
}

async fn post(answer: Answer) -> PostAnswer {
    let far_end = FarEnd::answering(vec![answer]);
    client(&far_end).post(&token(), post_body("C1", &message())).await
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
    let far_end = FarEnd::answering(vec![Answer::json(200, OK)]);
    let client = client(&far_end);
    for _ in 0..3 {
        let answer = client.post(&token(), post_body("C1", &message())).await;
        assert_eq!(answer, PostAnswer::Posted { ts: "1700000000.000100".into(), answer: OK.into() });
    }
    assert_eq!(far_end.connections(), 1);
    let requests = far_end.requests();
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

#[tokio::test]
async fn a_message_without_blocks_sends_none() {
    let far_end = FarEnd::answering(vec![Answer::json(200, OK)]);
    let plain = SlackMessage { text: "x".into(), blocks: json!([]) };
    client(&far_end).post(&token(), post_body("C1", &plain)).await;
    assert!(!far_end.requests()[0].contains("blocks"));
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
        let far_end = FarEnd::answering(vec![answer]);
        let mut client = client(&far_end);
        client.limits.total = IMPATIENT;
        let begun = Instant::now();
        let answer = client.post(&token(), post_body("C1", &message())).await;
        assert_eq!(unreachable(answer), (Unreachable::Timeout, status));
        assert!((IMPATIENT..PATIENT).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let far_end = FarEnd::answering(vec![Answer::Endless]);
    let answer = client(&far_end).post(&token(), post_body("C1", &message())).await;
    let PostAnswer::Unreachable { reason: Unreachable::AnswerTooLarge, status: Some(200), answer: Some(answer) } =
        answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(answer.len(), 512);
    // What was written beyond the cap lies in buffers between us; the server could not go on.
    assert!(far_end.written() < 16 * 1024 * 1024, "{}", far_end.written());
}

#[tokio::test]
async fn nobody_there_is_no_connection() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client_at(Url::parse(&format!("http://{gone}/api")).unwrap());
    let answer = client.post(&token(), post_body("C1", &message())).await;
    assert_eq!(unreachable(answer), (Unreachable::Connect, None));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_not_sent() {
    let far_end = FarEnd::answering(vec![Answer::json(200, OK)]);
    let answer = client(&far_end).post(&Secret::new("a\r\nb"), post_body("C1", &message())).await;
    assert_eq!(unreachable(answer), (Unreachable::Other, None));
    assert!(far_end.requests().is_empty());
}

#[test]
fn the_authorize_url_names_the_app_its_wishes_and_the_state() {
    let url = client_at(Url::parse("https://slack.example/api/").unwrap()).authorize_url("a b&c");
    assert_eq!(
        url.as_str(),
        "https://slack.example/oauth/v2/authorize?client_id=11.22&scope=chat%3Awrite%2Cchannels%3Aread\
         &redirect_uri=https%3A%2F%2Ftieline.example%2Fcb%3Fx%3D1&state=a+b%26c"
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

const GRANT: &str = r#"{"ok":true,"app_id":"A1","access_token":"xoxe.xoxb-1","token_type":"bot","scope":"chat:write",
    "bot_user_id":"U1","refresh_token":"xoxe-1-r","expires_in":43200,"team":{"id":"T1","name":"Team"},
    "enterprise":null,"is_enterprise_install":false,"authed_user":{"id":"U2"}}"#;

async fn exchange(body: &str) -> crate::domain::Result<SlackGrant> {
    client(&FarEnd::answering(vec![Answer::json(200, body)])).exchange_code("a code").await
}

#[tokio::test]
async fn a_code_is_exchanged_for_a_grant() {
    let far_end = FarEnd::answering(vec![Answer::json(200, GRANT)]);
    let grant = client(&far_end).exchange_code("a+code&").await.unwrap();
    let expected = SlackGrant {
        team_id: "T1".into(),
        team_name: "Team".into(),
        enterprise_id: None,
        bot_user_id: "U1".into(),
        app_id: "A1".into(),
        scopes: "chat:write".into(),
        access_token: Secret::new("xoxe.xoxb-1"),
        refresh_token: Some(Secret::new("xoxe-1-r")),
        expires_in: Some(Duration::from_secs(43_200)),
        authed_user_id: "U2".into(),
    };
    assert_eq!(grant, expected);
    assert!(!format!("{grant:?}").contains("xox"));
    let requests = far_end.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/oauth.v2.access HTTP/1.1\r\n"));
    assert!(head.contains("authorization: Basic MTEuMjI6aHVzaC1jbGllbnQ="), "{head}");
    assert_eq!(body, "code=a%2Bcode%26&redirect_uri=https%3A%2F%2Ftieline.example%2Fcb%3Fx%3D1");
}

#[tokio::test]
async fn a_refused_code_keeps_slacks_own_word() {
    for code in ["invalid_code", "code_already_used", "bad_redirect_uri", "bad_client_secret"] {
        let failed = exchange(&format!(r#"{{"ok":false,"error":"{code}"}}"#)).await;
        assert!(matches!(&failed, Err(Error::Refused { code: told, .. }) if told == code), "{failed:?}");
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
async fn an_installation_for_a_whole_enterprise_or_without_a_bot_is_refused() {
    let org_wide = GRANT.replace(r#"{"id":"T1","name":"Team"}"#, "null").replace("false", "true");
    let without_bot = GRANT.replace("access_token", "other");
    for body in [org_wide, without_bot] {
        let failed = exchange(&body).await;
        assert!(matches!(failed, Err(Error::FailedPrecondition { .. })), "{failed:?}");
    }
}

#[tokio::test]
async fn a_token_is_refreshed() {
    let far_end = FarEnd::answering(vec![Answer::json(200, GRANT)]);
    let grant = client(&far_end).refresh(&Secret::new("xoxe-1-old")).await.unwrap();
    assert_eq!(grant.refresh_token, Some(Secret::new("xoxe-1-r")));
    assert!(far_end.requests()[0].ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=xoxe-1-old"));
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
        let far_end = FarEnd::answering(vec![Answer::json(200, body)]);
        assert_eq!(client(&far_end).revoke(&token()).await.is_ok(), expected, "{body}");
    }
}

fn page(ids: &[&str], cursor: &str) -> Answer {
    let channels: Vec<_> = ids.iter().map(|id| json!({"id": id, "name": "n", "is_member": true})).collect();
    let body = json!({"ok": true, "channels": channels, "response_metadata": {"next_cursor": cursor}});
    Answer::json(200, &body.to_string())
}

async fn list(script: Vec<Answer>) -> (Result<Vec<SlackChannel>, SlackFailure>, Vec<String>) {
    let far_end = FarEnd::answering(script);
    let channels = client(&far_end).list_channels(&token(), "T1").await;
    (channels, far_end.requests())
}

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let (channels, requests) = list(vec![page(&["C1", "C2"], "dXNlcjo="), page(&[], "next"), page(&["C3"], "")]).await;
    let channels = channels.unwrap();
    assert_eq!(channels.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>(), ["C1", "C2", "C3"]);
    assert!(channels[0].is_member && !channels[0].is_private);
    let line = |request: &str| request.lines().next().map(str::to_owned).unwrap();
    let first =
        "/api/conversations.list?types=public_channel%2Cprivate_channel&exclude_archived=true&limit=500&team_id=T1";
    assert_eq!(line(&requests[0]), format!("GET {first} HTTP/1.1"));
    assert_eq!(line(&requests[1]), format!("GET {first}&cursor=dXNlcjo%3D HTTP/1.1"));
}

#[tokio::test]
async fn a_cursor_that_comes_again_ends_it() {
    let (channels, requests) = list(vec![page(&["C1"], "a"), page(&["C2"], "b"), page(&["C3"], "a")]).await;
    assert!(matches!(channels, Err(SlackFailure::Unavailable { .. })));
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn a_missing_cursor_is_the_end() {
    for body in
        [r#"{"ok":true,"channels":[]}"#, r#"{"ok":true,"channels":[],"response_metadata":{"next_cursor":null}}"#]
    {
        assert_eq!(list(vec![Answer::json(200, body)]).await.0, Ok(vec![]));
    }
}

#[tokio::test]
async fn refusals_tell_a_dead_token_from_a_slack_in_trouble() {
    let (dead, _) = list(vec![Answer::json(200, r#"{"ok":false,"error":"token_revoked"}"#)]).await;
    assert_eq!(dead.unwrap_err().verdict(), Verdict::ConnectionDead);
    let (down, _) = list(vec![Answer::json(502, "")]).await;
    assert_eq!(down.unwrap_err().verdict(), Verdict::Retry);
    let (late, requests) = list(vec![Answer::with(429, "retry-after: 6\r\n", "{}")]).await;
    let pause = Some(Duration::from_secs(6));
    assert!(matches!(late, Err(SlackFailure::Unavailable { retry_after, .. }) if retry_after == pause));
    assert_eq!(requests.len(), 1, "a long pause is the caller's to wait");
}

#[tokio::test]
async fn all_pages_together_have_a_time_limit_too() {
    let far_end = FarEnd::answering(vec![Answer::with(429, "retry-after: 5\r\n", "{}"), page(&["C1"], "")]);
    let mut client = client(&far_end);
    client.limits.total = IMPATIENT;
    let begun = Instant::now();
    assert!(client.list_channels(&token(), "").await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn one_short_pause_is_waited_out() {
    let far_end = FarEnd::answering(vec![Answer::with(429, "retry-after: 1\r\n", "{}"), page(&["C1"], "")]);
    let client = client(&far_end);
    assert_eq!(client.list_channels(&token(), "").await.unwrap().len(), 1);
    assert!(!far_end.requests()[0].contains("team_id"));
}
