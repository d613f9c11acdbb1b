//! Subscriptions.
//!
//! Not here: rules (`domain::routes`).

pub mod subscriptions;
