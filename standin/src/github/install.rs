//! Results of installing or requesting the app: the browser's next address, with its parameters. The page before it is
//! in `pages::install`.

use std::sync::Arc;

use url::Url;

use super::GitHub;
use super::accounts::{Kind, Role};
use super::grants::Consent;
use super::installations::Selection;

/// An installation requested by a user.
pub(crate) struct InstallRequest<'a> {
    pub(crate) account: u64,
    pub(crate) user: u64,
    /// Selected repositories; absent leaves them unchanged, and means all at first.
    pub(crate) selection: Option<Selection>,
    pub(crate) state: Option<&'a str>,
}

/// Next address of the browser, with its parameters.
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) location: String,
    pub(crate) setup_action: &'static str,
    pub(crate) installation_id: Option<u64>,
    pub(crate) code: Option<String>,
}

/// Actions open to a user for the app in an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Install,
    Configure(u64),
    Request,
}

impl GitHub {
    /// Returns the action open to a user in an account; an error when the user does not belong to the account.
    pub(crate) fn step(&self, user: u64, account: u64) -> Result<Step, &'static str> {
        let state = self.state();
        let installed = state.installations.of_account(account);
        match (state.directory.role(user, account), installed) {
            (None, _) => Err("not_a_member"),
            (Some(Role::Admin), None) => Ok(Step::Install),
            (Some(Role::Admin), Some(installation)) => Ok(Step::Configure(installation.id)),
            (Some(Role::Member), None) => Ok(Step::Request),
            (Some(Role::Member), Some(_)) => Err("already_installed"),
        }
    }

    /// Performs that action.
    pub(crate) fn take_step(self: &Arc<Self>, wanted: InstallRequest<'_>) -> Result<Landing, &'static str> {
        match self.step(wanted.user, wanted.account)? {
            Step::Install => {
                let selection = wanted.selection.unwrap_or(Selection::All);
                let id = self.install(wanted.account, wanted.user, selection, true)?.id;
                let code = self.code_for(wanted.user);
                Ok(self.land("install", Some(id), code, wanted.state))
            }
            Step::Configure(id) => {
                if let Some(selection) = wanted.selection {
                    self.select(id, wanted.user, selection)?;
                }
                Ok(self.land("update", Some(id), None, wanted.state))
            }
            Step::Request => {
                self.request_installation(wanted.account, wanted.user);
                let code = self.code_for(wanted.user);
                Ok(self.land("request", None, code, wanted.state))
            }
        }
    }

    /// Issues a code for the first callback address, if users are asked for an authorization during the installation.
    fn code_for(&self, user: u64) -> Option<String> {
        let app = self.app();
        let redirect_uri = app.callback_urls.first().filter(|_| app.request_user_authorization)?.clone();
        let consent = Consent { user, redirect_uri: Some(redirect_uri), challenge: None };
        Some(self.grants.consent(consent, self.clock.now_secs()))
    }

    /// Builds the next address. With an authorization the setup address is not used. Without any address the browser
    /// stays on GitHub.
    fn land(
        &self,
        setup_action: &'static str,
        installation_id: Option<u64>,
        code: Option<String>,
        state: Option<&str>,
    ) -> Landing {
        let app = self.app();
        let target = if app.request_user_authorization { app.callback_urls.first() } else { app.setup_url.as_ref() };
        let target = target.filter(|_| setup_action != "update" || app.redirect_on_update);
        let Some(Ok(mut location)) = target.map(|target| Url::parse(target)) else {
            let location =
                installation_id.map_or_else(|| format!("{}/apps/{}", self.web, app.slug), |id| self.settings_page(id));
            return Landing { location, setup_action, installation_id, code: None };
        };
        let mut query = location.query_pairs_mut();
        if let Some(code) = &code {
            query.append_pair("code", code);
        }
        if let Some(id) = installation_id {
            query.append_pair("installation_id", &id.to_string());
        }
        query.append_pair("setup_action", setup_action);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        drop(query);
        Landing { location: location.into(), setup_action, installation_id, code }
    }

    /// Address of an installation's settings.
    pub(crate) fn settings_page(&self, id: u64) -> String {
        let state = self.state();
        let account = state.installations.get(id).and_then(|it| state.directory.account(it.account));
        match account {
            Some(account) if account.kind == Kind::Organization => {
                format!("{}/organizations/{}/settings/installations/{id}", self.web, account.login)
            }
            _ => format!("{}/settings/installations/{id}", self.web),
        }
    }
}
