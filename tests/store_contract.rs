//! The store's contract, the same on SQLite and on PostgreSQL. The tests of claiming run many workers at once:
//! PostgreSQL shows faults there that SQLite, with its one writer, cannot.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;
use migration::{Migrator, MigratorTrait};
use sea_orm::{Database as Connector, DatabaseConnection};
use serde_json::Value;
use tieline::{
    domain::{
        ambient::Time,
        ids::{DestinationId, OrganisationId},
        pipeline::{
            delivery::{Delivery, DeliveryState},
            destination::{Destination, Health},
            event::{Event, EventSource, Fact},
        },
        slack::destination::SLACK,
    },
    store::{
        self, Store,
        kernel::lease_clock::LeaseClock,
        pipeline::destinations::{Busy, Claim, Claimed, Lease, Offer, Position, Release, Room},
    },
};
use uuid::Uuid;

use crate::support::{Database, TestApp};

mod claims;
mod commits;
mod event_attributes;
mod github;
mod keys;
mod large_texts;
mod records;
mod signals;

const LEASE: Duration = Duration::from_secs(30);

fn destination(app: &TestApp, organisation_id: OrganisationId, name: &str) -> Destination {
    Destination {
        id: app.app.base.ambient().id(),
        organisation_id,
        kind: SLACK,
        name: name.to_owned(),
        address: "C1".to_owned(),
        settings: None,
        health: Health::Healthy,
        success_count: 0,
        failure_count: 0,
        consecutive_failures: 0,
        retry_schedule: None,
        last_sent_at: None,
        unconfirmed: false,
        created_at: app.now(),
    }
}

fn event(app: &TestApp, organisation_id: OrganisationId, data: Value) -> Event {
    Event {
        id: app.app.base.ambient().id(),
        organisation_id,
        source: EventSource::API,
        fact: Fact::plain("x", None, data),
        made_from: None,
        path: Vec::new(),
        trace: None,
        created_at: app.now(),
    }
}

/// A delivery that waits for its first attempt.
fn pending(app: &TestApp, event: &Event, destination_id: DestinationId) -> Delivery {
    Delivery {
        id: app.app.base.ambient().id(),
        organisation_id: event.organisation_id,
        event_id: event.id,
        destination_id,
        route_id: None,
        state: DeliveryState::Pending,
        reason: None,
        content: None,
        attempts: 0,
        attempts_before_replay: 0,
        replayed_at: None,
        next_attempt_at: Some(app.now()),
        aside_at: None,
        completed_at: None,
        created_at: app.now(),
        seq: None,
    }
}

/// Connects to an empty database, and applies the migrations before one.
async fn before_migration(url: &str, name: &str) -> DatabaseConnection {
    let connection = Connector::connect(url).await.unwrap();
    let before = Migrator::migrations().iter().position(|one| one.name() == name).unwrap();
    Migrator::up(&connection, Some(u32::try_from(before).unwrap())).await.unwrap();
    connection
}

async fn due_destinations(app: &TestApp, count: usize) -> Vec<DestinationId> {
    let organisation = app.app.tenancy.create_organisation_as_operator("many", None).await.unwrap();
    let tx = app.app.base.store().begin().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let destination = destination(app, organisation.id, &number.to_string());
        store::pipeline::destinations::insert(&tx, &destination).await.unwrap();
        ids.push(destination.id);
    }
    store::pipeline::destinations::wake(&tx, &ids, app.now(), None).await.unwrap();
    tx.commit().await.unwrap();
    ids
}

async fn claim(store: &Store, owner: Uuid, now: Time, limit: usize) -> Vec<Claimed> {
    claim_within(store, (owner, Uuid::nil()), now, room(limit)).await
}

/// Claims within these limits, beginning after an organisation.
async fn claim_within(store: &Store, (owner, after): (Uuid, Uuid), now: Time, room: Room) -> Vec<Claimed> {
    let lease = Lease { owner, now, until: now + LEASE, clock: store.lease_clock() };
    let claim = Claim { lease, after: after.into(), room };
    store::pipeline::destinations::claim(store.writer(), &claim).await.unwrap()
}

/// Limits to this number, of any organisation.
fn room(limit: usize) -> Room {
    Room { limit, slow_limit: limit, ceiling: limit, slow_ceiling: limit, busy: Vec::new() }
}

fn release(claimed: &Claimed) -> Release {
    Release {
        id: claimed.destination.id,
        more: false,
        not_before: None,
        later: None,
        pace_until: None,
        successes: 0,
        failures: 0,
        consecutive_failures: None,
        last_sent_at: None,
        health: None,
        address: claimed.destination.address.clone(),
        slow: None,
        cursor: 0,
        reached: claimed.last_seq,
        keep: false,
    }
}

async fn release_all(store: &Store, owner: Uuid, now: Time, releases: &[Release]) -> HashMap<DestinationId, Time> {
    let tx = store.begin().await.unwrap();
    let released =
        store::pipeline::destinations::release(&tx, owner, now, &releases.iter().collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    released.into_iter().filter_map(|(id, state)| Some((id, state.due_at?))).collect()
}

both! {
    async fn a_destination_is_claimed_by_one_worker(app) {
        let ids = due_destinations(&app, 600).await;
        let workers = (0..8).map(|number| {
            let (store, now) = (app.app.base.store().clone(), app.now());
            tokio::spawn(async move {
                let owner = Uuid::from_u128(number + 1);
                let mut mine = Vec::new();
                loop {
                    let claimed = claim(&store, owner, now, 10).await;
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|claimed| claimed.destination.id));
                }
            })
        });
        let claimed: Vec<DestinationId> =
            join_all(workers).await.into_iter().flat_map(|mine| mine.unwrap()).collect();
        let distinct: HashSet<_> = claimed.iter().collect();
        assert_eq!((claimed.len(), distinct.len()), (ids.len(), ids.len()));
    }

    async fn a_lease_ends_by_itself_and_a_late_worker_cannot_release(app) {
        due_destinations(&app, 1).await;
        let store = app.app.base.store();
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let now = app.now();
        let held = claim(store, first, now, 10).await;
        assert_eq!(held.len(), 1);
        assert!(claim(store, second, now + LEASE - Duration::from_millis(1), 10).await.is_empty());
        let taken_over = claim(store, second, now + LEASE, 10).await;
        assert_eq!(taken_over.len(), 1);
        release_all(store, first, now + LEASE, &[Release { successes: 7, ..release(&held[0]) }]).await;
        let id = held[0].destination.id;
        let found = store::pipeline::destinations::find(store.reader(), held[0].destination.organisation_id, id).await.unwrap();
        assert_eq!(found.success_count, 0, "a worker whose lease is over changes nothing");
    }

    async fn a_wake_up_during_the_lease_is_not_lost(app) {
        let ids = due_destinations(&app, 1).await;
        let store = app.app.base.store();
        let owner = Uuid::from_u128(1);
        let now = app.now();
        let held = claim(store, owner, now, 10).await;
        let tx = store.begin().await.unwrap();
        store::pipeline::destinations::wake(&tx, &ids, now, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim(store, owner, now, 10).await.is_empty(), "it is still held");
        let due_again = release_all(store, owner, now, &[release(&held[0])]).await;
        assert_eq!(due_again, [(ids[0], now)].into());
        let again = claim(store, owner, now, 10).await;
        assert_eq!(again.len(), 1, "it is due again at once");
        assert!(release_all(store, owner, now, &[release(&again[0])]).await.is_empty());
        assert!(claim(store, owner, now, 10).await.is_empty(), "nothing waits");
    }

    async fn a_wake_up_does_not_end_a_pause(app) {
        let ids = due_destinations(&app, 1).await;
        let store = app.app.base.store();
        let owner = Uuid::from_u128(1);
        let now = app.now();
        let until = now + Duration::from_secs(60);
        let held = claim(store, owner, now, 10).await;
        release_all(store, owner, now, &[Release { more: true, not_before: Some(until), ..release(&held[0]) }]).await;
        let tx = store.begin().await.unwrap();
        store::pipeline::destinations::wake(&tx, &ids, now, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(claim(store, owner, until - Duration::from_millis(1), 10).await.is_empty());
        assert_eq!(claim(store, owner, until, 10).await.len(), 1);
    }

    async fn a_release_counts_and_reports_health(app) {
        due_destinations(&app, 2).await;
        let store = app.app.base.store();
        let owner = Uuid::from_u128(1);
        let now = app.now();
        let held = claim(store, owner, now, 10).await;
        let open = Health::Failing { reason: "not_in_channel".into(), since: now, probe_at: Some(now + LEASE) };
        release_all(store, owner, now, &[
            Release { successes: 3, last_sent_at: Some(now), ..release(&held[0]) },
            Release { failures: 1, consecutive_failures: Some(7), health: Some(open.clone()), ..release(&held[1]) },
        ])
        .await;
        let organisation_id = held[0].destination.organisation_id;
        let find = |claimed: &Claimed| {
            store::pipeline::destinations::find(store.reader(), organisation_id, claimed.destination.id)
        };
        let (first, second) = (find(&held[0]).await.unwrap(), find(&held[1]).await.unwrap());
        assert_eq!((first.success_count, first.last_sent_at, first.health), (3, Some(now), Health::Healthy));
        assert_eq!((second.failure_count, second.last_sent_at, second.health), (1, None, open));
        assert_eq!([first.consecutive_failures, second.consecutive_failures], [0, 7]);
    }

    async fn what_is_due_comes_in_order_and_bounded(app) {
        let organisation = app.app.tenancy.create_organisation_as_operator("many", None).await.unwrap();
        let tx = app.app.base.store().begin().await.unwrap();
        let mut ids = Vec::new();
        for name in ["a", "b"] {
            let destination = destination(&app, organisation.id, name);
            store::pipeline::destinations::insert(&tx, &destination).await.unwrap();
            ids.push(destination.id);
        }
        let (mut events, mut deliveries) = (Vec::new(), Vec::new());
        for number in 0..20 {
            let event = event(&app, organisation.id, Value::from(number));
            let state = if number < 2 { DeliveryState::Delivered } else { DeliveryState::Pending };
            deliveries.push(Delivery { state, ..pending(&app, &event, ids[number % 2]) });
            events.push(event);
        }
        store::pipeline::outbox::append(&tx, &events, &mut deliveries, app.now(), None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(deliveries[..6].iter().map(|one| one.seq).collect::<Vec<_>>(), [None, None, Some(1), Some(1), Some(2), Some(2)]);
        let queues: Vec<Position> = ids.iter().map(|id| Position { id: *id, cursor: 0, last_seq: 9 }).collect();
        let loaded = store::pipeline::deliveries::due(app.app.base.store().reader(), &queues, 4, app.now()).await.unwrap();
        let of = |id: DestinationId| -> Vec<Value> {
            loaded[&id].due.iter().map(|due| (*due.event.fact.data).clone()).collect()
        };
        assert_eq!(of(ids[0]), [2, 4, 6, 8].map(Value::from));
        assert_eq!(of(ids[1]), [3, 5, 7, 9].map(Value::from));
        assert_eq!(loaded[&ids[1]].reached, 4);
        assert_eq!(loaded[&ids[0]].due[0].event, events[2], "an event comes back as it went in");
    }
}

/// PostgreSQL chooses the plan, and this one makes it search for due rows once for every row.
#[tokio::test]
async fn no_plan_claims_more_than_was_asked_for() {
    let Some(mut database) = Database::postgres().await else { return };
    for method in ["hashjoin", "mergejoin", "hashagg", "sort", "material"] {
        database.add_options(&format!("-c enable_{method}=off"));
    }
    let app = TestApp::start(database).await;
    due_destinations(&app, 50).await;
    for left in [40, 30] {
        assert_eq!(
            claim(app.app.base.store(), app.app.base.ambient().id(), app.now(), 10).await.len(),
            10,
            "{left} are left"
        );
    }
}
