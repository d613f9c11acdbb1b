//! Tests of the running dispatcher: the hand-over in memory from the intake of its process, and slots that get free.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tieline::{
    app::pipeline::handover::{Appended, Handed, LocalDispatcher, Reservation},
    domain::ids::{DestinationId, OrganisationId},
    store::{
        kernel::lease_clock::LeaseClock,
        pipeline::destinations::{Lease, Offer},
    },
    worker::Settings,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{Integration, Reply, Setup, TestApp, until};

const CHANNEL: &str = "C0ALERTS";
const LIMIT: Duration = Duration::from_secs(20);

/// A dispatcher that takes over everything, and does nothing with it.
struct Idle {
    app: Arc<TestApp>,
    taken: Arc<Mutex<Vec<Handed>>>,
}

struct Reserved {
    offer: Offer,
    taken: Arc<Mutex<Vec<Handed>>>,
}

impl LocalDispatcher for Idle {
    fn reserve(&self, wanted: &[(OrganisationId, DestinationId)]) -> Option<Box<dyn Reservation>> {
        let now = self.app.now();
        let until = now + Duration::from_secs(30);
        let lease = Lease { owner: Uuid::from_u128(1), now, until, clock: LeaseClock::Caller };
        let offer = Offer { lease, destinations: wanted.iter().map(|(_, id)| *id).collect() };
        Some(Box::new(Reserved { offer, taken: self.taken.clone() }))
    }
}

impl Reservation for Reserved {
    fn offer(&self) -> &Offer {
        &self.offer
    }

    fn is_served(&self, _: DestinationId) -> bool {
        false
    }

    fn take_over(self: Box<Self>, appended: Appended) {
        self.taken.lock().unwrap().extend(appended.leased);
    }
}

fn count_of(taken: &Mutex<Vec<Handed>>) -> usize {
    taken.lock().unwrap().iter().map(|handed| handed.due.len()).sum()
}

/// Number of deliveries that were handed over so far, by the metric.
fn handed_over(app: &TestApp) -> u64 {
    let metrics = app.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix("tieline_deliveries_handed_over_total "));
    line.unwrap().parse().unwrap()
}

both! {
    async fn what_a_process_accepts_is_delivered_without_a_claim(app) {
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(app.deliverer.clone().run(stop.clone()));
        // Until the dispatcher has begun, events are claimed.
        let mut sent = 0;
        until("a delivery is handed over", LIMIT, async || {
            let event = app.step(&sent.to_string()).await;
            sent += 1;
            let delivered = async || (app.delivery_of(&event).await["state"] == "delivered").then_some(());
            until("it is delivered", LIMIT, delivered).await;
            (handed_over(&app) > 0).then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(app.slack.messages(CHANNEL).await.len(), sent, "each once");
    }

    async fn what_was_handed_over_is_not_lost_with_its_process(app) {
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        let app = Arc::new(app);
        let taken = Arc::<Mutex<_>>::default();
        let idle = Arc::new(Idle { app: app.clone(), taken: taken.clone() });
        app.app.pipeline.handover().begin(&idle);
        let first = app.step("first").await;
        assert_eq!(count_of(&taken), 1);
        let loaded = taken.lock().unwrap()[0].due[0].clone();
        assert_eq!((loaded.delivery.event_id, loaded.event.id.to_string()), (loaded.event.id, first));
        app.step("second").await;
        assert_eq!(count_of(&taken), 1, "its destination waits for the first");
        app.drain().await;
        assert_eq!(app.slack.texts(CHANNEL).await.len(), 0, "the lease holds");
        app.advance(Duration::from_secs(30));
        app.drain().await;
        let messages = app.slack.messages(CHANNEL).await;
        let order: Vec<bool> =
            messages.iter().zip(["first", "second"]).map(|(one, name)| one["blocks"].to_string().contains(name)).collect();
        assert_eq!(order, [true; 2]);
        drop(idle);
        app.step("third").await;
        app.drain().await;
        assert_eq!((count_of(&taken), app.slack.messages(CHANNEL).await.len()), (1, 3), "a dispatcher that is gone");
    }
}

/// Routes all orders to a webhook.
async fn webhook(app: &TestApp) -> Integration {
    let far = Integration::start("output", json!([])).await;
    far.reply(Reply::Text(204, String::new()));
    let destination = json!({"kind": "webhook", "url": format!("{}/hook", far.base())});
    app.owner.post("/v1/routes", &json!({"types": ["order.*"], "destination": destination})).await.ok(201);
    far
}

async fn order(app: &TestApp) {
    app.owner.post("/v1/events", &json!({"type": "order.created"})).await.ok(202);
}

both! {
    async fn a_quick_destination_goes_on_under_its_lease(app) {
        let far = webhook(&app).await;
        for _ in 0..300 {
            order(&app).await;
        }
        let worker = app.worker_with(app.app.clone(), |settings| Settings { load: 2, ..settings });
        assert_eq!(worker.step().await.unwrap().destinations, 1);
        assert_eq!(far.calls().len(), 300);
        assert_eq!(worker.step().await.unwrap().destinations, 0, "nothing is left");
        let deliveries = app.deliveries("limit=250").await;
        assert_eq!(deliveries.len(), 250);
        for delivery in deliveries {
            assert_eq!((&delivery["state"], &delivery["attemptCount"]), (&json!("delivered"), &json!(1)));
        }
        // One that fails ends it: the others wait for the next claim.
        far.reply(Reply::Text(500, "no".into()));
        for _ in 0..5 {
            order(&app).await;
        }
        worker.step().await.unwrap();
        assert_eq!(far.calls().len(), 302);
    }

    async fn what_comes_while_a_destination_is_served_is_handed_over(app) {
        let far = webhook(&app).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(app.deliverer.clone().run(stop.clone()));
        let mut sent = 0;
        until("all of a burst are handed over", LIMIT, async || {
            far.reply(Reply::Late(Duration::from_millis(200), json!({})));
            let before = handed_over(&app);
            for _ in 0..4 {
                order(&app).await;
            }
            sent += 4;
            let all = async || (app.deliveries("state=delivered&limit=250").await.len() == sent).then_some(());
            until("all are delivered", LIMIT, all).await;
            (handed_over(&app) - before == 4).then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(far.calls().len(), sent, "each once");
    }
}

const URLS: usize = 12;

both_databases! {
    /// An organisation whose URLs are more than its slots: the next one is called as soon as one has answered.
    async fn more_urls_than_slots_wait_for_no_poll(database) {
        let settings = [
            ("TIELINE_DELIVERY__MAX_CONCURRENT_PER_ORGANISATION", "2"),
            // Longer than the limit: nothing is found by the poll.
            ("TIELINE_DELIVERY__POLL_MS", "60000"),
        ];
        let settings = settings.map(|(key, value)| (key, value.to_owned())).to_vec();
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        let far = Integration::start("output", json!([])).await;
        far.reply(Reply::Text(204, String::new()));
        for index in 0..URLS {
            let destination = json!({"kind": "webhook", "url": format!("{}/{index}", far.base())});
            app.owner.post("/v1/routes", &json!({"types": ["order.*"], "destination": destination})).await.ok(201);
        }
        let stop = CancellationToken::new();
        let running = tokio::spawn(app.deliverer.clone().run(stop.clone()));
        for number in 1..=3 {
            app.owner.post("/v1/events", &json!({"type": "order.created", "data": {}})).await.ok(202);
            let all = async || (far.calls().len() == number * URLS).then_some(());
            until("every URL is called", LIMIT, all).await;
        }
        stop.cancel();
        running.await.unwrap();
    }
}
