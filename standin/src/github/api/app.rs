//! Routes for the app, authenticated by the tokens that it signs itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::answer::{Answer, Outcome, Refusal};
use crate::clock::rfc3339_secs;
use crate::github::State;
use crate::github::app::Permissions;
use crate::github::grants::{Holder, INSTALLATION_TOKEN_SECS};
use crate::github::installations::Installation;
use crate::github::sender::Delivery;

/// Maximum number of repositories in one request.
const MOST_REPOSITORIES: usize = 500;

pub(super) fn show(call: &Call) -> Outcome {
    call.as_app()?;
    let state = call.github.state();
    Ok(Answer::json(&call.shapes(&state).app()))
}

pub(super) fn installations(call: &Call) -> Outcome {
    call.as_app()?;
    let state = call.github.state();
    let all: Vec<&Installation> = state.installations.iter().collect();
    Ok(Answer::page(call, None, &all, |installation| call.shapes(&state).installation(installation)))
}

pub(super) fn requests(call: &Call) -> Outcome {
    call.as_app()?;
    let state = call.github.state();
    let shapes = call.shapes(&state);
    Ok(Answer::page(call, None, state.installations.requests(), |request| {
        json!({
            "id": request.account,
            "account": shapes.account_by_id(request.account),
            "requester": shapes.account_by_id(request.requester),
            "created_at": rfc3339_secs(request.created_at),
        })
    }))
}

fn known<'a>(call: &Call, state: &'a State) -> Result<&'a Installation, Refusal> {
    call.as_app()?;
    state.installations.get(call.id()?).ok_or_else(Refusal::not_found)
}

pub(super) fn installation(call: &Call) -> Outcome {
    let state = call.github.state();
    let installation = known(call, &state)?;
    Ok(Answer::json(&call.shapes(&state).installation(installation)))
}

pub(super) fn installation_of_account(call: &Call) -> Outcome {
    call.as_app()?;
    let state = call.github.state();
    let account = state.directory.by_login(call.place(0)).ok_or_else(Refusal::not_found)?;
    let installation = state.installations.of_account(account.id).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(&call.shapes(&state).installation(installation)))
}

pub(super) fn installation_of_repository(call: &Call) -> Outcome {
    call.as_app()?;
    let state = call.github.state();
    let full_name = format!("{}/{}", call.place(0), call.place(1));
    let repository = state.directory.repository_at(&full_name).ok_or_else(Refusal::not_found)?;
    let installation = state.installations.of_account(repository.owner);
    let installation = installation.filter(|it| it.selection.contains(repository.id)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::json(&call.shapes(&state).installation(installation)))
}

/// Finds the installation and its administrator, who is recorded as the acting user where the app acts itself.
fn known_with_administrator(call: &Call) -> Result<(u64, u64), Refusal> {
    let state = call.github.state();
    let installation = known(call, &state)?;
    Ok((installation.id, state.administrator(installation.account)))
}

pub(super) fn uninstall(call: &Call) -> Outcome {
    let (id, by) = known_with_administrator(call)?;
    call.github.uninstall(id, by).map_err(|_| Refusal::not_found())?;
    Ok(Answer::no_content())
}

pub(super) fn suspend(call: &Call) -> Outcome {
    set_suspended(call, true)
}

pub(super) fn unsuspend(call: &Call) -> Outcome {
    set_suspended(call, false)
}

fn set_suspended(call: &Call, suspended: bool) -> Outcome {
    let (id, by) = known_with_administrator(call)?;
    call.github.suspend(id, by, suspended).map_err(|_| Refusal::not_found())?;
    Ok(Answer::no_content())
}

pub(super) fn access_token(call: &Call) -> Outcome {
    let state = call.github.state();
    let installation = known(call, &state)?;
    if installation.suspended.is_some() {
        return Err(Refusal::suspended());
    }
    let repositories = narrowed(call, installation, &state)?;
    let permissions = match call.body.get("permissions") {
        Some(Value::Object(asked)) => allowed(asked, &installation.permissions)?,
        _ => installation.permissions.clone(),
    };
    let selection = if repositories.is_some() { "selected" } else { installation.selection.word() };
    let mut answer = json!({
        "token": "",
        "expires_at": rfc3339_secs(call.now + INSTALLATION_TOKEN_SECS),
        "permissions": permissions,
        "repository_selection": selection,
    });
    if let Some(ids) = &repositories {
        let shapes = call.shapes(&state);
        let shown = ids.iter().filter_map(|id| state.directory.repository(*id));
        answer["repositories"] = shown.map(|repository| shapes.repository(repository)).collect();
    }
    let holder = Holder::Installation { id: installation.id, repositories };
    answer["token"] = json!(call.github.grants.installation_token(holder, call.now));
    Ok(Answer::with_status(StatusCode::CREATED, &answer))
}

/// Repositories that the token is limited to, if not all of the installation.
fn narrowed(call: &Call, installation: &Installation, state: &State) -> Result<Option<BTreeSet<u64>>, Refusal> {
    let list = |name: &str| call.body[name].as_array().cloned().unwrap_or_default();
    let (ids, names) = (list("repository_ids"), list("repositories"));
    if ids.is_empty() && names.is_empty() {
        return Ok(None);
    }
    if ids.len() + names.len() > MOST_REPOSITORIES {
        return Err(Refusal::new(422, "Too many repositories were requested."));
    }
    let named = names.iter().map(|name| {
        let name = name.as_str().unwrap_or_default();
        state.directory.repository_named(installation.account, name).map(|repository| repository.id)
    });
    let numbered = ids.iter().map(Value::as_u64);
    let all: Option<BTreeSet<u64>> = numbered.chain(named).collect();
    let reached: BTreeSet<u64> = installation.repositories(&state.directory).map(|repository| repository.id).collect();
    all.filter(|all| all.is_subset(&reached)).map(Some).ok_or_else(|| {
        Refusal::new(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    })
}

/// Returns the requested permissions, if none exceeds the granted ones.
fn allowed(asked: &Permissions, granted: &Permissions) -> Result<Permissions, Refusal> {
    let rank = |level: Option<&Value>| match level.and_then(Value::as_str) {
        Some("read") => 1,
        Some("write") => 2,
        Some("admin") => 3,
        _ => 0,
    };
    let fits = |(name, level): (&String, &Value)| (1..=rank(granted.get(name))).contains(&rank(Some(level)));
    if asked.iter().all(fits) {
        return Ok(asked.clone());
    }
    Err(Refusal::new(422, "The permissions requested are not granted to this installation."))
}

pub(super) fn hook_config(call: &Call) -> Outcome {
    call.as_app()?;
    Ok(Answer::json(&json!({
        "content_type": call.app.webhook_content_type,
        "insecure_ssl": "0",
        "secret": "********",
        "url": call.app.webhook_url,
    })))
}

pub(super) fn deliveries(call: &Call) -> Outcome {
    call.as_app()?;
    let mut all = call.github.sender.deliveries();
    all.reverse();
    Ok(Answer::page(call, None, &all, in_brief))
}

fn in_brief(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": delivery.delivered_at,
        "redelivery": delivery.redelivery,
        "duration": delivery.duration_ms as f64 / 1_000.0,
        "status": if delivery.is_good() { "OK" } else { delivery.error.unwrap_or("Invalid HTTP Response") },
        "status_code": delivery.status,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation_id,
        "repository_id": null,
        "throttled_at": null,
    })
}

fn known_delivery(call: &Call) -> Result<Delivery, Refusal> {
    call.as_app()?;
    let id = call.id()?;
    let found = call.github.sender.deliveries().into_iter().find(|delivery| delivery.id == id);
    found.ok_or_else(Refusal::not_found)
}

pub(super) fn delivery(call: &Call) -> Outcome {
    let delivery = known_delivery(call)?;
    let mut shown = in_brief(&delivery);
    shown["url"] = json!(call.app.webhook_url);
    shown["request"] = delivery.in_full()["request"].take();
    shown["response"] = json!({"headers": {}, "payload": delivery.body});
    Ok(Answer::json(&shown))
}

pub(super) fn redeliver(call: &Call) -> Outcome {
    let delivery = known_delivery(call)?;
    let github = Arc::clone(&call.github);
    tokio::spawn(async move { github.redeliver(&delivery.guid).await.map(drop) });
    Ok(Answer::with_status(StatusCode::ACCEPTED, &json!({})))
}
