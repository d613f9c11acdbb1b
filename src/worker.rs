//! What happens later: deliveries are sent, old things are removed.
//!
//! A worker claims due destinations under a lease, sends what waits there in order, and records what came of it. The
//! lease is for efficiency; truth is at-least-once. Each kind of work is a step that tests can take by themselves; the
//! loops around them only wait.
//!
//! Who does what: [`deliver`] claims and serves destinations by their `lane`, [`slack`] sends one delivery to Slack,
//! `integration` calls an integration, `inner` does what is ours, [`tick`] looks at the clock, [`record`] writes down what came of it, [`housekeeping`]
//! removes what is old. [`slots`] bounds the deliveries in flight, so that no organisation takes them all.

pub mod deliver;
pub mod housekeeping;
mod inner;
mod integration;
mod lane;
pub mod record;
pub mod slack;
pub mod slots;
pub mod tick;
mod webhook;

use std::time::Duration;

use crate::domain::{pipeline::delivery::RetryPolicy, rate_limit::RateLimit};

/// How the workers work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of the deliveries in flight.
    pub limits: slots::Limits,
    /// Duration of a try from which on its destination is in the slow class.
    pub slow_after: Duration,
    /// How long a destination may be held.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again.
    pub poll: Duration,
    /// How long what has begun may take when the service stops.
    pub shutdown_grace: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How fast a Slack channel is sent to.
    pub slack_pace: RateLimit,
}
