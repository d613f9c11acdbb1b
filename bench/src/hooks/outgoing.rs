//! Calls of outgoing webhooks, from the message to the last call. This process serves the URLs.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::webhooks;
use crate::{
    Result,
    alone::Alone,
    asked::load,
    figures::CpuPerMessage,
    integrations::{self, Call, Integrations, Kind},
    latency::Percentiles,
    load::{Load, Requests, Template},
    received,
    run::{Shape, per_message, per_second_of},
    usage::Cpu,
    world::Key,
};

/// Rate of messages in the measurement of throughput.
const BURST_RATE: u32 = 2_000;
/// Polling interval of the check that every URL was called.
const LOOK: Duration = Duration::from_millis(25);
/// Time limit without any call.
const STALL_LIMIT: Duration = Duration::from_secs(15);

/// Parameters of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingPlan {
    /// Number of outgoing webhooks, each with one URL.
    pub urls: usize,
    /// Number of messages in the burst.
    pub burst: u32,
    /// Messages a second, at a fixed rate.
    pub rate: u32,
    /// Duration of the open loop.
    pub paced: Duration,
}

/// Messages in one channel, each sent to every URL.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Outgoing {
    /// Number of URLs.
    pub urls: usize,
    /// As fast as they are called.
    pub burst: OutgoingResult,
    /// Messages a second, at a fixed rate.
    pub rate: u32,
    /// At that rate.
    pub paced: OutgoingResult,
}

/// Result of a number of messages.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct OutgoingResult {
    /// Accepted messages.
    pub accepted: u64,
    /// Messages accepted a second, from the first one sent to the last answer.
    pub accepted_per_second: f64,
    /// Calls made.
    pub calls: u64,
    /// Calls never made.
    pub missing: u64,
    /// Surplus calls.
    pub repeated: u64,
    /// Calls a second, from the first message sent to the last call.
    pub per_second: f64,
    /// From the due time of a message to each of its calls.
    pub called: Percentiles,
    /// Tieline's processor time per call, in milliseconds.
    pub server_ms: f64,
    /// PostgreSQL's; with SQLite it is in Tieline's.
    pub database_ms: f64,
    /// This process's, which sends the messages and serves the URLs.
    pub bench_ms: f64,
    /// The part of it that serves the URLs.
    pub sink_ms: f64,
}

/// Creates the webhooks in an organisation, and measures.
///
/// # Errors
/// When something cannot be made, a connection breaks, or a process is gone.
pub async fn measure(alone: &Alone, owner: &Key, sinks: &Integrations, plan: OutgoingPlan) -> Result<Outgoing> {
    let urls: Vec<String> = (0..plan.urls).map(|one| sinks.sink_url(one)).collect();
    let channel = webhooks::make_outgoing(alone, owner, &urls).await?;
    // A message with subscribed webhooks goes through its channel too, which Tieline counts as a delivery.
    called(alone, sinks, (vec![integrations::message(&owner.token, &channel)?], 1), plan).await
}

/// Sends events of these templates, each of which comes to every URL and to so many deliveries besides, and measures.
///
/// # Errors
/// When a connection breaks, or a process is gone.
pub async fn called(
    alone: &Alone,
    sinks: &Integrations,
    (templates, besides): (Vec<Template>, usize),
    plan: OutgoingPlan,
) -> Result<Outgoing> {
    let (requests, numbers) = (Arc::new(Requests { templates, expected: 202 }), Arc::new(AtomicU64::new(1)));
    let each = (plan.urls, besides);
    let send = async |shape, duration| send(alone, sinks, (&requests, &numbers), each, (shape, duration)).await;
    let burst = Shape::Open(BURST_RATE);
    // The first calls create the keys and the connections.
    send(burst, Duration::from_secs(1) * 10 / BURST_RATE).await?;
    let burst = send(burst, Duration::from_secs(1) * plan.burst / BURST_RATE).await?;
    let paced = send(Shape::Open(plan.rate), plan.paced).await?;
    Ok(Outgoing { urls: plan.urls, burst, rate: plan.rate, paced })
}

/// Sends events of a template, each of which comes to so many URLs, as fast as a number of connections can, and waits for
/// the calls.
///
/// # Errors
/// When a connection breaks, or a process is gone.
pub async fn saturated(
    alone: &Alone,
    sinks: &Integrations,
    (template, urls): (Template, usize),
    (connections, duration): (usize, Duration),
) -> Result<OutgoingResult> {
    let requests = Arc::new(Requests { templates: vec![template], expected: 202 });
    let numbers = Arc::new(AtomicU64::new(1));
    let send = async |duration| {
        send(alone, sinks, (&requests, &numbers), (urls, 0), (Shape::Closed(connections), duration)).await
    };
    // The first calls create the keys and the connections.
    send(duration / 8).await?;
    send(duration).await
}

/// Sends messages, and waits until Tieline has stored the result of every call.
async fn send(
    alone: &Alone,
    sinks: &Integrations,
    (requests, numbers): (&Arc<Requests>, &Arc<AtomicU64>),
    (urls, besides): (usize, usize),
    shape: (Shape, Duration),
) -> Result<OutgoingResult> {
    sinks.take();
    let (delivered_before, _) = received::counted(alone.tieline.address).await?;
    let (before, sink_before) = (alone.watched().cpu()?, sinks.cpu());
    let (load, _) = load(alone, requests, numbers, shape).await?;
    let expected = (load.samples.len() * (urls + besides)) as u64;
    let (mut known, mut progressed) = (0, Instant::now());
    loop {
        let delivered = received::counted(alone.tieline.address).await?.0 - delivered_before;
        if delivered >= expected {
            break;
        }
        if delivered != known {
            (known, progressed) = (delivered, Instant::now());
        }
        if progressed.elapsed() > STALL_LIMIT {
            eprintln!("bench: {delivered} of {expected} deliveries were made; no more are waited for");
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let cpu = alone.watched().cpu()?.since(before);
    Ok(sum_up(&load, &sinks.take(), urls, (cpu, sinks.cpu() - sink_before)))
}

/// Sums up the calls of some messages; `cpu` is that of all processes, and that of the sinks, which are in this one.
fn sum_up(load: &Load, calls: &[Call], urls: usize, (cpu, sinks): (Cpu, Duration)) -> OutgoingResult {
    let due: HashMap<u64, Instant> = load.samples.iter().map(|sample| (sample.number, sample.due)).collect();
    let calls = || calls.iter().filter(|call| call.kind == Kind::Sink);
    let (mut different, mut took) = (HashSet::new(), Vec::new());
    for call in calls() {
        if let Some(due) = due.get(&call.number)
            && different.insert((call.number, call.integration))
        {
            took.push(call.came.saturating_duration_since(*due));
        }
    }
    let accepted = load.samples.len();
    let last = calls().map(|call| call.came).max().unwrap_or(load.began);
    let made = different.len() as u64;
    let CpuPerMessage { server_ms, database_ms, generator_ms, .. } = per_message(cpu, made);
    OutgoingResult {
        accepted: accepted as u64,
        accepted_per_second: per_second_of(accepted as u64, load.ended - load.began),
        calls: made,
        missing: ((accepted * urls) as u64).saturating_sub(made),
        repeated: calls().count() as u64 - made,
        per_second: per_second_of(made, last.saturating_duration_since(load.began)),
        called: Percentiles::of(took),
        server_ms,
        database_ms,
        bench_ms: generator_ms,
        sink_ms: sinks.as_secs_f64() * 1000.0 / made.max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Sample;

    #[test]
    fn each_url_is_to_be_called_once_for_each_message() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let call = |integration, number, came| Call {
            kind: Kind::Sink,
            integration,
            number,
            came: at(came),
            answered: at(99),
        };
        let sample = |number, due| Sample { number, due: at(due), answered: at(5) };
        let samples = vec![sample(1, 0), sample(2, 10)];
        let load = Load { samples, refused: 0, refusal: None, began, ended: at(5) };
        let calls = [call(0, 1, 20), call(1, 1, 30), call(0, 2, 50), call(0, 2, 60)];
        let cpu = Cpu { server: Duration::from_millis(6), ..Cpu::default() };
        let result = sum_up(&load, &calls, 2, (cpu, Duration::from_millis(3)));
        assert_eq!((result.accepted, result.calls, result.missing, result.repeated), (2, 3, 1, 1));
        assert_eq!((result.called.p50_ms, result.called.p99_ms), (30.0, 40.0));
        assert_eq!((result.per_second, result.server_ms, result.sink_ms), (50.0, 2.0, 1.0));
        assert_eq!(result.accepted_per_second, 400.0);
    }
}
