//! Organisations, members, tokens, sessions, invitations, consent and quotas, the authentication of callers, and the seam of
//! connections.
//!
//! Not here: the providers that are connected, and events of the organisations.

pub mod access;
pub mod audit;
pub mod connections;
pub mod consents;
pub mod credential;
pub mod credential_checks;
pub mod frame_ancestors;
pub mod identity;
pub mod invitations;
mod log_in;
pub mod members;
pub mod oauth_states;
pub mod operators;
pub mod organisations;
pub mod portal_sessions;
pub mod quotas;
pub mod sessions;
pub mod sign_in;
pub mod signatures;
pub mod teams;
pub mod tokens;
pub mod vault;

use std::sync::Arc;

use self::{credential_checks::CredentialChecks, identity::Identity, members::Announcer, quotas::Quotas};
use super::kernel::Base;

/// Service of organisations, members, tokens and the authentication of callers.
#[derive(Clone)]
pub struct Tenancy {
    base: Base,
    identity: Arc<Identity>,
    credential_checks: Arc<CredentialChecks>,
    quotas: Quotas,
    announcer: Arc<dyn Announcer>,
}

impl Tenancy {
    /// Creates the service. `announcer` commits the events of membership.
    pub fn new(
        base: Base,
        identity: Identity,
        credential_checks: CredentialChecks,
        quotas: Quotas,
        announcer: Arc<dyn Announcer>,
    ) -> Self {
        let (identity, credential_checks) = (Arc::new(identity), Arc::new(credential_checks));
        Self { base, identity, credential_checks, quotas, announcer }
    }
}
