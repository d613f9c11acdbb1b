//! Tests of what intake appends and a worker records: everything comes back as it went in, in one statement or in several.

use std::{collections::BTreeMap, sync::Arc};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use tieline::{
    domain::{
        ids::{AttemptId, DeliveryId},
        pipeline::{
            attempt::{Attempt, AttemptState},
            delivery::Content,
        },
        trace::Traceparent,
    },
    store::pipeline::{deliveries, events, outbox, records},
};

use super::*;

/// Limit of a wait for another connection.
const LIMIT: Duration = Duration::from_secs(20);

/// An event and a delivery with everything that may be absent, and others without.
fn rows(app: &TestApp, to: &Destination) -> (Vec<Event>, Vec<Delivery>) {
    let (ambient, now) = (app.app.base.ambient(), app.now());
    let plain = event(app, to.organisation_id, json!({"text": "it's \\ \"quoted\", ü 🦀"}));
    let full = Event {
        id: ambient.id(),
        fact: Fact {
            channel_id: Some(ambient.id()),
            attributes: BTreeMap::from([("linkId".to_owned(), "l-1".to_owned())]).into(),
            data: Arc::new(json!(null)),
            kind: "b".to_owned(),
        },
        made_from: Some(plain.id),
        path: vec![ambient.id(), ambient.id()],
        trace: Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ..plain.clone()
    };
    let first = pending(app, &plain, to.id);
    let skipped = Delivery {
        id: ambient.id(),
        event_id: full.id,
        route_id: Some(ambient.id()),
        state: DeliveryState::Skipped,
        reason: Some("Slack is paused".to_owned()),
        content: Some(Content::of(&json!({"text": "x"}))),
        next_attempt_at: None,
        completed_at: Some(now),
        ..first.clone()
    };
    let others = [pending(app, &plain, to.id), pending(app, &plain, to.id)];
    (vec![plain, full], [first, skipped].into_iter().chain(others).collect())
}

/// An attempt with everything, whose answer is empty, and one with nothing that may be absent.
fn attempts(app: &TestApp, of: &Delivery) -> Vec<Attempt> {
    let full = Attempt {
        id: app.app.base.ambient().id(),
        organisation_id: of.organisation_id,
        delivery_id: of.id,
        number: 1,
        address: "https://example.com/ü".to_owned(),
        outcome: AttemptState::Retried,
        status_code: Some(204),
        reason: Some("it's gone".to_owned()),
        request: "{\"a\": 1}".to_owned(),
        answer: Some(String::new()),
        detail: Some(json!({"data": {"b": [1, null]}})),
        history_of: Some(app.app.base.ambient().id()),
        duration: Duration::from_millis(12),
        created_at: app.now(),
    };
    let plain = Attempt {
        id: app.app.base.ambient().id::<AttemptId>(),
        number: 2,
        outcome: AttemptState::Delivered,
        status_code: None,
        reason: None,
        answer: None,
        detail: None,
        history_of: None,
        ..full.clone()
    };
    let answered =
        Attempt { id: app.app.base.ambient().id(), number: 3, answer: Some("=ok".to_owned()), ..plain.clone() };
    vec![full, plain, answered]
}

async fn destination_of(app: &TestApp) -> Destination {
    let organisation = app.app.tenancy.create_organisation_as_operator("records", None).await.unwrap();
    let destination = destination(app, organisation.id, "one");
    let tx = app.app.base.store().begin().await.unwrap();
    store::pipeline::destinations::insert(&tx, &destination).await.unwrap();
    tx.commit().await.unwrap();
    destination
}

async fn append(store: &Store, events: &[Event], deliveries: &[Delivery], now: Time) {
    let tx = store.begin().await.unwrap();
    let appended = outbox::append(&tx, events, deliveries, now, None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(appended.leased.is_empty());
    assert_eq!(appended.more, deliveries.iter().any(|one| one.state == DeliveryState::Pending));
}

both! {
    async fn what_is_appended_comes_back_as_it_went_in(app) {
        let (store, to) = (app.app.base.store(), destination_of(&app).await);
        let (wanted_events, wanted) = rows(&app, &to);
        append(store, &wanted_events, &wanted, app.now()).await;
        // Nothing is pending, and nothing is delivered at all.
        let (other_events, others) = rows(&app, &to);
        append(store, &other_events[1..], &others[1..2], app.now()).await;
        append(store, &other_events[..1], &[], app.now()).await;
        let reader = store.reader();
        for event in wanted_events.iter().chain(&other_events) {
            assert_eq!(events::find(reader, to.organisation_id, event.id).await.unwrap(), *event);
        }
        for delivery in wanted.iter().chain(&others[1..2]) {
            assert_eq!(deliveries::find(reader, to.organisation_id, delivery.id).await.unwrap(), *delivery);
        }
        let claimed = claim(store, Uuid::from_u128(1), app.now(), 5).await;
        assert_eq!(claimed.iter().map(|one| one.destination.id).collect::<Vec<_>>(), [to.id], "it was woken");
    }

    async fn what_is_recorded_comes_back_as_it_went_in(app) {
        let (store, to, owner) = (app.app.base.store(), destination_of(&app).await, Uuid::from_u128(1));
        let (events, wanted) = rows(&app, &to);
        append(store, &events, &wanted, app.now()).await;
        let claimed = claim(store, owner, app.now(), 5).await;
        let attempts = attempts(&app, &wanted[0]);
        // Three are filled up to four, and a release that comes three times is one.
        let ids = [wanted[0].id, wanted[2].id, wanted[3].id].map(|id| (to.organisation_id, id));
        let released = Release { successes: 2, last_sent_at: Some(app.now()), ..release(&claimed[0]) };
        let successes = records::Successes {
            attempts: &attempts.iter().collect::<Vec<_>>(),
            delivered: &ids,
            releases: &[&released; 3],
        };
        match records::write_at_once(store, owner, app.now(), &successes).await.unwrap() {
            Some(states) => assert_eq!((states.len(), states[&to.id].due_at), (1, None)),
            None => {
                assert!(store.is_embedded());
                let tx = store.begin().await.unwrap();
                deliveries::insert_attempts(&tx, successes.attempts).await.unwrap();
                deliveries::mark_delivered(&tx, &ids, app.now()).await.unwrap();
                store::pipeline::destinations::release(&tx, owner, app.now(), successes.releases).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let reader = store.reader();
        assert_eq!(deliveries::attempts(reader, to.organisation_id, wanted[0].id).await.unwrap(), attempts);
        for (_, id) in ids {
            let found: Delivery = deliveries::find(reader, to.organisation_id, id).await.unwrap();
            assert_eq!((found.state, found.attempts, found.completed_at), (DeliveryState::Delivered, 1, Some(app.now())));
        }
        assert_eq!(deliveries::find(reader, to.organisation_id, wanted[1].id).await.unwrap(), wanted[1]);
        let after = store::pipeline::destinations::find(reader, to.organisation_id, to.id).await.unwrap();
        assert_eq!(after.success_count, 2, "once, also where the rows of a statement are filled up");
        assert!(claim(store, owner, app.now(), 5).await.is_empty(), "nothing is left");
    }
}

/// A record locks the deliveries before the destination, as whoever ends the pending deliveries of a destination does:
/// otherwise the two would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_locks_deliveries_before_their_destination() {
    let Some(database) = Database::postgres().await else { return };
    let app = TestApp::start(database).await;
    let (store, to, owner) = (app.app.base.store().clone(), destination_of(&app).await, Uuid::from_u128(1));
    let (events, wanted) = rows(&app, &to);
    append(&store, &events, &wanted, app.now()).await;
    let claimed = claim(&store, owner, app.now(), 5).await;

    let tx = store.begin().await.unwrap();
    deliveries::end_pending(&tx, to.id, DeliveryState::Failed, "off", app.now()).await.unwrap();
    let id: (OrganisationId, DeliveryId) = (to.organisation_id, wanted[0].id);
    let (recording, now, released) = (store.clone(), app.now(), release(&claimed[0]));
    let recorded = tokio::spawn(async move {
        let successes = records::Successes { attempts: &[], delivered: &[id], releases: &[&released] };
        records::write_at_once(&recording, owner, now, &successes).await
    });
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = CURRENT_DATABASE()";
    let waits = || store.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, waits));
    crate::support::until("the record waits", LIMIT, async || waits().await.unwrap()).await;
    store::pipeline::destinations::find_for_update(&tx, to.organisation_id, to.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(recorded.await.unwrap().unwrap().unwrap().len(), 1);
}
