//! The bound on open connections, in all and for each client.
//!
//! Where it is reached, the connection that has waited longest for a request makes room, as a slow or idle client costs
//! less to lose than one that has something to ask. Requests in flight are never cut for it. Deadlines are not in here.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Limits, watch::Watch};
use crate::app::kernel::metrics::Metrics;

/// Least time between two log lines that say the same.
const QUIET: Duration = Duration::from_secs(10);

/// The bound that a connection has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// `server.max_connections`.
    Total,
    /// `server.max_connections_per_address`.
    Address,
}

/// Counts open connections and admits new ones.
pub(super) struct Gate {
    limits: Arc<Limits>,
    metrics: Metrics,
    seats: Mutex<Seats>,
    freed: Notify,
    notices: [Notice; 2],
}

#[derive(Default)]
struct Seats {
    next: u64,
    open: HashMap<u64, Seat>,
    /// Connections of each client that is bounded.
    clients: HashMap<IpAddr, usize>,
}

struct Seat {
    client: Option<IpAddr>,
    watch: Arc<Watch>,
    displaced: CancellationToken,
}

/// An open connection's seat, free again when it is dropped.
pub(super) struct Ticket {
    /// The state of the connection.
    pub(super) watch: Arc<Watch>,
    /// Cancelled where the connection has to make room.
    pub(super) displaced: CancellationToken,
    gate: Arc<Gate>,
    seat: u64,
}

enum Attempt {
    Admitted(u64, Seat),
    /// A connection was asked to make room.
    Displaced(Bound),
    Full(Bound),
}

impl Gate {
    /// Makes a gate without connections.
    pub(super) fn new(limits: Arc<Limits>, metrics: Metrics) -> Arc<Self> {
        let (seats, freed, notices) = Default::default();
        Arc::new(Self { limits, metrics, seats, freed, notices })
    }

    /// Admits a connection, and waits for the one that makes room for it where there is none.
    ///
    /// # Errors
    /// The bound, where it is reached and every connection has a request in flight.
    pub(super) async fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Ticket, Bound> {
        let client = self.client(address);
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            match self.attempt(client) {
                Attempt::Admitted(seat, Seat { watch, displaced, .. }) => {
                    self.metrics.connections(1);
                    return Ok(Ticket { watch, displaced, gate: self.clone(), seat });
                }
                Attempt::Displaced(bound) => {
                    self.report(bound, address);
                    freed.await;
                }
                Attempt::Full(bound) => return Err(bound),
            }
        }
    }

    /// Closes the connection that has waited longest for a request, where there is one.
    pub(super) fn make_room(&self) {
        self.seats().displace(Bound::Total, |_| true);
    }

    fn attempt(&self, client: Option<IpAddr>) -> Attempt {
        let mut seats = self.seats();
        let held = client.and_then(|client| seats.clients.get(&client)).copied().unwrap_or_default();
        if held >= self.limits.connections_per_address {
            return seats.displace(Bound::Address, |seat| seat.client == client);
        }
        if seats.open.len() >= self.limits.connections {
            return seats.displace(Bound::Total, |_| true);
        }
        seats.next += 1;
        let (number, watch, displaced) = (seats.next, Arc::default(), CancellationToken::new());
        seats.open.insert(number, Seat { client, watch: Arc::clone(&watch), displaced: displaced.clone() });
        if let Some(client) = client {
            *seats.clients.entry(client).or_default() += 1;
        }
        Attempt::Admitted(number, Seat { client, watch, displaced })
    }

    /// Counts a connection that was closed or refused because of a bound, and logs it at a limited rate.
    pub(super) fn report(&self, bound: Bound, address: IpAddr) {
        let (reason, setting, limit, notice) = match bound {
            Bound::Total => ("limit", "server.max_connections", self.limits.connections, &self.notices[0]),
            Bound::Address => (
                "address_limit",
                "server.max_connections_per_address",
                self.limits.connections_per_address,
                &self.notices[1],
            ),
        };
        self.metrics.connection_closed(reason);
        if let Some(unsaid) = notice.due() {
            tracing::warn!(
                setting, limit, %address, unsaid,
                "too many connections: the one that waited longest for a request was closed, or the new one refused"
            );
        }
    }

    /// Returns the client that an address is counted under; `None` for a trusted proxy. One IPv6 customer has 2^64
    /// addresses, so that a /64 network is one client.
    fn client(&self, address: IpAddr) -> Option<IpAddr> {
        let address = address.to_canonical();
        if self.limits.trusted.iter().any(|network| network.contains(&address)) {
            return None;
        }
        Some(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() >> 64 << 64).into(),
        })
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// Asks the connection that has waited longest for a request to make room.
    fn displace(&self, bound: Bound, concerns: impl Fn(&Seat) -> bool) -> Attempt {
        let waiting = self.open.values().filter(|seat| concerns(seat) && !seat.displaced.is_cancelled());
        let since = waiting.filter_map(|seat| Some((seat.watch.waiting_since()?, seat)));
        match since.min_by_key(|(since, _)| *since) {
            Some((_, seat)) => {
                seat.displaced.cancel();
                Attempt::Displaced(bound)
            }
            None => Attempt::Full(bound),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut seats = self.gate.seats();
        let client = seats.open.remove(&self.seat).and_then(|seat| seat.client);
        if let Some(client) = client
            && let Some(held) = seats.clients.get_mut(&client)
        {
            *held -= 1;
            if *held == 0 {
                seats.clients.remove(&client);
            }
        }
        drop(seats);
        self.gate.metrics.connections(-1);
        self.gate.freed.notify_waiters();
    }
}

/// A log line that is written at most once in ten seconds.
#[derive(Default)]
pub(super) struct Notice(Mutex<(Option<Instant>, u64)>);

impl Notice {
    /// Number of times that it was left out since it was last written, where it is to be written now.
    pub(super) fn due(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, unsaid) = &mut *state;
        if last.is_some_and(|last| last.elapsed() < QUIET) {
            *unsaid += 1;
            return None;
        }
        *last = Some(Instant::now());
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(connections: usize, connections_per_address: usize) -> Arc<Gate> {
        let limits = Limits {
            connections,
            connections_per_address,
            trusted: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            header_bytes: 1 << 15,
            header_timeout: QUIET,
            idle_timeout: QUIET,
            body_timeout: QUIET,
            body_bytes_per_second: 1,
            write_timeout: QUIET,
        };
        Gate::new(Arc::new(limits), Metrics::default())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        let gate = gate(100, 1);
        let busy = async |text: &str| {
            let ticket = gate.admit(address(text)).await;
            ticket.map(|ticket| (ticket.watch.begin(), ticket))
        };
        let _held = [busy("192.0.2.1").await.unwrap(), busy("2001:db8:0:1::1").await.unwrap()];
        for same in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0:1:ffff::2"] {
            assert_eq!(busy(same).await.err(), Some(Bound::Address), "{same}");
        }
        for other in ["192.0.2.2", "2001:db8:0:2::1"] {
            assert!(busy(other).await.is_ok(), "{other}");
        }
        let trusted = [busy("127.0.0.1").await, busy("127.0.0.1").await, busy("::1").await, busy("::1").await];
        assert!(trusted.iter().all(Result::is_ok), "proxies are not bounded");
        assert!(gate.seats().clients.len() == 2, "what is closed is forgotten");
    }

    #[tokio::test]
    async fn the_one_that_waited_longest_makes_room() {
        let gate = gate(2, 2);
        let busy = gate.admit(address("192.0.2.1")).await.unwrap();
        let serving = busy.watch.begin();
        let idle = gate.admit(address("192.0.2.2")).await.unwrap();
        let displaced = idle.displaced.clone();
        let ending = tokio::spawn(async move { idle.displaced.cancelled().await });
        let third = gate.admit(address("192.0.2.3")).await.unwrap();
        ending.await.unwrap();
        assert!(displaced.is_cancelled() && !busy.displaced.is_cancelled());
        let also_busy = third.watch.begin();
        assert_eq!(gate.admit(address("192.0.2.4")).await.err(), Some(Bound::Total));
        drop((serving, also_busy, busy));
        assert!(gate.admit(address("192.0.2.4")).await.is_ok());
    }

    #[test]
    fn a_notice_is_given_once_and_then_counted() {
        let notice = Notice::default();
        assert_eq!((notice.due(), notice.due(), notice.due()), (Some(0), None, None));
    }
}
