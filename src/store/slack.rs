//! Slack links and threads.
//!
//! Not here: Slack's API.

pub mod links;
pub mod threads;
