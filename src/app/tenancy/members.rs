//! Members of an organisation, their roles and permissions.
//!
//! Not here: the acceptance of an invitation (`invitations`).

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::{OrganisationId, UserId},
        page::{Page, PageRequest},
        tenancy::{
            member::{self, Member, Permission, Role, Unproven},
            organisation::Slug,
        },
    },
    store::{self, Tx},
};

/// A member to be created.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// An existing user of the service; `None` for a new one.
    pub user_id: Option<UserId>,
    /// Unique within the organisation.
    pub username: String,
    /// Email address, for display.
    pub email: Option<String>,
    /// `sub` of the member's JWTs at an external issuer.
    pub subject: Option<String>,
    /// The role.
    pub role: Role,
}

/// A patch of a member: `None` leaves a field as it is. A new role without permissions brings the role's own.
#[derive(Clone, Debug, Default)]
pub struct MemberChange {
    /// The role.
    pub role: Option<Role>,
    /// The permissions, listed individually.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Email address, for display.
    pub email: Option<String>,
    /// `sub` of the member's JWTs at an external issuer.
    pub subject: Option<String>,
}

/// Committer of the events of membership.
#[async_trait]
pub trait Announcer: Send + Sync {
    /// Commits a transaction that adds a member, together with the event that announces it.
    ///
    /// # Errors
    /// When the database fails.
    async fn commit_new_member(&self, tx: Tx, member: &Member) -> Result<()>;
}

impl Tenancy {
    /// Adds a member. A member with a user id or a subject that the caller does not prove to own is invited: the
    /// membership takes effect once it is accepted.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for another organisation, [`Error::Invalid`], [`Error::Conflict`].
    pub async fn add_member(&self, caller: &Caller, id: OrganisationId, new: NewMember) -> Result<Member> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::MembersManage)?;
        caller.require_all(&new.role.implies())?;
        caller.require_rank(new.role)?;
        let named = new.user_id.is_some() || new.subject.as_deref().is_some_and(|subject| !subject.is_empty());
        let unproven = Unproven { user: named, subject: claims_another(caller, new.subject.as_deref()) };
        let member = Member { unproven, ..self.new_member(id, new)? };
        let tx = self.base.store.begin().await?;
        store::tenancy::members::insert(&tx, &member).await?;
        let detail = json!({"role": member.role.as_str(), "invited": member.is_invited()});
        self.base.audit(&tx, (id, &caller.actor()), "member.add", member.user_id, detail).await?;
        self.announcer.commit_new_member(tx, &member).await?;
        Ok(member)
    }

    /// Finds a member by username as the operator, or creates one. The operator's statement of a user or a subject is
    /// trusted without acceptance.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such organisation, [`Error::Invalid`].
    pub async fn ensure_member_as_operator(&self, slug: &str, new: NewMember) -> Result<Member> {
        let slug = Slug::parse(slug)?;
        let tx = self.base.store.begin().await?;
        let organisation = store::tenancy::organisations::find_by_slug(&tx, &slug)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Organisation, slug.as_str()))?;
        if let Some(member) = store::tenancy::members::find_by_username(&tx, organisation.id, &new.username).await? {
            return Ok(member);
        }
        let member = self.new_member(organisation.id, new)?;
        store::tenancy::members::insert(&tx, &member).await?;
        let detail = json!({"role": member.role.as_str()});
        self.base.audit(&tx, (organisation.id, "operator"), "member.add", member.user_id, detail).await?;
        self.announcer.commit_new_member(tx, &member).await?;
        Ok(member)
    }

    /// Lists the members, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for another organisation.
    pub async fn list_members(&self, caller: &Caller, id: OrganisationId, page: PageRequest) -> Result<Page<Member>> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::MembersRead)?;
        store::tenancy::members::list(self.base.store.reader(), id, page).await
    }

    /// Returns a member.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_member(&self, caller: &Caller, id: OrganisationId, user_id: UserId) -> Result<Member> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::MembersRead)?;
        store::tenancy::members::find(self.base.store.reader(), id, user_id).await
    }

    /// Changes a member. A caller grants only permissions that they hold, only owners act on owners, and the last owner
    /// stays one. A new subject takes effect once it accepts.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`], [`Error::FailedPrecondition`] for the last owner.
    pub async fn update_member(
        &self,
        caller: &Caller,
        id: OrganisationId,
        user_id: UserId,
        change: MemberChange,
    ) -> Result<Member> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::MembersManage)?;
        let tx = self.base.store.begin().await?;
        let mut member = store::tenancy::members::find(&tx, id, user_id).await?;
        let was_full_owner = member.is_full_owner();
        caller.require_all(&member.effective_permissions())?;
        caller.require_rank(member.role)?;
        if let Some(role) = change.role {
            member.role = role;
            member.permissions = None;
        }
        if let Some(permissions) = change.permissions {
            member.permissions = Some(permissions);
        }
        if let Some(email) = change.email {
            member.email = if email.is_empty() { None } else { Some(member::email(&email)?) };
        }
        if let Some(subject) = change.subject {
            let subject = if subject.is_empty() { None } else { Some(member::subject(&subject)?) };
            if subject != member.subject {
                member.unproven.subject = claims_another(caller, subject.as_deref());
                member.subject = subject;
            }
        }
        caller.require_all(&member.effective_permissions())?;
        caller.require_rank(member.role)?;
        if was_full_owner && !member.is_full_owner() {
            self.keep_an_owner(&tx, id).await?;
        }
        store::tenancy::members::update(&tx, &member).await?;
        let detail = json!({
            "role": member.role.as_str(),
            "permissions": member.effective_permissions().iter().map(|p| p.as_str()).collect::<Vec<_>>(),
        });
        self.base.audit(&tx, (id, &caller.actor()), "member.update", user_id, detail).await?;
        tx.commit().await?;
        self.identity.forget();
        Ok(member)
    }

    /// Removes a member and thereby invalidates their tokens.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] for the last owner.
    pub async fn remove_member(&self, caller: &Caller, id: OrganisationId, user_id: UserId) -> Result<()> {
        self.own_organisation(caller, id)?;
        caller.require(Permission::MembersManage)?;
        let tx = self.base.store.begin().await?;
        let member = store::tenancy::members::find(&tx, id, user_id).await?;
        caller.require_all(&member.effective_permissions())?;
        caller.require_rank(member.role)?;
        if member.is_full_owner() {
            self.keep_an_owner(&tx, id).await?;
        }
        store::tenancy::members::delete(&tx, member.id).await?;
        self.base.audit(&tx, (id, &caller.actor()), "member.remove", user_id, json!({})).await?;
        tx.commit().await?;
        self.identity.forget();
        Ok(())
    }

    async fn keep_an_owner(&self, tx: &Tx, id: OrganisationId) -> Result<()> {
        if store::tenancy::members::count_owners(tx, id).await? > 1 {
            return Ok(());
        }
        let message = "this is the last owner; make somebody else an owner first".to_owned();
        Err(Error::FailedPrecondition { message })
    }

    fn new_member(&self, organisation_id: OrganisationId, new: NewMember) -> Result<Member> {
        Ok(Member {
            id: self.base.ambient.id(),
            organisation_id,
            user_id: new.user_id.unwrap_or_else(|| self.base.ambient.id()),
            username: member::username(&new.username)?,
            email: new.email.as_deref().map(member::email).transpose()?,
            subject: new.subject.filter(|text| !text.is_empty()).as_deref().map(member::subject).transpose()?,
            role: new.role,
            permissions: None,
            unproven: Unproven::default(),
            created_at: self.base.now(),
        })
    }
}

/// Returns whether `subject` is one that the caller does not prove to be.
fn claims_another(caller: &Caller, subject: Option<&str>) -> bool {
    subject.is_some_and(|subject| !subject.is_empty() && caller.subject.as_deref() != Some(subject))
}
