//! Events of the app itself: installations are created, changed and removed, and authorizations are revoked.

use serde_json::{Value, json};

use super::Order;
use crate::github::accounts::Account;
use crate::github::installations::Installation;
use crate::github::sender::{Hook, hook_id};
use crate::github::shapes::{Shapes, extend, node_id};
use crate::github::{App, GitHub, State};

/// Change of an installation.
pub(crate) enum InstallationChange {
    Created { requester: Option<u64> },
    Deleted,
    Suspended,
    Unsuspended,
    PermissionsAccepted,
    RepositoriesAdded(Vec<u64>),
    RepositoriesRemoved(Vec<u64>),
    Renamed { old: String },
}

impl InstallationChange {
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
    /// Builds the webhook about a change of an installation.
    pub(crate) fn about_installation(&self, installation: &Installation, by: u64, what: &InstallationChange) -> Hook {
        let (app, state) = (self.app(), self.state());
        let (event, action) = what.event_and_action();
        Hook {
            guid: self.sender.guid(),
            event: event.to_owned(),
            action: Some(action.to_owned()),
            installation: Some(installation.id),
            payload: payload(self.shapes(&state, &app), installation, by, what).to_string().into(),
        }
    }

    /// Builds the webhook about a revoked authorization.
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

    /// Builds the payload of an event about the app itself, with its installation, as if it had happened; nothing when
    /// the order is for another event.
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
            ("installation", None | Some("created")) => InstallationChange::Created { requester: None },
            ("installation", Some("deleted")) => InstallationChange::Deleted,
            ("installation", Some("suspend")) => InstallationChange::Suspended,
            ("installation", Some("unsuspend")) => InstallationChange::Unsuspended,
            ("installation", Some("new_permissions_accepted")) => InstallationChange::PermissionsAccepted,
            ("installation_repositories", action) => {
                let name = order.repository.as_deref().ok_or("repository_not_found")?;
                let id = state.directory.repository_at(name).ok_or("repository_not_found")?.id;
                match action {
                    Some("removed") => InstallationChange::RepositoriesRemoved(vec![id]),
                    _ => InstallationChange::RepositoriesAdded(vec![id]),
                }
            }
            ("installation_target", _) => InstallationChange::Renamed { old: "what-it-was".to_owned() },
            _ => return Ok(None),
        };
        let installation = match order.installation {
            Some(id) => state.installations.get(id),
            None => state.installations.iter().next(),
        };
        let installation = installation.ok_or("installation_not_found")?;
        let by = sender.map_or_else(|| state.administrator(installation.account), |sender| sender.id);
        Ok(Some((payload(shapes, installation, by, &what), Some(installation.id))))
    }
}

fn payload(shapes: Shapes<'_>, installation: &Installation, by: u64, what: &InstallationChange) -> Value {
    let (_, action) = what.event_and_action();
    let mut payload = json!({"action": action, "installation": shapes.installation(installation)});
    extend(&mut payload, details(shapes, installation, what));
    extend(&mut payload, json!({"sender": shapes.account_by_id(by)}));
    payload
}

fn revoked(shapes: Shapes<'_>, user: u64) -> Value {
    json!({"action": "revoked", "sender": shapes.account_by_id(user)})
}

fn details(shapes: Shapes<'_>, installation: &Installation, what: &InstallationChange) -> Value {
    let some = |ids: &[u64]| -> Vec<Value> {
        let known = ids.iter().filter_map(|id| shapes.directory().repository(*id));
        known.map(|repository| shapes.repository_in_brief(repository)).collect()
    };
    let selection = installation.selection.word();
    match what {
        InstallationChange::Created { requester } => json!({
            "repositories": all(shapes, installation),
            "requester": requester.map(|id| shapes.account_by_id(id)),
        }),
        InstallationChange::Deleted
        | InstallationChange::Suspended
        | InstallationChange::Unsuspended
        | InstallationChange::PermissionsAccepted => {
            json!({"repositories": all(shapes, installation), "requester": null})
        }
        InstallationChange::RepositoriesAdded(ids) => json!({
            "repository_selection": selection,
            "repositories_added": some(ids),
            "repositories_removed": [],
            "requester": null,
        }),
        InstallationChange::RepositoriesRemoved(ids) => json!({
            "repository_selection": selection,
            "repositories_added": [],
            "repositories_removed": some(ids),
            "requester": null,
        }),
        InstallationChange::Renamed { old } => {
            let account = shapes.directory().account(installation.account);
            let kind = account.map_or("User", |account| account.kind.word());
            let mut payload = json!({
                "account": shapes.account_by_id(installation.account),
                "changes": {"login": {"from": old}},
                "target_type": kind,
                "installation": {
                    "id": installation.id,
                    "node_id": node_id("Integration", installation.id),
                },
            });
            if let Some(account) = account.filter(|account| Account::is_organization(account)) {
                payload["organization"] = shapes.organization(account);
            }
            payload
        }
    }
}

fn all(shapes: Shapes<'_>, installation: &Installation) -> Vec<Value> {
    installation.repositories(shapes.directory()).map(|repository| shapes.repository_in_brief(repository)).collect()
}

/// Payload that GitHub sends when a webhook is set up.
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
