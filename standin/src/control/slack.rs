//! Control of the stand-in Slack: messages, faults, limits, settings and events.

use std::sync::Arc;

use poem::handler;
use poem::web::{Data, Json, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, done, wrong};
use crate::faults::Fault;
use crate::slack::AppChange;
use crate::slack::channel::Channel;
use crate::slack::limits::RateLimit;
use crate::slack::workspace::Team;
use crate::world::World;

/// Default number of messages shown of a channel.
const SHOWN: usize = 1_000;

/// Settings of the app, and the factor of the sender's retry delays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    retry_factor: Option<f64>,
    #[serde(flatten)]
    app: AppChange,
}

#[handler]
pub(super) fn change_app(Json(settings): Json<Settings>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    if let Some(factor) = settings.retry_factor {
        slack.sender.set_retry_factor(factor);
    }
    slack.change_app(settings.app);
    done()
}

#[handler]
pub(super) fn faults(Data(world): Data<&Arc<World>>) -> Json<Vec<Fault>> {
    Json(world.faults.list())
}

#[handler]
pub(super) fn add_fault(Json(fault): Json<Fault>, Data(world): Data<&Arc<World>>) -> Outcome {
    world.faults.add(fault);
    done()
}

#[handler]
pub(super) fn clear_faults(Data(world): Data<&Arc<World>>) -> Outcome {
    world.faults.clear();
    done()
}

#[handler]
pub(super) fn set_rate(Json(rate): Json<RateLimit>, Data(world): Data<&Arc<World>>) -> Outcome {
    world.slack().limits.set(rate);
    done()
}

/// Filter of messages: of one channel, by id or name, or of all; of one workspace, or of all.
#[derive(Deserialize)]
struct Where {
    team: Option<String>,
    channel: Option<String>,
    limit: Option<usize>,
}

fn places(world: &World, wanted: &Where) -> poem::Result<Vec<(Arc<Team>, Arc<Channel>)>> {
    let slack = world.slack();
    let teams = match &wanted.team {
        Some(id) => vec![slack.team(id).ok_or_else(|| wrong("team_not_found"))?],
        None => slack.teams(),
    };
    let mut places = Vec::new();
    for team in teams {
        match &wanted.channel {
            Some(name) => places.extend(team.channel(name).map(|channel| (Arc::clone(&team), channel))),
            None => places.extend(team.channels().into_iter().map(|channel| (Arc::clone(&team), channel))),
        }
    }
    if places.is_empty() {
        return Err(wrong("channel_not_found"));
    }
    Ok(places)
}

#[handler]
pub(super) fn messages(Query(wanted): Query<Where>, Data(world): Data<&Arc<World>>) -> Outcome {
    let limit = wanted.limit.unwrap_or(SHOWN);
    let (mut messages, mut posted) = (Vec::new(), 0);
    for (team, channel) in places(world, &wanted)? {
        posted += channel.posted();
        for message in channel.newest(limit) {
            let mut shown = message.to_value();
            shown["team"] = json!(team.id);
            shown["channel"] = json!(channel.id);
            messages.push((message.at, shown));
        }
    }
    // Stable, so that messages of one channel keep their order.
    messages.sort_by_key(|(at, _)| *at);
    let skip = messages.len().saturating_sub(limit);
    let messages: Vec<Value> = messages.into_iter().skip(skip).map(|(_, shown)| shown).collect();
    Ok(Json(json!({"posted": posted, "messages": messages})))
}

#[handler]
pub(super) fn forget_messages(Query(wanted): Query<Where>, Data(world): Data<&Arc<World>>) -> Outcome {
    for (_, channel) in places(world, &wanted)? {
        channel.clear();
    }
    done()
}

#[derive(Deserialize)]
struct OfTeam {
    team: String,
}

#[handler]
pub(super) fn views(Query(of): Query<OfTeam>, Data(world): Data<&Arc<World>>) -> Json<Vec<Value>> {
    Json(world.slack().views.list(&of.team))
}

#[handler]
pub(super) fn replies(Data(world): Data<&Arc<World>>) -> Outcome {
    Ok(Json(json!(world.slack().hooks.replies())))
}

#[handler]
pub(super) fn forget_replies(Data(world): Data<&Arc<World>>) -> Outcome {
    world.slack().hooks.clear_replies();
    done()
}

#[handler]
pub(super) fn deliveries(Data(world): Data<&Arc<World>>) -> Outcome {
    Ok(Json(json!(world.slack().sender.deliveries())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventOrder {
    team: String,
    event: Value,
    /// Id of an earlier event, to send it twice.
    event_id: Option<String>,
}

#[handler]
pub(super) async fn send_event(Json(order): Json<EventOrder>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let team = slack.team(&order.team).ok_or_else(|| wrong("team_not_found"))?;
    if !order.event.is_object() {
        return Err(wrong("event_must_be_an_object"));
    }
    let id = slack.send_event(&team, order.event, order.event_id).ok_or_else(|| wrong("no_events_url"))?;
    Ok(Json(json!({"eventId": id})))
}

#[handler]
pub(super) async fn verify_events_url(Data(world): Data<&Arc<World>>) -> Outcome {
    match world.slack().verify_events_url().await {
        Ok(verified) => Ok(Json(json!({"verified": verified}))),
        Err(reason) => Ok(Json(json!({"verified": false, "reason": reason}))),
    }
}
