//! GitHub, as far as an app sees it: github.com or an Enterprise Server, with one GitHub App.
//!
//! - `accounts`, `installations`, `app`: the nouns; `seed` says which there are at the start, `shapes` writes them as JSON.
//! - `key`, `jwt`: the app's key, and the token by which it proves to have it. `grants`: all other codes and tokens.
//! - `api`: the REST routes, one file a family. `oauth` is the authorization page and the exchange of its code.
//! - `install` is what comes of somebody installing the app; `acts` is everything that the app is told of by a webhook.
//! - `events` builds a webhook's payload, `sender` signs and sends it and remembers how that went.
//! - `pages` are what a browser sees.
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

/// Who and what there is.
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) installations: Installations,
}

/// All of GitHub, and the one app that everything here is about.
pub(crate) struct GitHub {
    /// The address that all of GitHub's pages begin with.
    pub(crate) web: String,
    /// The API's address as an Enterprise Server has it.
    pub(crate) api: String,
    pub(crate) clock: Arc<Clock>,
    pub(crate) key: Arc<Key>,
    pub(crate) grants: Grants,
    pub(crate) sender: Sender,
    app: RwLock<Arc<App>>,
    state: RwLock<State>,
}

impl GitHub {
    /// A GitHub with the accounts that every stand-in starts with.
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

    /// The app's settings as they are now.
    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app.read())
    }

    /// Changes some of the app's settings.
    pub(crate) fn change_app(&self, change: AppChange) {
        let mut app = self.app.write();
        *app = Arc::new(app.changed(change));
    }

    /// Who and what there is, to look at. Not to be held while something else is asked of the same thing.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Who and what there is, to change.
    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write()
    }

    /// Writes what is known, with addresses as an Enterprise Server has them.
    pub(crate) fn shapes<'a>(&'a self, state: &'a State, app: &'a App) -> Shapes<'a> {
        Shapes { state, app, web: &self.web, api: &self.api }
    }
}

impl State {
    /// An account by name.
    pub(crate) fn account(&self, login: &str) -> Result<&Account, &'static str> {
        self.directory.by_login(login).ok_or("account_not_found")
    }

    /// A person by name.
    pub(crate) fn user(&self, login: &str) -> Result<&Account, &'static str> {
        self.directory.user(login).ok_or("user_not_found")
    }

    /// Who acts for an account where nobody is named: the person, or the first owner of the organisation.
    pub(crate) fn administrator(&self, account: u64) -> u64 {
        let first =
            self.directory.users().find(|user| self.directory.role(user.id, account) == Some(accounts::Role::Admin));
        first.map_or(account, |user| user.id)
    }

    /// The ids of an account's repositories with these names, with or without the owner before it.
    pub(crate) fn repository_ids(&self, account: u64, names: &[String]) -> Result<BTreeSet<u64>, &'static str> {
        let find = |name: &String| {
            let bare = name.rsplit_once('/').map_or(name.as_str(), |(_, bare)| bare);
            self.directory.repository_named(account, bare).map(|repository| repository.id)
        };
        names.iter().map(|name| find(name).ok_or("repository_not_found")).collect()
    }

    /// A selection of an account's repositories by their names.
    pub(crate) fn selection(&self, account: u64, names: &[String]) -> Result<Selection, &'static str> {
        self.repository_ids(account, names).map(Selection::Selected)
    }
}

/// Ids that no other run gives: a program that remembers a token or a delivery from before must not meet it again.
fn fresh_ids() -> Ids {
    let mut seed = [0; 32];
    // Where there is no randomness left, ids that repeat are the smaller trouble.
    let _ = aws_lc_rs::rand::fill(&mut seed);
    Ids::new(&crate::ids::hex(&seed))
}
