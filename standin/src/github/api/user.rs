//! Routes for a person, authenticated by the token that the person has agreed to, and public routes.

use serde_json::json;

use super::answer::{self, Answer, Outcome, Refusal};
use super::{Call, Caller};
use crate::github::State;
use crate::github::accounts::{Account, Kind};
use crate::github::installations::Installation;

pub(super) fn root(call: &Call) -> Outcome {
    Ok(Answer::json(&json!({
        "current_user_url": format!("{}/user", call.base),
        "rate_limit_url": format!("{}/rate_limit", call.base),
        "repository_url": format!("{}/repos/{{owner}}/{{repo}}", call.base),
        "user_url": format!("{}/users/{{user}}", call.base),
    })))
}

pub(super) fn rate_limit(call: &Call) -> Outcome {
    authentic(call)?;
    Ok(Answer::json(&answer::rate_limit(call)))
}

/// Requires that credentials, if there are any, are valid.
fn authentic(call: &Call) -> Result<(), Refusal> {
    match &call.caller {
        Caller::Refused(refused) => Err(Refusal::new(refused.status, refused.message)),
        Caller::Nobody | Caller::App | Caller::Holder(_) => Ok(()),
    }
}

pub(super) fn show(call: &Call) -> Outcome {
    let state = call.github.state();
    let user = call.as_user(&state)?;
    Ok(Answer::json(&call.shapes(&state).profile(user)))
}

pub(super) fn profile(call: &Call) -> Outcome {
    authentic(call)?;
    let state = call.github.state();
    let account = state.directory.by_login(call.place(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(&call.shapes(&state).profile(account)))
}

pub(super) fn organization(call: &Call) -> Outcome {
    authentic(call)?;
    let state = call.github.state();
    let account = named_organization(call, &state)?;
    Ok(Answer::json(&call.shapes(&state).organization(account)))
}

fn named_organization<'a>(call: &Call, state: &'a State) -> Result<&'a Account, Refusal> {
    let account = state.directory.by_login(call.place(0));
    account.filter(|account| account.kind == Kind::Organization).ok_or_else(Refusal::not_found)
}

pub(super) fn organizations(call: &Call) -> Outcome {
    let state = call.github.state();
    let user = call.as_user(&state)?;
    let theirs: Vec<&Account> = state.directory.accounts().filter(|it| it.members.contains_key(&user.id)).collect();
    Ok(Answer::page(call, None, &theirs, |account| call.shapes(&state).organization(account)))
}

/// Lists the installations that the person can see, which is more than those that the person may administer.
pub(super) fn installations(call: &Call) -> Outcome {
    let state = call.github.state();
    let user = call.as_user(&state)?;
    let visible: Vec<&Installation> =
        state.installations.iter().filter(|it| it.is_visible_to(user.id, &state.directory)).collect();
    let shapes = call.shapes(&state);
    Ok(Answer::page(call, Some("installations"), &visible, |installation| shapes.installation(installation)))
}

pub(super) fn repositories(call: &Call) -> Outcome {
    let state = call.github.state();
    let user = call.as_user(&state)?;
    let installation = state.installations.get(call.id()?);
    let installation =
        installation.filter(|it| it.is_visible_to(user.id, &state.directory)).ok_or_else(Refusal::not_found)?;
    let all: Vec<_> = installation
        .repositories(&state.directory)
        .filter_map(|repository| Some((repository, state.directory.access(user.id, repository)?)))
        .collect();
    let shapes = call.shapes(&state);
    let page = Answer::page(call, Some("repositories"), &all, |(repository, access)| {
        shapes.repository_for(repository, *access)
    });
    Ok(page.with("repository_selection", json!(installation.selection.word())))
}

/// A user token is limited to the rights of both the person and the app: members of an organisation are shown only
/// where the app is installed with that permission.
pub(super) fn membership(call: &Call) -> Outcome {
    let state = call.github.state();
    let user = call.as_user(&state)?;
    let organization = named_organization(call, &state)?;
    let role = organization.members.get(&user.id).ok_or_else(Refusal::not_found)?;
    let installation = state.installations.of_account(organization.id);
    if !installation.is_some_and(|installation| installation.permissions.contains_key("members")) {
        return Err(Refusal::not_accessible());
    }
    Ok(Answer::json(&call.shapes(&state).membership(organization, user, *role)))
}
