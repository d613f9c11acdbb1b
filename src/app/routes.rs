//! Subscriptions: the rules by which events go to destinations.
//!
//! Not here: the matching itself (`pipeline`).

pub mod subscriptions;
