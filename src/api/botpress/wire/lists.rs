//! Lists of versions.

use poem_openapi::Object;

use super::{address, workspace_id};
use crate::{
    api::shared::{time::Timestamp, word::Word},
    app::{
        kernel::Base,
        registry::{Listed, ListedPage},
    },
    domain::{
        registry::{
            Lifecycle, PublicId, Verification,
            definition::{Matched, Visibility},
        },
        tenancy::organisation::Organisation,
    },
};

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

fn summary(base: &Base, listed: Listed) -> SummaryOut {
    let Listed { bot, workspace, matched_on } = listed;
    let matched = |on: Matched| MatchedOut {
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
        icon_url: address(base, "icons", bot.icon_key.as_deref(), "svg"),
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
    pub fn of(base: &Base, page: ListedPage) -> Self {
        let integrations = page.items.into_iter().map(|listed| summary(base, listed)).collect();
        Self { integrations, meta: MetaOut { next_token: page.next_token } }
    }
}

impl PublicListOut {
    /// Of what is published.
    pub fn of(base: &Base, page: ListedPage) -> Self {
        let one = |listed: Listed| {
            let meta = CountsOut { installs: listed.bot.installs, views: listed.bot.views };
            PublicSummaryOut { summary: summary(base, listed), meta }
        };
        let meta = MetaOut { next_token: page.next_token };
        Self { integrations: page.items.into_iter().map(one).collect(), meta }
    }
}
