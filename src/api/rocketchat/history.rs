//! The history of outgoing webhooks.

use poem_openapi::{
    OpenApi,
    param::Query,
    payload::Json,
    types::{Any, ToJSON},
};

use super::{
    Answer, Tag,
    auth::Known,
    listing::{Asked, Listing},
    wire::history::{self, Clearing, DoneOut, HistoryListOut, HistoryOut, Replay},
};
use crate::{
    api::shared::{services::Service, signed::Raw},
    app::webhooks::{Webhooks, history::WebhookHistory},
};

/// The operations.
pub struct History;

#[OpenApi(tag = "Tag::History")]
impl History {
    /// List the history of an outgoing webhook
    ///
    /// Returns one record for each call of each URL, newest first. An incoming webhook has no history.
    #[oai(path = "/api/v1/integrations.history", method = "get", operation_id = "listWebhookHistory")]
    async fn list_webhook_history(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        /// Id of the webhook.
        id: Query<String>,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
        /// JSON: members to be shown, each with 1, or to be left out, each with 0.
        fields: Query<Option<String>>,
    ) -> Answer<HistoryListOut> {
        let asked = Asked { offset: offset.0, count: count.0, fields: fields.0, ..Asked::default() };
        let listing = Listing::read(asked)?;
        let (offset, count) = listing.window();
        let WebhookHistory { webhook, runs, total } =
            webhooks.list_webhook_history(&caller.0, &id.0, (offset, count)).await?;
        let document = |run| HistoryOut::of(webhook.as_ref(), run).to_json().unwrap_or_default();
        let history: Vec<_> = runs.into_iter().map(|run| Any(listing.shown(document(run)))).collect();
        let count = history.len() as u64;
        Ok(Json(HistoryListOut { history, offset, items: count, count, total, success: true }))
    }

    /// Clear the history of an outgoing webhook
    ///
    /// Pending retries are kept.
    #[oai(path = "/api/v1/integrations.clearHistory", method = "post", operation_id = "clearWebhookHistory")]
    async fn clear_webhook_history(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Raw<Clearing>,
    ) -> Answer<DoneOut> {
        let id = history::clearing(&body.bytes)?;
        webhooks.clear_webhook_history(&caller.0, &id).await?;
        Ok(Json(DoneOut { success: true }))
    }

    /// Run an outgoing webhook once more
    ///
    /// Calls the same URL for the same event, with the webhook's present configuration, and adds a record of its own.
    #[oai(path = "/api/v1/integrations.replayOutgoing", method = "post", operation_id = "replayOutgoingWebhook")]
    async fn replay_outgoing_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Raw<Replay>,
    ) -> Answer<DoneOut> {
        let (id, run) = history::replay(&body.bytes)?;
        webhooks.replay_outgoing_webhook(&caller.0, &id, &run).await?;
        Ok(Json(DoneOut { success: true }))
    }
}
