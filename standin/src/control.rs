//! The control API, by which a test or a demo arranges the world. JSON in, JSON out; nothing here is part of Slack or
//! GitHub.
//!
//! - here: the log of calls, the clock, a reset.
//! - `slack`: Slack's messages, faults, limits, settings and events.
//! - `people`: user actions in Slack: consent, joining, archiving, typing a command, pressing a button.
//! - `bulk`: many workspaces and channels at once, for benches.
//! - `github`: the same for GitHub.

mod bulk;
mod github;
mod people;
mod slack;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Json, Query};
use poem::{IntoResponse, Route, get, handler, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::CallView;
use crate::world::World;

/// Returns the routes under `/control`.
pub(crate) fn routes() -> Route {
    Route::new()
        .at("/calls", get(calls).delete(forget_calls))
        .at("/clock", post(set_clock))
        .at("/reset", post(reset))
        .at("/slack/app", post(slack::change_app))
        .at("/slack/faults", get(slack::faults).post(slack::add_fault).delete(slack::clear_faults))
        .at("/slack/ratelimit", post(slack::set_rate))
        .at("/slack/messages", get(slack::messages).delete(slack::forget_messages))
        .at("/slack/views", get(slack::views))
        .at("/slack/replies", get(slack::replies).delete(slack::forget_replies))
        .at("/slack/events", get(slack::deliveries).post(slack::send_event))
        .at("/slack/events/verify", post(slack::verify_events_url))
        .at("/slack/authorize", post(people::authorize))
        .at("/slack/join", post(people::join))
        .at("/slack/leave", post(people::leave))
        .at("/slack/archive", post(people::archive))
        .at("/slack/unarchive", post(people::unarchive))
        .at("/slack/uninstall", post(people::uninstall))
        .at("/slack/command", post(people::command))
        .at("/slack/interaction", post(people::interaction))
        .at("/slack/channels", post(bulk::add_channels))
        .at("/slack/teams", post(bulk::add_teams))
        .at("/slack/stats", get(bulk::stats))
        .nest("/github", github::routes())
}

/// Result of an order.
type Outcome = poem::Result<Json<Value>>;

/// Reports an invalid order by an error code.
fn wrong(word: &str) -> poem::Error {
    let status = if word.ends_with("_not_found") { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
    poem::Error::from_response(Json(json!({"error": word})).with_status(status).into_response())
}

fn done() -> Outcome {
    Ok(Json(json!({"ok": true})))
}

#[derive(Deserialize)]
struct CallFilter {
    method: Option<String>,
}

#[handler]
fn calls(Query(filter): Query<CallFilter>, Data(world): Data<&Arc<World>>) -> Json<Vec<CallView>> {
    Json(world.calls.list(filter.method.as_deref()))
}

#[handler]
fn forget_calls(Data(world): Data<&Arc<World>>) -> Outcome {
    world.calls.clear();
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Skew {
    skew_secs: i64,
}

#[handler]
fn set_clock(Json(skew): Json<Skew>, Data(world): Data<&Arc<World>>) -> Outcome {
    world.clock.set_skew(skew.skew_secs);
    done()
}

#[handler]
fn reset(Data(world): Data<&Arc<World>>) -> Outcome {
    world.reset();
    done()
}
