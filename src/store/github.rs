//! GitHub installations and links.
//!
//! Not here: GitHub's API.

pub mod installations;
pub mod links;
