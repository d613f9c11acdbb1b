//! Subscriptions to GitHub events: the kind of rule that makes a route one, and its decision on an event.
//!
//! Not here: the text of the messages (`domain::github::message`).
//!
//! - [`rules`]: the settings, their enum values and defaults.
//! - `filters`: each setting against an event, with the reason in words.
//! - `story`: the actions that are notified, and whether they open a topic, change its state or reply to it.

mod filters;
pub mod rules;
mod story;

use std::{any::Any, borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use rules::{Broadcast, Conclusion, EventKind, Patterns, Rules, ThreadRules, WorkflowRules};

use crate::domain::{
    Error, Result,
    github::{EVENT_PREFIX, GithubEvent, message},
    pipeline::{delivery::Content, event::Event},
    routes::{
        route::Route,
        rule::{Check, Judge, Judgement, Rule, RuleKind},
    },
    slack::{SlackContent, content::Thread, destination::SLACK},
};
use story::ThreadRole;

/// Name of the kind of rule.
pub const GITHUB: &str = "github";

/// Kind of rule that subscribes to GitHub events.
pub struct GithubRules;

impl RuleKind for GithubRules {
    fn name(&self) -> &'static str {
        GITHUB
    }

    fn parse(&self, settings: &Value) -> Result<Arc<dyn Judge>> {
        Ok(Arc::new(Rules::parse(settings)?))
    }

    fn read(&self, event: &Event) -> Result<Box<dyn Any>, &'static str> {
        let name = event.fact.kind.strip_prefix(EVENT_PREFIX).ok_or("the event is not one of GitHub's")?;
        let read = GithubEvent::read(name, &event.fact.data).ok_or("the event is not about a repository")?;
        Ok(Box::new(read))
    }
}

impl Judge for Rules {
    fn settings(&self) -> Value {
        json!(self)
    }

    fn judge(&self, event: &dyn Any) -> Judgement {
        match event.downcast_ref().map(|event| self.decide(event)) {
            None => Judgement::Unconcerned("the event is not one of GitHub's".into()),
            Some(Decision::Ignore(reason)) => Judgement::Unconcerned(reason),
            Some(Decision::Skip(reason)) => Judgement::Skip(reason),
            Some(Decision::Send(content)) => Judgement::Pass(Some((SLACK, Content::of(&content)))),
        }
    }

    fn checks(&self, event: &dyn Any) -> Vec<Check> {
        event.downcast_ref().map(|event| self.explain(event)).unwrap_or_default()
    }
}

/// Decision of a subscription on an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Not concerned, for this reason: the event is about another repository.
    Ignore(Cow<'static, str>),
    /// Deliver this message.
    Send(SlackContent),
    /// Skip, with the reason: the rule and the value that decided.
    Skip(Cow<'static, str>),
}

impl Rules {
    /// Reads the settings of a rule.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn parse(settings: &Value) -> Result<Self> {
        let read = Rules::deserialize(settings).map_err(|error| Error::invalid("", error.to_string()))?;
        read.check().map(|()| read)
    }

    /// Returns the subscription that a route is, if it is one.
    pub fn of(route: &Route) -> Option<Self> {
        let rule = route.rule.as_ref().filter(|rule| rule.kind == GITHUB)?;
        Self::parse(&rule.settings).ok()
    }

    /// Returns the rule of a route.
    pub fn into_rule(self) -> Rule {
        Rule { kind: GITHUB.into(), settings: json!(self) }
    }

    /// Decides on `event`: the first rule that does not let it through is decisive.
    pub fn decide(&self, event: &GithubEvent) -> Decision {
        for rule in filters::ALL {
            match (rule.test)(self, event) {
                Ok(_) => {}
                Err(reason) if rule.name == filters::REPOSITORIES => return Decision::Ignore(reason),
                Err(reason) => return Decision::Skip(reason),
            }
        }
        match story::thread_role(self, event) {
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
    pub fn manual_content(subscriptions: &[Rules], event: &GithubEvent) -> SlackContent {
        let concerned = subscriptions.iter().find(|rules| filters::is_about(rules, event));
        let role = |rules: &Rules| story::thread_role(rules, event).unwrap_or(ThreadRole::Reply);
        let thread = concerned.and_then(|rules| rules.thread(event, role(rules)));
        SlackContent { message: message(event), thread, origin: origin(event) }.sent_manually()
    }

    /// Returns the result of every rule for `event`, in the order of evaluation.
    pub fn explain(&self, event: &GithubEvent) -> Vec<Check> {
        let check = |rule: &filters::Filter| {
            let outcome = (rule.test)(self, event);
            Check { name: rule.name, passed: outcome.is_ok(), detail: outcome.unwrap_or_else(|reason| reason) }
        };
        filters::ALL.iter().map(check).collect()
    }

    /// Assigns the message to a thread. A message that opens a topic is notified once, regardless of the event that
    /// arrives first: GitHub's webhooks keep no order, and labels often come in a second one. So it carries its topic
    /// without threads too.
    fn thread(&self, event: &GithubEvent, role: ThreadRole) -> Option<Thread> {
        let threads = &self.threads;
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
