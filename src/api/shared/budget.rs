//! Memory for request bodies: a budget of bytes in flight, of which one client may hold a part only.
//!
//! Not here: reading bodies (`media`), the limit of one body (each operation's own).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::Semaphore;

use crate::domain::Error;

/// Callback for an exhausted budget, with its name in metrics.
pub type Exhausted = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Maximum number of long bodies that are parsed and validated at the same time.
const LONG_AT_ONCE: usize = 4;

/// Limits that the requests of all dialects share.
#[derive(Clone)]
pub struct Limits {
    /// Budget for bodies whose sender has shown no credential yet, or whose signature is not verified yet.
    pub unverified: Arc<Budget>,
    /// Budget for bodies of authenticated callers.
    pub verified: Arc<Budget>,
    /// Semaphore for parsing and validating long bodies.
    pub long: Arc<Semaphore>,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl Limits {
    /// Limits with these budgets.
    pub fn new(unverified: Budget, verified: Budget, trusted_proxies: &[IpNet]) -> Self {
        Self {
            unverified: Arc::new(unverified),
            verified: Arc::new(verified),
            long: Arc::new(Semaphore::new(LONG_AT_ONCE)),
            trusted_proxies: trusted_proxies.into(),
        }
    }

    /// Limits that refuse nothing.
    #[cfg(test)]
    pub fn unbounded() -> Self {
        let budget = || Budget::new("test", usize::MAX, 0, Arc::new(|_| {}));
        Self::new(budget(), budget(), &[])
    }
}

/// Budget of bytes in flight.
pub struct Budget {
    name: &'static str,
    total_bytes: usize,
    share_bytes: usize,
    used: Mutex<Used>,
    exhausted: Exhausted,
}

#[derive(Default)]
struct Used {
    bytes: usize,
    clients: HashMap<IpAddr, usize>,
    /// True if a refusal was logged since the budget was last half empty.
    logged: bool,
}

impl Budget {
    /// Makes a budget of `total_bytes`. One client may hold a quarter of them, and a body of `longest_bytes` in any
    /// case.
    pub fn new(name: &'static str, total_bytes: usize, longest_bytes: usize, exhausted: Exhausted) -> Self {
        let share_bytes = (total_bytes / 4).max(longest_bytes).min(total_bytes);
        Self { name, total_bytes, share_bytes, used: Mutex::default(), exhausted }
    }

    /// Opens an empty claim for a client, if its address is known.
    pub fn claim(self: &Arc<Self>, client: Option<IpAddr>) -> Claim {
        Claim { budget: self.clone(), client, bytes: 0 }
    }

    /// Bytes that are claimed at present.
    pub fn used_bytes(&self) -> usize {
        self.used().bytes
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses a claim that exceeds the budget: counted each time, logged once until the budget has capacity again.
    fn refuse(&self, used: &mut Used, client: Option<IpAddr>, wanted: usize) -> Error {
        (self.exhausted)(self.name);
        if !std::mem::replace(&mut used.logged, true) {
            let client = client.map(|client| client.to_string()).unwrap_or_default();
            let Used { bytes, .. } = *used;
            let (budget, total) = (self.name, self.total_bytes);
            tracing::warn!(budget, total, used = bytes, client, wanted, "budget for request bodies exhausted");
        }
        Error::Unavailable { what: "memory for request bodies" }
    }
}

/// Bytes of a [`Budget`] that are held until this is dropped.
pub struct Claim {
    budget: Arc<Budget>,
    client: Option<IpAddr>,
    bytes: usize,
}

impl Claim {
    /// Fails if a body of this length exceeds the budget at present.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn demand_room(&self, bytes: usize) -> Result<(), Error> {
        let mut used = self.budget.used();
        match self.fits(&used, bytes.saturating_sub(self.bytes)) {
            true => Ok(()),
            false => Err(self.budget.refuse(&mut used, self.client, bytes)),
        }
    }

    /// Grows the claim to this many bytes altogether.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the budget, or the client's share of it, is exhausted.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Error> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return Ok(()) };
        let mut used = self.budget.used();
        if !self.fits(&used, more) {
            return Err(self.budget.refuse(&mut used, self.client, bytes));
        }
        used.bytes += more;
        if let Some(client) = self.client {
            *used.clients.entry(client).or_default() += more;
        }
        self.bytes = bytes;
        Ok(())
    }

    fn fits(&self, used: &Used, more: usize) -> bool {
        let Budget { total_bytes, share_bytes, .. } = *self.budget;
        let held = self.client.and_then(|client| used.clients.get(&client)).copied().unwrap_or_default();
        used.bytes + more <= total_bytes && (self.client.is_none() || held + more <= share_bytes)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        used.bytes -= self.bytes;
        if let Some(client) = self.client
            && let Some(held) = used.clients.get_mut(&client)
        {
            *held -= self.bytes;
            if *held == 0 {
                used.clients.remove(&client);
            }
        }
        if used.bytes <= self.budget.total_bytes / 2 {
            used.logged = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn budget(total: usize, longest: usize) -> (Arc<Budget>, Arc<AtomicUsize>) {
        let refused = Arc::new(AtomicUsize::new(0));
        let count = refused.clone();
        let exhausted: Exhausted = Arc::new(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        (Arc::new(Budget::new("test", total, longest, exhausted)), refused)
    }

    fn client(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_budget_is_never_exceeded_and_comes_back() {
        let (budget, refused) = budget(100, 10);
        let mut nobody = budget.claim(None);
        nobody.grow_to(60).unwrap();
        let mut other = budget.claim(None);
        assert!(other.demand_room(41).is_err());
        other.grow_to(40).unwrap();
        assert!(other.grow_to(41).is_err());
        assert_eq!((budget.used_bytes(), refused.load(Ordering::Relaxed)), (100, 2));
        drop(nobody);
        other.grow_to(41).unwrap();
        drop(other);
        assert_eq!(budget.used_bytes(), 0);
        assert!(budget.used().clients.is_empty());
    }

    #[test]
    fn one_client_holds_a_quarter_at_most() {
        let (budget, _) = budget(100, 10);
        let (mut one, mut again, mut other) =
            (budget.claim(client(1)), budget.claim(client(1)), budget.claim(client(2)));
        one.grow_to(20).unwrap();
        again.grow_to(5).unwrap();
        assert!(again.grow_to(6).is_err());
        other.grow_to(25).unwrap();
        drop(one);
        again.grow_to(25).unwrap();
    }

    #[test]
    fn one_client_may_always_send_the_longest_body() {
        let (budget, _) = budget(100, 70);
        budget.claim(client(1)).grow_to(70).unwrap();
    }
}
