//! A stand-in for Slack and for GitHub: a real HTTP server that behaves as they do, for demos, tests and benches.
//!
//! It is never part of the product. The product reaches it as it reaches the real ones, over HTTP, by pointing its base
//! addresses at it, so nothing in the product knows that Slack and GitHub are not there.
//!
//! - [`options`]: names and secrets of the stand-in apps.
//! - [`server`]: listening, stopping, and the list of routes.
//! - `world`: the whole state, with its clock, its log of calls and its faults.
//! - `slack`, `github`: the providers. Nothing in there knows of the control API.
//! - `keep`: the file in which the world outlives the process.
//! - `oidc`: an identity provider.
//! - `connections`: the layer below HTTP, so that a fault can break it.
//! - `control`: the API by which a test or a demo arranges the world. The real ones have nothing like it.
//! - `page`, `params`, `ids`, `loopback`, `tls`: code shared by both providers.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod calls;
mod clock;
mod connections;
mod control;
mod faults;
mod github;
mod ids;
mod keep;
mod loopback;
mod oidc;
pub mod options;
mod page;
mod params;
pub mod server;
mod slack;
#[cfg(test)]
mod tests;
mod tls;
mod world;

pub use options::Options;
pub use server::Standin;
