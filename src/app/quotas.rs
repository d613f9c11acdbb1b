//! Quotas: bounds on what owners and organisations may create. Each is counted in the transaction that creates, under a
//! lock, so creations at the same time do not exceed it together.
//!
//! Destinations are counted by what somebody set up, whether or not anything was sent there yet: the Slack link, each Slack
//! channel with subscriptions, each URL of an outgoing webhook, each installed integration. What comes to be while an event
//! is accepted (the first delivery to a channel of ours, to a person in Slack, to a workflow) is neither counted nor
//! refused: an event that was let in is not lost for a quota.
//!
//! Not here: quotas of the registry (`registry`).

use std::collections::HashSet;

use super::App;
use crate::{
    domain::{
        Error, Result,
        destination::Destination,
        ids::{OrganisationId, UserId},
        member::{Member, Role},
        webhook_integration::{Direction, Outgoing, WebhookIntegration, WebhookRefusal},
    },
    store::{self, Tx},
};

/// Bounds on what owners and organisations may create.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Organisations that one user has created and still owns.
    pub organisations_per_owner: usize,
    /// Destinations that an organisation sets up.
    pub destinations_per_organisation: u64,
    /// Webhooks of an organisation, incoming and outgoing.
    pub webhooks_per_organisation: usize,
}

impl App {
    /// Fails where a user has created as many organisations as one owner may. Those that others made them an owner of are
    /// not counted: anybody could use their quota up.
    pub(super) async fn demand_room_for_organisation(&self, tx: &Tx, user_id: UserId) -> Result<()> {
        store::members::lock_user(tx, user_id).await?;
        let memberships = store::members::of_subject(tx, &user_id.to_string()).await?;
        let owns = |member: &&Member| member.user_id == user_id && member.role == Role::Owner;
        let owned: Vec<_> = memberships.iter().filter(owns).collect();
        let ids: Vec<OrganisationId> = owned.iter().map(|member| member.organisation_id).collect();
        let organisations = store::organisations::list(tx, &ids).await?;
        let created = owned.iter().filter(|member| {
            let mut of = organisations.iter().filter(|organisation| organisation.id == member.organisation_id);
            of.any(|organisation| organisation.created_at == member.created_at)
        });
        let most = self.parts.quotas.organisations_per_owner;
        if created.count() < most {
            return Ok(());
        }
        let message = format!(
            "an owner may create at most {most} organisations (limits.organisations_per_owner); have one deleted, or \
             ask the operator for more"
        );
        Err(Error::FailedPrecondition { message })
    }

    /// Fails where a Slack channel has no subscription yet, and its organisation has as many destinations as it may.
    pub(super) async fn demand_room_for_channel(&self, tx: &Tx, wanted: &Destination) -> Result<()> {
        let organisation_id = wanted.organisation_id;
        store::organisations::lock(tx, organisation_id).await?;
        let there = store::destinations::find_by_name(tx, organisation_id, wanted.kind.as_str(), &wanted.name).await?;
        let subscribed = store::subscriptions::destinations(tx, organisation_id).await?;
        let is_new = !there.is_some_and(|there| subscribed.contains(&there.id));
        self.demand_room_for_destinations(tx, organisation_id, usize::from(is_new)).await
    }

    /// Fails where a webhook has more URLs than before, and its organisation would have more destinations than it may.
    pub(super) async fn demand_room_for_urls(
        &self,
        tx: &Tx,
        former: Option<&WebhookIntegration>,
        wanted: &WebhookIntegration,
    ) -> Result<()> {
        let more = destinations_of(wanted).saturating_sub(former.map_or(0, destinations_of));
        self.demand_room_for_destinations(tx, wanted.organisation_id, more).await
    }

    /// Fails where an organisation would have more destinations than it may with so many more.
    pub(super) async fn demand_room_for_destinations(
        &self,
        tx: &Tx,
        organisation_id: OrganisationId,
        more: usize,
    ) -> Result<()> {
        if more == 0 {
            return Ok(());
        }
        store::organisations::lock(tx, organisation_id).await?;
        let linked = usize::from(store::slack_links::find(tx, organisation_id).await?.is_some());
        let subscribed = store::subscriptions::destinations(tx, organisation_id).await?.len();
        let integrations = store::app_integrations::count(tx, organisation_id).await?;
        let webhooks = store::webhook_integrations::setups(tx, organisation_id).await?;
        let urls: usize = webhooks.iter().map(urls_of).sum();
        let most = self.parts.quotas.destinations_per_organisation;
        if (linked + subscribed + urls + more) as u64 + integrations <= most {
            return Ok(());
        }
        let message = format!(
            "an organisation has at most {most} destinations (limits.destinations_per_organisation): Slack channels, \
             URLs of outgoing webhooks and integrations; use one that is there, or ask the operator for more"
        );
        Err(Error::FailedPrecondition { message })
    }

    /// Fails where an organisation has as many webhooks as it may.
    pub(super) async fn demand_room_for_webhook(&self, tx: &Tx, organisation_id: OrganisationId) -> Result<()> {
        store::organisations::lock(tx, organisation_id).await?;
        let most = self.parts.quotas.webhooks_per_organisation;
        match store::webhook_integrations::count(tx, organisation_id).await? < most as u64 {
            true => Ok(()),
            false => Err(WebhookRefusal::TooMany(most).into()),
        }
    }
}

/// Number of destinations that a webhook has: its URLs, each once.
fn destinations_of(webhook: &WebhookIntegration) -> usize {
    match &webhook.direction {
        Direction::Outgoing(outgoing) => urls_of(outgoing),
        Direction::Incoming(_) => 0,
    }
}

fn urls_of(outgoing: &Outgoing) -> usize {
    outgoing.urls.iter().collect::<HashSet<_>>().len()
}
