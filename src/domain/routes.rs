//! Rules that decide on the delivery of events to destinations.
//!
//! Not here: the loading of rules.

pub mod condition;
pub mod glob;
pub mod route;
pub mod rule;
pub mod workflow_step;
