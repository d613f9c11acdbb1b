//! Workspaces: organisations, as whoever uses the registry knows them.

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
            member::Permission,
            organisation::{Organisation, Slug},
        },
    },
    store,
};

/// How many other handles are thought of.
const SUGGESTIONS: usize = 3;
/// How often one is thought of.
const TRIES: usize = 10;

/// A workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The organisation.
    pub organisation: Organisation,
    /// Its first owner.
    pub owner_id: UserId,
    /// When it was changed.
    pub updated_at: Time,
}

/// Whether a handle can be had.
#[derive(Clone, Debug)]
pub struct HandleAvailability {
    /// Whether it can.
    pub available: bool,
    /// Others that can.
    pub suggestions: Vec<String>,
    /// Which of the caller's workspaces has it.
    pub used_by: Option<OrganisationId>,
}

impl Registry {
    /// The caller in a workspace: its id, its handle, or the id that the registry shows. One that does not exist and one
    /// that they are not in are told like a wrong token.
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

    /// The caller where no workspace is named: in the only one, or in any of theirs.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where they are in none.
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

    /// Lets one call of a workspace in, and tells what is left.
    pub fn admit_call(&self, caller: &Caller) -> (Room, Result<()>) {
        let (key, now) = (caller.organisation_id.0, self.base.now());
        let calls = &self.calls;
        let admitted = calls.admit(key, now);
        (calls.room(key, now), admitted)
    }

    /// What is left for somebody who has made no call.
    pub fn untouched_room(&self) -> Room {
        self.calls.room(uuid::Uuid::nil(), self.base.now())
    }

    /// A workspace of the caller's.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_workspace(&self, who: &Identified, id: &str) -> Result<Workspace> {
        let (caller, organisation) = self.in_workspace(who, id).await?;
        self.shown_workspace(&caller, organisation).await
    }

    /// The caller's workspaces, or the one of them with a handle.
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

    /// Gives a workspace another name. Its handle is in the names of its integrations, and stays.
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

    /// Whether a handle can be had.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] where it is none.
    pub async fn check_handle_availability(&self, who: &Identified, handle: &str) -> Result<HandleAvailability> {
        let own = self.tenancy.everywhere(who).await?;
        if let (Some(caller), false) = (own.first(), own.iter().any(may_read)) {
            caller.require(Permission::OrganisationRead)?;
        }
        let handle = definition::handle(handle)?;
        let owner = self.with_handle(&handle).await?;
        let used_by = owner.filter(|owner| own.iter().any(|caller| caller.organisation_id == *owner));
        // A handle is a slug, which is a little narrower.
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

    /// The bots of a workspace. There are none: what is installed here is installed in channels.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_bots(&self, caller: &Caller) -> Result<()> {
        caller.require(Permission::IntegrationsRead)
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
