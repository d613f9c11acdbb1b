//! Schemas of the Botpress dialect. A version in full is in `wire/integration.rs`.

mod event;
pub mod integration;
pub mod interface;
mod lists;
mod workspace;

use chrono::SecondsFormat;
use poem_openapi::{Object, types::Example};

pub use event::{EventAnswer, EventIn};
pub use lists::{ListOut, MetaOut, PublicListOut};
pub use workspace::{AccountOut, BotsOut, HandleIn, HandleOut, PluginsOut, WorkspaceIn, WorkspaceOut, WorkspacesOut};

use super::shapes::{Own, Public, Shaped};
use crate::{
    api::shared::{time::Timestamp, word::Vocabulary},
    app::{
        kernel::Base,
        registry::{ApiKey, HandleAvailability, LogLine, LogPage, Workspace as Known},
    },
    domain::{ambient::Time, registry::PublicId, secret::Secret, tenancy::organisation::Organisation},
};

/// Formats a time for JSON that is assembled manually.
pub fn timestamp(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Returns the address of a file; empty if there is no file.
pub fn address(base: &Base, folder: &str, key: Option<&str>, ending: &str) -> String {
    let base = base.public_url().as_str().trim_end_matches('/');
    key.map(|key| format!("{base}/v1/admin/{folder}/{key}.{ending}")).unwrap_or_default()
}

/// Sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

impl Vocabulary for Direction {
    const NAME: &'static str = "Direction";
    const DESCRIPTION: &'static str = "Sort direction of a list.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("asc", Direction::Asc), ("desc", Direction::Desc)]
    }

    fn word(self) -> &'static str {
        match self {
            Direction::Asc => "asc",
            Direction::Desc => "desc",
        }
    }
}

/// An answer without data.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Nothing")]
pub struct Nothing {}

/// A version of the caller's workspace.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationAnswer")]
pub struct OneOut {
    /// The version.
    pub integration: Shaped<Own>,
}

/// A published version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PublicIntegrationAnswer")]
pub struct PublicOneOut {
    /// The version.
    pub integration: Shaped<Public>,
}

fn workspace_id(organisation: &Organisation) -> String {
    PublicId { prefix: PublicId::WORKSPACE, id: organisation.id.0 }.to_string()
}

/// Version whose verification is requested.
#[derive(Clone, Debug, Object)]
#[oai(rename = "VerificationRequest", rename_all = "camelCase", example)]
pub struct VerifyIn {
    /// Id of the version.
    pub integration_id: String,
}

impl Example for VerifyIn {
    fn example() -> Self {
        Self { integration_id: "intver_01JVYWESY3BVAM5FR3XT9X813H".into() }
    }
}

/// A line of a version's log.
#[derive(Clone, Debug, Object)]
#[oai(rename = "LogLine")]
pub struct LogOut {
    /// Time of the entry.
    pub timestamp: Timestamp,
    /// Level of the entry.
    pub level: String,
    /// Text of the entry.
    pub message: String,
}

/// A version's log.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Logs", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct LogsOut {
    /// The lines, oldest first.
    pub logs: Vec<LogOut>,
    /// Token of the next page; absent on the last page.
    pub next_token: Option<String>,
}

impl From<LogPage> for LogsOut {
    fn from(page: LogPage) -> Self {
        let line =
            |line: LogLine| LogOut { timestamp: line.at.into(), level: line.level.into(), message: line.message };
        Self { logs: page.lines.into_iter().map(line).collect(), next_token: page.next_token }
    }
}

/// A new signing secret.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SigningSecret", rename_all = "camelCase")]
pub struct RotatedOut {
    /// Secret that signs calls from now on. It is returned only here; the former one stays valid for 24 hours.
    pub new_signing_secret: String,
}

/// A key without its text.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationApiKey", rename_all = "camelCase")]
pub struct KeyOut {
    /// Unique id.
    pub id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Note about the key.
    pub note: String,
}

impl From<ApiKey> for KeyOut {
    fn from(key: ApiKey) -> Self {
        let id = PublicId { prefix: PublicId::API_KEY, id: key.id.0 }.to_string();
        Self { id, created_at: key.created_at.into(), note: key.note }
    }
}

/// The keys of a version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationApiKeys")]
pub struct KeysOut {
    /// The keys, newest first.
    pub iaks: Vec<KeyOut>,
}

/// A key to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewIntegrationApiKey", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct KeyIn {
    /// Id of the version.
    pub integration_id: String,
    /// Note about the key, for users.
    #[oai(validator(max_length = 200))]
    pub note: Option<String>,
}

impl Example for KeyIn {
    fn example() -> Self {
        Self { integration_id: VerifyIn::example().integration_id, note: Some("build server".into()) }
    }
}

/// A key that was created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreatedIntegrationApiKey", rename_all = "camelCase")]
pub struct CreatedKeyOut {
    /// Unique id.
    pub id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Note about the key.
    pub note: String,
    /// Text of the key. It is returned only here.
    pub value: String,
}

impl From<(ApiKey, Secret)> for CreatedKeyOut {
    fn from((key, text): (ApiKey, Secret)) -> Self {
        let KeyOut { id, created_at, note } = key.into();
        Self { id, created_at, note, value: text.expose().to_owned() }
    }
}

impl From<Known> for WorkspaceOut {
    fn from(known: Known) -> Self {
        WorkspaceOut::of(workspace_id(&known.organisation), known)
    }
}

impl From<HandleAvailability> for HandleOut {
    fn from(found: HandleAvailability) -> Self {
        let used_by = found.used_by.map(|id| PublicId { prefix: PublicId::WORKSPACE, id: id.0 }.to_string());
        Self { available: found.available, suggestions: found.suggestions, used_by }
    }
}
