//! Intake of events, their matching and the deliveries that come out of it.
//!
//! Not here: the products that are delivered to.

pub mod deliveries;
pub mod events;
pub mod group_commit;
pub mod health;
pub mod intake;
pub mod matching;
