//! Destinations of outgoing webhooks: one for each URL, switched on and off with its webhook.
//!
//! Not here: the calls (`outgoing`).

use super::Webhooks;
use crate::{
    domain::{
        Result,
        ambient::Time,
        pipeline::{
            delivery::DeliveryState,
            destination::{Destination, Health},
        },
        webhooks::{Direction, Outgoing, Webhook, destination},
    },
    store::{self, Tx},
};

impl Webhooks {
    /// Applies a change to the destinations: enables them with the webhook, disables them with it, and fails the
    /// pending deliveries of a removed URL.
    pub(super) async fn settle_destinations(&self, tx: &Tx, former: &Webhook, now: &Webhook) -> Result<()> {
        let urls = |webhook: &Webhook| match &webhook.direction {
            Direction::Outgoing(Outgoing { urls, .. }) => urls.clone(),
            Direction::Incoming(_) => Vec::new(),
        };
        let kept: Vec<String> = urls(now);
        if former.enabled == now.enabled && urls(former) == kept {
            return Ok(());
        }
        let gone = destination::URL_REMOVED.text();
        let off = destination::DISABLED.text();
        let enabled = now.enabled;
        let reason_to_disable = |address: &str| match kept.iter().any(|url| url == address) {
            false => Some(gone),
            true if !enabled => Some(off),
            true => None,
        };
        self.switch_destinations(tx, former, reason_to_disable, now.updated_at).await?;
        Ok(())
    }

    /// Disables the destinations of a webhook for which `reason_to_disable` returns a reason, and enables the others.
    /// Returns those that were enabled, and are disabled now.
    pub(in crate::app) async fn switch_destinations(
        &self,
        tx: &Tx,
        webhook: &Webhook,
        reason_to_disable: impl Fn(&str) -> Option<&'static str>,
        now: Time,
    ) -> Result<Vec<Destination>> {
        let mut disabled = Vec::new();
        let (kind, names) = (destination::OUTGOING, destination::url_names(webhook.id));
        for destination in
            store::pipeline::destinations::named_after(tx, webhook.organisation_id, &kind, &names).await?
        {
            let health = match reason_to_disable(&destination.address) {
                None => Health::Healthy,
                Some(reason) => {
                    store::pipeline::deliveries::end_pending(tx, destination.id, DeliveryState::Failed, reason, now)
                        .await?;
                    Health::Disabled { reason: reason.to_owned(), since: now }
                }
            };
            store::pipeline::destinations::set_health(tx, destination.id, &health).await?;
            let is_disabled = |health: &Health| matches!(health, Health::Disabled { .. });
            if is_disabled(&health) && !is_disabled(&destination.health) {
                disabled.push(Destination { health, ..destination });
            }
        }
        Ok(disabled)
    }
}
