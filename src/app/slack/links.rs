//! Settings of an organisation's Slack connection: read, changed, tested, removed.
//!
//! Not here: connecting (`connect`), and the token (`tokens`).

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::SlackConnections;
use crate::{
    app::{Caller, tenancy::organisations::Departure},
    domain::{
        Error, Result,
        error::{Noun, Upstream},
        ids::OrganisationId,
        pipeline::{
            delivery::DeliveryState,
            destination::{Destination, Health},
        },
        secret::Secret,
        slack::{
            self, Outcome, SlackChannel, destination,
            link::{self, SlackLink, SlackLinkChange, SlackLinkStatus},
            reason,
        },
        tenancy::member::Permission,
    },
    provider::slack::{PostAnswer, SlackClient, SlackFailure, post_body},
    store::{self, Tx, slack::links::StoredSlackLink},
};

/// A link with its destination, which has the counters.
#[derive(Clone, Debug)]
pub struct SlackIntegration {
    /// The link.
    pub link: SlackLink,
    /// Destination of its notifications.
    pub destination: Destination,
}

impl SlackConnections {
    /// Returns the organisation's Slack integration; `None` where nothing is connected.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn get_slack_integration(&self, caller: &Caller) -> Result<Option<SlackIntegration>> {
        caller.require(Permission::SlackRead)?;
        let reader = self.base.store.reader();
        let Some(stored) = store::slack::links::find(reader, caller.organisation_id).await? else { return Ok(None) };
        let destination =
            store::pipeline::destinations::find(reader, caller.organisation_id, stored.link.destination_id).await?;
        Ok(Some(SlackIntegration { link: stored.link, destination }))
    }

    /// Lists the channels that the bot can see: all public ones, and the private ones that it is in.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotConnected`], [`Error::Refused`], [`Error::UpstreamUnavailable`].
    pub async fn list_slack_channels(&self, caller: &Caller) -> Result<Vec<SlackChannel>> {
        caller.require(Permission::SlackRead)?;
        let stored = self.connected(caller).await?;
        self.channels_of(&stored).await
    }

    /// Demands that the bot can post in a channel that a member chooses. Returns false where Slack does not answer, and
    /// so cannot confirm it.
    ///
    /// # Errors
    /// [`Error::NotConnected`], [`Error::Invalid`] with the cure, [`Error::Refused`].
    pub(in crate::app) async fn confirm_channel(&self, organisation_id: OrganisationId, id: &str) -> Result<bool> {
        let not_connected = Error::NotConnected { noun: Noun::SlackLink };
        let stored =
            store::slack::links::find(self.base.store.reader(), organisation_id).await?.ok_or(not_connected)?;
        let channels = match self.channels_of(&stored).await {
            Err(Error::UpstreamUnavailable { .. }) if link::is_plausible_channel(id) => return Ok(false),
            Err(Error::UpstreamUnavailable { .. }) => Vec::new(),
            listed => listed?,
        };
        match channels.into_iter().find(|channel| channel.id == id) {
            Some(channel) if channel.is_member => Ok(true),
            Some(channel) => {
                let name = channel.name;
                let rule = format!("must be a channel that the bot is in; say /invite @… in #{name}, and try again");
                Err(Error::invalid("/address", rule))
            }
            None => Err(Error::invalid(
                "/address",
                "must be the id of a channel of the connected workspace, such as C01ABC123; a private one is seen once \
                 the bot was invited",
            )),
        }
    }

    async fn channels_of(&self, stored: &StoredSlackLink) -> Result<Vec<SlackChannel>> {
        let slack = self.slack()?;
        let token = self.or_disconnect(stored, self.open_slack_token(stored).await).await?;
        let mut answer = visible_channels(slack, &token, &stored.link).await;
        if answer.as_ref().is_err_and(|failure| failure.outcome() == Outcome::TokenExpired) {
            let token = self.or_disconnect(stored, self.renew_slack_token(stored).await).await?;
            answer = visible_channels(slack, &token, &stored.link).await;
        }
        self.settled(&stored.link, answer).await
    }

    /// Asks Slack whether the token of a link is valid.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::UpstreamUnavailable`].
    pub(super) async fn check_token(&self, stored: &StoredSlackLink) -> Result<()> {
        let slack = self.slack()?;
        let token = self.or_disconnect(stored, self.open_slack_token(stored).await).await?;
        let mut answer = slack.auth_test(&token).await;
        if answer.as_ref().is_err_and(|failure| failure.outcome() == Outcome::TokenExpired) {
            let token = self.or_disconnect(stored, self.renew_slack_token(stored).await).await?;
            answer = slack.auth_test(&token).await;
        }
        self.settled(&stored.link, answer).await
    }

    /// Changes channel, filters or status. A new channel or an activation resets the destination's health; a pause
    /// fails the pending deliveries.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotConnected`], [`Error::Invalid`].
    pub async fn update_slack_integration(&self, caller: &Caller, change: SlackLinkChange) -> Result<SlackIntegration> {
        caller.require(Permission::SlackManage)?;
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let not_connected = Error::NotConnected { noun: Noun::SlackLink };
        let stored = store::slack::links::find(&tx, caller.organisation_id).await?.ok_or(not_connected)?;
        let mut link = stored.link;
        let (channel_given, status_given) = (change.channel_id.is_some(), change.status.is_some());
        link.change(change, now)?;
        store::slack::links::update(&tx, &link).await?;
        if link.status == SlackLinkStatus::Paused {
            self.end_paused(&tx, &link).await?;
        }
        if link.status != SlackLinkStatus::Disconnected && (channel_given || status_given) {
            store::pipeline::destinations::set_address(&tx, link.destination_id, &link.channel_id).await?;
        }
        let destination = store::pipeline::destinations::find(&tx, caller.organisation_id, link.destination_id).await?;
        let detail = json!({
            "channel_id": link.channel_id,
            "status": link.status.as_str(),
            "triggers": link.triggers.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
            "link_id": link.link_id,
        });
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "slack_link.update", link.id, detail).await?;
        tx.commit().await?;
        Ok(SlackIntegration { link, destination })
    }

    /// Ends the pending deliveries to every destination that the pause of a link concerns.
    async fn end_paused(&self, tx: &Tx, link: &SlackLink) -> Result<()> {
        let (kind, now) = (&destination::SLACK, self.base.now());
        for one in store::pipeline::destinations::of_kind(tx, link.organisation_id, kind).await? {
            if let Some(reason) = destination::paused(link, &one) {
                let (state, reason) = (DeliveryState::Skipped, reason.text());
                store::pipeline::deliveries::end_pending(tx, one.id, state, reason, now).await?;
            }
        }
        Ok(())
    }

    /// Posts a fixed message to the chosen channel, also while paused, and returns whether Slack accepted it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotConnected`], [`Error::FailedPrecondition`] where no channel is chosen,
    /// [`Error::UpstreamUnavailable`].
    pub async fn test_slack_integration(&self, caller: &Caller) -> Result<bool> {
        caller.require(Permission::SlackManage)?;
        let stored = self.connected(caller).await?;
        if stored.link.channel_id.is_empty() {
            return Err(Error::FailedPrecondition {
                message: "no Slack channel is chosen; set slackChannelId first".into(),
            });
        }
        Ok(self.post_test(&stored).await?.is_ok())
    }

    /// Posts a fixed message to the channel of a link. An inner error is the code of Slack's refusal.
    pub(super) async fn post_test(&self, stored: &StoredSlackLink) -> Result<Result<(), String>> {
        let link = &stored.link;
        let organisation = store::tenancy::organisations::find(self.base.store.reader(), link.organisation_id).await?;
        let message = slack::test_message(&organisation.name, &link.channel_name);
        let body = post_body(&link.channel_id, &message, None);
        match self.post_to_slack(stored, &mut None, &body).await {
            Ok(PostAnswer::Posted { .. }) => {
                let tx = self.base.store.begin().await?;
                store::pipeline::destinations::set_health(&tx, link.destination_id, &Health::Healthy).await?;
                tx.commit().await?;
                Ok(Ok(()))
            }
            Ok(PostAnswer::Refused { code, .. }) | Err(Error::Refused { code, .. }) => {
                self.refused(link, code.clone()).await?;
                Ok(Err(code))
            }
            Ok(PostAnswer::RateLimited { retry_after, .. }) => Err(Error::UpstreamUnavailable {
                upstream: Upstream::Slack,
                reason: "it asks for a pause".into(),
                retry_after: Some(retry_after),
            }),
            Ok(PostAnswer::Unreachable { reason, .. }) => Err(Error::UpstreamUnavailable {
                upstream: Upstream::Slack,
                reason: reason.as_str().to_owned(),
                retry_after: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// Disconnects: revokes the token if Slack answers, removes the link, and fails the pending deliveries.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotConnected`].
    pub async fn delete_slack_integration(&self, caller: &Caller) -> Result<()> {
        caller.require(Permission::SlackManage)?;
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let not_connected = Error::NotConnected { noun: Noun::SlackLink };
        let stored = store::slack::links::find(&tx, caller.organisation_id).await?.ok_or(not_connected)?;
        let link = &stored.link;
        let reason = reason::DELETED.text();
        let off = Health::Disabled { reason: reason.to_owned(), since: now };
        self.switch_off_slack(&tx, link.organisation_id, reason, &off).await?;
        store::slack::links::delete(&tx, link.id).await?;
        let actor = (caller.organisation_id, caller.actor());
        self.base
            .audit(&tx, (actor.0, &actor.1), "slack_link.delete", link.id, json!({"team_id": link.team_id}))
            .await?;
        tx.commit().await?;
        self.revoke_at_slack(&stored).await;
        Ok(())
    }

    /// Revokes a link's token on a best-effort basis: the link is already removed here.
    pub(in crate::app) async fn revoke_at_slack(&self, stored: &StoredSlackLink) {
        match self.unseal_access_token(stored).await {
            Ok(token) => self.revoke_token_at_slack(stored, &token).await,
            Err(error) => tracing::warn!(%error, team_id = stored.link.team_id, "a token was not revoked"),
        }
    }

    pub(in crate::app) async fn revoke_token_at_slack(&self, stored: &StoredSlackLink, token: &Secret) {
        let revoked = async { Ok::<_, Error>(self.slack()?.revoke(token).await?) };
        if let Err(error) = revoked.await {
            tracing::warn!(%error, team_id = stored.link.team_id, "Slack did not revoke a token");
        }
    }

    pub(super) async fn connected(&self, caller: &Caller) -> Result<StoredSlackLink> {
        let found = store::slack::links::find(self.base.store.reader(), caller.organisation_id).await?;
        found.ok_or(Error::NotConnected { noun: Noun::SlackLink })
    }

    /// Passes a token on, and disconnects the link if Slack refuses to renew it permanently.
    async fn or_disconnect(&self, stored: &StoredSlackLink, token: Result<Secret>) -> Result<Secret> {
        match token {
            Err(Error::Refused { code, .. }) => Err(self.refused(&stored.link, code).await?),
            token => token,
        }
    }

    /// Applies an answer of Slack's to the link, and converts it.
    async fn settled<T>(&self, link: &SlackLink, answer: Result<T, SlackFailure>) -> Result<T> {
        match answer {
            Ok(value) => Ok(value),
            Err(SlackFailure::Refused { code }) => Err(self.refused(link, code).await?),
            Err(unavailable @ SlackFailure::Unavailable { .. }) => Err(unavailable.into()),
        }
    }

    /// Applies a refusal by Slack to the link, and converts it to an error.
    async fn refused(&self, link: &SlackLink, code: String) -> Result<Error> {
        match slack::classify(&code) {
            Outcome::ConnectionDead | Outcome::TokenExpired => self.slack_connection_died(link, &code).await?,
            Outcome::Retry | Outcome::DestinationBroken | Outcome::MessageRefused => {}
        }
        Ok(Error::Refused { upstream: Upstream::Slack, code })
    }
}

/// Lists the channels of a link's workspace, or of every workspace of its enterprise.
async fn visible_channels(
    slack: &SlackClient,
    token: &Secret,
    link: &SlackLink,
) -> Result<Vec<SlackChannel>, SlackFailure> {
    if !link.org_wide {
        return slack.list_channels(token, &link.team_id).await;
    }
    let mut channels: Vec<SlackChannel> = Vec::new();
    for team in slack.list_teams(token).await? {
        let listed = match slack.list_channels(token, &team.id).await {
            // The app was just removed from this workspace; the others still list their channels.
            Err(failure) if failure.outcome() == Outcome::DestinationBroken => continue,
            listed => listed?,
        };
        // A channel that is shared by several workspaces is listed by each.
        for channel in listed {
            if !channels.iter().any(|known| known.id == channel.id) {
                channels.push(channel);
            }
        }
    }
    Ok(channels)
}

#[async_trait]
impl Departure for SlackConnections {
    /// Opens the token while its sealing key exists, and revokes it after the organisation is deleted.
    async fn leave(&self, tx: &Tx, id: OrganisationId) -> Result<BoxFuture<'static, ()>> {
        let Some(stored) = store::slack::links::find(tx, id).await? else { return Ok(Box::pin(async {})) };
        let Ok(token) = self.unseal_access_token(&stored).await else { return Ok(Box::pin(async {})) };
        let this = self.clone();
        Ok(Box::pin(async move { this.revoke_token_at_slack(&stored, &token).await }))
    }
}
