//! Signal between the processes that share a PostgreSQL: deliveries may be due.
//!
//! It is a hint and no more: what it misses is found by the poll. The channel is the database's, so a signal names its
//! schema: a database may hold several services. Not here: the claim of what is due.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use sqlx::{
    Executor,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgListener},
};
use tokio::time::timeout;

use super::{connect::unreached, fault};
use crate::{domain::Result, store::kernel::db::Db};

/// Channel of the signal.
const CHANNEL: &str = "tieline_due";
/// Silence after which the connection is checked: one that swallows everything would never say so.
const SILENCE: Duration = Duration::from_secs(30);
/// Deadline of the check.
const CHECK_DEADLINE: Duration = Duration::from_secs(5);

/// Sends the signal.
///
/// # Errors
/// When the database fails.
pub(super) async fn send(db: &Db) -> Result<()> {
    db.execute_unprepared(&format!("SELECT pg_notify('{CHANNEL}', current_schema())")).await?;
    Ok(())
}

/// Receives the signals of other processes, on a connection of its own.
pub struct Signals {
    listener: PgListener,
    schema: String,
}

impl Signals {
    pub(super) async fn listen(options: &PgConnectOptions) -> Result<Self> {
        let pool = PoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(unreached)?;
        listener.listen(CHANNEL).await.map_err(unreached)?;
        let schema = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut listener).await;
        Ok(Self { listener, schema: schema.map_err(unreached)? })
    }

    /// Waits for a signal.
    ///
    /// # Errors
    /// When the connection is lost, and signals with it.
    pub async fn next(&mut self) -> Result<()> {
        loop {
            match timeout(SILENCE, self.listener.recv()).await {
                Ok(received) => {
                    if received.map_err(unreached)?.payload() == self.schema {
                        return Ok(());
                    }
                }
                Err(_) => {
                    let checked = timeout(CHECK_DEADLINE, self.listener.execute("SELECT 1")).await;
                    checked.unwrap_or_else(|_| Err(fault::deadline_exceeded())).map_err(unreached)?;
                }
            }
        }
    }
}
