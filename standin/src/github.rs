//! GitHub from an app's point of view: github.com or an Enterprise Server, with one GitHub App.
//!
//! - `accounts`, `installations`, `app`: the nouns; `seed` creates the initial ones, `shapes` writes them as JSON.
//! - `key`, `jwt`: the app's key, and the token that proves its possession. `grants`: all other codes and tokens.
//! - `api`: the REST routes, one file a family. `oauth` is the authorization page and the exchange of its code.
//! - `install` is the result of an installation by a user; `acts` is every action that the app is notified of by a
//!   webhook.
//! - `events` builds a webhook's payload, `sender` signs and sends it and records the result.
//! - `pages` are the pages for a browser.
//!
//! Nothing here knows of the control API, and only `api` knows of faults.

pub(crate) mod accounts;
pub(crate) mod acts;
pub(crate) mod api;
pub(crate) mod app;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod install;
pub(crate) mod installations;
pub(crate) mod jwt;
pub(crate) mod key;
pub(crate) mod oauth;
pub(crate) mod pages;
mod seed;
pub(crate) mod sender;
pub(crate) mod shapes;
pub(crate) mod sign;

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use reqwest::Client;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::options::Options;
use accounts::{Account, Directory};
pub(crate) use app::{App, AppChange};
use grants::Grants;
use installations::{Installations, Selection};
use key::Key;
use sender::Sender;
use shapes::Shapes;

/// Accounts, repositories and installations.
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) installations: Installations,
}

/// The whole of GitHub, with its one app.
pub(crate) struct GitHub {
    /// Base address of GitHub's pages.
    pub(crate) web: String,
    /// Base address of the API as an Enterprise Server has it.
    pub(crate) api: String,
    pub(crate) clock: Arc<Clock>,
    pub(crate) key: Arc<Key>,
    pub(crate) grants: Grants,
    pub(crate) sender: Sender,
    app: RwLock<Arc<App>>,
    state: RwLock<State>,
}

impl GitHub {
    /// Creates a GitHub with the initial accounts of every stand-in.
    pub(crate) fn seeded(options: &Options, origin: &str, clock: Arc<Clock>, key: Arc<Key>, client: Client) -> Self {
        let web = format!("{origin}/github");
        Self {
            api: format!("{web}/api/v3"),
            web,
            clock,
            key,
            grants: Grants::new(fresh_ids()),
            sender: Sender::new(client, fresh_ids()),
            app: RwLock::new(Arc::new(App::new(options))),
            state: RwLock::new(State { directory: seed::directory(), installations: Installations::default() }),
        }
    }

    /// Returns the app's current settings.
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app.read())
    }

    /// Changes some of the app's settings.
    pub(crate) fn change_app(&self, change: AppChange) {
        let mut app = self.app.write();
        *app = Arc::new(app.changed(change));
    }

    /// Locks the state for reading. Release it before the same state is asked for again.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Locks the state for writing.
    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write()
    }

    /// Returns a writer of JSON with the addresses of an Enterprise Server.
    pub(crate) fn shapes<'a>(&'a self, state: &'a State, app: &'a App) -> Shapes<'a> {
        Shapes { state, app, web: &self.web, api: &self.api }
    }
}

impl State {
    /// Finds an account by name.
    pub(crate) fn account(&self, login: &str) -> Result<&Account, &'static str> {
        self.directory.by_login(login).ok_or("account_not_found")
    }

    /// Finds a person by name.
    pub(crate) fn user(&self, login: &str) -> Result<&Account, &'static str> {
        self.directory.user(login).ok_or("user_not_found")
    }

    /// Default acting user of an account: the person, or the first owner of the organisation.
    pub(crate) fn administrator(&self, account: u64) -> u64 {
        let first =
            self.directory.users().find(|user| self.directory.role(user.id, account) == Some(accounts::Role::Admin));
        first.map_or(account, |user| user.id)
    }

    /// Ids of an account's repositories with these names, with or without the owner's name before them.
    pub(crate) fn repository_ids(&self, account: u64, names: &[String]) -> Result<BTreeSet<u64>, &'static str> {
        let find = |name: &String| {
            let bare = name.rsplit_once('/').map_or(name.as_str(), |(_, bare)| bare);
            self.directory.repository_named(account, bare).map(|repository| repository.id)
        };
        names.iter().map(|name| find(name).ok_or("repository_not_found")).collect()
    }

    /// Selects repositories of an account by their names.
    pub(crate) fn selection(&self, account: u64, names: &[String]) -> Result<Selection, &'static str> {
        self.repository_ids(account, names).map(Selection::Selected)
    }
}

/// Creates ids unique to this run: a program that remembers a token or a delivery from an earlier run must not meet it
/// again.
fn fresh_ids() -> Ids {
    let mut seed = [0; 32];
    // Where there is no randomness left, ids that repeat are the smaller trouble.
    let _ = aws_lc_rs::rand::fill(&mut seed);
    Ids::new(&crate::ids::hex(&seed))
}
