//! Organisations, members, roles, tokens, sessions, OAuth states, operators, and what all
//! connections have in common.
//!
//! Not here: the settings of connections.

pub mod connection;
pub mod member;
pub mod oauth;
pub mod operator;
pub mod organisation;
pub mod session;
pub mod token;
