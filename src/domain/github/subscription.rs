//! Subscriptions of Slack channels to GitHub events, and the decision on an event.
//!
//! Not here: the text of the messages (`domain::github::message`).
//!
//! - [`rules`]: the rules, their enum values and defaults.
//! - `filters`: each rule against an event, with the reason in words.
//! - `story`: the actions that are notified, and whether they open a topic, change its state or reply to it.

mod filters;
pub mod rules;
mod story;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use rules::{Broadcast, Conclusion, EventKind, Patterns, Rules, ThreadRules, WorkflowRules};

use crate::domain::{
    ambient::Time,
    github::{GithubEvent, message},
    ids::{DestinationId, OrganisationId, SubscriptionId, UserId},
    slack::{SlackContent, content::Thread},
};
use story::ThreadRole;

/// A Slack channel's subscription to GitHub events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its identifier.
    pub id: SubscriptionId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The destination of its messages.
    pub destination_id: DestinationId,
    /// Slack's id of the channel.
    pub slack_channel_id: String,
    /// The channel's name, without `#`.
    pub slack_channel_name: String,
    /// True while it is paused.
    pub paused: bool,
    /// Its rules.
    pub rules: Rules,
    /// The creator.
    pub created_by: UserId,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// Decision of a subscription on an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Not concerned: the event is about another repository.
    Ignore,
    /// Deliver this message.
    Send(SlackContent),
    /// Skip, with the reason: the rule and the value that decided.
    Skip(Cow<'static, str>),
}

/// Result of one rule for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule's name, as in the rules; `action` and `paused` stand beside them.
    pub rule: &'static str,
    /// True if the rule lets the event through.
    pub passed: bool,
    /// Reason, in words.
    pub detail: Cow<'static, str>,
}

impl Subscription {
    /// Decides on `event`: the first rule that does not let it through is decisive.
    pub fn decide(&self, event: &GithubEvent) -> Decision {
        for rule in filters::ALL {
            match (rule.test)(self, event) {
                Ok(_) => {}
                Err(_) if rule.name == filters::REPOSITORIES => return Decision::Ignore,
                Err(reason) => return Decision::Skip(reason),
            }
        }
        match story::thread_role(&self.rules, event) {
            Err(reason) => Decision::Skip(reason),
            Ok(role) => Decision::Send(SlackContent {
                message: message(event),
                thread: self.thread(event, role),
                origin: origin(event),
            }),
        }
    }

    /// Builds the message for a manual delivery of an event that a rule of these subscriptions of a channel has
    /// skipped: as the first subscription to the repository would, and outside of any thread if there is none.
    pub fn manual_content(subscriptions: &[Subscription], event: &GithubEvent) -> SlackContent {
        let concerned = subscriptions.iter().find(|subscription| filters::is_about(subscription, event));
        let role =
            |subscription: &Subscription| story::thread_role(&subscription.rules, event).unwrap_or(ThreadRole::Reply);
        let thread = concerned.and_then(|subscription| subscription.thread(event, role(subscription)));
        SlackContent { message: message(event), thread, origin: origin(event) }.sent_manually()
    }

    /// Returns the result of every rule for `event`, in the order of evaluation.
    pub fn explain(&self, event: &GithubEvent) -> Vec<Check> {
        let check = |rule: &filters::Filter| {
            let outcome = (rule.test)(self, event);
            Check { rule: rule.name, passed: outcome.is_ok(), detail: outcome.unwrap_or_else(|reason| reason) }
        };
        filters::ALL.iter().map(check).collect()
    }

    /// Assigns the message to a thread. A message that opens a topic is notified once, regardless of the event that
    /// arrives first: GitHub's webhooks keep no order, and labels often come in a second one. So it carries its topic
    /// without threads too.
    fn thread(&self, event: &GithubEvent, role: ThreadRole) -> Option<Thread> {
        let threads = &self.rules.threads;
        if role == ThreadRole::Alone || (role != ThreadRole::Opening && !threads.enabled) {
            return None;
        }
        let topic = format!("github/{}/{}", event.repository.id, event.number()?);
        let broadcast = match threads.broadcast {
            Broadcast::Never => false,
            Broadcast::StateChanges => role == ThreadRole::Change,
            Broadcast::Always => role != ThreadRole::Opening,
        };
        let only_reply = filters::only_replies(self, event);
        Some(Thread { topic, only_first: role == ThreadRole::Opening, only_reply, broadcast, manual: false })
    }
}

/// Repository of an event, and the installation that saw it. Its messages are sent while the installation is linked and
/// sees the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// GitHub's number of the installation.
    pub installation_id: i64,
    /// GitHub's number of the repository.
    pub repository_id: i64,
}

fn origin(event: &GithubEvent) -> Option<Value> {
    Some(json!(Origin { installation_id: event.installation_id?, repository_id: event.repository.id }))
}

#[cfg(test)]
mod tests;
