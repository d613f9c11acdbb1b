//! What somebody does with the app's installations, which the app is told of by webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::GitHub;
use super::app::Permissions;
use super::events::account::Told;
use super::installations::{Installation, Request, Selection};

/// What an act comes to; on failure, a word for what is wrong.
type Outcome<T = ()> = Result<T, &'static str>;

impl GitHub {
    /// Somebody installs the app. A request for it is granted by that.
    pub(crate) fn install(
        self: &Arc<Self>,
        account: u64,
        by: u64,
        selection: Selection,
        tell: bool,
    ) -> Outcome<Installation> {
        let (app, now) = (self.app(), self.clock.now_secs());
        let mut state = self.state_mut();
        if state.installations.of_account(account).is_some() {
            return Err("already_installed");
        }
        let requester = state.installations.take_request(account).map(|request| request.requester);
        let installation = state.installations.add(Installation {
            id: 0,
            account,
            selection,
            permissions: app.permissions.clone(),
            events: app.events.clone(),
            created_at: now,
            updated_at: now,
            suspended: None,
        });
        drop(state);
        if tell {
            self.tell_of(&installation, by, &Told::Created { requester });
        }
        Ok(installation)
    }

    /// A member who may not install the app asks for it.
    pub(crate) fn request_installation(&self, account: u64, requester: u64) {
        let created_at = self.clock.now_secs();
        self.state_mut().installations.request(Request { account, requester, created_at });
    }

    /// Somebody chooses other repositories.
    pub(crate) fn select(self: &Arc<Self>, id: u64, by: u64, selection: Selection) -> Outcome<Installation> {
        let (before, after) = self.change(id, |installation| installation.selection = selection)?;
        let state = self.state();
        let reached = |installation: &Installation| -> BTreeSet<u64> {
            installation.repositories(&state.directory).map(|repository| repository.id).collect()
        };
        let (old, new) = (reached(&before), reached(&after));
        drop(state);
        let added: Vec<u64> = new.difference(&old).copied().collect();
        let removed: Vec<u64> = old.difference(&new).copied().collect();
        if !added.is_empty() {
            self.tell_of(&after, by, &Told::RepositoriesAdded(added));
        }
        if !removed.is_empty() {
            self.tell_of(&after, by, &Told::RepositoriesRemoved(removed));
        }
        Ok(after)
    }

    /// Somebody stops the app from doing anything there, or lets it go on.
    pub(crate) fn suspend(self: &Arc<Self>, id: u64, by: u64, suspended: bool) -> Outcome {
        let now = self.clock.now_secs();
        let (before, after) = self.change(id, |installation| {
            installation.suspended = suspended.then(|| installation.suspended.unwrap_or((now, by)));
        })?;
        if before.suspended != after.suspended {
            self.tell_of(&after, by, if suspended { &Told::Suspended } else { &Told::Unsuspended });
        }
        Ok(())
    }

    /// Somebody removes the app. Its tokens end at once.
    pub(crate) fn uninstall(self: &Arc<Self>, id: u64, by: u64) -> Outcome {
        let removed = self.state_mut().installations.remove(id).ok_or("installation_not_found")?;
        self.grants.revoke_installation(id);
        self.tell_of(&removed, by, &Told::Deleted);
        Ok(())
    }

    /// Somebody accepts what the app asks for anew.
    pub(crate) fn accept_permissions(
        self: &Arc<Self>,
        id: u64,
        by: u64,
        permissions: Permissions,
        events: Option<Vec<String>>,
    ) -> Outcome {
        let (_, after) = self.change(id, |installation| {
            installation.permissions = permissions;
            if let Some(events) = events {
                installation.events = events;
            }
        })?;
        self.tell_of(&after, by, &Told::PermissionsAccepted);
        Ok(())
    }

    /// The account of an installation gets another name.
    pub(crate) fn rename(self: &Arc<Self>, id: u64, by: u64, login: &str) -> Outcome {
        let mut state = self.state_mut();
        let installation = state.installations.get(id).cloned().ok_or("installation_not_found")?;
        let old = state.directory.rename(installation.account, login).ok_or("login_taken")?;
        drop(state);
        self.tell_of(&installation, by, &Told::Renamed { old });
        Ok(())
    }

    /// Somebody takes back what they allowed the app to do for them.
    pub(crate) fn revoke_authorization(self: &Arc<Self>, user: u64) {
        self.grants.revoke_user(user);
        let hook = self.authorization_revoked(user);
        self.tell(hook);
    }

    fn tell_of(self: &Arc<Self>, installation: &Installation, by: u64, what: &Told) {
        let hook = self.about_installation(installation, by, what);
        self.tell(hook);
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Installation)) -> Outcome<(Installation, Installation)> {
        let now = self.clock.now_secs();
        let mut state = self.state_mut();
        let installation = state.installations.get_mut(id).ok_or("installation_not_found")?;
        let before = installation.clone();
        change(installation);
        installation.updated_at = now;
        Ok((before, installation.clone()))
    }
}
