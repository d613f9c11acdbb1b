//! Subscriptions: a Slack channel's wish to hear of GitHub events, and what an event means for it.
//!
//! - [`rules`]: the rules, their words and defaults.
//! - [`glob`]: patterns with `*`.
//! - `filters`: each rule against an event, with the reason in words.
//! - `story`: which actions are told, and whether they open a topic, change its state or reply to it.

mod filters;
pub mod glob;
pub mod rules;
mod story;

use std::borrow::Cow;

pub use rules::{Broadcast, Conclusion, EventKind, Patterns, Rules, ThreadRules, WorkflowRules};

use crate::domain::{
    ambient::Time,
    github::{GithubEvent, message},
    ids::{DestinationId, OrganisationId, SubscriptionId, UserId},
    pipeline::delivery::{Content, Origin, Thread},
};
use story::Telling;

/// A Slack channel that wants to hear of GitHub events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its identifier.
    pub id: SubscriptionId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Where its messages go.
    pub destination_id: DestinationId,
    /// Slack's id of the channel.
    pub slack_channel_id: String,
    /// The channel's name, without `#`.
    pub slack_channel_name: String,
    /// Whether somebody stopped it for a while.
    pub paused: bool,
    /// What it wants to hear of.
    pub rules: Rules,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What an event means for a subscription.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It is none of its business: another repository's, or of a kind that nobody can subscribe to.
    Ignore,
    /// It is told.
    Send(Content),
    /// It is not told, and this is why: the rule and the value that decided.
    Skip(Cow<'static, str>),
}

/// What one rule says to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule's name, as in the rules; `action` and `paused` stand beside them.
    pub rule: &'static str,
    /// Whether it lets the event through.
    pub passed: bool,
    /// Why, in words.
    pub detail: Cow<'static, str>,
}

impl Subscription {
    /// What `event` means: the first rule that does not let it through decides.
    pub fn decide(&self, event: &GithubEvent) -> Decision {
        for rule in filters::ALL {
            match (rule.test)(self, event) {
                Ok(_) => {}
                Err(_) if rule.name == filters::REPOSITORIES || !filters::has_kind(event) => return Decision::Ignore,
                Err(reason) => return Decision::Skip(reason),
            }
        }
        match story::telling(&self.rules, event) {
            Err(reason) => Decision::Skip(reason),
            Ok(telling) => Decision::Send(Content {
                message: message(event),
                thread: self.thread(event, telling),
                origin: origin(event),
            }),
        }
    }

    /// What is told to somebody who asks for it although a rule of these subscriptions of a channel kept it back: as the
    /// first one that is about the repository would, and by itself where there is none.
    pub fn by_hand(subscriptions: &[Subscription], event: &GithubEvent) -> Content {
        let concerned = subscriptions.iter().find(|subscription| filters::is_about(subscription, event));
        let telling =
            |subscription: &Subscription| story::telling(&subscription.rules, event).unwrap_or(Telling::Reply);
        let thread = concerned.and_then(|subscription| subscription.thread(event, telling(subscription)));
        Content { message: message(event), thread, origin: origin(event) }.by_hand()
    }

    /// What every rule says to `event`, in the order in which they decide.
    pub fn explain(&self, event: &GithubEvent) -> Vec<Check> {
        let check = |rule: &filters::Filter| {
            let outcome = (rule.test)(self, event);
            Check { rule: rule.name, passed: outcome.is_ok(), detail: outcome.unwrap_or_else(|reason| reason) }
        };
        filters::ALL.iter().map(check).collect()
    }

    /// Where the message stands. One that opens a topic is told once, whatever is heard of it first: GitHub's webhooks
    /// keep no order, and labels often come in a second one. So it bears its topic without threads too.
    fn thread(&self, event: &GithubEvent, telling: Telling) -> Option<Thread> {
        let threads = &self.rules.threads;
        if telling == Telling::Alone || (telling != Telling::Opening && !threads.enabled) {
            return None;
        }
        let topic = format!("github/{}/{}", event.repository.id, event.number()?);
        let broadcast = match threads.broadcast {
            Broadcast::Never => false,
            Broadcast::StateChanges => telling == Telling::Change,
            Broadcast::Always => telling != Telling::Opening,
        };
        let only_reply = filters::only_replies(self, event);
        Some(Thread { topic, only_first: telling == Telling::Opening, only_reply, broadcast, by_hand: false })
    }
}

fn origin(event: &GithubEvent) -> Option<Origin> {
    Some(Origin { installation_id: event.installation_id?, repository_id: event.repository.id })
}

#[cfg(test)]
mod tests;
