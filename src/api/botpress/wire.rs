//! The shapes of the Botpress dialect. A version in full is in `wire/integration.rs`.

pub mod integration;

use chrono::SecondsFormat;
use poem_openapi::{Object, types::Example};

use super::shapes::{Own, Public, Shaped};
use crate::{
    api::shared::{
        time::Timestamp,
        word::{Vocabulary, Word},
    },
    app::{
        App,
        registry::{ApiKey, HandleAvailability, Listed, ListedPage, LogLine, Workspace as Known},
    },
    domain::{
        ambient::Time,
        definition::Visibility,
        organisation::Organisation,
        registry::{Lifecycle, MatchedOn, PublicId, SortBy, Verification},
        secret::Secret,
    },
};

/// A time as JSON that is put together by hand.
pub fn timestamp(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Where a file is; empty where there is none.
pub fn address(app: &App, folder: &str, key: Option<&str>, ending: &str) -> String {
    let base = app.public_url().as_str().trim_end_matches('/');
    key.map(|key| format!("{base}/v1/admin/{folder}/{key}.{ending}")).unwrap_or_default()
}

macro_rules! vocabulary {
    ($type:ty, $name:literal, $description:literal, $all:expr) => {
        impl Vocabulary for $type {
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;

            fn words() -> Vec<(&'static str, Self)> {
                $all.into_iter().map(|one| (one.as_str(), one)).collect()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

vocabulary!(
    Visibility,
    "Visibility",
    "Who may see a version.",
    [Visibility::Public, Visibility::Private, Visibility::Unlisted]
);
vocabulary!(Verification, "VerificationStatus", "Whether somebody has looked at a version.", Verification::ALL);
vocabulary!(Lifecycle, "LifecycleStatus", "Whether a version can be installed.", Lifecycle::ALL);
vocabulary!(SortBy, "SortBy", "By what a list is sorted.", SortBy::ALL);

/// Which come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The lowest.
    Asc,
    /// The highest.
    Desc,
}

impl Vocabulary for Direction {
    const NAME: &'static str = "Direction";
    const DESCRIPTION: &'static str = "Which come first.";

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

/// An answer that says nothing more.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Nothing")]
pub struct Nothing {}

/// One's own version.
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

/// Where a list goes on.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "ListMeta", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct MetaOut {
    /// To be sent for the next page; absent on the last one.
    pub next_token: Option<String>,
}

/// Whose a version is.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OwnerWorkspace")]
pub struct OwnerOut {
    /// The workspace's id.
    pub id: String,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
}

/// Where the text that was looked for was found.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MatchedOn")]
pub struct MatchedOut {
    /// In the name.
    pub name: bool,
    /// In the title.
    pub title: bool,
    /// In the description.
    pub description: bool,
    /// In the names or titles of these actions.
    pub actions: Vec<String>,
    /// In the names of these interfaces.
    pub interfaces: Vec<String>,
}

/// A version in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationSummary", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct SummaryOut {
    /// The id of this version.
    pub id: String,
    /// The name of the integration.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Where the icon is; empty where there is none.
    pub icon_url: String,
    /// Whether it is on the hub.
    pub public: bool,
    /// Who may see it.
    pub visibility: Word<Visibility>,
    /// Whether somebody has looked at it.
    pub verification_status: Word<Verification>,
    /// Whether it can be installed.
    pub lifecycle_status: Word<Lifecycle>,
    /// Where the text was found, where one was looked for.
    pub matched_on: Option<MatchedOut>,
    /// Whose it is.
    pub owner_workspace: OwnerOut,
}

/// How often an integration is installed, and was looked at.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationMeta")]
pub struct CountsOut {
    /// How often it is installed.
    pub installs: i64,
    /// How often it was looked at.
    pub views: i64,
}

/// A published version in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PublicIntegrationSummary", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct PublicSummaryOut {
    /// What every list tells of it.
    #[oai(flatten)]
    pub summary: SummaryOut,
    /// How often the integration is installed, and was looked at.
    pub meta: CountsOut,
}

/// A part of a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationList")]
pub struct ListOut {
    /// The versions.
    pub integrations: Vec<SummaryOut>,
    /// Where the list goes on.
    pub meta: MetaOut,
}

/// A part of the list of what is published.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PublicIntegrationList")]
pub struct PublicListOut {
    /// The versions.
    pub integrations: Vec<PublicSummaryOut>,
    /// Where the list goes on.
    pub meta: MetaOut,
}

fn owner(organisation: &Organisation) -> OwnerOut {
    OwnerOut {
        id: workspace_id(organisation),
        handle: organisation.slug.as_str().to_owned(),
        name: organisation.name.clone(),
    }
}

fn workspace_id(organisation: &Organisation) -> String {
    PublicId { prefix: PublicId::WORKSPACE, id: organisation.id.0 }.to_string()
}

fn summary(app: &App, listed: Listed) -> SummaryOut {
    let Listed { bot, workspace, matched_on } = listed;
    let matched = |on: MatchedOn| MatchedOut {
        name: on.name,
        title: on.title,
        description: on.description,
        actions: on.actions,
        interfaces: on.interfaces,
    };
    SummaryOut {
        id: PublicId { prefix: PublicId::VERSION, id: bot.id.0 }.to_string(),
        version: bot.version.to_string(),
        created_at: bot.created_at.into(),
        updated_at: bot.updated_at.into(),
        title: bot.title,
        description: bot.description,
        icon_url: address(app, "icons", bot.icon_key.as_deref(), "svg"),
        public: bot.visibility == Visibility::Public,
        visibility: Word(bot.visibility),
        verification_status: Word(bot.verification),
        lifecycle_status: Word(bot.lifecycle),
        matched_on: matched_on.map(matched),
        owner_workspace: owner(&workspace),
        name: bot.name,
    }
}

impl ListOut {
    /// Of one's own.
    pub fn of(app: &App, page: ListedPage) -> Self {
        let integrations = page.items.into_iter().map(|listed| summary(app, listed)).collect();
        Self { integrations, meta: MetaOut { next_token: page.next_token } }
    }
}

impl PublicListOut {
    /// Of what is published.
    pub fn of(app: &App, page: ListedPage) -> Self {
        let one = |listed: Listed| {
            let meta = CountsOut { installs: listed.bot.installs, views: listed.bot.views };
            PublicSummaryOut { summary: summary(app, listed), meta }
        };
        let meta = MetaOut { next_token: page.next_token };
        Self { integrations: page.items.into_iter().map(one).collect(), meta }
    }
}

/// Which version is meant.
#[derive(Clone, Debug, Object)]
#[oai(rename = "VerificationRequest", rename_all = "camelCase", example)]
pub struct VerifyIn {
    /// The id of the version.
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
    /// When.
    pub timestamp: Timestamp,
    /// How grave.
    pub level: String,
    /// What happened.
    pub message: String,
}

/// A version's log.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Logs")]
pub struct LogsOut {
    /// The lines.
    pub logs: Vec<LogOut>,
}

impl From<Vec<LogLine>> for LogsOut {
    fn from(lines: Vec<LogLine>) -> Self {
        let line =
            |line: LogLine| LogOut { timestamp: line.at.into(), level: line.level.into(), message: line.message };
        Self { logs: lines.into_iter().map(line).collect() }
    }
}

/// A new signing secret.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SigningSecret", rename_all = "camelCase")]
pub struct RotatedOut {
    /// What signs the calls from now on. It is told once; the former one is good for another day.
    pub new_signing_secret: String,
}

/// A key without its text.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationApiKey", rename_all = "camelCase")]
pub struct KeyOut {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What somebody noted about it.
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
    /// The id of the version.
    pub integration_id: String,
    /// What to note about it, for people.
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
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What was noted about it.
    pub note: String,
    /// Its text. It is told once.
    pub value: String,
}

impl From<(ApiKey, Secret)> for CreatedKeyOut {
    fn from((key, text): (ApiKey, Secret)) -> Self {
        let KeyOut { id, created_at, note } = key.into();
        Self { id, created_at, note, value: text.expose().to_owned() }
    }
}

mod workspace;

pub use workspace::{BotsOut, HandleIn, HandleOut, WorkspaceIn, WorkspaceOut, WorkspacesOut};

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
