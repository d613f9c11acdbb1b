//! The measurements, in their order.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use serde_json::json;

use crate::{
    Result,
    database::{Databases, Kind},
    figures::{Figures, Memory, Reads},
    http::{call, request},
    inbound,
    latency::Percentiles,
    load::{self, Requests, Template},
    run::{self, Shape},
    start, usage,
    world::{self, Home, World},
};

/// Number of connections of the runs with a single one.
const CONNECTIONS: usize = 16;
/// Pause before the memory of an idle server is read.
const IDLE: Duration = Duration::from_secs(1);

/// Extent of the measurement.
#[derive(Clone, Debug)]
pub struct Plan {
    organisations: usize,
    warm_up: Duration,
    closed: Vec<(usize, Duration)>,
    one_channel: Duration,
    // The stand-in stores a hundred messages of a channel: a run of more than 100 × organisations cannot be matched.
    open: Vec<(u32, Duration)>,
    reads: Duration,
    inbound: InboundPlan,
}

/// Extent of the measurement of inbound requests.
#[derive(Clone, Debug)]
pub struct InboundPlan {
    /// Number of connections of the closed loop.
    pub connections: usize,
    /// Duration of the warm-up.
    pub warm_up: Duration,
    /// Duration of the closed loop.
    pub closed: Duration,
    /// Requests a second of the open loop.
    pub rate: u32,
    /// Duration of the open loop.
    pub open: Duration,
}

impl InboundPlan {
    fn new(warm_up: u64, closed: u64, open: u64) -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 64, warm_up: seconds(warm_up), closed: seconds(closed), rate: 200, open: seconds(open) }
    }
}

impl Plan {
    /// Returns the full plan: less than three minutes for a database.
    pub fn full() -> Self {
        let seconds = Duration::from_secs;
        Self {
            organisations: 64,
            warm_up: seconds(3),
            closed: vec![(1, seconds(8)), (16, seconds(12)), (64, seconds(20))],
            one_channel: seconds(8),
            open: vec![(100, seconds(25)), (1000, seconds(6))],
            reads: seconds(6),
            inbound: InboundPlan::new(2, 8, 12),
        }
    }

    /// Returns the quick plan: about a minute for a database.
    pub fn quick() -> Self {
        let seconds = Duration::from_secs;
        Self {
            organisations: 64,
            warm_up: seconds(1),
            closed: vec![(1, seconds(2)), (16, seconds(4)), (64, seconds(5))],
            one_channel: seconds(2),
            open: vec![(100, seconds(8)), (1000, seconds(4))],
            reads: seconds(2),
            inbound: InboundPlan::new(1, 3, 5),
        }
    }
}

/// Measures everything on that database.
///
/// # Errors
/// When something does not start, breaks, or stops.
pub async fn all(kind: Kind, plan: &Plan) -> Result<Figures> {
    let databases = Databases::of(kind).await?;
    let name = databases.name().await?;
    let home = Home::make()?;
    let sync_ms = start::sync_ms(home.path())?;
    let standin = world::start_standin(&home).await?;
    let program = world::tieline(&home, standin.address).await?;
    step(&name, "starting and stopping");
    let starts = start::measure(&databases, &program, home.path()).await?;
    step(&name, &format!("connecting {} organisations", plan.organisations));
    let program = databases.fresh(&program, "bench", home.path()).await?;
    // Before the load, so that the memory of an idle server can be read.
    let idle_mb = idle_memory(&program).await?;
    let world = World::start(standin, &databases, &program, plan.organisations).await?;
    let numbers = Arc::new(AtomicU64::new(1));
    let all = &world.organisations;
    step(&name, "warming up");
    run::events(&world, all, &numbers, Shape::Closed(CONNECTIONS), plan.warm_up).await?;
    let mut closed = Vec::new();
    for (connections, duration) in &plan.closed {
        step(&name, &format!("events on {connections} connections"));
        let run = run::events(&world, all, &numbers, Shape::Closed(*connections), *duration).await?;
        closed.push((*connections, run));
    }
    step(&name, "events to one channel");
    let first = &all[..1];
    let one_channel = run::events(&world, first, &numbers, Shape::Closed(CONNECTIONS), plan.one_channel).await?;
    let mut open = Vec::new();
    for (rate, duration) in &plan.open {
        step(&name, &format!("{rate} events a second"));
        open.push((*rate, run::events(&world, all, &numbers, Shape::Open(*rate), *duration).await?));
    }
    let peak_mb = usage::Memory::of(world.tieline.pid)?.peak_mb;
    step(&name, "reading a channel");
    let reads = reads(&world, plan.reads).await?;
    step(&name, "signed events of Slack's");
    let slack = inbound::slack(&world, &numbers, &plan.inbound).await?;
    step(&name, "webhooks of GitHub's");
    let github = inbound::github(&world, &numbers, &plan.inbound).await?;
    world.tieline.terminate().await?;
    Ok(Figures {
        database: name,
        organisations: plan.organisations,
        body_bytes: world::event_body().len(),
        sync_ms,
        starts,
        memory: Memory { idle_mb, peak_mb },
        closed,
        one_channel: (CONNECTIONS, one_channel),
        open,
        reads: (CONNECTIONS, reads),
        slack,
        github,
    })
}

/// Returns the memory of a server that was started on an existing database and then left idle.
async fn idle_memory(program: &crate::process::Program) -> Result<f64> {
    let (server, _) = start::healthy(program).await?;
    server.terminate().await?;
    let (server, _) = start::healthy(program).await?;
    tokio::time::sleep(IDLE).await;
    let memory = usage::Memory::of(server.pid)?;
    server.terminate().await?;
    Ok(memory.now_mb)
}

/// Reads one channel repeatedly.
async fn reads(world: &World, duration: Duration) -> Result<Reads> {
    let address = world.tieline.address;
    let token = &world.organisations[0].token;
    let channel = call(address, "POST", "/v1/channels", Some(token), Some(json!({"name": "bench"}))).await?;
    let path = format!("/v1/channels/{}", channel["id"].as_str().unwrap_or_default());
    let template = Template { bytes: request("GET", &path, Some(token), None), number_at: None, seal: None };
    let requests = Arc::new(Requests { templates: vec![template], expected: 200 });
    let load = load::closed(address, &requests, &Arc::default(), CONNECTIONS, duration).await?;
    if let Some(refusal) = load.refusal {
        return Err(format!("reading a channel was refused: {refusal}").into());
    }
    Ok(Reads {
        per_second: load.samples.len() as f64 / (load.ended - load.began).as_secs_f64(),
        latency: Percentiles::of(load.samples.iter().map(|sample| sample.answered - sample.due).collect()),
    })
}

fn step(database: &str, what: &str) {
    eprintln!("bench: {database}: {what}");
}
