//! Threads in Slack: the opening message of each topic.
//!
//! Not here: the decision to reply in a thread (`domain::routes`).

use ::entity::slack_thread::{ActiveModel, Column, Entity as Threads};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

use crate::domain::{
    Result,
    ambient::Time,
    ids::{DestinationId, OrganisationId},
};

/// Finds the `ts` of the message that opened the thread on a topic at a destination.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, destination_id: DestinationId, topic: &str) -> Result<Option<String>> {
    let row = Threads::find_by_id((destination_id.0, topic.to_owned())).one(db).await?;
    Ok(row.map(|row| row.slack_ts))
}

/// Saves the message that opened a thread. The first one stays.
///
/// # Errors
/// When the database fails.
pub async fn open(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    destination_id: DestinationId,
    topic: &str,
    slack_ts: &str,
    now: Time,
) -> Result<()> {
    let row = ActiveModel {
        destination_id: Set(destination_id.0),
        topic: Set(topic.to_owned()),
        organisation_id: Set(organisation_id.0),
        slack_ts: Set(slack_ts.to_owned()),
        created_at: Set(now),
    };
    let there = OnConflict::columns([Column::DestinationId, Column::Topic]).do_nothing().to_owned();
    Threads::insert(row).on_conflict(there).exec_without_returning(db).await?;
    Ok(())
}
