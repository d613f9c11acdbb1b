//! User actions on the app's installations, each with the webhook that notifies the app.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::GitHub;
use super::app::Permissions;
use super::events::account::InstallationChange;
use super::installations::{Installation, Request, Selection};

/// Result of an action; on failure, an error code.
type Outcome<T = ()> = Result<T, &'static str>;

impl GitHub {
    /// A user installs the app, which grants a pending request for it.
    pub(crate) fn install(
        self: &Arc<Self>,
        account: u64,
        by: u64,
        selection: Selection,
        notify: bool,
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
        if notify {
            self.notify_of(&installation, by, &InstallationChange::Created { requester });
        }
        Ok(installation)
    }

    /// A member without the right to install the app requests it.
    pub(crate) fn request_installation(&self, account: u64, requester: u64) {
        let created_at = self.clock.now_secs();
        self.state_mut().installations.request(Request { account, requester, created_at });
    }

    /// A user selects other repositories.
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
            self.notify_of(&after, by, &InstallationChange::RepositoriesAdded(added));
        }
        if !removed.is_empty() {
            self.notify_of(&after, by, &InstallationChange::RepositoriesRemoved(removed));
        }
        Ok(after)
    }

    /// A user suspends or resumes an installation.
    pub(crate) fn suspend(self: &Arc<Self>, id: u64, by: u64, suspended: bool) -> Outcome {
        let now = self.clock.now_secs();
        let (before, after) = self.change(id, |installation| {
            installation.suspended = suspended.then(|| installation.suspended.unwrap_or((now, by)));
        })?;
        if before.suspended != after.suspended {
            self.notify_of(
                &after,
                by,
                if suspended { &InstallationChange::Suspended } else { &InstallationChange::Unsuspended },
            );
        }
        Ok(())
    }

    /// A user removes the app. Its tokens end at once.
    pub(crate) fn uninstall(self: &Arc<Self>, id: u64, by: u64) -> Outcome {
        let removed = self.state_mut().installations.remove(id).ok_or("installation_not_found")?;
        self.grants.revoke_installation(id);
        self.notify_of(&removed, by, &InstallationChange::Deleted);
        Ok(())
    }

    /// A user accepts newly requested permissions.
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
        self.notify_of(&after, by, &InstallationChange::PermissionsAccepted);
        Ok(())
    }

    /// Renames the account of an installation.
    pub(crate) fn rename(self: &Arc<Self>, id: u64, by: u64, login: &str) -> Outcome {
        let mut state = self.state_mut();
        let installation = state.installations.get(id).cloned().ok_or("installation_not_found")?;
        let old = state.directory.rename(installation.account, login).ok_or("login_taken")?;
        drop(state);
        self.notify_of(&installation, by, &InstallationChange::Renamed { old });
        Ok(())
    }

    /// Revokes the app's authorization for a user.
    pub(crate) fn revoke_authorization(self: &Arc<Self>, user: u64) {
        self.grants.revoke_user(user);
        let hook = self.authorization_revoked(user);
        self.notify(hook);
    }

    fn notify_of(self: &Arc<Self>, installation: &Installation, by: u64, what: &InstallationChange) {
        let hook = self.about_installation(installation, by, what);
        self.notify(hook);
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
