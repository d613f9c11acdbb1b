//! Workspaces: the registry's view of organisations and of its callers.
//!
//! Not here: authentication and membership (`tenancy`).

use super::Registry;
use crate::{
    app::{Caller, kernel::throttle::Room, tenancy::teams::Identified},
    domain::{
        Error, Result,
        ambient::Time,
        error::{AuthFailure, Noun},
        ids::{OrganisationId, UserId},
        registry::{PublicId, definition, public_id},
        tenancy::{
            member::{Member, Permission},
            organisation::{Organisation, Slug},
        },
    },
    store,
};

/// Handles that are suggested instead of a taken one.
const SUGGESTIONS: usize = 3;
/// Attempts to find each suggestion.
const TRIES: usize = 10;

/// A workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The organisation.
    pub organisation: Organisation,
    /// Its first owner.
    pub owner_id: UserId,
    /// Time of the last change.
    pub updated_at: Time,
}

/// Availability of a handle.
#[derive(Clone, Debug)]
pub struct HandleAvailability {
    /// True if it is free.
    pub available: bool,
    /// Free handles that are similar.
    pub suggestions: Vec<String>,
    /// The caller's own workspace that has the handle.
    pub used_by: Option<OrganisationId>,
}

impl Registry {
    /// Authenticates a caller in a workspace, named by its id, its handle, or its public id. An unknown workspace and
    /// one of which the caller is no member are reported like an invalid token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn enter_workspace(&self, who: &Identified, workspace: &str) -> Result<Caller> {
        match self.in_workspace(who, workspace).await {
            Ok((caller, _)) => Ok(caller),
            Err(Error::NotFound { .. }) => Err(Error::Unauthenticated(AuthFailure::NotAMember)),
            Err(error) => Err(error),
        }
    }

    /// Authenticates a caller without a named workspace: in their only one, or in the first of theirs.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where they are a member of none.
    pub async fn enter_any_workspace(&self, who: &Identified) -> Result<Caller> {
        match self.tenancy.in_their_team(who).await {
            Ok(caller) => Ok(caller),
            Err(_) => {
                let mut all = self.tenancy.everywhere(who).await?;
                all.sort_by_key(|caller| caller.organisation_id);
                all.into_iter().next().ok_or(Error::Unauthenticated(AuthFailure::NotAMember))
            }
        }
    }

    /// Counts a call of a workspace against its rate limit, and returns the remainder.
    pub fn admit_call(&self, caller: &Caller) -> (Room, Result<()>) {
        let (key, now) = (caller.organisation_id.0, self.base.now());
        let calls = &self.calls;
        let admitted = calls.admit(key, now);
        (calls.room(key, now), admitted)
    }

    /// Returns the full rate limit, for a caller without a call.
    pub fn untouched_room(&self) -> Room {
        self.calls.room(uuid::Uuid::nil(), self.base.now())
    }

    /// Returns a workspace of the caller's.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_workspace(&self, who: &Identified, id: &str) -> Result<Workspace> {
        let (caller, organisation) = self.in_workspace(who, id).await?;
        self.shown_workspace(&caller, organisation).await
    }

    /// Lists the caller's workspaces, or returns the one with a handle.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where they may see none.
    pub async fn list_workspaces(&self, who: &Identified, handle: Option<&str>) -> Result<Vec<Workspace>> {
        let mut found = Vec::new();
        let callers = self.tenancy.everywhere(who).await?;
        if let (Some(caller), false) = (callers.first(), callers.iter().any(may_read)) {
            caller.require(Permission::OrganisationRead)?;
        }
        for caller in callers.into_iter().filter(may_read) {
            let organisation =
                store::tenancy::organisations::find(self.base.store.reader(), caller.organisation_id).await?;
            if handle.is_none_or(|handle| handle == organisation.slug.as_str()) {
                found.push(self.shown_workspace(&caller, organisation).await?);
            }
        }
        found.sort_by_key(|workspace| workspace.organisation.id);
        Ok(found)
    }

    /// Renames a workspace. Its handle stays, since it is part of the names of its integrations.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_workspace(
        &self,
        who: &Identified,
        id: &str,
        (name, handle): (Option<&str>, Option<&str>),
    ) -> Result<Workspace> {
        let (caller, mut organisation) = self.in_workspace(who, id).await?;
        caller.require(Permission::OrganisationManage)?;
        caller.require(Permission::OrganisationRead)?;
        if handle.is_some_and(|handle| handle != organisation.slug.as_str()) {
            let rule = format!("is {:?} and cannot be changed", organisation.slug.as_str());
            return Err(Error::invalid("/handle", rule));
        }
        if let Some(name) = name {
            organisation = self.tenancy.update_organisation(&caller, organisation.id, name).await?;
        }
        self.shown_workspace(&caller, organisation).await
    }

    /// Returns whether a handle is free, with suggestions if it is taken.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] where it is malformed.
    pub async fn check_handle_availability(&self, who: &Identified, handle: &str) -> Result<HandleAvailability> {
        let own = self.tenancy.everywhere(who).await?;
        if let (Some(caller), false) = (own.first(), own.iter().any(may_read)) {
            caller.require(Permission::OrganisationRead)?;
        }
        let handle = definition::handle(handle)?;
        let owner = self.with_handle(&handle).await?;
        let used_by = owner.filter(|owner| own.iter().any(|caller| caller.organisation_id == *owner));
        // A handle is stored as a slug, whose syntax is a little narrower.
        let slug = handle.replace('_', "-");
        let mut suggestions = Vec::new();
        if owner.is_some() || slug != handle {
            let thought_of = std::iter::once(slug.clone()).chain((2..).map(|number| format!("{slug}-{number}")));
            for one in thought_of.take(TRIES) {
                if suggestions.len() < SUGGESTIONS
                    && Slug::parse(&one).is_ok()
                    && self.with_handle(&one).await?.is_none()
                {
                    suggestions.push(one);
                }
            }
        }
        Ok(HandleAvailability { available: owner.is_none() && Slug::parse(&handle).is_ok(), suggestions, used_by })
    }

    /// Lists the bots of a workspace: always empty, because versions are installed in channels.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_bots(&self, caller: &Caller) -> Result<()> {
        caller.require(Permission::IntegrationsRead)
    }

    /// Lists the plugins: always empty, because the registry keeps none.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_plugins(&self, caller: &Caller) -> Result<()> {
        caller.require(Permission::IntegrationsRead)
    }

    /// Returns the caller's own membership. It needs no permission.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has just ended.
    pub async fn get_account(&self, caller: &Caller) -> Result<Member> {
        store::tenancy::members::find(self.base.store.reader(), caller.organisation_id, caller.user_id).await
    }

    async fn with_handle(&self, handle: &str) -> Result<Option<OrganisationId>> {
        let Ok(slug) = Slug::parse(handle) else { return Ok(None) };
        let found = store::tenancy::organisations::find_by_slug(self.base.store.reader(), &slug).await?;
        Ok(found.map(|organisation| organisation.id))
    }

    async fn in_workspace(&self, who: &Identified, workspace: &str) -> Result<(Caller, Organisation)> {
        let shown = public_id(PublicId::WORKSPACE, workspace).map(|id| id.to_string());
        let found = self.tenancy.in_team(who, shown.as_deref().unwrap_or(workspace)).await;
        found.map_err(|error| match error {
            Error::NotFound { noun: Noun::Organisation, .. } => Error::not_found(Noun::Organisation, workspace),
            other => other,
        })
    }

    async fn shown_workspace(&self, caller: &Caller, organisation: Organisation) -> Result<Workspace> {
        caller.require(Permission::OrganisationRead)?;
        let owner = store::tenancy::members::first_owner(self.base.store.reader(), organisation.id).await?;
        let owner_id = owner.map_or(caller.user_id, |owner| owner.user_id);
        Ok(Workspace { updated_at: organisation.created_at, organisation, owner_id })
    }
}

fn may_read(caller: &Caller) -> bool {
    caller.may(Permission::OrganisationRead)
}
