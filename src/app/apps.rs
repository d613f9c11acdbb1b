//! Apps: installation by descriptor, settings, calls, use in channels, ticks.
//!
//! Not here: the registry of versions.

pub mod calls;
pub mod cards;
pub mod channel_apps;
pub mod consents;
pub mod descriptors;
pub mod installations;
pub mod messages;
pub mod settings;
pub mod ticks;
