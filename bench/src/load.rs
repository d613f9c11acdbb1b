//! Generates load: in a closed loop over some connections, or at a fixed rate independent of the answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::{Result, clock, http::Connection, seal::Seal};

/// Number of digits of a request's number in its text.
pub const DIGITS: usize = 8;
/// Maximum number of requests in flight at a fixed rate. One that has to wait for a connection is late, and that counts
/// as its latency.
const OPEN_CONNECTIONS: usize = 64;

/// Requests that are complete but for a number.
#[derive(Debug)]
pub struct Requests {
    /// Used in turn.
    pub templates: Vec<Template>,
    /// Status of a good answer.
    pub expected: u16,
}

/// Bytes of a request.
#[derive(Clone, Debug)]
pub struct Template {
    /// The whole request.
    pub bytes: Vec<u8>,
    /// Position of the [`DIGITS`] digits that are replaced by the request's number, if any.
    pub number_at: Option<usize>,
    /// Signer of each request, if any.
    pub seal: Option<Seal>,
}

impl Template {
    /// Creates a template; its number replaces the zeros that first follow `marker`.
    ///
    /// # Errors
    /// When there is no such position.
    pub fn numbered(bytes: Vec<u8>, marker: &str) -> Result<Self> {
        let wanted = [marker.as_bytes(), &[b'0'; DIGITS]].concat();
        let at = bytes.windows(wanted.len()).position(|window| window == wanted);
        let at = at.ok_or_else(|| format!("no place for a number after {marker}"))? + marker.len();
        Ok(Self { bytes, number_at: Some(at), seal: None })
    }
}

/// A request with a good answer.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Its number.
    pub number: u64,
    /// Due time.
    pub due: Instant,
    /// Time of its answer.
    pub answered: Instant,
}

/// Result of a load.
#[derive(Debug)]
pub struct Load {
    /// Requests with a good answer.
    pub samples: Vec<Sample>,
    /// Number of other requests.
    pub refused: u64,
    /// Answer to the first of those.
    pub refusal: Option<String>,
    /// Time of the first request.
    pub began: Instant,
    /// Time of the last answer.
    pub ended: Instant,
}

impl Requests {
    /// Writes the request of that number.
    fn render(&self, number: u64, into: &mut Vec<u8>) {
        let template = &self.templates[self.template_of(number)];
        into.clear();
        into.extend_from_slice(&template.bytes);
        if let Some(at) = template.number_at {
            let mut rest = number;
            for digit in into[at..at + DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        if let Some(seal) = &template.seal {
            seal.set(clock::wall_seconds(), into);
        }
    }

    /// Index of the template for a number.
    pub fn template_of(&self, number: u64) -> usize {
        (number % self.templates.len().max(1) as u64) as usize
    }
}

/// Sends requests one after another on each of some connections, for that duration.
///
/// # Errors
/// When a connection breaks.
pub async fn closed(
    address: SocketAddr,
    requests: &Arc<Requests>,
    numbers: &Arc<AtomicU64>,
    connections: usize,
    duration: Duration,
) -> Result<Load> {
    let mut senders = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let mut sender = Sender::open(address, requests).await?;
        let numbers = numbers.clone();
        senders.spawn(async move {
            while began.elapsed() < duration {
                sender.send(numbers.fetch_add(1, Ordering::Relaxed), Instant::now()).await?;
            }
            Ok(sender)
        });
    }
    gather(senders, began).await
}

/// Sends requests at a fixed rate, for that duration. Each is timed from the moment at which it was due: a server that
/// stalls is not spared the requests that would have come meanwhile.
///
/// # Errors
/// When a connection breaks.
pub async fn open(
    address: SocketAddr,
    requests: &Arc<Requests>,
    numbers: &Arc<AtomicU64>,
    rate: u32,
    duration: Duration,
) -> Result<Load> {
    let (order, orders) = mpsc::unbounded_channel();
    let orders = Arc::new(Mutex::new(orders));
    let mut senders = JoinSet::new();
    for _ in 0..OPEN_CONNECTIONS {
        let mut sender = Sender::open(address, requests).await?;
        let orders = orders.clone();
        senders.spawn(async move {
            while let Some((number, due)) = next(&orders).await {
                sender.send(number, due).await?;
            }
            Ok(sender)
        });
    }
    let numbers = numbers.clone();
    let began = Instant::now();
    let count = (f64::from(rate) * duration.as_secs_f64()) as u32;
    tokio::task::spawn_blocking(move || {
        for index in 0..count {
            let due = began + Duration::from_secs(1) * index / rate;
            clock::sleep_until(due);
            if order.send((numbers.fetch_add(1, Ordering::Relaxed), due)).is_err() {
                return;
            }
        }
    });
    gather(senders, began).await
}

type Orders = Mutex<mpsc::UnboundedReceiver<(u64, Instant)>>;

async fn next(orders: &Orders) -> Option<(u64, Instant)> {
    orders.lock().await.recv().await
}

async fn gather(mut senders: JoinSet<Result<Sender>>, began: Instant) -> Result<Load> {
    let mut load = Load { samples: Vec::new(), refused: 0, refusal: None, began, ended: began };
    while let Some(sender) = senders.join_next().await {
        let sender = sender??;
        load.samples.extend(sender.samples);
        load.refused += sender.refused;
        load.refusal = load.refusal.or(sender.refusal);
    }
    load.ended = load.samples.iter().map(|sample| sample.answered).max().unwrap_or(began);
    Ok(load)
}

/// One connection, with the results of its requests.
struct Sender {
    connection: Connection,
    requests: Arc<Requests>,
    bytes: Vec<u8>,
    samples: Vec<Sample>,
    refused: u64,
    refusal: Option<String>,
}

impl Sender {
    async fn open(address: SocketAddr, requests: &Arc<Requests>) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            requests: requests.clone(),
            bytes: Vec::new(),
            samples: Vec::new(),
            refused: 0,
            refusal: None,
        })
    }

    async fn send(&mut self, number: u64, due: Instant) -> Result<()> {
        self.requests.render(number, &mut self.bytes);
        let answer = self.connection.exchange(&self.bytes).await?;
        if answer.status == self.requests.expected {
            self.samples.push(Sample { number, due, answered: Instant::now() });
        } else {
            self.refused += 1;
            let said = || format!("{} {}", answer.status, String::from_utf8_lossy(answer.body));
            self.refusal.get_or_insert_with(said);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_into_its_template() {
        let template = |text: &str| Template { bytes: text.into(), number_at: text.find('0'), seal: None };
        let requests = Requests { templates: vec![template("a 00000000 a"), template("b")], expected: 200 };
        let mut bytes = Vec::new();
        requests.render(4_212, &mut bytes);
        assert_eq!(bytes, b"a 00004212 a");
        requests.render(5, &mut bytes);
        assert_eq!(bytes, b"b");
    }

    #[test]
    fn a_place_for_a_number_is_found_by_what_stands_before_it() {
        let template = Template::numbered(b"x=00000000&id=00000000".into(), "id=").unwrap();
        assert_eq!(template.number_at, Some(14));
        assert!(Template::numbered(b"id=0000".into(), "id=").is_err());
    }
}
