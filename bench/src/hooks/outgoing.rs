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
    arrivals,
    asked::load,
    figures::CpuPerMessage,
    integrations::{self, Call, Integrations, Kind},
    latency::Percentiles,
    load::{Load, Requests},
    run::{Shape, per_message, per_second_of},
    usage::Cpu,
    world::Key,
};

/// How fast messages are sent when it is counted how many calls are made in a second.
const BURST_RATE: u32 = 2_000;
/// How often it is looked whether everything was called.
const LOOK: Duration = Duration::from_millis(25);
/// When nothing was called for so long, nothing more is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingPlan {
    /// How many outgoing webhooks there are, each with one URL.
    pub urls: usize,
    /// How many messages are sent at once.
    pub burst: u32,
    /// Messages a second, at a fixed rate.
    pub rate: u32,
    /// For how long at that rate.
    pub paced: Duration,
}

/// Messages in one channel, of which each URL is told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Outgoing {
    /// How many URLs there are.
    pub urls: usize,
    /// As fast as they are called.
    pub burst: Told,
    /// Messages a second, at a fixed rate.
    pub rate: u32,
    /// At that rate.
    pub paced: Told,
}

/// What came of some messages.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Told {
    /// Messages that were accepted.
    pub accepted: u64,
    /// Calls that were made.
    pub calls: u64,
    /// Calls that were never made.
    pub missing: u64,
    /// Calls too many.
    pub repeated: u64,
    /// Calls a second, from the first message sent to the last call.
    pub per_second: f64,
    /// From when a message was due to each of its calls.
    pub called: Percentiles,
    /// Processor time of Tieline for each call, in milliseconds.
    pub server_ms: f64,
    /// That of PostgreSQL; with SQLite it is in Tieline's.
    pub database_ms: f64,
    /// That of this process, which sends the messages and serves the URLs.
    pub bench_ms: f64,
}

/// Makes the webhooks in an organisation, and measures.
///
/// # Errors
/// When something cannot be made, a connection breaks, or a process is gone.
pub async fn measure(alone: &Alone, owner: &Key, sinks: &Integrations, plan: OutgoingPlan) -> Result<Outgoing> {
    let urls: Vec<String> = (0..plan.urls).map(|one| sinks.sink_url(one)).collect();
    let channel = webhooks::make_outgoing(alone, owner, &urls).await?;
    let templates = vec![integrations::message(&owner.token, &channel)?];
    let (requests, numbers) = (Arc::new(Requests { templates, expected: 202 }), Arc::new(AtomicU64::new(1)));
    let tell = async |rate, duration| tell(alone, sinks, (&requests, &numbers), plan.urls, (rate, duration)).await;
    // The first calls make the keys and the connections.
    tell(BURST_RATE, Duration::from_secs(1) * 10 / BURST_RATE).await?;
    let burst = tell(BURST_RATE, Duration::from_secs(1) * plan.burst / BURST_RATE).await?;
    let paced = tell(plan.rate, plan.paced).await?;
    Ok(Outgoing { urls: plan.urls, burst, rate: plan.rate, paced })
}

/// Sends messages, and waits until Tieline has written down that every URL was told of each.
async fn tell(
    alone: &Alone,
    sinks: &Integrations,
    (requests, numbers): (&Arc<Requests>, &Arc<AtomicU64>),
    urls: usize,
    (rate, duration): (u32, Duration),
) -> Result<Told> {
    sinks.take();
    let (delivered_before, _) = arrivals::counted(alone.tieline.address).await?;
    let before = alone.watched().cpu()?;
    let (load, _) = load(alone, requests, numbers, (Shape::Open(rate), duration)).await?;
    // A message that webhooks listen for goes through its channel too, which Tieline counts as a delivery.
    let expected = (load.samples.len() * (urls + 1)) as u64;
    let (mut known, mut progressed) = (0, Instant::now());
    loop {
        let delivered = arrivals::counted(alone.tieline.address).await?.0 - delivered_before;
        if delivered >= expected {
            break;
        }
        if delivered != known {
            (known, progressed) = (delivered, Instant::now());
        }
        if progressed.elapsed() > PATIENCE {
            eprintln!("bench: {delivered} of {expected} deliveries were made; no more are waited for");
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let cpu = alone.watched().cpu()?.since(before);
    Ok(told(&load, &sinks.take(), urls, cpu))
}

/// What the calls say of some messages.
fn told(load: &Load, calls: &[Call], urls: usize, cpu: Cpu) -> Told {
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
    Told {
        accepted: accepted as u64,
        calls: made,
        missing: ((accepted * urls) as u64).saturating_sub(made),
        repeated: calls().count() as u64 - made,
        per_second: per_second_of(made, last.saturating_duration_since(load.began)),
        called: Percentiles::of(took),
        server_ms,
        database_ms,
        bench_ms: generator_ms,
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
        let told = told(&load, &calls, 2, cpu);
        assert_eq!((told.accepted, told.calls, told.missing, told.repeated), (2, 3, 1, 1));
        assert_eq!((told.called.p50_ms, told.called.p99_ms), (30.0, 40.0));
        assert_eq!((told.per_second, told.server_ms), (50.0, 2.0));
    }
}
