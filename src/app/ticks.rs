//! The clock of integrations that tick.

use serde_json::json;

use super::App;
use crate::{
    domain::{
        Error, Result,
        delivery::{Delivery, DeliveryState},
        event::{Event, EventSource, Fact, INTEGRATION_TICK},
        ids::DestinationId,
    },
    store,
};

impl App {
    /// Makes the ticks that are due now into events, each once in all processes together, and sets the next times. A
    /// time that was missed is made up for once. Tells how many ticked.
    ///
    /// # Errors
    /// When the database fails; what was due is due again then.
    pub async fn tick(&self, limit: u64) -> Result<usize> {
        let now = self.now();
        let tx = self.parts.store.begin().await?;
        let due = store::ticks::due(&tx, now, limit).await?;
        let mut events = Vec::with_capacity(due.len());
        let mut deliveries = Vec::with_capacity(due.len());
        for (id, due_at) in due {
            let Some((organisation_id, integration_id, used)) = store::app_integrations::find_use(&tx, id).await?
            else {
                continue;
            };
            let app = match store::app_integrations::find(&tx, organisation_id, integration_id).await {
                Ok(app) => app,
                Err(Error::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            };
            let next = if used.active && app.active { self.next_tick(&tx, &app, &used, now).await? } else { None };
            store::ticks::set(&tx, organisation_id, id, next).await?;
            if !used.active || !app.active {
                continue;
            }
            let destination = store::destinations::ensure(&tx, &self.integration_destination(&app)).await?;
            let fact = Fact {
                kind: INTEGRATION_TICK.to_owned(),
                channel_id: Some(used.channel_id),
                link_id: None,
                step_kind: None,
                step_action: None,
                visitor_id: None,
                data: json!({"integrationId": app.id, "dueAt": due_at}).into(),
            };
            let event = Event {
                id: self.parts.ambient.id(),
                organisation_id,
                source: EventSource::Channel,
                fact,
                created_at: now,
            };
            let refusal = destination.health.refusal(now).map(str::to_owned);
            let pending = refusal.is_none();
            deliveries.push(Delivery {
                id: self.parts.ambient.id(),
                organisation_id,
                event_id: event.id,
                destination_id: destination.id,
                state: if pending { DeliveryState::Pending } else { DeliveryState::Failed },
                reason: refusal,
                content: None,
                attempts: 0,
                next_attempt_at: pending.then_some(now),
                completed_at: (!pending).then_some(now),
                created_at: now,
            });
            events.push(event);
        }
        store::events::insert_many(&tx, &events).await?;
        store::deliveries::insert_many(&tx, &deliveries).await?;
        let waiting = deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Pending);
        let mut waiting: Vec<DestinationId> = waiting.map(|delivery| delivery.destination_id).collect();
        store::destinations::wake(&tx, &mut waiting, now).await?;
        tx.commit().await?;
        if !events.is_empty() {
            self.parts.bell.notify_one();
        }
        Ok(events.len())
    }
}
