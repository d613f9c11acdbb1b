//! What happens to the app itself: installations come, change and go, and people take their authorization back.

use serde_json::{Value, json};

use super::Order;
use crate::github::accounts::Account;
use crate::github::installations::Installation;
use crate::github::sender::{Hook, hook_id};
use crate::github::shapes::{Shapes, extend, node_id};
use crate::github::{App, GitHub, State};

/// What has happened to an installation.
pub(crate) enum Told {
    Created { requester: Option<u64> },
    Deleted,
    Suspended,
    Unsuspended,
    PermissionsAccepted,
    RepositoriesAdded(Vec<u64>),
    RepositoriesRemoved(Vec<u64>),
    Renamed { old: String },
}

impl Told {
    fn event_and_action(&self) -> (&'static str, &'static str) {
        match self {
            Self::Created { .. } => ("installation", "created"),
            Self::Deleted => ("installation", "deleted"),
            Self::Suspended => ("installation", "suspend"),
            Self::Unsuspended => ("installation", "unsuspend"),
            Self::PermissionsAccepted => ("installation", "new_permissions_accepted"),
            Self::RepositoriesAdded(_) => ("installation_repositories", "added"),
            Self::RepositoriesRemoved(_) => ("installation_repositories", "removed"),
            Self::Renamed { .. } => ("installation_target", "renamed"),
        }
    }
}

impl GitHub {
    /// The webhook that tells of it.
    pub(crate) fn about_installation(&self, installation: &Installation, by: u64, what: &Told) -> Hook {
        let (app, state) = (self.app(), self.state());
        let (event, action) = what.event_and_action();
        Hook {
            guid: self.sender.guid(),
            event: event.to_owned(),
            action: Some(action.to_owned()),
            installation: Some(installation.id),
            payload: told(self.shapes(&state, &app), installation, by, what).to_string().into(),
        }
    }

    /// The webhook that says that somebody has taken their authorization back.
    pub(crate) fn authorization_revoked(&self, user: u64) -> Hook {
        let (app, state) = (self.app(), self.state());
        Hook {
            guid: self.sender.guid(),
            event: "github_app_authorization".to_owned(),
            action: Some("revoked".to_owned()),
            installation: None,
            payload: revoked(self.shapes(&state, &app), user).to_string().into(),
        }
    }

    /// The payload of an event about the app itself, with the installation it is about, as if it had happened; nothing
    /// when the order is for another event.
    pub(super) fn account_event(
        &self,
        order: &Order,
        app: &App,
        state: &State,
    ) -> Result<Option<(Value, Option<u64>)>, &'static str> {
        let shapes = self.shapes(state, app);
        let sender = order.sender.as_deref().map(|login| state.user(login)).transpose()?;
        let what = match (order.event.as_str(), order.action.as_deref()) {
            ("ping", _) => return Ok(Some((ping(shapes), None))),
            ("github_app_authorization", _) => {
                let user = sender.or_else(|| state.directory.users().next()).ok_or("user_not_found")?;
                return Ok(Some((revoked(shapes, user.id), None)));
            }
            ("installation", None | Some("created")) => Told::Created { requester: None },
            ("installation", Some("deleted")) => Told::Deleted,
            ("installation", Some("suspend")) => Told::Suspended,
            ("installation", Some("unsuspend")) => Told::Unsuspended,
            ("installation", Some("new_permissions_accepted")) => Told::PermissionsAccepted,
            ("installation_repositories", action) => {
                let name = order.repository.as_deref().ok_or("repository_not_found")?;
                let id = state.directory.repository_at(name).ok_or("repository_not_found")?.id;
                match action {
                    Some("removed") => Told::RepositoriesRemoved(vec![id]),
                    _ => Told::RepositoriesAdded(vec![id]),
                }
            }
            ("installation_target", _) => Told::Renamed { old: "what-it-was".to_owned() },
            _ => return Ok(None),
        };
        let installation = match order.installation {
            Some(id) => state.installations.get(id),
            None => state.installations.iter().next(),
        };
        let installation = installation.ok_or("installation_not_found")?;
        let by = sender.map_or_else(|| state.administrator(installation.account), |sender| sender.id);
        Ok(Some((told(shapes, installation, by, &what), Some(installation.id))))
    }
}

fn told(shapes: Shapes<'_>, installation: &Installation, by: u64, what: &Told) -> Value {
    let (_, action) = what.event_and_action();
    let mut payload = json!({"action": action, "installation": shapes.installation(installation)});
    extend(&mut payload, details(shapes, installation, what));
    extend(&mut payload, json!({"sender": shapes.account_by_id(by)}));
    payload
}

fn revoked(shapes: Shapes<'_>, user: u64) -> Value {
    json!({"action": "revoked", "sender": shapes.account_by_id(user)})
}

fn details(shapes: Shapes<'_>, installation: &Installation, what: &Told) -> Value {
    let some = |ids: &[u64]| -> Vec<Value> {
        let known = ids.iter().filter_map(|id| shapes.directory().repository(*id));
        known.map(|repository| shapes.repository_in_brief(repository)).collect()
    };
    let selection = installation.selection.word();
    match what {
        Told::Created { requester } => json!({
            "repositories": all(shapes, installation),
            "requester": requester.map(|id| shapes.account_by_id(id)),
        }),
        Told::Deleted | Told::Suspended | Told::Unsuspended | Told::PermissionsAccepted => {
            json!({"repositories": all(shapes, installation), "requester": null})
        }
        Told::RepositoriesAdded(ids) => json!({
            "repository_selection": selection,
            "repositories_added": some(ids),
            "repositories_removed": [],
            "requester": null,
        }),
        Told::RepositoriesRemoved(ids) => json!({
            "repository_selection": selection,
            "repositories_added": [],
            "repositories_removed": some(ids),
            "requester": null,
        }),
        Told::Renamed { old } => {
            let account = shapes.directory().account(installation.account);
            let kind = account.map_or("User", |account| account.kind.word());
            let mut told = json!({
                "account": shapes.account_by_id(installation.account),
                "changes": {"login": {"from": old}},
                "target_type": kind,
                "installation": {
                    "id": installation.id,
                    "node_id": node_id("Integration", installation.id),
                },
            });
            if let Some(account) = account.filter(|account| Account::is_organization(account)) {
                told["organization"] = shapes.organization(account);
            }
            told
        }
    }
}

fn all(shapes: Shapes<'_>, installation: &Installation) -> Vec<Value> {
    installation.repositories(shapes.directory()).map(|repository| shapes.repository_in_brief(repository)).collect()
}

/// What GitHub says when somebody sets a webhook up.
fn ping(shapes: Shapes<'_>) -> Value {
    let (app, id) = (shapes.app, hook_id(shapes.app));
    json!({
        "zen": "Design for failure.",
        "hook_id": id,
        "hook": {
            "type": "App",
            "id": id,
            "name": "web",
            "active": true,
            "events": app.events,
            "config": {
                "content_type": app.webhook_content_type,
                "insecure_ssl": "0",
                "secret": "********",
                "url": app.webhook_url,
            },
            "updated_at": "2024-02-29T08:00:00Z",
            "created_at": "2024-02-29T08:00:00Z",
            "app_id": app.id,
            "deliveries_url": format!("{}/app/hook/deliveries", shapes.api),
        },
    })
}
