//! Converts the table of shapes into JSON schemas of OpenAPI 3.0, so that documentation and validation agree.
//!
//! Not here: their place in a document.

use serde_json::{Map, Value, json};

use super::{
    MAX_CODE, MAX_EXECUTION_SECS, MAX_NAME, MAX_SECRET, MAX_URL, MAX_VERSION,
    check::Mode,
    shape::{ASIDE, BODY, Field, Fill, Keys, Null, Shape, When},
};

/// The described variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// The body of a creation.
    Creation,
    /// The body of an update.
    Update,
    /// A definition in an answer: with the defaults filled in.
    Answer,
}

/// Members that answers never contain.
const HIDDEN: [&str; 3] = ["extraOperations", "layers", "sdkVersion"];

/// Returns the schema of a body, or of the definition's part of an answer.
pub fn describe(what: Described) -> Value {
    schema(&BODY, what)
}

fn schema(shape: &Shape, what: Described) -> Value {
    let text = |least: usize, most: usize| {
        let mut schema = json!({ "type": "string", "maxLength": most });
        if least > 0 {
            schema["minLength"] = least.into();
        }
        schema
    };
    match shape {
        Shape::Text { least, most } => text(*least, *most),
        Shape::Name => text(0, MAX_NAME),
        Shape::Version => text(0, MAX_VERSION),
        Shape::Id => text(28, 36),
        Shape::Url => text(0, MAX_URL),
        Shape::Code => text(0, MAX_CODE),
        Shape::Secret => text(0, MAX_SECRET),
        Shape::Icon | Shape::Readme => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Seconds => json!({ "type": "integer", "minimum": 1, "maximum": MAX_EXECUTION_SECS }),
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::Schema => json!({
            "type": "object", "additionalProperties": true, "description": "A JSON schema, draft-07"
        }),
        Shape::List { of, most } => json!({ "type": "array", "items": schema(of, what), "maxItems": most }),
        Shape::Object { fields, .. } => object(fields, what, std::ptr::eq(shape, &raw const BODY)),
        Shape::Map { of, keys, most, null } => {
            let mut entry = schema(of, what);
            if is_nullable(*null, what) {
                entry["nullable"] = true.into();
            }
            let mut map = json!({ "type": "object", "additionalProperties": entry });
            match keys {
                Keys::Identifiers => map["description"] = "By identifier: camelCase letters and digits".into(),
                Keys::Secrets => map["description"] = "By name, in SCREAMING_SNAKE case".into(),
                Keys::Free => {}
            }
            // In an update `null` removes an entry, and does not count.
            if what != Described::Update {
                map["maxProperties"] = (*most).into();
            }
            map
        }
    }
}

fn object(fields: &[Field], what: Described, is_body: bool) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for field in fields.iter().filter(|field| is_described(field, what, is_body)) {
        let mut schema = schema(field.shape, what);
        if is_nullable(field.null, what) {
            schema["nullable"] = true.into();
        }
        let text = if is_body { of_body(field.name) } else { of_part(field.name) };
        if !text.is_empty() {
            schema["description"] = text.into();
        }
        if is_body && field.name == "public" {
            schema["deprecated"] = true.into();
        }
        properties.insert(field.name.to_owned(), schema);
        let needed = match what {
            Described::Creation => field.needed.holds(Mode::Create),
            Described::Update => field.needed.holds(Mode::Update),
            Described::Answer => field.needed != When::Never || field.fill != Fill::Absent,
        };
        if needed && !(what == Described::Answer && field.name == "attributes") {
            required.push(field.name);
        }
    }
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = required.into();
    }
    object
}

fn is_described(field: &Field, what: Described, is_body: bool) -> bool {
    match what {
        Described::Creation => field.known.holds(Mode::Create),
        Described::Update => field.known.holds(Mode::Update),
        Described::Answer => !is_body || !(ASIDE.contains(&field.name) || HIDDEN.contains(&field.name)),
    }
}

fn is_nullable(null: Null, what: Described) -> bool {
    match what {
        Described::Creation => null == Null::Always,
        Described::Update => null != Null::Never,
        Described::Answer => false,
    }
}

fn of_body(name: &str) -> &'static str {
    match name {
        "name" => "Name of the integration, such as `teams`, or with the workspace's handle, `acme/teams`.",
        "version" => "Semantic version, such as `1.2.0`.",
        "title" => "Display title.",
        "description" => "Description for users.",
        "configuration" => "Configuration set by a user.",
        "configurations" => "Further configurations, by name.",
        "states" => "States stored for the integration.",
        "events" => "Events emitted by the integration.",
        "actions" => "Actions offered by the integration.",
        "entities" => "Entities known to the integration.",
        "channels" => "Channels for messages.",
        "user" => "Tags and creation of users.",
        "interfaces" => "Implemented interfaces, by name. This service has no interfaces, so none can be given.",
        "identifier" => "Scripts that extract an identifier from a request, in VRL.",
        "attributes" => "Free texts, such as `category`.",
        "extraOperations" => "Further operations that are sent to the integration.",
        "secrets" => {
            "Secrets, readable only by the code. A version inherits those of the version before it with the same \
             major; `null` prevents that. They are never returned."
        }
        "sdkVersion" => "Version of the SDK that it was built with.",
        "code" => "The code, in JavaScript. It is never returned.",
        "url" => "URL at which the integration is called.",
        "dev" => "True for a version under development, which its author hosts.",
        "icon" => "An SVG in Base64, for all versions of the integration.",
        "readme" => "Markdown in Base64, for this version.",
        "public" => "True for a public version. `visibility` takes precedence.",
        "visibility" => "Visibility to other workspaces. A public or unlisted version is immutable.",
        "layers" => "Names of layers.",
        "maxExecutionTime" => "Maximum execution time, in seconds.",
        _ => "",
    }
}

fn of_part(name: &str) -> &'static str {
    match name {
        "title" => "Display title.",
        "description" => "Description for users.",
        "schema" => "A JSON schema, draft-07.",
        "identifier" => "Identifier of a user's configuration.",
        "required" => "True if it is required.",
        "linkTemplateScript" => "Builds the link that connects a user, in VRL.",
        "billable" => "True if calls are billed.",
        "cacheable" => "True if results may be cached.",
        "input" => "Input of the action.",
        "output" => "Output of the action.",
        "attributes" => "Free texts.",
        "messages" => "Types of messages.",
        "conversation" => "Tags and creation of conversations.",
        "message" => "Tags of messages.",
        "tags" => "Tags, by name.",
        "creation" => "Settings for creation: whether it is enabled, and the required tags.",
        "requiredTags" => "Tags required at creation.",
        "extractScript" => "Extracts an identifier from a request, in VRL.",
        "fallbackHandlerScript" => "Runs if no identifier was found, in VRL.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_and_check_agree() {
        let creation = describe(Described::Creation);
        assert_eq!(creation["required"], json!(["name", "version"]));
        assert_eq!(creation["additionalProperties"], json!(false));
        assert_eq!(creation["properties"]["secrets"]["additionalProperties"]["nullable"], json!(true));
        assert_eq!(creation["properties"]["attributes"]["additionalProperties"].get("nullable"), None);
        let update = describe(Described::Update);
        assert!(update.get("required").is_none() && update["properties"].get("name").is_none());
        assert_eq!(update["properties"]["url"]["nullable"], json!(true));
        assert_eq!(update["properties"]["channels"]["additionalProperties"].get("required"), None);
        let answer = describe(Described::Answer);
        let channel = &answer["properties"]["channels"]["additionalProperties"];
        assert_eq!(channel["required"], json!(["messages", "conversation", "message"]));
        for hidden in ["code", "layers", "secrets", "name"] {
            assert!(answer["properties"].get(hidden).is_none(), "{hidden}");
        }
    }

    #[test]
    fn every_member_is_described() {
        fn without(schema: &Value, place: &str, found: &mut Vec<String>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let place = format!("{place}/{name}");
                let is_plain = ["enabled", "type", "id", "entities", "actions", "events", "channels", "name"];
                if property.get("description").is_none() && !is_plain.contains(&name.as_str()) {
                    found.push(place.clone());
                }
                without(property, &place, found);
                without(&property["additionalProperties"], &place, found);
            }
        }
        for what in [Described::Creation, Described::Update, Described::Answer] {
            let mut found = Vec::new();
            without(&describe(what), "", &mut found);
            assert_eq!(found, [""; 0]);
        }
    }
}
