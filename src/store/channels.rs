//! Channels and their members.
//!
//! Not here: their keys (`channels/keys.rs`) and messages.

pub mod keys;

use ::entity::{
    channel::{ActiveModel, Column, Entity as Channels, Model as Row},
    channel_member::{self, Entity as ChannelMembers},
    member,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{OnConflict, Query},
};

use super::{Tx, is_unique_violation, kernel::batches};
use crate::domain::{
    Error, Result,
    ambient::Time,
    channels::Channel,
    error::Noun,
    ids::{ChannelId, OrganisationId, UserId},
    page::{Page, PageRequest},
    webhooks::trigger::Scene,
};

/// Inserts a channel.
///
/// # Errors
/// [`Error::Conflict`] where the name is taken.
pub async fn insert(tx: &Tx, channel: &Channel) -> Result<()> {
    Channels::insert(row(channel)).exec_without_returning(tx).await.map(drop).map_err(|e| conflict(e, channel))
}

/// Updates a channel.
///
/// # Errors
/// [`Error::Conflict`] where the name is taken.
pub async fn update(tx: &Tx, channel: &Channel) -> Result<()> {
    Channels::update(row(channel)).exec(tx).await.map(drop).map_err(|error| conflict(error, channel))
}

/// Deletes a channel and its members; its events stay.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: ChannelId) -> Result<()> {
    Channels::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds a channel by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: ChannelId) -> Result<Channel> {
    let row = Channels::find_by_id(id.0).filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    row.map(channel).ok_or_else(|| Error::not_found(Noun::Channel, id))
}

/// Finds a channel by its name.
///
/// # Errors
/// When the database fails.
pub async fn find_by_name(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    name: &str,
) -> Result<Option<Channel>> {
    let row = Channels::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::Name.eq(name))
        .one(db)
        .await?;
    Ok(row.map(channel))
}

/// Lists some channels of some organisations, with the members of direct ones.
///
/// # Errors
/// When the database fails.
pub async fn scenes(
    db: &impl ConnectionTrait,
    organisations: &[OrganisationId],
    channels: &[ChannelId],
) -> Result<Vec<Scene>> {
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Channels::find()
        .filter(Column::OrganisationId.is_in(batches::filled(organisations.iter().map(|id| id.0))))
        .filter(Column::Id.is_in(batches::filled(channels.iter().map(|id| id.0))))
        .all(db)
        .await?;
    let mut scenes = Vec::with_capacity(rows.len());
    for Channel { id, organisation_id, name, private, direct, .. } in rows.into_iter().map(channel) {
        let people = if direct { people(db, organisation_id, id).await? } else { Vec::new() };
        scenes.push(Scene { id, name, private, direct, people });
    }
    Ok(scenes)
}

/// Lists the organisation's members in a channel.
async fn people(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: ChannelId,
) -> Result<Vec<(UserId, String)>> {
    let there = Query::select()
        .column(channel_member::Column::UserId)
        .from(ChannelMembers)
        .and_where(channel_member::Column::ChannelId.eq(id.0))
        .to_owned();
    let rows = member::Entity::find()
        .filter(member::Column::OrganisationId.eq(organisation_id.0))
        .filter(member::Column::UserId.in_subquery(there))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (UserId(row.user_id), row.username)).collect())
}

/// Lists the channels of an organisation visible to a user, newest first: those joined, and public ones; with `all`
/// private ones too, except other users' direct channels.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    (user_id, all): (UserId, bool),
    page: PageRequest,
) -> Result<Page<Channel>> {
    let joined = Query::select()
        .column(channel_member::Column::ChannelId)
        .from(ChannelMembers)
        .and_where(channel_member::Column::OrganisationId.eq(organisation_id.0))
        .and_where(channel_member::Column::UserId.eq(user_id.0))
        .to_owned();
    let open = if all { Column::Direct.eq(false) } else { Column::Private.eq(false) };
    let mut query = Channels::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Condition::any().add(open).add(Column::Id.in_subquery(joined)));
    if let Some(after) = page.after {
        query = query.filter(Column::Id.lt(after));
    }
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    Ok(Page::cut(rows.into_iter().map(channel).collect(), page.limit, |channel: &Channel| channel.id.0))
}

/// Adds a user to a channel; idempotent.
///
/// # Errors
/// When the database fails.
pub async fn add_member(tx: &Tx, channel: &Channel, user_id: UserId, now: Time) -> Result<()> {
    let row = channel_member::ActiveModel {
        channel_id: Set(channel.id.0),
        user_id: Set(user_id.0),
        organisation_id: Set(channel.organisation_id.0),
        created_at: Set(now),
    };
    let already = OnConflict::columns([channel_member::Column::ChannelId, channel_member::Column::UserId])
        .do_nothing()
        .to_owned();
    ChannelMembers::insert(row).on_conflict(already).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes a user from a channel.
///
/// # Errors
/// [`Error::NotFound`] where the user was not in it.
pub async fn remove_member(tx: &Tx, id: ChannelId, user_id: UserId) -> Result<()> {
    let gone = ChannelMembers::delete_by_id((id.0, user_id.0)).exec(tx).await?;
    if gone.rows_affected == 0 { Err(Error::not_found(Noun::Member, user_id)) } else { Ok(()) }
}

/// Returns true if a user is a member of a channel.
///
/// # Errors
/// When the database fails.
pub async fn has_member(db: &impl ConnectionTrait, id: ChannelId, user_id: UserId) -> Result<bool> {
    Ok(ChannelMembers::find_by_id((id.0, user_id.0)).one(db).await?.is_some())
}

/// Lists the users in a channel, in the order of their ids.
///
/// # Errors
/// When the database fails.
pub async fn members(db: &impl ConnectionTrait, id: ChannelId, page: PageRequest) -> Result<Page<UserId>> {
    let mut query = ChannelMembers::find().filter(channel_member::Column::ChannelId.eq(id.0));
    if let Some(after) = page.after {
        query = query.filter(channel_member::Column::UserId.lt(after));
    }
    let rows = query.order_by_desc(channel_member::Column::UserId).limit(u64::from(page.limit) + 1).all(db).await?;
    Ok(Page::cut(rows.into_iter().map(|row| UserId(row.user_id)).collect(), page.limit, |id: &UserId| id.0))
}

fn conflict(error: sea_orm::DbErr, channel: &Channel) -> Error {
    if is_unique_violation(&error) {
        let message = format!("there is a channel {:?} already; choose another name", channel.name);
        Error::Conflict { noun: Noun::Channel, message }
    } else {
        error.into()
    }
}

fn row(channel: &Channel) -> ActiveModel {
    ActiveModel {
        id: Set(channel.id.0),
        organisation_id: Set(channel.organisation_id.0),
        name: Set(channel.name.clone()),
        private: Set(channel.private),
        direct: Set(channel.direct),
        archived_at: Set(channel.archived_at),
        created_by: Set(channel.created_by.0),
        created_at: Set(channel.created_at),
    }
}

fn channel(row: Row) -> Channel {
    Channel {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        name: row.name,
        private: row.private,
        direct: row.direct,
        archived_at: row.archived_at,
        created_by: row.created_by.into(),
        created_at: row.created_at,
    }
}
