//! Tieline: a self-hosted integrations service. Five HTTP dialects over one core.

pub mod app;
pub mod config;
pub mod domain;
pub mod provider;
pub mod store;
pub mod worker;
