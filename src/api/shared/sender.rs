//! Sender of a request: the client's address, and whether it has shown a valid credential. Memory for bodies and checks
//! of credentials are limited by it.
//!
//! Not here: callers (`auth`), budgets (`budget`).

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ipnet::IpNet;
use poem::{Request, http::HeaderMap};

use super::budget::{Claim, Limits};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Sender of a request. The guard adds one to each request.
#[derive(Default)]
pub struct Sender {
    /// The client's network, if its address is known: an IPv4 address, or the /64 of an IPv6 one.
    pub client: Option<IpAddr>,
    known: AtomicBool,
    /// Held as long as the request lives.
    memory: Mutex<Option<Claim>>,
}

impl Sender {
    /// Determines the sender by the request's peer, or by `X-Forwarded-For` if the peer is a trusted proxy.
    pub fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let peer = request.remote_addr().as_socket_addr().map(|address| address.ip().to_canonical());
        let client = peer.map(|peer| network(client(peer, request.headers(), trusted)));
        Self { client, ..Self::default() }
    }

    /// Marks the sender as authenticated.
    pub fn is_known(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// Opens a claim on the memory for the request's body.
    pub fn claim(&self, limits: &Limits) -> Claim {
        let known = self.known.load(Ordering::Relaxed);
        if known { limits.verified.claim(self.client) } else { limits.unverified.claim(self.client) }
    }

    /// Keeps a claim as long as the request lives.
    pub fn keep(&self, claim: Claim) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(claim);
    }
}

/// Returns the nearest address that is not a trusted proxy's: each proxy appends its peer, so only the entries written
/// by trusted proxies are trusted.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut nearest = peer;
    if !is_trusted(&nearest) {
        return nearest;
    }
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    for written in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = written.trim().parse::<IpAddr>() else { return nearest };
        nearest = address.to_canonical();
        if !is_trusted(&nearest) {
            return nearest;
        }
    }
    nearest
}

/// One customer of a provider has a /64 at least, so addresses within one are one client.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let headers = forwarded.iter().map(|line| (FORWARDED_FOR.parse().unwrap(), line.parse().unwrap())).collect();
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        network(client(peer.parse().unwrap(), &headers, &trusted)).to_string()
    }

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
        assert_eq!(found("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
        assert_eq!(found("10.0.0.1", &["203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["1.2.3.4, 203.0.113.9, 10.9.9.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["1.2.3.4", "203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["1.2.3.4, unknown"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &["10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2");
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        assert_eq!(found("2001:db8:1:2:3:4:5:6", &[], &[]), "2001:db8:1:2::");
        assert_eq!(found("10.0.0.1", &["::ffff:203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
    }
}
