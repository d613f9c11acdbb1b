//! Posts by incoming webhooks with a script: where each run has a process that is started for it, and where processes wait
//! for the next run of their organisation. Posts without a script take turns with them.

use std::{sync::Arc, time::Duration};

use super::{InTurn, Posts, engine, webhooks};
use crate::{
    Result,
    alone::Alone,
    asked,
    database::{Databases, Kind},
    grid::both,
    latency::Percentiles,
    run::Shape,
    world::Home,
};

/// Number of webhooks, half of them with a script: more than their own limit needs.
const WEBHOOKS: usize = 40;
/// Posts a second, and for how long, after a first while that is not counted.
const RATE: u32 = 50;
const POSTING: Duration = Duration::from_secs(15);
const WARM_UP: Duration = Duration::from_secs(3);

/// Measures both, and the script by the engine alone; gives a table.
///
/// # Errors
/// When something does not start, breaks, or a post is refused.
pub async fn measure() -> Result<String> {
    let engine::Alone { paced, at_once, cold } = engine::measure(webhooks::SCRIPT, &webhooks::body()).await?;
    let (started, kept) = (posts("0").await?, posts("8").await?);
    let row =
        |label: &str, [started, kept]: [Percentiles; 2]| format!("| {label} | {} | {} |\n", both(started), both(kept));
    Ok([
        "| | a process for every run (`script.warm = 0`) | processes that are kept (`script.warm = 8`) |\n|---|---|---|\n".to_owned(),
        row(&format!("Posts, {RATE} a second: with a script"), [started.scripted, kept.scripted]),
        row("the same, in turn with them: without a script", [started.plain, kept.plain]),
        row("The script by the engine alone, every few ms", [cold, paced]),
        format!("| the same: one run at once after the other | – | {} |\n", both(at_once)),
    ]
    .concat())
}

async fn posts(warm: &str) -> Result<InTurn> {
    let (databases, home) = (Databases::of(Kind::Sqlite).await?, Home::make()?);
    let alone = Alone::start(&databases, ("bench_script", home.path()), 1, &[("TIELINE_SCRIPT__WARM", warm)]).await?;
    let incoming = webhooks::make_incoming(&alone, &alone.owners, WEBHOOKS).await?;
    let (posts, numbers) = (Posts::of(&incoming), Arc::default());
    alone.step(&format!("{RATE} posts a second, script.warm = {warm}"));
    asked::load(&alone, &posts.all, &numbers, (Shape::Open(RATE), WARM_UP)).await?;
    let (load, _) = asked::load(&alone, &posts.all, &numbers, (Shape::Open(RATE), POSTING)).await?;
    alone.tieline.terminate().await?;
    match load.refused {
        0 => Ok(posts.in_turn(RATE, &load)),
        refused => Err(format!("{refused} posts were refused").into()),
    }
}
