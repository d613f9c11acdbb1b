//! Requests that are complete with their answer: throughput, latency and cost.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Error, Result,
    alone::Alone,
    figures::CpuPerMessage,
    http::Connection,
    latency::Percentiles,
    load::{self, Load, Requests, Template},
    run::{Shape, per_message, per_second_of},
    usage::Cpu,
};

/// Result of a number of requests.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Asked {
    /// Requests with a good answer.
    pub answered: u64,
    /// Requests with any other answer.
    pub refused: u64,
    /// Good answers a second.
    pub per_second: f64,
    /// From the due time of a request to its answer.
    pub latency: Percentiles,
    /// Tieline's processor time per request, in milliseconds.
    pub server_ms: f64,
    /// PostgreSQL's; with SQLite it is in Tieline's.
    pub database_ms: f64,
    /// The load generator's.
    pub generator_ms: f64,
}

/// The same requests as fast as possible and at a fixed rate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Pair {
    /// Number of connections of the closed loop.
    pub connections: usize,
    /// Closed loop: as fast as possible.
    pub closed: Asked,
    /// Requests a second of the open loop.
    pub rate: u32,
    /// Open loop: at a fixed rate.
    pub open: Asked,
}

/// Parameters of a [`Pair`].
#[derive(Clone, Copy, Debug)]
pub struct PairPlan {
    /// Number of connections of the closed loop.
    pub connections: usize,
    /// Duration of the closed loop.
    pub closed: Duration,
    /// Requests a second of the open loop.
    pub rate: u32,
    /// Duration of the open loop.
    pub open: Duration,
}

/// Sends requests as fast as possible, and then at a fixed rate.
///
/// # Errors
/// As [`load`].
pub async fn pair(alone: &Alone, requests: Requests, plan: PairPlan) -> Result<Pair> {
    let (requests, numbers) = (Arc::new(requests), Arc::default());
    let PairPlan { connections, rate, .. } = plan;
    let closed = asked(alone, &requests, &numbers, (Shape::Closed(connections), plan.closed)).await?;
    let open = asked(alone, &requests, &numbers, (Shape::Open(rate), plan.open)).await?;
    Ok(Pair { connections, closed, rate, open })
}

/// Sends requests, and sums up.
///
/// # Errors
/// As [`load`].
pub async fn asked(
    alone: &Alone,
    requests: &Arc<Requests>,
    numbers: &Arc<AtomicU64>,
    how: (Shape, Duration),
) -> Result<Asked> {
    let (load, cpu) = load(alone, requests, numbers, how).await?;
    let took = load.samples.iter().map(|sample| sample.answered - sample.due).collect();
    Ok(sum_up((took, load.refused), load.ended - load.began, cpu))
}

/// Sends requests; returns the result and the processor time used.
///
/// # Errors
/// When a connection breaks or a process is gone.
pub async fn load(
    alone: &Alone,
    requests: &Arc<Requests>,
    numbers: &Arc<AtomicU64>,
    (shape, duration): (Shape, Duration),
) -> Result<(Load, Cpu)> {
    let (address, before) = (alone.tieline.address, alone.watched().cpu()?);
    let load = match shape {
        Shape::Closed(connections) => load::closed(address, requests, numbers, connections, duration).await?,
        Shape::Open(rate) => load::open(address, requests, numbers, rate, duration).await?,
    };
    let cpu = alone.watched().cpu()?.since(before);
    if let Some(refusal) = &load.refusal {
        eprintln!("bench: {} requests were refused, the first with {refusal}", load.refused);
    }
    Ok((load, cpu))
}

/// Sends each request once, over a number of connections; returns the answers in the order of the requests, and the
/// result.
///
/// # Errors
/// When a connection breaks, a request is refused, or an answer is not JSON.
pub async fn each_once(alone: &Alone, requests: Vec<Vec<u8>>, connections: usize) -> Result<(Vec<Value>, Asked)> {
    let (address, before, began) = (alone.tieline.address, alone.watched().cpu()?, Instant::now());
    let requests = Arc::new(requests);
    let mut senders = JoinSet::new();
    for first in 0..connections {
        let requests = requests.clone();
        senders.spawn(async move { every(address, &requests, (first, connections)).await });
    }
    let mut answers = Vec::with_capacity(requests.len());
    while let Some(sender) = senders.join_next().await {
        answers.extend(sender??);
    }
    let (ended, cpu) = (Instant::now(), alone.watched().cpu()?.since(before));
    answers.sort_unstable_by_key(|(index, ..)| *index);
    let took = answers.iter().map(|(_, took, _)| *took).collect();
    let values = answers.into_iter().map(|(.., answer)| answer).collect();
    Ok((values, sum_up((took, 0), ended - began, cpu)))
}

/// Sends one sender's share of the requests: the first, and then every n-th.
async fn every(
    address: SocketAddr,
    requests: &[Vec<u8>],
    (first, step): (usize, usize),
) -> Result<Vec<(usize, Duration, Value)>> {
    let mut connection = Connection::open(address).await?;
    let mut answers = Vec::new();
    for (index, request) in requests.iter().enumerate().skip(first).step_by(step) {
        let began = Instant::now();
        let answer = connection.exchange(request).await?;
        if !(200..300).contains(&answer.status) {
            let said = String::from_utf8_lossy(answer.body);
            return Err(Error::from(format!("request {index} was answered {}: {said}", answer.status)));
        }
        answers.push((index, began.elapsed(), serde_json::from_slice(answer.body)?));
    }
    Ok(answers)
}

fn sum_up((took, refused): (Vec<Duration>, u64), lasted: Duration, cpu: Cpu) -> Asked {
    let answered = took.len() as u64;
    let CpuPerMessage { server_ms, database_ms, generator_ms, .. } = per_message(cpu, answered);
    let (per_second, latency) = (per_second_of(answered, lasted), Percentiles::of(took));
    Asked { answered, refused, per_second, latency, server_ms, database_ms, generator_ms }
}

/// Builds requests from fixed templates, used in turn; 200 is the good answer.
pub fn in_turn(requests: impl IntoIterator<Item = Vec<u8>>) -> Requests {
    let templates = requests.into_iter().map(|bytes| Template { bytes, number_at: None, seal: None }).collect();
    Requests { templates, expected: 200 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_shared_out_among_those_that_were_answered() {
        let took = [2, 4, 6, 8].map(Duration::from_millis).to_vec();
        let cpu = Cpu { server: Duration::from_millis(40), ..Cpu::default() };
        let asked = sum_up((took, 3), Duration::from_secs(2), cpu);
        assert_eq!((asked.answered, asked.refused, asked.per_second), (4, 3, 2.0));
        assert_eq!((asked.latency, asked.server_ms), (Percentiles { p50_ms: 4.0, p99_ms: 8.0 }, 10.0));
    }
}
