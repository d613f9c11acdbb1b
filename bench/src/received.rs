//! Queries the stand-in Slack for received messages.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{
    Result,
    http::{call, fetch},
    load::DIGITS,
};

/// Name under which an event's data holds its number; it comes first, so it is in the first line of the message.
pub const NUMBER: &str = "number";

/// A message received by the stand-in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceivedMessage {
    /// Number of its event.
    pub number: u64,
    /// Microseconds since 1970: Slack's timestamp of the message.
    pub at_micros: i64,
}

/// Clears all messages.
///
/// # Errors
/// When the stand-in does not answer.
pub async fn forget(standin: SocketAddr) -> Result<()> {
    call(standin, "DELETE", "/control/slack/messages", None, None).await.map(drop)
}

/// Counts the messages received since they were last cleared.
///
/// # Errors
/// When the stand-in does not answer.
pub async fn count(standin: SocketAddr) -> Result<u64> {
    let stats = call(standin, "GET", "/control/slack/stats", None, None).await?;
    Ok(stats["posted"].as_u64().unwrap_or_default())
}

/// Counts the messages received in one channel.
///
/// # Errors
/// When the stand-in does not answer.
pub async fn count_in(standin: SocketAddr, team: &str, channel: &str) -> Result<u64> {
    let path = format!("/control/slack/messages?team={team}&channel={channel}&limit=0");
    let answer = call(standin, "GET", &path, None, None).await?;
    Ok(answer["posted"].as_u64().unwrap_or_default())
}

/// Returns the time of the newest message.
///
/// # Errors
/// When the stand-in does not answer.
pub async fn newest_micros(standin: SocketAddr) -> Result<Option<i64>> {
    Ok(messages(standin, 1).await?.iter().filter_map(timestamp).max())
}

/// Returns the messages that the stand-in still stores: the newest hundred of each channel.
///
/// # Errors
/// When the stand-in does not answer.
pub async fn kept(standin: SocketAddr) -> Result<Vec<ReceivedMessage>> {
    Ok(messages(standin, 1_000_000).await?.iter().filter_map(read).collect())
}

async fn messages(standin: SocketAddr, limit: usize) -> Result<Vec<Value>> {
    let path = format!("/control/slack/messages?limit={limit}");
    let mut answer = call(standin, "GET", &path, None, None).await?;
    match answer["messages"].take() {
        Value::Array(messages) => Ok(messages),
        other => Err(format!("messages are not a list: {other}").into()),
    }
}

fn read(message: &Value) -> Option<ReceivedMessage> {
    let (_, rest) = message["text"].as_str()?.split_once(&format!("*{NUMBER}:* "))?;
    Some(ReceivedMessage { number: rest.get(..DIGITS)?.parse().ok()?, at_micros: timestamp(message)? })
}

fn timestamp(message: &Value) -> Option<i64> {
    let (seconds, micros) = message["ts"].as_str()?.split_once('.')?;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + micros.parse::<i64>().ok()?)
}

/// Returns the number of deliveries and of successful attempts that Tieline counts.
///
/// # Errors
/// When Tieline does not answer.
pub async fn counted(tieline: SocketAddr) -> Result<(u64, u64)> {
    let text = fetch(tieline, "GET", "/metrics", None, None).await?;
    let deliveries = value(&text, r#"tieline_deliveries_total{outcome="delivered"}"#);
    Ok((deliveries, value(&text, r#"tieline_attempts_total{outcome="delivered"}"#)))
}

/// Returns the number of accepted events that Tieline counts.
///
/// # Errors
/// When Tieline does not answer.
pub async fn accepted(tieline: SocketAddr) -> Result<u64> {
    let text = fetch(tieline, "GET", "/metrics", None, None).await?;
    Ok(value(&text, r#"tieline_events_total{outcome="accepted"}"#))
}

/// Reads one value of Prometheus' text format; an absent counter is zero.
fn value(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_names_its_number_and_its_time() {
        let message = json!({"ts": "1795000000.000042", "text": "Form submitted\n*number:* 00004212\n*name:* Ada"});
        assert_eq!(read(&message), Some(ReceivedMessage { number: 4_212, at_micros: 1_795_000_000_000_042 }));
        assert_eq!(read(&json!({"ts": "1795000000.000042", "text": "hello"})), None);
    }
}
