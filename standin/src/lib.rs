//! A stand-in for Slack: a real HTTP server that behaves as Slack does, for demos, tests and benches.
//!
//! It is never part of the product. The product reaches it as it reaches Slack, over HTTP, by pointing its three Slack
//! base addresses at it, so nothing in the product knows that Slack is not there.
//!
//! - [`options`]: what the stand-in app is called and which secrets it uses.
//! - [`server`]: listening, stopping, and the list of routes.
//! - `world`: everything that is remembered, with its clock, its log of calls and its faults.
//! - `slack`: Slack itself. Nothing in there knows of the control API.
//! - `connections`: what is below HTTP, so that a fault can break it.
//! - `control`: the API by which a test or a demo arranges the world. Slack has nothing like it.
//! - `page`: what the browser pages have in common.
//!
//! A second provider goes beside `slack`, under a web root of its own.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod calls;
mod clock;
mod connections;
mod control;
mod faults;
pub mod options;
mod page;
pub mod server;
mod slack;
#[cfg(test)]
mod tests;
mod world;

pub use options::Options;
pub use server::Standin;
