//! Tieline: a self-hosted integrations service. Five HTTP dialects over one core.
//!
//! The map, in one minute: [`api`] receives requests, [`provider`] calls upstreams, [`app`] has the use cases,
//! [`domain`] has the rules, [`store`] has the data, [`worker`] has the background work, and [`listen`] is a client.
//! [`startup`] is the only place that knows every module. Arrows point down and never sideways; `ARCHITECTURE.md` has
//! the table and `tests/tidy.rs` enforces it.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod listen;
pub mod openapi;
pub mod provider;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod worker;
