//! GitHub connections: installation, proofs, inbound webhooks.
//!
//! Not here: the API of GitHub (`provider::github`).

pub mod commands;
pub mod connect;
pub mod connector;
pub mod contents;
pub mod inbound;
pub mod links;

use std::sync::Arc;

use super::{kernel::Base, pipeline::Pipeline, tenancy::Tenancy};
use crate::provider::github::{GithubClient, signature::Verifier};

/// Service of the organisations' GitHub connections.
#[derive(Clone)]
pub struct GithubConnections {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
    pub(in crate::app) client: Option<GithubClient>,
    signatures: Option<Verifier>,
}

impl GithubConnections {
    /// Creates the service. `github` is the client with the verifier of inbound requests, where an app is configured.
    pub fn new(
        base: Base,
        (tenancy, pipeline): (Arc<Tenancy>, Arc<Pipeline>),
        github: Option<(GithubClient, Verifier)>,
    ) -> Self {
        let (client, signatures) = github.unzip();
        Self { base, tenancy, pipeline, client, signatures }
    }
}
