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
        search::Period,
        trace::Traceparent,
    },
    store::pipeline::{
        deliveries::{self, Loaded},
        events, outbox, records,
    },
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

/// Appends, and sets the positions of the pending ones. Returns whether a worker has to claim.
async fn append(store: &Store, events: &[Event], deliveries: &mut [Delivery], now: Time) -> bool {
    let tx = store.begin().await.unwrap();
    let woken = outbox::append(&tx, events, deliveries, now, None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(woken.leased.is_empty());
    woken.unclaimed
}

fn positions(deliveries: &[Delivery]) -> Vec<Option<i64>> {
    deliveries.iter().map(|one| one.seq).collect()
}

both! {
    async fn what_is_appended_comes_back_as_it_went_in(app) {
        let (store, to) = (app.app.base.store(), destination_of(&app).await);
        let (wanted_events, mut wanted) = rows(&app, &to);
        assert!(append(store, &wanted_events, &mut wanted, app.now()).await);
        assert_eq!(positions(&wanted), [Some(1), None, Some(2), Some(3)]);
        // Nothing is pending, and nothing is delivered at all.
        let (other_events, mut others) = rows(&app, &to);
        assert!(!append(store, &other_events[1..], &mut others[1..2], app.now()).await);
        assert!(!append(store, &other_events[..1], &mut [], app.now()).await);
        let reader = store.reader();
        for event in wanted_events.iter().chain(&other_events) {
            assert_eq!(events::find(reader, to.organisation_id, event.id).await.unwrap(), *event);
        }
        for delivery in wanted.iter().chain(&others[1..2]) {
            assert_eq!(deliveries::find(reader, to.organisation_id, delivery.id).await.unwrap(), *delivery);
        }
        let claimed = claim(store, Uuid::from_u128(1), app.now(), 5).await;
        assert_eq!(claimed.iter().map(|one| one.destination.id).collect::<Vec<_>>(), [to.id], "it was woken");
        // The worker that has it looks again by itself.
        let (events, mut more) = rows(&app, &to);
        assert!(!append(store, &events, &mut more, app.now()).await);
        assert_eq!(positions(&more), [Some(4), None, Some(5), Some(6)]);
    }

    async fn what_begins_late_is_written_as_a_whole_or_not_at_all(app) {
        let (store, to) = (app.app.base.store(), destination_of(&app).await);
        let (events, mut wanted) = rows(&app, &to);
        let find = async |event: &Event| events::find(store.reader(), to.organisation_id, event.id).await;
        let versions = async |tx: &store::Tx| {
            store::tenancy::organisations::configuration_versions(&tx.reads(), &[to.organisation_id]).await.unwrap()
        };
        // Without a write there is nothing to commit.
        let tx = store.begin_late().await.unwrap();
        assert_eq!(versions(&tx).await.len(), 1);
        tx.commit().await.unwrap();
        // The only write, with the reads before it.
        let tx = store.begin_late().await.unwrap();
        versions(&tx).await;
        outbox::append(&tx, &events[..1], &mut wanted[..1], app.now(), None).await.unwrap();
        if !store.is_embedded() {
            let late = store::pipeline::destinations::lock(&tx, &[to.id]).await;
            assert!(late.is_err(), "it was the last statement: {late:?}");
            drop(tx);
        } else {
            tx.commit().await.unwrap();
        }
        find(&events[0]).await.unwrap();
        // Two writes, and the second does not come.
        let tx = store.begin_late().await.unwrap();
        events::insert_many(&tx, &events[1..]).await.unwrap();
        versions(&tx).await;
        drop(tx);
        find(&events[1]).await.unwrap_err();
        let tx = store.begin_late().await.unwrap();
        events::insert_many(&tx, &events[1..]).await.unwrap();
        outbox::append(&tx, &[], &mut wanted[1..], app.now(), None).await.unwrap();
        tx.commit().await.unwrap();
        find(&events[1]).await.unwrap();
        assert_eq!(positions(&wanted), [Some(1), None, Some(2), Some(3)]);
    }

    async fn what_is_recorded_comes_back_as_it_went_in(app) {
        let (store, to, owner) = (app.app.base.store(), destination_of(&app).await, Uuid::from_u128(1));
        let (events, mut wanted) = rows(&app, &to);
        append(store, &events, &mut wanted, app.now()).await;
        let claimed = claim(store, owner, app.now(), 5).await;
        let attempts = attempts(&app, &wanted[0]);
        // A release that comes three times, as where rows are filled up, is one.
        let released = Release { successes: 2, last_sent_at: Some(app.now()), cursor: 2, ..release(&claimed[0]) };
        let (tried, releases) = (attempts.iter().collect::<Vec<_>>(), [&released; 3]);
        match records::write_at_once(store, owner, app.now(), &tried, &releases).await.unwrap() {
            Some(states) => assert_eq!((states.len(), states[&to.id].due_at), (1, None)),
            None => {
                assert!(store.is_embedded());
                let tx = store.begin().await.unwrap();
                deliveries::insert_attempts(&tx, &tried).await.unwrap();
                store::pipeline::destinations::release(&tx, owner, app.now(), &releases).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        let reader = store.reader();
        let find = async |delivery: &Delivery| {
            deliveries::find(reader, to.organisation_id, delivery.id).await.unwrap()
        };
        assert_eq!(deliveries::attempts(reader, to.organisation_id, wanted[0].id).await.unwrap(), attempts);
        for through in [&wanted[0], &wanted[2]] {
            let found = find(through).await;
            assert_eq!((found.state, found.attempts, found.seq), (DeliveryState::Delivered, 1, None));
        }
        let last = attempts.iter().map(|attempt| attempt.created_at + attempt.duration).max();
        assert_eq!(find(&wanted[0]).await.completed_at, last, "the end of its attempt");
        assert_eq!([find(&wanted[1]).await, find(&wanted[3]).await], [wanted[1].clone(), wanted[3].clone()]);
        let after = store::pipeline::destinations::find(reader, to.organisation_id, to.id).await.unwrap();
        assert_eq!(after.success_count, 2, "once, also where the rows of a statement are filled up");
        assert!(claim(store, owner, app.now(), 5).await.is_empty(), "nothing is left");
    }

    async fn progress_says_what_the_cursor_cannot(app) {
        let (store, to) = (app.app.base.store(), destination_of(&app).await);
        let (events, mut wanted) = rows(&app, &to);
        append(store, &events, &mut wanted, app.now()).await;
        let later = app.now() + Duration::from_secs(60);
        let retried = Delivery {
            attempts: 1,
            reason: Some("busy".to_owned()),
            next_attempt_at: Some(later),
            seq: None,
            ..wanted[0].clone()
        };
        let claimed = claim(store, Uuid::from_u128(1), app.now(), 5).await;
        let tx = store.begin().await.unwrap();
        deliveries::save(&tx, &[&retried]).await.unwrap();
        let passed = Release { more: true, cursor: 1, ..release(&claimed[0]) };
        store::pipeline::destinations::release(&tx, Uuid::from_u128(1), app.now(), &[&passed]).await.unwrap();
        let again = Delivery { attempts: 2, aside_at: Some(later), ..retried };
        deliveries::save(&tx, &[&again]).await.unwrap();
        tx.commit().await.unwrap();
        let find = async |delivery: &Delivery| {
            deliveries::find(store.reader(), to.organisation_id, delivery.id).await.unwrap()
        };
        assert_eq!(find(&again).await, again);
        assert_eq!(find(&wanted[2]).await, wanted[2]);
        let loads = async |cursor, limit| {
            let position = Position { id: to.id, cursor, last_seq: 3 };
            let mut loaded = deliveries::due_first(store.reader(), &[position], limit, app.now()).await.unwrap();
            let Loaded { due, reached, more } = loaded.remove(&to.id).unwrap();
            (due.into_iter().map(|due| due.delivery.id).collect::<Vec<_>>(), reached, more)
        };
        assert_eq!(loads(1, 5).await, (vec![wanted[2].id, wanted[3].id, again.id], 3, false));
        assert_eq!(loads(1, 2).await, (vec![wanted[2].id, wanted[3].id], 3, true), "it comes by its time");
        assert_eq!(loads(1, 1).await, (vec![wanted[2].id], 2, true));
        let tx = store.begin().await.unwrap();
        let ended = deliveries::end_pending(&tx, to.id, DeliveryState::Failed, "off", app.now()).await.unwrap();
        assert_eq!(ended, 3);
        assert!(!deliveries::replay(&tx, (to.organisation_id, DeliveryId(Uuid::nil())), None, app.now()).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(deliveries::count_failed(store.reader(), to.id, Period::default()).await.unwrap(), 3);
        assert_eq!(deliveries::count_pending(store.reader()).await.unwrap(), 0);
        let failed = find(&again).await;
        assert_eq!((failed.state, failed.reason.as_deref(), failed.attempts), (DeliveryState::Failed, Some("off"), 2));

        let tx = store.begin().await.unwrap();
        let content = Content::of(&json!({"text": "again"}));
        let id = (to.organisation_id, again.id);
        assert!(deliveries::replay(&tx, id, Some(&content), app.now()).await.unwrap());
        assert!(!deliveries::replay(&tx, id, None, app.now()).await.unwrap(), "it is pending already");
        assert_eq!(deliveries::replay_failed(&tx, to.id, Period::default(), app.now()).await.unwrap(), 2);
        tx.commit().await.unwrap();
        let replayed = find(&again).await;
        assert_eq!((replayed.attempts_before_replay, replayed.replayed_at), (2, Some(app.now())));
        assert_eq!((replayed.content, replayed.reason, replayed.aside_at), (Some(content), None, None));
        assert_eq!(loads(3, 5).await.0.len(), 3);
        assert_eq!(deliveries::count_pending(store.reader()).await.unwrap(), 3);
        // A skipped one is replayed with its content.
        let tx = store.begin().await.unwrap();
        let skipped = (to.organisation_id, wanted[1].id);
        assert!(deliveries::replay(&tx, skipped, wanted[1].content.as_ref(), app.now()).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(find(&wanted[1]).await.content, wanted[1].content);
    }
}

/// Positions are handed out under the lock of the destination's row: of two writers, the one that commits later is behind,
/// so nothing appears in a queue before what was seen there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_are_in_the_order_of_the_commits() {
    let Some(database) = Database::postgres().await else { return };
    let app = TestApp::start(database).await;
    let (store, to) = (app.app.base.store().clone(), destination_of(&app).await);
    let (events, mut first) = rows(&app, &to);
    let tx = store.begin().await.unwrap();
    outbox::append(&tx, &events, &mut first, app.now(), None).await.unwrap();

    let ((other_events, mut second), other, now) = (rows(&app, &to), store.clone(), app.now());
    let appending = tokio::spawn(async move {
        append(&other, &other_events, &mut second, now).await;
        second
    });
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = CURRENT_DATABASE()";
    let waits = || store.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, waits));
    crate::support::until("the second one waits", LIMIT, async || waits().await.unwrap()).await;
    tx.commit().await.unwrap();
    assert_eq!(positions(&first), [Some(1), None, Some(2), Some(3)]);
    assert_eq!(positions(&appending.await.unwrap()), [Some(4), None, Some(5), Some(6)]);
}

/// A record locks the destination before the progress of its deliveries, as whoever ends the pending deliveries of a
/// destination does: otherwise the two would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_is_locked_before_the_progress_of_its_deliveries() {
    let Some(database) = Database::postgres().await else { return };
    let app = TestApp::start(database).await;
    let (store, to) = (app.app.base.store().clone(), destination_of(&app).await);
    let (events, mut wanted) = rows(&app, &to);
    append(&store, &events, &mut wanted, app.now()).await;
    let tx = store.begin().await.unwrap();
    store::pipeline::destinations::lock(&tx, &[to.id]).await.unwrap();

    let (ending, id, now) = (store.clone(), to.id, app.now());
    let ended = tokio::spawn(async move {
        let tx = ending.begin().await.unwrap();
        let ended = deliveries::end_pending(&tx, id, DeliveryState::Failed, "off", now).await.unwrap();
        tx.commit().await.unwrap();
        ended
    });
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = CURRENT_DATABASE()";
    let waits = || store.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, waits));
    crate::support::until("the end waits", LIMIT, async || waits().await.unwrap()).await;
    deliveries::save(&tx, &[&wanted[0]]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended.await.unwrap(), 3);
}
