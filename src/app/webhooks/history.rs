//! History of outgoing webhooks: listed, cleared, and replayed.
//!
//! Not here: recording a run (`outgoing`).

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Reach, Webhooks};
use crate::{
    app::{
        Caller,
        kernel::{
            Base,
            chore::{Chore, in_slices},
        },
    },
    domain::{
        Error, Result,
        ambient::Time,
        ids::{AttemptId, IntegrationId},
        pipeline::delivery::Attempt,
        tenancy::member::Permission,
        webhooks::{Direction, Way, Webhook, WebhookRefusal},
    },
    store,
};

/// A page of a webhook's history, newest first.
#[derive(Clone, Debug)]
pub struct WebhookHistory {
    /// The webhook in its current state; `None` where the caller manages no such webhook, which then has no history.
    pub webhook: Option<Webhook>,
    /// Its runs.
    pub runs: Vec<Attempt>,
    /// Total number of runs.
    pub total: u64,
}

/// Shortening of the histories of outgoing webhooks.
pub struct HistoryRetention {
    base: Base,
    most: u64,
}

impl HistoryRetention {
    /// Creates the shortening of each history to `most` entries.
    pub fn new(base: Base, most: u64) -> Self {
        Self { base, most }
    }
}

#[async_trait]
impl Chore for HistoryRetention {
    async fn run(&self, _: Time) -> Result<u64> {
        let db = self.base.store.writer();
        let mut removed = 0;
        for (of, up_to) in store::webhooks::history::too_long(db, self.most).await? {
            removed += in_slices(|| store::webhooks::history::remove_slice(db, of, Some(up_to))).await?;
        }
        Ok(removed)
    }
}

impl Webhooks {
    /// Lists the runs of an outgoing webhook. The list is empty for an unknown webhook and for one that the caller does
    /// not manage.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`WebhookRefusal::NoId`].
    pub async fn list_webhook_history(&self, caller: &Caller, id: &str, window: (u64, u64)) -> Result<WebhookHistory> {
        let reach = Reach::of(caller);
        if !reach.some(Way::Outgoing) {
            return Err(Error::Forbidden { permission: Permission::ManageOwnOutgoingIntegrations.to_string() });
        }
        if id.trim().is_empty() {
            return Err(WebhookRefusal::NoId.into());
        }
        let found = match self.history_owner(caller, id).await {
            Ok(webhook) => webhook,
            Err(Error::Webhook(_)) => None,
            Err(error) => return Err(error),
        };
        let webhook = found.filter(|webhook| matches!(webhook.direction, Direction::Outgoing(_)));
        let (runs, total) = match &webhook {
            None => (Vec::new(), 0),
            Some(webhook) => {
                let reader = self.base.store.reader();
                store::webhooks::history::page(reader, caller.organisation_id, webhook.id, window).await?
            }
        };
        Ok(WebhookHistory { webhook, runs, total })
    }

    /// Removes the completed runs from the history of an outgoing webhook. A run that will be retried stays.
    ///
    /// # Errors
    /// [`WebhookRefusal::NotAllowed`], [`WebhookRefusal::NoSuchOutgoing`].
    pub async fn clear_webhook_history(&self, caller: &Caller, id: &str) -> Result<()> {
        if !Reach::of(caller).some(Way::Outgoing) {
            return Err(WebhookRefusal::NotAllowed(Way::Outgoing).into());
        }
        let webhook = self.history_owner(caller, id).await?.ok_or(WebhookRefusal::NoSuchOutgoing)?;
        let (writer, of) = (self.base.store.writer(), (caller.organisation_id, webhook.id));
        in_slices(|| store::webhooks::history::remove_slice(writer, of, None)).await?;
        let tx = self.base.store.begin().await?;
        let actor = caller.actor();
        let whose = (caller.organisation_id, actor.as_str());
        self.base.audit(&tx, whose, "webhook.clear_history", webhook.id, json!({})).await?;
        tx.commit().await
    }

    /// Replays a run of an outgoing webhook: the same event, to the same URL, with a fresh retry schedule.
    ///
    /// # Errors
    /// [`WebhookRefusal::NotAllowed`], [`WebhookRefusal::NoSuchOutgoing`], [`WebhookRefusal::NotOutgoing`],
    /// [`WebhookRefusal::NoSuchRun`], [`WebhookRefusal::RunWithoutData`].
    pub async fn replay_outgoing_webhook(&self, caller: &Caller, id: &str, run: &str) -> Result<()> {
        if !Reach::of(caller).some(Way::Outgoing) {
            return Err(WebhookRefusal::NotAllowed(Way::Outgoing).into());
        }
        let webhook = self.history_owner(caller, id).await?.ok_or(WebhookRefusal::NoSuchOutgoing)?;
        if !matches!(webhook.direction, Direction::Outgoing(_)) {
            return Err(WebhookRefusal::NotOutgoing.into());
        }
        let run: AttemptId = run.parse().map_err(|_| WebhookRefusal::NoSuchRun)?;
        let tx = self.base.store.begin().await?;
        let found = store::webhooks::history::find(&tx, caller.organisation_id, webhook.id, run).await?;
        let found = found.ok_or(WebhookRefusal::NoSuchRun)?;
        if found.detail.as_ref().is_none_or(|detail| detail["data"] == Value::Null) {
            return Err(WebhookRefusal::RunWithoutData.into());
        }
        let former = store::pipeline::deliveries::find(&tx, caller.organisation_id, found.delivery_id).await?;
        let actor = caller.actor();
        let whose = (caller.organisation_id, actor.as_str());
        self.base.audit(&tx, whose, "webhook.replay", webhook.id, json!({"run": run})).await?;
        self.pipeline.commit_again(tx, former).await
    }

    /// Returns the webhook of a history, if the caller manages it; `None` if there is no such webhook.
    async fn history_owner(&self, caller: &Caller, id: &str) -> Result<Option<Webhook>> {
        let Ok(id) = id.trim().parse::<IntegrationId>() else { return Ok(None) };
        let found = store::webhooks::find(self.base.store.reader(), caller.organisation_id, id).await;
        let webhook = match found {
            Ok(stored) => stored.webhook,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match Reach::of(caller).manages(&webhook, caller) {
            Ok(()) => Ok(Some(webhook)),
            // An incoming one has no history, so its permissions do not matter.
            Err(_) if matches!(webhook.direction, Direction::Incoming(_)) => Ok(Some(webhook)),
            Err(_) => Err(WebhookRefusal::NoSuchOutgoing.into()),
        }
    }
}
