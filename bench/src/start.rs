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

/// Number of repetitions of each measurement.
const TIMES: usize = 5;
/// Pause after which a server counts as idle.
const IDLE: Duration = Duration::from_millis(500);
/// Time limit in which a listening server answers.
const HEALTHY: Duration = Duration::from_secs(10);

/// Starts a server and waits until it answers; returns the time since the start of the process.
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

/// Median time in which the disk below a folder makes 4 KiB durable: the minimum cost of a commit.
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
