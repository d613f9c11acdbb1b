//! Quotas: limits on how much owners and organisations may create. Each is counted in the creating transaction under a
//! lock, so concurrent creations cannot exceed it together.
//!
//! Not here: quotas of the registry (`registry`).

use super::Tenancy;
use crate::{
    domain::{
        Error, Result,
        ids::{OrganisationId, UserId},
        pipeline::destination::Destination,
        tenancy::member::{Member, Role},
        webhooks::WebhookRefusal,
    },
    store::{self, Tx},
};

/// Limits on how much owners and organisations may create.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Largest number of organisations that one user has created and still owns.
    pub organisations_per_owner: usize,
    /// Largest number of destinations of an organisation.
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

    /// Fails where a new destination would exceed its organisation's quota.
    pub(in crate::app) async fn demand_room_for_destination(&self, tx: &Tx, wanted: &Destination) -> Result<()> {
        let organisation_id = wanted.organisation_id;
        store::tenancy::organisations::lock(tx, organisation_id).await?;
        let there =
            store::pipeline::destinations::find_by_name(tx, organisation_id, wanted.kind.as_str(), &wanted.name)
                .await?;
        let most = self.quotas.destinations_per_organisation;
        if there.is_some() || store::pipeline::destinations::count(tx, organisation_id).await? < most {
            return Ok(());
        }
        let message = format!(
            "an organisation has at most {most} destinations (limits.destinations_per_organisation); use one that is \
             there, or ask the operator for more"
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
