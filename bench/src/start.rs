//! Starting and stopping.

use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Result,
    database::Databases,
    figures::Starts,
    http,
    latency::median_ms,
    process::{Program, Server},
};

/// How often each is measured.
const TIMES: usize = 5;
/// What counts as idle.
const IDLE: Duration = Duration::from_millis(500);
/// How long a server may take to answer once it listens.
const HEALTHY: Duration = Duration::from_secs(10);

/// Starts a server and waits until it answers; tells how long that took from the start of the process on.
///
/// # Errors
/// When it does not start or does not become healthy.
pub async fn healthy(program: &Program) -> Result<(Server, Duration)> {
    let server = program.serve(&["serve"]).await?;
    let ask = || http::fetch(server.address, "GET", "/healthz", None, None);
    while let Err(error) = ask().await {
        if server.began.elapsed() > HEALTHY {
            return Err(format!("tieline does not become healthy: {error}; it said: {}", server.last_words()).into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = server.began.elapsed();
    Ok((server, took))
}

/// Starts and stops on empty databases, and on the same ones again.
///
/// # Errors
/// When the server does not start or does not stop.
pub async fn measure(databases: &Databases, program: &Program, home: &Path) -> Result<Starts> {
    let (mut fresh, mut migrated, mut stop) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..TIMES {
        let program = databases.fresh(program, &format!("start_{index}"), home).await?;
        for times in [&mut fresh, &mut migrated] {
            let (server, took) = healthy(&program).await?;
            times.push(took);
            tokio::time::sleep(IDLE).await;
            stop.push(server.terminate().await?);
        }
    }
    Ok(Starts { fresh_ms: median_ms(fresh), migrated_ms: median_ms(migrated), stop_ms: median_ms(stop) })
}

/// How long the disk below a folder takes to make 4 KiB last: what a commit costs at least.
///
/// # Errors
/// When it cannot be written to.
pub fn sync_ms(home: &Path) -> Result<f64> {
    let path = home.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(median_ms(took))
}
