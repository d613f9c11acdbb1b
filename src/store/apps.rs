//! Installed apps, settings, ticks and cards.
//!
//! Not here: versions of the registry.

pub mod cards;
pub mod installations;
pub mod keys;
pub mod settings;
pub mod ticks;
