//! How one destination is sent to, by its kind. `deliver` keeps order, pace and records; a lane only sends.

use std::time::Duration;

use super::{
    Settings,
    inner::{InnerLane, Work},
    integration::IntegrationLane,
    slack::SlackLane,
};
use crate::{
    app::Services,
    domain::{
        Result,
        ambient::Time,
        ids::IntegrationId,
        pipeline::{
            delivery::{Delivery, DeliveryState, Reason, Verdict},
            destination::{Destination, DestinationKind},
            event::Event,
        },
        rate_limit::RateLimit,
    },
    store::slack::links::StoredSlackLink,
};

/// What one try was.
pub(super) struct Tried {
    pub(super) verdict: Verdict,
    pub(super) address: String,
    pub(super) request: String,
    pub(super) answer: Option<String>,
    pub(super) detail: Option<serde_json::Value>,
    pub(super) history_of: Option<IntegrationId>,
    pub(super) status_code: Option<u16>,
    pub(super) duration: Duration,
    pub(super) began: Time,
}

/// Why a delivery is not even tried.
pub(super) struct Hold {
    pub(super) state: DeliveryState,
    pub(super) reason: Reason,
}

/// The way to one destination while it is served.
pub(super) enum Lane<'a> {
    Slack(Box<SlackLane<'a>>),
    Inner(InnerLane<'a>),
    Integration(IntegrationLane<'a>),
}

impl<'a> Lane<'a> {
    pub(super) fn to(destination: &Destination, app: &'a Services, link: Option<StoredSlackLink>) -> Self {
        match destination.kind {
            DestinationKind::Slack => Lane::Slack(Box::new(SlackLane::new(app, destination, link))),
            DestinationKind::WorkflowRun => Lane::Inner(InnerLane::new(app, Work::WorkflowRun)),
            DestinationKind::Channel => Lane::Inner(InnerLane::new(app, Work::Channel)),
            DestinationKind::IncomingWebhook => Lane::Inner(InnerLane::new(app, Work::IncomingWebhook)),
            // Webhooks have a way of their own (`webhook`), which keeps no order.
            DestinationKind::Integration | DestinationKind::OutgoingWebhook => {
                Lane::Integration(IntegrationLane::new(app, destination))
            }
        }
    }

    /// How fast it may be sent to.
    pub(super) fn pace(&self, settings: &Settings) -> RateLimit {
        match self {
            Lane::Slack(_) => settings.slack_pace,
            Lane::Inner(_) | Lane::Integration(_) => RateLimit { interval: Duration::ZERO, burst: 1 },
        }
    }

    /// Whether a delivery may be sent now: what was set up may have changed since its event was accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn check(&mut self, delivery: &Delivery, event: &Event) -> Result<Option<Hold>> {
        match self {
            Lane::Slack(lane) => lane.check(delivery, event).await,
            Lane::Inner(_) | Lane::Integration(_) => Ok(None),
        }
    }

    /// Sends one delivery that was just checked.
    pub(super) async fn send(&mut self, delivery: &Delivery, event: &Event) -> Tried {
        match self {
            Lane::Slack(lane) => lane.send(delivery, event).await,
            Lane::Inner(lane) => lane.send(event).await,
            Lane::Integration(lane) => lane.send(delivery, event).await,
        }
    }

    /// Tells the application that the far end refuses us for good.
    pub(super) async fn connection_died(&self, verdict: &Verdict) {
        match self {
            Lane::Slack(lane) => lane.connection_died(verdict).await,
            Lane::Inner(_) | Lane::Integration(_) => {}
        }
    }
}
