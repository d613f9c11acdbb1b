//! Slack connections: installation, tokens, inbound requests, access.
//!
//! Not here: the API of Slack (`provider::slack`).

pub mod access;
pub mod connect;
pub mod inbound;
pub mod links;
pub mod tokens;
