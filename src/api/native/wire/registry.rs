//! Versions in the registry.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    api::shared::{registry_body::Named, time::Timestamp, word::Word},
    app::{
        Caller,
        kernel::Base,
        registry::{Listed, Registered},
    },
    domain::{
        registry::{
            Lifecycle, RegistryVersion, Verification,
            definition::{Definition, Described, Visibility, describe},
        },
        tenancy::organisation::Organisation,
    },
};

/// Body of a creation, as the domain describes it.
#[derive(Clone, Copy, Debug)]
pub struct RegistryCreation;

impl Named for RegistryCreation {
    const NAME: &'static str = "CreateRegistryVersion";
}

/// Body of an update, as the domain describes it.
#[derive(Clone, Copy, Debug)]
pub struct RegistryChange;

impl Named for RegistryChange {
    const NAME: &'static str = "UpdateRegistryVersion";
}

/// Adds the bodies' schemas to the framework's document, which cannot express them.
pub fn complete(document: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    for (name, description, described, example) in [
        (RegistryCreation::NAME, "A registry version to be created.", Described::Creation, creation_example()),
        (
            RegistryChange::NAME,
            "Changes to a registry version: absent members stay unchanged, `null` removes a member, maps are merged by \
             key.",
            Described::Update,
            json!({ "title": "Microsoft Teams", "actions": { "sendMessage": null }, "visibility": "public" }),
        ),
    ] {
        let mut schema = describe(described);
        schema["description"] = description.into();
        schema["example"] = example;
        document["components"]["schemas"][name] = schema;
    }
    document.to_string()
}

fn creation_example() -> Value {
    json!({
        "name": "acme/teams",
        "version": "1.2.0",
        "title": "Teams",
        "configuration": { "schema": { "type": "object", "properties": { "tenant": { "type": "string" } } } },
        "actions": { "sendMessage": { "title": "Send a message", "input": { "schema": {} }, "output": { "schema": {} } } },
        "secrets": { "API_KEY": "s3cret" },
        "url": "https://teams.example/hook",
        "visibility": "private",
    })
}

/// Organisation that owns a version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryOwner")]
pub struct OwnerOut {
    /// Id of the organisation.
    pub id: Uuid,
    /// Slug of the organisation, the handle in the names of its integrations.
    pub slug: String,
    /// Display name of the organisation.
    pub name: String,
}

impl From<Organisation> for OwnerOut {
    fn from(owner: Organisation) -> Self {
        Self { id: owner.id.0, slug: owner.slug.as_str().to_owned(), name: owner.name }
    }
}

/// A version of an integration in the registry.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryVersion", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RegistryVersionOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the integration, such as `acme/teams`.
    pub name: String,
    /// Version of the integration.
    pub version: String,
    /// Display title.
    pub title: String,
    /// Description of the integration.
    pub description: String,
    /// Organisation that owns it.
    pub organisation: OwnerOut,
    /// Visibility to other organisations.
    pub visibility: Word<Visibility>,
    /// Verification status.
    pub verification_status: Word<Verification>,
    /// Lifecycle status: a deprecated version cannot be installed.
    pub lifecycle_status: Word<Lifecycle>,
    /// True for a version under development.
    pub dev: bool,
    /// Address of the icon.
    pub icon_url: Option<String>,
    /// Address of the readme.
    pub readme_url: Option<String>,
    /// Number of installations of the integration.
    pub install_count: i64,
    /// Number of views of the integration.
    pub view_count: i64,
    /// Names of its secrets; only in the organisation that owns it.
    pub secret_names: Option<Vec<String>>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl RegistryVersionOut {
    /// Makes the representation for a caller.
    pub fn of(base: &Base, caller: &Caller, Listed { version, workspace, .. }: Listed) -> Self {
        let is_own = version.organisation_id == caller.organisation_id;
        Self::shown(base, version, workspace, is_own)
    }

    /// Makes the representation for an operator.
    pub fn for_operator(base: &Base, Listed { version, workspace, .. }: Listed) -> Self {
        Self::shown(base, version, workspace, false)
    }

    fn shown(base: &Base, version: RegistryVersion, owner: Organisation, is_own: bool) -> Self {
        let public_url = base.public_url().as_str().trim_end_matches('/');
        let file = |folder: &str, key: Option<String>, ending: &str| {
            key.map(|key| format!("{public_url}/v1/admin/{folder}/{key}.{ending}"))
        };
        Self {
            id: version.id.0,
            name: version.name,
            version: version.version.to_string(),
            title: version.title,
            description: version.description,
            organisation: owner.into(),
            visibility: Word(version.visibility),
            verification_status: Word(version.verification),
            lifecycle_status: Word(version.lifecycle),
            dev: version.dev,
            icon_url: file("icons", version.icon_key, "svg"),
            readme_url: file("readmes", version.readme_key, "md"),
            install_count: version.installs,
            view_count: version.views,
            secret_names: Some(version.secret_names).filter(|_| is_own),
            created_at: version.created_at.into(),
            updated_at: version.updated_at.into(),
        }
    }
}

/// Members of a part of a definition, by name.
type Part = BTreeMap<String, Any<Value>>;

/// Definition of a version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryDefinition", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct DefinitionOut {
    /// Address at which the integration is called; only in the organisation that owns it.
    pub url: Option<String>,
    /// Maximum duration of a call, in seconds.
    pub max_execution_time: Option<u32>,
    /// Identification of an installation.
    pub identifier: Part,
    /// Configuration of an installation, with its JSON schema.
    pub configuration: Part,
    /// Alternative configurations.
    pub configurations: Part,
    /// Channels, with their messages.
    pub channels: Part,
    /// States that it keeps.
    pub states: Part,
    /// Events that it emits.
    pub events: Part,
    /// Actions, each with the JSON schemas of its input and output.
    pub actions: Part,
    /// Users that it knows.
    pub user: Part,
    /// Entities.
    pub entities: Part,
    /// Interfaces that it implements.
    pub interfaces: Part,
    /// Attributes.
    pub attributes: Part,
}

fn part(members: Map<String, Value>) -> Part {
    members.into_iter().map(|(name, value)| (name, Any(value))).collect()
}

impl From<Definition> for DefinitionOut {
    fn from(definition: Definition) -> Self {
        Self {
            url: definition.url,
            max_execution_time: definition.max_execution_time_secs,
            identifier: part(definition.identifier),
            configuration: part(definition.configuration),
            configurations: part(definition.configurations),
            channels: part(definition.channels),
            states: part(definition.states),
            events: part(definition.events),
            actions: part(definition.actions),
            user: part(definition.user),
            entities: part(definition.entities),
            interfaces: part(definition.interfaces),
            attributes: part(definition.attributes),
        }
    }
}

impl Example for DefinitionOut {
    fn example() -> Self {
        let nothing = Part::new;
        Self {
            url: Some("https://teams.example/hook".into()),
            max_execution_time: None,
            identifier: nothing(),
            configuration: nothing(),
            configurations: nothing(),
            channels: nothing(),
            states: nothing(),
            events: nothing(),
            actions: [("sendMessage".to_owned(), Any(json!({"title": "Send a message"})))].into(),
            user: nothing(),
            entities: nothing(),
            interfaces: nothing(),
            attributes: nothing(),
        }
    }
}

/// A version with its definition.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryVersionDetail", rename_all = "camelCase")]
pub struct RegistryVersionDetailOut {
    /// The version.
    #[oai(flatten)]
    pub version: RegistryVersionOut,
    /// Its definition.
    pub definition: DefinitionOut,
}

impl RegistryVersionDetailOut {
    /// Makes the representation for a caller.
    pub fn of(base: &Base, caller: &Caller, found: Registered) -> Self {
        let Registered { version, mut definition, workspace, in_public, .. } = found;
        definition.url = definition.url.filter(|_| !in_public);
        let is_own = version.organisation_id == caller.organisation_id;
        Self { version: RegistryVersionOut::shown(base, version, workspace, is_own), definition: definition.into() }
    }
}

/// A new version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryVersionCreated", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RegistryVersionCreatedOut {
    /// The version.
    #[oai(flatten)]
    pub version: RegistryVersionDetailOut,
    /// Secret that signs its calls. It is returned only here.
    pub signing_secret: Option<String>,
}

impl RegistryVersionCreatedOut {
    /// Makes the representation for a caller.
    pub fn of(base: &Base, caller: &Caller, mut created: Registered) -> Self {
        let signing_secret = created.signing_secret.take().map(|secret| secret.expose().to_owned());
        Self { version: RegistryVersionDetailOut::of(base, caller, created), signing_secret }
    }
}
