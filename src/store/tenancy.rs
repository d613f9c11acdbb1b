//! Organisations, members, tokens, tenant keys, OAuth states and the audit log.
//!
//! Not here: connections of an organisation.

pub mod audit;
pub mod members;
pub mod oauth_states;
pub mod organisations;
pub mod tenant_keys;
pub mod tokens;
