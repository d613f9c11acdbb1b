//! Clock by which leases begin and end.
//!
//! Not here: the leases themselves (`pipeline::destinations`).

/// The clock by which leases begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database's, which all processes share: one with a wrong clock of its own neither takes a lease that holds nor
    /// keeps one for longer.
    Database,
    /// The caller's. The embedded database has one process; and tests move their clock by hand.
    Caller,
}
