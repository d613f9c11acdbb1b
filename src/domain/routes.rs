//! Rules that decide on the delivery of events to destinations.
//!
//! Not here: the loading of rules.

pub mod subscription;
pub mod workflow_step;
