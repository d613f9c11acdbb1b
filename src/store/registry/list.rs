//! Queries for versions: by identifier, by name, and in lists that are sorted and paged in the database.
//!
//! Not here: their definitions and files.

use ::entity::{
    registry_implementation::{Column as Implementation, Entity as Implementations},
    registry_name::{Column as Name, Entity as Names},
    registry_version::{Column, Entity as Versions},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, FromQueryResult, Order,
    prelude::DateTimeUtc,
    sea_query::{Expr, LikeExpr, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ids::{IntegrationId, OrganisationId},
        page::{Page, PageRequest},
        registry::{
            Entry, Lifecycle, RegistryVersion, SortBy, Verification,
            definition::{DefinitionKind, Version, Visibility},
        },
    },
    store::corrupt,
};

use super::key::{key, name_of};

/// Scope of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Versions of a workspace.
    Workspace(OrganisationId),
    /// Public versions of all workspaces.
    Hub,
    /// Versions of a workspace, and the public ones of all others.
    Visible(OrganisationId),
}

/// Filter, order and page of a list.
#[derive(Clone, Debug)]
pub struct VersionFilter {
    /// The kind.
    pub kind: DefinitionKind,
    /// The scope.
    pub scope: Scope,
    /// Only versions with this name.
    pub name: Option<String>,
    /// Only this version; `None` in it for the highest of each integration.
    pub version: Option<Option<Version>>,
    /// State of the review.
    pub verification: Option<Verification>,
    /// Visibility to other workspaces.
    pub visibility: Option<Visibility>,
    /// True for versions under development, false for the others.
    pub dev: bool,
    /// Only versions of this workspace.
    pub owner: Option<OrganisationId>,
    /// Only implementations of the version of an interface with this identifier.
    pub interface_id: Option<IntegrationId>,
    /// Only implementations of the interface with this name.
    pub interface_name: Option<String>,
    /// Text to search for.
    pub search: Option<String>,
    /// Sort key.
    pub sort_by: SortBy,
    /// True for descending order.
    pub descending: bool,
    /// Cursor: the sort key's value and the identifier of the last version.
    pub after: Option<(String, Uuid)>,
    /// Maximum number of versions.
    pub limit: u64,
}

#[derive(FromQueryResult)]
struct Row {
    integration_id: Uuid,
    kind: String,
    organisation_id: Uuid,
    name: String,
    version: String,
    dev: bool,
    visibility: String,
    verification: String,
    lifecycle: String,
    title: String,
    description: String,
    terms: serde_json::Value,
    readme_key: Option<String>,
    code_sha256: Option<Vec<u8>>,
    secret_names: serde_json::Value,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    icon_key: Option<String>,
    installs: i64,
    views: i64,
}

const COLUMNS: [Column; 17] = [
    Column::IntegrationId,
    Column::Kind,
    Column::OrganisationId,
    Column::Name,
    Column::Version,
    Column::Dev,
    Column::Visibility,
    Column::Verification,
    Column::Lifecycle,
    Column::Title,
    Column::Description,
    Column::Terms,
    Column::ReadmeKey,
    Column::CodeSha256,
    Column::SecretNames,
    Column::CreatedAt,
    Column::UpdatedAt,
];

fn select() -> SelectStatement {
    let mut query = Query::select();
    query.columns(COLUMNS.map(|column| (Versions, column)));
    query.columns([Name::IconKey, Name::Installs, Name::Views].map(|column| (Names, column)));
    query.from(Versions).inner_join(Names, Expr::col((Names, Name::Name)).equals((Versions, Column::Name)));
    query
}

async fn all(db: &impl ConnectionTrait, query: &SelectStatement) -> Result<Vec<RegistryVersion>> {
    let rows = Row::find_by_statement(db.get_database_backend().build(query)).all(db).await?;
    rows.into_iter().map(version).collect()
}

/// Finds a workspace's version.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    kind: DefinitionKind,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Option<RegistryVersion>> {
    let mut query = select();
    query.and_where(Column::IntegrationId.eq(id.0)).and_where(of(organisation_id)).and_where(is(kind));
    Ok(all(db, &query).await?.pop())
}

/// Finds a published version of any workspace.
///
/// # Errors
/// When the database fails.
pub async fn find_published(
    db: &impl ConnectionTrait,
    kind: DefinitionKind,
    id: IntegrationId,
) -> Result<Option<RegistryVersion>> {
    let mut query = select();
    query.and_where(Column::IntegrationId.eq(id.0)).and_where(published()).and_where(is(kind));
    Ok(all(db, &query).await?.pop())
}

/// Finds a version that a workspace may use: its own, or a published one.
///
/// # Errors
/// When the database fails.
pub async fn find_visible(
    db: &impl ConnectionTrait,
    kind: DefinitionKind,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Option<RegistryVersion>> {
    let mut query = select();
    let visible = of(organisation_id).or(published());
    query.and_where(Column::IntegrationId.eq(id.0)).and_where(visible).and_where(is(kind));
    Ok(all(db, &query).await?.pop())
}

/// Finds a version of an integration of any workspace: for the operator.
///
/// # Errors
/// When the database fails.
pub async fn find_anywhere(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Option<RegistryVersion>> {
    let mut query = select();
    query.and_where(Column::IntegrationId.eq(id.0)).and_where(is(DefinitionKind::Integration));
    Ok(all(db, &query).await?.pop())
}

/// Lists the versions with a pending review, oldest first: for the operator.
///
/// # Errors
/// When the database fails.
pub async fn pending(db: &impl ConnectionTrait, page: PageRequest) -> Result<Page<RegistryVersion>> {
    let mut query = select();
    // Not as a parameter: the partial index is used for a known state alone.
    let pending = Expr::cust(format!("'{}'", Verification::Pending.as_str()));
    query.and_where(Expr::col((Versions, Column::Verification)).eq(pending));
    if let Some(after) = page.after {
        query.and_where(Expr::col((Versions, Column::IntegrationId)).gt(after));
    }
    query.order_by((Versions, Column::IntegrationId), Order::Asc).limit(u64::from(page.limit) + 1);
    Ok(Page::cut(all(db, &query).await?, page.limit, |version| version.id.0))
}

/// Lists the versions with a name that are not under development: a workspace's, or on the hub all published ones.
///
/// # Errors
/// When the database fails.
pub async fn named(db: &impl ConnectionTrait, scope: Scope, entry: Entry<'_>) -> Result<Vec<RegistryVersion>> {
    let mut query = select();
    query.and_where(Expr::col((Versions, Column::Name)).eq(key(entry).as_ref())).and_where(Column::Dev.eq(false));
    query.and_where(match scope {
        Scope::Workspace(id) => of(id),
        Scope::Hub => published(),
        Scope::Visible(id) => of(id).or(published()),
    });
    all(db, &query).await
}

fn is(kind: DefinitionKind) -> SimpleExpr {
    Column::Kind.eq(kind.as_str())
}

/// Returns the identifiers of the versions that implement an interface: the given version of it, or any of its name.
fn implementing(id: Option<IntegrationId>, name: Option<&str>) -> SelectStatement {
    let mut query = Query::select();
    query.column(Implementation::IntegrationId).from(Implementations);
    if let Some(id) = id {
        query.and_where(Implementation::InterfaceId.eq(id.0));
    }
    if let Some(name) = name {
        let key = key(Entry { kind: DefinitionKind::Interface, name });
        let named = Query::select()
            .column(Column::IntegrationId)
            .from(Versions)
            .and_where(Column::Name.eq(key.as_ref()))
            .take();
        query.and_where(Expr::col(Implementation::InterfaceId).in_subquery(named));
    }
    query
}

fn of(id: OrganisationId) -> SimpleExpr {
    Expr::col((Versions, Column::OrganisationId)).eq(id.0)
}

fn public() -> SimpleExpr {
    Column::Visibility.eq(Visibility::Public.as_str()).and(Column::Dev.eq(false))
}

fn published() -> SimpleExpr {
    Column::Visibility.is_in([Visibility::Public.as_str(), Visibility::Unlisted.as_str()]).and(Column::Dev.eq(false))
}

/// Lists a page of versions.
///
/// # Errors
/// When the database fails, or the cursor is of the wrong kind.
pub async fn list(db: &impl ConnectionTrait, wanted: &VersionFilter) -> Result<Vec<RegistryVersion>> {
    let mut query = select();
    query.and_where(is(wanted.kind));
    match wanted.scope {
        Scope::Workspace(id) => query.and_where(of(id)).and_where(Column::Dev.eq(wanted.dev)),
        Scope::Hub => query.and_where(public()),
        Scope::Visible(id) => query.and_where(of(id).or(public())),
    };
    if let Some(owner) = wanted.owner {
        query.and_where(of(owner));
    }
    if let Some(name) = &wanted.name {
        let entry = Entry { kind: wanted.kind, name };
        query.and_where(Expr::col((Versions, Column::Name)).eq(key(entry).as_ref()));
    }
    if wanted.interface_id.is_some() || wanted.interface_name.is_some() {
        let implementing = implementing(wanted.interface_id, wanted.interface_name.as_deref());
        query.and_where(Expr::col((Versions, Column::IntegrationId)).in_subquery(implementing));
    }
    match &wanted.version {
        Some(Some(version)) => {
            // Build metadata does not distinguish versions, and no version has a wildcard of `LIKE`.
            let plain = version.without_build().to_string();
            let built = Column::Version.like(format!("{plain}+%"));
            query.and_where(Column::Version.eq(plain).or(built))
        }
        Some(None) if wanted.scope == Scope::Hub => query.and_where(Column::LatestPublished.eq(true)),
        Some(None) => query.and_where(Column::Latest.eq(true)),
        None => &mut query,
    };
    if let Some(verification) = wanted.verification {
        query.and_where(Column::Verification.eq(verification.as_str()));
    }
    if let Some(visibility) = wanted.visibility {
        query.and_where(Column::Visibility.eq(visibility.as_str()));
    }
    if let Some(text) = &wanted.search {
        let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        query.and_where(Expr::col(Column::Search).like(LikeExpr::new(format!("%{escaped}%")).escape('\\')));
    }
    sort(&mut query, wanted)?;
    query.limit(wanted.limit);
    all(db, &query).await
}

/// Sorts by the requested key and then by the identifier, so that page boundaries are unambiguous.
fn sort(query: &mut SelectStatement, wanted: &VersionFilter) -> Result<()> {
    let key: SimpleExpr = match wanted.sort_by {
        SortBy::CreatedAt => Expr::col((Versions, Column::IntegrationId)),
        SortBy::UpdatedAt => Expr::col((Versions, Column::UpdatedAt)),
        SortBy::Name => Expr::col((Versions, Column::Name)),
        SortBy::InstallCount => Expr::col((Names, Name::Installs)),
        SortBy::Popularity => popularity_expr(),
    };
    let id = || Expr::col((Versions, Column::IntegrationId));
    let order = if wanted.descending { Order::Desc } else { Order::Asc };
    if let Some((after, after_id)) = &wanted.after {
        let beyond = |what: SimpleExpr, value: SimpleExpr| {
            if wanted.descending { what.lt(value) } else { what.gt(value) }
        };
        let past_id = beyond(id(), Expr::value(*after_id));
        let value: Option<SimpleExpr> = match wanted.sort_by {
            SortBy::CreatedAt => None,
            SortBy::Name => Some(Expr::value(after.as_str())),
            SortBy::UpdatedAt => Some(Expr::value(
                after.parse::<DateTimeUtc>().map_err(|_| crate::domain::Error::invalid("nextToken", "is not one"))?,
            )),
            SortBy::InstallCount | SortBy::Popularity => Some(Expr::value(
                after.parse::<i64>().map_err(|_| crate::domain::Error::invalid("nextToken", "is not one"))?,
            )),
        };
        query.and_where(match value {
            None => past_id,
            Some(value) => beyond(key.clone(), value.clone()).or(key.clone().eq(value).and(past_id)),
        });
    }
    if wanted.sort_by != SortBy::CreatedAt {
        query.order_by_expr(key, order.clone());
    }
    query.order_by((Versions, Column::IntegrationId), order);
    Ok(())
}

/// Weighs an installation like a hundred views.
fn popularity_expr() -> SimpleExpr {
    Expr::col((Names, Name::Installs)).mul(100).add(Expr::col((Names, Name::Views)))
}

impl VersionFilter {
    /// Returns the cursor after a version.
    pub fn key_of(&self, version: &RegistryVersion) -> (String, Uuid) {
        let key = match self.sort_by {
            SortBy::CreatedAt => String::new(),
            SortBy::UpdatedAt => version.updated_at.to_rfc3339(),
            SortBy::Name => key(version.entry()).into_owned(),
            SortBy::InstallCount => version.installs.to_string(),
            SortBy::Popularity => (version.installs * 100 + version.views).to_string(),
        };
        (key, version.id.0)
    }
}

fn version(row: Row) -> Result<RegistryVersion> {
    let wrong = |column: &'static str, text: &str| corrupt("registry_version", column, text);
    Ok(RegistryVersion {
        id: row.integration_id.into(),
        kind: DefinitionKind::named(&row.kind).ok_or_else(|| wrong("kind", &row.kind))?,
        organisation_id: row.organisation_id.into(),
        name: name_of(&row.name).to_owned(),
        version: Version::parse(&row.version).ok_or_else(|| wrong("version", &row.version))?,
        dev: row.dev,
        visibility: Visibility::named(&row.visibility).ok_or_else(|| wrong("visibility", &row.visibility))?,
        verification: Verification::named(&row.verification).ok_or_else(|| wrong("verification", &row.verification))?,
        lifecycle: Lifecycle::named(&row.lifecycle).ok_or_else(|| wrong("lifecycle", &row.lifecycle))?,
        title: row.title,
        description: row.description,
        terms: serde_json::from_value(row.terms).map_err(|error| corrupt("registry_version", "terms", error))?,
        readme_key: row.readme_key,
        code_sha256: row.code_sha256,
        secret_names: serde_json::from_value(row.secret_names)
            .map_err(|error| corrupt("registry_version", "secret_names", error))?,
        created_at: row.created_at,
        updated_at: row.updated_at,
        icon_key: row.icon_key,
        installs: row.installs,
        views: row.views,
    })
}
