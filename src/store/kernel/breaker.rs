//! The circuit breaker before PostgreSQL: while the database is down, statements are refused at once instead of each
//! waiting for its own deadline, and one half-open probe at a time checks the recovery.
//!
//! Not here: the decision that an error means "down" (`fault`).

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, Executor, postgres::PgConnectOptions};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

/// Backoff before the first half-open probe, which doubles up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);
/// Deadline of a probe: a connection of its own and one statement on it.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

/// Lets statements through (closed) or refuses them (open). Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::store) struct Breaker {
    /// `None`: never opens, as for a database in a file, which answers every statement by itself.
    circuit: Option<Arc<Circuit>>,
}

#[derive(Debug)]
struct Circuit {
    open: watch::Sender<bool>,
    /// The last time it opened: older connections are not trusted.
    opened_at: Mutex<Option<Instant>>,
    target: PgConnectOptions,
}

impl Breaker {
    /// Returns a breaker that never opens.
    pub(in crate::store) fn none() -> Self {
        Self { circuit: None }
    }

    /// Returns a closed breaker before a PostgreSQL.
    pub(in crate::store) fn before(target: PgConnectOptions) -> Self {
        let (open, _) = watch::channel(false);
        Self { circuit: Some(Arc::new(Circuit { open, opened_at: Mutex::default(), target })) }
    }

    /// Waits for a connection, and is refused as soon as the circuit is open.
    pub(in crate::store) async fn admit<T>(
        &self,
        connection: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let Some(circuit) = &self.circuit else { return connection.await };
        let mut open = circuit.open.subscribe();
        tokio::select! {
            biased;
            _ = open.wait_for(|open| *open) => Err(refused()),
            connection = connection => connection,
        }
    }

    /// Returns true if a connection of this age existed before the circuit last opened.
    pub(in crate::store) fn is_suspect(&self, age: Duration) -> bool {
        let Some(circuit) = &self.circuit else { return false };
        let opened_at = *circuit.opened_at.lock().unwrap_or_else(PoisonError::into_inner);
        opened_at.is_some_and(|at| at.elapsed() <= age)
    }

    /// Opens the circuit, if it is closed, until a probe is answered. The caller has classified `cause` as "down".
    pub(in crate::store) fn trip(&self, cause: &sqlx::Error) {
        let Some(circuit) = &self.circuit else { return };
        if circuit.open.send_replace(true) {
            return;
        }
        // A pool without a free connection proves nothing about the connections in use.
        if !matches!(cause, sqlx::Error::PoolTimedOut) {
            *circuit.opened_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        tracing::error!(%cause, "circuit open: statements are refused until the database answers a probe");
        tokio::spawn(circuit.clone().probe_until_closed());
    }
}

impl Circuit {
    async fn probe_until_closed(self: Arc<Self>) {
        let (since, mut backoff) = (Instant::now(), FIRST_BACKOFF);
        loop {
            sleep(backoff).await;
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
            match timeout(PROBE_DEADLINE, self.probe()).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => tracing::debug!(%error, "the half-open probe of the database failed"),
                Err(_) => tracing::debug!("the half-open probe of the database timed out"),
            }
        }
        self.open.send_replace(false);
        let down_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(down_ms, "circuit closed: the database answers again");
    }

    async fn probe(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.target.connect().await?;
        connection.execute("SELECT 1").await?;
        connection.close().await
    }
}

/// The error of a statement that the breaker refuses.
fn refused() -> sqlx::Error {
    sqlx::Error::PoolClosed
}
