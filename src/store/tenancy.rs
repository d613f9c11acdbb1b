//! Organisations, members, tokens, sessions, tenant keys, OAuth states, operators and the audit log.
//!
//! Not here: connections of an organisation.

pub mod audit;
pub mod frame_ancestors;
pub mod members;
pub mod oauth_states;
pub mod operators;
pub mod organisations;
pub mod sessions;
pub mod tenant_keys;
pub mod tokens;
