//! Published headers of answers.

use serde_json::{Value, json};

/// Headers that the guard adds, and those of a refusal. `Retry-After` is optional if an unreachable upstream gives no
/// duration.
pub fn own_headers(status: u16) -> impl Iterator<Item = (&'static str, Value)> {
    let header = |ty, text| json!({ "description": text, "required": true, "schema": { "type": ty } });
    let may = |ty, text| json!({ "description": text, "schema": { "type": ty } });
    let wait = "Seconds to wait before a retry";
    let id = header("string", "Id of this request in our log; the caller's own id, if one was sent");
    let more = match status {
        401 => Some(("WWW-Authenticate", header("string", "Authentication challenge (RFC 6750)"))),
        429 => Some(("Retry-After", header("integer", wait))),
        503 => Some(("Retry-After", may("integer", wait))),
        _ => None,
    };
    std::iter::once(("X-Request-Id", id)).chain(more)
}

/// Returns a header's name in its usual spelling; the framework writes it in capitals.
pub fn spelled(name: &str) -> String {
    let word = |word: &str| match word.to_ascii_uppercase().as_str() {
        "WWW" => "WWW".to_owned(),
        "ETAG" => "ETag".to_owned(),
        "RATELIMIT" => "RateLimit".to_owned(),
        upper => upper.chars().take(1).chain(upper.chars().skip(1).map(|c| c.to_ascii_lowercase())).collect(),
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
