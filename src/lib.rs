//! Tieline: a self-hosted integrations service. Five HTTP dialects over one core.
//!
//! The map, in one minute: [`api`] is what others speak to us, [`provider`] is how we speak to others, [`app`] is
//! what we do, [`domain`] is what is true, [`store`] is what we remember, [`worker`] is what happens later.
//! [`startup`] is the only place that knows everyone. Arrows point down and never sideways; `ARCHITECTURE.md` has the
//! table and `tests/tidy.rs` enforces it.

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod openapi;
pub mod provider;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod worker;
