//! Interfaces in the registry.

use poem_openapi::{Object, types::Any};
use serde_json::Value;
use uuid::Uuid;

use super::registry::{OwnerOut, Part, file, part};
use crate::{
    api::shared::{time::Timestamp, word::Word},
    app::{
        kernel::Base,
        registry::{Listed, Registered},
    },
    domain::{
        registry::{RegistryVersion, definition::Visibility},
        tenancy::organisation::Organisation,
    },
};

/// A version of an interface in the registry.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryInterface", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RegistryInterfaceOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the interface, such as `acme/creatable`.
    pub name: String,
    /// Version of the interface.
    pub version: String,
    /// Display title.
    pub title: String,
    /// Description of the interface.
    pub description: String,
    /// Organisation that owns it.
    pub organisation: OwnerOut,
    /// Visibility to other organisations.
    pub visibility: Word<Visibility>,
    /// Address of the icon.
    pub icon_url: Option<String>,
    /// Address of the readme.
    pub readme_url: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl RegistryInterfaceOut {
    /// Makes the representation.
    pub fn of(base: &Base, Listed { version, workspace, .. }: Listed) -> Self {
        Self::shown(base, version, workspace)
    }

    fn shown(base: &Base, version: RegistryVersion, owner: Organisation) -> Self {
        Self {
            id: version.id.0,
            name: version.name,
            version: version.version.to_string(),
            title: version.title,
            description: version.description,
            organisation: owner.into(),
            visibility: Word(version.visibility),
            icon_url: file(base, "icons", version.icon_key, "svg"),
            readme_url: file(base, "readmes", version.readme_key, "md"),
            created_at: version.created_at.into(),
            updated_at: version.updated_at.into(),
        }
    }
}

/// A version of an interface, with what it asks for.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryInterfaceDetail", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RegistryInterfaceDetailOut {
    /// The version.
    #[oai(flatten)]
    pub interface: RegistryInterfaceOut,
    /// Entities that an implementation names.
    pub entities: Part,
    /// Events that an implementation emits.
    pub events: Part,
    /// Actions that an implementation offers.
    pub actions: Part,
    /// Channels that an implementation has.
    pub channels: Part,
    /// Template by which implementations choose the names of actions and events.
    pub name_template: Option<Any<Value>>,
}

impl RegistryInterfaceDetailOut {
    /// Makes the representation.
    pub fn of(base: &Base, Registered { version, definition, workspace, .. }: Registered) -> Self {
        let name_template = Some(definition.name_template).filter(|template| !template.is_empty());
        Self {
            interface: RegistryInterfaceOut::shown(base, version, workspace),
            entities: part(definition.entities),
            events: part(definition.events),
            actions: part(definition.actions),
            channels: part(definition.channels),
            name_template: name_template.map(|template| Any(Value::Object(template))),
        }
    }
}
