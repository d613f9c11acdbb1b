//! User actions in Slack without a browser: each order takes the same path as the page.

use std::sync::Arc;

use poem::handler;
use poem::web::{Data, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, done, wrong};
use crate::params::Params;
use crate::slack::Slack;
use crate::slack::acts::Act;
use crate::slack::channel::Channel;
use crate::slack::oauth::{Ask, Choice};
use crate::slack::workspace::Team;
use crate::world::World;

/// Scopes requested by default.
const USUAL_SCOPES: &str = "chat:write,channels:read,groups:read";

/// A user opens the consent page and presses Allow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorization {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    state: Option<String>,
    team: Option<String>,
    user: Option<String>,
    channel: Option<String>,
    scope: Option<String>,
    user_scope: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    /// Installation for the whole organisation.
    #[serde(default)]
    org_wide: bool,
}

#[handler]
pub(super) fn authorize(Json(asked): Json<Authorization>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let app = slack.app();
    let scope = match (&asked.scope, &asked.user_scope) {
        (None, None) => Some(USUAL_SCOPES),
        (scope, _) => scope.as_deref(),
    };
    let fields = [
        ("client_id", asked.client_id.as_deref().or(Some(&app.client_id))),
        ("redirect_uri", asked.redirect_uri.as_deref()),
        ("state", asked.state.as_deref()),
        ("scope", scope),
        ("user_scope", asked.user_scope.as_deref()),
        ("code_challenge", asked.code_challenge.as_deref()),
        ("code_challenge_method", asked.code_challenge_method.as_deref()),
    ];
    let [team, user, channel] = [&asked.team, &asked.user, &asked.channel].map(Option::as_deref);
    let choice = Choice { team, user, channel, org_wide: asked.org_wide };
    let granted = Ask::read(&slack, &Params::of(&fields))
        .and_then(|ask| ask.allow(&slack, &choice))
        .map_err(|problem| wrong(problem.word))?;
    Ok(Json(json!({"code": granted.code, "location": granted.location})))
}

/// A channel of a workspace, of the first workspace by default.
#[derive(Deserialize)]
struct Place {
    team: Option<String>,
    channel: String,
}

impl Place {
    fn find(&self, slack: &Slack) -> poem::Result<(Arc<Team>, Arc<Channel>)> {
        find(slack, self.team.as_deref(), &self.channel)
    }
}

fn find(slack: &Slack, team: Option<&str>, channel: &str) -> poem::Result<(Arc<Team>, Arc<Channel>)> {
    let team = slack.team(team.unwrap_or("T0STANDIN")).ok_or_else(|| wrong("team_not_found"))?;
    let channel = team.channel(channel).ok_or_else(|| wrong("channel_not_found"))?;
    Ok((team, channel))
}

#[handler]
pub(super) async fn join(Json(place): Json<Place>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = place.find(&slack)?;
    slack.invite_bot(&team, &channel);
    done()
}

#[handler]
pub(super) async fn leave(Json(place): Json<Place>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = place.find(&slack)?;
    slack.remove_bot(&team, &channel);
    done()
}

#[handler]
pub(super) async fn archive(Json(place): Json<Place>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = place.find(&slack)?;
    slack.archive(&team, &channel, true);
    done()
}

#[handler]
pub(super) async fn unarchive(Json(place): Json<Place>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = place.find(&slack)?;
    slack.archive(&team, &channel, false);
    done()
}

#[derive(Deserialize)]
struct Workspace {
    team: String,
}

#[handler]
pub(super) async fn uninstall(Json(workspace): Json<Workspace>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let team = slack.team(&workspace.team).ok_or_else(|| wrong("team_not_found"))?;
    slack.uninstall(&team);
    done()
}

/// A user types a slash command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    team: Option<String>,
    channel: String,
    user: Option<String>,
    command: String,
    #[serde(default)]
    text: String,
}

#[handler]
pub(super) async fn command(Json(order): Json<Command>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = find(&slack, order.team.as_deref(), &order.channel)?;
    let user = person(&team, order.user.as_deref())?;
    let act = Act { team: &team, channel: &channel, user };
    let response = slack.command(&act, &order.command, &order.text).await.map_err(wrong)?;
    Ok(Json(json!(response)))
}

/// A user presses a button, submits a modal, or performs another interaction that the payload describes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interaction {
    team: Option<String>,
    channel: String,
    user: Option<String>,
    /// Members that replace the usual fields of a `block_actions` payload.
    #[serde(default)]
    payload: Value,
}

#[handler]
pub(super) async fn interaction(Json(order): Json<Interaction>, Data(world): Data<&Arc<World>>) -> Outcome {
    let slack = world.slack();
    let (team, channel) = find(&slack, order.team.as_deref(), &order.channel)?;
    let user = person(&team, order.user.as_deref())?;
    let act = Act { team: &team, channel: &channel, user };
    let response = slack.interact(&act, order.payload).await.map_err(wrong)?;
    Ok(Json(json!(response)))
}

fn person<'a>(team: &'a Team, id: Option<&str>) -> poem::Result<&'a str> {
    let found = match id {
        Some(id) => team.user(id),
        None => team.users.first(),
    };
    found.map(|user| user.id.as_str()).ok_or_else(|| wrong("user_not_found"))
}
