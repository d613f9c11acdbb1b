//! Routes: the rules by which events go to destinations. Today these are subscriptions.
//!
//! Not here: the matching itself (`pipeline`).

pub mod subscriptions;

use std::sync::Arc;

use super::{kernel::Base, pipeline::Pipeline, tenancy::Tenancy};

/// Service of subscriptions.
#[derive(Clone)]
pub struct Routes {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
}

impl Routes {
    /// Creates the service.
    pub fn new(base: Base, tenancy: Arc<Tenancy>, pipeline: Arc<Pipeline>) -> Self {
        Self { base, tenancy, pipeline }
    }
}
