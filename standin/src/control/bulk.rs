//! Many channels and workspaces at once, and one count of all posted messages: for benches.

use std::sync::Arc;

use poem::handler;
use poem::web::{Data, Json};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Outcome, wrong};
use crate::slack::channel::Channel;
use crate::slack::workspace::Team;
use crate::world::World;

/// Maximum number of items per order.
const MOST: usize = 100_000;
/// Messages stored per channel: a bench has very many channels, so each keeps few.
const KEPT: usize = 100;
const SCOPES: &[&str] = &["chat:write", "channels:read", "groups:read", "channels:join", "users:read", "team:read"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelOrder {
    team: String,
    count: usize,
    prefix: String,
}

/// Adds public channels with the bot as a member. An existing channel is kept.
#[handler]
pub(super) fn add_channels(Json(order): Json<ChannelOrder>, Data(world): Data<&Arc<World>>) -> Outcome {
    check(order.count)?;
    let slack = world.slack();
    let team = slack.team(&order.team).ok_or_else(|| wrong("team_not_found"))?;
    let ids = (1..=order.count).map(|number| {
        let name = format!("{}-{number}", order.prefix);
        team.channel(&name)
            .map_or_else(|| add_channel(&team, &slack.ids.id("C"), &name, world), |channel| channel.id.clone())
    });
    Ok(Json(json!({"channels": ids.collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamOrder {
    count: usize,
    prefix: String,
}

/// A workspace made for a bench.
#[derive(Serialize)]
struct NewTeam {
    team: String,
    token: String,
    channel: String,
}

/// Adds workspaces with one channel and the app installed.
#[handler]
pub(super) fn add_teams(
    Json(order): Json<TeamOrder>,
    Data(world): Data<&Arc<World>>,
) -> poem::Result<Json<Vec<NewTeam>>> {
    check(order.count)?;
    let slack = world.slack();
    let app = slack.app();
    let scopes: Vec<String> = SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let made = (1..=order.count).map(|number| {
        let name = format!("{}-{number}", order.prefix);
        let team = slack.add_team(Team::new(&slack.ids.id("T"), &name, &name, &app.name));
        let channel = add_channel(&team, &slack.ids.id("C"), "alerts", world);
        let token = slack.grants.install((&team, false), &scopes, &slack.ids, None);
        NewTeam { team: team.id.clone(), token: token.secret.clone(), channel }
    });
    Ok(Json(made.collect()))
}

fn check(count: usize) -> poem::Result<()> {
    if count > MOST { Err(wrong("too_many")) } else { Ok(()) }
}

fn add_channel(team: &Team, id: &str, name: &str, world: &World) -> String {
    let channel = Channel::public(id, name, world.clock.now_secs()).keeping(KEPT).inviting_bot();
    channel.set_bot_in(true);
    team.add_channel(channel).id.clone()
}

/// Returns the number of messages posted in all workspaces.
#[handler]
pub(super) fn stats(Data(world): Data<&Arc<World>>) -> Outcome {
    let teams = world.slack().teams();
    let posted: u64 = teams.iter().flat_map(|team| team.channels()).map(|channel| channel.posted()).sum();
    Ok(Json(json!({"posted": posted, "teams": teams.len()})))
}
