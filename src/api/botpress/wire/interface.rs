//! Interfaces. The members of a definition are described by the domain's table; the other members are here.

use poem_openapi::Object;
use serde_json::{Value, json};

use super::{
    MetaOut, address,
    integration::{extended, text},
    timestamp,
};
use crate::{
    api::{
        botpress::shapes::{OneInterface, Shaped},
        shared::time::Timestamp,
    },
    app::{
        kernel::Base,
        registry::{Listed, ListedPage, Registered},
    },
    domain::registry::{
        PublicId, RegistryVersion,
        definition::{DefinitionKind, Visibility},
    },
};

/// A version of an interface.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InterfaceAnswer")]
pub struct OneInterfaceOut {
    /// The version.
    pub interface: Shaped<OneInterface>,
}

/// A version of an interface in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InterfaceSummary", rename_all = "camelCase")]
pub struct InterfaceSummaryOut {
    /// Id of this version.
    pub id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Name of the interface.
    pub name: String,
    /// Version of the interface.
    pub version: String,
    /// Display title.
    pub title: String,
    /// Description of the interface.
    pub description: String,
    /// Address of the icon; empty if there is none.
    pub icon_url: String,
    /// Address of the readme; empty if there is none.
    pub readme_url: String,
    /// True if it is on the hub.
    pub public: bool,
}

/// A page of a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InterfaceList")]
pub struct InterfacesOut {
    /// The versions.
    pub interfaces: Vec<InterfaceSummaryOut>,
    /// Metadata of the page.
    pub meta: MetaOut,
}

fn shown_id(version: &RegistryVersion) -> String {
    PublicId { prefix: PublicId::INTERFACE, id: version.id.0 }.to_string()
}

impl InterfacesOut {
    /// Makes a page of versions.
    pub fn of(base: &Base, page: ListedPage) -> Self {
        let one = |Listed { version, .. }: Listed| InterfaceSummaryOut {
            id: shown_id(&version),
            created_at: version.created_at.into(),
            updated_at: version.updated_at.into(),
            version: version.version.to_string(),
            icon_url: address(base, "icons", version.icon_key.as_deref(), "svg"),
            readme_url: address(base, "readmes", version.readme_key.as_deref(), "md"),
            public: version.visibility == Visibility::Public,
            name: version.name,
            title: version.title,
            description: version.description,
        };
        let meta = MetaOut { next_token: page.next_token };
        Self { interfaces: page.items.into_iter().map(one).collect(), meta }
    }
}

/// Renders a version.
pub fn shown(base: &Base, Registered { version, definition, .. }: &Registered) -> Value {
    let mut value = json!({
        "id": shown_id(version),
        "createdAt": timestamp(version.created_at),
        "updatedAt": timestamp(version.updated_at),
        "name": version.name,
        "version": version.version.to_string(),
        "title": definition.title,
        "description": definition.description,
        "iconUrl": address(base, "icons", version.icon_key.as_deref(), "svg"),
        "readmeUrl": address(base, "readmes", version.readme_key.as_deref(), "md"),
        "public": version.visibility == Visibility::Public,
        "entities": definition.entities,
        "events": definition.events,
        "actions": definition.actions,
        "channels": definition.channels,
        "attributes": definition.attributes,
    });
    if !definition.name_template.is_empty() {
        value["nameTemplate"] = definition.name_template.clone().into();
    }
    value
}

/// Returns the schema of a version in an answer.
pub fn schema() -> Value {
    let own = json!({
        "id": text("Id of this version."),
        "createdAt": { "type": "string", "format": "date-time", "description": "Time of creation." },
        "updatedAt": { "type": "string", "format": "date-time", "description": "Time of the last change." },
        "name": text("Name of the interface."),
        "version": text("Version of the interface."),
        "iconUrl": text("Address of the icon; empty if there is none."),
        "readmeUrl": text("Address of the readme; empty if there is none."),
        "public": { "type": "boolean", "description": "True if it is on the hub." },
    });
    extended(DefinitionKind::Interface, own)
}

/// Example of a creation's body, for the document.
pub fn new_example() -> Value {
    json!({
        "name": "acme/creatable",
        "version": "1.0.0",
        "title": "Creatable",
        "entities": { "item": { "schema": { "type": "object", "properties": { "id": { "type": "string" } } } } },
        "actions": {
            "create": {
                "input": { "schema": { "type": "object", "properties": { "item": { "type": "object" } } } },
                "output": { "schema": {} },
            },
        },
        "public": false,
    })
}

/// Example of an update's body, for the document.
pub fn update_example() -> Value {
    json!({ "title": "Things to create", "actions": { "create": null }, "public": true })
}

/// Example of a version, for the document.
pub fn example() -> Value {
    let mut value = new_example();
    for (name, more) in [
        ("id", json!("ifver_01JVYWESY3BVAM5FR3XT9X813H")),
        ("createdAt", json!("2026-11-18T11:06:40.000Z")),
        ("updatedAt", json!("2026-11-18T11:06:40.000Z")),
        ("description", json!("")),
        ("iconUrl", json!("")),
        ("readmeUrl", json!("")),
        ("events", json!({})),
        ("channels", json!({})),
        ("attributes", json!({})),
    ] {
        value[name] = more;
    }
    value
}
