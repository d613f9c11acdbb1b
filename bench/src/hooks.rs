//! Webhooks in the dialect of Rocket.Chat: the cost of posting by incoming ones, without and with a script, of getting
//! them, and of calling outgoing ones.
//!
//! An incoming webhook accepts 20 posts a second after a burst of 200, so many are used in turn; that limit cannot be
//! set.

mod engine;
mod outgoing;
mod table;
mod warmth;
mod webhooks;

use std::{path::Path, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

pub use outgoing::{Outgoing, OutgoingPlan, OutgoingResult, called, saturated};
pub use table::{cost, outgoing_rows, table};
pub use warmth::measure as script;
pub use webhooks::make_outgoing;

use self::webhooks::Incoming;
use crate::{
    Result,
    alone::Alone,
    asked::{self, Asked, Pair, PairPlan},
    database::{Databases, Kind},
    integrations::Integrations,
    latency::Percentiles,
    load::{Load, Requests, Template},
    received,
    run::Shape,
    start,
    usage::Memory,
    world::Home,
};

/// Number of incoming webhooks, half of them with a script, and of their organisations.
const WEBHOOKS: usize = 1_000;
const ORGANISATIONS: usize = 4;
/// Two more have outgoing webhooks: one of them one, the other a hundred.
const LISTENING: usize = 2;
const MANY_URLS: usize = 100;

/// Result of a run against one database.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct HookFigures {
    database: String,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    sync_ms: f64,
    webhooks: usize,
    script_lines: usize,
    body_bytes: usize,
    /// Creation of the webhooks: number of connections, and result.
    made: (usize, Asked),
    /// Number of connections of the closed loop.
    connections: usize,
    plain: Asked,
    scripted: Asked,
    in_turn: InTurn,
    /// The script in the engine alone.
    engine: engine::Alone,
    /// Posts with a good answer, and the number of events that Tieline counts.
    posted: (u64, u64),
    gets: Pair,
    outgoing: Vec<Outgoing>,
    /// Resident memory of Tieline, in MB: after the webhooks were created, and the peak up to the last post without a
    /// script, to the last with one, and to the end.
    memory: [f64; 4],
}

/// Posts at a fixed rate, without and with a script in turn: other load on the machine slows both alike.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct InTurn {
    /// Rate of both together.
    rate: u32,
    refused: u64,
    plain: Percentiles,
    scripted: Percentiles,
}

/// Extent of the measurement.
struct Plan {
    connections: usize,
    warm_up: Duration,
    closed: Duration,
    rate: u32,
    open: Duration,
    gets: PairPlan,
    outgoing: [OutgoingPlan; LISTENING],
}

impl Plan {
    fn new(quick: bool) -> Self {
        let seconds = |full, short| Duration::from_secs(if quick { short } else { full });
        let (one, many) = if quick { (600, 12) } else { (2_000, 40) };
        Self {
            connections: 64,
            warm_up: seconds(2, 1),
            closed: seconds(8, 3),
            rate: 200,
            open: seconds(15, 6),
            gets: PairPlan { connections: 16, closed: seconds(6, 2), rate: 200, open: seconds(5, 3) },
            outgoing: [
                OutgoingPlan { urls: 1, burst: one, rate: 50, paced: seconds(8, 4) },
                OutgoingPlan { urls: MANY_URLS, burst: many, rate: 2, paced: seconds(8, 4) },
            ],
        }
    }
}

/// Measures on that database and writes the figures to a file.
///
/// # Errors
/// When something does not start, breaks, or stops.
pub async fn measure(kind: Kind, file: &Path, quick: bool) -> Result<()> {
    let (plan, databases, home) = (Plan::new(quick), Databases::of(kind).await?, Home::make()?);
    let sync_ms = start::sync_ms(home.path())?;
    let sinks = Integrations::start()?;
    let settings = [("TIELINE_EGRESS__ALLOW", "127.0.0.1/32")];
    let place = ("bench_hooks", home.path());
    let alone = Alone::start(&databases, place, ORGANISATIONS + LISTENING, &settings).await?;
    let memory = || Memory::of(alone.tieline.pid);
    alone.step(&format!("making {WEBHOOKS} incoming webhooks"));
    let incoming = webhooks::make_incoming(&alone, &alone.owners[..ORGANISATIONS], WEBHOOKS).await?;
    let made_mb = memory()?.now_mb;
    let kept_before = received::accepted(alone.tieline.address).await?;
    let numbers = Arc::default();
    let posts = Posts::of(&incoming);
    let closed = Shape::Closed(plan.connections);
    alone.step("posting without a script");
    let first = asked::asked(&alone, &posts.plain, &numbers, (closed, plan.warm_up)).await?;
    let plain = asked::asked(&alone, &posts.plain, &numbers, (closed, plan.closed)).await?;
    let plain_mb = memory()?.peak_mb;
    alone.step("posting with a script");
    let second = asked::asked(&alone, &posts.scripted, &numbers, (closed, plan.warm_up)).await?;
    let scripted = asked::asked(&alone, &posts.scripted, &numbers, (closed, plan.closed)).await?;
    let scripted_mb = memory()?.peak_mb;
    alone.step(&format!("{} posts a second", plan.rate));
    let (load, _) = asked::load(&alone, &posts.all, &numbers, (Shape::Open(plan.rate), plan.open)).await?;
    let answered = [first, plain, second, scripted].iter().map(|asked| asked.answered).sum::<u64>();
    let kept = received::accepted(alone.tieline.address).await? - kept_before;
    let in_turn = posts.in_turn(plan.rate, &load);
    alone.step("getting webhooks");
    let gets = asked::pair(&alone, asked::in_turn(incoming.gets), plan.gets).await?;
    let mut outgoing = Vec::with_capacity(LISTENING);
    for (owner, plan) in alone.owners[ORGANISATIONS..].iter().zip(plan.outgoing) {
        alone.step(&format!("calling outgoing webhooks, URLs: {}", plan.urls));
        outgoing.push(outgoing::measure(&alone, owner, &sinks, plan).await?);
    }
    let figures = HookFigures {
        database: alone.database.clone(),
        sync_ms,
        webhooks: WEBHOOKS,
        script_lines: webhooks::SCRIPT.lines().count(),
        body_bytes: webhooks::body().len(),
        made: (webhooks::CONNECTIONS, incoming.made),
        connections: plan.connections,
        plain,
        scripted,
        in_turn,
        engine: engine::measure(webhooks::SCRIPT, &webhooks::body()).await?,
        posted: (answered + load.samples.len() as u64, kept),
        gets,
        outgoing,
        memory: [made_mb, plain_mb, scripted_mb, memory()?.peak_mb],
    };
    alone.tieline.terminate().await?;
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)?)?)
}

/// Templates of posts: by webhooks without a script, with one, and by all in turn.
struct Posts {
    plain: Arc<Requests>,
    scripted: Arc<Requests>,
    all: Arc<Requests>,
}

impl Posts {
    fn of(incoming: &Incoming) -> Self {
        let requests = |first, step| {
            let templates: Vec<Template> = incoming.posts.iter().skip(first).step_by(step).cloned().collect();
            Arc::new(Requests { templates, expected: 200 })
        };
        Self { plain: requests(0, 2), scripted: requests(1, 2), all: requests(0, 1) }
    }

    /// Separates the results with a script from the others.
    fn in_turn(&self, rate: u32, load: &Load) -> InTurn {
        let took = |rest| {
            let mine = load.samples.iter().filter(|sample| self.all.template_of(sample.number) % 2 == rest);
            Percentiles::of(mine.map(|sample| sample.answered - sample.due).collect())
        };
        InTurn { rate, refused: load.refused, plain: took(0), scripted: took(1) }
    }
}
