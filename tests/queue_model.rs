//! A model of the queue: random interleavings of acceptance, dispatch by two workers, crashes, failures of upstreams, the
//! passing of time, cancellation and replay, and what has to hold afterwards.
//!
//! A crash is a dispatch that is dropped after a number of polls: at any of its awaits, before and after the claim, the
//! call and the record. `TIELINE_TEST_MODEL_CASES` sets the number of interleavings, and `TIELINE_TEST_MODEL_SEED` others
//! than the usual ones.

use std::{future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tieline::worker::{Settings, dispatcher::Dispatcher};

use crate::support::{Database, Integration, Reply, Setup, TestApp};

const CHANNEL: &str = "C0ALERTS";
const WORKERS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    /// An event is accepted, for a destination that keeps order and one that does not.
    Accept,
    /// A worker claims, sends and records what is due.
    Dispatch(usize),
    /// A worker does so and ends after some polls; another one starts in its place.
    Crash(usize, usize),
    /// Time passes.
    Advance(u64),
    /// The webhook's upstream answers so from now on.
    Webhook(Mood),
    /// Slack answers so from now on.
    Slack(Mood),
    /// The webhook's destination is disabled, which ends what waits for it, and enabled again.
    Cancel,
    /// Failed deliveries of the webhook's destination are sent again.
    Replay,
}

#[derive(Clone, Debug)]
enum Mood {
    Works,
    Fails,
    AsksForPause,
}

fn step() -> impl Strategy<Value = Step> {
    let mood = || prop_oneof![Just(Mood::Works), Just(Mood::Fails), Just(Mood::AsksForPause)];
    prop_oneof![
        6 => Just(Step::Accept),
        6 => (0..WORKERS).prop_map(Step::Dispatch),
        6 => (0..WORKERS, 1..60_usize).prop_map(|(worker, polls)| Step::Crash(worker, polls)),
        4 => prop_oneof![Just(1), Just(31), Just(400)].prop_map(Step::Advance),
        2 => mood().prop_map(Step::Webhook),
        2 => prop_oneof![Just(Mood::Works), Just(Mood::AsksForPause)].prop_map(Step::Slack),
        1 => Just(Step::Cancel),
        1 => Just(Step::Replay),
    ]
}

/// Polls a future so many times, and drops it. Returns true if it was done before.
async fn polled(future: impl Future, polls: usize) -> bool {
    let (mut future, mut left) = (pin!(future), polls);
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// The queue, and what is known of it.
struct World {
    app: TestApp,
    workers: Vec<Arc<Dispatcher>>,
    upstream: Integration,
    /// The webhook's destination.
    destination: String,
    /// Events in their order, by name and identifier.
    accepted: Vec<(String, String)>,
    crashes: usize,
}

impl World {
    /// Starts a worker that loads two deliveries of a destination at once, and goes on from there.
    fn worker(app: &TestApp) -> Arc<Dispatcher> {
        app.worker_with(app.app.clone(), |settings| Settings { load: 2, ..settings })
    }

    async fn start(database: Database) -> Self {
        let settings = vec![("TIELINE_SLACK__CHANNEL_INTERVAL_MS", "0".to_owned())];
        let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
        app.slack.connect(&app.owner, "T0STANDIN", CHANNEL).await;
        app.slack.unlimited().await;
        let upstream = Integration::start("output", json!([])).await;
        let to = json!({"kind": "webhook", "url": format!("{}/hook", upstream.base())});
        let route = json!({"name": "all", "types": ["workflow.*"], "destination": to});
        let destination =
            app.owner.post("/v1/routes", &route).await.ok(201)["destinationId"].as_str().unwrap().to_owned();
        let workers = (0..WORKERS).map(|_| Self::worker(&app)).collect();
        Self { app, workers, upstream, destination, accepted: Vec::new(), crashes: 0 }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Accept => {
                // No part of an identifier.
                let name = format!("step {:03}", self.accepted.len());
                let id = self.app.step(&name).await;
                self.accepted.push((name, id));
            }
            Step::Dispatch(worker) => drop(self.workers[*worker].step().await.unwrap()),
            Step::Crash(worker, polls) => {
                if polled(self.workers[*worker].step(), *polls).await {
                    return;
                }
                self.crashes += 1;
                // What it handed in to be recorded is recorded: that is a crash after the record.
                self.workers[*worker].settle().await;
                self.workers[*worker] = Self::worker(&self.app);
            }
            Step::Advance(seconds) => self.app.advance(Duration::from_secs(*seconds)),
            Step::Webhook(mood) => self.upstream.reply(match mood {
                Mood::Works => Reply::Text(204, String::new()),
                Mood::Fails => Reply::Text(500, "no".into()),
                Mood::AsksForPause => Reply::Pause(429, 20),
            }),
            Step::Slack(mood) => {
                self.app.slack.mend().await;
                if let Mood::Fails | Mood::AsksForPause = mood {
                    let limited =
                        json!({"method": "chat.postMessage", "status": 429, "retryAfterSecs": 20, "times": 1000});
                    self.app.slack.fault(limited).await;
                }
            }
            Step::Cancel => {
                for enabled in [false, true] {
                    self.app
                        .owner
                        .patch(&format!("/v1/destinations/{}", self.destination), &json!({"enabled": enabled}))
                        .await
                        .ok(200);
                }
            }
            Step::Replay => self.replay().await,
        }
    }

    /// Asserts that nothing in a queue has progress: a worker would send it again.
    async fn queues_are_plain(&self) {
        let sql = "SELECT COUNT(*) AS passed FROM delivery_progress p JOIN delivery d ON d.organisation_id = \
             p.organisation_id AND d.id = p.delivery_id JOIN destination t ON t.id = d.destination_id \
             WHERE d.seq > t.cursor";
        let store = self.app.app.base.store();
        let statement = Statement::from_string(store.reader().get_database_backend(), sql);
        let row = store.reader().query_one_raw(statement).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "passed").unwrap(), 0);
    }

    async fn replay(&self) {
        self.app.owner.post("/v1/deliveries/replay", &json!({"destinationId": self.destination})).await.ok(202);
    }

    /// Lets everything work, and time pass until nothing is pending.
    async fn come_to_rest(&mut self) {
        for step in [Step::Webhook(Mood::Works), Step::Slack(Mood::Works)] {
            self.take(&step).await;
        }
        for _ in 0..100 {
            self.app.drain().await;
            if self.app.deliveries("state=pending").await.is_empty() {
                return;
            }
            self.app.advance(Duration::from_secs(2 * 60 * 60));
        }
        panic!("deliveries are pending for ever: {:?}", self.app.deliveries("state=pending").await);
    }

    async fn check(&mut self) {
        self.come_to_rest().await;
        self.replay().await;
        self.come_to_rest().await;
        let (calls, messages) = (self.upstream.calls(), self.app.slack.messages(CHANNEL).await);
        let is_of = |name: &str, body: &Value| body.to_string().contains(&format!("\"{name}\""));
        let mut after = None;
        for (name, id) in &self.accepted {
            let deliveries = self.app.deliveries(&format!("eventId={id}")).await;
            let (webhook, slack): (Vec<&Value>, Vec<&Value>) =
                deliveries.iter().partition(|delivery| delivery["destinationId"] == self.destination.as_str());
            for chain in [&webhook, &slack] {
                assert!(
                    chain.iter().any(|delivery| delivery["state"] == "delivered"),
                    "{name} is lost: {deliveries:?}"
                );
            }
            let attempts: u64 = webhook.iter().map(|delivery| delivery["attemptCount"].as_u64().unwrap()).sum();
            let called = calls.iter().filter(|call| is_of(name, &call.body)).count();
            let most = usize::try_from(attempts).unwrap() + self.crashes;
            assert!((1..=most).contains(&called), "{name} was called {called} times, {attempts} of them recorded");

            let shown = |message: &&Value| message["blocks"].to_string().contains(name.as_str());
            let posted = messages.iter().filter(shown).count();
            assert!((1..=1 + self.crashes).contains(&posted), "{name} was posted {posted} times");
            let first = messages.iter().position(|message| shown(&message));
            assert!(first > after, "{name} came before the one that was accepted before it: {messages:?}");
            after = first;
        }
    }
}

/// Runs interleavings, the same ones each time unless another seed is set.
fn for_many(cases: u32, database: impl Fn(&tokio::runtime::Runtime) -> Option<Database>) {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u32>().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = number("TIELINE_TEST_MODEL_CASES").unwrap_or(cases);
    let config = ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() };
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number("TIELINE_TEST_MODEL_SEED").unwrap_or_default().to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let checked = runner.run(&prop::collection::vec(step(), 10..40), |steps| {
        let Some(database) = database(&runtime) else { return Ok(()) };
        runtime.block_on(async {
            let mut world = World::start(database).await;
            for step in &steps {
                world.take(step).await;
                world.queues_are_plain().await;
            }
            world.check().await;
        });
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn nothing_is_lost_out_of_order_or_sent_again_on_sqlite() {
    for_many(6, |_| Some(Database::sqlite()));
}

#[test]
fn nothing_is_lost_out_of_order_or_sent_again_on_postgres() {
    for_many(6, |runtime| runtime.block_on(Database::postgres()));
}
