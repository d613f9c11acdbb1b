//! A request as a script describes it: that of an outgoing webhook, or one that it makes itself.
//!
//! Not here: sending it (`app::webhooks::outgoing`, and `fetch`).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::provider::guard::{HeaderMap, HeaderName, HeaderValue, Method, may_be_set};

/// Methods that a script may choose.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A request that is ready to be sent.
#[derive(Debug)]
pub struct Request {
    /// Method, one of those that a script may choose.
    pub method: Method,
    /// URL, unchecked.
    pub url: String,
    /// Headers that may be set.
    pub headers: HeaderMap,
    /// Body, empty for GET and HEAD.
    pub body: Bytes,
    /// Time limit, if the script sets one.
    pub timeout: Option<Duration>,
}

/// Returns the default request of an outgoing webhook: the script's argument, and sent as it is without a script.
pub fn usual(url: &str, payload: Value) -> Map<String, Value> {
    let usual = json!({
        "params": {},
        "method": "POST",
        "url": url,
        "data": payload,
        "headers": {"Content-Type": "application/json"},
    });
    match usual {
        Value::Object(usual) => usual,
        _ => Map::new(),
    }
}

impl Request {
    /// Parses a script's request; `None` where it has no URL or no method, and so is not sent.
    ///
    /// # Errors
    /// The violated rule, in a sentence.
    pub fn read(wanted: &Map<String, Value>) -> Result<Option<Self>, String> {
        let text = |key: &str| wanted.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let (Some(url), Some(method)) = (text("url"), text("method")) else { return Ok(None) };
        let method = method.to_ascii_uppercase();
        let known = METHODS.contains(&method.as_str()).then(|| Method::from_bytes(method.as_bytes()).ok()).flatten();
        let method = known.ok_or_else(|| format!("the method is not one of {}", METHODS.join(", ")))?;
        let mut headers = headers(wanted.get("headers"))?;
        if let Some(auth) = wanted.get("auth").filter(|auth| !auth.is_null()) {
            let pair = auth.as_str().filter(|pair| pair.contains(':'));
            let pair = pair.ok_or("the auth is not a user and a password with a colon between")?;
            let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
                .map_err(|_| "the auth cannot be sent")?;
            value.set_sensitive(true);
            headers.insert("authorization", value);
        }
        let bodiless = method == Method::GET || method == Method::HEAD;
        let body = match wanted.get("data") {
            _ if bodiless => Bytes::new(),
            None | Some(Value::Null) => Bytes::new(),
            Some(Value::String(text)) => Bytes::from(text.clone()),
            Some(data) => Bytes::from(data.to_string()),
        };
        if bodiless {
            headers.remove("content-type");
        } else if !headers.contains_key("content-type") {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        let timeout = wanted.get("timeout").and_then(Value::as_f64).filter(|millis| *millis >= 1.0);
        let timeout = timeout.map(|millis| Duration::from_secs_f64((millis / 1000.0).min(3600.0)));
        Ok(Some(Self { method, url: url.to_owned(), headers, body, timeout }))
    }
}

fn headers(wanted: Option<&Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let Some(Value::Object(wanted)) = wanted else { return Ok(headers) };
    for (name, value) in wanted {
        let shown: String = name.chars().take(60).collect();
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return Err(format!("the header {shown:?} is not a text")),
        };
        let name: HeaderName = name.parse().map_err(|_| format!("{shown:?} cannot be the name of a header"))?;
        // A header that would redirect a proxy, or end the request early.
        if !may_be_set(&name) {
            return Err(format!("the header {shown:?} may not be set"));
        }
        let value = HeaderValue::try_from(text).map_err(|_| format!("the header {shown:?} cannot be sent"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wanted: Value) -> Result<Option<Request>, String> {
        Request::read(wanted.as_object().unwrap())
    }

    #[test]
    fn what_is_usual_is_json_by_post() {
        let request = Request::read(&usual("https://a.example/", json!({"text": "hi"}))).unwrap().unwrap();
        assert_eq!((request.method, request.url.as_str()), (Method::POST, "https://a.example/"));
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!((&request.body[..], request.timeout), (&br#"{"text":"hi"}"#[..], None));
    }

    #[test]
    fn a_script_may_change_everything_but_the_connection() {
        let base = json!({"url": "https://a.example/", "method": "put", "auth": "user:p:w", "timeout": 1500,
            "headers": {"X-One": 1, "X-None": null}, "data": "plain"});
        let request = read(base).unwrap().unwrap();
        assert_eq!((request.method, request.timeout), (Method::PUT, Some(Duration::from_millis(1500))));
        assert_eq!((&request.headers["x-one"], request.headers.len()), (&HeaderValue::from_static("1"), 3));
        assert_eq!(request.headers["authorization"], "Basic dXNlcjpwOnc=");
        assert_eq!(&request.body[..], b"plain");
        let get = read(json!({"url": "https://a.example/", "method": "GET", "data": {"a": 1}})).unwrap().unwrap();
        assert!(get.body.is_empty() && get.headers.is_empty());
        for missing in
            [json!({}), json!({"url": "x"}), json!({"method": "POST"}), json!({"url": " ", "method": "POST"})]
        {
            assert!(read(missing).unwrap().is_none());
        }
        for (key, bad) in [
            ("method", json!("TRACE")),
            ("method", json!("PO ST")),
            ("auth", json!("user")),
            ("auth", json!({"user": "x"})),
            ("headers", json!({"Host": "b.example"})),
            ("headers", json!({"transfer-encoding": "chunked"})),
            ("headers", json!({"X-A": "a\r\nX-B: b"})),
            ("headers", json!({"a b": "c"})),
            ("headers", json!({"X-A": ["b"]})),
        ] {
            let mut wanted = json!({"url": "https://a.example/", "method": "POST"});
            wanted[key] = bad;
            assert!(read(wanted.clone()).is_err(), "{wanted}");
        }
        for timeout in [json!(-1), json!("1s"), json!(0), json!(1e300)] {
            let wanted = json!({"url": "https://a.example/", "method": "POST", "timeout": timeout});
            let timeout = read(wanted).unwrap().unwrap().timeout;
            assert!(timeout.is_none_or(|timeout| timeout == Duration::from_secs(3600)));
        }
    }
}
