//! Loops of the engine: deliveries are dispatched, schedules tick, old rows are removed.
//!
//! A worker claims due destinations under a lease, sends their deliveries, and records the outcomes. The lease is for
//! efficiency; truth is at-least-once. Each kind of work is a step that tests can take alone; the loops around them only
//! wait. Not here: the kinds of destination, which register as senders (`app::pipeline::sender`).
//!
//! - [`dispatcher`]: claims; `serving`: the deliveries of one destination, and `inboxes`: those that come meanwhile;
//!   [`slots`]: bounds of the deliveries in flight, so that no organisation takes them all; [`recorder`]: records and
//!   releases.
//! - [`clock`]: schedules. [`housekeeping`]: retention.

pub mod clock;
pub mod dispatcher;
pub mod heartbeat;
pub mod housekeeping;
mod inboxes;
pub mod recorder;
mod serving;
pub mod signals;
pub mod slots;
mod takeover;
mod timers;

use std::time::Duration;

use crate::domain::pipeline::{health::HealthRules, retry::RetrySchedule};

/// Number of deliveries of one destination that are loaded at once, unless a test says otherwise.
pub const LOAD: usize = 32;

/// Settings of a worker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of the deliveries in flight.
    pub limits: slots::Limits,
    /// Number of deliveries of one destination that are loaded at once.
    pub load: usize,
    /// Duration of an attempt from which on its destination is in the slow class.
    pub slow_after: Duration,
    /// Longest lease of a destination.
    pub lease: Duration,
    /// Interval at which an idle worker polls.
    pub poll: Duration,
    /// Time limit of in-flight deliveries when the service stops.
    pub shutdown_grace: Duration,
    /// Retry schedule of destinations that have none of their own.
    pub retry: RetrySchedule,
    /// Rules of the health of destinations.
    pub health: HealthRules,
}
