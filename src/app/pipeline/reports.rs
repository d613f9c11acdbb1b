//! Reports of exhausted deliveries, of the health of destinations and of connections: each is an operational event, a
//! log line and a metric.
//!
//! Not here: the rules of health (`domain::pipeline::health`), the contents of the events
//! (`domain::pipeline::operational`).

use super::{Pipeline, intake::NewEvent};
use crate::{
    app::kernel::metrics::Metrics,
    domain::{
        Result,
        ids::OrganisationId,
        pipeline::{
            delivery::Delivery,
            destination::{Destination, Health},
            event::{Event, Fact},
            operational,
        },
        trace::Traceparent,
    },
    store::Tx,
};

/// Report of one change.
#[derive(Clone, Debug)]
pub struct Report {
    organisation_id: OrganisationId,
    subject: Subject,
    /// True if the delivery of an operational event led to it.
    is_operational: bool,
}

#[derive(Clone, Debug)]
enum Subject {
    Exhausted { destination: Destination, delivery: Box<Delivery>, event_type: String, trace: Option<Traceparent> },
    Health(Destination),
    Connection { provider: &'static str, name: String, lost: Option<String> },
}

impl Report {
    /// Creates the report of a delivery that failed permanently.
    pub fn exhausted(destination: &Destination, delivery: &Delivery, event: &Event) -> Self {
        Self {
            organisation_id: event.organisation_id,
            subject: Subject::Exhausted {
                destination: destination.clone(),
                delivery: Box::new(delivery.clone()),
                event_type: event.fact.kind.clone(),
                trace: event.trace,
            },
            is_operational: operational::is_operational(&event.source),
        }
    }

    /// Creates the report of a new health, which `destination` has. `is_operational` where the delivery of an
    /// operational event led to it.
    pub fn health(destination: Destination, is_operational: bool) -> Self {
        let organisation_id = destination.organisation_id;
        Self { organisation_id, subject: Subject::Health(destination), is_operational }
    }

    /// Creates the report of a connection that is `lost`, with the reason, or restored.
    pub fn connection(
        organisation_id: OrganisationId,
        provider: &'static str,
        name: &str,
        lost: Option<String>,
    ) -> Self {
        let subject = Subject::Connection { provider, name: name.to_owned(), lost };
        Self { organisation_id, subject, is_operational: false }
    }

    fn fact(&self) -> Fact {
        match &self.subject {
            Subject::Exhausted { destination, delivery, event_type, .. } => {
                operational::delivery_exhausted(destination, delivery, event_type)
            }
            Subject::Health(destination) => operational::health_changed(destination),
            Subject::Connection { provider, name, lost } => {
                operational::connection_changed(provider, name, lost.as_deref())
            }
        }
    }

    /// Logs and counts it.
    fn publish(&self, metrics: &Metrics) {
        let organisation = self.organisation_id;
        match &self.subject {
            Subject::Exhausted { destination, delivery, event_type, trace } => {
                metrics.exhausted(destination.kind.as_str());
                tracing::warn!(
                    %organisation, destination = %destination.id, kind = destination.kind.as_str(),
                    delivery = %delivery.id, event = %delivery.event_id, event_type, attempts = delivery.attempts,
                    reason = delivery.reason, trace_id = trace.map(|trace| trace.trace_id()), "delivery exhausted"
                );
            }
            Subject::Health(Destination { id, kind, health, .. }) => {
                metrics.health_change(health.as_str());
                let kind = kind.as_str();
                match health {
                    Health::Healthy => tracing::info!(%organisation, destination = %id, kind, "destination healthy"),
                    Health::Failing { reason, since, .. } => {
                        tracing::warn!(%organisation, destination = %id, kind, reason, %since, "destination failing");
                    }
                    Health::Disabled { reason, since } => {
                        tracing::warn!(%organisation, destination = %id, kind, reason, %since, "destination disabled");
                    }
                }
            }
            Subject::Connection { provider, name, lost: Some(reason) } => {
                tracing::warn!(%organisation, provider, connection = name, reason, "connection lost");
            }
            Subject::Connection { provider, name, lost: None } => {
                tracing::info!(%organisation, provider, connection = name, "connection restored");
            }
        }
    }
}

impl Pipeline {
    /// Commits a transaction together with the operational events of its changes, and then logs and counts them. What
    /// the delivery of an operational event led to makes no other one: its reports end here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit_reports(&self, tx: Tx, reports: &[Report]) -> Result<()> {
        let told = reports.iter().filter(|report| !report.is_operational);
        let events: Vec<NewEvent> =
            told.map(|report| NewEvent::plain(report.organisation_id, operational::TIELINE, report.fact())).collect();
        match events.is_empty() {
            true => tx.commit().await?,
            false => self.commit_events(tx, events).await?,
        }
        reports.iter().for_each(|report| report.publish(&self.base.metrics));
        Ok(())
    }
}
