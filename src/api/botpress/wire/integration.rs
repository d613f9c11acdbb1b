//! A version in full. The members of its definition are described by the domain's table; the other members are here.

use serde_json::{Map, Value, json};

use super::{address, timestamp};
use crate::{
    app::{kernel::Base, registry::Registered},
    domain::registry::{
        Lifecycle, PublicId, Verification,
        definition::{Described, describe},
    },
};

/// Renders a version. On the hub, `meta` and the owner are shown, and members private to the workspace are left out.
pub fn shown(base: &Base, registered: &Registered) -> Value {
    let Registered { version, definition, workspace, signing_secret, in_public } = registered;
    let shown_id = |prefix, id| PublicId { prefix, id }.to_string();
    let url = definition.url.as_deref().filter(|_| !in_public).unwrap_or_default();
    let secrets: &[String] = if *in_public { &[] } else { &version.secret_names };
    let mut value = json!({
        "id": shown_id(PublicId::VERSION, version.id.0),
        "createdAt": timestamp(version.created_at),
        "updatedAt": timestamp(version.updated_at),
        "name": version.name,
        "version": version.version.to_string(),
        "title": definition.title,
        "description": definition.description,
        "url": url,
        "iconUrl": address(base, "icons", version.icon_key.as_deref(), "svg"),
        "readmeUrl": address(base, "readmes", version.readme_key.as_deref(), "md"),
        "dev": version.dev,
        "public": version.visibility == crate::domain::registry::definition::Visibility::Public,
        "visibility": version.visibility.as_str(),
        "verificationStatus": version.verification.as_str(),
        "lifecycleStatus": version.lifecycle.as_str(),
        "secrets": secrets,
        "signingSecret": signing_secret.as_ref().map_or("", |secret| secret.expose()),
    });
    let parts: [(&str, &Map<String, Value>); 11] = [
        ("identifier", &definition.identifier),
        ("configuration", &definition.configuration),
        ("configurations", &definition.configurations),
        ("channels", &definition.channels),
        ("states", &definition.states),
        ("events", &definition.events),
        ("actions", &definition.actions),
        ("user", &definition.user),
        ("entities", &definition.entities),
        ("interfaces", &definition.interfaces),
        ("attributes", &definition.attributes),
    ];
    for (name, part) in parts {
        value[name] = part.clone().into();
    }
    if let Some(seconds) = definition.max_execution_time_secs {
        value["maxExecutionTime"] = seconds.into();
    }
    if *in_public {
        value["ownerWorkspace"] = json!({
            "id": shown_id(PublicId::WORKSPACE, workspace.id.0),
            "handle": workspace.slug.as_str(),
            "name": workspace.name,
        });
        value["meta"] = json!({ "installs": version.installs, "views": version.views });
    }
    value
}

/// Returns the schema of a version in an answer.
pub fn schema(in_public: bool) -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let flag = |description: &str| json!({ "type": "boolean", "description": description });
    let word =
        |description: &str, words: Vec<&str>| json!({ "type": "string", "description": description, "enum": words });
    let time = |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    let mut own = json!({
        "id": { "type": "string", "minLength": 28, "maxLength": 36, "description": "Id of this version." },
        "createdAt": time("Time of creation."),
        "updatedAt": time("Time of the last change."),
        "name": text("Name of the integration."),
        "version": text("Version of the integration."),
        "iconUrl": text("Address of the icon; empty if there is none."),
        "readmeUrl": text("Address of the readme; empty if there is none."),
        "dev": flag("True for a version under development."),
        "public": flag("True if it is on the hub."),
        "visibility": word("Visibility to other workspaces.", vec!["public", "private", "unlisted"]),
        "verificationStatus":
            word("Verification status.", Verification::ALL.map(Verification::as_str).into()),
        "lifecycleStatus": word("Lifecycle status.", Lifecycle::ALL.map(Lifecycle::as_str).into()),
        "secrets": { "type": "array", "items": { "type": "string" }, "description": "Names of its secrets." },
        "signingSecret": text("Secret that signs its calls: returned only at creation, and empty from then on."),
        "url": text("Address at which it is called; empty if none was given, and for other workspaces."),
    });
    if in_public {
        own["ownerWorkspace"] = json!({
            "type": "object",
            "description": "Workspace that owns it.",
            "required": ["id", "handle", "name"],
            "properties": { "id": { "type": "string" }, "handle": { "type": "string" }, "name": { "type": "string" } },
            "additionalProperties": false,
        });
        own["meta"] = json!({
            "type": "object",
            "description": "Counts of the integration's installations and views.",
            "required": ["installs", "views"],
            "properties": { "installs": { "type": "integer" }, "views": { "type": "integer" } },
            "additionalProperties": false,
        });
    }
    let mut schema = describe(Described::Answer);
    let mut required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(["title", "description"].map(Value::from));
    if let (Value::Object(own), Some(properties)) = (own, schema["properties"].as_object_mut()) {
        required.extend(own.keys().map(|name| name.as_str().into()));
        properties.extend(own);
    }
    schema["required"] = required.into();
    schema
}

/// Example of a creation's body, for the document.
pub fn new_example() -> Value {
    json!({
        "name": "acme/teams",
        "version": "1.2.0",
        "title": "Teams",
        "description": "Messages to and from Teams",
        "configuration": { "schema": { "type": "object", "properties": { "tenant": { "type": "string" } } } },
        "actions": {
            "sendMessage": {
                "title": "Send a message",
                "input": { "schema": { "type": "object", "properties": { "text": { "type": "string" } } } },
                "output": { "schema": {} },
            },
        },
        "secrets": { "API_KEY": "s3cret", "OLD_KEY": null },
        "url": "https://teams.example/hook",
        "visibility": "private",
    })
}

/// Example of an update's body, for the document.
pub fn update_example() -> Value {
    json!({ "title": "Microsoft Teams", "actions": { "sendMessage": null }, "visibility": "public" })
}

/// Example of a version, for the document.
pub fn example(in_public: bool) -> Value {
    let new = new_example();
    let mut value = json!({
        "id": "intver_01JVYWESY3BVAM5FR3XT9X813H",
        "createdAt": "2026-11-18T11:06:40.000Z",
        "updatedAt": "2026-11-18T11:06:40.000Z",
        "name": new["name"],
        "version": new["version"],
        "title": new["title"],
        "description": new["description"],
        "url": if in_public { "" } else { "https://teams.example/hook" },
        "iconUrl": "https://tieline.example/v1/admin/icons/01jvywesy3bvam5fr3xt9x813h.svg",
        "readmeUrl": "",
        "dev": false,
        "public": in_public,
        "visibility": if in_public { "public" } else { "private" },
        "verificationStatus": "unapproved",
        "lifecycleStatus": "published",
        "secrets": if in_public { json!([]) } else { json!(["API_KEY"]) },
        "signingSecret": "",
        "identifier": {},
        "configuration": {
            "schema": new["configuration"]["schema"], "identifier": { "required": false },
        },
        "actions": new["actions"],
        "user": { "tags": {}, "creation": { "enabled": false, "requiredTags": [] } },
    });
    for name in ["configurations", "channels", "states", "events", "entities", "interfaces", "attributes"] {
        value[name] = json!({});
    }
    if in_public {
        value["ownerWorkspace"] = json!({
            "id": "wkspace_01JVYWESY3BVAM5FR3XT9X813H", "handle": "acme", "name": "Acme",
        });
        value["meta"] = json!({ "installs": 3, "views": 141 });
    }
    value
}
