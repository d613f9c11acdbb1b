//! Tieline with few and with many stored events: acceptance, the pages that members look at, and a pass of retention.

mod fill;
mod table;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::fill::{DUE, Filler, Owner};
use crate::{
    Result,
    alone::Alone,
    asked::{self, Asked},
    database::{Databases, Kind},
    http::{call, request},
    integrations,
    latency::Percentiles,
    load::Requests,
    run::{Shape, per_message},
    start,
    table::whole,
    usage::Cpu,
    world::{Home, Key, text},
};

pub use table::table;

/// Number of organisations; the first has half of the events, and is the one that is measured.
const ORGANISATIONS: usize = 16;
/// Number of connections in the measurement of acceptance.
const CONNECTIONS: usize = 16;
/// Events a second beside which retention runs.
const RATE: u32 = 100;
/// Name of the database.
const NAME: &str = "bench_scale";
/// Bytes that an event takes with its delivery, its attempt and their indexes, rounded up, and what is to be left.
const BYTES_OF_EVENT: u64 = 1_600;
const RESERVE_BYTES: u64 = 3_000_000_000;
/// Time from the start of Tieline to its first pass of retention, which cannot be set.
const FIRST_PASS: Duration = Duration::from_secs(600);
/// Time of the load before the pass, time limit for its end, and interval of the looks at what it has left.
const LEAD: Duration = Duration::from_secs(5);
const PASS_LIMIT: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(100);
/// Number of pages that are measured, and number of items of each.
const PAGES: usize = 5;
const ITEMS: [usize; PAGES] = [50, 10, 10, 50, 50];

/// Result of a run against one database.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ScaleFigures {
    database: String,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    sync_ms: f64,
    /// With few and with many.
    sizes: [Size; 2],
}

/// Figures at one number of stored events.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Size {
    /// Number of stored events.
    stored: u64,
    /// Bytes of the database.
    bytes: u64,
    /// Acceptance without a route.
    accepted: Asked,
    /// Pages, in the order of [`paths`].
    pages: [Asked; PAGES],
    /// Acceptance at a fixed rate.
    quiet: Paced,
    /// The same during a pass of retention, where one was waited for.
    pass: Option<Pass>,
}

/// Acceptance at a fixed rate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Paced {
    answered: u64,
    refused: u64,
    latency: Percentiles,
    longest_ms: f64,
    server_ms: f64,
    database_ms: f64,
}

/// Acceptance at a fixed rate beside a pass of retention.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Pass {
    /// Time in which it removed what was due.
    took_ms: f64,
    beside: Paced,
}

/// Extent of the measurement.
struct Plan {
    stored: [u64; 2],
    /// Sizes at which a pass of retention is waited for.
    passes: [bool; 2],
    closed: Duration,
    page: Duration,
    quiet: Duration,
}

impl Plan {
    fn new(quick: bool) -> Result<Self> {
        let seconds = |full, short| Duration::from_secs(if quick { short } else { full });
        let (few, many) = if quick { (100_000, 1_000_000) } else { (100_000, 10_000_000) };
        let many = match std::env::var("BENCH_STORED") {
            Ok(text) => text.parse().map_err(|error| format!("BENCH_STORED={text}: {error}"))?,
            Err(_) => many,
        };
        if many <= few {
            return Err(format!("BENCH_STORED has to be more than {few}").into());
        }
        Ok(Self {
            stored: [few, many],
            passes: [!quick; 2],
            closed: seconds(8, 3),
            page: seconds(4, 2),
            quiet: seconds(30, 10),
        })
    }
}

/// Measures on that database and writes the figures to a file.
///
/// # Errors
/// When something does not start, breaks, or stops, or the disk has too little space left.
pub async fn measure(kind: Kind, file: &Path, quick: bool) -> Result<()> {
    let (plan, databases, home) = (Plan::new(quick)?, Databases::of(kind).await?, Home::make()?);
    has_space(plan.stored[1], databases.free_bytes(home.path()).await?)?;
    let sync_ms = start::sync_ms(home.path())?;
    let settings = [("TIELINE_EGRESS__ALLOW", "127.0.0.1/32")];
    let mut alone = Alone::start(&databases, (NAME, home.path()), ORGANISATIONS, &settings).await?;
    let owners = owners(&alone).await?;
    let (mut sizes, mut from) = ([Size::default(), Size::default()], 0);
    for (index, stored) in plan.stored.into_iter().enumerate() {
        alone.step(&format!("storing events up to {}", whole(stored as f64)));
        alone = alone
            .while_stopped(async {
                let filler = Filler::open(&databases, (NAME, home.path())).await?;
                filler.fill(&owners, (from, stored)).await?;
                filler.close().await?;
                databases.sync(NAME, home.path())
            })
            .await?;
        let filler = Filler::open(&databases, (NAME, home.path())).await?;
        let size = size(&alone, &owners[0], &plan).await?;
        let pass = if plan.passes[index] { Some(pass(&alone, &filler, &owners).await?) } else { None };
        sizes[index] = Size { stored, bytes: filler.bytes().await?, pass, ..size };
        filler.close().await?;
        from = stored;
    }
    let figures = ScaleFigures { database: alone.database.clone(), sync_ms, sizes };
    alone.tieline.terminate().await?;
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)?)?)
}

/// Refuses a number of events that the disk has no space for.
fn has_space(stored: u64, free: u64) -> Result<()> {
    let needed = stored * BYTES_OF_EVENT + RESERVE_BYTES;
    if needed <= free {
        return Ok(());
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let most = free.saturating_sub(RESERVE_BYTES) / BYTES_OF_EVENT;
    Err(format!(
        "{} stored events need {:.0} GB of disk, and {:.0} GB are free: there is space for {}; set BENCH_STORED, or \
         use --quick",
        whole(stored as f64),
        gigabytes(needed),
        gigabytes(free),
        whole(most as f64)
    )
    .into())
}

/// Gives each organisation a destination, by a route for events that are not sent.
async fn owners(alone: &Alone) -> Result<Vec<Owner>> {
    let mut owners = Vec::with_capacity(alone.owners.len());
    for Key { token, organisation_id, .. } in &alone.owners {
        let to = json!({"kind": "webhook", "name": "stored", "url": "http://127.0.0.1:9/"});
        let route = json!({"types": ["order.*"], "destination": to});
        call(alone.tieline.address, "POST", "/v1/routes", Some(token), Some(route)).await?;
        let all = call(alone.tieline.address, "GET", "/v1/destinations", Some(token), None).await?;
        let destination = text(&all["data"][0], "id")?.to_owned();
        owners.push(Owner { organisation: organisation_id.clone(), destination });
    }
    Ok(owners)
}

/// Paths of the measured pages: the newest deliveries, those in two states, those to one destination, and the newest events.
fn paths(destination: &str) -> [String; PAGES] {
    let filters = ["deliveries?", "deliveries?state=failed&", "deliveries?state=skipped&", "", "events?"];
    let to = format!("deliveries?destinationId={destination}&");
    let mut items = ITEMS.iter();
    filters.map(|filter| {
        let filter = if filter.is_empty() { &to } else { filter };
        format!("/v1/{filter}limit={}", items.next().copied().unwrap_or_default())
    })
}

/// Measures the first organisation.
async fn size(alone: &Alone, owner: &Owner, plan: &Plan) -> Result<Size> {
    let token = &alone.owners[0].token;
    let (requests, numbers) = (events(token)?, Arc::new(AtomicU64::new(1)));
    let warmed = async |requests: &Arc<Requests>, shape, lasts: Duration| {
        asked::asked(alone, requests, &numbers, (shape, lasts / 4)).await?;
        asked::asked(alone, requests, &numbers, (shape, lasts)).await
    };
    let mut pages = [Asked::default(); PAGES];
    for ((page, path), items) in pages.iter_mut().zip(paths(&owner.destination)).zip(ITEMS) {
        alone.step(&path);
        let list = call(alone.tieline.address, "GET", &path, Some(token), None).await?;
        let found = list["data"].as_array().map_or(0, Vec::len);
        if found != items {
            return Err(format!("{path} has {found} items, not {items}").into());
        }
        let requests = Arc::new(asked::in_turn([request("GET", &path, Some(token), None)]));
        *page = warmed(&requests, Shape::Closed(1), plan.page).await?;
    }
    alone.step("accepting");
    let accepted = warmed(&requests, Shape::Closed(CONNECTIONS), plan.closed).await?;
    let mut quiet = Window::default();
    quiet.add(asked::load(alone, &requests, &numbers, (Shape::Open(RATE), plan.quiet)).await?);
    Ok(Size { accepted, pages, quiet: quiet.paced(), ..Size::default() })
}

/// Requests of events that no route sends.
fn events(token: &str) -> Result<Arc<Requests>> {
    Ok(Arc::new(Requests { templates: vec![integrations::event(token, "other.thing")?], expected: 202 }))
}

/// Waits for the first pass of retention, and measures acceptance from before it to its end.
async fn pass(alone: &Alone, filler: &Filler, owners: &[Owner]) -> Result<Pass> {
    let (requests, numbers) = (events(&alone.owners[0].token)?, Arc::new(AtomicU64::new(1)));
    alone.step("waiting for the first pass of retention, ten minutes after the start");
    tokio::time::sleep_until((alone.tieline.began + FIRST_PASS - LEAD).into()).await;
    let is_over = AtomicBool::new(false);
    let load = async {
        let mut window = Window::default();
        while !is_over.load(Relaxed) {
            window.add(asked::load(alone, &requests, &numbers, (Shape::Open(RATE), LEAD)).await?);
        }
        Ok(window.paced())
    };
    let watch = async {
        let took = removal(filler, owners).await;
        is_over.store(true, Relaxed);
        took
    };
    let (beside, took) = tokio::try_join!(load, watch)?;
    Ok(Pass { took_ms: took.as_secs_f64() * 1000.0, beside })
}

/// Waits until nothing is due for removal any more, and returns the time from the first removal on.
async fn removal(filler: &Filler, owners: &[Owner]) -> Result<Duration> {
    // Each event has a delivery.
    if filler.due(owners).await? != 2 * DUE {
        return Err("the first pass of retention began before it was waited for".into());
    }
    let limit = Instant::now() + LEAD + PASS_LIMIT;
    let mut began = Instant::now();
    loop {
        match filler.due(owners).await? {
            0 => return Ok(began.elapsed()),
            due if due == 2 * DUE => began = Instant::now(),
            _ => {}
        }
        if Instant::now() > limit {
            return Err("the pass of retention did not end, or there was none".into());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Loads at a fixed rate that follow one another.
#[derive(Default)]
struct Window {
    took: Vec<Duration>,
    refused: u64,
    server: Duration,
    database: Duration,
}

impl Window {
    fn add(&mut self, (load, cpu): (crate::load::Load, Cpu)) {
        self.took.extend(load.samples.iter().map(|sample| sample.answered - sample.due));
        self.refused += load.refused;
        self.server += cpu.server;
        self.database += cpu.database;
    }

    fn paced(self) -> Paced {
        let answered = self.took.len() as u64;
        let cpu = per_message(Cpu { server: self.server, database: self.database, ..Cpu::default() }, answered);
        let longest = self.took.iter().max().copied().unwrap_or_default();
        Paced {
            answered,
            refused: self.refused,
            latency: Percentiles::of(self.took),
            longest_ms: longest.as_secs_f64() * 1000.0,
            server_ms: cpu.server_ms,
            database_ms: cpu.database_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_disk_holds_is_refused() {
        assert!(has_space(1_000_000, 4_600_000_000).is_ok());
        let refused = has_space(10_000_000, 4_600_000_000).unwrap_err().to_string();
        assert!(refused.contains("10,000,000 stored events need 19 GB of disk, and 5 GB are free"), "{refused}");
        assert!(refused.contains("space for 1,000,000;"), "{refused}");
    }

    #[test]
    fn pages_are_of_one_length_at_each_size() {
        let paths = paths("d");
        assert_eq!(paths[0], "/v1/deliveries?limit=50");
        assert_eq!(paths[1], "/v1/deliveries?state=failed&limit=10");
        assert_eq!(paths[3], "/v1/deliveries?destinationId=d&limit=50");
        assert_eq!(paths[4], "/v1/events?limit=50");
    }

    #[test]
    fn the_longest_is_that_of_all_loads() {
        let mut window = Window { took: vec![Duration::from_millis(4)], ..Window::default() };
        window.took.push(Duration::from_millis(9));
        window.server = Duration::from_millis(3);
        let paced = window.paced();
        assert_eq!((paced.answered, paced.longest_ms, paced.server_ms), (2, 9.0, 1.5));
    }
}
