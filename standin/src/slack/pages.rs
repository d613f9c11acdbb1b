//! Slack's pages for a browser: the workspaces with their channels, and a channel with its messages. A few forms stand
//! in for user actions in Slack.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::json;

use super::Slack;
use super::acts::Act;
use super::channel::Channel;
use super::render::Frame;
use super::workspace::Team;
use crate::page::{Page, escape, not_found, see_other};
use crate::params::Params;
use crate::world::World;

/// Number of messages on a page.
const SHOWN: usize = 100;
/// Number of channels of a workspace in the overview.
const LISTED: usize = 30;
const REFRESH_SECS: u32 = 3;

/// `GET /slack`: the workspaces.
#[handler]
pub(crate) fn show_workspaces(Data(world): Data<&Arc<World>>) -> Response {
    let slack = world.slack();
    let app = slack.app();
    let mut body = String::from("<h1>Workspaces</h1>");
    for team in slack.teams().iter().take(LISTED) {
        let installed = slack.grants.is_installed(team);
        let tag = if installed {
            "<span class=\"tag on\">installed</span>"
        } else {
            "<span class=\"tag\">not installed</span>"
        };
        body.push_str(&format!(
            "<h2>{} <span class=\"soft\">{}</span></h2><div class=\"bar\"><span>{}</span> {tag}{}</div>{}",
            escape(&team.name),
            escape(&team.id),
            escape(&app.name),
            if installed { uninstall_form(team) } else { String::new() },
            channel_list(team),
        ));
    }
    Page::new("Workspaces", body).into_response()
}

fn uninstall_form(team: &Team) -> String {
    format!(
        "<form method=\"post\" action=\"/slack/{}/uninstall\"><button>Remove the app</button></form>",
        escape(&team.id)
    )
}

fn channel_list(team: &Team) -> String {
    // Channels created manually come first; the generated ones fill the page up.
    let mut channels = team.channels();
    channels.sort_by_key(|channel| channel.purpose.is_empty());
    let spoken = team.users.iter().map(|user| &user.direct).filter(|direct| direct.posted() > 0);
    let items: String = spoken.chain(&channels).take(LISTED).map(|channel| item(team, channel)).collect();
    let more = channels.len().saturating_sub(LISTED);
    let more = if more > 0 { format!("<p class=\"soft\">and {more} more</p>") } else { String::new() };
    format!("<ul class=\"rooms\">{items}</ul>{more}")
}

fn item(team: &Team, channel: &Channel) -> String {
    format!(
        "<li><a href=\"/slack/{team}/{id}\">{name}</a>{bot}</li>",
        team = escape(&team.id),
        id = escape(&channel.id),
        name = escape(&title(channel)),
        bot = if channel.has_bot() { " <span class=\"tag on\">bot</span>" } else { "" },
    )
}

fn title(channel: &Channel) -> String {
    let mark = match channel {
        channel if channel.is_direct => "✉ ",
        channel if channel.private => "🔒 ",
        _ => "#",
    };
    format!("{mark}{}", channel.name)
}

/// `GET /slack/{team}/{channel}`: a channel. With `?write` there is a form to write in, and the page does not refresh.
#[handler]
pub(crate) fn show_channel(
    Path((team, channel)): Path<(String, String)>,
    request: &Request,
    Data(world): Data<&Arc<World>>,
) -> Response {
    let slack = world.slack();
    let Some((team, channel)) = find(&slack, &team, &channel) else {
        return not_found("There is no such channel in this workspace.");
    };
    let frame = Frame { team: &team, channel: &channel, live: slack.app().interactivity_url.is_some() };
    let messages: String = channel.newest(SHOWN).iter().map(|message| frame.message(message)).collect();
    let messages =
        if messages.is_empty() { "<p class=\"soft\">Nothing has been said here yet.</p>".to_owned() } else { messages };
    let writing = request.uri().query() == Some("write");
    let body = format!(
        "<h1>{title}</h1><p class=\"soft\">{team_name}{purpose}</p>{bar}{messages}{write}<div id=\"end\"></div>",
        title = escape(&title(&channel)),
        team_name = escape(&team.name),
        purpose = if channel.purpose.is_empty() { String::new() } else { format!(" · {}", escape(channel.purpose)) },
        bar = bar(&team, &channel),
        write = if writing { write_form(&team, &channel) } else { String::new() },
    );
    let page = Page::new(&title(&channel), body);
    if writing { page.into_response() } else { page.refreshing(REFRESH_SECS).into_response() }
}

fn bar(team: &Team, channel: &Channel) -> String {
    let at = format!("/slack/{}/{}", escape(&team.id), escape(&channel.id));
    let button = |action: &str, label: &str| {
        format!("<form method=\"post\" action=\"{at}/{action}\"><button>{label}</button></form>")
    };
    let (tag, membership) = if channel.has_bot() {
        ("<span class=\"tag on\">bot is a member</span>", button("remove", "Remove the bot"))
    } else {
        ("<span class=\"tag\">bot is not a member</span>", button("invite", "Invite the bot to this channel"))
    };
    let archived = if channel.is_archived() {
        format!("<span class=\"tag\">archived</span>{}", button("unarchive", "Unarchive"))
    } else {
        button("archive", "Archive")
    };
    format!(
        "<div class=\"bar\">{tag}{membership}{archived}<a href=\"{at}?write#end\">Write a message or a command</a></div>"
    )
}

fn write_form(team: &Team, channel: &Channel) -> String {
    format!(
        "<form class=\"bar\" method=\"post\" action=\"/slack/{}/{}/say\">\
         <input type=\"text\" name=\"text\" autofocus aria-label=\"Message\" placeholder=\"A message, or /command with its text\">\
         <button class=\"primary\">Send</button></form>",
        escape(&team.id),
        escape(&channel.id),
    )
}

/// `POST /slack/{team}/{channel}/{action}`: a user action in a channel.
#[handler]
pub(crate) async fn do_action(
    Path((team_id, channel_id, action)): Path<(String, String, String)>,
    body: Vec<u8>,
    Data(world): Data<&Arc<World>>,
) -> Response {
    let slack = world.slack();
    let Some((team, channel)) = find(&slack, &team_id, &channel_id) else {
        return not_found("There is no such channel in this workspace.");
    };
    let Some(user) = team.users.first().map(|user| user.id.as_str()) else {
        return not_found("There is nobody in this workspace.");
    };
    let act = Act { team: &team, channel: &channel, user };
    let form = Params::form(&body);
    match action.as_str() {
        "invite" => slack.invite_bot(&team, &channel),
        "remove" => slack.remove_bot(&team, &channel),
        "archive" => slack.archive(&team, &channel, true),
        "unarchive" => slack.archive(&team, &channel, false),
        "say" => write(&slack, &act, form.text("text").unwrap_or_default()).await,
        "press" => press(&slack, &act, &form).await,
        _ => return not_found("There is no such thing to do."),
    }
    see_other(&format!("/slack/{}/{}", team.id, channel.id))
}

async fn write(slack: &Slack, act: &Act<'_>, text: &str) {
    let Some(command) = text.strip_prefix('/') else {
        if !text.is_empty() {
            slack.say(act, text);
        }
        return;
    };
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    if let Err(reason) = slack.command(act, &format!("/{name}"), rest).await {
        slack.say(act, &format!("_/{name} failed: {reason}_"));
    }
}

async fn press(slack: &Slack, act: &Act<'_>, form: &Params) {
    let said = |name: &str| form.text(name).unwrap_or_default().to_owned();
    let ts = said("ts");
    let message = act.channel.message(&ts);
    let fields = json!({
        "container": {"type": "message", "message_ts": ts, "channel_id": act.channel.id, "is_ephemeral": false},
        "message": message.map(|message| message.to_value()),
        "actions": [{
            "type": "button",
            "block_id": said("block_id"),
            "action_id": said("action_id"),
            "value": said("value"),
        }],
    });
    // Slack shows a warning sign by the button; here the app's own log has the details.
    if let Err(reason) = slack.interact(act, fields).await {
        tracing::warn!(reason, "the app did not accept a button press");
    }
}

/// `POST /slack/{team}/uninstall`: removes the app from a workspace.
#[handler]
pub(crate) fn do_uninstall(Path(team): Path<String>, Data(world): Data<&Arc<World>>) -> Response {
    let slack = world.slack();
    let Some(team) = slack.team(&team) else {
        return not_found("There is no such workspace.");
    };
    slack.uninstall(&team);
    see_other("/slack")
}

fn find(slack: &Slack, team: &str, channel: &str) -> Option<(Arc<Team>, Arc<Channel>)> {
    let team = slack.team(team)?;
    let channel = team.channel(channel)?;
    Some((team, channel))
}
