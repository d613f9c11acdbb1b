//! Routes of the native API: the cost of events that they send to webhook destinations, one URL and a hundred, and of
//! accepting an event beside ten thousand routes that do not concern it.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Result,
    alone::Alone,
    asked::{self, Asked, each_once},
    database::{Databases, Kind},
    grid::{Grid, both, read},
    hooks::{Outgoing, OutgoingPlan, OutgoingResult, called, cost, outgoing_rows, saturated},
    http::request,
    integrations::{self, Integrations},
    load::Requests,
    run::Shape,
    start,
    table::{millis, whole},
    world::{Home, Key},
};

/// Three organisations whose routes send to webhooks, and one with many routes.
const ORGANISATIONS: usize = 4;
const MANY_URLS: usize = 100;
const MANY_ROUTES: usize = 10_000;
/// Number of routes created at the same time.
const MAKERS: usize = 8;
/// Number of connections in the measurement of acceptance.
const CONNECTIONS: usize = 16;
/// Measurements of events as fast as possible: connections, and URLs that each event comes to.
const FAST: [(usize, usize); 3] = [(16, 1), (64, 1), (16, 10)];

/// Result of a run against one database.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RouteFigures {
    database: String,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    sync_ms: f64,
    sent: Vec<Outgoing>,
    /// As fast as [`FAST`] says.
    fast: [OutgoingResult; FAST.len()],
    /// Acceptance without any route, and beside many.
    accepted: [Asked; 2],
    /// Creation of the many routes.
    made: Asked,
}

/// Measures on that database and writes the figures to a file.
///
/// # Errors
/// When something does not start, breaks, or stops.
pub async fn measure(kind: Kind, file: &Path, quick: bool) -> Result<()> {
    let (databases, home) = (Databases::of(kind).await?, Home::make()?);
    let sync_ms = start::sync_ms(home.path())?;
    let sinks = Integrations::start()?;
    let settings =
        [("TIELINE_EGRESS__ALLOW", "127.0.0.1/32"), ("TIELINE_LIMITS__DESTINATIONS_PER_ORGANISATION", "1000")];
    let alone = Alone::start(&databases, ("bench_routes", home.path()), ORGANISATIONS, &settings).await?;
    let paced = Duration::from_secs(if quick { 4 } else { 30 });
    let (one, many) = if quick { (600, 12) } else { (4_000, 80) };
    let plans = [
        OutgoingPlan { urls: 1, burst: one, rate: 100, paced },
        OutgoingPlan { urls: MANY_URLS, burst: many, rate: 2, paced },
    ];
    let mut sent = Vec::with_capacity(plans.len());
    for (owner, plan) in alone.owners.iter().zip(plans) {
        alone.step(&format!("events by routes to webhooks, URLs: {}", plan.urls));
        let routes = (0..plan.urls).map(|index| route(owner, &sinks.sink_url(index), "order.*")).collect();
        each_once(&alone, routes, MAKERS).await?;
        let templates = vec![integrations::event(&owner.token, "order.created")?];
        sent.push(called(&alone, &sinks, (templates, 0), plan).await?);
    }
    let fast = as_fast_as_possible(&alone, &sinks, quick).await?;
    let (accepted, made) = beside_many(&alone, &sinks, quick).await?;
    let figures = RouteFigures { database: alone.database.clone(), sync_ms, sent, fast, accepted, made };
    alone.tieline.terminate().await?;
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)?)?)
}

/// Measures events that are sent as fast as possible: to the one URL of the first organisation, and to those of another.
async fn as_fast_as_possible(alone: &Alone, sinks: &Integrations, quick: bool) -> Result<[OutgoingResult; FAST.len()]> {
    let lasts = Duration::from_secs(if quick { 3 } else { 8 });
    let mut results = [OutgoingResult::default(); FAST.len()];
    for (result, (connections, urls)) in results.iter_mut().zip(FAST) {
        alone.step(&format!("as fast as possible, connections: {connections}, URLs of an event: {urls}"));
        let owner = &alone.owners[if urls == 1 { 0 } else { 2 }];
        if urls > 1 {
            let routes = (0..urls).map(|index| route(owner, &sinks.sink_url(index), "order.*")).collect();
            each_once(alone, routes, MAKERS).await?;
        }
        let template = integrations::event(&owner.token, "order.created")?;
        *result = saturated(alone, sinks, (template, urls), (connections, lasts)).await?;
    }
    Ok(results)
}

/// Measures acceptance in an organisation before and after it has many routes, all for types that are not sent.
async fn beside_many(alone: &Alone, sinks: &Integrations, quick: bool) -> Result<([Asked; 2], Asked)> {
    let owner = &alone.owners[ORGANISATIONS - 1];
    let templates = vec![integrations::event(&owner.token, "order.created")?];
    let requests = Arc::new(Requests { templates, expected: 202 });
    let numbers = Arc::new(AtomicU64::new(1));
    let how = (Shape::Closed(CONNECTIONS), Duration::from_secs(if quick { 3 } else { 8 }));
    alone.step("accepting without a route");
    asked::asked(alone, &requests, &numbers, (how.0, how.1 / 4)).await?;
    let without = asked::asked(alone, &requests, &numbers, how).await?;
    alone.step(&format!("making {MANY_ROUTES} routes"));
    let url = sinks.sink_url(0);
    let routes = (0..MANY_ROUTES).map(|index| route(owner, &url, &format!("other.type_{index}"))).collect();
    let (_, made) = each_once(alone, routes, MAKERS).await?;
    alone.step("accepting beside them");
    asked::asked(alone, &requests, &numbers, (how.0, how.1 / 4)).await?;
    Ok(([without, asked::asked(alone, &requests, &numbers, how).await?], made))
}

fn route(owner: &Key, url: &str, types: &str) -> Vec<u8> {
    // Named by its URL, so that routes to the same one share its destination.
    let to = json!({"kind": "webhook", "name": url, "url": url});
    let body = json!({"types": [types], "destination": to}).to_string();
    request("POST", "/v1/routes", Some(&owner.token), Some(&body))
}

/// The figures as a Markdown table, a column for each database.
///
/// # Errors
/// When a file is not one of ours.
pub fn table(files: &[&str]) -> Result<String> {
    Ok(markdown(&read(files)?))
}

fn markdown(columns: &[RouteFigures]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(columns, |f: &RouteFigures| &f.database);
    outgoing_rows(&mut grid, "Events by routes to", |f| &f.sent);
    fast_rows(&mut grid);
    grid.asked(&format!("Events accepted, c={CONNECTIONS}: without a route"), |f| f.accepted[0]);
    grid.asked("the same: beside 10,000 routes", |f| f.accepted[1]);
    grid.row("the same: ratio of the p99", |f| {
        let [without, beside] = f.accepted;
        format!("{:.2}", beside.latency.p99_ms / without.latency.p99_ms)
    });
    grid.row("10,000 routes made, 8 at a time", |f| both(f.made.latency));
    grid.row("Disk: `fdatasync` of 4 KiB, p50", |f| format!("{} ms", millis(f.sync_ms)));
    grid.text()
}

/// Adds the rows of events that were sent as fast as possible.
fn fast_rows(grid: &mut Grid<'_, RouteFigures>) {
    for (index, (connections, urls)) in FAST.into_iter().enumerate() {
        let to = if urls == 1 { "one URL".to_owned() } else { format!("{urls} URLs each") };
        let fast = |f: &RouteFigures| f.fast[index];
        grid.row(&format!("Events to {to}, c={connections}: accepted"), |f| {
            format!("{}/s", whole(fast(f).accepted_per_second))
        });
        grid.row("the same: calls until the last one, sent to called", |f| {
            format!("{}/s, {}", whole(fast(f).per_second), both(fast(f).called))
        });
        grid.row("the same: CPU for each call", |f| cost(fast(f)));
        grid.row("the same: CPU of the bench for each call, load generator + URLs", |f| {
            format!("{:.2} + {:.2} ms", fast(f).bench_ms - fast(f).sink_ms, fast(f).sink_ms)
        });
        grid.row("the same: accepted / calls made / missing / repeated", |f| {
            let counts = [fast(f).accepted, fast(f).calls, fast(f).missing, fast(f).repeated];
            counts.map(|count| whole(count as f64)).join(" / ")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Percentiles;

    #[test]
    fn a_table_has_the_ratio() {
        let asked = |p99_ms| Asked { latency: Percentiles { p50_ms: 1.0, p99_ms }, ..Asked::default() };
        let figures = RouteFigures {
            database: "SQLite".to_owned(),
            sent: vec![Outgoing { urls: 100, rate: 2, ..Outgoing::default() }],
            fast: [OutgoingResult { calls: 1_234, missing: 2, bench_ms: 0.25, sink_ms: 0.1, ..Default::default() }; 3],
            accepted: [asked(4.0), asked(5.0)],
            ..RouteFigures::default()
        };
        let text = markdown(&[figures]);
        for row in [
            "| the same: ratio of the p99 | 1.25 |\n",
            "| Events by routes to 100 URLs, as fast as possible |",
            "| Events to 10 URLs each, c=16: accepted |",
            "| the same: CPU of the bench for each call, load generator + URLs | 0.15 + 0.10 ms |\n",
            "| the same: accepted / calls made / missing / repeated | 0 / 1,234 / 2 / 0 |\n",
        ] {
            assert!(text.contains(row), "{row}{text}");
        }
        assert_eq!(markdown(&[]), "");
    }
}
