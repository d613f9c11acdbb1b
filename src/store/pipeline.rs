//! Events, destinations, deliveries, attempts and their retention.
//!
//! Not here: any product.

pub mod deliveries;
pub mod destinations;
pub mod events;
pub mod gauges;
pub mod housekeeping;
pub mod outbox;
pub mod overview;
pub mod partitions;
pub mod records;
pub mod retry_schedules;
pub mod workers;
