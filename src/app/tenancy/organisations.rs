//! Organisations: created by the operator or by an owner of another; each begins with an owner.
//!
//! Not here: quotas (`quotas`) and members (`members`).

use async_trait::async_trait;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::OrganisationId,
        tenancy::{
            member::{Member, Permission, Role},
            organisation::{Organisation, Slug, display_name},
        },
    },
    store::{self, Tx},
};

const NAME_CHARS: usize = 100;

/// Cleanup of another component in the deletion of an organisation.
#[async_trait]
pub trait Departure: Send + Sync {
    /// Cleans up in the transaction of the deletion. The future that it returns is awaited after the commit.
    ///
    /// # Errors
    /// When the database fails.
    async fn leave(&self, tx: &Tx, id: OrganisationId) -> Result<BoxFuture<'static, ()>>;
}

impl Tenancy {
    /// Creates an organisation as the operator, from the command line; it has no members yet.
    ///
    /// # Errors
    /// [`Error::Invalid`], or [`Error::Conflict`] where the slug is taken.
    pub async fn create_organisation_as_operator(&self, slug: &str, name: Option<&str>) -> Result<Organisation> {
        let organisation = self.new_organisation(slug, name)?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::insert(&tx, &organisation).await?;
        self.base.audit(&tx, (organisation.id, "operator"), "organisation.create", organisation.id, json!({})).await?;
        tx.commit().await?;
        Ok(organisation)
    }

    /// Returns the caller by which the operator at the command line acts in an organisation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn act_as_operator(&self, slug: &str) -> Result<Caller> {
        let unknown = || Error::not_found(Noun::Organisation, slug);
        let wanted = Slug::parse(slug).map_err(|_| unknown())?;
        let found = store::tenancy::organisations::find_by_slug(self.base.store.reader(), &wanted).await?;
        Ok(Caller::at_command_line(found.ok_or_else(unknown)?.id))
    }

    /// Deletes an organisation with everything that it owns, as the operator, from the command line. Pending deliveries
    /// are dropped; their records go by retention. Installations of its versions by others stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_organisation_as_operator(
        &self,
        slug: &str,
        departures: &[&dyn Departure],
    ) -> Result<Organisation> {
        let unknown = || Error::not_found(Noun::Organisation, slug);
        let tx = self.base.store.begin().await?;
        let wanted = Slug::parse(slug).map_err(|_| unknown())?;
        let organisation = store::tenancy::organisations::find_by_slug(&tx, &wanted).await?.ok_or_else(unknown)?;
        let mut afterwards = Vec::with_capacity(departures.len());
        for departure in departures {
            afterwards.push(departure.leave(&tx, organisation.id).await?);
        }
        store::tenancy::organisations::delete(&tx, organisation.id).await?;
        tx.commit().await?;
        join_all(afterwards).await;
        tracing::info!(id = %organisation.id, slug, "an organisation was deleted");
        Ok(organisation)
    }

    /// Creates an organisation whose owner is the caller.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::FailedPrecondition`] where the caller has created as many as
    /// they may, or [`Error::Conflict`] where the slug is taken.
    pub async fn create_organisation(&self, caller: &Caller, slug: &str, name: Option<&str>) -> Result<Organisation> {
        caller.require(Permission::OrganisationManage)?;
        let organisation = self.new_organisation(slug, name)?;
        let tx = self.base.store.begin().await?;
        self.demand_room_for_organisation(&tx, caller.user_id).await?;
        let creator = store::tenancy::members::find(&tx, caller.organisation_id, caller.user_id).await?;
        let mut owner = Member {
            id: self.base.ambient.id(),
            organisation_id: organisation.id,
            role: Role::Owner,
            permissions: None,
            created_at: organisation.created_at,
            ..creator
        };
        // An identity that was admitted by an issuer's claim is accepted for this membership by presenting it.
        if let Some(sub) = &caller.subject {
            owner.accept(sub);
        }
        store::tenancy::organisations::insert(&tx, &organisation).await?;
        store::tenancy::members::insert(&tx, &owner).await?;
        let who = (organisation.id, caller.actor());
        self.base.audit(&tx, (who.0, &who.1), "organisation.create", organisation.id, json!({})).await?;
        tx.commit().await?;
        Ok(organisation)
    }

    /// Lists the organisations of which the authenticated identity is a member.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_organisations(&self, caller: &Caller) -> Result<Vec<Organisation>> {
        caller.require(Permission::OrganisationRead)?;
        let reader = self.base.store.reader();
        let ids: Vec<OrganisationId> = match &caller.subject {
            // A token is scoped to one organisation, and must not disclose others.
            None => vec![caller.organisation_id],
            // Not by the user's id: any organisation may add any user as a member, under a subject of its choice.
            Some(subject) => {
                let memberships = store::tenancy::members::of_subject(reader, subject).await?;
                let here = |id: OrganisationId| id == caller.organisation_id;
                let theirs = memberships.iter().filter(|one| one.answers_to(subject) || here(one.organisation_id));
                theirs.map(|member| member.organisation_id).collect()
            }
        };
        store::tenancy::organisations::list(reader, &ids).await
    }

    /// Returns an organisation.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or [`Error::NotFound`] for another organisation.
    pub async fn get_organisation(&self, caller: &Caller, id: OrganisationId) -> Result<Organisation> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::OrganisationRead)?;
        store::tenancy::organisations::find(self.base.store.reader(), id).await
    }

    /// Renames an organisation.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], or [`Error::NotFound`] for another organisation.
    pub async fn update_organisation(&self, caller: &Caller, id: OrganisationId, name: &str) -> Result<Organisation> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::OrganisationManage)?;
        let name = display_name("/name", name, NAME_CHARS)?;
        let tx = self.base.store.begin().await?;
        let mut organisation = store::tenancy::organisations::find(&tx, id).await?;
        organisation.name = name;
        store::tenancy::organisations::update(&tx, &organisation).await?;
        self.base
            .audit(&tx, (id, &caller.actor()), "organisation.update", id, json!({"name": organisation.name}))
            .await?;
        tx.commit().await?;
        Ok(organisation)
    }

    /// Reports another tenant's organisation as not found, never as forbidden.
    pub(in crate::app) fn own_organisation(&self, caller: &Caller, id: OrganisationId) -> Result<()> {
        if caller.organisation_id == id { Ok(()) } else { Err(Error::not_found(Noun::Organisation, id)) }
    }

    fn new_organisation(&self, slug: &str, name: Option<&str>) -> Result<Organisation> {
        let slug = Slug::parse(slug)?;
        let name = display_name("/name", name.unwrap_or(slug.as_str()), NAME_CHARS)?;
        Ok(Organisation { id: self.base.ambient.id(), slug, name, created_at: self.base.now() })
    }
}
