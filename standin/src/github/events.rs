//! Payloads of webhooks, in GitHub's full shapes.
//!
//! - here: an order for an event, and the scene in which it happens.
//! - `account`: events of the app itself: installations and authorizations.
//! - `code`, `pulls`, `issues`, `runs`: events of a repository.
//!
//! The stand-in stores no code, issues or pull requests. Anything that an order leaves out is generated, and is the
//! same each time for the same repository and number, so that several events can be about one pull request.

pub(crate) mod account;
mod code;
mod issues;
mod pulls;
mod runs;

use std::sync::Arc;

use aws_lc_rs::digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::accounts::{Account, Repository};
use super::installations::Installation;
use super::sender::Hook;
use super::shapes::{Shapes, extend};
use super::{App, GitHub, State};
use crate::clock::rfc3339_secs;
use crate::ids::hex;

/// Approximate size in bytes of a large but realistic payload: the size that "pad" asks for.
const REALISTIC: usize = 22_000;

/// An order for an event. Absent members are generated.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Order {
    pub(crate) event: String,
    pub(crate) action: Option<String>,
    /// The installation; the repository's or the only one when absent.
    pub(crate) installation: Option<u64>,
    /// `owner/name`, or the name alone; the installation's first when absent.
    pub(crate) repository: Option<String>,
    /// Name of the acting user; an owner of the account when absent.
    pub(crate) sender: Option<String>,
    /// Name of the user who opened the issue or pull request; the sender when absent.
    pub(crate) author: Option<String>,
    /// Number of the issue, the pull request, or the run.
    pub(crate) number: Option<u64>,
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    /// The branch pushed to, or the pull request's head.
    pub(crate) branch: Option<String>,
    /// The pull request's base; the default branch when absent.
    pub(crate) base: Option<String>,
    pub(crate) tag: Option<String>,
    /// The label that was added or removed.
    pub(crate) label: Option<String>,
    /// All labels afterwards.
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) draft: Option<bool>,
    pub(crate) merged: Option<bool>,
    pub(crate) assignee: Option<String>,
    pub(crate) reviewer: Option<String>,
    /// Name of a team whose review is requested.
    pub(crate) team: Option<String>,
    /// State of a review: `approved`, `changes_requested`, `commented`.
    pub(crate) state: Option<String>,
    /// Conclusion of a run: `success`, `failure`, …
    pub(crate) conclusion: Option<String>,
    /// The name of a workflow or a check.
    pub(crate) workflow: Option<String>,
    /// The messages of the commits pushed.
    pub(crate) commits: Option<Vec<String>>,
    pub(crate) forced: Option<bool>,
    /// Marks a comment on an issue as one on a pull request.
    pub(crate) on_pull_request: bool,
    /// JSON merge patch applied to the payload.
    pub(crate) fields: Option<Value>,
    /// Replacement of the payload; a text is sent as it is.
    pub(crate) payload: Option<Value>,
    /// Padding of the payload: `true` for the usual size of a large one, or a number of bytes.
    pub(crate) pad: Option<Value>,
    /// Id of an earlier delivery, to send it twice.
    pub(crate) delivery_id: Option<String>,
    /// Returns the request instead of sending it.
    pub(crate) dry: bool,
}

/// Actors and objects of an event.
struct Scene<'a> {
    order: &'a Order,
    shapes: Shapes<'a>,
    installation: &'a Installation,
    repository: &'a Repository,
    owner: &'a Account,
    sender: &'a Account,
    author: &'a Account,
    now: i64,
}

type Payload = Result<Value, &'static str>;

impl GitHub {
    /// Builds the webhook of an order; on failure, returns an error code.
    pub(crate) fn hook(&self, order: &Order) -> Result<Hook, &'static str> {
        let (app, state) = (self.app(), self.state());
        let mut hook = Hook {
            guid: order.delivery_id.clone().unwrap_or_else(|| self.sender.guid()),
            event: order.event.clone(),
            action: order.action.clone(),
            installation: order.installation,
            payload: Arc::from(""),
        };
        let raw = match &order.payload {
            Some(Value::String(text)) => Some(text.clone()),
            Some(payload) => Some(payload.to_string()),
            None => None,
        };
        if let Some(raw) = raw {
            hook.payload = raw.into();
            return Ok(hook);
        }
        let (mut payload, installation) = match self.account_event(order, &app, &state)? {
            Some(told) => told,
            None => self.payload(order, &app, &state)?,
        };
        if let Some(fields) = &order.fields {
            merge(&mut payload, fields);
        }
        match &order.pad {
            Some(Value::Bool(true)) => pad(&mut payload, REALISTIC),
            Some(Value::Number(bytes)) => pad(&mut payload, bytes.as_u64().unwrap_or(0) as usize),
            _ => {}
        }
        hook.action = payload["action"].as_str().map(str::to_owned);
        hook.installation = installation;
        hook.payload = payload.to_string().into();
        Ok(hook)
    }

    fn payload(&self, order: &Order, app: &App, state: &State) -> Result<(Value, Option<u64>), &'static str> {
        let shapes = self.shapes(state, app);
        let named = order.repository.as_deref().and_then(|name| state.directory.repository_at(name));
        let installation = match (order.installation, named) {
            (Some(id), _) => state.installations.get(id),
            (None, Some(repository)) => state.installations.of_account(repository.owner),
            (None, None) => state.installations.iter().next(),
        };
        let installation = installation.ok_or("installation_not_found")?;
        let owner = state.directory.account(installation.account).ok_or("account_not_found")?;
        let repository = match (&order.repository, named) {
            (_, Some(repository)) => Some(repository),
            (Some(name), None) => state.directory.repository_named(owner.id, name),
            (None, None) => installation.repositories(&state.directory).next(),
        };
        let sender = match &order.sender {
            Some(login) => state.user(login)?,
            None => state.directory.account(state.administrator(owner.id)).ok_or("user_not_found")?,
        };
        let author = order.author.as_deref().map_or(Ok(sender), |login| state.user(login))?;
        let scene = Scene {
            order,
            shapes,
            installation,
            repository: repository.ok_or("repository_not_found")?,
            owner,
            sender,
            author,
            now: self.clock.now_secs(),
        };
        Ok((scene.payload()?, Some(installation.id)))
    }
}

impl Scene<'_> {
    fn payload(&self) -> Payload {
        match self.order.event.as_str() {
            "push" => Ok(self.push()),
            "create" => Ok(self.created_ref()),
            "delete" => Ok(self.deleted_ref()),
            "star" => Ok(self.star()),
            "member" => self.member(),
            "release" => Ok(self.release()),
            "pull_request" => self.pull_request(),
            "pull_request_review" => Ok(self.review()),
            "pull_request_review_comment" => Ok(self.review_comment()),
            "issues" => self.issues(),
            "issue_comment" => Ok(self.issue_comment()),
            "workflow_run" => Ok(self.workflow_run()),
            "check_run" => Ok(self.check_run()),
            _ => Err("unknown_event"),
        }
    }

    /// Assembles the payload: action, the event's own members, and the members common to all events.
    fn event(&self, action: Option<&str>, own: Value) -> Value {
        let mut payload = action.map_or_else(|| json!({}), |action| json!({"action": action}));
        extend(&mut payload, own);
        let mut rest = json!({"repository": self.shapes.repository(self.repository)});
        if self.owner.is_organization() {
            rest["organization"] = self.shapes.organization(self.owner);
        }
        rest["sender"] = self.shapes.account(self.sender);
        rest["installation"] = json!({
            "id": self.installation.id,
            "node_id": super::shapes::node_id("Integration", self.installation.id),
        });
        // An event's own description of the repository is kept: in a push it has times as numbers.
        if payload.get("repository").is_some()
            && let Some(rest) = rest.as_object_mut()
        {
            rest.shift_remove("repository");
        }
        extend(&mut payload, rest);
        payload
    }

    fn action<'a>(&'a self, usual: &'a str) -> &'a str {
        self.order.action.as_deref().unwrap_or(usual)
    }

    fn number(&self) -> u64 {
        self.order.number.unwrap_or(1)
    }

    /// Returns an id for a numbered thing of a kind: the same each time.
    fn id(&self, kind: u64, number: u64) -> u64 {
        self.repository.id % 1_000_000_000 * 1_000 + kind * 100_000_000_000_000 + number
    }

    /// Returns a commit's hash, the same each time for the same text.
    fn sha(&self, words: &str) -> String {
        let text = format!("{} {words}", self.repository.id);
        hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
    }

    fn time(&self) -> String {
        rfc3339_secs(self.now)
    }

    /// Returns a time before this one.
    fn earlier(&self, secs: i64) -> String {
        rfc3339_secs(self.now - secs)
    }

    /// The repository's address in the API.
    fn repository_url(&self) -> String {
        format!("{}/repos/{}", self.shapes.api, self.shapes.full_name(self.repository))
    }

    /// The repository's page.
    fn repository_page(&self) -> String {
        format!("{}/{}", self.shapes.web, self.shapes.full_name(self.repository))
    }

    /// Finds the person named in the order, or another of the account.
    fn person(&self, login: Option<&str>) -> Result<&Account, &'static str> {
        match login {
            Some(login) => self.shapes.state.user(login),
            None => Ok(self.sender),
        }
    }

    fn label(&self, name: &str) -> Value {
        let number = name.bytes().fold(0_u64, |sum, byte| sum * 31 % 899_999 + u64::from(byte));
        json!({
            "id": self.id(1, number),
            "node_id": super::shapes::node_id("Label", number),
            "url": format!("{}/labels/{}", self.repository_url(), name.replace(' ', "%20")),
            "name": name,
            "color": format!("{:06x}", number % 0x100_0000),
            "default": matches!(name, "bug" | "enhancement" | "documentation"),
            "description": null,
        })
    }

    /// Returns the label of the event, and all labels including it.
    fn labels(&self) -> (Option<Value>, Vec<Value>) {
        let changed = self.order.label.as_deref().or(match self.order.action.as_deref() {
            Some("labeled" | "unlabeled") => Some("bug"),
            _ => None,
        });
        let mut all: Vec<&str> = self.order.labels.iter().flatten().map(String::as_str).collect();
        if let Some(name) = changed.filter(|name| !all.contains(name))
            && self.order.action.as_deref() != Some("unlabeled")
        {
            all.push(name);
        }
        (changed.map(|name| self.label(name)), all.into_iter().map(|name| self.label(name)).collect())
    }
}

/// Applies RFC 7396: null members are removed, objects are merged, everything else is replaced.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.shift_remove(name);
            } else {
                merge(target.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Pads a payload to a number of bytes, in realistic places: in the text of an issue, or in many commits.
fn pad(payload: &mut Value, bytes: usize) {
    let missing = bytes.saturating_sub(payload.to_string().len());
    if missing == 0 {
        return;
    }
    let text_of = ["comment", "review", "pull_request", "issue", "release"];
    let holder = text_of.into_iter().find(|name| payload[*name].is_object());
    if let Some(holder) = holder {
        let body = payload[holder]["body"].as_str().unwrap_or_default().to_owned();
        payload[holder]["body"] = json!(format!("{body}\n\n{}", prose(missing.saturating_sub(4))));
    } else if let Some(commits) = payload.get_mut("commits").and_then(Value::as_array_mut)
        && let Some(first) = commits.first().cloned()
    {
        let size = first.to_string().len() + 1;
        // The last commit stays the last: it is the head.
        for number in 0..missing / size {
            let mut more = first.clone();
            more["id"] = json!(format!("{:040x}", number + 1));
            commits.insert(number, more);
        }
    } else {
        payload["standin_padding"] = json!(prose(missing.saturating_sub(22)));
    }
}

fn prose(bytes: usize) -> String {
    const WORDS: &str = "It does one thing at a time, says what it does, and leaves no trace of what it tried before. ";
    let mut text = WORDS.repeat(bytes / WORDS.len() + 1);
    text.truncate(bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_replaces_merges_and_removes() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "d": [1], "e": 5});
        merge(&mut target, &json!({"a": {"b": null, "f": {"g": 1}}, "d": [2, 3]}));
        assert_eq!(target, json!({"a": {"c": 2, "f": {"g": 1}}, "d": [2, 3], "e": 5}));
    }
}
