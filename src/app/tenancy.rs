//! Organisations, members, tokens, invitations, consent and quotas, and the authentication of callers.
//!
//! Not here: what the organisations connect or send.

pub mod access;
pub mod consents;
pub mod credential;
pub mod credential_checks;
pub mod identity;
pub mod invitations;
pub mod members;
pub mod oauth_states;
pub mod organisations;
pub mod quotas;
pub mod signatures;
pub mod teams;
pub mod tokens;
pub mod vault;
