//! Invitations: memberships for a user or a subject, which take effect once the holder of that identity accepts.
//!
//! Not here: creating and changing a membership (`members`).

use serde_json::json;

use super::Tenancy;
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{MemberId, OrganisationId},
        tenancy::{
            member::{Member, Role},
            organisation::{Organisation, Slug},
        },
    },
    store::{self, Tx},
};

/// Subject of a verified JWT, which need not be a member of any organisation.
#[derive(Clone, Debug)]
pub struct Subject(String);

/// Membership that is offered to a subject.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Id of the membership.
    pub id: MemberId,
    /// The inviting organisation.
    pub organisation: Organisation,
    /// Username in that organisation.
    pub username: String,
    /// The role.
    pub role: Role,
    /// Time at which the member was added.
    pub created_at: Time,
}

impl Tenancy {
    /// Returns the subject of a JWT, which need not be a member of any organisation.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], also for a personal access token: it proves no subject.
    pub async fn identify_subject(&self, text: &str) -> Result<Subject> {
        self.subject_of(text).await.map(Subject)
    }

    /// Lists the invitations of a subject, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_invitations(&self, who: &Subject) -> Result<Vec<Invitation>> {
        let reader = self.base.store.reader();
        let named = store::tenancy::members::of_subject(reader, &who.0).await?;
        let invited: Vec<Member> = named.into_iter().filter(|member| member.invites(&who.0)).collect();
        let ids: Vec<OrganisationId> = invited.iter().map(|member| member.organisation_id).collect();
        let organisations = store::tenancy::organisations::list(reader, &ids).await?;
        let offered = invited.into_iter().rev().filter_map(|member| {
            let organisation = organisations.iter().find(|one| one.id == member.organisation_id)?.clone();
            let Member { id, username, role, created_at, .. } = member;
            Some(Invitation { id, organisation, username, role, created_at })
        });
        Ok(offered.collect())
    }

    /// Accepts an invitation: from then on the subject's JWTs authenticate the member.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for an invitation of another subject.
    pub async fn accept_invitation(&self, who: &Subject, id: MemberId) -> Result<Member> {
        let tx = self.base.store.begin().await?;
        let mut member = invited(&tx, who, id).await?;
        member.accept(&who.0);
        store::tenancy::members::update(&tx, &member).await?;
        let actor = (member.organisation_id, member.user_id.to_string());
        self.base.audit(&tx, (actor.0, &actor.1), "invitation.accept", member.user_id, json!({})).await?;
        tx.commit().await?;
        self.identity.forget();
        Ok(member)
    }

    /// Declines an invitation. An invited person's membership is removed; an existing member who was offered another
    /// subject loses that subject only.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for an invitation of another subject.
    pub async fn decline_invitation(&self, who: &Subject, id: MemberId) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let mut member = invited(&tx, who, id).await?;
        if member.is_invited() {
            store::tenancy::members::delete(&tx, member.id).await?;
        } else {
            (member.subject, member.unproven.subject) = (None, false);
            store::tenancy::members::update(&tx, &member).await?;
        }
        let actor = (member.organisation_id, member.user_id.to_string());
        self.base.audit(&tx, (actor.0, &actor.1), "invitation.decline", member.user_id, json!({})).await?;
        tx.commit().await?;
        self.identity.forget();
        Ok(())
    }

    /// Returns the memberships that a JWT's `sub` authenticates: those that it accepted, and those in organisations
    /// that its issuer asserts.
    pub(in crate::app) async fn memberships_of(&self, sub: &str, asserted: &[String]) -> Result<Vec<Member>> {
        let reader = self.base.store.reader();
        let named = store::tenancy::members::of_subject(reader, sub).await?;
        let mut slugs = Vec::new();
        for name in asserted.iter().filter(|_| named.iter().any(|member| member.invites(sub))) {
            if let Ok(slug) = Slug::parse(name) {
                slugs.extend(store::tenancy::organisations::find_by_slug(reader, &slug).await?.map(|found| found.id));
            }
        }
        let counts = |member: &Member| {
            let id = member.organisation_id;
            member.answers_to(sub)
                || (member.invites(sub) && (slugs.contains(&id) || asserted.iter().any(|name| name.parse() == Ok(id))))
        };
        Ok(named.into_iter().filter(counts).collect())
    }
}

/// Finds an invitation of a subject.
async fn invited(tx: &Tx, who: &Subject, id: MemberId) -> Result<Member> {
    let not_found = || Error::not_found(Noun::Invitation, id);
    let found = store::tenancy::members::find_by_id(tx, id).await.map_err(|error| match error {
        Error::NotFound { .. } => not_found(),
        other => other,
    })?;
    if found.invites(&who.0) { Ok(found) } else { Err(not_found()) }
}
