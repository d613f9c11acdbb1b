//! Events, destinations, deliveries and attempts.
//!
//! Not here: any product.

pub mod attempt;
pub mod attributes;
pub mod cloud_event;
pub mod delivery;
pub mod destination;
pub mod event;
pub mod health;
pub mod operational;
pub mod retry;
pub mod template;
