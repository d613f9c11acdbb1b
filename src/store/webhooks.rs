//! Webhooks, and the persistent stores of their scripts.
//!
//! Not here: their history (`webhooks/history.rs`).

pub mod history;

use std::collections::HashMap;

use ::entity::{
    installation::{self, Column as InstallationColumn, Entity as Installations},
    integration::{self, Column, Entity as Integrations},
    script_store::{self, Entity as ScriptStores},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Tx,
    apps::installations::{self, SealedSecrets, Use},
    corrupt,
    kernel::batches,
};
use crate::domain::{
    Error, Result,
    ambient::Time,
    channels::person::Person,
    error::Noun,
    ids::{InstallationId, IntegrationId, OrganisationId},
    webhooks::{Direction, Incoming, Look, Outgoing, Script, Webhook},
};

const INCOMING: &str = "incoming-webhook";
const OUTGOING: &str = "outgoing-webhook";

/// JSON of a webhook in `integration.definition`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    poster: Person,
    channels: Vec<String>,
    #[serde(default)]
    look: Look,
    #[serde(default)]
    script: Script,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incoming: Option<Incoming>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outgoing: Option<Outgoing>,
    created_by: Person,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<Person>,
}

/// A webhook with its sealed secrets: the credential is its token.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The webhook.
    pub webhook: Webhook,
    /// Its sealed secrets.
    pub secrets: SealedSecrets,
}

/// Inserts a webhook.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, webhook: &Webhook, secrets: SealedSecrets) -> Result<()> {
    let integration = integration::ActiveModel { created_at: Set(webhook.created_at), ..changeable(webhook)? };
    Integrations::insert(integration).exec_without_returning(tx).await?;
    let of = (webhook.organisation_id, webhook.id);
    installations::insert_row(tx, of, use_of(webhook), (webhook.created_at, secrets)).await
}

/// Updates the changeable fields; `token` replaces the former one if it is given. The script's Store is cleared.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, webhook: &Webhook, token: Option<Vec<u8>>) -> Result<()> {
    Integrations::update(changeable(webhook)?).exec(tx).await?;
    installations::update_row(tx, use_of(webhook), token).await?;
    ScriptStores::delete_by_id(webhook.id.0).exec(tx).await?;
    Ok(())
}

/// Replaces the token of a webhook.
///
/// # Errors
/// When the database fails.
pub async fn set_token(tx: &Tx, webhook: &Webhook, token: Option<Vec<u8>>) -> Result<()> {
    installations::update_row(tx, use_of(webhook), token).await
}

fn use_of(webhook: &Webhook) -> Use {
    Use { id: webhook.installation_id, active: webhook.enabled, updated_at: webhook.updated_at }
}

/// Deletes a webhook with all that depends on it.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: IntegrationId) -> Result<()> {
    Integrations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a webhook by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: IntegrationId) -> Result<Stored> {
    let found = find_anywhere(db, id).await?;
    found
        .filter(|stored| stored.webhook.organisation_id == organisation_id)
        .ok_or_else(|| Error::not_found(Noun::Integration, id))
}

/// Finds a webhook of any organisation by its identifier: for a URL that contains a token.
///
/// # Errors
/// When the database fails.
pub async fn find_anywhere(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Option<Stored>> {
    let row = Integrations::find_by_id(id.0).filter(Column::Kind.is_in([INCOMING, OUTGOING])).one(db).await?;
    let installed = Installations::find()
        .filter(InstallationColumn::IntegrationId.eq(id.0))
        .filter(InstallationColumn::ChannelId.is_null())
        .one(db)
        .await?;
    // Both are always queried, so that the time taken does not reveal their existence.
    row.zip(installed).map(|(row, installed)| stored(row, installed)).transpose()
}

/// Lists the webhooks of an organisation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Vec<Stored>> {
    let rows = Integrations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.is_in([INCOMING, OUTGOING]))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    with_installations(db, rows).await
}

/// Setups of an organisation's outgoing webhooks, whether or not they are enabled, without anything else of theirs.
///
/// # Errors
/// When the database fails.
pub async fn setups(tx: &Tx, organisation_id: OrganisationId) -> Result<Vec<Outgoing>> {
    let query = Integrations::find().select_only().column(Column::Definition);
    let query = query.filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::Kind.eq(OUTGOING));
    let definitions: Vec<serde_json::Value> = query.into_tuple().all(tx).await?;
    let setup = |definition| match serde_json::from_value::<Definition>(definition) {
        Ok(definition) => definition.outgoing.map(Ok),
        Err(error) => Some(Err(corrupt("integration", "definition", error))),
    };
    definitions.into_iter().filter_map(setup).collect()
}

/// Counts the webhooks of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    let query = Integrations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.is_in([INCOMING, OUTGOING]));
    Ok(query.count(tx).await?)
}

/// Lists the enabled outgoing webhooks of some organisations, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn outgoing(db: &impl ConnectionTrait, organisations: &[OrganisationId]) -> Result<Vec<Webhook>> {
    let rows = Integrations::find()
        .filter(Column::OrganisationId.is_in(batches::filled(organisations.iter().map(|id| id.0))))
        .filter(Column::Kind.eq(OUTGOING))
        .filter(Column::Active.eq(true))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    Ok(with_installations(db, rows).await?.into_iter().map(|stored| stored.webhook).collect())
}

async fn with_installations(db: &impl ConnectionTrait, rows: Vec<integration::Model>) -> Result<Vec<Stored>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let installed = Installations::find()
        .filter(InstallationColumn::IntegrationId.is_in(batches::filled(rows.iter().map(|row| row.id))))
        .filter(InstallationColumn::ChannelId.is_null())
        .all(db)
        .await?;
    let mut installed: HashMap<_, _> = installed.into_iter().map(|row| (row.integration_id, row)).collect();
    rows.into_iter().filter_map(|row| installed.remove(&row.id).map(|installed| stored(row, installed))).collect()
}

/// Reads the secrets for calling an integration: an app, or an outgoing webhook.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn secrets_of_called(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<(InstallationId, SealedSecrets)> {
    let not_found = || Error::not_found(Noun::Integration, id);
    Integrations::find_by_id(id.0)
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.is_in([installations::APP, OUTGOING]))
        .one(db)
        .await?
        .ok_or_else(not_found)?;
    let installed = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::IntegrationId.eq(id.0))
        .filter(InstallationColumn::ChannelId.is_null())
        .one(db)
        .await?
        .ok_or_else(not_found)?;
    Ok((installed.id.into(), installations::secrets(installed)))
}

/// Reads a script's Store.
///
/// # Errors
/// When the database fails.
pub async fn script_store(db: &impl ConnectionTrait, id: IntegrationId) -> Result<Map<String, Value>> {
    let row = ScriptStores::find_by_id(id.0).one(db).await?;
    row.map_or(Ok(Map::new()), |row| {
        serde_json::from_str(&row.kept).map_err(|error| corrupt("script_store", "kept", error))
    })
}

/// Saves a script's Store. Nothing is saved for a deleted webhook, or for one that was changed while the script ran: a
/// new script begins with an empty Store.
///
/// # Errors
/// When the database fails.
pub async fn keep_script_store(
    db: &impl ConnectionTrait,
    webhook: &Webhook,
    kept: &Map<String, Value>,
    now: Time,
) -> Result<()> {
    let same = Integrations::find_by_id(webhook.id.0).filter(Column::UpdatedAt.eq(webhook.updated_at));
    if same.select_only().column(Column::Id).into_tuple::<Uuid>().one(db).await?.is_none() {
        return Ok(());
    }
    let row = script_store::ActiveModel {
        integration_id: Set(webhook.id.0),
        organisation_id: Set(webhook.organisation_id.0),
        kept: Set(serde_json::json!(kept).to_string()),
        updated_at: Set(now),
    };
    let there = OnConflict::column(script_store::Column::IntegrationId)
        .update_columns([script_store::Column::Kept, script_store::Column::UpdatedAt])
        .to_owned();
    ScriptStores::insert(row).on_conflict(there).exec_without_returning(db).await?;
    Ok(())
}

fn changeable(webhook: &Webhook) -> Result<integration::ActiveModel> {
    let (kind, incoming, outgoing) = match &webhook.direction {
        Direction::Incoming(incoming) => (INCOMING, Some(incoming.clone()), None),
        Direction::Outgoing(outgoing) => (OUTGOING, None, Some(outgoing.clone())),
    };
    let definition = Definition {
        poster: webhook.poster.clone(),
        channels: webhook.channels.clone(),
        look: webhook.look.clone(),
        script: webhook.script.clone(),
        incoming,
        outgoing,
        created_by: webhook.created_by.clone(),
        updated_by: webhook.updated_by.clone(),
    };
    let definition = serde_json::to_value(definition);
    Ok(integration::ActiveModel {
        id: Set(webhook.id.0),
        organisation_id: Set(Some(webhook.organisation_id.0)),
        kind: Set(kind.to_owned()),
        name: Set(webhook.name.clone()),
        version: Set(None),
        active: Set(webhook.enabled),
        definition: Set(definition.map_err(|error| Error::Internal(format!("a webhook cannot be kept: {error}")))?),
        created_at: NotSet,
        updated_at: Set(webhook.updated_at),
    })
}

fn stored(row: integration::Model, installed: installation::Model) -> Result<Stored> {
    let definition = serde_json::from_value(row.definition);
    let Definition { poster, channels, look, script, incoming, outgoing, created_by, updated_by } =
        definition.map_err(|error| corrupt("integration", "definition", error))?;
    let direction = match (incoming, outgoing) {
        (Some(incoming), None) => Direction::Incoming(incoming),
        (None, Some(outgoing)) => Direction::Outgoing(outgoing),
        _ => return Err(corrupt("integration", "definition", "it is neither incoming nor outgoing")),
    };
    let webhook = Webhook {
        id: row.id.into(),
        organisation_id: installed.organisation_id.into(),
        installation_id: installed.id.into(),
        name: row.name,
        enabled: row.active,
        poster,
        channels,
        look,
        script,
        direction,
        created_by,
        created_at: row.created_at,
        updated_by,
        updated_at: row.updated_at,
    };
    Ok(Stored { webhook, secrets: installations::secrets(installed) })
}
