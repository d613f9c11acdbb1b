//! Apps, their descriptors, settings, calls and schedules.
//!
//! Not here: versions of the registry.

pub mod app;
pub mod call;
pub mod card;
pub mod descriptor;
pub mod destination;
pub mod key;
pub mod schedule;
pub mod setting;
