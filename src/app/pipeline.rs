//! Intake of events, their matching and the deliveries that come out of it.
//!
//! Not here: the kinds of destination (`sender`) and of rule (`matcher`), which the rooms register.

pub mod deliveries;
pub mod destinations;
pub mod events;
pub mod group_commit;
pub mod handover;
pub mod health;
pub mod intake;
pub mod matcher;
pub mod operators;
pub mod outbox;
pub mod replays;
pub mod reports;
pub mod retention;
pub mod sender;
pub mod statistics;
pub mod ticker;
pub mod work;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use serde_json::json;

use self::{
    events::Accepted,
    handover::Handover,
    health::Readiness,
    intake::{Intake, NewEvent},
    matcher::Matcher,
    outbox::{Appended, InlineCall, Outbox},
    retention::{Retention, RetentionPeriods},
};
use super::{Caller, kernel::Base, tenancy::members::Announcer};
use crate::{
    domain::{
        Result,
        ids::{ChannelId, DestinationId, OrganisationId},
        pipeline::{
            delivery::{Delivery, DeliveryState, Reason},
            destination::Destination,
            event::{Event, EventSource, Fact, Rule},
        },
        tenancy::member::{MEMBER_CREATED, Member},
    },
    store::{Reads, Tx, pipeline::partitions::Days},
    telemetry::trace,
};

/// Service of events and deliveries.
#[derive(Clone)]
pub struct Pipeline {
    base: Base,
    intake: Arc<Intake>,
    outbox: Outbox,
    handover: Handover,
    readiness: Arc<Readiness>,
    channels: Arc<dyn ChannelPolicy>,
    pauses: Arc<dyn PausePolicy>,
    rules: Arc<[Rule]>,
    retention: RetentionPeriods,
    days: Days,
}

/// Rule of channels for the events that flow through them.
#[async_trait]
pub trait ChannelPolicy: Send + Sync {
    /// Fails where the caller may not see a channel.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound).
    async fn require_visible(&self, caller: &Caller, id: ChannelId) -> Result<()>;

    /// Admits an event that a caller sends through a channel: a message is posted in the caller's name.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound) where the caller may not see the channel,
    /// [`Error::FailedPrecondition`](crate::domain::Error::FailedPrecondition) for a message in one that is archived,
    /// [`Error::Invalid`](crate::domain::Error::Invalid) for a message that is too long.
    async fn admit(&self, caller: &Caller, fact: Fact) -> Result<Fact>;
}

/// Rule of pauses: a member paused the connection that a destination needs, so nothing is sent there although it is
/// healthy. Deliveries that are decided meanwhile are skipped.
#[async_trait]
pub trait PausePolicy: Send + Sync {
    /// Returns the reason of each destination that is paused; read in a transaction, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    async fn paused(
        &self,
        reads: Option<Reads<'_>>,
        destinations: &[&Destination],
    ) -> Result<HashMap<DestinationId, Reason>>;
}

#[async_trait]
impl Announcer for Pipeline {
    async fn commit_new_member(&self, tx: Tx, member: &Member) -> Result<()> {
        let fact = Fact::plain(MEMBER_CREATED, None, json!({"user": member.event_data()}));
        self.commit_announced(tx, member.organisation_id, fact).await
    }
}

impl Pipeline {
    /// Creates the service. `rules` are those of the event types, `matchers` decide on events, in their order.
    pub fn new(
        base: Base,
        (channels, pauses): (Arc<dyn ChannelPolicy>, Arc<dyn PausePolicy>),
        (rules, matchers): (Vec<Rule>, Vec<Arc<dyn Matcher>>),
        retention: RetentionPeriods,
    ) -> Self {
        let handover = Handover::default();
        let days = Days::default();
        let outbox = Outbox::new(base.clone(), matchers, pauses.clone(), handover.clone(), days.clone());
        let intake = Arc::new(Intake::start(&base, &outbox));
        let readiness = Arc::new(Readiness::new(&base.ambient));
        Self { base, intake, outbox, handover, days, readiness, channels, pauses, rules: rules.into(), retention }
    }

    /// Returns the removal of what is past its retention.
    pub fn retention(&self) -> Retention {
        Retention::new(self.base.clone(), self.days.clone(), self.retention.deliveries)
    }

    /// Returns the place where the dispatcher of this process begins to take deliveries over.
    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first.
    ///
    /// # Errors
    /// As [`Intake::accept`].
    pub async fn accept(&self, new_event: NewEvent) -> Result<Accepted> {
        self.intake.accept(new_event, Vec::new()).await
    }

    /// Accepts an event as [`Pipeline::accept`] does, and appends calls that were made inline in the same transaction,
    /// also where the event is a repetition.
    pub(in crate::app) async fn accept_after(&self, new_event: NewEvent, calls: Vec<InlineCall>) -> Result<Accepted> {
        self.intake.accept(new_event, calls).await
    }

    /// Commits a transaction together with the events of a change, each with its deliveries.
    pub(in crate::app) async fn commit_events(&self, tx: Tx, new_events: Vec<NewEvent>) -> Result<()> {
        let now = self.base.now();
        let (mut events, mut planned) = (Vec::with_capacity(new_events.len()), Vec::new());
        for NewEvent { id, organisation_id, source, fact, made_from, path, planned: with_it, .. } in new_events {
            planned.extend(with_it.into_iter().map(|one| (events.len(), one)));
            let id = id.unwrap_or_else(|| self.base.ambient.id());
            let trace = trace::current();
            events.push(Event { id, organisation_id, source, fact, made_from, path, trace, created_at: now });
        }
        let appended = self.outbox.append(&tx, &events, planned).await?;
        self.outbox.commit(tx, appended).await
    }

    /// Commits a change together with the event that announces it, if a rule concerns that event.
    pub(in crate::app) async fn commit_announced(
        &self,
        tx: Tx,
        organisation_id: OrganisationId,
        fact: Fact,
    ) -> Result<()> {
        let (id, source, created_at) = (self.base.ambient.id(), EventSource::API, self.base.now());
        let (path, trace) = (Vec::new(), trace::current());
        let event = Event { id, organisation_id, source, fact, made_from: None, path, trace, created_at };
        let appended = self.outbox.append_if_matched(&tx, event).await?;
        self.outbox.commit(tx, appended).await
    }

    /// Commits a transaction together with a new delivery of the same event to the same destination.
    pub(in crate::app) async fn commit_again(&self, tx: Tx, former: Delivery) -> Result<()> {
        let appended = self.outbox.append_again(&tx, former).await?;
        self.outbox.commit(tx, appended).await
    }

    /// Appends calls that were made inline for an event that has no other outcome.
    pub(in crate::app) async fn append_inline_calls(&self, calls: Vec<InlineCall>) -> Result<()> {
        let states: Vec<DeliveryState> = calls.iter().map(|call| call.delivery.state).collect();
        let tx = self.base.store.begin().await?;
        self.outbox.append_inline_calls(&tx, calls).await?;
        self.outbox.commit(tx, Appended::plain(states)).await
    }
}
