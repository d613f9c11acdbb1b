//! Rules by which events go to destinations.
//!
//! Not here: the loading of rules.

pub mod subscription;
