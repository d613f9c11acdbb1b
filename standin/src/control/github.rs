//! Control of the stand-in GitHub: the app, its accounts, faults, and sent webhooks.

use std::sync::Arc;

use poem::handler;
use poem::web::{Data, Json, Path, Query};
use poem::{Route, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, done, wrong};
use crate::faults::Fault;
use crate::github::AppChange;
use crate::github::accounts::{Directory, Kind, Role};
use crate::github::events::Order;
use crate::github::installations::Selection;
use crate::github::sender::{self, Delivery};
use crate::world::World;

mod people;

/// Returns the routes under `/control/github`.
pub(super) fn routes() -> Route {
    Route::new()
        .at("/app", get(app).post(change_app))
        .at("/accounts", get(accounts).post(add_accounts))
        .at("/organizations", post(add_organizations))
        .at("/faults", get(faults).post(add_fault).delete(clear_faults))
        .at("/send", post(send))
        .at("/deliveries", get(deliveries).delete(forget_deliveries))
        .at("/deliveries/:guid", get(show_delivery))
        .at("/deliveries/:guid/redeliver", post(redeliver))
        .at("/stats", get(stats))
        .at("/authorize", post(people::authorize))
        .at("/revoke", post(people::revoke))
        .at("/install-flow", post(people::install_flow))
        .at("/requests", get(people::requests))
        .at("/installations", get(people::installations).post(people::install))
        .at("/installations/:id", get(people::show_installation))
        .at("/installations/:id/suspend", post(people::suspend))
        .at("/installations/:id/unsuspend", post(people::unsuspend))
        .at("/installations/:id/delete", post(people::uninstall))
        .at("/installations/:id/rename", post(people::rename))
        .at("/installations/:id/repositories", post(people::change_repositories))
        .at("/installations/:id/permissions", post(people::accept_permissions))
}

#[handler]
fn app(Data(world): Data<&Arc<World>>) -> Json<Value> {
    let github = world.github();
    let mut shown = github.app().to_value();
    shown["privateKeyPem"] = json!(github.key.pem());
    shown["privateKeyPkcs8Pem"] = json!(github.key.pkcs8_pem());
    shown["webBase"] = json!(github.web);
    shown["apiBase"] = json!(github.api);
    Json(shown)
}

#[handler]
fn change_app(Json(change): Json<AppChange>, Data(world): Data<&Arc<World>>) -> Outcome {
    world.github().change_app(change);
    done()
}

#[handler]
fn accounts(Data(world): Data<&Arc<World>>) -> Json<Vec<Value>> {
    let github = world.github();
    let state = github.state();
    let shown = state.directory.accounts().map(|account| {
        let login = |id: &u64| state.directory.account(*id).map(|user| user.login.clone()).unwrap_or_default();
        let members: serde_json::Map<String, Value> =
            account.members.iter().map(|(id, role)| (login(id), json!(role.word()))).collect();
        json!({
            "id": account.id,
            "login": account.login,
            "type": account.kind.word(),
            "members": members,
            "repositories": state.directory.repositories_of(account.id).count(),
            "installationId": state.installations.of_account(account.id).map(|it| it.id),
        })
    });
    Json(shown.collect())
}

/// Order to add accounts and their repositories. An existing account is extended.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountOrder {
    login: String,
    /// Kind of a new account; an organisation when absent.
    #[serde(rename = "type")]
    kind: Option<AccountKind>,
    id: Option<u64>,
    /// Members of an organisation: `admin` or `member` by the user's name.
    #[serde(default)]
    members: std::collections::BTreeMap<String, MemberRole>,
    #[serde(default)]
    repositories: Vec<RepositoryOrder>,
    /// Number of additional repositories with generated names.
    #[serde(default)]
    repository_count: u32,
}

#[derive(Clone, Copy, Deserialize)]
enum AccountKind {
    User,
    Organization,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MemberRole {
    Admin,
    Member,
}

/// A repository, by its name alone or with its properties.
#[derive(Deserialize)]
#[serde(untagged)]
enum RepositoryOrder {
    Name(String),
    Full {
        name: String,
        #[serde(default)]
        private: bool,
        #[serde(default)]
        description: String,
        /// Outside collaborators with push access.
        #[serde(default)]
        collaborators: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(AccountOrder),
    Many(Vec<AccountOrder>),
}

#[handler]
fn add_accounts(Json(orders): Json<OneOrMany>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let mut state = github.state_mut();
    let orders = match orders {
        OneOrMany::One(order) => vec![order],
        OneOrMany::Many(orders) => orders,
    };
    let added = orders.iter().map(|order| add_account(&mut state.directory, order));
    let added: Vec<Value> = added.collect::<Result<_, _>>().map_err(wrong)?;
    Ok(Json(if let [one] = added.as_slice() { one.clone() } else { json!(added) }))
}

fn add_account(directory: &mut Directory, order: &AccountOrder) -> Result<Value, &'static str> {
    let kind = match order.kind {
        Some(AccountKind::User) => Kind::User,
        Some(AccountKind::Organization) | None => Kind::Organization,
    };
    let known = directory.by_login(&order.login).map(|account| account.id);
    let id = known.unwrap_or_else(|| directory.add_account(&order.login, kind, order.id));
    for (login, role) in &order.members {
        let user = directory.user(login).ok_or("user_not_found")?.id;
        let role = match role {
            MemberRole::Admin => Role::Admin,
            MemberRole::Member => Role::Member,
        };
        directory.set_member(id, user, role);
    }
    let mut repositories = Vec::new();
    for order in &order.repositories {
        repositories.push(match order {
            RepositoryOrder::Name(name) => directory.add_repository(id, name, false, ""),
            RepositoryOrder::Full { name, private, description, collaborators } => {
                let repository = directory.add_repository(id, name, *private, description);
                for login in collaborators {
                    let user = directory.user(login).ok_or("user_not_found")?.id;
                    directory.add_collaborator(repository, user);
                }
                repository
            }
        });
    }
    for number in 1..=order.repository_count {
        repositories.push(directory.add_repository(id, &format!("repository-{number:04}"), false, ""));
    }
    Ok(json!({"id": id, "login": order.login, "repositories": repositories}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    count: usize,
    prefix: String,
    /// Number of repositories per organisation.
    #[serde(default = "one")]
    repositories: usize,
}

fn one() -> usize {
    1
}

/// Maximum number of organisations per order.
const MOST: usize = 100_000;

/// Adds organisations owned by Ada, with the app installed, for benches. No webhook is sent.
#[handler]
fn add_organizations(Json(order): Json<Many>, Data(world): Data<&Arc<World>>) -> poem::Result<Json<Vec<Value>>> {
    if order.count.saturating_mul(order.repositories) > MOST {
        return Err(wrong("too_many"));
    }
    let github = world.github();
    let made = (1..=order.count).map(|number| {
        let mut state = github.state_mut();
        let ada = state.user("ada")?.id;
        let login = format!("{}-{number}", order.prefix);
        let id = state.directory.add_account(&login, Kind::Organization, None);
        state.directory.set_member(id, ada, Role::Admin);
        for number in 1..=order.repositories {
            state.directory.add_repository(id, &format!("repository-{number}"), false, "");
        }
        drop(state);
        let installation = github.install(id, ada, Selection::All, false)?;
        Ok(json!({
            "account": login,
            "accountId": id,
            "installationId": installation.id,
            "repository": format!("{login}/repository-1"),
        }))
    });
    made.collect::<Result<_, _>>().map(Json).map_err(wrong)
}

#[handler]
fn faults(Data(world): Data<&Arc<World>>) -> Json<Vec<Fault>> {
    Json(world.github_faults.list())
}

#[handler]
fn add_fault(Json(fault): Json<Fault>, Data(world): Data<&Arc<World>>) -> Outcome {
    world.github_faults.add(fault);
    done()
}

#[handler]
fn clear_faults(Data(world): Data<&Arc<World>>) -> Outcome {
    world.github_faults.clear();
    done()
}

/// Sends an event and waits for the answer, or returns the request that would be sent.
#[handler]
async fn send(Json(order): Json<Order>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let hook = github.hook(&order).map_err(wrong)?;
    if order.dry {
        let (headers, body) = sender::request(&github.app(), &hook);
        let headers: serde_json::Map<String, Value> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        return Ok(Json(json!({"deliveryId": hook.guid, "headers": headers, "body": body})));
    }
    let delivery = github.deliver(&hook, false).await.ok_or_else(|| wrong("no_webhook_url"))?;
    Ok(Json(answered(&delivery)))
}

fn answered(delivery: &Delivery) -> Value {
    let mut shown = json!({"deliveryId": delivery.guid, "status": delivery.status, "body": delivery.body});
    if let Some(error) = delivery.error {
        shown["error"] = json!(error);
    }
    shown
}

#[derive(Deserialize)]
struct Wanted {
    event: Option<String>,
    installation: Option<u64>,
}

#[handler]
fn deliveries(Query(wanted): Query<Wanted>, Data(world): Data<&Arc<World>>) -> Json<Vec<Delivery>> {
    let mut all = world.github().sender.deliveries();
    all.retain(|delivery| {
        wanted.event.as_ref().is_none_or(|event| delivery.event == *event)
            && wanted.installation.is_none_or(|id| delivery.installation_id == Some(id))
    });
    Json(all)
}

#[handler]
fn forget_deliveries(Data(world): Data<&Arc<World>>) -> Outcome {
    world.github().sender.clear();
    done()
}

#[handler]
fn show_delivery(Path(guid): Path<String>, Data(world): Data<&Arc<World>>) -> Outcome {
    let last = world.github().sender.last(&guid).ok_or_else(|| wrong("delivery_not_found"))?;
    Ok(Json(last.in_full()))
}

#[handler]
async fn redeliver(Path(guid): Path<String>, Data(world): Data<&Arc<World>>) -> Outcome {
    let delivery = world.github().redeliver(&guid).await.map_err(wrong)?;
    Ok(Json(answered(&delivery)))
}

#[handler]
fn stats(Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (sent, taken) = github.sender.counts();
    let state = github.state();
    Ok(Json(json!({
        "accounts": state.directory.accounts().count(),
        "installations": state.installations.count(),
        "requests": state.installations.requests().len(),
        "deliveries": sent,
        "delivered": taken,
    })))
}
