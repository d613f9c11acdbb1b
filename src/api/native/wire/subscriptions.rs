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

vocabulary!(EventKind as "GithubEventKind", "A kind of GitHub events that a channel may be told of.");
vocabulary!(Conclusion as "WorkflowConclusion", "How a run of a GitHub workflow or check ended.");
vocabulary!(
    Broadcast as "ThreadBroadcast",
    "Which replies in a thread are shown in the channel as well: never, state_changes (merged, closed, opened again, \
     ready for review), or always."
);

/// What has to be, and what must not. `*` stands for any characters.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "Patterns", skip_serializing_if_is_none)]
pub struct PatternsBody {
    /// One of these has to match; none are needed where it is empty or left out.
    #[oai(validator(max_items = 1000))]
    pub include: Option<Vec<String>>,
    /// None of these may match.
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

/// Which runs of workflows and checks are told.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkflowRules", skip_serializing_if_is_none)]
pub struct WorkflowRulesBody {
    /// How they ended; those that failed where it is left out.
    #[oai(validator(max_items = 1000))]
    pub conclusions: Option<Vec<Word<Conclusion>>>,
    /// Patterns of their names; all where it is empty or left out.
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

/// How messages on one pull request, issue or discussion hang together.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ThreadRules", skip_serializing_if_is_none)]
pub struct ThreadRulesBody {
    /// Whether they go into one thread; they do where it is left out.
    pub enabled: Option<bool>,
    /// Which replies are shown in the channel as well; never where it is left out.
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

/// What a channel wants to hear of. What is left out has its default, or stays in a change.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "SubscriptionRules", skip_serializing_if_is_none)]
pub struct RulesBody {
    /// `owner/name`, or `owner/*` for everything that an account owns; at least one.
    #[oai(validator(max_items = 1000))]
    pub repositories: Option<Vec<String>>,
    /// Kinds of events; `issues`, `pulls`, `commits`, `releases` and `deployments` where it is left out.
    #[oai(validator(max_items = 1000))]
    pub events: Option<Vec<Word<EventKind>>>,
    /// Branches: the target of a pull request, the branch of a push, a workflow or a check. Commits are told of the
    /// default branch alone where `include` is empty.
    pub branches: Option<PatternsBody>,
    /// Labels of pull requests, issues and discussions.
    pub labels: Option<PatternsBody>,
    /// Logins of authors, such as `*[bot]`.
    pub authors: Option<PatternsBody>,
    /// Whether bots are heard; they are where it is left out.
    pub bots: Option<bool>,
    /// Whether draft pull requests are told of; otherwise, and where it is left out, they are once they are ready.
    pub drafts: Option<bool>,
    /// Which runs of workflows and checks are told.
    pub workflows: Option<WorkflowRulesBody>,
    /// How messages on one topic hang together.
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

/// A Slack channel that hears of GitHub events.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Subscription", rename_all = "camelCase")]
pub struct SubscriptionOut {
    /// Its id.
    pub id: Uuid,
    /// Slack's id of the channel.
    pub slack_channel_id: String,
    /// The channel's name, without `#`; empty where nobody gave it.
    pub slack_channel_name: String,
    /// Where its messages go: deliveries have it.
    pub destination_id: Uuid,
    /// Whether it is stopped for a while; what it then does not say is recorded as skipped.
    pub paused: bool,
    /// What it wants to hear of, in full.
    pub rules: RulesBody,
    /// The user who made it.
    pub created_by: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
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

/// A subscription to be made.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewSubscription", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct SubscriptionIn {
    /// Slack's id of the channel, such as `C01ABC123`.
    pub slack_channel_id: String,
    /// The channel's name, for people.
    pub slack_channel_name: Option<String>,
    /// What it wants to hear of.
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

/// What to change in a subscription; what is left out stays.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "SubscriptionPatch", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct SubscriptionPatch {
    /// Another channel; its name is forgotten unless it is given too.
    pub slack_channel_id: Option<String>,
    /// The channel's name.
    pub slack_channel_name: Option<String>,
    /// Whether it is stopped for a while.
    pub paused: Option<bool>,
    /// What it wants to hear of.
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

/// What one rule says to an event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SubscriptionCheck")]
pub struct CheckOut {
    /// The rule.
    pub rule: String,
    /// Whether it lets the event through.
    pub passed: bool,
    /// Why, in words.
    pub detail: String,
}

impl From<Check> for CheckOut {
    fn from(check: Check) -> Self {
        Self { rule: check.rule.to_owned(), passed: check.passed, detail: check.detail.into_owned() }
    }
}

/// What an event means for a subscription.
#[derive(Clone, Debug, Object)]
#[oai(rename = "SubscriptionExplanation")]
pub struct ExplanationOut {
    /// Whether the channel would be told.
    pub told: bool,
    /// Why, in words.
    pub reason: String,
    /// What each rule says, in the order in which they decide.
    pub checks: Vec<CheckOut>,
}

impl From<Explanation> for ExplanationOut {
    fn from(explanation: Explanation) -> Self {
        let Explanation { told, reason, checks } = explanation;
        Self { told, reason, checks: checks.into_iter().map(Into::into).collect() }
    }
}
