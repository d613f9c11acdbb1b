//! Installing the app: the choice of the user, the account and the repositories. Plain forms and links that work
//! without scripts. There are no passwords, so the user is named in the address.

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use url::form_urlencoded::Serializer;

use super::{frame, not_found};
use crate::github::accounts::{Account, Role};
use crate::github::install::{InstallRequest, Step};
use crate::github::installations::Selection;
use crate::github::{GitHub, State};
use crate::page::{escape, see_other};
use crate::params::Params;
use crate::world::World;

/// Parameters of the address: the app's own `state`, the user, and the chosen account.
struct Visit {
    state: Option<String>,
    login: Option<String>,
    target: Option<u64>,
}

impl Visit {
    fn read(request: &Request) -> Self {
        let params = Params::form(request.uri().query().unwrap_or_default().as_bytes());
        let text = |name: &str| params.text(name).map(str::to_owned);
        let target = text("target_id").or_else(|| text("suggested_target_id"));
        Self { state: text("state"), login: text("as"), target: target.and_then(|id| id.parse().ok()) }
    }

    /// Builds the query of the next address.
    fn query(&self, login: Option<&str>, target: Option<u64>) -> String {
        let mut query = Serializer::new(String::new());
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        if let Some(login) = login {
            query.append_pair("as", login);
        }
        if let Some(target) = target {
            query.append_pair("target_id", &target.to_string());
        }
        query.finish()
    }
}

/// Base address of an app's pages, in the one of the two forms by which the browser came.
fn home(request: &Request) -> String {
    let parts: Vec<&str> = request.uri().path().split('/').take(4).collect();
    parts.join("/")
}

/// `GET /github/apps/{slug}`: the app.
#[handler]
pub(super) fn show_app(Path(slug): Path<String>, request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    let app = world.github().app();
    if slug != app.slug {
        return not_found("There is no such app.");
    }
    let body = format!(
        "<div class=\"card\"><h1>{name}</h1><p class=\"soft\">A GitHub App</p>\
         <p><a class=\"button\" href=\"{home}/installations/new\">Install or configure</a></p></div>",
        name = escape(&app.name),
        home = escape(&home(request)),
    );
    frame(&app.name, body).into_response()
}

/// `GET …/installations/new`: the user, and then their accounts.
#[handler]
pub(super) fn show_targets(Path(slug): Path<String>, request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    let github = world.github();
    if slug != github.app().slug {
        return not_found("There is no such app.");
    }
    let visit = Visit::read(request);
    let home = home(request);
    let state = github.state();
    let Some(user) = visit.login.as_deref().and_then(|login| state.directory.user(login)) else {
        let to = |user: &Account| format!("{home}/installations/new?{}", visit.query(Some(&user.login), visit.target));
        return chooser(&state, "Sign in to install the app", to);
    };
    if visit.target.is_some() {
        let query = visit.query(Some(&user.login), visit.target);
        return see_other(&format!("{home}/installations/new/permissions?{query}"));
    }
    let theirs = state.directory.accounts().filter_map(|account| {
        let role = state.directory.role(user.id, account.id)?;
        Some(target(&state, account, role, &home, &visit.query(Some(&user.login), Some(account.id))))
    });
    let body = format!(
        "<div class=\"card\"><h1>Install {name}</h1>\
         <p class=\"soft\">Signed in as {login} · <a href=\"?{again}\">somebody else</a></p>\
         <p>Where do you want to install it?</p><ul class=\"accounts\">{list}</ul></div>",
        name = escape(&github.app().name),
        login = escape(&user.login),
        again = escape(&visit.query(None, None)),
        list = theirs.collect::<String>(),
    );
    frame("Install the app", body).into_response()
}

/// A page that asks for the user; each answer leads on.
pub(super) fn chooser(state: &State, title: &str, to: impl Fn(&Account) -> String) -> Response {
    let people = state.directory.users().map(|user| {
        format!(
            "<li><strong>{login}</strong><a href=\"{to}\">Continue as {login}</a></li>",
            login = escape(&user.login),
            to = escape(&to(user)),
        )
    });
    let body = format!(
        "<div class=\"card\"><h1>{}</h1><p class=\"soft\">The stand-in has no passwords.</p>\
         <ul class=\"accounts\">{}</ul></div>",
        escape(title),
        people.collect::<String>(),
    );
    frame(title, body).into_response()
}

fn target(state: &State, account: &Account, role: Role, home: &str, query: &str) -> String {
    let installed = state.installations.of_account(account.id).is_some();
    let what = match (role, installed) {
        (Role::Admin, false) => "Install",
        (Role::Admin, true) => "Configure",
        (Role::Member, false) => "Request",
        (Role::Member, true) => "",
    };
    let link = if what.is_empty() {
        "<span class=\"soft\">installed; only an owner can change it</span>".to_owned()
    } else {
        let href = format!("{home}/installations/new/permissions?{query}");
        format!("<a href=\"{}\">{what} on {}</a>", escape(&href), escape(&account.login))
    };
    format!(
        "<li><span><strong>{}</strong> <span class=\"soft\">{}</span></span>{link}</li>",
        escape(&account.login),
        if account.is_organization() { role.word() } else { "your account" },
    )
}

/// Validated subject of the form.
struct Choice {
    user: u64,
    account: u64,
    step: Step,
}

/// Validates a request; on failure, returns a sentence for the user.
fn read(github: &GitHub, visit: &Visit) -> Result<Choice, &'static str> {
    let user = visit.login.as_deref().and_then(|login| github.state().directory.user(login).map(|user| user.id));
    let (Some(user), Some(account)) = (user, visit.target) else {
        return Err("It is not said who installs the app, or where.");
    };
    match github.step(user, account) {
        Ok(step) => Ok(Choice { user, account, step }),
        Err("already_installed") => Err("The app is installed there already; only an owner can change it."),
        Err(_) => Err("That account is none of yours."),
    }
}

/// `GET …/installations/new/permissions`: choice of repositories.
#[handler]
pub(super) fn show_choice(Path(slug): Path<String>, request: &Request, Data(world): Data<&Arc<World>>) -> Response {
    let github = world.github();
    if slug != github.app().slug {
        return not_found("There is no such app.");
    }
    let visit = Visit::read(request);
    let choice = match read(&github, &visit) {
        Ok(choice) => choice,
        Err(sentence) => return not_found(sentence),
    };
    let home = home(request);
    let (title, label) = match choice.step {
        Step::Install if github.app().request_user_authorization => ("Install", "Install & Authorize"),
        Step::Install => ("Install", "Install"),
        Step::Configure(_) => ("Configure", "Save"),
        Step::Request => ("Request", "Request"),
    };
    let state = github.state();
    let account = state.directory.account(choice.account);
    let selection = state.installations.of_account(choice.account).map(|installation| &installation.selection);
    let body = format!(
        "<div class=\"card\"><h1>{title} {name}</h1><p class=\"soft\">on {account}, as {login}</p>\
         <form method=\"post\" action=\"{home}/installations/new/permissions?{query}\">{fields}\
         <p class=\"soft\">With these permissions: {permissions}</p>\
         <div class=\"choice\"><a class=\"button\" href=\"{home}\">Cancel</a>\
         <button class=\"primary\" name=\"decision\" value=\"go\">{label}</button></div></form></div>",
        name = escape(&github.app().name),
        account = escape(account.map_or("", |account| account.login.as_str())),
        login = escape(visit.login.as_deref().unwrap_or_default()),
        home = escape(&home),
        query = escape(&visit.query(visit.login.as_deref(), visit.target)),
        fields = repository_fields(&state, choice.account, selection),
        permissions = escape(&permissions(&github)),
        label = escape(label),
    );
    frame(&format!("{title} the app"), body).into_response()
}

fn permissions(github: &GitHub) -> String {
    let words: Vec<String> = github
        .app()
        .permissions
        .iter()
        .map(|(name, level)| format!("{} {}", level.as_str().unwrap_or_default(), name.replace('_', " ")))
        .collect();
    words.join(", ")
}

/// Form fields for the choice of repositories.
pub(super) fn repository_fields(state: &State, account: u64, selection: Option<&Selection>) -> String {
    let all = selection.is_none_or(|selection| *selection == Selection::All);
    let checked = |yes: bool| if yes { " checked" } else { "" };
    let boxes = state.directory.repositories_of(account).map(|repository| {
        format!(
            "<label><input type=\"checkbox\" name=\"repository_ids\" value=\"{id}\"{checked}> {name}{private}</label>",
            id = repository.id,
            checked = checked(!all && selection.is_some_and(|selection| selection.contains(repository.id))),
            name = escape(&repository.name),
            private = if repository.private { " <span class=\"tag\">private</span>" } else { "" },
        )
    });
    format!(
        "<label class=\"pick\"><input type=\"radio\" name=\"selection\" value=\"all\"{}> All repositories</label>\
         <label class=\"pick\"><input type=\"radio\" name=\"selection\" value=\"selected\"{}> \
         Only select repositories</label><div class=\"repositories\">{}</div>",
        checked(all),
        checked(!all),
        boxes.collect::<String>(),
    )
}

/// Reads the choice from those fields; nothing without a choice.
pub(super) fn chosen(state: &State, account: u64, body: &[u8]) -> Option<Selection> {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let selection = fields.iter().find(|(name, _)| name == "selection").map(|(_, value)| value.as_str())?;
    if selection != "selected" {
        return Some(Selection::All);
    }
    let owned: BTreeSet<u64> = state.directory.repositories_of(account).map(|repository| repository.id).collect();
    let picked = fields.iter().filter(|(name, _)| name == "repository_ids");
    Some(Selection::Selected(picked.filter_map(|(_, id)| id.parse().ok()).filter(|id| owned.contains(id)).collect()))
}

/// `POST …/installations/new/permissions`: installs, changes or requests the app.
#[handler]
pub(super) async fn take_choice(
    Path(slug): Path<String>,
    request: &Request,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    let github = world.github();
    if slug != github.app().slug {
        return not_found("There is no such app.");
    }
    let visit = Visit::read(request);
    let choice = match read(&github, &visit) {
        Ok(choice) => choice,
        Err(sentence) => return not_found(sentence),
    };
    let selection = chosen(&github.state(), choice.account, &body);
    let wanted =
        InstallRequest { account: choice.account, user: choice.user, selection, state: visit.state.as_deref() };
    match github.take_step(wanted) {
        Ok(landing) => see_other(&landing.location),
        Err(word) => not_found(word),
    }
}
