//! Nouns and rules of the core. Pure: no async, no I/O, no clock of its own.
//!
//! Rules that two dialects share are decided here, once. Not here: wire shapes (`api`), rows (`store`).

pub mod apps;
pub mod channels;
pub mod email;
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
    ids, page, product, rate_limit, search, secret, trace,
};
