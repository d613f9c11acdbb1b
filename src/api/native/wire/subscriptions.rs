//! Subscriptions of Slack channels to GitHub events.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::Word;
use crate::{
    api::shared::{time::Timestamp, word::Vocabulary},
    app::github::subscriptions::{Explanation, NewSubscription, RulesChange, SubscriptionChange},
    domain::github::subscription::{
        Broadcast, Check, Conclusion, EventKind, Patterns, Rules, Subscription, ThreadRules, WorkflowRules,
    },
};

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

vocabulary!(EventKind as "GithubEventKind", "Kind of GitHub events that a channel can subscribe to.");
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

impl From<Patterns> for PatternsBody {
    fn from(patterns: Patterns) -> Self {
        Self { include: Some(patterns.include), exclude: Some(patterns.exclude) }
    }
}

impl From<PatternsBody> for Patterns {
    fn from(body: PatternsBody) -> Self {
        Self { include: body.include.unwrap_or_default(), exclude: body.exclude.unwrap_or_default() }
    }
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

impl From<WorkflowRules> for WorkflowRulesBody {
    fn from(rules: WorkflowRules) -> Self {
        Self { conclusions: Some(rules.conclusions.into_iter().map(Word).collect()), names: Some(rules.names) }
    }
}

impl From<WorkflowRulesBody> for WorkflowRules {
    fn from(body: WorkflowRulesBody) -> Self {
        let WorkflowRules { conclusions, names } = WorkflowRules::default();
        Self {
            conclusions: body.conclusions.map_or(conclusions, |words| words.into_iter().map(|word| word.0).collect()),
            names: body.names.unwrap_or(names),
        }
    }
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

impl From<ThreadRules> for ThreadRulesBody {
    fn from(rules: ThreadRules) -> Self {
        Self { enabled: Some(rules.enabled), broadcast: Some(Word(rules.broadcast)) }
    }
}

impl From<ThreadRulesBody> for ThreadRules {
    fn from(body: ThreadRulesBody) -> Self {
        let ThreadRules { enabled, broadcast } = ThreadRules::default();
        Self { enabled: body.enabled.unwrap_or(enabled), broadcast: body.broadcast.map_or(broadcast, |word| word.0) }
    }
}

/// Rules of a subscription. An absent member has its default, or stays unchanged in an update.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "SubscriptionRules", skip_serializing_if_is_none)]
pub struct RulesBody {
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

impl From<Rules> for RulesBody {
    fn from(rules: Rules) -> Self {
        Self {
            repositories: Some(rules.repositories),
            events: Some(rules.events.into_iter().map(Word).collect()),
            branches: Some(rules.branches.into()),
            labels: Some(rules.labels.into()),
            authors: Some(rules.authors.into()),
            bots: Some(rules.bots),
            drafts: Some(rules.drafts),
            workflows: Some(rules.workflows.into()),
            threads: Some(rules.threads.into()),
        }
    }
}

impl From<RulesBody> for RulesChange {
    fn from(body: RulesBody) -> Self {
        Self {
            repositories: body.repositories,
            events: body.events.map(|words| words.into_iter().map(|word| word.0).collect()),
            branches: body.branches.map(Into::into),
            labels: body.labels.map(Into::into),
            authors: body.authors.map(Into::into),
            bots: body.bots,
            drafts: body.drafts,
            workflows: body.workflows.map(Into::into),
            threads: body.threads.map(Into::into),
        }
    }
}

/// A Slack channel's subscription to GitHub events.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Subscription", rename_all = "camelCase")]
pub struct SubscriptionOut {
    /// Unique id.
    pub id: Uuid,
    /// Slack's id of the channel.
    pub slack_channel_id: String,
    /// Name of the channel, without `#`; empty if none was given.
    pub slack_channel_name: String,
    /// Id of the destination that its messages are sent to; deliveries refer to it.
    pub destination_id: Uuid,
    /// True while the subscription is paused; its deliveries are then recorded as skipped.
    pub paused: bool,
    /// All rules of the subscription, with their defaults.
    pub rules: RulesBody,
    /// User id of its creator.
    pub created_by: Uuid,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<Subscription> for SubscriptionOut {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id.0,
            slack_channel_id: subscription.slack_channel_id,
            slack_channel_name: subscription.slack_channel_name,
            destination_id: subscription.destination_id.0,
            paused: subscription.paused,
            rules: subscription.rules.into(),
            created_by: subscription.created_by.0,
            created_at: subscription.created_at.into(),
            updated_at: subscription.updated_at.into(),
        }
    }
}

/// A subscription to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewSubscription", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct SubscriptionIn {
    /// Slack's id of the channel, such as `C01ABC123`.
    pub slack_channel_id: String,
    /// Name of the channel, for display.
    pub slack_channel_name: Option<String>,
    /// Rules of the subscription.
    pub rules: RulesBody,
}

impl From<SubscriptionIn> for NewSubscription {
    fn from(body: SubscriptionIn) -> Self {
        let mut rules = Rules::default();
        RulesChange::from(body.rules).apply(&mut rules);
        Self {
            slack_channel_id: body.slack_channel_id,
            slack_channel_name: body.slack_channel_name.unwrap_or_default(),
            rules,
        }
    }
}

impl Example for SubscriptionIn {
    fn example() -> Self {
        let patterns = |include: &[&str], exclude: &[&str]| PatternsBody {
            include: Some(include.iter().map(|text| (*text).to_owned()).collect()),
            exclude: Some(exclude.iter().map(|text| (*text).to_owned()).collect()),
        };
        Self {
            slack_channel_id: "C01ABC123".into(),
            slack_channel_name: Some("web".into()),
            rules: RulesBody {
                repositories: Some(vec!["acme/web".into()]),
                events: Some(vec![Word(EventKind::Pulls), Word(EventKind::Reviews)]),
                branches: Some(patterns(&["main", "release/*"], &[])),
                authors: Some(patterns(&[], &["dependabot[bot]"])),
                ..RulesBody::default()
            },
        }
    }
}

/// Changes to a subscription; absent fields stay unchanged.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "SubscriptionPatch", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct SubscriptionPatch {
    /// Slack's id of another channel; the former name is removed unless a new one is given.
    pub slack_channel_id: Option<String>,
    /// Name of the channel.
    pub slack_channel_name: Option<String>,
    /// True to pause the subscription.
    pub paused: Option<bool>,
    /// Rules of the subscription.
    pub rules: Option<RulesBody>,
}

impl From<SubscriptionPatch> for SubscriptionChange {
    fn from(patch: SubscriptionPatch) -> Self {
        Self {
            slack_channel_id: patch.slack_channel_id,
            slack_channel_name: patch.slack_channel_name,
            paused: patch.paused,
            rules: patch.rules.map(Into::into).unwrap_or_default(),
        }
    }
}

impl Example for SubscriptionPatch {
    fn example() -> Self {
        Self { paused: Some(true), ..Self::default() }
    }
}

/// Result of one rule for an event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SubscriptionCheck")]
pub struct CheckOut {
    /// Name of the rule.
    pub rule: String,
    /// True if the event passes the rule.
    pub passed: bool,
    /// Explanation of the result.
    pub detail: String,
}

impl From<Check> for CheckOut {
    fn from(check: Check) -> Self {
        Self { rule: check.rule.to_owned(), passed: check.passed, detail: check.detail.into_owned() }
    }
}

/// Evaluation of an event for a subscription.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SubscriptionExplanation")]
pub struct ExplanationOut {
    /// True if the channel would be notified.
    pub told: bool,
    /// Explanation of the decision.
    pub reason: String,
    /// Results of the rules, in the order of their evaluation.
    pub checks: Vec<CheckOut>,
}

impl From<Explanation> for ExplanationOut {
    fn from(explanation: Explanation) -> Self {
        let Explanation { told, reason, checks } = explanation;
        Self { told, reason, checks: checks.into_iter().map(Into::into).collect() }
    }
}
