//! The registry in the dialect of Botpress: dry runs of a small and of a large version, and look-ups among many.

mod definition;
mod table;

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use table::table;

use crate::{
    Result,
    alone::Alone,
    asked::{self, Asked, Pair, PairPlan},
    database::{Databases, Kind},
    http::with_headers,
    load::Requests,
    start,
    usage::Memory,
    world::{Home, Key},
};

const ALL: &str = "/v1/admin/integrations";
/// Number of versions of each integration.
const VERSIONS_EACH: usize = 50;
/// Number of versions on a page of a list.
const PAGE: usize = 20;
/// Number of versions created at the same time.
const CREATING: usize = 8;
/// A word in the titles of few integrations: one in this many.
const RARE: &str = "Rare";
const RARE_EACH: usize = 40;

/// Result of a run against one database.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RegistryFigures {
    database: String,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    sync_ms: f64,
    versions: usize,
    integrations: usize,
    small_bytes: usize,
    large_bytes: usize,
    /// Creation of the versions: number of connections, and result.
    created: (usize, Asked),
    looked_up: Vec<(String, Pair)>,
    small: Pair,
    large: Pair,
    /// Resident memory of Tieline, in MB: after the start, and the peak up to the last version created, to the last
    /// look-up, to the last small dry run, and to the last large one.
    memory: [f64; 5],
}

/// Extent of the measurement.
struct Plan {
    versions: usize,
    looked_up: PairPlan,
    small: PairPlan,
    large: PairPlan,
}

impl Plan {
    fn new(quick: bool) -> Self {
        let seconds = |full, short| Duration::from_secs(if quick { short } else { full });
        let plan = |connections, rate| PairPlan { connections, closed: seconds(4, 2), rate, open: seconds(4, 2) };
        Self {
            versions: if quick { 2_000 } else { 10_000 },
            looked_up: plan(16, 100),
            small: plan(16, 100),
            large: plan(4, 5),
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
    // Otherwise the rate limit of a workspace would be measured.
    let settings = [("TIELINE_REGISTRY__CALLS_PER_SECOND", "1000000")];
    let alone = Alone::start(&databases, ("bench_registry", home.path()), 1, &settings).await?;
    let memory = || Memory::of(alone.tieline.pid);
    let started_mb = memory()?.now_mb;
    let owner = alone.owners.first().ok_or("there is no organisation")?;
    alone.step(&format!("creating {} versions", plan.versions));
    let integrations = plan.versions / VERSIONS_EACH;
    let orders = (0..plan.versions).map(|index| post(owner, ALL, &numbered(index, integrations))).collect();
    let (_, made) = asked::each_once(&alone, orders, CREATING).await?;
    let created_mb = memory()?.peak_mb;
    let mut looked_up = Vec::new();
    for (label, requests) in lookups(owner, plan.versions, integrations) {
        alone.step(&format!("looking up: {label}"));
        demand_a_page(&alone, &requests).await?;
        looked_up.push((label, asked::pair(&alone, requests, plan.looked_up).await?));
    }
    let looked_up_mb = memory()?.peak_mb;
    let (small, large) = (definition::small("unknown", "1.0.0"), definition::large("unknown", "1.0.0"));
    let (small_bytes, large_bytes) = (small.to_string().len(), large.to_string().len());
    let validate = |version: &Value| asked::in_turn([post(owner, &format!("{ALL}/validate"), version)]);
    alone.step("checking a small version");
    let small = asked::pair(&alone, validate(&small), plan.small).await?;
    let small_mb = memory()?.peak_mb;
    alone.step("checking a large version");
    let large = asked::pair(&alone, validate(&large), plan.large).await?;
    let figures = RegistryFigures {
        database: alone.database.clone(),
        sync_ms,
        versions: plan.versions,
        integrations,
        small_bytes,
        large_bytes,
        created: (CREATING, made),
        looked_up,
        small,
        large,
        memory: [started_mb, created_mb, looked_up_mb, small_mb, memory()?.peak_mb],
    };
    alone.tieline.terminate().await?;
    Ok(std::fs::write(file, serde_json::to_string_pretty(&figures)?)?)
}

/// Requires a full first page of a list, because a shorter one would change the figures.
async fn demand_a_page(alone: &Alone, requests: &Requests) -> Result<()> {
    let first = requests.templates.iter().take(1).map(|template| template.bytes.clone()).collect();
    let (answers, _) = asked::each_once(alone, first, 1).await?;
    let short = |answer: &&Value| answer["integrations"].as_array().is_some_and(|page| page.len() < PAGE);
    match answers.iter().find(short) {
        None => Ok(()),
        Some(answer) => Err(format!("this is not a whole page: {answer}").into()),
    }
}

/// Version of that index: one of each integration, then the next of each.
fn numbered(index: usize, integrations: usize) -> Value {
    let (number, minor) = (index % integrations, index / integrations);
    let mut version = definition::small(&name(number), &format!("1.{minor}.0"));
    let word = if number % RARE_EACH == 7 { RARE } else { "Common" };
    version["title"] = format!("{word} tickets {number}").into();
    version
}

fn name(number: usize) -> String {
    format!("tickets-{number:04}")
}

/// Look-ups with their labels, spread over all integrations and versions.
fn lookups(owner: &Key, versions: usize, integrations: usize) -> Vec<(String, Requests)> {
    let get = |path: String| with_headers("GET", &path, &known(owner), None);
    let named = |version: &dyn Fn(usize) -> String| {
        let path = |index: usize| format!("{ALL}/{}/{}", name(index % integrations), version(index));
        asked::in_turn((0..versions).map(|index| get(path(index))).collect::<Vec<_>>())
    };
    let one = |query: &str| asked::in_turn([get(format!("{ALL}{query}"))]);
    vec![
        (format!("the newest {PAGE}"), one("")),
        (format!("{PAGE} of the latest of each, by name"), one("?version=latest&sortBy=name")),
        (format!("{PAGE} with a word that one in {RARE_EACH} has"), one(&format!("?search={RARE}"))),
        ("by name and version".to_owned(), named(&|index| format!("1.{}.0", index / integrations))),
        ("by name, the latest".to_owned(), named(&|_| "latest".to_owned())),
    ]
}

fn known(owner: &Key) -> Vec<(&'static str, String)> {
    vec![("Authorization", format!("Bearer {}", owner.token)), ("X-Workspace-Id", owner.organisation_id.clone())]
}

fn post(owner: &Key, path: &str, body: &Value) -> Vec<u8> {
    let mut headers = known(owner);
    headers.push(("Content-Type", "application/json".to_owned()));
    with_headers("POST", path, &headers, Some(&body.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn versions_differ_and_are_spread_over_the_integrations() {
        let versions: HashSet<String> = (0..2_000)
            .map(|index| numbered(index, 40))
            .map(|version| format!("{} {}", version["name"], version["version"]))
            .collect();
        assert_eq!(versions.len(), 2_000);
        let last = numbered(1_999, 40);
        assert_eq!((last["name"].as_str(), last["version"].as_str()), (Some("tickets-0039"), Some("1.49.0")));
    }
}
