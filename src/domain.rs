//! Nouns and rules. Pure: no async, no I/O, no clock of its own, no HTTP, no rows.
//!
//! Whatever two dialects must agree on is decided here, once. Wire shapes live in `api`, rows in `store`.

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

pub use kernel::{
    ambient, error,
    error::{Error, Result},
    ids, page, product, rate_limit, secret,
};
