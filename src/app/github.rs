//! GitHub connections: installation, proofs, inbound webhooks.
//!
//! Not here: the API of GitHub (`provider::github`).

pub mod connect;
pub mod inbound;
pub mod links;
