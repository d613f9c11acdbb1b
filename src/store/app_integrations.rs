//! Integrations that organisations install by a descriptor, and their use in channels.

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
use super::{Tx, batches};
use crate::domain::{
    Error, Result,
    ambient::Time,
    app_integration::{AppIntegration, ChannelUse},
    error::Noun,
    ids::{ChannelId, InstallationId, IntegrationId, OrganisationId},
};

/// The kind of those that are installed by a descriptor.
pub(super) const APP: &str = "app";

/// The sealed secrets of an installation.
#[derive(Clone, Debug, Default)]
pub struct SealedSecrets {
    /// What its owner gave for calling it.
    pub credential: Option<Vec<u8>>,
    /// What signs our calls.
    pub signing_secret: Option<Vec<u8>>,
    /// What signed them before, and until when it still does.
    pub former_signing_secret: Option<(Vec<u8>, Time)>,
}

/// An integration in a channel, with what it takes to call it.
#[derive(Clone, Debug)]
pub struct Used {
    /// The integration.
    pub app: AppIntegration,
    /// Its use there.
    pub used: ChannelUse,
    /// The sealed secrets of the installation.
    pub secrets: SealedSecrets,
}

/// Adds an integration and the organisation's installation of it.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, app: &AppIntegration, secrets: SealedSecrets) -> Result<()> {
    let integration = integration::ActiveModel { created_at: Set(app.created_at), ..changeable(app)? };
    Integrations::insert(integration).exec_without_returning(tx).await?;
    let installation = installation::ActiveModel {
        id: Set(app.installation_id.0),
        organisation_id: Set(app.organisation_id.0),
        integration_id: Set(app.id.0),
        channel_id: Set(None),
        active: Set(app.active),
        position: Set(0),
        credential: Set(secrets.credential),
        signing_secret: Set(secrets.signing_secret),
        former_signing_secret: Set(None),
        former_signs_until: Set(None),
        created_at: Set(app.created_at),
        updated_at: Set(app.updated_at),
    };
    Installations::insert(installation).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves what somebody may change; `credential` takes the place of the former one where it is given.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, app: &AppIntegration, credential: Option<Vec<u8>>) -> Result<()> {
    Integrations::update(changeable(app)?).exec(tx).await?;
    let installation = installation::ActiveModel {
        id: Set(app.installation_id.0),
        active: Set(app.active),
        credential: credential.map_or(NotSet, |sealed| Set(Some(sealed))),
        updated_at: Set(app.updated_at),
        ..Default::default()
    };
    Installations::update(installation).exec(tx).await?;
    Ok(())
}

/// Gives an installation another signing secret in the place of `replaced`, which signs as `former` for a while. `false`
/// where somebody else was first.
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

/// Removes an integration with everything that hangs on it: installations, settings, keys, ticks.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: IntegrationId) -> Result<()> {
    Integrations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// How many an organisation has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx, organisation_id: OrganisationId) -> Result<u64> {
    let query = Integrations::find().filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::Kind.eq(APP));
    Ok(query.count(tx).await?)
}

/// The integrations of an organisation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Vec<AppIntegration>> {
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

/// By identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<AppIntegration> {
    Ok(find_with_secrets(db, organisation_id, id).await?.0)
}

/// By identifier, with its sealed secrets.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_with_secrets(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<(AppIntegration, SealedSecrets)> {
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

/// The integrations that are used in a channel, in their order.
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

/// The uses of integrations in channels by their identifiers, across organisations: for ticks. Those that are gone are
/// left out.
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

/// Uses with their integrations, in the order in which they are given.
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

/// Which of some channels have an integration that is switched on.
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

/// Switches an integration on or off in a channel, or changes its place there.
///
/// # Errors
/// When the database fails.
pub async fn put_in_channel(tx: &Tx, app: &AppIntegration, wanted: &ChannelUse) -> Result<()> {
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

/// Takes an integration out of a channel.
///
/// # Errors
/// When the database fails.
pub async fn remove_from_channel(tx: &Tx, id: InstallationId) -> Result<()> {
    Installations::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Everywhere that an integration is used.
///
/// # Errors
/// When the database fails.
pub async fn uses(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
) -> Result<Vec<ChannelUse>> {
    let rows = Installations::find()
        .filter(InstallationColumn::OrganisationId.eq(organisation_id.0))
        .filter(InstallationColumn::IntegrationId.eq(id.0))
        .filter(InstallationColumn::ChannelId.is_not_null())
        .all(db)
        .await?;
    Ok(rows.iter().map(used).collect())
}

pub(super) fn secrets(installed: installation::Model) -> SealedSecrets {
    SealedSecrets {
        credential: installed.credential,
        signing_secret: installed.signing_secret,
        former_signing_secret: installed.former_signing_secret.zip(installed.former_signs_until),
    }
}

fn used(row: &installation::Model) -> ChannelUse {
    ChannelUse {
        id: row.id.into(),
        channel_id: ChannelId(row.channel_id.unwrap_or_default()),
        active: row.active,
        position: row.position,
        updated_at: row.updated_at,
    }
}
