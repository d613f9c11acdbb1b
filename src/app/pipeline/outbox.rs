//! Transactional outbox: the only writer of events and deliveries. Events, their decisions and their deliveries are
//! appended in the caller's transaction.
//!
//! Not here: the rules (`matcher`), the recognition of repetitions (`intake`).

use std::{collections::HashMap, sync::Arc};

use super::{
    PausePolicy,
    handover::{self, Handover, Reservation},
    matcher::{Decision, Matcher, Place, Ruling, Target},
};
use crate::{
    app::kernel::Base,
    domain::{
        Result,
        ambient::Time,
        ids::RouteId,
        pipeline::{
            delivery::{Attempt, Content, Delivery, DeliveryState},
            destination::Destination,
            event::{Event, EventSource},
        },
    },
    store::{self, Tx, pipeline::partitions::Days},
};

/// Delivery that goes with an event independently of the rules: to the member that made a request, for instance.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its destination.
    pub place: Place,
    /// Its content; the sender makes it from the event where there is none.
    pub content: Option<Content>,
}

/// Call that was already made inline, or could not be: a delivery that has ended.
#[derive(Clone, Debug)]
pub struct InlineCall {
    /// Its destination, created where it does not exist.
    pub destination: Destination,
    /// The delivery.
    pub delivery: Delivery,
    /// The only attempt, if one was made.
    pub attempt: Option<Attempt>,
}

/// Appends events and deliveries.
#[derive(Clone)]
pub(super) struct Outbox {
    base: Base,
    matchers: Arc<[Arc<dyn Matcher>]>,
    pauses: Arc<dyn PausePolicy>,
    handover: Handover,
    days: Days,
}

/// Deliveries that a transaction appended.
#[derive(Default)]
pub(super) struct Appended {
    states: Vec<DeliveryState>,
    /// Those that the dispatcher of this process takes over after the commit.
    handed: Option<(Box<dyn Reservation>, handover::Appended)>,
    /// True if others wait for a claim.
    unclaimed: bool,
}

impl Appended {
    /// Creates the result of deliveries of which nothing is handed over.
    pub(super) fn plain(states: Vec<DeliveryState>) -> Self {
        Self { unclaimed: states.contains(&DeliveryState::Pending), states, handed: None }
    }

    /// Adds deliveries that have ended.
    pub(super) fn with_ended(mut self, states: Vec<DeliveryState>) -> Self {
        self.states.extend(states);
        self
    }
}

/// Length of the reasons of several skips, in bytes, beyond which no other one is added.
const MAX_REASONS: usize = 1_000;

/// Decision on the event at an index.
type Decided = (usize, Decision);

/// The same, with its destination.
struct Resolved {
    index: usize,
    destination: Destination,
    ruling: Ruling,
    content: Option<Content>,
    route_id: Option<RouteId>,
}

impl Outbox {
    pub(super) fn new(
        base: Base,
        matchers: Vec<Arc<dyn Matcher>>,
        pauses: Arc<dyn PausePolicy>,
        handover: Handover,
        days: Days,
    ) -> Self {
        Self { base, matchers: matchers.into(), pauses, handover, days }
    }

    /// Commits a transaction, counts the deliveries that have ended in it, hands over those that were leased, and wakes
    /// the workers for the others that are pending.
    pub(super) async fn commit(&self, tx: Tx, appended: Appended) -> Result<()> {
        tx.commit().await?;
        for state in appended.states.iter().filter(|state| **state != DeliveryState::Pending) {
            self.base.metrics.delivery(state.as_str());
        }
        if let Some((reservation, handed)) = appended.handed {
            reservation.take_over(handed);
        }
        if appended.unclaimed {
            self.base.wake.notify_one();
        }
        Ok(())
    }

    /// Appends events with their deliveries, last in a transaction: the destinations of pending ones are woken. `planned`
    /// belong to the events at their indexes.
    pub(super) async fn append(&self, tx: &Tx, events: &[Event], planned: Vec<(usize, Planned)>) -> Result<Appended> {
        let mut decided = self.decide(tx, events).await?;
        decided.extend(
            planned
                .into_iter()
                .map(|(index, Planned { place, content })| (index, Decision { content, ..Decision::deliver(place) })),
        );
        // Stable: the decisions on an event stay in the order of the matchers.
        decided.sort_by_key(|(index, _)| *index);
        self.write(tx, events, decided).await
    }

    /// Appends an event only if a rule concerns it.
    pub(super) async fn append_if_matched(&self, tx: &Tx, event: Event) -> Result<Appended> {
        let events = [event];
        let decided = self.decide(tx, &events).await?;
        if decided.is_empty() { Ok(Appended::default()) } else { self.write(tx, &events, decided).await }
    }

    /// Appends calls that were made inline.
    pub(super) async fn append_inline_calls(&self, tx: &Tx, calls: Vec<InlineCall>) -> Result<()> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut wanted = Vec::with_capacity(calls.len());
        let (mut deliveries, mut attempts) = (Vec::with_capacity(calls.len()), Vec::with_capacity(calls.len()));
        for InlineCall { destination, delivery, attempt } in calls {
            wanted.push(destination);
            deliveries.push(delivery);
            attempts.extend(attempt);
        }
        let existing = store::pipeline::destinations::ensure_all(tx, &wanted).await?;
        for (delivery, destination) in deliveries.iter_mut().zip(existing) {
            delivery.destination_id = destination.id;
        }
        self.days.cover(&self.base.store, &tx.reads(), self.base.now()).await?;
        store::pipeline::deliveries::insert_many(tx, &deliveries).await?;
        store::pipeline::deliveries::insert_attempts(tx, &attempts.iter().collect::<Vec<_>>()).await
    }

    /// Appends a new delivery of the same event to the same destination, last in a transaction.
    pub(super) async fn append_again(&self, tx: &Tx, former: Delivery) -> Result<Appended> {
        let now = self.base.ambient.now();
        let mut again = [Delivery {
            id: self.base.ambient.id(),
            state: DeliveryState::Pending,
            reason: None,
            attempts: 0,
            attempts_before_replay: 0,
            replayed_at: None,
            next_attempt_at: Some(now),
            aside_at: None,
            completed_at: None,
            created_at: now,
            seq: None,
            ..former
        }];
        self.days.cover(&self.base.store, &tx.reads(), now).await?;
        store::pipeline::outbox::append(tx, &[], &mut again, now, None).await?;
        Ok(Appended::plain(vec![DeliveryState::Pending]))
    }

    async fn decide(&self, tx: &Tx, events: &[Event]) -> Result<Vec<Decided>> {
        let mut decided = Vec::with_capacity(events.len());
        for matcher in self.matchers.iter() {
            let rules = matcher.load(tx.reads(), events).await?;
            // A test is sent where it was planned to, and nowhere else.
            for (index, event) in events.iter().enumerate().filter(|(_, event)| event.source != EventSource::TEST) {
                decided.extend(rules.decide(event).into_iter().map(|decision| (index, decision)));
            }
        }
        Ok(decided)
    }

    async fn write(&self, tx: &Tx, events: &[Event], decided: Vec<Decided>) -> Result<Appended> {
        // Events of one transaction were accepted at the same time, and so were their deliveries.
        let Some(now) = events.first().map(|event| event.created_at) else { return Ok(Appended::default()) };
        self.days.cover(&self.base.store, &tx.reads(), now).await?;
        let mut resolved = self.resolved(tx, events, decided, now).await?;
        self.skip_paused(tx, &mut resolved).await?;
        let mut deliveries: Vec<Delivery> =
            resolved.into_iter().map(|one| self.delivery(&events[one.index], one, now)).collect();
        let reservation = self.handover.reserve(&deliveries);
        let offer = reservation.as_ref().map(|reservation| reservation.offer());
        let woken = store::pipeline::outbox::append(tx, events, &mut deliveries, now, offer).await?;
        let states = deliveries.iter().map(|delivery| delivery.state).collect();
        let handed = reservation.map(|reservation| {
            let appended = handover::appended(&*reservation, woken.leased, deliveries, events);
            (reservation, appended)
        });
        Ok(Appended { states, handed, unclaimed: woken.unclaimed })
    }

    /// Finds or creates the destination of each decision. Of several decisions on an event for the same destination the
    /// first one counts; one that delivers takes the place of a skip, and several skips have all their reasons.
    async fn resolved(&self, tx: &Tx, events: &[Event], decided: Vec<Decided>, now: Time) -> Result<Vec<Resolved>> {
        let (mut wanted, mut ids) = (Vec::new(), Vec::new());
        for (index, decision) in &decided {
            match &decision.to {
                Target::Known(_) => {}
                Target::Id(id) => ids.push(*id),
                Target::Place(Place { kind, name, address }) => {
                    let (id, place) = (self.base.ambient.id(), (kind.clone(), name.clone(), address.clone()));
                    wanted.push(Destination::fresh(id, events[*index].organisation_id, place, now));
                }
            }
        }
        let mut ensured = store::pipeline::destinations::ensure_all(tx, &wanted).await?.into_iter();
        let existing = store::pipeline::destinations::of_ids(&tx.reads(), ids).await?;
        let mut resolved: Vec<Resolved> = Vec::with_capacity(decided.len());
        let mut known = HashMap::with_capacity(decided.len());
        for (index, Decision { to, ruling, content, route_id }) in decided {
            let destination = match to {
                Target::Known(destination) => Some(destination),
                Target::Id(id) => existing.get(&id).cloned(),
                Target::Place(_) => ensured.next(),
            };
            let Some(destination) = destination else { continue };
            let at = *known.entry((index, destination.id)).or_insert(resolved.len());
            let one = Resolved { index, destination, ruling, content, route_id };
            match resolved.get_mut(at) {
                None => resolved.push(one),
                Some(former) if matches!(former.ruling, Ruling::Skip(_)) && one.ruling == Ruling::Deliver => {
                    *former = one;
                }
                Some(Resolved { ruling: Ruling::Skip(reason), .. }) => {
                    if let Ruling::Skip(another) = one.ruling
                        && reason.len() < MAX_REASONS
                        && !reason.contains(&*another)
                    {
                        *reason = format!("{reason}; {another}").into();
                    }
                }
                Some(_) => {}
            }
        }
        Ok(resolved)
    }

    /// Skips what would go to destinations that are paused, by whichever rule.
    async fn skip_paused(&self, tx: &Tx, resolved: &mut [Resolved]) -> Result<()> {
        let wanted = resolved.iter().filter(|one| one.ruling == Ruling::Deliver);
        let wanted: Vec<&Destination> = wanted.map(|one| &one.destination).collect();
        let paused = self.pauses.paused(Some(tx.reads()), &wanted).await?;
        for one in resolved.iter_mut().filter(|one| one.ruling == Ruling::Deliver) {
            if let Some(reason) = paused.get(&one.destination.id) {
                one.ruling = Ruling::Skip(reason.text().into());
            }
        }
        Ok(())
    }

    fn delivery(&self, event: &Event, resolved: Resolved, now: Time) -> Delivery {
        let Resolved { destination, ruling, content, route_id, .. } = resolved;
        let (state, reason) = match ruling {
            Ruling::Skip(reason) => (DeliveryState::Skipped, Some(reason.into_owned())),
            Ruling::Fail(reason) => (DeliveryState::Failed, Some(reason.into_owned())),
            Ruling::Deliver => match destination.health.refusal(now) {
                None => (DeliveryState::Pending, None),
                Some(reason) => (DeliveryState::Failed, Some(reason.to_owned())),
            },
        };
        let pending = state == DeliveryState::Pending;
        Delivery {
            id: self.base.ambient.id(),
            organisation_id: event.organisation_id,
            event_id: event.id,
            destination_id: destination.id,
            route_id,
            state,
            reason,
            content,
            attempts: 0,
            attempts_before_replay: 0,
            replayed_at: None,
            next_attempt_at: pending.then_some(now),
            aside_at: None,
            completed_at: (!pending).then_some(now),
            created_at: now,
            seq: None,
        }
    }
}
