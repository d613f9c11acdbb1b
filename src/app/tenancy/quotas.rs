//! Quotas: limits on how much owners and organisations may create. Each is counted in the creating transaction under a
//! lock, so concurrent creations cannot exceed it together.
//!
//! Destinations are counted as they are configured, even before their first delivery: the Slack link, each Slack
//! channel with subscriptions, each destination of a route, each URL of an outgoing webhook, each installed app. A destination that the acceptance
//! of an event creates (the first delivery to a channel of ours, to a person in Slack, to a workflow) is neither
//! counted nor refused: an accepted event is not lost to a quota.
//!
//! Not here: quotas of the registry (`registry`).

use std::collections::HashSet;

use super::Tenancy;
use crate::{
    domain::{
        Error, Result,
        ids::{OrganisationId, UserId},
        tenancy::member::{Member, Role},
        webhooks::{Direction, Outgoing, Webhook, WebhookRefusal, endpoint::WEBHOOK},
    },
    store::{self, Tx},
};

/// Limits on how much owners and organisations may create.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Largest number of organisations that one user has created and still owns.
    pub organisations_per_owner: usize,
    /// Largest number of destinations that an organisation sets up.
    pub destinations_per_organisation: u64,
    /// Largest number of webhooks of an organisation, incoming and outgoing.
    pub webhooks_per_organisation: usize,
}

impl Tenancy {
    /// Fails where a user has created the largest number of organisations. Organisations that others made them an owner
    /// of are not counted, since anybody could exhaust their quota.
    pub(in crate::app) async fn demand_room_for_organisation(&self, tx: &Tx, user_id: UserId) -> Result<()> {
        store::tenancy::members::lock_user(tx, user_id).await?;
        let memberships = store::tenancy::members::of_subject(tx, &user_id.to_string()).await?;
        let owns = |member: &&Member| member.user_id == user_id && member.role == Role::Owner;
        let owned: Vec<_> = memberships.iter().filter(owns).collect();
        let ids: Vec<OrganisationId> = owned.iter().map(|member| member.organisation_id).collect();
        let organisations = store::tenancy::organisations::list(tx, &ids).await?;
        let created = owned.iter().filter(|member| {
            let mut of = organisations.iter().filter(|organisation| organisation.id == member.organisation_id);
            of.any(|organisation| organisation.created_at == member.created_at)
        });
        let most = self.quotas.organisations_per_owner;
        if created.count() < most {
            return Ok(());
        }
        let message = format!(
            "an owner may create at most {most} organisations (limits.organisations_per_owner); have one deleted, or \
             ask the operator for more"
        );
        Err(Error::FailedPrecondition { message })
    }

    /// Fails where the additional URLs of a webhook would exceed its organisation's quota of destinations.
    pub(in crate::app) async fn demand_room_for_urls(
        &self,
        tx: &Tx,
        former: Option<&Webhook>,
        wanted: &Webhook,
    ) -> Result<()> {
        let more = destinations_of(wanted).saturating_sub(former.map_or(0, destinations_of));
        self.demand_room_for_destinations(tx, wanted.organisation_id, more).await
    }

    /// Fails where so many more destinations would exceed an organisation's quota.
    pub(in crate::app) async fn demand_room_for_destinations(
        &self,
        tx: &Tx,
        organisation_id: OrganisationId,
        more: usize,
    ) -> Result<()> {
        if more == 0 {
            return Ok(());
        }
        store::tenancy::organisations::lock(tx, organisation_id).await?;
        let linked = store::slack::links::find(tx, organisation_id).await?.map(|stored| stored.link.destination_id);
        let mut chosen: HashSet<_> = linked.into_iter().collect();
        chosen.extend(store::routes::destinations(tx, organisation_id).await?);
        let made = store::pipeline::destinations::of_kind(tx, organisation_id, &WEBHOOK).await?;
        chosen.extend(made.into_iter().map(|one| one.id));
        let integrations = store::apps::installations::count(tx, organisation_id).await?;
        let webhooks = store::webhooks::setups(tx, organisation_id).await?;
        let urls: usize = webhooks.iter().map(urls_of).sum();
        let most = self.quotas.destinations_per_organisation;
        if (chosen.len() + urls + more) as u64 + integrations <= most {
            return Ok(());
        }
        let message = format!(
            "an organisation has at most {most} destinations (limits.destinations_per_organisation): Slack channels, \
             destinations of routes, URLs of outgoing webhooks and integrations; use one that is there, or ask the operator for more"
        );
        Err(Error::FailedPrecondition { message })
    }

    /// Fails where another webhook would exceed an organisation's quota.
    pub(in crate::app) async fn demand_room_for_webhook(&self, tx: &Tx, organisation_id: OrganisationId) -> Result<()> {
        store::tenancy::organisations::lock(tx, organisation_id).await?;
        let most = self.quotas.webhooks_per_organisation;
        match store::webhooks::count(tx, organisation_id).await? < most as u64 {
            true => Ok(()),
            false => Err(WebhookRefusal::TooMany(most).into()),
        }
    }
}

/// Returns the number of a webhook's destinations: its distinct URLs.
fn destinations_of(webhook: &Webhook) -> usize {
    match &webhook.direction {
        Direction::Outgoing(outgoing) => urls_of(outgoing),
        Direction::Incoming(_) => 0,
    }
}

fn urls_of(outgoing: &Outgoing) -> usize {
    outgoing.urls.iter().collect::<HashSet<_>>().len()
}
