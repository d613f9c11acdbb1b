//! What we remember: sea-orm, one file an aggregate. Conversion between rows and the domain lives here, rules do not.
//!
//! Every finder of a tenant's thing takes the organisation's id. Functions take a connection or a [`Tx`], so that `app`
//! decides what belongs to one transaction without naming the database library.

pub mod app_integrations;
pub mod audit;
mod batches;
pub mod bots;
mod breaker;
pub mod channel_keys;
pub mod channels;
pub mod connect;
mod db;
pub mod deliveries;
pub mod destinations;
pub mod directory;
pub mod events;
mod fault;
pub mod github_installations;
pub mod github_links;
pub mod housekeeping;
pub mod integrations;
pub mod members;
pub mod oauth_states;
pub mod organisations;
mod placeholders;
pub mod readiness;
pub mod settings;
pub mod slack_links;
pub mod slack_threads;
pub mod subscriptions;
pub mod tenant_keys;
pub mod ticks;
pub mod tokens;
pub mod webhook_history;
pub mod webhook_integrations;
pub mod workflows;

use sea_orm::{DbErr, SqlErr};

pub use connect::{Limits, Store};
pub use db::{Db, Tx};

use crate::domain::Error;

/// Whether a unique index refused the row.
fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// A text in the database that only this service writes, and that it cannot read any more.
fn corrupt(table: &str, column: &str, error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("{table}.{column} holds a value this version does not know: {error}"))
}
