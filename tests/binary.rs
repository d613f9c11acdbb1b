//! Tests of the real binary, as a separate process beside a stand-in Slack and in real time: crashes, disconnecting
//! callers, upstreams that hang or never end, slow neighbours, stopping, and dependencies that are down at the start.
//!
//! There is no fixed sleep: every wait is for a condition, and bounded.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use reqwest::Method;
use serde_json::{Value, json};
use standin::Options;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Client, Database, Deployment, Process, Slack, step, until};

mod connections;
mod crashes;
mod disks;
mod forgeries;
mod hang_ups;
mod logs;
mod outages;
mod replicas;
mod stopping;
mod upstreams;

/// Time limit of any wait. Much more than it takes, for busy machines.
const LIMIT: Duration = Duration::from_secs(30);

/// Number of repetitions: as many as a test needs, and more under `make chaos`.
fn rounds(least: usize) -> usize {
    let asked = std::env::var("TIELINE_TEST_CHAOS_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.map_or(least, |times: usize| times * least)
}

/// Prints a line of the table of `make chaos`.
fn tell(fault: &str, injected: usize, accepted: usize) {
    eprintln!("chaos: {fault}: {injected} injected, {accepted} accepted, 0 lost");
}

/// A short lease, so that the claims of a dead worker are soon free.
const SHORT_LEASE: &[(&str, &str)] = &[
    ("TIELINE_DELIVERY__LEASE_SECS", "2"),
    ("TIELINE_DELIVERY__TOTAL_TIMEOUT_MS", "500"),
    ("TIELINE_DELIVERY__CONNECT_TIMEOUT_MS", "500"),
    ("TIELINE_EGRESS__TOTAL_TIMEOUT_MS", "500"),
    ("TIELINE_EGRESS__CONNECT_TIMEOUT_MS", "500"),
];

/// Slack channels of the two organisations.
const PLACES: [(&str, &str); 2] = [("T0STANDIN", "C0ALERTS"), ("T0SECOND", "C1ALERTS")];

/// A deployment with two organisations, each connected to a workspace of its own.
struct Scene {
    deployment: Deployment,
    slack: Slack,
    /// Reads all posted messages.
    control: Client,
    /// Tokens of the owners.
    tokens: [String; 2],
}

impl Scene {
    /// Sets it up, with these settings, and leaves a process running.
    async fn start(database: Database, settings: &[(&str, &str)]) -> (Self, Process) {
        let slack = Slack::start(Options::default()).await;
        let base = slack.base();
        Self::start_with(slack, &base, database, settings).await
    }

    /// The same, with another address of Slack for Tieline.
    async fn start_with(slack: Slack, base: &str, database: Database, settings: &[(&str, &str)]) -> (Self, Process) {
        slack.unlimited().await;
        let mut deployment = Deployment::new(database, base);
        for (name, value) in settings {
            deployment.set(name, *value);
        }
        let process = deployment.serve("all").await;
        let tokens = [
            deployment.connected(&process, "acme", &slack, PLACES[0]).await,
            deployment.connected(&process, "globex", &slack, PLACES[1]).await,
        ];
        let control = Client::new(slack.base().trim_end_matches("/slack"));
        (Self { deployment, slack, control, tokens }, process)
    }

    /// Owners of the two organisations, as callers of a process.
    fn owners(&self, process: &Process) -> [Client; 2] {
        [process.client(&self.tokens[0]), process.client(&self.tokens[1])]
    }

    /// Counts the posted messages of each event, by the event's name.
    async fn posted(&self) -> BTreeMap<String, usize> {
        let answer = self.control.get("/control/slack/messages?limit=20000").await.ok(200);
        let mut posted = BTreeMap::new();
        for message in answer["messages"].as_array().unwrap() {
            let text = message["text"].as_str().unwrap();
            for name in text.split_whitespace().filter(|word| word.starts_with("ev-")) {
                *posted.entry(name.to_owned()).or_default() += 1;
            }
        }
        posted
    }

    /// Waits until each of these events has arrived.
    async fn all_arrive(&self, names: &[String]) {
        let mut missing = 0;
        until("everything that was accepted arrives", LIMIT, async || {
            let posted = self.posted().await;
            let now = names.iter().filter(|name| !posted.contains_key(*name)).count();
            if now != missing {
                eprintln!("{now} of {} are still to arrive", names.len());
                missing = now;
            }
            (now == 0).then_some(())
        })
        .await;
    }

    /// Waits until nothing is in flight any more.
    async fn settle(&self, process: &Process) {
        for owner in self.owners(process) {
            until("no delivery is pending", LIMIT, async || {
                let pending = owner.get("/v1/deliveries?state=pending&limit=1").await.ok(200);
                pending["data"].as_array().unwrap().is_empty().then_some(())
            })
            .await;
        }
    }

    /// Events that arrived more than once.
    async fn repeated(&self) -> Vec<(String, usize)> {
        self.posted().await.into_iter().filter(|(_, times)| *times > 1).collect()
    }
}

/// Concurrent callers that send events.
struct Flood {
    /// Number of accepted events so far.
    accepted: Arc<AtomicUsize>,
    callers: JoinSet<Vec<String>>,
    stop: CancellationToken,
}

impl Flood {
    /// Starts several callers of each client; each sends up to `most` events, one after another, until the server is
    /// gone.
    fn begin(clients: &[Client], prefix: &str, callers: usize, most: usize) -> Self {
        let mut this = Self { accepted: Arc::default(), callers: JoinSet::new(), stop: CancellationToken::new() };
        for (index, client) in clients.iter().enumerate() {
            for caller in 0..callers {
                let prefix = format!("ev-{prefix}-{index}-{caller}");
                this.callers.spawn(pour(client.clone(), prefix, most, this.accepted.clone()));
            }
        }
        this
    }

    /// The same, with callers that go on after a refused event, until [`Flood::stop`].
    fn persistent(clients: &[Client], prefix: &str, callers: usize) -> Self {
        let mut this = Self { accepted: Arc::default(), callers: JoinSet::new(), stop: CancellationToken::new() };
        for (index, client) in clients.iter().enumerate() {
            for caller in 0..callers {
                let prefix = format!("ev-{prefix}-{index}-{caller}");
                this.callers.spawn(insist(client.clone(), prefix, this.stop.clone(), this.accepted.clone()));
            }
        }
        this
    }

    /// Ends the callers of [`Flood::persistent`] and returns the names of the accepted events.
    async fn stop(self) -> Vec<String> {
        self.stop.cancel();
        self.end().await
    }

    /// Waits for this number of accepted events.
    async fn reaches(&self, count: usize) {
        until("events are accepted", LIMIT, async || (self.accepted.load(SeqCst) >= count).then_some(())).await;
    }

    /// Waits for the end and returns the names of the accepted events.
    async fn end(self) -> Vec<String> {
        self.callers.join_all().await.concat()
    }
}

async fn pour(client: Client, prefix: String, most: usize, count: Arc<AtomicUsize>) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0..most {
        let name = format!("{prefix}-{number}");
        let Ok(response) = client.request(Method::POST, "/v1/events").json(&step(&name)).send().await else { break };
        match response.status().as_u16() {
            202 => accepted.push(name),
            503 => break,
            other => panic!("{other} for {name}"),
        }
        count.fetch_add(1, SeqCst);
    }
    accepted
}

async fn insist(client: Client, prefix: String, stop: CancellationToken, count: Arc<AtomicUsize>) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0.. {
        if stop.is_cancelled() {
            break;
        }
        let name = format!("{prefix}-{number}");
        let answer = client.post("/v1/events", &step(&name)).await;
        match answer.status.as_u16() {
            202 => {
                accepted.push(name);
                count.fetch_add(1, SeqCst);
            }
            503 => {}
            other => panic!("{other} for {name}: {}", answer.text),
        }
    }
    accepted
}

/// Sends an event and returns its id.
async fn send(client: &Client, name: &str) -> String {
    client.post("/v1/events", &step(name)).await.ok(202)["id"].as_str().unwrap().to_owned()
}

/// Returns the one delivery of an event, with its attempts.
async fn delivery_of(client: &Client, event_id: &str) -> Value {
    let found = client.get(&format!("/v1/deliveries?eventId={event_id}")).await.ok(200);
    let id = found["data"][0]["id"].as_str().unwrap();
    client.get(&format!("/v1/deliveries/{id}")).await.ok(200)
}

/// Returns a random duration between two.
fn between(least: Duration, most: Duration) -> Duration {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).unwrap();
    least + (most - least).mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

/// Builds a fault of posting to a workspace.
fn fault_of(team: &str, what: Value) -> Value {
    let mut fault = json!({"method": "chat.postMessage", "team": team});
    fault.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    fault
}
