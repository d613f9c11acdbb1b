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

/// Metadata of a page.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "ListMeta", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct MetaOut {
    /// Token of the next page; absent on the last page.
    pub next_token: Option<String>,
}

/// Workspace that owns a version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OwnerWorkspace")]
pub struct OwnerOut {
    /// Id of the workspace.
    pub id: String,
    /// Handle of the workspace.
    pub handle: String,
    /// Name of the workspace.
    pub name: String,
}

/// Members in which the search text was found.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MatchedOn")]
pub struct MatchedOut {
    /// True if the name matches.
    pub name: bool,
    /// True if the title matches.
    pub title: bool,
    /// True if the description matches.
    pub description: bool,
    /// Actions with a matching name or title.
    pub actions: Vec<String>,
    /// Interfaces with a matching name.
    pub interfaces: Vec<String>,
}

/// A version in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationSummary", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct SummaryOut {
    /// Id of this version.
    pub id: String,
    /// Name of the integration.
    pub name: String,
    /// Version of the integration.
    pub version: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Display title.
    pub title: String,
    /// Description of the integration.
    pub description: String,
    /// Address of the icon; empty if there is none.
    pub icon_url: String,
    /// True if it is on the hub.
    pub public: bool,
    /// Visibility to other workspaces.
    pub visibility: Word<Visibility>,
    /// Verification status.
    pub verification_status: Word<Verification>,
    /// Lifecycle status: it decides whether the version can be installed.
    pub lifecycle_status: Word<Lifecycle>,
    /// Members in which the search text was found; absent without a search.
    pub matched_on: Option<MatchedOut>,
    /// Workspace that owns it.
    pub owner_workspace: OwnerOut,
}

/// Counts of an integration's installations and views.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationMeta")]
pub struct CountsOut {
    /// Number of installations.
    pub installs: i64,
    /// Number of views.
    pub views: i64,
}

/// A published version in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PublicIntegrationSummary", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct PublicSummaryOut {
    /// The members that every list has.
    #[oai(flatten)]
    pub summary: SummaryOut,
    /// Counts of the integration's installations and views.
    pub meta: CountsOut,
}

/// A page of a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationList")]
pub struct ListOut {
    /// The versions.
    pub integrations: Vec<SummaryOut>,
    /// Metadata of the page.
    pub meta: MetaOut,
}

/// A page of the list of published versions.
#[derive(Clone, Debug, Object)]
#[oai(rename = "PublicIntegrationList")]
pub struct PublicListOut {
    /// The versions.
    pub integrations: Vec<PublicSummaryOut>,
    /// Metadata of the page.
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
    let Listed { version, workspace, matched_on } = listed;
    let matched = |on: Matched| MatchedOut {
        name: on.name,
        title: on.title,
        description: on.description,
        actions: on.actions,
        interfaces: on.interfaces,
    };
    SummaryOut {
        id: PublicId { prefix: PublicId::VERSION, id: version.id.0 }.to_string(),
        version: version.version.to_string(),
        created_at: version.created_at.into(),
        updated_at: version.updated_at.into(),
        title: version.title,
        description: version.description,
        icon_url: address(base, "icons", version.icon_key.as_deref(), "svg"),
        public: version.visibility == Visibility::Public,
        visibility: Word(version.visibility),
        verification_status: Word(version.verification),
        lifecycle_status: Word(version.lifecycle),
        matched_on: matched_on.map(matched),
        owner_workspace: owner(&workspace),
        name: version.name,
    }
}

impl ListOut {
    /// Makes a page of the workspace's own versions.
    pub fn of(base: &Base, page: ListedPage) -> Self {
        let integrations = page.items.into_iter().map(|listed| summary(base, listed)).collect();
        Self { integrations, meta: MetaOut { next_token: page.next_token } }
    }
}

impl PublicListOut {
    /// Makes a page of published versions.
    pub fn of(base: &Base, page: ListedPage) -> Self {
        let one = |listed: Listed| {
            let meta = CountsOut { installs: listed.version.installs, views: listed.version.views };
            PublicSummaryOut { summary: summary(base, listed), meta }
        };
        let meta = MetaOut { next_token: page.next_token };
        Self { integrations: page.items.into_iter().map(one).collect(), meta }
    }
}
