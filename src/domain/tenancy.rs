//! Organisations, members, roles, tokens and OAuth states.
//!
//! Not here: connections of an organisation.

pub mod member;
pub mod oauth;
pub mod organisation;
pub mod token;
