//! Slack from an app's point of view.
//!
//! - `workspace`, `channel`, `message`: the nouns; `seed` creates the initial ones.
//! - `grants`: authorisation codes and tokens. `oauth` is the page and the exchange before them.
//! - `api`: the Web API, one file a family of methods; `answer` is its result.
//! - `blocks` validates Block Kit, `mrkdwn` and `render` draw it, `pages` are the pages for a browser.
//! - `acts` is every user action that the app is notified of; `sender` sends it, signed. `hooks` takes requests without
//!   a
//!   token, as to a response URL.
//!
//! Nothing here knows of the control API, and only `api` knows of faults.

pub(crate) mod acts;
pub(crate) mod answer;
pub(crate) mod api;
mod app;
mod blocks;
pub(crate) mod channel;
pub(crate) mod grants;
pub(crate) mod hooks;
pub(crate) mod limits;
pub(crate) mod message;
mod mrkdwn;
pub(crate) mod oauth;
pub(crate) mod pages;
mod render;
mod scopes;
mod seed;
pub(crate) mod sender;
pub(crate) mod sign;
pub(crate) mod views;
pub(crate) mod workspace;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use reqwest::Client;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::options::Options;
pub(crate) use app::{App, AppChange};
use grants::Grants;
use hooks::Hooks;

use limits::Limits;
use sender::Sender;
use views::Views;
use workspace::Team;

/// The whole of Slack: its workspaces, and its one app.
pub(crate) struct Slack {
    /// The app's id, which no setting changes.
    pub(crate) app_id: String,
    /// Base address of Slack's pages and methods.
    pub(crate) base: String,
    pub(crate) clock: Arc<Clock>,
    pub(crate) ids: Ids,
    pub(crate) limits: Limits,
    pub(crate) grants: Grants,
    pub(crate) views: Views,
    pub(crate) hooks: Hooks,
    pub(crate) sender: Sender,
    app: RwLock<Arc<App>>,
    teams: RwLock<BTreeMap<String, Arc<Team>>>,
}

impl Slack {
    /// Creates a Slack with the initial workspaces of every stand-in.
    pub(crate) fn seeded(options: &Options, origin: &str, clock: Arc<Clock>, client: Client) -> Self {
        let now = clock.now_secs();
        let teams = seed::teams(&options.app_name, now);
        Self {
            app_id: options.app_id.clone(),
            base: format!("{origin}/slack"),
            clock,
            ids: Ids::new(&options.client_secret),
            limits: Limits::default(),
            grants: Grants::default(),
            views: Views::default(),
            hooks: Hooks::default(),
            sender: Sender::new(client),
            app: RwLock::new(Arc::new(App::new(options))),
            teams: RwLock::new(teams.into_iter().map(|team| (team.id.clone(), Arc::new(team))).collect()),
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

    pub(crate) fn team(&self, id: &str) -> Option<Arc<Team>> {
        self.teams.read().get(id).cloned()
    }

    /// Returns every workspace, in the order of their ids.
    pub(crate) fn teams(&self) -> Vec<Arc<Team>> {
        self.teams.read().values().cloned().collect()
    }

    /// Adds a workspace, or replaces the one with the same id.
    pub(crate) fn add_team(&self, team: Team) -> Arc<Team> {
        let team = Arc::new(team);
        self.teams.write().insert(team.id.clone(), Arc::clone(&team));
        team
    }
}
