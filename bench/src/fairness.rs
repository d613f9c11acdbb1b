//! Fairness among organisations: a well-behaved one, alone and beside others that behave as badly as they may.
//!
//! The bad ones have URLs that never answer, and URLs with dripping answers, and send messages to them and to one that
//! answers at once, as fast as a few connections can. Measured is the time from the acceptance of a message of the good
//! one to its arrival at the URL of an outgoing webhook.

mod neighbours;

use std::{sync::Arc, time::Duration};

use self::neighbours::Neighbours;
use crate::{
    Result,
    alone::Alone,
    asked,
    database::{Databases, Kind},
    hooks::make_outgoing,
    integrations::{Call, Integrations, message},
    latency::Percentiles,
    load::{Load, Requests},
    run::Shape,
    world::Home,
};

/// Number of badly behaved organisations.
const BAD: usize = 8;
/// URLs of each of them that never answer, and that drip.
const URLS: [usize; 2] = [200, 100];
/// Messages a second of the good organisation.
const RATE: u32 = 40;
/// Duration of the phases alone and beside the others: longer than a call may take, so that some time out.
const ALONE: Duration = Duration::from_secs(8);
const BESIDE: Duration = Duration::from_secs(30);
/// Time in which missing messages may still arrive at the end.
const GRACE: Duration = Duration::from_secs(5);
/// Limit of the 99th percentile.
const LIMIT_MS: f64 = 100.0;

/// Measures on that database, prints the percentiles, and fails where the good organisation has to wait.
///
/// # Errors
/// When the limit is passed or a message is missing, or something does not start or breaks.
pub async fn measure(kind: Kind) -> Result<()> {
    let (databases, home) = (Databases::of(kind).await?, Home::make()?);
    let (sinks, neighbours) = (Integrations::start()?, Neighbours::start()?);
    let settings = [("TIELINE_EGRESS__ALLOW", "127.0.0.1/32")];
    let alone = Alone::start(&databases, ("bench_fairness", home.path()), 1 + BAD, &settings).await?;
    let [good, bad @ ..] = alone.owners.as_slice() else { return Err("there is no organisation".into()) };
    let channel = make_outgoing(&alone, good, &[sinks.sink_url(0)]).await?;
    let requests = Arc::new(Requests { templates: vec![message(&good.token, &channel)?], expected: 202 });
    let numbers = Arc::default();
    let run = async |duration| -> Result<Percentiles> {
        let (load, _) = asked::load(&alone, &requests, &numbers, (Shape::Open(RATE), duration)).await?;
        latency(&load, &sinks).await
    };
    alone.step(&format!("{RATE} messages a second of one organisation"));
    let quiet = run(ALONE).await?;
    alone.step(&format!("{BAD} others get {URLS:?} URLs each that hang and drip"));
    let mut floods = Vec::with_capacity(bad.len());
    for owner in bad {
        let urls = neighbours.urls(URLS);
        floods.push(message(&owner.token, &make_outgoing(&alone, owner, &urls).await?)?);
    }
    alone.step("the same, while they send messages");
    let flood = neighbours::flood(alone.tieline.address, floods);
    let beside = tokio::select! {
        beside = run(BESIDE) => beside?,
        flood = flood => return Err(format!("the others stopped: {flood:?}").into()),
    };
    for (when, found) in [("alone", quiet), ("beside the others", beside)] {
        println!("{} {when}: p50 {:.1} ms, p99 {:.1} ms", alone.database, found.p50_ms, found.p99_ms);
    }
    println!("Calls that the others held: {} at most.", neighbours.most_held());
    if beside.p99_ms > LIMIT_MS {
        return Err(
            format!("p99 is {:.1} ms beside the others; at most {LIMIT_MS} ms are allowed", beside.p99_ms).into()
        );
    }
    Ok(())
}

/// Latency from acceptance to arrival, of every accepted message.
async fn latency(load: &Load, sinks: &Integrations) -> Result<Percentiles> {
    let deadline = tokio::time::Instant::now() + GRACE;
    while sinks.count() < load.samples.len() && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let calls: Vec<Call> = sinks.take();
    let came = |number| calls.iter().find(|call| call.number == number).map(|call| call.came);
    let took = load
        .samples
        .iter()
        .filter_map(|sample| came(sample.number).map(|came| came.saturating_duration_since(sample.answered)));
    let took: Vec<Duration> = took.collect();
    if load.refused > 0 || took.len() < load.samples.len() {
        let missing = load.samples.len() - took.len();
        return Err(format!("{} messages were refused, and {missing} did not arrive", load.refused).into());
    }
    Ok(Percentiles::of(took))
}
