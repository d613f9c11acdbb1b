//! CloudEvents 1.0.2 in their JSON format: read as events, and written from them.
//!
//! An event's type is the CloudEvent's; its other context attributes and its extensions are the event's attributes, in
//! their canonical string form. Not here: content modes and media types of HTTP.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use url::Url;

use crate::domain::{
    Error, Result,
    ambient::timestamp,
    error::Violation,
    pipeline::{
        attributes::{Attributes, MAX_ATTRIBUTES, MAX_VALUE, is_name, is_value},
        event::{Event, Fact},
    },
};

/// The supported version of the specification.
const VERSION: &str = "1.0";
/// Member that has the data as Base64. An event's data that has this member alone is such data.
const BASE64: &str = "data_base64";
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];
/// Optional context attributes. One that is too long for an attribute of an event is left out.
const OPTIONAL: [&str; 4] = ["subject", "time", "datacontenttype", "dataschema"];

/// A received CloudEvent.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudEvent {
    /// Its source, a URI-reference; unique together with `id`.
    pub source: String,
    /// Its identifier within the source.
    pub id: String,
    /// Its content as an event's.
    pub fact: Fact,
}

/// Reads a CloudEvent.
///
/// # Errors
/// [`Error::Invalid`] with every violation of the specification, or of the rules for attributes.
pub fn read(value: &Value) -> Result<CloudEvent> {
    let Some(members) = value.as_object() else { return Err(Error::invalid("", "must be an object")) };
    let mut violations: Vec<Violation> = Vec::new();
    let mut broken = |name: &str, message: &str| {
        violations.push(Violation { field: pointer(name), message: message.to_owned() });
    };
    for name in REQUIRED.into_iter().filter(|name| members.get(*name).is_none_or(Value::is_null)) {
        broken(name, "is required");
    }
    let mut attributes = Attributes::default();
    let context = members.iter().filter(|(name, value)| !value.is_null() && !matches!(name.as_str(), "data" | BASE64));
    for (name, value) in context {
        match attribute(name, value) {
            Ok(Some(text)) => attributes.insert(name, text),
            Ok(None) => {}
            Err(rule) => broken(name, rule),
        }
    }
    let data = data(members, attributes.get("datacontenttype")).unwrap_or_else(|(name, rule)| {
        broken(name, rule);
        Value::Null
    });
    if attributes.iter().count() > MAX_ATTRIBUTES + 1 {
        broken("", "has more attributes than an event may have");
    }
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let text = |name: &str| attributes.get(name).unwrap_or_default().to_owned();
    let (source, id, kind) = (text("source"), text("id"), text("type"));
    let attributes = attributes.iter().filter(|(name, _)| *name != "type").collect();
    Ok(CloudEvent { source, id, fact: Fact { kind, channel_id: None, attributes, data: data.into() } })
}

/// Returns an attribute in its canonical string form; nothing for an optional one of the specification that is too long.
fn attribute(name: &str, value: &Value) -> Result<Option<String>, &'static str> {
    let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.bytes().all(is_lower) || !is_name(name) {
        return Err("is not the name of an attribute: lower-case letters and digits, beginning with a letter");
    }
    let text = match value {
        Value::String(text) => text.clone(),
        _ if REQUIRED.contains(&name) || OPTIONAL.contains(&name) => return Err("must be a string"),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {
            number.to_string()
        }
        _ => return Err("must be a string, a boolean or an integer of 32 bits"),
    };
    if let Some(rule) = broken_format(name, &text) {
        return Err(rule);
    }
    match is_value(&text) {
        true => Ok(Some(text)),
        false if OPTIONAL.contains(&name) => Ok(None),
        false => Err(VALUE_RULE),
    }
}

const VALUE_RULE: &str = "must be 1 to 255 characters without control characters";
const _: () = assert!(MAX_VALUE == 255, "the rule names the length");

/// Returns the rule of a context attribute's format that a text breaks.
fn broken_format(name: &str, text: &str) -> Option<&'static str> {
    let (good, rule) = match name {
        "specversion" => (text == VERSION, "must be \"1.0\""),
        "source" => (is_reference(text), "must be a URI-reference"),
        "dataschema" => (is_uri(text) && Url::parse(text).is_ok(), "must be an absolute URI"),
        "time" => (chrono::DateTime::parse_from_rfc3339(text).is_ok(), "must be a time as in RFC 3339"),
        "datacontenttype" => (is_media_type(text), "must be a media type"),
        _ => (!text.is_empty(), "must not be empty"),
    };
    (!good).then_some(rule)
}

fn is_reference(text: &str) -> bool {
    let base = Url::parse("https://example.com/").ok();
    is_uri(text) && Url::options().base_url(base.as_ref()).parse(text).is_ok()
}

/// Returns true for characters that a URI may have (RFC 3986, 2).
fn is_uri(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Returns true for a media type of JSON, which is that of data without one.
pub fn is_json(media_type: Option<&str>) -> bool {
    let essence = media_type.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
    let subtype = essence.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    subtype == "json" || subtype.ends_with("+json")
}

/// Returns the data; binary data as the Base64 in which it came, unless it is JSON.
fn data(members: &Map<String, Value>, media_type: Option<&str>) -> Result<Value, (&'static str, &'static str)> {
    let Some(encoded) = members.get(BASE64).filter(|encoded| !encoded.is_null()) else {
        return Ok(members.get("data").cloned().unwrap_or_default());
    };
    if members.get("data").is_some_and(|data| !data.is_null()) {
        return Err((BASE64, "must not be sent together with data"));
    }
    let bytes = encoded.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or((BASE64, "must be Base64"))?;
    match media_type {
        Some(media_type) if is_json(Some(media_type)) => {
            serde_json::from_slice(&bytes).map_err(|_| (BASE64, "must be JSON, as datacontenttype says"))
        }
        _ => Ok(json!({ BASE64: encoded })),
    }
}

/// Writes an event as a CloudEvent. One that was received keeps its own source and identifier; others come from this
/// service, `public_url`.
pub fn write(event: &Event, public_url: &Url) -> Value {
    let attributes = &event.fact.attributes;
    let was_received = attributes.get("specversion") == Some(VERSION);
    let given = |name: &str| attributes.get(name).filter(|text| was_received && broken_format(name, text).is_none());
    let base = public_url.as_str().trim_end_matches('/');
    let origin = || format!("{base}/v1/events?source={}", event.source.as_str());
    let (id, source) = match (given("id"), given("source")) {
        (Some(id), Some(source)) => (id.to_owned(), source.to_owned()),
        _ => (event.id.to_string(), origin()),
    };
    let mut written = Map::new();
    for (name, value) in attributes.iter() {
        // Names of CloudEvents have no capital letters and no underscores.
        let extension = name.replace('_', "").to_ascii_lowercase();
        let is_context = [&REQUIRED[..], &OPTIONAL[1..], &["data"]].concat().contains(&extension.as_str());
        if !is_context || given(name).is_some() {
            written.entry(extension).or_insert(value.into());
        }
    }
    let time = given("time").map_or_else(|| timestamp(event.created_at), str::to_owned);
    for (name, text) in
        [("specversion", VERSION), ("id", &id), ("source", &source), ("type", &event.fact.kind), ("time", &time)]
    {
        written.insert(name.to_owned(), text.into());
    }
    let binary = event.fact.data.as_object().filter(|data| data.len() == 1).and_then(|data| data.get(BASE64)?.as_str());
    match binary {
        Some(encoded) => written.insert(BASE64.to_owned(), encoded.into()),
        None if event.fact.data.is_null() => None,
        None => written.insert("data".to_owned(), (*event.fact.data).clone()),
    };
    Value::Object(written)
}

fn pointer(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("/{}", name.replace('~', "~0").replace('/', "~1")) }
}

#[cfg(test)]
mod tests;
