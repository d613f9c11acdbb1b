//! Messages through channels, and ticks: the cost of calling integrations.
//!
//! Each message goes through three modifiers, one after the other, and out to two outputs. The integrations answer at
//! once, so the pipeline's own overhead is measured.

mod table;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use table::table;

use crate::{
    Result,
    clock::Anchor,
    database::{Databases, Kind as DatabaseKind},
    http::call,
    integrations::{self, Call, Integrations, Kind},
    latency::Percentiles,
    load::{self, Load, Requests, Sample, Template},
    usage::Cpu,
    world::{self, Home, Organisation, World},
};

const MODIFIERS: usize = 3;
const OUTPUTS: usize = 2;
/// Calls per message.
const CALLS: usize = MODIFIERS + OUTPUTS;
/// Number of organisations that share the ticking integrations.
const ORGANISATIONS: usize = 32;
/// Rate of messages in the measurement of throughput.
const BURST_RATE: u32 = 2_000;
/// Polling interval of the check that everything has arrived.
const LOOK: Duration = Duration::from_millis(25);
/// Time limit without any progress.
const STALL_LIMIT: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_secs(60);
/// Time before a whole minute in which nothing new is begun.
const MARGIN: Duration = Duration::from_secs(3);

/// Result of a run against one database.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ChannelFigures {
    database: String,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    sync_ms: f64,
    messages: Vec<Messages>,
    ticks: Ticks,
}

/// Messages through a number of channels.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Messages {
    channels: usize,
    /// As fast as they get through.
    burst: Passage,
    /// At a fixed rate.
    rate: u32,
    paced: Passage,
}

/// A load of messages.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Passage {
    accepted: u64,
    /// Calls never made.
    missing: u64,
    /// Surplus calls.
    repeated: u64,
    /// From the first message sent to the last call of an output.
    per_second: f64,
    /// From the answer to a message to the calls of both its outputs.
    through: Percentiles,
    /// The same without the integrations' own time.
    added: Percentiles,
    /// Processor time per message, in milliseconds.
    server_ms: f64,
    database_ms: f64,
    bench_ms: f64,
}

/// Integrations that tick each minute.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Ticks {
    integrations: usize,
    minutes: u32,
    /// Missing ticks.
    missing: u64,
    /// Surplus ticks.
    repeated: u64,
    /// From the whole minute to the call.
    lateness: Percentiles,
    /// The latest of all.
    latest_ms: f64,
    /// Processor time per tick, in milliseconds: all that is used in those minutes.
    server_ms: f64,
    database_ms: f64,
}

/// Extent of the measurement.
struct Plan {
    /// Channels, messages in a burst, and messages a second at the fixed rate.
    channels: Vec<(usize, u32, u32)>,
    paced: Duration,
    ticking: usize,
    minutes: u32,
}

impl Plan {
    fn new(quick: bool) -> Self {
        match quick {
            false => Self {
                channels: vec![(1, 600, 20), (32, 3_200, 100)],
                paced: Duration::from_secs(15),
                ticking: 1_000,
                minutes: 2,
            },
            true => Self {
                channels: vec![(1, 200, 20), (32, 960, 100)],
                paced: Duration::from_secs(5),
                ticking: 1_000,
                minutes: 1,
            },
        }
    }
}

/// Measures on that database and writes the figures to a file.
///
/// # Errors
/// When something does not start, breaks, or stops.
pub async fn measure(kind: DatabaseKind, file: &Path, quick: bool) -> Result<()> {
    let plan = Plan::new(quick);
    let databases = Databases::of(kind).await?;
    let name = databases.name().await?;
    let step = |what: &str| eprintln!("bench: {name}: {what}");
    let home = Home::make()?;
    let sync_ms = crate::start::sync_ms(home.path())?;
    let standin = world::start_standin(&home).await?;
    let program = world::tieline(&home, standin.address).await?.with("TIELINE_EGRESS__ALLOW", "127.0.0.1/32");
    let program = databases.fresh(&program, "bench_channels", home.path()).await?;
    step(&format!("connecting {ORGANISATIONS} organisations"));
    let world = World::start(standin, &databases, &program, ORGANISATIONS).await?;
    let integrations = Integrations::start()?;
    let mut channels = Vec::with_capacity(ORGANISATIONS);
    for (index, organisation) in world.organisations.iter().enumerate() {
        channels.push(channel(&world, organisation, index, &integrations).await?);
    }
    let mut stage = Stage { world, integrations, numbers: Arc::new(AtomicU64::new(1)), channels };
    step("warming up");
    stage.burst(ORGANISATIONS, 640).await?;
    let mut messages = Vec::new();
    for (channels, count, rate) in plan.channels {
        step(&format!("messages through {channels} channels"));
        let burst = stage.burst(channels, count).await?;
        let duration = plan.paced;
        let paced = stage.pass(channels, rate, duration).await?;
        messages.push(Messages { channels, burst, rate, paced });
    }
    step(&format!("installing {} integrations that tick", plan.ticking));
    stage.install_ticking(plan.ticking).await?;
    step(&format!("ticks of {} minutes", plan.minutes));
    let ticks = stage.ticks(plan.ticking, plan.minutes).await?;
    stage.world.tieline.terminate().await?;
    let figures = ChannelFigures { database: name, sync_ms, messages, ticks };
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)?)?)
}

/// A channel for posts.
struct Channel {
    id: String,
    message: Template,
}

/// Creates a channel with integrations of its own.
async fn channel(
    world: &World,
    organisation: &Organisation,
    index: usize,
    integrations: &Integrations,
) -> Result<Channel> {
    let token = Some(organisation.token.as_str());
    let made = call(world.tieline.address, "POST", "/v1/channels", token, Some(json!({"name": "bench"}))).await?;
    let id = made["id"].as_str().ok_or("a channel without an id")?.to_owned();
    let modifiers = (0..MODIFIERS).map(|one| integrations.json_url(Kind::Modifier, index * MODIFIERS + one));
    let outputs = (0..OUTPUTS).map(|one| integrations.json_url(Kind::Output, index * OUTPUTS + one));
    let urls: Vec<String> = modifiers.chain(outputs).collect();
    use_in(world, index, &id, &urls).await?;
    let message = integrations::message(&organisation.token, &id)?;
    Ok(Channel { id, message })
}

/// Installs integrations in an organisation and uses them in a channel, in that order.
async fn use_in(world: &World, organisation: usize, channel: &str, urls: &[String]) -> Result<()> {
    let token = Some(world.organisations[organisation].token.as_str());
    let address = world.tieline.address;
    let path = format!("/organisations/{}/integrations/custom", world::slug(organisation));
    for url in urls {
        call(address, "POST", &path, token, Some(json!({"json_url": url}))).await?;
    }
    let listed = call(address, "GET", &path, token, None).await?;
    let ids: HashMap<&str, &str> = listed["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one["json_url"].as_str()?, one["id"].as_str()?)))
        .collect();
    for url in urls {
        let id = ids.get(url.as_str()).ok_or_else(|| format!("{url} has not been installed"))?;
        let path = format!("/v1/channels/{channel}/apps/{id}");
        call(address, "PUT", &path, token, Some(json!({}))).await?;
    }
    Ok(())
}

/// All components of a run.
struct Stage {
    world: World,
    integrations: Integrations,
    numbers: Arc<AtomicU64>,
    channels: Vec<Channel>,
}

impl Stage {
    /// Sends a number of messages, faster than they get through.
    async fn burst(&mut self, channels: usize, count: u32) -> Result<Passage> {
        self.pass(channels, BURST_RATE, Duration::from_secs(1) * count / BURST_RATE).await
    }

    /// Sends messages at a rate through some of the channels, in turn, up to the last call.
    async fn pass(&mut self, channels: usize, rate: u32, duration: Duration) -> Result<Passage> {
        let templates = self.channels[..channels].iter().map(|channel| channel.message.clone()).collect();
        let requests = Arc::new(Requests { templates, expected: 202 });
        self.integrations.take();
        let before = self.world.watched().cpu()?;
        let load = load::open(self.world.tieline.address, &requests, &self.numbers, rate, duration).await?;
        if let Some(refusal) = &load.refusal {
            eprintln!("bench: {} requests were refused, the first with {refusal}", load.refused);
        }
        self.wait_for(load.samples.len() * CALLS).await;
        // The results of the last calls are being stored.
        tokio::time::sleep(LOOK * 8).await;
        let cpu = self.world.watched().cpu()?.since(before);
        Ok(passage(&load, &self.integrations.take(), cpu))
    }

    async fn wait_for(&self, calls: usize) {
        let (mut known, mut progressed) = (0, Instant::now());
        loop {
            let count = self.integrations.count();
            if count >= calls {
                return;
            }
            if count != known {
                (known, progressed) = (count, Instant::now());
            }
            if progressed.elapsed() > STALL_LIMIT {
                eprintln!("bench: {count} of {calls} calls were made; no more are waited for");
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Installs ticking integrations, spread over the organisations and their channels.
    async fn install_ticking(&self, count: usize) -> Result<()> {
        for (index, channel) in self.channels.iter().enumerate() {
            let mine = (index..count).step_by(self.channels.len());
            let urls: Vec<String> = mine.map(|one| self.integrations.json_url(Kind::Interval, one)).collect();
            use_in(&self.world, index, &channel.id, &urls).await?;
        }
        Ok(())
    }

    /// Counts the ticks of some whole minutes.
    async fn ticks(&mut self, integrations: usize, minutes: u32) -> Result<Ticks> {
        let now = u64::try_from(Anchor::now().wall_micros(Instant::now()))?;
        let into = Duration::from_micros(now % 60_000_000);
        // The first minute creates the destinations and the keys; it is not counted.
        tokio::time::sleep(MINUTE - into + MINUTE - MARGIN).await;
        self.integrations.take();
        let (anchor, before) = (Anchor::now(), self.world.watched().cpu()?);
        tokio::time::sleep(MINUTE * minutes).await;
        let cpu = self.world.watched().cpu()?.since(before);
        let calls = self.integrations.take();
        let mut times: HashMap<(usize, i64), u64> = HashMap::new();
        let mut lateness = Vec::with_capacity(calls.len());
        for call in &calls {
            let micros = anchor.wall_micros(call.came);
            let minute = i64::try_from(MINUTE.as_micros())?;
            *times.entry((call.integration, micros / minute)).or_default() += 1;
            lateness.push(Duration::from_micros((micros % minute).try_into()?));
        }
        let expected = integrations as u64 * u64::from(minutes);
        let each = |used: Duration| used.as_secs_f64() * 1000.0 / calls.len().max(1) as f64;
        Ok(Ticks {
            integrations,
            minutes,
            missing: expected.saturating_sub(times.len() as u64),
            repeated: (calls.len() - times.len()) as u64,
            latest_ms: lateness.iter().max().map_or(0.0, |latest| latest.as_secs_f64() * 1000.0),
            lateness: Percentiles::of(lateness),
            server_ms: each(cpu.server),
            database_ms: each(cpu.database),
        })
    }
}

/// Sums up the calls of a load.
fn passage(load: &Load, calls: &[Call], cpu: Cpu) -> Passage {
    let mut by_message: HashMap<u64, Vec<&Call>> = HashMap::with_capacity(load.samples.len());
    for call in calls {
        by_message.entry(call.number).or_default().push(call);
    }
    let accepted = load.samples.len();
    let (mut through, mut added) = (Vec::with_capacity(accepted), Vec::with_capacity(accepted));
    let (mut missing, mut repeated) = (0, 0);
    for sample in &load.samples {
        let calls = by_message.get(&sample.number).map(Vec::as_slice).unwrap_or_default();
        let mut different: Vec<_> = calls.iter().map(|call| (call.kind.as_index(), call.integration)).collect();
        different.sort_unstable();
        different.dedup();
        missing += (CALLS - different.len().min(CALLS)) as u64;
        repeated += (calls.len() - different.len()) as u64;
        if let Some((took, own)) = way(sample, calls) {
            through.push(took);
            added.push(took.saturating_sub(own));
        }
    }
    let last = calls.iter().filter(|call| call.kind == Kind::Output).map(|call| call.came).max();
    let seconds = last.map_or(0.0, |last| last.saturating_duration_since(load.began).as_secs_f64());
    let each = |used: Duration| used.as_secs_f64() * 1000.0 / accepted.max(1) as f64;
    Passage {
        accepted: accepted as u64,
        missing,
        repeated,
        per_second: if seconds > 0.0 { accepted as f64 / seconds } else { 0.0 },
        through: Percentiles::of(through),
        added: Percentiles::of(added),
        server_ms: each(cpu.server),
        database_ms: each(cpu.database),
        bench_ms: each(cpu.generator),
    }
}

/// Latency from the answer to a message to the last of its outputs, and the modifiers' own time in it. An output's own
/// time comes after.
fn way(sample: &Sample, calls: &[&Call]) -> Option<(Duration, Duration)> {
    let last = calls.iter().filter(|call| call.kind == Kind::Output).map(|call| call.came).max()?;
    let modifiers = calls.iter().filter(|call| call.kind == Kind::Modifier);
    let own = modifiers.map(|call| call.answered.saturating_duration_since(call.came)).sum();
    Some((last.saturating_duration_since(sample.answered), own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modifiers_own_time_is_separate() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let call = |kind, integration, came, answered| Call {
            kind,
            integration,
            number: 5,
            came: at(came),
            answered: at(answered),
        };
        let calls = [
            call(Kind::Modifier, 0, 12, 14),
            call(Kind::Modifier, 1, 15, 18),
            call(Kind::Output, 0, 25, 90),
            call(Kind::Output, 0, 26, 90),
        ];
        let sample = Sample { number: 5, due: at(8), answered: at(10) };
        let took = way(&sample, &calls.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(took, (Duration::from_millis(16), Duration::from_millis(5)));
        let load = Load { samples: vec![sample], refused: 0, refusal: None, began, ended: at(10) };
        let passage = passage(&load, &calls, Cpu::default());
        assert_eq!((passage.accepted, passage.missing, passage.repeated), (1, 2, 1));
        assert_eq!((passage.through.p50_ms, passage.added.p50_ms), (16.0, 11.0));
    }
}
