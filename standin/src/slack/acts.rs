//! User actions in Slack, each with the events that notify the app.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Slack;
use super::channel::Channel;
use super::message::Content;
use super::sender::Response;
use super::workspace::Team;

/// A typed command, or a pressed button.
pub(crate) struct Act<'a> {
    pub(crate) team: &'a Arc<Team>,
    pub(crate) channel: &'a Arc<Channel>,
    pub(crate) user: &'a str,
}

impl Slack {
    /// A user invites the bot.
    pub(crate) fn invite_bot(self: &Arc<Self>, team: &Team, channel: &Channel) {
        if !channel.has_bot() {
            channel.set_bot_in(true);
            self.send_event(team, membership("member_joined_channel", team, channel), None);
        }
    }

    /// A user removes the bot.
    pub(crate) fn remove_bot(self: &Arc<Self>, team: &Team, channel: &Channel) {
        if channel.has_bot() {
            self.send_event(team, membership("member_left_channel", team, channel), None);
            channel.set_bot_in(false);
        }
    }

    /// A user archives or unarchives a channel.
    pub(crate) fn archive(self: &Arc<Self>, team: &Team, channel: &Channel, archived: bool) {
        channel.set_archived(archived);
        if channel.visible_to_bot() {
            let kind = match (channel.private, archived) {
                (false, true) => "channel_archive",
                (false, false) => "channel_unarchive",
                (true, true) => "group_archive",
                (true, false) => "group_unarchive",
            };
            let user = team.users.first().map(|user| user.id.as_str());
            self.send_event(team, json!({"type": kind, "channel": channel.id, "user": user}), None);
        }
    }

    /// Removes the app from a workspace; the app is notified by two events, in no particular order.
    pub(crate) fn uninstall(self: &Arc<Self>, team: &Team) {
        let (people, bots) = self.grants.uninstall(team);
        team.dismiss_bot();
        let uninstalled = || self.send_event(team, json!({"type": "app_uninstalled"}), None);
        if self.ids.serial().is_multiple_of(2) {
            uninstalled();
            self.notify_tokens_revoked(team, people, bots);
        } else {
            self.notify_tokens_revoked(team, people, bots);
            uninstalled();
        }
    }

    /// Notifies the app of the revoked tokens of users and bots.
    pub(crate) fn notify_tokens_revoked(self: &Arc<Self>, team: &Team, people: Vec<String>, bots: Vec<String>) {
        self.send_event(team, json!({"type": "tokens_revoked", "tokens": {"oauth": people, "bot": bots}}), None);
    }

    /// A user posts a message.
    pub(crate) fn say(&self, act: &Act<'_>, text: &str) {
        let content = Content {
            user: act.user.to_owned(),
            team: act.team.id.clone(),
            text: text.to_owned(),
            ..Content::default()
        };
        act.channel.say(&content, self.clock.now_micros());
    }

    /// A user types a slash command. The app's first answer counts as a reply.
    pub(crate) async fn command(&self, act: &Act<'_>, command: &str, text: &str) -> Result<Response, &'static str> {
        let url = self.app().commands_url.clone().ok_or("no_commands_url")?;
        let (trigger, response_url) = self.handles(act);
        let user_name = act.team.user(act.user).map_or("", |user| user.name);
        let channel_name = if act.channel.private { "privategroup" } else { act.channel.name.as_str() };
        let fields = [
            ("token", "standin-verification-token"),
            ("team_id", &act.team.id),
            ("team_domain", &act.team.domain),
            ("channel_id", &act.channel.id),
            ("channel_name", channel_name),
            ("user_id", act.user),
            ("user_name", user_name),
            ("command", command),
            ("text", text),
            ("api_app_id", &self.app_id),
            ("is_enterprise_install", "false"),
            ("response_url", &response_url),
            ("trigger_id", &trigger),
        ];
        let response = self.send_form(&url, &fields).await?;
        if response.status == 200 && !response.body.is_empty() {
            let payload = serde_json::from_str(&response.body).unwrap_or_else(|_| json!({"text": response.body}));
            // A reply that Slack would refuse is not shown; the caller sees it in the answer.
            let _ = self.take_reply(act.team, act.channel, act.user, payload);
        }
        Ok(response)
    }

    /// A user presses a button or submits a modal. The given fields replace the usual ones.
    pub(crate) async fn interact(&self, act: &Act<'_>, fields: Value) -> Result<Response, &'static str> {
        let url = self.app().interactivity_url.clone().ok_or("no_interactivity_url")?;
        let (trigger, response_url) = self.handles(act);
        let user_name = act.team.user(act.user).map_or("", |user| user.name);
        let mut payload = json!({
            "type": "block_actions",
            "team": {"id": act.team.id, "domain": act.team.domain},
            "user": {"id": act.user, "username": user_name, "name": user_name, "team_id": act.team.id},
            "api_app_id": self.app_id,
            "token": "standin-verification-token",
            "trigger_id": trigger,
            "enterprise": null,
            "is_enterprise_install": false,
            "channel": {"id": act.channel.id, "name": act.channel.name},
            "response_url": response_url,
            "state": {"values": {}},
            "actions": [],
        });
        if let (Value::Object(payload), Value::Object(fields)) = (&mut payload, fields) {
            payload.extend(fields);
        }
        self.send_form(&url, &[("payload", &payload.to_string())]).await
    }

    /// Opens a trigger and a response URL for an action.
    fn handles(&self, act: &Act<'_>) -> (String, String) {
        let now = self.clock.now_micros();
        let trigger = self.hooks.open_trigger(&self.ids, act.team, act.user, now);
        let key = self.hooks.open_response(&self.ids, act.team, act.channel, act.user, now);
        (trigger, format!("{}/hooks/commands/{}/{key}", self.base, act.team.id))
    }
}

fn membership(kind: &str, team: &Team, channel: &Channel) -> Value {
    let channel_type = if channel.private { "G" } else { "C" };
    json!({
        "type": kind,
        "user": team.bot.user_id,
        "channel": channel.id,
        "channel_type": channel_type,
        "team": team.id,
    })
}
