//! Persistence with sea-orm, one file an aggregate, and the conversion between rows and the domain.
//!
//! Not here: rules. Every finder of a tenant's resource takes the organisation's id. Functions take a connection or a
//! [`Tx`], so that `app` decides what belongs to one transaction without naming the database library.

pub mod apps;
pub mod channels;
pub mod github;
pub mod kernel;
pub mod pipeline;
pub mod registry;
pub mod routes;
pub mod slack;
pub mod tenancy;
pub mod webhooks;
pub mod workflows;

use sea_orm::{DbErr, SqlErr};

pub use kernel::{
    connect::{Limits, Store},
    db::{Db, Reads, Tx},
};

use crate::domain::Error;

/// Returns true if a unique index refused the row.
fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Returns the error for a stored value, written by this service, that this version cannot read.
fn corrupt(table: &str, column: &str, error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("{table}.{column} holds a value this version does not know: {error}"))
}
