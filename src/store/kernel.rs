//! Connections, transactions, migrations and the faults of the database.
//!
//! Not here: any table but that of the readiness probe.

pub mod arrays;
pub mod batches;
pub mod breaker;
pub mod columns;
pub mod connect;
pub mod copies;
pub mod ctes;
pub mod db;
pub mod directory;
pub mod fault;
pub mod lease_clock;
pub mod placeholders;
#[cfg(test)]
pub mod plan;
mod pool;
pub mod readiness;
pub mod search;
pub mod signal;
