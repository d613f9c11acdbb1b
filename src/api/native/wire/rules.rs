//! Rules of routes, one member for each kind.

use super::Word;
use crate::{
    api::shared::word::Vocabulary,
    domain::{
        Error, Result,
        github::subscription::{Broadcast, Conclusion, EventKind},
        routes::rule::{Check, Rule},
    },
};
use poem_openapi::{
    Object,
    types::{ParseFromJSON, ToJSON},
};
use serde_json::Value;
use uuid::Uuid;

const ONE_KIND: &str = "must have one kind of rule, such as github";

/// Rule of a route: exactly one member, the kind of the rule.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "RouteRule", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RuleBody {
    /// A subscription to GitHub events. A Slack channel gets messages made for reading, in threads.
    pub github: Option<GithubRule>,
    /// Filters of the Slack connection; of a route that it manages.
    pub workflow_step: Option<WorkflowStepRule>,
    /// Triggers of an outgoing webhook; of a route that it manages.
    pub message: Option<MessageRule>,
    /// Use of an app in a channel; of a route that it manages.
    pub app: Option<AppRule>,
}

/// Filters of completed steps of workflows.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "WorkflowStepRule", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct WorkflowStepRule {
    /// Kinds of step, such as `KIND_ENTRY`; if empty, all.
    #[oai(validator(max_items = 10))]
    pub triggers: Option<Vec<String>>,
    /// Id of a link whose steps alone match; an empty text in an update removes it.
    pub link_id: Option<String>,
}

/// Triggers of an outgoing webhook.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "MessageRule", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct MessageRule {
    /// Event that it is called for, such as `sendMessage`; it changes with the webhook alone.
    pub event: Option<String>,
    /// Words of which a message has to have one at its beginning, or anywhere if the webhook says so; if empty, every
    /// message matches.
    #[oai(validator(max_items = 100))]
    pub trigger_words: Option<Vec<String>>,
    /// Channels that it is called for; they change with the webhook alone.
    pub channels: Option<Vec<String>>,
}

/// Use of an app in a channel.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "AppRule", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct AppRule {
    /// Id of the app; it does not change.
    pub app_id: Option<Uuid>,
    /// Position in the order of calls: the lowest is called first.
    pub position: Option<i32>,
}

impl RuleBody {
    /// Converts the rule of a request. Only the given settings are among its settings.
    ///
    /// # Errors
    /// [`Error::Invalid`] where no kind is given, or several.
    pub fn into_rule(self) -> Result<Rule> {
        match self.to_json() {
            Some(Value::Object(kinds)) if kinds.len() == 1 => {
                let one = kinds.into_iter().next().map(|(kind, settings)| Rule { kind, settings });
                one.ok_or_else(|| Error::invalid("/rule", ONE_KIND))
            }
            _ => Err(Error::invalid("/rule", ONE_KIND)),
        }
    }

    /// Converts a rule: the member that its kind names has its settings.
    pub fn of(rule: Rule) -> Self {
        let all = serde_json::json!({rule.kind: rule.settings});
        Self::parse_from_json(Some(all)).unwrap_or_default()
    }
}

macro_rules! vocabulary {
    ($name:ident as $wire:literal, $description:literal) => {
        impl Vocabulary for $name {
            const NAME: &'static str = $wire;
            const DESCRIPTION: &'static str = $description;

            fn words() -> Vec<(&'static str, Self)> {
                $name::ALL.iter().map(|word| (word.as_str(), *word)).collect()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

vocabulary!(EventKind as "GithubEventKind", "Kind of GitHub events.");
vocabulary!(Conclusion as "WorkflowConclusion", "Conclusion of a run of a GitHub workflow or check.");
vocabulary!(
    Broadcast as "ThreadBroadcast",
    "Replies in a thread that are also shown in the channel: never, state_changes (merged, closed, opened again, \
     ready for review), or always."
);

/// Patterns to be included and excluded. `*` stands for any characters.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "Patterns", skip_serializing_if_is_none)]
pub struct PatternsBody {
    /// Patterns of which at least one has to match; if empty or absent, everything matches.
    #[oai(validator(max_items = 1000))]
    pub include: Option<Vec<String>>,
    /// Patterns of which none may match.
    #[oai(validator(max_items = 1000))]
    pub exclude: Option<Vec<String>>,
}

/// Rules for runs of workflows and checks.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkflowRules", skip_serializing_if_is_none)]
pub struct WorkflowRulesBody {
    /// Conclusions of the runs; by default, those of failed runs.
    #[oai(validator(max_items = 1000))]
    pub conclusions: Option<Vec<Word<Conclusion>>>,
    /// Patterns of the names; if empty or absent, all names match.
    #[oai(validator(max_items = 1000))]
    pub names: Option<Vec<String>>,
}

/// Threading of messages about one pull request, issue or discussion.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ThreadRules", skip_serializing_if_is_none)]
pub struct ThreadRulesBody {
    /// True if such messages share a thread; true by default.
    pub enabled: Option<bool>,
    /// Replies that are also shown in the channel; none by default.
    pub broadcast: Option<Word<Broadcast>>,
}

/// Rule for GitHub events. An absent member has its default, or stays unchanged in an update.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "GithubRule", skip_serializing_if_is_none)]
pub struct GithubRule {
    /// `owner/name`, or `owner/*` for all repositories of an account; at least one.
    #[oai(validator(max_items = 1000))]
    pub repositories: Option<Vec<String>>,
    /// Kinds of events; by default `issues`, `pulls`, `commits`, `releases` and `deployments`.
    #[oai(validator(max_items = 1000))]
    pub events: Option<Vec<Word<EventKind>>>,
    /// Branches: the target of a pull request, the branch of a push, a workflow or a check. If `include` is empty,
    /// commits are notified for the default branch alone.
    pub branches: Option<PatternsBody>,
    /// Labels of pull requests, issues and discussions.
    pub labels: Option<PatternsBody>,
    /// Logins of authors, such as `*[bot]`.
    pub authors: Option<PatternsBody>,
    /// True if events of bots are notified; true by default.
    pub bots: Option<bool>,
    /// True if draft pull requests are notified; otherwise, and by default, they are notified once they are ready for
    /// review.
    pub drafts: Option<bool>,
    /// Rules for runs of workflows and checks.
    pub workflows: Option<WorkflowRulesBody>,
    /// Threading of messages about one topic.
    pub threads: Option<ThreadRulesBody>,
}

/// Result of one setting of a rule for an event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RouteCheck")]
pub struct CheckOut {
    /// Name of the setting.
    pub name: String,
    /// True if it lets the event through.
    pub passed: bool,
    /// Explanation of the result.
    pub detail: String,
}

impl From<Check> for CheckOut {
    fn from(check: Check) -> Self {
        Self { name: check.name.to_owned(), passed: check.passed, detail: check.detail.into_owned() }
    }
}
