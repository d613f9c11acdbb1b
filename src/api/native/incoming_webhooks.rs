//! Incoming webhooks: addresses at which senders post to channels.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{IncomingWebhookIn, IncomingWebhookOut, IncomingWebhookPatch, IncomingWebhookTokenOut, Limit, List, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::{kernel::Base, webhooks::Webhooks},
    domain::webhooks::Way,
};

/// The operations.
pub struct IncomingWebhooks;

#[OpenApi(tag = "Tag::Webhooks")]
impl IncomingWebhooks {
    /// List incoming webhooks
    ///
    /// Lists the incoming webhooks that the caller manages, newest first: all of the organisation, or the caller's own.
    #[oai(path = "/v1/incoming-webhooks", method = "get", operation_id = "listIncomingWebhooks")]
    async fn list_incoming_webhooks(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<IncomingWebhookOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(webhooks.list_webhooks(&caller.0, Way::Incoming, page).await?)))
    }

    /// Create an incoming webhook
    ///
    /// Creates an address at which senders post messages as Slack's incoming webhooks take them. A script that does not
    /// compile is kept, and reported as `scriptError`. The address is shown by its own operation.
    #[oai(path = "/v1/incoming-webhooks", method = "post", operation_id = "createIncomingWebhook")]
    async fn create_incoming_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        body: Body<IncomingWebhookIn>,
    ) -> Result<Created<IncomingWebhookOut>, Refused> {
        let created = webhooks.create_webhook(&caller.0, body.value.into()).await?;
        Ok(Created::Created(Json(created.into())))
    }

    /// Get an incoming webhook
    ///
    /// Returns its configuration, without its token.
    #[oai(path = "/v1/incoming-webhooks/:id", method = "get", operation_id = "getIncomingWebhook")]
    async fn get_incoming_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<IncomingWebhookOut> {
        Ok(Json(webhooks.get_webhook(&caller.0, Way::Incoming, id.0.into()).await?.into()))
    }

    /// Update an incoming webhook
    ///
    /// Changes the given members; the others stay unchanged.
    #[oai(path = "/v1/incoming-webhooks/:id", method = "patch", operation_id = "updateIncomingWebhook")]
    async fn update_incoming_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
        body: Body<IncomingWebhookPatch>,
    ) -> Answer<IncomingWebhookOut> {
        let of = (Way::Incoming, id.0.into());
        Ok(Json(webhooks.update_webhook(&caller.0, of, |draft| body.value.apply(draft)).await?.into()))
    }

    /// Delete an incoming webhook
    ///
    /// Its address is invalid at once.
    #[oai(path = "/v1/incoming-webhooks/:id", method = "delete", operation_id = "deleteIncomingWebhook")]
    async fn delete_incoming_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        webhooks.delete_webhook(&caller.0, Way::Incoming, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Show an incoming webhook's address
    ///
    /// Returns the address of the webhook and the token in it, which is the only credential: treat it as a secret.
    #[oai(path = "/v1/incoming-webhooks/:id/token", method = "get", operation_id = "getIncomingWebhookToken")]
    async fn get_incoming_webhook_token(
        &self,
        webhooks: Service<'_, Webhooks>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<IncomingWebhookTokenOut> {
        let token = webhooks.get_webhook_token(&caller.0, Way::Incoming, id.0.into()).await?;
        Ok(Json(IncomingWebhookTokenOut::of(&base, id.0, &token)))
    }

    /// Replace an incoming webhook's token
    ///
    /// Generates a new token, and with it a new address. The former address is invalid at once.
    #[oai(
        path = "/v1/incoming-webhooks/:id/token/rotate",
        method = "post",
        operation_id = "rotateIncomingWebhookToken"
    )]
    async fn rotate_incoming_webhook_token(
        &self,
        webhooks: Service<'_, Webhooks>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// The webhook's id.
        id: Path<Uuid>,
    ) -> Answer<IncomingWebhookTokenOut> {
        let token = webhooks.rotate_webhook_token(&caller.0, Way::Incoming, id.0.into()).await?;
        Ok(Json(IncomingWebhookTokenOut::of(&base, id.0, &token)))
    }
}
