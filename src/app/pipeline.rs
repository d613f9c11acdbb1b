//! Intake of events, their matching and the deliveries that come out of it.
//!
//! Not here: the products that are delivered to.

pub mod deliveries;
pub mod events;
pub mod group_commit;
pub mod health;
pub mod intake;
pub mod matching;
pub mod sender;
pub mod ticker;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;

use self::{
    events::Accepted,
    health::Readiness,
    intake::{Arrival, Intake, Passed},
};
use super::{Caller, kernel::Base, tenancy::members::Announcer};
use crate::{
    domain::{
        Result,
        ids::ChannelId,
        pipeline::event::{Fact, MEMBER_CREATED},
        tenancy::member::Member,
    },
    store::Tx,
};

/// Service of events and deliveries.
#[derive(Clone)]
pub struct Pipeline {
    base: Base,
    intake: Arc<Intake>,
    readiness: Arc<Readiness>,
    channels: Arc<dyn ChannelPolicy>,
    idempotency_lifetime: Duration,
}

/// Rule of channels for the events that flow through them.
#[async_trait]
pub trait ChannelPolicy: Send + Sync {
    /// Fails where the caller may not see a channel.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound).
    async fn require_visible(&self, caller: &Caller, id: ChannelId) -> Result<()>;

    /// Fails where the caller may not post in a channel.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound), and
    /// [`Error::FailedPrecondition`](crate::domain::Error::FailedPrecondition) for one that is archived.
    async fn require_open(&self, caller: &Caller, id: ChannelId) -> Result<()>;
}

#[async_trait]
impl Announcer for Pipeline {
    async fn commit_new_member(&self, tx: Tx, member: &Member) -> Result<()> {
        let fact = Fact::plain(MEMBER_CREATED, None, json!({"user": member.event_data()}));
        self.commit_telling(tx, member.organisation_id, fact).await
    }
}

impl Pipeline {
    /// Creates the service. An `Idempotency-Key` is remembered for `idempotency_lifetime`.
    pub fn new(base: Base, channels: Arc<dyn ChannelPolicy>, idempotency_lifetime: Duration) -> Self {
        let Base { store, ambient, bell, metrics, .. } = base.clone();
        let intake = Arc::new(Intake::start(store, ambient, bell, metrics));
        let readiness = Arc::new(Readiness::new(&base.ambient));
        Self { base, intake, readiness, channels, idempotency_lifetime }
    }

    /// Accepts an event; it is durable when this returns. Of two with the same key, the second waits for the first.
    ///
    /// # Errors
    /// As [`Intake::accept`].
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted> {
        self.intake.accept(arrival).await
    }

    pub(in crate::app) async fn accept_after(&self, arrival: Arrival, passed: Vec<Passed>) -> Result<Accepted> {
        self.intake.accept_after(arrival, passed).await
    }
}
