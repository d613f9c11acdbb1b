//! Routes for an installation, authenticated by its token.

use std::collections::BTreeSet;

use serde_json::json;

use super::Call;
use super::answer::{Answer, Outcome, Refusal};
use crate::github::State;
use crate::github::accounts::{Access, Repository};
use crate::github::grants::Holder;
use crate::github::installations::Installation;

/// Finds the installation of a token, if it is not suspended.
fn active(state: &State, id: u64) -> Result<&Installation, Refusal> {
    let installation = state.installations.get(id).ok_or_else(Refusal::bad_credentials)?;
    if installation.suspended.is_some() { Err(Refusal::suspended()) } else { Ok(installation) }
}

/// Repositories that a token reaches: the installation's, or fewer.
fn reached<'a>(
    state: &'a State,
    installation: &'a Installation,
    narrowed: Option<&BTreeSet<u64>>,
) -> Vec<&'a Repository> {
    let all = installation.repositories(&state.directory);
    all.filter(|repository| narrowed.is_none_or(|ids| ids.contains(&repository.id))).collect()
}

pub(super) fn repositories(call: &Call) -> Outcome {
    let (id, narrowed) = call.as_installation()?;
    let state = call.github.state();
    let installation = active(&state, id)?;
    let shapes = call.shapes(&state);
    let all = reached(&state, installation, narrowed);
    let page =
        Answer::page(call, Some("repositories"), &all, |repository| shapes.repository_for(repository, Access::Read));
    Ok(page.with("repository_selection", json!(installation.selection.word())))
}

pub(super) fn revoke_token(call: &Call) -> Outcome {
    call.as_installation()?;
    call.github.grants.revoke(&call.secret);
    Ok(Answer::no_content())
}

pub(super) fn repository(call: &Call) -> Outcome {
    let state = call.github.state();
    let full_name = format!("{}/{}", call.place(0), call.place(1));
    let repository = state.directory.repository_at(&full_name);
    let access = match call.holder()? {
        Holder::User(user) => repository.and_then(|repository| state.directory.access(*user, repository)),
        Holder::Installation { id, repositories } => {
            let installation = active(&state, *id)?;
            let all = reached(&state, installation, repositories.as_ref());
            let within = |repository: &&Repository| all.iter().any(|known| known.id == repository.id);
            repository.filter(within).map(|_| Access::Read)
        }
    };
    // Public repositories are readable by every token; others out of reach are not found.
    let repository = repository.filter(|repository| access.is_some() || !repository.private);
    let repository = repository.ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(&call.shapes(&state).repository_for(repository, access.unwrap_or(Access::Read))))
}
