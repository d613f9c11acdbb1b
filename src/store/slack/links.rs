//! Slack links, with their sealed tokens.
//!
//! Not here: the decryption of tokens.

use std::collections::BTreeSet;

use ::entity::{
    destination::{self, Entity as Destinations},
    slack_link::{ActiveModel, Column, Entity as SlackLinks, Model as Row},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{OrganisationId, SlackLinkId},
        pipeline::destination::Destination,
        routes::workflow_step::StepKind,
        slack::link::{SlackLink, SlackLinkStatus},
    },
    store::{Tx, corrupt, is_unique_violation, kernel::batches},
};

/// A link with its tokens, still sealed.
#[derive(Clone, Debug)]
pub struct StoredSlackLink {
    /// The link.
    pub link: SlackLink,
    /// The sealed tokens.
    pub tokens: SealedTokens,
}

/// Sealed credentials of a link, encrypted by `app::tenancy::vault`.
#[derive(Clone, Debug)]
pub struct SealedTokens {
    /// The bot token.
    pub access_token: Vec<u8>,
    /// With token rotation: the refresh token.
    pub refresh_token: Option<Vec<u8>>,
    /// With token rotation: expiry of the bot token.
    pub expires_at: Option<Time>,
    /// The incoming webhook, if there is one. A renewal leaves it as it is.
    pub webhook_url: Option<Vec<u8>>,
    /// URL of the page at Slack on which to change it.
    pub configuration_url: String,
}

/// Inserts a link; `scopes` are those granted by Slack.
///
/// # Errors
/// [`Error::Conflict`] if the workspace belongs to another organisation, or the organisation has a link already.
pub async fn insert(tx: &Tx, stored: &StoredSlackLink, scopes: &str) -> Result<()> {
    let StoredSlackLink { link, tokens } = stored;
    let row = ActiveModel {
        organisation_id: Set(link.organisation_id.0),
        destination_id: Set(link.destination_id.0),
        created_by: Set(link.created_by.0),
        team_id: Set(link.team_id.clone()),
        team_name: Set(link.team_name.clone()),
        enterprise_id: Set(link.enterprise_id.clone()),
        app_id: Set(link.app_id.clone()),
        org_wide: Set(link.org_wide),
        bot_user_id: Set(link.bot_user_id.clone()),
        scopes: Set(scopes.to_owned()),
        access_token: Set(tokens.access_token.clone()),
        refresh_token: Set(tokens.refresh_token.clone()),
        token_expires_at: Set(tokens.expires_at),
        webhook_url: Set(tokens.webhook_url.clone()),
        configuration_url: Set(tokens.configuration_url.clone()),
        refreshing_until: Set(None),
        created_at: Set(link.created_at),
        ..changeable(link)
    };
    match SlackLinks::insert(row).exec_without_returning(tx).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::Conflict {
            noun: Noun::SlackLink,
            message: format!(
                "the Slack workspace {:?} is connected to another organisation; disconnect it there first",
                link.team_name
            ),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Updates the changeable fields: channel, filters, status.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &Tx, link: &SlackLink) -> Result<()> {
    SlackLinks::update(changeable(link)).exec(tx).await?;
    Ok(())
}

/// Marks a link as disconnected. `false` if it was replaced or deleted in the meantime: nothing is changed then.
///
/// # Errors
/// When the database fails.
pub async fn disconnect(tx: &Tx, id: SlackLinkId, now: Time) -> Result<bool> {
    let disconnected = SlackLinks::update_many()
        .col_expr(Column::Status, Expr::value(SlackLinkStatus::Disconnected.as_str()))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(disconnected.rows_affected == 1)
}

/// Claims the renewal of a link's token, so that it happens once: Slack revokes the old refresh token on its first use.
/// `false` while another caller renews it, and if another has renewed it since `seen` was read.
///
/// # Errors
/// When the database fails.
pub async fn begin_refresh(db: &impl ConnectionTrait, seen: &StoredSlackLink, now: Time, until: Time) -> Result<bool> {
    let taken = SlackLinks::update_many()
        .col_expr(Column::RefreshingUntil, Expr::value(until))
        .filter(Column::Id.eq(seen.link.id.0))
        .filter(Column::AccessToken.eq(seen.tokens.access_token.clone()))
        .filter(Column::RefreshingUntil.is_null().or(Column::RefreshingUntil.lte(now)))
        .exec(db)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Releases that claim after a failed renewal, so that the next try need not wait for its expiry.
///
/// # Errors
/// When the database fails.
pub async fn end_refresh(db: &impl ConnectionTrait, id: SlackLinkId) -> Result<()> {
    SlackLinks::update_many()
        .col_expr(Column::RefreshingUntil, Expr::value(None::<Time>))
        .filter(Column::Id.eq(id.0))
        .exec(db)
        .await?;
    Ok(())
}

/// Saves renewed tokens.
///
/// # Errors
/// When the database fails.
pub async fn save_tokens(db: &impl ConnectionTrait, id: SlackLinkId, tokens: &SealedTokens) -> Result<()> {
    let row = ActiveModel {
        id: Set(id.0),
        access_token: Set(tokens.access_token.clone()),
        refresh_token: Set(tokens.refresh_token.clone()),
        token_expires_at: Set(tokens.expires_at),
        refreshing_until: Set(None),
        ..Default::default()
    };
    SlackLinks::update(row).exec(db).await?;
    Ok(())
}

/// Deletes a link.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: SlackLinkId) -> Result<()> {
    SlackLinks::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Finds an organisation's link.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Option<StoredSlackLink>> {
    let row = SlackLinks::find().filter(Column::OrganisationId.eq(organisation_id.0)).one(db).await?;
    row.map(stored).transpose()
}

/// Lists the links of some organisations, each with its destination.
///
/// # Errors
/// When the database fails.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    ids: &[OrganisationId],
) -> Result<Vec<(SlackLink, Destination)>> {
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let sends_to = SlackLinks::belongs_to(Destinations).from(Column::DestinationId).to(destination::Column::Id).into();
    let rows = SlackLinks::find()
        .filter(Column::OrganisationId.is_in(ids))
        .join(JoinType::InnerJoin, sends_to)
        .select_also(Destinations)
        .all(db)
        .await?;
    let both = |(link, destination): (Row, Option<destination::Model>)| {
        let destination = destination.ok_or_else(|| corrupt("slack_link", "destination_id", link.destination_id))?;
        Ok((stored(link)?.link, crate::store::pipeline::destinations::destination(destination)?))
    };
    rows.into_iter().map(both).collect()
}

/// Finds the link of a workspace named by Slack: its own, or else its enterprise's org-wide one.
///
/// # Errors
/// When the database fails.
pub async fn find_by_workspace(
    db: &impl ConnectionTrait,
    team_id: Option<&str>,
    enterprise_id: Option<&str>,
) -> Result<Option<StoredSlackLink>> {
    let names = team_id.into_iter().chain(enterprise_id);
    let rows = SlackLinks::find().filter(Column::TeamId.is_in(names)).all(db).await?;
    let own = rows.iter().position(|row| team_id == Some(&row.team_id));
    let found = own.or_else(|| rows.iter().position(|row| row.org_wide));
    found.and_then(|index| rows.into_iter().nth(index)).map(stored).transpose()
}

/// Lists the links of some organisations.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, ids: &[OrganisationId]) -> Result<Vec<StoredSlackLink>> {
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let rows = SlackLinks::find().filter(Column::OrganisationId.is_in(ids)).all(db).await?;
    rows.into_iter().map(stored).collect()
}

/// Lists the paused links of some organisations.
///
/// # Errors
/// When the database fails.
pub async fn paused(db: &impl ConnectionTrait, ids: &[OrganisationId]) -> Result<Vec<SlackLink>> {
    let ids = batches::filled(ids.iter().map(|id| id.0));
    let query = SlackLinks::find().filter(Column::OrganisationId.is_in(ids));
    let rows = query.filter(Column::Status.eq(SlackLinkStatus::Paused.as_str())).all(db).await?;
    rows.into_iter().map(|row| Ok(stored(row)?.link)).collect()
}

fn changeable(link: &SlackLink) -> ActiveModel {
    let triggers: Vec<&str> = link.triggers.iter().map(|kind| kind.as_str()).collect();
    ActiveModel {
        id: Set(link.id.0),
        channel_id: Set(link.channel_id.clone()),
        channel_name: Set(link.channel_name.clone()),
        status: Set(link.status.as_str().to_owned()),
        triggers: Set(triggers.into()),
        filter_link_id: Set(link.link_id.map(|id| id.to_string()).unwrap_or_default()),
        updated_at: Set(link.updated_at),
        created_at: NotSet,
        ..Default::default()
    }
}

fn stored(row: Row) -> Result<StoredSlackLink> {
    let triggers = row.triggers.as_array().into_iter().flatten().filter_map(|name| name.as_str());
    let triggers: Result<BTreeSet<StepKind>> = triggers.map(str::parse).collect();
    let link_id = match row.filter_link_id.as_str() {
        "" => None,
        id => Some(Uuid::parse_str(id).map_err(|error| corrupt("slack_link", "filter_link_id", error))?),
    };
    let link = SlackLink {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        destination_id: row.destination_id.into(),
        created_by: row.created_by.into(),
        team_id: row.team_id,
        org_wide: row.org_wide,
        enterprise_id: row.enterprise_id,
        app_id: row.app_id,
        bot_user_id: row.bot_user_id,
        team_name: row.team_name,
        channel_id: row.channel_id,
        channel_name: row.channel_name,
        status: row.status.parse().map_err(|error| corrupt("slack_link", "status", error))?,
        triggers: triggers.map_err(|error| corrupt("slack_link", "triggers", error))?,
        link_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    let tokens = SealedTokens {
        access_token: row.access_token,
        refresh_token: row.refresh_token,
        expires_at: row.token_expires_at,
        webhook_url: row.webhook_url,
        configuration_url: row.configuration_url,
    };
    Ok(StoredSlackLink { link, tokens })
}
