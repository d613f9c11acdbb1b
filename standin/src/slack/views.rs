//! Open modals and published home tabs.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::blocks;
use super::workspace::Team;
use crate::ids::Ids;

const DEEPEST: usize = 3;

/// The two kinds of view.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Modal,
    Home,
}

impl Kind {
    /// Validates the kind and the form of a view.
    pub(crate) fn check(self, view: &Value) -> Result<(), Refusal> {
        let kind = match self {
            Self::Modal => "modal",
            Self::Home => "home",
        };
        if view["type"] != kind {
            return Err(Refusal::from("invalid_arguments").explained(&[format!("[ERROR] type must be {kind}")]));
        }
        if self == Self::Modal {
            let title = view["title"]["text"].as_str().unwrap_or_default();
            if title.is_empty() || title.chars().count() > 24 {
                return Err(Refusal::from("invalid_arguments").explained(&[
                    "[ERROR] must be between 1 and 24 characters [json-pointer:/view/title]".to_owned(),
                ]));
            }
        }
        blocks::check_view(&view["blocks"])
    }
}

/// Surroundings of a view, and its names.
pub(crate) struct Place<'a> {
    pub(crate) team: &'a Team,
    pub(crate) user: &'a str,
    pub(crate) ids: &'a Ids,
}

struct View {
    team: String,
    user: String,
    home: bool,
    body: Value,
}

/// All views, by id.
#[derive(Default)]
pub(crate) struct Views(Mutex<HashMap<String, View>>);

impl Views {
    /// Opens a modal, alone or on top of the open ones.
    pub(crate) fn show(&self, place: &Place<'_>, body: Value, on_top: bool) -> Result<Value, Refusal> {
        let mut views = self.0.lock();
        let theirs = |view: &View| !view.home && view.team == place.team.id && view.user == place.user;
        if !on_top {
            views.retain(|_, view| !theirs(view));
        } else if views.values().filter(|view| theirs(view)).count() >= DEEPEST {
            return Err("push_limit_reached".into());
        }
        let id = place.ids.id("V");
        Ok(keep(&mut views, place, &id, place.user.to_owned(), body, false))
    }

    /// Replaces a home tab.
    pub(crate) fn publish(&self, place: &Place<'_>, body: Value, hash: Option<&str>) -> Result<Value, Refusal> {
        let mut views = self.0.lock();
        let known = views
            .iter()
            .find(|(_, view)| view.home && view.team == place.team.id && view.user == place.user)
            .map(|(id, view)| (id.clone(), view.body["hash"].clone()));
        if let (Some(hash), Some((_, current))) = (hash, &known)
            && current != hash
        {
            return Err("hash_conflict".into());
        }
        let id = known.map_or_else(|| place.ids.id("V"), |(id, _)| id);
        Ok(keep(&mut views, place, &id, place.user.to_owned(), body, true))
    }

    /// Changes an open modal.
    pub(crate) fn update(
        &self,
        place: &Place<'_>,
        id: &str,
        body: Value,
        hash: Option<&str>,
    ) -> Result<Value, Refusal> {
        let mut views = self.0.lock();
        let found = views
            .iter()
            .find(|(known, view)| view.team == place.team.id && (*known == id || view.body["external_id"] == id))
            .map(|(known, view)| (known.clone(), view.user.clone(), view.body["hash"].clone(), view.home));
        let (id, user, current, home) = found.ok_or("not_found")?;
        if hash.is_some_and(|hash| current != hash) {
            return Err("hash_conflict".into());
        }
        Ok(keep(&mut views, place, &id, user, body, home))
    }

    /// Returns every view of a workspace, for the control API.
    pub(crate) fn list(&self, team: &str) -> Vec<Value> {
        let views = self.0.lock();
        views.values().filter(|view| view.team == team).map(|view| view.body.clone()).collect()
    }
}

fn keep(
    views: &mut HashMap<String, View>,
    place: &Place<'_>,
    id: &str,
    user: String,
    mut body: Value,
    home: bool,
) -> Value {
    body["id"] = json!(id);
    body["team_id"] = json!(place.team.id);
    body["hash"] = json!(place.ids.secret("h"));
    if body.get("state").is_none() {
        body["state"] = json!({"values": {}});
    }
    views.insert(id.to_owned(), View { team: place.team.id.clone(), user, home, body: body.clone() });
    body
}
