//! Lists of versions: a workspace's own, and those on the hub.
//!
//! Not here: single versions (`lookup`).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Registry;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ids::IntegrationId,
        registry::{
            PublicId, RegistryVersion, SortBy, Verification,
            definition::{DefinitionKind, DefinitionKind::Integration, Matched, Version, Visibility},
            public_id,
        },
        tenancy::{member::Permission, organisation::Organisation},
    },
    store::registry::{self, Scope, VersionFilter},
};

/// Default and largest number of versions on a page.
const PAGE: u32 = 20;
const LONGEST_PAGE: u32 = 100;

/// Filters, order and page of a list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Token of the page, from the preceding one.
    pub next_token: Option<String>,
    /// Largest number of versions; capped at a page.
    pub limit: Option<u32>,
    /// Name of the integration.
    pub name: Option<String>,
    /// Version, or `latest`.
    pub version: Option<String>,
    /// State of the operator's verification.
    pub verification: Option<Verification>,
    /// Visibility to other workspaces.
    pub visibility: Option<Visibility>,
    /// True for versions under development.
    pub dev: bool,
    /// Text to search for.
    pub search: Option<String>,
    /// Order; newest first by default.
    pub sort_by: Option<SortBy>,
    /// True for a descending order. By default, names ascend and everything else descends.
    pub descending: Option<bool>,
    /// Version of an interface that it implements.
    pub interface_id: Option<String>,
    /// Name of an interface that it implements.
    pub interface_name: Option<String>,
    /// True if it filters by a bot that has installed it: there are none, so nothing matches.
    pub asks_for_nothing: bool,
}

/// A version in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The version.
    pub version: RegistryVersion,
    /// Owning workspace.
    pub workspace: Organisation,
    /// Field that matched the search, if there was one.
    pub matched_on: Option<Matched>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct ListedPage {
    /// The versions.
    pub items: Vec<Listed>,
    /// Token of the next page; absent on the last one.
    pub next_token: Option<String>,
}

/// Position in a list, valid only for the order in which the list was read.
#[derive(Serialize, Deserialize)]
struct Cursor {
    by: String,
    down: bool,
    key: String,
    id: Uuid,
}

impl Registry {
    /// Lists the workspace's own versions.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_bot_integrations(&self, caller: &Caller, query: ListQuery) -> Result<ListedPage> {
        caller.require(Permission::IntegrationsRead)?;
        self.list_versions_in(Integration, Scope::Workspace(caller.organisation_id), query).await
    }

    /// Lists the public versions of all workspaces.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] naming the parameter.
    pub async fn list_public_integrations(&self, caller: &Caller, query: ListQuery) -> Result<ListedPage> {
        caller.require(Permission::IntegrationsRead)?;
        self.list_versions_in(Integration, Scope::Hub, query).await
    }

    pub(super) async fn list_versions_in(
        &self,
        kind: DefinitionKind,
        scope: Scope,
        query: ListQuery,
    ) -> Result<ListedPage> {
        let limit = match query.limit {
            Some(0) => return Err(Error::invalid("limit", format!("must be 1 to {LONGEST_PAGE}"))),
            limit => limit.unwrap_or(PAGE).min(LONGEST_PAGE),
        };
        let wanted = wanted(kind, scope, &query, limit)?;
        if query.asks_for_nothing || (query.interface_id.is_some() && wanted.interface_id.is_none()) {
            return Ok(ListedPage { items: Vec::new(), next_token: None });
        }
        let reader = self.base.store.reader();
        let mut found = registry::list(reader, &wanted).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next_token = found.last().filter(|_| more).map(|last| {
            let (key, id) = wanted.key_of(last);
            let cursor = Cursor { by: wanted.sort_by.as_str().to_owned(), down: wanted.descending, key, id };
            BASE64URL.encode(serde_json::json!(cursor).to_string())
        });
        Ok(ListedPage { items: self.listed(found, wanted.search.as_deref()).await?, next_token })
    }
}

pub(super) fn wanted(kind: DefinitionKind, scope: Scope, query: &ListQuery, limit: u32) -> Result<VersionFilter> {
    let version = match query.version.as_deref() {
        None => None,
        Some("latest") => Some(None),
        Some(text) => {
            let wrong = || Error::invalid("version", "must be a version such as 1.2.0, or the word latest");
            Some(Some(Version::parse(text).ok_or_else(wrong)?))
        }
    };
    let sort_by = query.sort_by.unwrap_or(SortBy::CreatedAt);
    let descending = query.descending.unwrap_or(sort_by != SortBy::Name);
    let after = query.next_token.as_deref().map(|token| after(token, sort_by, descending)).transpose()?;
    let search = query.search.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    // A NUL character is never stored, and PostgreSQL refuses it as a parameter.
    let impossible = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains('\0'));
    for (name, text) in [("name", &query.name), ("search", &search), ("interfaceName", &query.interface_name)] {
        if impossible(text) {
            return Err(Error::invalid(name, "must not contain the character U+0000"));
        }
    }
    let interface_id = query.interface_id.as_deref().and_then(|id| public_id(PublicId::INTERFACE, id));
    Ok(VersionFilter {
        kind,
        scope,
        name: query.name.clone(),
        version,
        verification: query.verification,
        visibility: query.visibility,
        dev: query.dev,
        interface_id: interface_id.map(IntegrationId),
        interface_name: query.interface_name.clone(),
        search,
        owner: None,
        sort_by,
        descending,
        after,
        limit: u64::from(limit) + 1,
    })
}

fn after(token: &str, sort_by: SortBy, descending: bool) -> Result<(String, Uuid)> {
    let wrong = || Error::invalid("nextToken", "is not one of this list's; ask for the first page again");
    let bytes = BASE64URL.decode(token).map_err(|_| wrong())?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let fits = cursor.by == sort_by.as_str() && cursor.down == descending && !cursor.key.contains('\0');
    if fits { Ok((cursor.key, cursor.id)) } else { Err(wrong()) }
}
