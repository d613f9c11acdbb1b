//! Definitions of integrations: a small one, and one as large as those of services with many operations.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

/// Number of actions of the large one, and of events: the maximum of events.
const ACTIONS: usize = 185;
const EVENTS: usize = 20;
/// Bytes of its readme, and number of paths of its icon.
const README_BYTES: usize = 40_000;
const ICON_PATHS: usize = 120;

/// A small version: an action and an event.
pub fn small(name: &str, version: &str) -> Value {
    json!({
        "name": name, "version": version, "title": "Tickets",
        "description": "Opens tickets and tells of those that were closed",
        "configuration": {"schema": schema(3, 0)},
        "actions": {"openTicket": {
            "title": "Open a ticket", "description": "Opens a ticket for a customer",
            "input": {"schema": schema(3, 1)}, "output": {"schema": schema(1, 2)},
        }},
        "events": {"ticketClosed": {"title": "A ticket was closed", "schema": schema(2, 3)}},
        "user": {"tags": {"id": {"title": "Customer"}}},
        "secrets": {"API_KEY": "a key of the service"},
        "url": "https://tickets.example.org/hook",
        "sdkVersion": "4.0.0",
    })
}

/// A large version: many actions and events with their schemas, channels, states, entities, a readme and an icon.
pub fn large(name: &str, version: &str) -> Value {
    let mut definition = small(name, version);
    let channels = ["direct", "group", "thread"];
    let messages = ["text", "image", "audio", "video", "file", "location", "carousel", "card", "choice"];
    let parts = [
        (
            "actions",
            map(ACTIONS, "operation", |index| {
                json!({
                    "title": format!("Operation {index}"), "description": words(40),
                    "input": {"schema": schema(12, index)}, "output": {"schema": schema(8, index + 1)},
                })
            }),
        ),
        (
            "events",
            map(
                EVENTS,
                "happened",
                |index| json!({"title": format!("Event {index}"), "description": words(20), "schema": schema(14, index)}),
            ),
        ),
        ("states", map(5, "state", |index| json!({"type": "integration", "schema": schema(6, index)}))),
        ("entities", map(10, "entity", |index| json!({"title": "Entity", "schema": schema(10, index)}))),
        (
            "channels",
            channels
                .iter()
                .map(|name| {
                    let messages: Map<_, _> = messages
                        .iter()
                        .map(|kind| ((*kind).to_owned(), json!({"schema": schema(4, kind.len())})))
                        .collect();
                    let tags = json!({"tags": {"id": {"title": "Id"}}});
                    ((*name).to_owned(), json!({"messages": messages, "conversation": tags, "message": tags}))
                })
                .collect(),
        ),
    ];
    for (part, value) in parts {
        definition[part] = Value::Object(value);
    }
    definition["readme"] = BASE64_STANDARD.encode(readme()).into();
    definition["icon"] = BASE64_STANDARD.encode(icon()).into();
    definition
}

fn map(count: usize, name: &str, of: impl Fn(usize) -> Value) -> Map<String, Value> {
    (0..count).map(|index| (format!("{name}{index}"), of(index))).collect()
}

/// A schema with this number of properties, of all kinds in turn.
fn schema(properties: usize, seed: usize) -> Value {
    let property = |index: usize| {
        let title = format!("Field {index}");
        match (index + seed) % 6 {
            0 => json!({"type": "string", "title": title, "description": words(6), "minLength": 1, "maxLength": 200}),
            1 => json!({"type": "integer", "title": title, "minimum": 0, "maximum": 1_000, "x-zui": {"hidden": false}}),
            2 => json!({"type": "string", "title": title, "enum": ["open", "pending", "closed"], "default": "open"}),
            3 => json!({"type": "array", "title": title, "items": {"type": "string", "maxLength": 64}, "maxItems": 50}),
            4 => json!({"type": "object", "title": title, "required": ["id"], "properties": {
                "id": {"type": "string", "description": words(4)}, "email": {"type": "string", "format": "email"},
            }}),
            _ => json!({"anyOf": [{"type": "boolean"}, {"type": "null"}], "title": title, "description": words(5)}),
        }
    };
    let all: Map<_, _> = (0..properties).map(|index| (format!("field{index}"), property(index))).collect();
    json!({"type": "object", "properties": all, "required": ["field0"], "additionalProperties": false})
}

fn words(count: usize) -> String {
    let all =
        ["the", "engine", "weaves", "algebraic", "patterns", "as", "a", "loom", "weaves", "flowers", "and", "leaves"];
    let words: Vec<&str> = all.into_iter().cycle().take(count).collect();
    words.join(" ")
}

fn readme() -> String {
    let section =
        |index: usize| format!("## Operation {index}\n\n{}\n\n- `{}`\n- {}\n\n", words(60), words(3), words(12));
    let mut text = "# Tickets\n\n".to_owned();
    text.extend((1..).map(section).take(README_BYTES / section(1).len()));
    text
}

fn icon() -> String {
    let path = |index: usize| {
        format!(r##"<path d="M{index} 4c2 8 16 8 18 0s-9-16-18 0z" fill="#2{:02}" opacity=".8"/>"##, index % 100)
    };
    let paths: String = (0..ICON_PATHS).map(path).collect();
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">{paths}</svg>"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_as_large_as_they_are_said_to_be() {
        let bytes = |definition: Value| definition.to_string().len();
        let (small, large) = (bytes(small("a", "1.0.0")), bytes(large("a", "1.0.0")));
        assert!((1_700..2_600).contains(&small), "{small}");
        assert!((650_000..750_000).contains(&large), "{large}");
    }
}
