//! Apps of an organisation, with their settings and signing secrets.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    api::shared::{
        setting_value::SettingValue,
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    app::{
        apps::{installed::AppChange, settings::SettingRow},
        registry::{AppSource, CreateApp, WantedVersion},
    },
    domain::{
        Error, Result,
        apps::{
            app::{App, RegistryReference},
            descriptor::{Descriptor, SettingSpec},
        },
        error::Violation,
        secret::Secret,
    },
};

/// Origin of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The descriptor at an address.
    Descriptor,
    /// A version in the registry.
    Registry,
}

impl Vocabulary for Origin {
    const NAME: &'static str = "AppOrigin";
    const DESCRIPTION: &'static str =
        "Origin of an app: descriptor (the JSON document at `descriptorUrl`) or registry (`registryVersion`).";

    fn words() -> Vec<(&'static str, Self)> {
        [Origin::Descriptor, Origin::Registry].map(|origin| (origin.word(), origin)).into()
    }

    fn word(self) -> &'static str {
        match self {
            Origin::Descriptor => "descriptor",
            Origin::Registry => "registry",
        }
    }
}

/// Registry version from which an app was installed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AppRegistryVersion")]
pub struct AppVersionOut {
    /// Id of the version.
    pub id: Uuid,
    /// Name of the integration in the registry.
    pub name: String,
    /// Version of the integration.
    pub version: String,
}

impl From<RegistryReference> for AppVersionOut {
    fn from(RegistryReference { registry_id: id, name, version }: RegistryReference) -> Self {
        Self { id, name, version }
    }
}

/// A setting that an app declares.
#[derive(Clone, Debug, Object)]
#[oai(rename = "AppSetting", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AppSettingOut {
    /// Label, by which the setting is identified.
    pub label: String,
    /// Type of the value.
    pub kind: String,
    /// True if the value must not be empty.
    pub required: bool,
    /// True if the value is masked for callers without the permission `secrets:read`.
    pub secret: bool,
    /// Purpose of the setting.
    pub description: Option<String>,
    /// Allowed values; if empty, any value is allowed.
    pub options: Vec<String>,
    /// Value until one is set. The default of a secret is not shown.
    pub default: Option<Any<Value>>,
}

impl From<&SettingSpec> for AppSettingOut {
    fn from(spec: &SettingSpec) -> Self {
        let default = Some(spec.default.clone()).filter(|default| !spec.secret && !default.is_null());
        Self {
            label: spec.label.clone(),
            kind: spec.kind.as_str().to_owned(),
            required: spec.required,
            secret: spec.secret,
            description: spec.description.clone(),
            options: spec.options.clone(),
            default: default.map(Any),
        }
    }
}

/// An installed app.
#[derive(Clone, Debug, Object)]
#[oai(rename = "App", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AppOut {
    /// Unique id.
    pub id: Uuid,
    /// Display name in the organisation.
    pub name: String,
    /// Origin of the app.
    pub origin: Word<Origin>,
    /// Kind of the app: `modifier`, `filter`, `interval` or `output`; empty until it is known. More kinds may be added.
    pub kind: String,
    /// Address of the descriptor, for the origin `descriptor`.
    pub descriptor_url: Option<String>,
    /// Registry version, for the origin `registry`.
    pub registry_version: Option<AppVersionOut>,
    /// Title in the descriptor; absent until a descriptor could be read.
    pub title: Option<String>,
    /// Description in the descriptor.
    pub description: Option<String>,
    /// Address of the logo.
    pub logo_url: Option<String>,
    /// Address of the app's page.
    pub page_url: Option<String>,
    /// Address at which the app receives messages.
    pub target_url: Option<String>,
    /// Address at which the app is called on schedule.
    pub tick_url: Option<String>,
    /// True for an app that is connected by OAuth: `createAppAuthorisation` returns the page to which a member's browser is
    /// sent.
    pub is_oauth: bool,
    /// True if the app is active; an app that is not is called in no channel.
    pub active: bool,
    /// Settings that the app declares. Their values have an operation of their own.
    pub declared_settings: Vec<AppSettingOut>,
    /// Time of installation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<App> for AppOut {
    fn from(app: App) -> Self {
        let descriptor = app.descriptor.as_ref();
        let of = |text: fn(&Descriptor) -> &Option<String>| descriptor.and_then(|read| text(read).clone());
        let is_registered = app.registry.is_some();
        Self {
            id: app.id.0,
            origin: Word(if is_registered { Origin::Registry } else { Origin::Descriptor }),
            kind: app.kind().as_str().to_owned(),
            title: descriptor.map(|read| read.app_name.clone()),
            description: of(|read| &read.app_description),
            logo_url: of(|read| &read.app_logo),
            page_url: of(|read| &read.app_url),
            target_url: of(|read| &read.target_url),
            tick_url: of(|read| &read.tick_url),
            is_oauth: descriptor.is_some_and(|read| read.authorisation.initiate_url.is_some()),
            active: app.active,
            declared_settings: descriptor.into_iter().flat_map(|read| &read.settings).map(Into::into).collect(),
            created_at: app.created_at.into(),
            updated_at: app.updated_at.into(),
            name: app.name,
            descriptor_url: Some(app.json_url).filter(|_| !is_registered),
            registry_version: app.registry.map(Into::into),
        }
    }
}

/// Registry version to be installed: named by its id, or by the name of the integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryVersionReference", skip_serializing_if_is_none)]
pub struct VersionIn {
    /// Id of the version.
    pub id: Option<Uuid>,
    /// Name of the integration, with the handle of its organisation.
    pub name: Option<String>,
    /// A version, a range of versions or `latest`; `latest` by default.
    pub version: Option<String>,
}

impl VersionIn {
    fn wanted(self) -> Result<WantedVersion> {
        match (self.id, self.name, self.version) {
            (Some(id), None, None) => Ok(WantedVersion::Id(id.to_string())),
            (None, Some(name), version) => {
                Ok(WantedVersion::Named { name, version: version.unwrap_or_else(|| "latest".into()) })
            }
            _ => Err(Error::invalid("/registryVersion", "must have either an id, or a name and perhaps a version")),
        }
    }
}

/// An app to be installed, with either `descriptorUrl` or `registryVersion`.
#[derive(Clone, Object)]
#[oai(rename = "CreateApp", rename_all = "camelCase", example, skip_serializing_if_is_none)]
pub struct AppIn {
    /// Address of a descriptor, which must be valid.
    pub descriptor_url: Option<String>,
    /// Version in the registry.
    pub registry_version: Option<VersionIn>,
    /// Display name; by default that in the descriptor or in the registry.
    pub name: Option<String>,
    /// Credential that is kept, encrypted, for the app. It is never returned.
    pub credential: Option<String>,
}

impl AppIn {
    /// Converts the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it has no source, or two.
    pub fn into_app(self) -> Result<CreateApp> {
        let source = match (self.descriptor_url, self.registry_version) {
            (Some(url), None) => AppSource::Descriptor(url),
            (None, Some(version)) => AppSource::Version(version.wanted()?),
            _ => return Err(Error::invalid("/descriptorUrl", "must be given, or else registryVersion, and not both")),
        };
        Ok(CreateApp { source, name: self.name, credential: self.credential.map(Secret::new) })
    }
}

impl Example for AppIn {
    fn example() -> Self {
        let version = VersionIn { id: None, name: Some("acme/teams".into()), version: Some("^1".into()) };
        Self { descriptor_url: None, registry_version: Some(version), name: Some("Teams".into()), credential: None }
    }
}

/// Changes to an app; absent members stay unchanged.
#[derive(Clone, Object)]
#[oai(rename = "UpdateApp", rename_all = "camelCase", example, skip_serializing_if_is_none)]
pub struct AppPatch {
    /// Display name.
    pub name: Option<String>,
    /// Address of the descriptor, which must be valid; refused for an app from the registry.
    pub descriptor_url: Option<String>,
    /// Credential that is kept, encrypted, for the app.
    pub credential: Option<String>,
    /// True to activate the app, false to deactivate it in every channel.
    pub active: Option<bool>,
}

impl From<AppPatch> for AppChange {
    fn from(patch: AppPatch) -> Self {
        let AppPatch { name, descriptor_url, credential, active } = patch;
        Self { name, descriptor_url, credential: credential.map(Secret::new), active }
    }
}

impl Example for AppPatch {
    fn example() -> Self {
        Self { name: None, descriptor_url: None, credential: None, active: Some(false) }
    }
}

/// Names the members of these schemas in the violations of an app.
pub fn in_app_members(error: Error) -> Error {
    let renamed = |violation: Violation| {
        let field = match violation.field.as_str() {
            "/json_url" => "/descriptorUrl".to_owned(),
            "/auth_credential" => "/credential".to_owned(),
            "/url" | "version" => "/registryVersion".to_owned(),
            _ => violation.field,
        };
        Violation { field, message: violation.message }
    };
    match error {
        Error::Invalid(violations) => Error::Invalid(violations.into_iter().map(renamed).collect()),
        other => other,
    }
}

/// Values of an app's settings for the organisation.
#[derive(Clone, Object)]
#[oai(rename = "AppSettings", example)]
pub struct AppSettings {
    /// Values by label.
    #[oai(validator(max_properties = 200))]
    pub settings: BTreeMap<String, SettingValue>,
}

impl AppSettings {
    /// Returns the values by label.
    pub fn values(self) -> BTreeMap<String, Value> {
        values(self.settings)
    }
}

impl From<Vec<SettingRow>> for AppSettings {
    fn from(rows: Vec<SettingRow>) -> Self {
        Self { settings: by_label(rows) }
    }
}

impl Example for AppSettings {
    fn example() -> Self {
        let setting = |label: &str, value: Value| (label.to_owned(), SettingValue(value));
        Self { settings: [setting("interval", "0 9 * * *".into()), setting("city", "Lagos".into())].into() }
    }
}

/// Returns the plain values of settings.
pub(super) fn values(settings: BTreeMap<String, SettingValue>) -> BTreeMap<String, Value> {
    settings.into_iter().map(|(label, SettingValue(value))| (label, value)).collect()
}

/// Returns the values of settings by label. Of two with one label the later one counts.
pub(super) fn by_label(rows: Vec<SettingRow>) -> BTreeMap<String, SettingValue> {
    rows.into_iter().map(|row| (row.label, SettingValue(row.value))).collect()
}

/// A begun authorisation of an app.
#[derive(Clone, Object)]
#[oai(rename = "AppAuthorisation", example)]
pub struct AppAuthorisationOut {
    /// Page of the app to which the member's browser is sent. Its query has an API key of the app as `api_key`, and the ids
    /// of the organisation and the app as `org_id` and `integration_id`.
    pub url: String,
}

impl From<Secret> for AppAuthorisationOut {
    fn from(url: Secret) -> Self {
        Self { url: url.expose().to_owned() }
    }
}

impl Example for AppAuthorisationOut {
    fn example() -> Self {
        Self { url: "https://agent.example/oauth/begin?api_key=tlx_…&org_id=…&integration_id=…".into() }
    }
}

/// Secret that signs the calls of an app or an outgoing webhook.
#[derive(Clone, Object)]
#[oai(rename = "SigningSecret", example)]
pub struct SigningSecretOut {
    /// `whsec_` and the base64 of the key.
    pub secret: String,
}

impl From<Secret> for SigningSecretOut {
    fn from(secret: Secret) -> Self {
        Self { secret: secret.expose().to_owned() }
    }
}

impl Example for SigningSecretOut {
    fn example() -> Self {
        Self { secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into() }
    }
}
