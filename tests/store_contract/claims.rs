//! Tests of the claim, fair by organisation and class; and of statements that change many destinations at once.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::*;

/// Creates destinations of an organisation of its own, due since then.
async fn due_of(app: &TestApp, slug: &str, count: usize, since: Time) -> OrganisationId {
    let organisation = app.app.tenancy.create_organisation_as_operator(slug, None).await.unwrap();
    let tx = app.app.base.store().begin().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let destination = destination(app, organisation.id, &number.to_string());
        store::pipeline::destinations::insert(&tx, &destination).await.unwrap();
        ids.push(destination.id);
    }
    store::pipeline::destinations::wake(&tx, &ids, since, None).await.unwrap();
    tx.commit().await.unwrap();
    organisation.id
}

fn count_of(claimed: &[Claimed], organisation: OrganisationId) -> usize {
    claimed.iter().filter(|one| one.destination.organisation_id == organisation).count()
}

both! {
    async fn a_claim_is_shared_out_among_organisations(app) {
        let store = app.app.base.store();
        let (owner, now) = (Uuid::from_u128(1), app.now());
        let flood = due_of(&app, "flood", 100, now - Duration::from_secs(60)).await;
        let quiet = due_of(&app, "quiet", 2, now).await;
        let claimed = claim(store, owner, now, 10).await;
        assert_eq!((count_of(&claimed, flood), count_of(&claimed, quiet)), (8, 2));
        assert_eq!(claim(store, owner, now, 10).await.len(), 10, "alone it takes all that there is room for");
    }

    async fn a_wake_up_leases_what_is_offered_and_waits_for_nothing(app) {
        let store = app.app.base.store();
        let (owner, other, now) = (Uuid::from_u128(1), Uuid::from_u128(2), app.now());
        let ids = due_destinations(&app, 5).await;
        let claimed = claim(store, owner, now, 5).await;
        let release_of = |index: usize| release(claimed.iter().find(|one| one.destination.id == ids[index]).unwrap());
        let releases = [
            release_of(0),
            release_of(1),
            Release { more: true, ..release_of(2) },
            Release { later: Some(now + Duration::from_secs(10)), ..release_of(3) },
        ];
        release_all(store, owner, now, &releases).await;

        let lease = Lease { owner, now, until: now + LEASE, clock: store.lease_clock() };
        // The second is not offered, the third is due, the fourth waits for a retry, the fifth is leased.
        let offered = [ids[0], ids[2], ids[3], ids[4]].to_vec();
        let tx = store.begin().await.unwrap();
        let offer = Offer { lease, destinations: offered };
        let leased = store::pipeline::destinations::wake(&tx, &ids, now, Some(&offer)).await.unwrap().leased;
        tx.commit().await.unwrap();
        let ids_of = |claimed: &[Claimed]| {
            let mut ids: Vec<DestinationId> = claimed.iter().map(|one| one.destination.id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids_of(&leased), ids[..1]);
        assert_eq!(ids_of(&claim(store, other, now, 5).await), ids[1..4], "the others are woken");
        assert_eq!(ids_of(&claim(store, other, now + LEASE, 5).await), ids, "every lease ends");
    }

    async fn what_a_dropped_transaction_locked_is_claimed_once_the_store_has_settled(app) {
        let store = app.app.base.store();
        let (owner, now) = (Uuid::from_u128(1), app.now());
        let organisation = due_of(&app, "locked", 5, now).await;
        for _ in 0..50 {
            let claimed = claim(store, owner, now, 5).await;
            assert_eq!(claimed.len(), 5);
            let due = claimed.iter().map(|one| Release { more: true, ..release(one) }).collect::<Vec<_>>();
            release_all(store, owner, now, &due).await;
            let tx = store.begin().await.unwrap();
            for one in &claimed {
                store::pipeline::destinations::find_for_update(&tx, organisation, one.destination.id).await.unwrap();
            }
            drop(tx);
            store.settle().await;
        }
    }

    async fn an_organisation_has_no_more_in_flight_than_its_bound(app) {
        let store = app.app.base.store();
        let (owner, now) = ((Uuid::from_u128(1), Uuid::nil()), app.now());
        let flood = due_of(&app, "flood", 20, now - Duration::from_secs(60)).await;
        let quiet = due_of(&app, "quiet", 20, now).await;
        let busy = vec![Busy { organisation_id: flood, in_flight: 3, slow: 0 }];
        let bounded = Room { ceiling: 5, busy, ..room(20) };
        let claimed = claim_within(store, owner, now, bounded.clone()).await;
        assert_eq!((count_of(&claimed, flood), count_of(&claimed, quiet)), (2, 5));
        // The organisation with none in flight comes first.
        let claimed = claim_within(store, owner, now, Room { limit: 3, ..bounded }).await;
        assert_eq!((count_of(&claimed, flood), count_of(&claimed, quiet)), (0, 3));
    }

    async fn the_slow_class_takes_its_share_and_no_more(app) {
        let store = app.app.base.store();
        let (owner, now) = (Uuid::from_u128(1), app.now());
        let slow = due_of(&app, "slow", 12, now).await;
        let claimed = claim(store, owner, now, 20).await;
        assert!(claimed.iter().all(|one| !one.slow));
        let releases: Vec<Release> = claimed
            .iter()
            .map(|claimed| Release { more: true, slow: Some(true), ..release(claimed) })
            .collect();
        release_all(store, owner, now, &releases).await;
        let other = due_of(&app, "other", 3, now).await;
        let none = claim_within(store, (owner, Uuid::nil()), now, Room { slow_limit: 0, ..room(1) }).await;
        assert_eq!((count_of(&none, slow), count_of(&none, other)), (0, 1));
        let some = claim_within(store, (owner, Uuid::nil()), now, Room { slow_limit: 4, ..room(20) }).await;
        assert_eq!((count_of(&some, slow), count_of(&some, other)), (4, 2));
        let busy = vec![Busy { organisation_id: slow, in_flight: 4, slow: 4 }];
        let bounded = Room { slow_ceiling: 6, busy, ..room(20) };
        let some = claim_within(store, (owner, Uuid::nil()), now, bounded).await;
        assert_eq!((some.len(), some[0].slow), (2, true));
        release_all(store, owner, now, &[Release { more: true, slow: Some(false), ..release(&some[0]) }]).await;
        let again = claim_within(store, (owner, Uuid::nil()), now, Room { slow_limit: 0, ..room(20) }).await;
        assert_eq!((again.len(), again[0].slow), (1, false), "it was answered in time");
    }

    async fn claims_go_round_however_many_organisations_there_are(app) {
        let store = app.app.base.store();
        let (owner, now) = (Uuid::from_u128(1), app.now());
        for number in 0..70 {
            due_of(&app, &format!("many-{number}"), 1, now).await;
        }
        let mut after = OrganisationId(Uuid::nil());
        let mut seen = HashSet::new();
        for _ in 0..2 {
            let claimed = claim_within(store, (owner, after.0), now, Room { ceiling: 1, ..room(64) }).await;
            let ids: Vec<OrganisationId> = claimed.iter().map(|one| one.destination.organisation_id).collect();
            after = ids.iter().copied().max_by_key(|id| (*id <= after, *id)).unwrap();
            seen.extend(ids);
        }
        assert_eq!(seen.len(), 70);
    }

    async fn what_waits_for_a_clock_that_was_set_back_is_brought_forward(app) {
        let store = app.app.base.store();
        let (owner, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let later = app.now() + Duration::from_secs(3600);
        due_of(&app, "waiting", 3, later).await;
        assert!(claim(store, gone, app.now(), 1).await.is_empty(), "an hour away");
        let held = claim(store, owner, later, 1).await;
        let tx = store.begin().await.unwrap();
        let now = app.now();
        store::pipeline::destinations::set_back(&tx, owner, (now, later), Some(now + LEASE)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(claim(store, gone, now, 10).await.len(), 2);
        let again = claim(store, gone, now + LEASE, 10).await;
        assert!(again.iter().any(|one| one.destination.id == held[0].destination.id), "the lease ends in time");
    }
}

/// Workers whose clocks are an hour apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_hold_by_the_clock_of_the_database() {
    let Some(database) = Database::postgres().await else { return };
    let app = TestApp::start(database).await;
    let store = app.app.base.store().clone().with_lease_clock(LeaseClock::Database);
    let (right, ahead) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let sql = "SELECT DATE_TRUNC('milliseconds', NOW()) AS now";
    let told = store.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    let now: Time = told.try_get("", "now").unwrap();
    let hour_ahead = now + Duration::from_secs(3600);
    due_of(&app, "many", 3, now).await;
    let claim_for = async |owner, now: Time, lease| {
        let lease_clock = store.lease_clock();
        let claim = Claim {
            lease: Lease { owner, now, until: now + lease, clock: lease_clock },
            after: Uuid::nil().into(),
            room: room(1),
        };
        store::pipeline::destinations::claim(store.writer(), &claim).await.unwrap()
    };
    let held = claim_for(right, now, LEASE).await;
    for _ in 0..2 {
        let others = claim_for(ahead, hour_ahead, Duration::ZERO).await;
        assert_eq!(others.len(), 1);
        assert_ne!(others[0].destination.id, held[0].destination.id, "its lease holds");
        release_all(&store, ahead, hour_ahead, &[release(&others[0])]).await;
    }
    assert!(claim_for(ahead, hour_ahead, LEASE).await.is_empty(), "its lease holds");
    release_all(&store, right, now, &[Release { more: true, ..release(&held[0]) }]).await;
    assert_eq!(claim_for(ahead, hour_ahead, Duration::ZERO).await.len(), 1, "and ends at once");
    let after = claim_for(right, now, LEASE).await;
    assert_eq!(after[0].destination.id, held[0].destination.id, "for whoever is right too");
}

/// Their rows are stored in the order of creation, and the ids are the other way round: a statement that locks in the
/// order of a scan meets one that locks in the order of the ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wake_ups_and_releases_do_not_wait_for_each_other() {
    let Some(database) = Database::postgres().await else { return };
    let app = TestApp::start(database).await;
    let organisation = app.app.tenancy.create_organisation_as_operator("many", None).await.unwrap();
    let (store, now, owner) = (app.app.base.store().clone(), app.now(), Uuid::from_u128(1));
    let tx = store.begin().await.unwrap();
    let ids: Vec<DestinationId> = (0..300).map(|_| app.app.base.ambient().id()).collect();
    for id in ids.iter().rev() {
        let destination = Destination { id: *id, ..destination(&app, organisation.id, &id.to_string()) };
        store::pipeline::destinations::insert(&tx, &destination).await.unwrap();
    }
    store::pipeline::destinations::wake(&tx, &ids, now, None).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..20 {
        let held = claim(&store, owner, now, ids.len()).await;
        assert_eq!(held.len(), ids.len());
        let releases: Vec<Release> = held.iter().map(|held| Release { more: true, ..release(held) }).collect();
        let wakes = (0..3).map(|_| {
            let (store, ids) = (store.clone(), ids.clone());
            tokio::spawn(async move {
                let tx = store.begin().await.unwrap();
                store::pipeline::destinations::wake(&tx, &ids, now, None).await.unwrap();
                tx.commit().await.unwrap();
            })
        });
        let wakes: Vec<_> = wakes.collect();
        release_all(&store, owner, now, &releases).await;
        for wake in join_all(wakes).await {
            wake.unwrap();
        }
    }
}
