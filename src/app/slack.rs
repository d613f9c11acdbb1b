//! Slack connections: installation, tokens, inbound requests, access.
//!
//! Not here: the API of Slack (`provider::slack`).

pub mod access;
pub mod commands;
pub mod connect;
pub mod connector;
pub mod inbound;
pub mod links;
pub mod matcher;
pub mod pauses;
pub mod people;
mod routes;
pub mod sender;
pub mod tokens;

use std::sync::Arc;

use super::{
    kernel::Base,
    pipeline::Pipeline,
    tenancy::{Tenancy, vault::Vault},
};
use crate::{
    domain::product::Product,
    provider::slack::{SlackClient, signature::Verifier},
};

/// Service of the organisations' Slack connections.
#[derive(Clone)]
pub struct SlackConnections {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
    vault: Arc<Vault>,
    pub(in crate::app) client: Option<SlackClient>,
    signatures: Option<Verifier>,
    product: Product,
    people: people::People,
}

impl SlackConnections {
    /// Creates the service. `slack` is the client with the verifier of inbound requests, where an app is configured.
    pub fn new(
        base: Base,
        (tenancy, pipeline): (Arc<Tenancy>, Arc<Pipeline>),
        vault: Arc<Vault>,
        slack: Option<(SlackClient, Verifier)>,
        product: Product,
    ) -> Self {
        let (client, signatures) = slack.unzip();
        Self { base, tenancy, pipeline, vault, client, signatures, product, people: people::people() }
    }
}
