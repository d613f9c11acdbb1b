//! Apps that organisations install by a descriptor, and their use in channels.
//!
//! Not here: the JSON in their rows (`installations/rows.rs`), their settings and ticks.

mod rows;

use std::collections::HashMap;

use ::entity::{
    installation::{self, Column as InstallationColumn, Entity as Installations},
    integration::{self, Column, Entity as Integrations},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

pub use self::rows::set_descriptor;
use self::rows::{app, changeable};
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        apps::app::{App, AppInChannel},
        error::Noun,
        ids::{ChannelId, InstallationId, IntegrationId, OrganisationId},
    },
    store::{Tx, kernel::batches},
};

/// The kind of apps in `integration.kind`.
pub(in crate::store) const APP: &str = "app";

/// The sealed secrets of an installation.
#[derive(Clone, Debug, Default)]
pub struct SealedSecrets {
    /// Credential given by the owner, sent with calls.
    pub credential: Option<Vec<u8>>,
    /// Secret that signs our calls.
    pub signing_secret: Option<Vec<u8>>,
    /// Previous signing secret, and the time until which it stays valid.
    pub former_signing_secret: Option<(Vec<u8>, Time)>,
}

/// An app in a channel, with the secrets for calling it.
#[derive(Clone, Debug)]
pub struct Used {
    /// The app.
    pub app: App,
    /// Its use in the channel.
    pub used: AppInChannel,
    /// The sealed secrets of the installation.
    pub secrets: SealedSecrets,
}

/// Inserts an app and the organisation's installation of it.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, app: &App, secrets: SealedSecrets) -> Result<()> {
    let integration = integration::ActiveModel { created_at: Set(app.created_at), ..changeable(app)? };
    Integrations::insert(integration).exec_without_returning(tx).await?;
    insert_row(tx, (app.organisation_id, app.id), use_of(app), (app.created_at, secrets)).await
}

/// Updates the changeable fields; `credential` replaces the former one if it is given.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, app: &App, credential: Option<Vec<u8>>) -> Result<()> {
    Integrations::update(changeable(app)?).exec(tx).await?;
    update_row(tx, use_of(app), credential).await
}

/// Changeable fields of an organisation's installation of an app or a webhook.
pub(in crate::store) struct Use {
    pub(in crate::store) id: InstallationId,
    pub(in crate::store) active: bool,
    pub(in crate::store) updated_at: Time,
}

fn use_of(app: &App) -> Use {
    Use { id: app.installation_id, active: app.active, updated_at: app.updated_at }
}

/// Inserts the row of an installation.
pub(in crate::store) async fn insert_row(
    tx: &Tx,
    (organisation_id, integration_id): (OrganisationId, IntegrationId),
    Use { id, active, updated_at }: Use,
    (created_at, secrets): (Time, SealedSecrets),
) -> Result<()> {
    let row = installation::ActiveModel {
        id: Set(id.0),
        organisation_id: Set(organisation_id.0),
        integration_id: Set(integration_id.0),
        channel_id: Set(None),
        active: Set(active),
        position: Set(0),
        credential: Set(secrets.credential),
        signing_secret: Set(secrets.signing_secret),
        former_signing_secret: Set(None),
        former_signs_until: Set(None),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
    };
    Installations::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Updates the row of an installation; `credential` replaces the former one if it is given.
pub(in crate::store) async fn update_row(tx: &Tx, of: Use, credential: Option<Vec<u8>>) -> Result<()> {
    let row = installation::ActiveModel {
        id: Set(of.id.0),
        active: Set(of.active),
        credential: credential.map_or(NotSet, |sealed| Set(Some(sealed))),
        updated_at: Set(of.updated_at),
        ..Default::default()
    };
    Installations::update(row).exec(tx).await?;
    Ok(())
}

/// Rotates the signing secret of an installation from `replaced`; the replaced one stays valid as `former` for a while.
/// `false` if a concurrent rotation was first.
///
/// # Errors
/// When the database fails.
pub async fn rotate_signing_secret(
    tx: &Tx,
    id: InstallationId,
    replaced: Option<Vec<u8>>,
    fresh: Vec<u8>,
    former: Option<(Vec<u8>, Time)>,
) -> Result<bool> {
    let (former, until) = former.unzip();
    let done = Installations::update_many()
        .col_expr(InstallationColumn::SigningSecret, Expr::value(fresh))
        .col_expr(InstallationColumn::FormerSigningSecret, Expr::value(former))
        .col_expr(InstallationColumn::FormerSignsUntil, Expr::value(until))
        .filter(InstallationColumn::Id.eq(id.0))
        .filter(match replaced {
            Some(replaced) => InstallationColumn::SigningSecret.eq(replaced),
            None => InstallationColumn::SigningSecret.is_null(),
        })
        .exec(tx)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes an app with its installations, settings, keys and ticks.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: IntegrationId) -> Result<()> {
    Integrations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Counts the apps of an organisation.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    let query = Integrations::find().filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::Kind.eq(APP));
    Ok(query.count(tx).await?)
}

/// Lists the apps of an organisation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Vec<App>> {
    let rows = Integrations::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(APP))
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    let installations = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::ChannelId.is_null())
        .all(db)
        .await?;
    let mut installations: HashMap<_, _> = installations.into_iter().map(|row| (row.integration_id, row)).collect();
    rows.into_iter().filter_map(|row| installations.remove(&row.id).map(|installed| app(row, &installed))).collect()
}

/// Finds an app by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: IntegrationId) -> Result<App> {
    Ok(find_with_secrets(db, organisation_id, id).await?.0)
}

/// Finds an app by its identifier, with its sealed secrets.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_with_secrets(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<(App, SealedSecrets)> {
    let not_found = || Error::not_found(Noun::Integration, id);
    let row = Integrations::find_by_id(id.0)
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Kind.eq(APP))
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
    Ok((app(row, &installed)?, secrets(installed)))
}

/// Lists the apps used in a channel, in their order.
///
/// # Errors
/// When the database fails.
pub async fn of_channel(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    channel_id: ChannelId,
) -> Result<Vec<Used>> {
    let uses = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::ChannelId.eq(channel_id.0))
        .order_by_asc(InstallationColumn::Position)
        .order_by_asc(InstallationColumn::Id)
        .all(db)
        .await?;
    with_apps(db, uses).await
}

/// Lists the apps used in any channel of an organisation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn in_channels(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Vec<Used>> {
    let uses = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::ChannelId.is_not_null())
        .order_by_asc(InstallationColumn::Id)
        .all(db)
        .await?;
    with_apps(db, uses).await
}

/// Lists uses of apps in channels by their identifiers, across organisations: for ticks. Deleted ones are left out.
///
/// # Errors
/// When the database fails.
pub async fn find_uses(db: &impl ConnectionTrait, ids: &[InstallationId]) -> Result<Vec<Used>> {
    let uses = Installations::find()
        .filter(InstallationColumn::Id.is_in(batches::filled(ids.iter().map(|id| id.0))))
        .filter(InstallationColumn::ChannelId.is_not_null())
        .all(db)
        .await?;
    with_apps(db, uses).await
}

/// Joins uses with their apps, in the given order.
async fn with_apps(db: &impl ConnectionTrait, uses: Vec<installation::Model>) -> Result<Vec<Used>> {
    if uses.is_empty() {
        return Ok(Vec::new());
    }
    let unique = |mut ids: Vec<Uuid>| {
        ids.sort_unstable();
        ids.dedup();
        batches::filled(ids)
    };
    let organisations = unique(uses.iter().map(|row| row.organisation_id).collect());
    let ids = unique(uses.iter().map(|row| row.integration_id).collect());
    let rows = Integrations::find().filter(Column::Id.is_in(ids.clone())).filter(Column::Kind.eq(APP)).all(db).await?;
    let installed = Installations::find()
        .filter(InstallationColumn::OrganisationId.is_in(organisations))
        .filter(InstallationColumn::IntegrationId.is_in(ids))
        .filter(InstallationColumn::ChannelId.is_null())
        .all(db)
        .await?;
    let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    let installed: HashMap<_, _> =
        installed.into_iter().map(|row| ((row.organisation_id, row.integration_id), row)).collect();
    let both = |used_row: &installation::Model| {
        let row = rows.get(&used_row.integration_id)?;
        let installed = installed.get(&(used_row.organisation_id, used_row.integration_id))?;
        let (used, secrets) = (used(used_row), secrets(installed.clone()));
        Some(app(row.clone(), installed).map(|app| Used { app, used, secrets }))
    };
    uses.iter().filter_map(both).collect()
}

/// Filters channels: those with an active app.
///
/// # Errors
/// When the database fails.
pub async fn busy(
    db: &impl ConnectionTrait,
    organisations: &[OrganisationId],
    channels: &[ChannelId],
) -> Result<Vec<ChannelId>> {
    let rows: Vec<Option<Uuid>> = Installations::find()
        .select_only()
        .column(InstallationColumn::ChannelId)
        .distinct()
        .filter(InstallationColumn::OrganisationId.is_in(batches::filled(organisations.iter().map(|id| id.0))))
        .filter(InstallationColumn::ChannelId.is_in(batches::filled(channels.iter().map(|id| id.0))))
        .filter(InstallationColumn::Active.eq(true))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().flatten().map(ChannelId).collect())
}

/// Enables or disables an app in a channel, or changes its position there.
///
/// # Errors
/// When the database fails.
pub async fn put_in_channel(tx: &Tx, app: &App, wanted: &AppInChannel) -> Result<()> {
    let row = installation::ActiveModel {
        id: Set(wanted.id.0),
        organisation_id: Set(app.organisation_id.0),
        integration_id: Set(app.id.0),
        channel_id: Set(Some(wanted.channel_id.0)),
        active: Set(wanted.active),
        position: Set(wanted.position),
        credential: Set(None),
        signing_secret: Set(None),
        former_signing_secret: Set(None),
        former_signs_until: Set(None),
        created_at: Set(wanted.updated_at),
        updated_at: Set(wanted.updated_at),
    };
    let there = OnConflict::column(InstallationColumn::Id)
        .update_columns([InstallationColumn::Active, InstallationColumn::Position, InstallationColumn::UpdatedAt])
        .to_owned();
    Installations::insert(row).on_conflict(there).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes an app from a channel.
///
/// # Errors
/// When the database fails.
pub async fn remove_from_channel(tx: &Tx, id: InstallationId) -> Result<()> {
    Installations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Lists all uses of an app in channels.
///
/// # Errors
/// When the database fails.
pub async fn uses(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Vec<AppInChannel>> {
    let rows = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::IntegrationId.eq(id.0))
        .filter(InstallationColumn::ChannelId.is_not_null())
        .all(db)
        .await?;
    Ok(rows.iter().map(used).collect())
}

pub(in crate::store) fn secrets(installed: installation::Model) -> SealedSecrets {
    SealedSecrets {
        credential: installed.credential,
        signing_secret: installed.signing_secret,
        former_signing_secret: installed.former_signing_secret.zip(installed.former_signs_until),
    }
}

fn used(row: &installation::Model) -> AppInChannel {
    AppInChannel {
        id: row.id.into(),
        channel_id: ChannelId(row.channel_id.unwrap_or_default()),
        active: row.active,
        position: row.position,
        updated_at: row.updated_at,
    }
}
