//! The registry: names, versions and their parts. Lists never read a definition or code; those are read one by one.
//!
//! Not here: the queries of lists, names, files, keys, implementations and installations, which are in the modules
//! beside.

mod files;
mod implementations;
mod installations;
mod key;
mod keys;
mod list;
mod names;

use ::entity::{
    integration::{self, Entity as Integrations},
    registry_source::{self, Entity as Sources},
    registry_version::{self, Column, Entity as Versions},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::Expr,
};

pub use self::{
    files::{Source, icon, readme, source},
    implementations::{count_implementations, implement, lock_and_implement, set_implementations},
    installations::{
        calls, count_installations, insert_installation, installations_of, installed, lock_owner, uncount_installation,
        uncount_installations,
    },
    keys::{ApiKey, count_keys, delete_key, find_key, insert_key, list_keys},
    list::{Scope, VersionFilter, find, find_anywhere, find_published, find_visible, list, named, pending},
    names::{add_views, around, claim_name, icon_of, release_name, set_icon, set_published},
};
use super::{Tx, corrupt, is_unique_violation};
use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{IntegrationId, OrganisationId},
    registry::{
        Entry, Lifecycle, RegistryVersion, Verification,
        definition::{Definition, DefinitionKind, Issue, Rule},
        published_before,
    },
};

/// Returns the kind of registry versions in `integration.kind`.
fn integration_kind(kind: DefinitionKind) -> &'static str {
    match kind {
        DefinitionKind::Integration => "bot",
        DefinitionKind::Interface => "interface",
    }
}

/// The sealed secrets of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedVersionSecrets {
    /// All of its secrets in one, if it has any.
    pub secrets: Option<Vec<u8>>,
    /// Secret that signs its calls.
    pub signing_secret: Vec<u8>,
    /// Previous signing secret, and the time until which it stays valid.
    pub former: Option<(Vec<u8>, Time)>,
}

/// Inserts a version.
///
/// # Errors
/// [`Error::Issues`] if a concurrent request added the same one.
pub async fn insert(
    tx: &Tx,
    version: &RegistryVersion,
    definition: &Definition,
    sealed: SealedVersionSecrets,
    source: &Source,
) -> Result<()> {
    let integration = integration::ActiveModel {
        id: Set(version.id.0),
        organisation_id: Set(Some(version.organisation_id.0)),
        kind: Set(integration_kind(version.kind).to_owned()),
        name: Set(version.name.clone()),
        version: Set(Some(version.version.to_string())),
        active: Set(true),
        definition: Set(json(definition)?),
        created_at: Set(version.created_at),
        updated_at: Set(version.updated_at),
    };
    Integrations::insert(integration).exec_without_returning(tx).await?;
    let row = registry_version::ActiveModel {
        organisation_id: Set(version.organisation_id.0),
        kind: Set(version.kind.as_str().to_owned()),
        name: Set(key::key(version.entry()).into_owned()),
        version: Set(version.version.to_string()),
        dev: Set(version.dev),
        latest: Set(false),
        latest_published: Set(false),
        lifecycle: Set(version.lifecycle.as_str().to_owned()),
        signing_secret: Set(sealed.signing_secret),
        former_signing_secret: Set(None),
        former_until: Set(None),
        created_at: Set(version.created_at),
        ..changeable(version, definition, sealed.secrets)?
    };
    match Versions::insert(row).exec_without_returning(tx).await {
        Ok(_) => {}
        Err(error) if is_unique_violation(&error) => {
            let says = format_args!("{} of {} exists already", version.version, version.name);
            return Err(Error::Issues(vec![Issue::new(Rule::Taken, "/version", says)]));
        }
        Err(error) => return Err(error.into()),
    }
    let row = registry_source::ActiveModel {
        integration_id: Set(version.id.0),
        organisation_id: Set(version.organisation_id.0),
        readme: Set(source.readme.clone()),
        code: Set(source.code.clone()),
    };
    Sources::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Updates a version. The given files replace the former ones; absent ones stay.
///
/// # Errors
/// When the database fails.
pub async fn update(
    tx: &Tx,
    version: &RegistryVersion,
    definition: &Definition,
    secrets: Option<Vec<u8>>,
    source: Source,
) -> Result<()> {
    let integration = integration::ActiveModel {
        id: Set(version.id.0),
        definition: Set(json(definition)?),
        updated_at: Set(version.updated_at),
        ..Default::default()
    };
    Integrations::update(integration).exec(tx).await?;
    Versions::update(changeable(version, definition, secrets)?).exec(tx).await?;
    if source.code.is_some() || source.readme.is_some() {
        let row = registry_source::ActiveModel {
            integration_id: Set(version.id.0),
            readme: source.readme.map_or(NotSet, |readme| Set(Some(readme))),
            code: source.code.map_or(NotSet, |code| Set(Some(code))),
            ..Default::default()
        };
        Sources::update(row).exec(tx).await?;
    }
    Ok(())
}

fn changeable(
    version: &RegistryVersion,
    definition: &Definition,
    secrets: Option<Vec<u8>>,
) -> Result<registry_version::ActiveModel> {
    Ok(registry_version::ActiveModel {
        integration_id: Set(version.id.0),
        visibility: Set(version.visibility.as_str().to_owned()),
        verification: Set(version.verification.as_str().to_owned()),
        title: Set(version.title.clone()),
        description: Set(version.description.clone()),
        url: Set(definition.url.clone().unwrap_or_default()),
        terms: Set(json(&version.terms)?),
        search: Set(version.terms.haystack(definition)),
        readme_key: Set(version.readme_key.clone()),
        code_sha256: Set(version.code_sha256.clone()),
        secret_names: Set(json(&version.secret_names)?),
        secrets: Set(secrets),
        updated_at: Set(version.updated_at),
        ..Default::default()
    })
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| Error::Internal(format!("a version cannot be kept: {error}")))
}

/// Deletes a version with all that depends on it.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: IntegrationId) -> Result<()> {
    Integrations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Reads the definition of a version.
///
/// # Errors
/// When the database fails.
pub async fn definition(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Option<Definition>> {
    let row = Integrations::find_by_id(id.0).one(db).await?;
    let definition = row.map(|row| serde_json::from_value(row.definition)).transpose();
    definition.map_err(|error| corrupt("integration", "definition", error))
}

/// A version in its current state, as the base of a change.
#[derive(Clone, Debug)]
pub struct Current {
    /// The version.
    pub version: RegistryVersion,
    /// Its definition.
    pub definition: Definition,
    /// Its readme.
    pub readme: Option<String>,
    /// The published version before it.
    pub before: Option<Definition>,
    /// Number of versions that implement it.
    pub implementations: u64,
}

impl Current {
    /// Returns true if it is unchanged since it was `seen`. Views and installations do not count.
    pub fn is_like(&self, seen: &Self) -> bool {
        let Self { version, definition, readme, before, implementations } = self;
        let counted = RegistryVersion { views: version.views, installs: version.installs, ..seen.version.clone() };
        (version, definition, readme) == (&counted, &seen.definition, &seen.readme)
            && (before, implementations) == (&seen.before, &seen.implementations)
    }
}

/// Finds a workspace's version in its current state. `None` if there is none.
///
/// # Errors
/// When the database fails.
pub async fn current(
    db: &impl ConnectionTrait,
    kind: DefinitionKind,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Option<Current>> {
    let Some(version) = find(db, kind, organisation_id, id).await? else { return Ok(None) };
    let Some(definition) = definition(db, id).await? else { return Ok(None) };
    let before = names::versions(db, organisation_id, version.entry()).await?;
    let before = match published_before(&version.version, &before) {
        Some(known) => self::definition(db, known.id).await?,
        None => None,
    };
    let readme = files::readme_of(db, id).await?;
    let implementations = count_implementations(db, id).await?;
    Ok(Some(Current { version, definition, readme, before, implementations }))
}

/// Reads the sealed secrets of a version.
///
/// # Errors
/// When the database fails, or the version is gone.
pub async fn secrets(db: &impl ConnectionTrait, id: IntegrationId) -> Result<SealedVersionSecrets> {
    let row = Versions::find_by_id(id.0).one(db).await?;
    let row = row.ok_or_else(|| Error::Internal(format!("the version {id} is gone")))?;
    let former = row.former_signing_secret.zip(row.former_until);
    Ok(SealedVersionSecrets { secrets: row.secrets, signing_secret: row.signing_secret, former })
}

/// Saves a new signing secret of a version, and the previous one.
///
/// # Errors
/// When the database fails.
pub async fn rotate(tx: &Tx, id: IntegrationId, fresh: Vec<u8>, former: (Vec<u8>, Time)) -> Result<()> {
    let row = registry_version::ActiveModel {
        integration_id: Set(id.0),
        signing_secret: Set(fresh),
        former_signing_secret: Set(Some(former.0)),
        former_until: Set(Some(former.1)),
        ..Default::default()
    };
    Versions::update(row).exec(tx).await?;
    Ok(())
}

/// Saves the states of review and lifecycle of a version.
///
/// # Errors
/// When the database fails.
pub async fn set_standing(tx: &Tx, id: IntegrationId, verification: Verification, lifecycle: Lifecycle) -> Result<()> {
    let row = registry_version::ActiveModel {
        integration_id: Set(id.0),
        verification: Set(verification.as_str().to_owned()),
        lifecycle: Set(lifecycle.as_str().to_owned()),
        ..Default::default()
    };
    Versions::update(row).exec(tx).await?;
    Ok(())
}

/// Marks the highest versions of an integration: of all, and of the published ones.
///
/// # Errors
/// When the database fails.
pub async fn set_latest(
    tx: &Tx,
    (organisation_id, entry): (OrganisationId, Entry<'_>),
    (latest, published): (Option<IntegrationId>, Option<IntegrationId>),
) -> Result<()> {
    let is = |id: Option<IntegrationId>| match id {
        Some(id) => Expr::col(Column::IntegrationId).eq(id.0),
        None => Expr::value(false),
    };
    Versions::update_many()
        .col_expr(Column::Latest, is(latest))
        .col_expr(Column::LatestPublished, is(published))
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Name.eq(key::key(entry).as_ref()))
        .exec(tx)
        .await?;
    Ok(())
}
