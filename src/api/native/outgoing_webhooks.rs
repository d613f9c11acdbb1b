//! Outgoing webhooks: called for events of channels, with their runs.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        Limit, List, OutgoingWebhookIn, OutgoingWebhookOut, OutgoingWebhookPatch, SigningSecretOut, WebhookRunOut,
        WebhookTokenOut, page,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::webhooks::Webhooks,
    domain::webhooks::Way,
};

/// The operations.
pub struct OutgoingWebhooks;

/// A replayed run.
#[derive(ApiResponse)]
enum Replayed {
    /// The call is queued again.
    #[oai(status = 202)]
    Replayed,
}

#[OpenApi(tag = "Tag::Webhooks")]
impl OutgoingWebhooks {
    /// List outgoing webhooks
    ///
    /// Lists the outgoing webhooks that the caller manages, newest first: all of the organisation, or the caller's own.
    #[oai(path = "/v1/outgoing-webhooks", method = "get", operation_id = "listOutgoingWebhooks")]
    async fn list_outgoing_webhooks(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<OutgoingWebhookOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(webhooks.list_webhooks(&caller.0, Way::Outgoing, page).await?)))
    }

    /// Create an outgoing webhook
    ///
    /// Creates a webhook that calls its URLs for an event of channels. A script that does not compile is kept, and
    /// reported as `scriptError`.
    #[oai(path = "/v1/outgoing-webhooks", method = "post", operation_id = "createOutgoingWebhook")]
    async fn create_outgoing_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        body: Body<OutgoingWebhookIn>,
    ) -> Result<Created<OutgoingWebhookOut>, Refused> {
        let created = webhooks.create_webhook(&caller.0, body.value.into()).await?;
        Ok(Created::Created(Json(created.into())))
    }

    /// Get an outgoing webhook
    ///
    /// Returns its configuration, without its token.
    #[oai(path = "/v1/outgoing-webhooks/:id", method = "get", operation_id = "getOutgoingWebhook")]
    async fn get_outgoing_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<OutgoingWebhookOut> {
        Ok(Json(webhooks.get_webhook(&caller.0, Way::Outgoing, id.0.into()).await?.into()))
    }

    /// Update an outgoing webhook
    ///
    /// Changes the given members; the others stay unchanged.
    #[oai(path = "/v1/outgoing-webhooks/:id", method = "patch", operation_id = "updateOutgoingWebhook")]
    async fn update_outgoing_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
        body: Body<OutgoingWebhookPatch>,
    ) -> Answer<OutgoingWebhookOut> {
        let of = (Way::Outgoing, id.0.into());
        Ok(Json(webhooks.update_webhook(&caller.0, of, |draft| body.value.apply(draft)).await?.into()))
    }

    /// Delete an outgoing webhook
    ///
    /// Its pending calls end.
    #[oai(path = "/v1/outgoing-webhooks/:id", method = "delete", operation_id = "deleteOutgoingWebhook")]
    async fn delete_outgoing_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        webhooks.delete_webhook(&caller.0, Way::Outgoing, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Show an outgoing webhook's token
    ///
    /// Returns the token that is sent in the calls.
    #[oai(path = "/v1/outgoing-webhooks/:id/token", method = "get", operation_id = "getOutgoingWebhookToken")]
    async fn get_outgoing_webhook_token(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<WebhookTokenOut> {
        let token = webhooks.get_webhook_token(&caller.0, Way::Outgoing, id.0.into()).await?;
        Ok(Json(token.into()))
    }

    /// Replace an outgoing webhook's token
    ///
    /// Generates a new token for the calls. The former one is no longer sent.
    #[oai(
        path = "/v1/outgoing-webhooks/:id/token/rotate",
        method = "post",
        operation_id = "rotateOutgoingWebhookToken"
    )]
    async fn rotate_outgoing_webhook_token(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<WebhookTokenOut> {
        let token = webhooks.rotate_webhook_token(&caller.0, Way::Outgoing, id.0.into()).await?;
        Ok(Json(token.into()))
    }

    /// Show an outgoing webhook's signing secret
    ///
    /// Returns the secret with which the receiver verifies that a call comes from this service: each call is signed as
    /// specified by Standard Webhooks 1.0.0.
    #[oai(
        path = "/v1/outgoing-webhooks/:id/signing-secret",
        method = "get",
        operation_id = "getOutgoingWebhookSigningSecret"
    )]
    async fn get_outgoing_webhook_signing_secret(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(webhooks.get_webhook_signing_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// Replace an outgoing webhook's signing secret
    ///
    /// Generates a new secret. For 24 hours calls are signed with the former secret too: `webhook-signature` then has
    /// two signatures, the new one first.
    #[oai(
        path = "/v1/outgoing-webhooks/:id/signing-secret/rotate",
        method = "post",
        operation_id = "rotateOutgoingWebhookSigningSecret"
    )]
    async fn rotate_outgoing_webhook_signing_secret(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(webhooks.rotate_webhook_signing_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// List the runs of an outgoing webhook
    ///
    /// Lists one run for each call of each URL, newest first, with its steps.
    #[oai(path = "/v1/outgoing-webhooks/:id/runs", method = "get", operation_id = "listOutgoingWebhookRuns")]
    async fn list_outgoing_webhook_runs(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<WebhookRunOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(webhooks.list_webhook_runs(&caller.0, id.0.into(), page).await?)))
    }

    /// Delete the runs of an outgoing webhook
    ///
    /// Deletes the completed runs. A run that will be retried stays.
    #[oai(path = "/v1/outgoing-webhooks/:id/runs", method = "delete", operation_id = "deleteOutgoingWebhookRuns")]
    async fn delete_outgoing_webhook_runs(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        webhooks.delete_webhook_runs(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Replay a run of an outgoing webhook
    ///
    /// Calls the same URL for the same event, with the webhook's present configuration and a fresh retry schedule. The
    /// call is a run of its own.
    #[oai(
        path = "/v1/outgoing-webhooks/:id/runs/:runId/replay",
        method = "post",
        operation_id = "replayOutgoingWebhookRun"
    )]
    async fn replay_outgoing_webhook_run(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
        /// The run's id.
        #[oai(name = "runId")]
        run_id: Path<Uuid>,
    ) -> Result<Replayed, Refused> {
        webhooks.replay_webhook_run(&caller.0, id.0.into(), run_id.0.into()).await?;
        Ok(Replayed::Replayed)
    }
}
