//! Tests of paginated lists.

use super::*;
use crate::domain::slack::{Outcome, SlackChannel, SlackTeam};

fn page(ids: &[&str], cursor: &str) -> Answer {
    let channels: Vec<_> = ids.iter().map(|id| json!({"id": id, "name": "n", "is_member": true})).collect();
    let body = json!({"ok": true, "channels": channels, "response_metadata": {"next_cursor": cursor}});
    Answer::json(200, &body.to_string())
}

async fn list(script: Vec<Answer>) -> (Result<Vec<SlackChannel>, SlackFailure>, Vec<String>) {
    let server = TestServer::answering(script);
    let channels = client(&server).list_channels(&token(), "T1").await;
    (channels, server.requests())
}

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let (channels, requests) = list(vec![page(&["C1", "C2"], "dXNlcjo="), page(&[], "next"), page(&["C3"], "")]).await;
    let channels = channels.unwrap();
    assert_eq!(channels.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>(), ["C1", "C2", "C3"]);
    assert!(channels[0].is_member && !channels[0].is_private);
    let line = |request: &str| request.lines().next().map(str::to_owned).unwrap();
    let first =
        "/api/conversations.list?types=public_channel%2Cprivate_channel&exclude_archived=true&team_id=T1&limit=500";
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
    assert_eq!(dead.unwrap_err().outcome(), Outcome::ConnectionDead);
    let (down, _) = list(vec![Answer::json(502, "")]).await;
    assert_eq!(down.unwrap_err().outcome(), Outcome::Retry);
    let (late, requests) = list(vec![Answer::with(429, "retry-after: 6\r\n", "{}")]).await;
    let pause = Some(Duration::from_secs(6));
    assert!(matches!(late, Err(SlackFailure::Unavailable { retry_after, .. }) if retry_after == pause));
    assert_eq!(requests.len(), 1, "a long pause is the caller's to wait");
}

#[tokio::test]
async fn all_pages_together_have_a_time_limit_too() {
    let server = TestServer::answering(vec![Answer::with(429, "retry-after: 5\r\n", "{}"), page(&["C1"], "")]);
    let mut client = client(&server);
    client.limits.total = SHORT_TIMEOUT;
    let begun = Instant::now();
    assert!(client.list_channels(&token(), "").await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn one_short_pause_is_waited_out() {
    let server = TestServer::answering(vec![Answer::with(429, "retry-after: 1\r\n", "{}"), page(&["C1"], "")]);
    let client = client(&server);
    assert_eq!(client.list_channels(&token(), "").await.unwrap().len(), 1);
    assert!(!server.requests()[0].contains("team_id"));
}

#[tokio::test]
async fn the_teams_of_a_token_are_listed_page_by_page() {
    let page = |ids: &[&str], cursor: &str| {
        let teams: Vec<_> = ids.iter().map(|id| json!({"id": id, "name": format!("Team {id}")})).collect();
        let body = json!({"ok": true, "teams": teams, "response_metadata": {"next_cursor": cursor}});
        Answer::json(200, &body.to_string())
    };
    let server = TestServer::answering(vec![page(&["T1"], "next"), page(&[], "more"), page(&["T2"], "")]);
    let teams = client(&server).list_teams(&token()).await.unwrap();
    let team = |id: &str| SlackTeam { id: id.into(), name: format!("Team {id}") };
    assert_eq!(teams, [team("T1"), team("T2")]);
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /api/auth.teams.list?limit=500 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[2].starts_with("GET /api/auth.teams.list?limit=500&cursor=more HTTP/1.1\r\n"));
    assert!(requests[0].contains("authorization: Bearer xoxb-1-hush"));

    let server = TestServer::answering(vec![Answer::json(200, r#"{"ok":false,"error":"token_revoked"}"#)]);
    assert_eq!(client(&server).list_teams(&token()).await.unwrap_err().outcome(), Outcome::ConnectionDead);
}
