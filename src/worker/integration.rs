//! Sends deliveries to an integration: published messages, and ticks.

use super::lane::Tried;
use crate::{
    app::{Services, apps::calls::Called},
    domain::{
        ids::IntegrationId,
        pipeline::{delivery::Delivery, destination::Destination, event::Event},
    },
};

/// The way to one integration.
pub(super) struct IntegrationLane<'a> {
    app: &'a Services,
    id: Option<IntegrationId>,
}

impl<'a> IntegrationLane<'a> {
    pub(super) fn new(app: &'a Services, destination: &Destination) -> Self {
        Self { app, id: destination.address.parse().ok() }
    }

    /// Calls it once.
    pub(super) async fn send(&self, delivery: &Delivery, event: &Event) -> Tried {
        let Called { verdict, address, request, answer, status_code, duration, began, history_of } =
            self.app.apps.call_integration(self.id, delivery, event).await;
        Tried { verdict, address, request, answer, detail: None, history_of, status_code, duration, began }
    }
}
