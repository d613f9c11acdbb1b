//! Settings page of an installation, by which an owner changes, suspends or removes it.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};

use super::install::{chooser, chosen, repository_fields};
use super::{frame, not_found};
use crate::github::GitHub;
use crate::github::accounts::Role;
use crate::github::install::InstallRequest;
use crate::page::{escape, see_other};
use crate::params::Params;
use crate::world::World;

/// `GET /github/settings/installations/{id}`.
#[handler]
pub(super) fn show_own(Path(id): Path<u64>, request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    show(&world.github(), id, request)
}

/// `GET /github/organizations/{org}/settings/installations/{id}`.
#[handler]
pub(super) fn show_organizations(
    Path((_, id)): Path<(String, u64)>,
    request: &Request,
    Data(world): Data<&Arc<World>>,
) -> Response {
    show(&world.github(), id, request)
}

/// `POST` to the first.
#[handler]
pub(super) async fn change_own(
    Path(id): Path<u64>,
    request: &Request,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    change(&world.github(), id, request, &body)
}

/// `POST` to the second.
#[handler]
pub(super) async fn change_organizations(
    Path((_, id)): Path<(String, u64)>,
    request: &Request,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    change(&world.github(), id, request, &body)
}

/// Name of the user, from the address.
fn login(request: &Request) -> Option<String> {
    let params = Params::form(request.uri().query().unwrap_or_default().as_bytes());
    params.text("as").map(str::to_owned)
}

fn show(github: &GitHub, id: u64, request: &Request) -> Response {
    let state = github.state();
    let Some(installation) = state.installations.get(id) else {
        return not_found("There is no such installation.");
    };
    let path = request.uri().path();
    let Some(user) = login(request).and_then(|login| state.directory.user(&login)) else {
        return chooser(&state, "Sign in to configure the app", |user| format!("{path}?as={}", user.login));
    };
    if state.directory.role(user.id, installation.account) != Some(Role::Admin) {
        return not_found("Only an owner can change this installation.");
    }
    let (suspension, word) =
        if installation.suspended.is_some() { ("unsuspend", "Unsuspend") } else { ("suspend", "Suspend") };
    let body = format!(
        "<div class=\"card\"><h1>{name}</h1><p class=\"soft\">Installed on {account}, as {login}. \
         Installation {id}.{suspended}</p>\
         <form method=\"post\" action=\"{path}?as={login}\">{fields}\
         <div class=\"choice\"><button name=\"decision\" value=\"{suspension}\">{word}</button>\
         <button class=\"danger\" name=\"decision\" value=\"uninstall\">Uninstall</button>\
         <button class=\"primary\" name=\"decision\" value=\"save\">Save</button></div></form></div>",
        name = escape(&github.app().name),
        account = escape(state.directory.account(installation.account).map_or("", |account| account.login.as_str())),
        login = escape(&user.login),
        suspended = if installation.suspended.is_some() { " <span class=\"tag bad\">suspended</span>" } else { "" },
        path = escape(path),
        fields = repository_fields(&state, installation.account, Some(&installation.selection)),
    );
    frame("Configure the app", body).into_response()
}

fn change(github: &Arc<GitHub>, id: u64, request: &Request, body: &[u8]) -> Response {
    let state = github.state();
    let user = login(request).and_then(|login| state.directory.user(&login).map(|user| user.id));
    let account = state.installations.get(id).map(|installation| installation.account);
    let (Some(user), Some(account)) = (user, account) else {
        return not_found("There is no such installation, or it is not said who changes it.");
    };
    if state.directory.role(user, account) != Some(Role::Admin) {
        return not_found("Only an owner can change this installation.");
    }
    let selection = chosen(&state, account, body);
    drop(state);
    let done = match Params::form(body).text("decision") {
        Some("suspend") => github.suspend(id, user, true).map(|()| github.settings_page(id)),
        Some("unsuspend") => github.suspend(id, user, false).map(|()| github.settings_page(id)),
        Some("uninstall") => github.uninstall(id, user).map(|()| "/github".to_owned()),
        _ => github.take_step(InstallRequest { account, user, selection, state: None }).map(|landing| landing.location),
    };
    done.map_or_else(not_found, |location| see_other(&location))
}
