//! One load, from its first event to its last message, with a count of the messages received.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Result,
    clock::Anchor,
    figures::{CpuPerMessage, Run},
    latency::Percentiles,
    load::{self, Load, Requests},
    received::{self, ReceivedMessage},
    usage::Cpu,
    world::{Organisation, World},
};

/// Polling interval of the check that everything has arrived.
const LOOK: Duration = Duration::from_millis(25);
/// Time limit without any arrival.
const STALL_LIMIT: Duration = Duration::from_secs(15);
/// Wait for late duplicates.
const SETTLE: Duration = Duration::from_millis(300);

/// Shape of a load.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Closed loop: this number of connections, each as fast as it can.
    Closed(usize),
    /// Open loop: this number of events a second.
    Open(u32),
}

/// Sends events of some organisations to Tieline for that duration, and waits until their messages have arrived.
///
/// # Errors
/// When a connection breaks or a process is gone.
pub async fn events(
    world: &World,
    organisations: &[Organisation],
    numbers: &Arc<AtomicU64>,
    shape: Shape,
    duration: Duration,
) -> Result<Run> {
    let templates = organisations.iter().map(|organisation| organisation.event.clone()).collect();
    let requests = Arc::new(Requests { templates, expected: 202 });
    received::forget(world.standin.address).await?;
    let (delivered_before, attempts_before) = received::counted(world.tieline.address).await?;
    let first_number = numbers.load(Ordering::Relaxed);
    let (anchor, before) = (Anchor::now(), world.watched().cpu()?);
    let load = match shape {
        Shape::Closed(connections) => {
            load::closed(world.tieline.address, &requests, numbers, connections, duration).await?
        }
        Shape::Open(rate) => load::open(world.tieline.address, &requests, numbers, rate, duration).await?,
    };
    let accepted = load.samples.len() as u64;
    wait_for(world, accepted, delivered_before).await?;
    let cpu = world.watched().cpu()?.since(before);
    tokio::time::sleep(SETTLE).await;
    let last = received::newest_micros(world.standin.address).await?.unwrap_or_default();
    let kept = received::kept(world.standin.address).await?;
    let (delivered_after, attempts_after) = received::counted(world.tieline.address).await?;
    let count = Count::of(world, organisations, &requests, &load, &kept, first_number).await?;
    if let Some(refusal) = &load.refusal {
        eprintln!("bench: {} requests were refused, the first with {refusal}", load.refused);
    }
    let (delivered, attempts) = (delivered_after - delivered_before, attempts_after - attempts_before);
    if delivered != accepted || attempts != accepted {
        eprintln!("bench: of {accepted} events Tieline counts {delivered} as delivered, by {attempts} attempts");
    }
    Ok(Run {
        accepted,
        refused: load.refused,
        lost: count.lost,
        duplicates: count.duplicates,
        accepted_per_second: per_second(accepted, anchor.wall_micros(load.ended) - anchor.wall_micros(load.began)),
        delivered_per_second: per_second(count.arrived, last - anchor.wall_micros(load.began)),
        accept: Percentiles::of(load.samples.iter().map(|sample| sample.answered - sample.due).collect()),
        end_to_end: end_to_end(&load, &kept, &anchor),
        backlog_seconds: (last - anchor.wall_micros(load.ended)).max(0) as f64 / 1e6,
        cpu: per_message(cpu, count.arrived),
    })
}

/// Waits for this number of messages, and until Tieline has stored their results.
async fn wait_for(world: &World, accepted: u64, delivered_before: u64) -> Result<()> {
    let mut progress = (0, 0);
    let mut progressed = Instant::now();
    loop {
        let arrived = received::count(world.standin.address).await?;
        let recorded = match arrived < accepted {
            true => 0,
            false => received::counted(world.tieline.address).await?.0 - delivered_before,
        };
        if recorded >= accepted {
            return Ok(());
        }
        if progress != (arrived, recorded) {
            (progress, progressed) = ((arrived, recorded), Instant::now());
        }
        if progressed.elapsed() > STALL_LIMIT {
            eprintln!("bench: {arrived} of {accepted} messages have arrived; no more are waited for");
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Comparison of received messages with accepted events.
struct Count {
    arrived: u64,
    lost: u64,
    duplicates: u64,
}

impl Count {
    /// Counts channel by channel, and examines each message that the stand-in still stores.
    async fn of(
        world: &World,
        organisations: &[Organisation],
        requests: &Requests,
        load: &Load,
        kept: &[ReceivedMessage],
        first_number: u64,
    ) -> Result<Self> {
        let mut expected = vec![0_u64; organisations.len()];
        for sample in &load.samples {
            expected[requests.template_of(sample.number)] += 1;
        }
        let mut count = Self { arrived: 0, lost: 0, duplicates: 0 };
        for (organisation, expected) in organisations.iter().zip(expected) {
            let arrived = received::count_in(world.standin.address, &organisation.team, &organisation.channel).await?;
            count.arrived += arrived;
            count.lost += expected.saturating_sub(arrived);
            count.duplicates += arrived.saturating_sub(expected);
        }
        // A loss in a channel can hide a duplicate, but not among messages that can still be distinguished.
        let known: HashSet<u64> = kept.iter().map(|arrival| arrival.number).collect();
        let foreign = known.iter().filter(|number| **number < first_number).count();
        count.duplicates = count.duplicates.max((kept.len() - known.len() + foreign) as u64);
        Ok(count)
    }
}

/// Latency from the due time of each event to its message, if the stand-in still stores all of them.
fn end_to_end(load: &Load, kept: &[ReceivedMessage], anchor: &Anchor) -> Option<Percentiles> {
    let at: HashMap<u64, i64> = kept.iter().map(|arrival| (arrival.number, arrival.at_micros)).collect();
    let took = load.samples.iter().map(|sample| {
        let micros = at.get(&sample.number)? - anchor.wall_micros(sample.due);
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or_default()))
    });
    Some(Percentiles::of(took.collect::<Option<Vec<_>>>()?))
}

fn per_second(count: u64, micros: i64) -> f64 {
    if micros <= 0 { 0.0 } else { count as f64 * 1e6 / micros as f64 }
}

/// The same for a duration.
pub fn per_second_of(count: u64, duration: Duration) -> f64 {
    per_second(count, i64::try_from(duration.as_micros()).unwrap_or_default())
}

/// Cost per message.
pub fn per_message(cpu: Cpu, messages: u64) -> CpuPerMessage {
    let each = |used: Duration| used.as_secs_f64() * 1000.0 / messages.max(1) as f64;
    CpuPerMessage {
        server_ms: each(cpu.server),
        database_ms: each(cpu.database),
        standin_ms: each(cpu.standin),
        generator_ms: each(cpu.generator),
    }
}
