//! User actions at GitHub without a browser: each order takes the same path as the page.

use std::sync::Arc;

use poem::handler;
use poem::web::{Data, Json, Path};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Outcome, done, wrong};
use crate::github::install::InstallRequest;
use crate::github::installations::{Installation, Selection};
use crate::github::oauth::Ask;
use crate::github::{GitHub, State};
use crate::params::Params;
use crate::world::World;

/// A user opens the authorization page and presses Authorize.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    state: Option<String>,
    user: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

#[handler]
pub(super) fn authorize(Json(asked): Json<Authorization>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let app = github.app();
    let fields = [
        ("client_id", asked.client_id.as_deref().or(Some(&app.client_id))),
        ("redirect_uri", asked.redirect_uri.as_deref()),
        ("state", asked.state.as_deref()),
        ("code_challenge", asked.code_challenge.as_deref()),
        ("code_challenge_method", asked.code_challenge_method.as_deref()),
    ];
    let (code, location) = Ask::read(&github, &Params::of(&fields))
        .and_then(|ask| ask.allow(&github, asked.user.as_deref().unwrap_or("ada")))
        .map_err(|problem| wrong(problem.word))?;
    Ok(Json(json!({"code": code, "location": location})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    user: String,
}

/// Revokes the app's authorization for a user.
#[handler]
pub(super) async fn revoke(Json(person): Json<Person>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let user = github.state().user(&person.user).map(|user| user.id).map_err(wrong)?;
    github.revoke_authorization(user);
    done()
}

/// Repositories: `"all"`, or a list of names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Repositories {
    Word(All),
    Names(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

impl Repositories {
    fn select(&self, state: &State, account: u64) -> Result<Selection, &'static str> {
        match self {
            Self::Word(All::All) => Ok(Selection::All),
            Self::Names(names) => state.selection(account, names),
        }
    }
}

/// A user goes through the installation in the browser.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    account: String,
    user: String,
    state: Option<String>,
    repositories: Option<Repositories>,
}

#[handler]
pub(super) async fn install_flow(Json(flow): Json<Flow>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let wanted = read_flow(&github.state(), &flow).map_err(wrong)?;
    let landing = github.take_step(wanted).map_err(wrong)?;
    let mut answer = json!({"location": landing.location, "setupAction": landing.setup_action});
    if let Some(id) = landing.installation_id {
        answer["installationId"] = json!(id);
    }
    if let Some(code) = landing.code {
        answer["code"] = json!(code);
    }
    Ok(Json(answer))
}

fn read_flow<'a>(state: &State, flow: &'a Flow) -> Result<InstallRequest<'a>, &'static str> {
    let account = state.account(&flow.account)?.id;
    let selection = flow.repositories.as_ref().map(|wanted| wanted.select(state, account)).transpose()?;
    Ok(InstallRequest { account, user: state.user(&flow.user)?.id, selection, state: flow.state.as_deref() })
}

#[handler]
pub(super) fn requests(Data(world): Data<&Arc<World>>) -> Json<Vec<Value>> {
    let github = world.github();
    let state = github.state();
    let login = |id: u64| state.directory.account(id).map(|account| account.login.clone());
    let all = state.installations.requests().iter();
    Json(all.map(|it| json!({"account": login(it.account), "requester": login(it.requester)})).collect())
}

#[handler]
pub(super) fn installations(Data(world): Data<&Arc<World>>) -> Json<Vec<Value>> {
    let github = world.github();
    let (app, state) = (github.app(), github.state());
    Json(state.installations.iter().map(|it| github.shapes(&state, &app).installation(it)).collect())
}

#[handler]
pub(super) fn show_installation(Path(id): Path<u64>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (app, state) = (github.app(), github.state());
    let installation = state.installations.get(id).ok_or_else(|| wrong("installation_not_found"))?;
    Ok(Json(github.shapes(&state, &app).installation(installation)))
}

/// An installation without a browser.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    account: String,
    user: Option<String>,
    repositories: Option<Repositories>,
    /// Sends the webhook about it to the app.
    #[serde(default = "yes")]
    webhook: bool,
}

fn yes() -> bool {
    true
}

#[handler]
pub(super) async fn install(Json(order): Json<Order>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (account, by, selection) = read_order(&github.state(), &order).map_err(wrong)?;
    let installation = github.install(account, by, selection, order.webhook).map_err(wrong)?;
    let (app, state) = (github.app(), github.state());
    Ok(Json(github.shapes(&state, &app).installation(&installation)))
}

fn read_order(state: &State, order: &Order) -> Result<(u64, u64, Selection), &'static str> {
    let account = state.account(&order.account)?.id;
    let by = order.user.as_deref().map_or(Ok(state.administrator(account)), |user| state.user(user).map(|it| it.id))?;
    let selection = order.repositories.as_ref().map_or(Ok(Selection::All), |wanted| wanted.select(state, account))?;
    Ok((account, by, selection))
}

/// The acting user; an owner when absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    user: Option<String>,
}

/// Finds an installation and the acting user.
fn find(github: &GitHub, id: u64, user: Option<&str>) -> poem::Result<(Installation, u64)> {
    let state = github.state();
    let installation = state.installations.get(id).ok_or_else(|| wrong("installation_not_found"))?;
    let by = match user {
        Some(login) => state.user(login).map_err(wrong)?.id,
        None => state.administrator(installation.account),
    };
    Ok((installation.clone(), by))
}

#[handler]
pub(super) async fn suspend(Path(id): Path<u64>, by: Option<Json<By>>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (_, by) = find(&github, id, by.and_then(|Json(by)| by.user).as_deref())?;
    github.suspend(id, by, true).map_err(wrong)?;
    done()
}

#[handler]
pub(super) async fn unsuspend(Path(id): Path<u64>, by: Option<Json<By>>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (_, by) = find(&github, id, by.and_then(|Json(by)| by.user).as_deref())?;
    github.suspend(id, by, false).map_err(wrong)?;
    done()
}

#[handler]
pub(super) async fn uninstall(Path(id): Path<u64>, by: Option<Json<By>>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (_, by) = find(&github, id, by.and_then(|Json(by)| by.user).as_deref())?;
    github.uninstall(id, by).map_err(wrong)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewName {
    login: String,
    user: Option<String>,
}

#[handler]
pub(super) async fn rename(Path(id): Path<u64>, Json(order): Json<NewName>, Data(world): Data<&Arc<World>>) -> Outcome {
    let github = world.github();
    let (_, by) = find(&github, id, order.user.as_deref())?;
    github.rename(id, by, &order.login).map_err(wrong)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPermissions {
    permissions: Map<String, Value>,
    events: Option<Vec<String>>,
    user: Option<String>,
}

#[handler]
pub(super) async fn accept_permissions(
    Path(id): Path<u64>,
    Json(order): Json<NewPermissions>,
    Data(world): Data<&Arc<World>>,
) -> Outcome {
    let github = world.github();
    let (_, by) = find(&github, id, order.user.as_deref())?;
    github.accept_permissions(id, by, order.permissions, order.events).map_err(wrong)?;
    done()
}

/// Either names to add and to remove, or the whole new selection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    select: Option<Repositories>,
    user: Option<String>,
}

#[handler]
pub(super) async fn change_repositories(
    Path(id): Path<u64>,
    Json(change): Json<Change>,
    Data(world): Data<&Arc<World>>,
) -> Outcome {
    let github = world.github();
    let (installation, by) = find(&github, id, change.user.as_deref())?;
    let selection = changed(&github.state(), &installation, &change).map_err(wrong)?;
    let after = github.select(id, by, selection).map_err(wrong)?;
    let (app, state) = (github.app(), github.state());
    Ok(Json(github.shapes(&state, &app).installation(&after)))
}

fn changed(state: &State, installation: &Installation, change: &Change) -> Result<Selection, &'static str> {
    if let Some(wanted) = &change.select {
        return wanted.select(state, installation.account);
    }
    let mut ids: std::collections::BTreeSet<u64> =
        installation.repositories(&state.directory).map(|repository| repository.id).collect();
    ids.extend(state.repository_ids(installation.account, &change.add)?);
    for id in state.repository_ids(installation.account, &change.remove)? {
        ids.remove(&id);
    }
    Ok(Selection::Selected(ids))
}
