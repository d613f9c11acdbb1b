//! Subscriptions of Slack channels to GitHub events.
//!
//! Not here: the rules themselves (`domain::github`), and their evaluation for an event (`pipeline`).

use std::sync::Arc;

use serde_json::json;

use crate::{
    app::{Caller, kernel::Base, pipeline::Pipeline, tenancy::Tenancy},
    domain::{
        Error, Result,
        error::{Noun, Violation},
        github::{
            EVENT_PREFIX, GithubEvent,
            subscription::{Check, Decision, EventKind, Patterns, Rules, Subscription, ThreadRules, WorkflowRules},
        },
        ids::{EventId, SubscriptionId},
        page::{Page, PageRequest},
        pipeline::destination::Destination,
        slack::{self, link},
        tenancy::member::Permission,
    },
    store::{self, Tx},
};

/// Largest number of subscriptions of an organisation: each one is evaluated for each event from GitHub.
pub const MOST_SUBSCRIPTIONS: u64 = 500;

/// A subscription to be created.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Slack's id of the channel.
    pub slack_channel_id: String,
    /// Name of the channel, for display.
    pub slack_channel_name: String,
    /// Rules that select events.
    pub rules: Rules,
}

/// A patch of a subscription: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionChange {
    /// Slack's id of another channel.
    pub slack_channel_id: Option<String>,
    /// Name of the channel.
    pub slack_channel_name: Option<String>,
    /// True to suspend it.
    pub paused: Option<bool>,
    /// Patch of its rules.
    pub rules: RulesChange,
}

/// A patch of rules: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the rules are explained by the domain")]
pub struct RulesChange {
    pub repositories: Option<Vec<String>>,
    pub events: Option<Vec<EventKind>>,
    pub branches: Option<Patterns>,
    pub labels: Option<Patterns>,
    pub authors: Option<Patterns>,
    pub bots: Option<bool>,
    pub drafts: Option<bool>,
    pub workflows: Option<WorkflowRules>,
    pub threads: Option<ThreadRules>,
}

impl RulesChange {
    /// Replaces the given fields.
    pub fn apply(self, rules: &mut Rules) {
        fn put<T>(given: Option<T>, place: &mut T) {
            if let Some(given) = given {
                *place = given;
            }
        }
        put(self.repositories, &mut rules.repositories);
        put(self.events, &mut rules.events);
        put(self.branches, &mut rules.branches);
        put(self.labels, &mut rules.labels);
        put(self.authors, &mut rules.authors);
        put(self.bots, &mut rules.bots);
        put(self.drafts, &mut rules.drafts);
        put(self.workflows, &mut rules.workflows);
        put(self.threads, &mut rules.threads);
    }
}

/// Evaluation of a subscription for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// True if the channel would be notified.
    pub told: bool,
    /// Reason, in a sentence.
    pub reason: String,
    /// Result of each rule.
    pub checks: Vec<Check>,
}

/// Service of subscriptions.
#[derive(Clone)]
pub struct Subscriptions {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
}

impl Subscriptions {
    /// Creates the service.
    pub fn new(base: Base, tenancy: Arc<Tenancy>, pipeline: Arc<Pipeline>) -> Self {
        Self { base, tenancy, pipeline }
    }
}

impl Subscriptions {
    /// Lists the subscriptions of the organisation, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_subscriptions(&self, caller: &Caller, page: PageRequest) -> Result<Page<Subscription>> {
        caller.require(Permission::SubscriptionsRead)?;
        store::github::subscriptions::list(self.base.store.reader(), caller.organisation_id, page).await
    }

    /// Returns a subscription.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_subscription(&self, caller: &Caller, id: SubscriptionId) -> Result<Subscription> {
        caller.require(Permission::SubscriptionsRead)?;
        store::github::subscriptions::find(self.base.store.reader(), caller.organisation_id, id).await
    }

    /// Subscribes a Slack channel.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::NotConnected`] where Slack is not connected,
    /// [`Error::Conflict`] where there are too many.
    pub async fn create_subscription(&self, caller: &Caller, new: NewSubscription) -> Result<Subscription> {
        caller.require(Permission::SubscriptionsManage)?;
        let NewSubscription { slack_channel_id, slack_channel_name, rules } = new;
        let now = self.base.now();
        let mut subscription = Subscription {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            destination_id: self.base.ambient.id(),
            slack_channel_id,
            slack_channel_name,
            paused: false,
            rules,
            created_by: caller.user_id,
            created_at: now,
            updated_at: now,
        };
        check(&subscription)?;
        let tx = self.base.store.begin().await?;
        if store::github::subscriptions::count(&tx, caller.organisation_id).await? >= MOST_SUBSCRIPTIONS {
            let message = format!("an organisation has at most {MOST_SUBSCRIPTIONS} subscriptions; delete one first");
            return Err(Error::Conflict { noun: Noun::Subscription, message });
        }
        self.choose_channel(&tx, &mut subscription).await?;
        store::github::subscriptions::insert(&tx, &subscription).await?;
        self.audit_subscription(&tx, caller, "subscription.create", &subscription).await?;
        tx.commit().await?;
        Ok(subscription)
    }

    /// Changes a subscription. Omitted fields stay; a refused change changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`], [`Error::NotConnected`] where Slack is not
    /// connected.
    pub async fn update_subscription(
        &self,
        caller: &Caller,
        id: SubscriptionId,
        change: SubscriptionChange,
    ) -> Result<Subscription> {
        caller.require(Permission::SubscriptionsManage)?;
        let tx = self.base.store.begin().await?;
        let mut subscription = store::github::subscriptions::find_for_update(&tx, caller.organisation_id, id).await?;
        let SubscriptionChange { slack_channel_id, slack_channel_name, paused, rules } = change;
        let moves = slack_channel_id.as_ref().is_some_and(|id| *id != subscription.slack_channel_id);
        if let Some(id) = slack_channel_id.filter(|_| moves) {
            subscription.slack_channel_id = id;
            subscription.slack_channel_name = String::new();
        }
        subscription.slack_channel_name = slack_channel_name.unwrap_or(subscription.slack_channel_name);
        subscription.paused = paused.unwrap_or(subscription.paused);
        rules.apply(&mut subscription.rules);
        subscription.updated_at = self.base.now();
        check(&subscription)?;
        if moves {
            self.choose_channel(&tx, &mut subscription).await?;
        }
        store::github::subscriptions::update(&tx, &subscription).await?;
        self.audit_subscription(&tx, caller, "subscription.update", &subscription).await?;
        tx.commit().await?;
        Ok(subscription)
    }

    /// Deletes a subscription. Its pending deliveries are still sent.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_subscription(&self, caller: &Caller, id: SubscriptionId) -> Result<()> {
        caller.require(Permission::SubscriptionsManage)?;
        let tx = self.base.store.begin().await?;
        let subscription = store::github::subscriptions::find_for_update(&tx, caller.organisation_id, id).await?;
        store::github::subscriptions::delete(&tx, id).await?;
        self.audit_subscription(&tx, caller, "subscription.delete", &subscription).await?;
        tx.commit().await
    }

    /// Evaluates a subscription, as it is set up now, for a stored event.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for either.
    pub async fn explain_subscription(
        &self,
        caller: &Caller,
        id: SubscriptionId,
        event_id: EventId,
    ) -> Result<Explanation> {
        let subscription = self.get_subscription(caller, id).await?;
        let event = self.pipeline.get_event(caller, event_id).await?;
        let nothing = |reason: &str| Explanation { told: false, reason: reason.to_owned(), checks: Vec::new() };
        let Some(name) = event.fact.kind.strip_prefix(EVENT_PREFIX) else {
            return Ok(nothing("the event is not one of GitHub's"));
        };
        let Some(github) = GithubEvent::read(name, &event.fact.data) else {
            return Ok(nothing("the event is not about a repository"));
        };
        let checks = subscription.explain(&github);
        let told = matches!(subscription.decide(&github), Decision::Send(_));
        let first = checks.iter().find(|check| !check.passed);
        let reason = first.map_or("every rule lets it through", |check| &check.detail).to_owned();
        Ok(Explanation { told, reason, checks })
    }

    /// Assigns the destination of the subscription's channel.
    async fn choose_channel(&self, tx: &Tx, subscription: &mut Subscription) -> Result<()> {
        let link = store::slack::links::find(tx, subscription.organisation_id).await?;
        if link.is_none() {
            return Err(Error::NotConnected { noun: Noun::SlackLink });
        }
        let channel = &subscription.slack_channel_id;
        let place = (slack::destination::SLACK, slack::destination::channel_name(channel), channel.clone());
        let id = self.base.ambient.id();
        let wanted = Destination::fresh(id, subscription.organisation_id, place, self.base.now());
        self.tenancy.demand_room_for_channel(tx, &wanted).await?;
        let destination = store::pipeline::destinations::ensure(tx, &wanted).await?;
        store::pipeline::destinations::set_address(tx, destination.id, channel).await?;
        subscription.destination_id = destination.id;
        Ok(())
    }

    async fn audit_subscription(
        &self,
        tx: &Tx,
        caller: &Caller,
        action: &'static str,
        subscription: &Subscription,
    ) -> Result<()> {
        let detail = json!({"channel_id": subscription.slack_channel_id, "rules": subscription.rules});
        self.base.audit(tx, (caller.organisation_id, &caller.actor()), action, subscription.id, detail).await
    }
}

/// Validates the channel and the rules; all violations are reported.
fn check(subscription: &Subscription) -> Result<()> {
    let mut violations = link::channel_violations(
        ("/slackChannelId", &subscription.slack_channel_id),
        ("/slackChannelName", &subscription.slack_channel_name),
    );
    if subscription.slack_channel_id.is_empty() {
        violations.push(Violation { field: "/slackChannelId".into(), message: "must not be empty".into() });
    }
    if let Err(Error::Invalid(broken)) = subscription.rules.check() {
        let inside = |violation: Violation| Violation { field: format!("/rules{}", violation.field), ..violation };
        violations.extend(broken.into_iter().map(inside));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}
