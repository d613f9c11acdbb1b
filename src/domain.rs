//! Nouns and rules. Pure: no async, no I/O, no clock of its own, no HTTP, no rows.
//!
//! Whatever two dialects must agree on is decided here, once. Wire shapes live in `api`, rows in `store`.

pub mod ambient;
pub mod app_integration;
pub mod call;
pub mod channel;
pub mod definition;
pub mod delivery;
pub mod descriptor;
pub mod destination;
pub mod error;
pub mod event;
pub mod github;
pub mod github_link;
pub mod ids;
pub mod integration;
pub mod member;
pub mod message;
pub mod oauth;
pub mod organisation;
pub mod page;
pub mod product;
pub mod registry;
pub mod schedule;
pub mod script;
pub mod secret;
pub mod setting;
pub mod slack;
pub mod slack_link;
pub mod subscription;
pub mod token;
pub mod webhook_integration;
pub mod workflow;

pub use error::{Error, Result};
