//! Result of a run against one database.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Result, latency::Percentiles};

/// All figures of one database.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Figures {
    /// Name and version of the database.
    pub database: String,
    /// Number of organisations of the load, each with a Slack workspace of its own.
    pub organisations: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Median time of a durable write of 4 KiB, in milliseconds.
    pub sync_ms: f64,
    /// Start and stop.
    pub starts: Starts,
    /// Resident memory.
    pub memory: Memory,
    /// As fast as possible, by the number of connections.
    pub closed: Vec<(usize, Run)>,
    /// As fast as possible, all to one channel.
    pub one_channel: (usize, Run),
    /// At a fixed rate, by events a second.
    pub open: Vec<(u32, Run)>,
    /// Reading one channel, by the number of connections.
    pub reads: (usize, Reads),
    /// Slack's signed events.
    pub slack: Inbound,
    /// GitHub's webhooks.
    pub github: Inbound,
}

/// Start and stop: medians, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Starts {
    /// From the start of the process to the first 200 of /healthz, on an empty database.
    pub fresh_ms: f64,
    /// The same on a migrated database.
    pub migrated_ms: f64,
    /// From SIGTERM to the end of an idle process.
    pub stop_ms: f64,
}

/// Tieline's resident memory, in MB.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Memory {
    /// After the start.
    pub idle_mb: f64,
    /// Peak under load.
    pub peak_mb: f64,
}

/// One load from its first event to its last message.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Run {
    /// Accepted events.
    pub accepted: u64,
    /// Refused requests.
    pub refused: u64,
    /// Accepted events without a message.
    pub lost: u64,
    /// Surplus messages.
    pub duplicates: u64,
    /// Events accepted a second.
    pub accepted_per_second: f64,
    /// Messages delivered a second, from the first event sent to the last message arrived.
    pub delivered_per_second: f64,
    /// From the due time of a request to its answer.
    pub accept: Percentiles,
    /// From the due time of a request to the arrival of its message, if every message could be matched.
    pub end_to_end: Option<Percentiles>,
    /// From the last answer to the last message: the backlog, in seconds.
    pub backlog_seconds: f64,
    /// Processor time per message.
    pub cpu: CpuPerMessage,
}

/// Processor time per delivered message, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct CpuPerMessage {
    /// Tieline.
    pub server_ms: f64,
    /// PostgreSQL; with SQLite it is in Tieline's.
    pub database_ms: f64,
    /// The stand-in Slack.
    pub standin_ms: f64,
    /// The load generator.
    pub generator_ms: f64,
}

/// Requests initiated by an upstream.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Inbound {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// As fast as possible, by the number of connections.
    pub closed: (usize, Taken),
    /// At a fixed rate, by requests a second.
    pub open: (u32, Taken),
}

/// One load of such requests, until the last answer.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Taken {
    /// Requests with a good answer.
    pub accepted: u64,
    /// Refused requests.
    pub refused: u64,
    /// Number of events that Tieline counts.
    pub kept: u64,
    /// Good answers a second.
    pub per_second: f64,
    /// From the due time of a request to its answer.
    pub answer: Percentiles,
    /// Tieline's processor time per request, in milliseconds.
    pub server_ms: f64,
    /// PostgreSQL's; with SQLite it is in Tieline's.
    pub database_ms: f64,
    /// The load generator's.
    pub generator_ms: f64,
}

/// Reads as fast as possible.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Reads {
    /// Reads a second.
    pub per_second: f64,
    /// Latency of a read.
    pub latency: Percentiles,
}

impl Figures {
    /// Writes them to a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, serde_json::to_string_pretty(self)?)?)
    }

    /// Reads them from a file.
    ///
    /// # Errors
    /// When it is not a file of figures.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(serde_json::from_str(&text)?)
    }
}
