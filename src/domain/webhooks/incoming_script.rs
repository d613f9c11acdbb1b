//! The input of an incoming webhook's script, and the interpretation of its result.
//!
//! Not here: the run (`provider::script`).

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::payload::Payload;
use super::script::ScriptValue;
use crate::domain::{channels::person::Person, ids::IntegrationId, secret::Secret};

/// A request, as passed to a script.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The webhook named by its URL.
    pub id: IntegrationId,
    /// The token in its URL.
    pub token: &'a Secret,
    /// The user named by its URL, if any; nothing follows from it.
    pub user_id: Option<&'a str>,
    /// The path with its query, as it came.
    pub target: &'a str,
    /// The headers.
    pub headers: &'a [(String, String)],
}

/// Builds the argument of `process_incoming_request`.
pub fn argument(asked: &Asked<'_>, payload: &Payload, poster: &Person) -> Value {
    let (path, query) = asked.target.split_once('?').unwrap_or((asked.target, ""));
    let search = if query.is_empty() { String::new() } else { format!("?{query}") };
    let mut parameters = json!({"integrationId": asked.id, "token": asked.token.expose()});
    if let Some(user_id) = asked.user_id {
        parameters["userId"] = user_id.into();
    }
    let content = payload.content();
    json!({
        "request": {
            "url": {"search": search, "query": fields(query), "pathname": path, "path": asked.target},
            "url_raw": asked.target,
            "url_params": parameters,
            "content": content,
            "content_raw": payload.raw,
            "headers": headers(asked.headers),
            "body": content,
            "user": {"_id": poster.id(), "name": poster.username, "username": poster.username},
        },
    })
}

/// Parses a query's fields; repeated ones become lists.
fn fields(query: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Value::from(value.into_owned());
        match fields.get_mut(&*name) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    fields
}

/// Maps headers by lower-case names; repeated ones become one line.
fn headers(headers: &[(String, String)]) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let line = match all.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.clone(),
        };
        all.insert(name, line.into());
    }
    all
}

/// Result of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum ScriptReply {
    /// The request is accepted, and nothing is posted; the sender gets this response, if any.
    Nothing {
        /// The response.
        response: Option<Value>,
    },
    /// The sender gets this error.
    Refused(Value),
    /// A message is posted.
    Post {
        /// The content, in a sender's format.
        content: Map<String, Value>,
        /// The author, by id or username, if it is not the webhook's poster.
        user: Option<String>,
        /// The response to the sender.
        response: Option<Value>,
    },
    /// The content to post is not an object.
    NoObject,
}

impl ScriptReply {
    /// Interprets a result. A missing method means nothing to post.
    pub fn read(value: ScriptValue) -> Self {
        let ScriptValue::Json(Value::Object(mut reply)) = value else { return Self::Nothing { response: None } };
        if let Some(error) = reply.shift_remove("error").filter(counts) {
            return Self::Refused(error);
        }
        let response = reply.shift_remove("response").filter(counts);
        let user = reply.get("user").and_then(named);
        match reply.shift_remove("content").filter(counts) {
            None => Self::Nothing { response },
            Some(Value::Object(content)) => Self::Post { content, user, response },
            Some(_) => Self::NoObject,
        }
    }
}

/// Returns true for a truthy value in JavaScript.
fn counts(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}

fn named(user: &Value) -> Option<String> {
    let name = match user {
        Value::Object(user) => ["_id", "username"].into_iter().find_map(|key| user.get(key)?.as_str()),
        other => other.as_str(),
    };
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::webhooks::payload::Packing;

    #[test]
    fn a_script_sees_the_whole_request() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [header("X-Event", "push"), header("x-forwarded-for", "a"), header("X-Forwarded-For", "b")];
        let asked = Asked {
            id: Uuid::from_u128(1).into(),
            token: &Secret::new("t"),
            user_id: None,
            target: "/hooks/1/t?a=1&a=2&b=%20",
            headers: &headers,
        };
        let payload = Payload::read(Packing::Form, b"payload={\"x\": 1}").unwrap();
        let argument = argument(&asked, &payload, &Person::bot());
        let request = &argument["request"];
        assert_eq!(request["url"]["query"], json!({"a": ["1", "2"], "b": " "}));
        assert_eq!(request["url"]["search"], "?a=1&a=2&b=%20");
        assert_eq!((&request["url"]["pathname"], &request["url_params"]["token"]), (&json!("/hooks/1/t"), &json!("t")));
        assert_eq!((&request["content"], &request["body"]), (&json!({"x": 1}), &json!({"x": 1})));
        assert_eq!(request["content_raw"], "payload={\"x\": 1}");
        assert_eq!(request["headers"], json!({"x-event": "push", "x-forwarded-for": "a, b"}));
        assert_eq!(request["user"]["_id"], "rocket.cat");
    }

    #[test]
    fn an_answer_means_what_javascript_makes_of_it() {
        let reply = |value: Value| ScriptReply::read(ScriptValue::Json(value));
        let nothing = || ScriptReply::Nothing { response: None };
        for (value, meant) in [
            (json!(null), nothing()),
            (json!(5), nothing()),
            (json!({}), nothing()),
            (json!({"content": null, "error": ""}), nothing()),
            (json!({"response": {"a": 1}}), ScriptReply::Nothing { response: Some(json!({"a": 1})) }),
            (json!({"error": {"message": "no"}, "content": {}}), ScriptReply::Refused(json!({"message": "no"}))),
            (json!({"content": "a"}), ScriptReply::NoObject),
            (json!({"content": [1]}), ScriptReply::NoObject),
            (
                json!({"content": {"text": "a"}, "user": {"username": "ada"}, "response": 0}),
                ScriptReply::Post {
                    content: json!({"text": "a"}).as_object().unwrap().clone(),
                    user: Some("ada".into()),
                    response: None,
                },
            ),
        ] {
            assert_eq!(reply(value.clone()), meant, "{value}");
        }
        for silent in [ScriptValue::NoMethod, ScriptValue::Undefined] {
            assert_eq!(ScriptReply::read(silent), nothing());
        }
    }
}
