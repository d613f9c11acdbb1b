//! The ground that every service stands on: counters and rate limits of this process.
//!
//! Not here: anything that belongs to a room.

pub mod metrics;
pub mod throttle;
