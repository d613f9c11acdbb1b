//! Definitions: the content of a registry version, and the effect of an update on it.
//!
//! The allowed shape of a body is a table (`definition/shape.rs`); `check.rs` lists all that is wrong with one,
//! `merge.rs` computes the result, `breaking.rs` compares it with the former version for dependents. Not here: rules
//! across the versions of an integration (`judge`).

mod breaking;
mod check;
mod compat;
mod configuration;
mod describe;
mod descriptor;
mod evaluable;
mod file;
mod implements;
mod issue;
mod json_schema;
mod kind;
mod merge;
mod names;
mod outcome;
mod search;
mod shape;
mod version;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(in crate::domain::registry) use self::configuration::is_secret;
pub use self::{
    breaking::breaking_changes,
    check::{MAX_CODE, MAX_EXECUTION_SECS, MAX_SECRET, MAX_URL},
    configuration::Configuration,
    describe::{Described, describe},
    descriptor::descriptor,
    evaluable::Evaluable,
    file::{MAX_ICON, MAX_README},
    implements::Effort,
    issue::{Issue, IssueKind, MAX_ISSUES, Rule},
    json_schema::{MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH},
    kind::DefinitionKind,
    names::{DefinitionName, MAX_HANDLE, MAX_NAME, handle},
    search::{Matched, Searched, search, titled_actions},
    shape::{
        MAX_CHANNELS, MAX_ENTRIES, MAX_EVENTS, MAX_INTERFACES, MAX_LAYERS, MAX_MESSAGES, MAX_SECRETS, MAX_STATES,
        MAX_TAGS,
    },
    version::{MAX_VERSION, Version, VersionQuery, VersionRange},
};
use self::{
    check::{Mode, Walk, weight, whole_seconds},
    issue::{Issues, Location},
    shape::{ASIDE, Shape},
};
use crate::domain::secret::Secret;

/// Maximum size of a definition, in bytes of JSON: without code, icon, readme and secrets.
pub const MAX_DEFINITION: usize = 5 * 1_048_576;

/// Maximum length of a title, in characters.
const MAX_TITLE: usize = 64;

/// Visibility of a version: to whom it is shown, and who may install it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Visible only to the publishing workspace.
    #[default]
    Private,
    /// Visible to everybody, and listed.
    Public,
    /// Available to everybody by its name, but not listed.
    Unlisted,
}

impl Visibility {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Public => "public",
            Visibility::Unlisted => "unlisted",
        }
    }

    /// Returns the visibility with a name.
    pub fn named(name: &str) -> Option<Self> {
        [Visibility::Private, Visibility::Public, Visibility::Unlisted].into_iter().find(|one| one.as_str() == name)
    }

    /// Returns true if other workspaces may rely on it, so that it is immutable.
    pub fn is_published(self) -> bool {
        self != Visibility::Private
    }

    /// Returns the visibility in a body, or the former one if the body has none. `visibility` takes precedence over
    /// `public`. `public: false` does not distinguish private from unlisted.
    fn given(self, body: &Map<String, Value>) -> Self {
        let named = body.get("visibility").and_then(Value::as_str).and_then(Visibility::named);
        named.unwrap_or(match (body.get("public").and_then(Value::as_bool), self) {
            (Some(true), _) => Visibility::Public,
            (Some(false), Visibility::Public) => Visibility::Private,
            (_, former) => former,
        })
    }
}

/// Content of a registry version, with the defaults filled in. The contents of the maps have been checked, and have the
/// shapes that the product answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// Kind. An interface has entities, actions, events and channels, and a name template; the rest is empty.
    #[serde(default, skip_serializing_if = "DefinitionKind::is_integration")]
    pub kind: DefinitionKind,
    /// Its name.
    pub name: DefinitionName,
    /// Its version.
    pub version: Version,
    /// True if it is under development, and runs at its author's.
    pub dev: bool,
    /// Visibility to other workspaces.
    pub visibility: Visibility,
    /// Display title: 1 to 64 characters. By default the name.
    pub title: String,
    /// Description; may be empty.
    pub description: String,
    /// URL at which it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The configuration set by a user: `{title?, description?, schema, identifier: {required, linkTemplateScript?}}`.
    pub configuration: Map<String, Value>,
    /// Further configurations, by their names.
    pub configurations: Map<String, Value>,
    /// `{title?, description?, messages: {…: {schema}}, conversation: {tags, creation}, message: {tags}}` by names.
    pub channels: Map<String, Value>,
    /// `{type, schema}` by names.
    pub states: Map<String, Value>,
    /// `{title?, description?, schema, attributes?}` by names.
    pub events: Map<String, Value>,
    /// `{title?, description?, billable?, cacheable?, input: {schema}, output: {schema}, attributes?}` by names.
    pub actions: Map<String, Value>,
    /// `{tags, creation}`.
    pub user: Map<String, Value>,
    /// `{title?, description?, schema}` by names.
    pub entities: Map<String, Value>,
    /// `{id, name, version, entities, actions, events, channels}` by aliases.
    pub interfaces: Map<String, Value>,
    /// `{script, language}` of an interface; empty if it has none.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub name_template: Map<String, Value>,
    /// `{extractScript?, fallbackHandlerScript?}`.
    pub identifier: Map<String, Value>,
    /// Free texts by names.
    pub attributes: Map<String, Value>,
    /// `{enabled}` by the names of operations.
    pub extra_operations: Map<String, Value>,
    /// Names of layers.
    pub layers: Vec<String>,
    /// Version of the SDK that it was built with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk_version: Option<String>,
    /// Maximum execution time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_execution_time_secs: Option<u32>,
}

impl Definition {
    /// An empty definition, before a body is merged into it.
    fn blank(kind: DefinitionKind, name: DefinitionName, version: Version, dev: bool) -> Self {
        Self {
            kind,
            title: name.as_str().chars().take(MAX_TITLE).collect(),
            name,
            version,
            dev,
            visibility: Visibility::Private,
            description: String::new(),
            url: None,
            configuration: Map::new(),
            configurations: Map::new(),
            channels: Map::new(),
            states: Map::new(),
            events: Map::new(),
            actions: Map::new(),
            user: Map::new(),
            entities: Map::new(),
            interfaces: Map::new(),
            name_template: Map::new(),
            identifier: Map::new(),
            attributes: Map::new(),
            extra_operations: Map::new(),
            layers: Vec::new(),
            sdk_version: None,
            max_execution_time_secs: None,
        }
    }

    /// Returns the part that an update can change, with the names of the table.
    fn into_content(self) -> Map<String, Value> {
        let layers = self.layers.into_iter().map(Value::String).collect();
        let optional = [
            ("url", self.url.map(Value::String)),
            ("sdkVersion", self.sdk_version.map(Value::String)),
            ("maxExecutionTime", self.max_execution_time_secs.map(Value::from)),
        ];
        let maps = [
            ("configuration", self.configuration),
            ("configurations", self.configurations),
            ("states", self.states),
            ("events", self.events),
            ("actions", self.actions),
            ("entities", self.entities),
            ("channels", self.channels),
            ("user", self.user),
            ("interfaces", self.interfaces),
            ("nameTemplate", self.name_template),
            ("identifier", self.identifier),
            ("attributes", self.attributes),
            ("extraOperations", self.extra_operations),
        ];
        let texts = [("title", self.title), ("description", self.description)];
        let texts = texts.into_iter().map(|(name, text)| (name, Value::String(text)));
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let maps = maps.into_iter().map(|(name, map)| (name, Value::Object(map)));
        let all = texts.chain(optional).chain(maps).chain([("layers", Value::Array(layers))]);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Returns this version with another content.
    fn with_content(&self, mut content: Map<String, Value>) -> Self {
        let mut map = |name: &str| match content.get_mut(name).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let (configuration, configurations) = (map("configuration"), map("configurations"));
        let (states, events, actions) = (map("states"), map("events"), map("actions"));
        let (entities, channels, user) = (map("entities"), map("channels"), map("user"));
        let (interfaces, name_template, identifier) = (map("interfaces"), map("nameTemplate"), map("identifier"));
        let (attributes, extra_operations) = (map("attributes"), map("extraOperations"));
        let text = |name: &str| content.get(name).and_then(Value::as_str).map(str::to_owned);
        let layers = content.get("layers").and_then(Value::as_array).into_iter().flatten();
        Self {
            kind: self.kind,
            name: self.name.clone(),
            version: self.version.clone(),
            dev: self.dev,
            visibility: self.visibility,
            title: text("title").unwrap_or_default(),
            description: text("description").unwrap_or_default(),
            url: text("url"),
            configuration,
            configurations,
            channels,
            states,
            events,
            actions,
            user,
            entities,
            interfaces,
            name_template,
            identifier,
            attributes,
            extra_operations,
            layers: layers.filter_map(Value::as_str).map(str::to_owned).collect(),
            sdk_version: text("sdkVersion"),
            max_execution_time_secs: content.get("maxExecutionTime").and_then(whole_seconds),
        }
    }
}

/// Files and secrets beside a definition. They are kept apart because they are large or secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Enclosures {
    /// JavaScript. `None` if absent from the body, as for all of these.
    pub code: Option<String>,
    /// The SVG itself.
    pub icon: Option<Vec<u8>>,
    /// Markdown.
    pub readme: Option<String>,
    /// The secrets in the body. `None` removes one, or keeps it from being copied from a former version.
    pub secrets: BTreeMap<String, Option<Secret>>,
}

/// Prints the sizes, and nothing of the content.
impl fmt::Debug for Enclosures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enclosures")
            .field("code", &self.code.as_ref().map(String::len))
            .field("icon", &self.icon.as_ref().map(Vec::len))
            .field("readme", &self.readme.as_ref().map(String::len))
            .field("secrets", &self.secrets)
            .finish()
    }
}

/// Validates the body of a creation.
///
/// # Errors
/// All issues, in the order of the document.
pub fn check_create(kind: DefinitionKind, body: &Value) -> Result<(Definition, Enclosures), Vec<Issue>> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let name = text("name").and_then(DefinitionName::parse).unwrap_or_else(DefinitionName::unknown);
    let version = text("version").and_then(Version::parse).unwrap_or_else(Version::unknown);
    let dev = body.get("dev").and_then(Value::as_bool).unwrap_or_default();
    check(Mode::Create, &Definition::blank(kind, name, version, dev), body)
}

/// Validates the body of an update, and applies it to the former definition: `null` removes, an absent member stays,
/// and maps merge by their keys.
///
/// # Errors
/// All issues of the body, in the order of the document, and then those of the result elsewhere.
pub fn check_update(former: &Definition, body: &Value) -> Result<(Definition, Enclosures), Vec<Issue>> {
    check(Mode::Update, former, body)
}

fn check(mode: Mode, former: &Definition, body: &Value) -> Result<(Definition, Enclosures), Vec<Issue>> {
    let mut issues = Issues::default();
    let mut enclosures = Enclosures::default();
    let Some(object) = body.as_object() else {
        issues.add_found(Rule::Type, &Location::BODY, "must be object", &check::seen(body));
        return Err(issues.finish());
    };
    let shape = former.kind.body();
    if weight(object, MAX_DEFINITION, |name| is_content(shape, name)) > MAX_DEFINITION {
        outcome::too_large(&mut issues);
        return Err(issues.finish());
    }
    let names_entities = former.kind == DefinitionKind::Interface;
    let mut walk = Walk { mode, names_entities, issues: &mut issues, enclosures: &mut enclosures };
    walk.value(shape, body, &Location::BODY);
    if issues.enough() {
        return Err(issues.finish());
    }
    let mut next = former.with_content(merge::merged(shape, former.clone().into_content(), object));
    next.visibility = former.visibility.given(object);
    outcome::check(&next, &mut issues);
    issues.sort_by_document(body);
    let issues = issues.finish();
    if !issues.is_empty() {
        return Err(issues);
    }
    let code = object.get("code").and_then(Value::as_str);
    enclosures.code = code.map(str::to_owned);
    let secrets = object.get("secrets").and_then(Value::as_object).into_iter().flatten();
    enclosures.secrets = secrets.map(|(name, value)| (name.clone(), value.as_str().map(Secret::new))).collect();
    Ok((next, enclosures))
}

/// Returns true if a member of a body counts towards the size limit.
fn is_content(shape: &Shape, name: &str) -> bool {
    let is_known = matches!(shape, Shape::Object { fields, .. } if fields.iter().any(|field| field.name == name));
    is_known && !ASIDE.contains(&name)
}

#[cfg(test)]
mod tests;
