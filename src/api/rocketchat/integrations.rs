//! Administration of webhook integrations.

use poem_openapi::{
    OpenApi,
    param::Query,
    payload::Json,
    types::{Any, ToJSON},
};

use super::{
    Answer, Tag,
    auth::Known,
    listing::{Asked, Listing, Page},
    wire::{self, Creation, IntegrationOut, ListOut, OneOut, Removal, Update},
};
use crate::{
    api::shared::{services::Service, signed::Raw},
    app::webhooks::Webhooks,
};

/// The operations.
pub struct Integrations;

#[OpenApi(tag = "Tag::Integrations")]
impl Integrations {
    /// Create a webhook integration
    ///
    /// A script that does not compile is stored, and reported as `scriptError`.
    #[oai(path = "/api/v1/integrations.create", method = "post", operation_id = "createWebhookIntegration")]
    async fn create_webhook_integration(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Raw<Creation>,
    ) -> Answer<OneOut> {
        let draft = wire::creation(&body.bytes)?;
        Ok(Json(webhooks.create_webhook_integration(&caller.0, draft).await?.into()))
    }

    /// List webhook integrations
    ///
    /// Lists those that the caller may manage, oldest first.
    #[oai(path = "/api/v1/integrations.list", method = "get", operation_id = "listWebhookIntegrations")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn list_webhook_integrations(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        /// Number of items to skip.
        offset: Query<Option<u64>>,
        /// Maximum number of items; 0 means 100, and the default is 50.
        count: Query<Option<u64>>,
        /// JSON: members to sort by, each with 1 or -1.
        sort: Query<Option<String>>,
        /// JSON: members to filter by, each with a value or `{"$in": […]}`.
        query: Query<Option<String>>,
        /// JSON: members to be shown, each with 1, or to be left out, each with 0.
        fields: Query<Option<String>>,
        /// Only integrations with this name.
        name: Query<Option<String>>,
        /// Only integrations of this type.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
    ) -> Answer<ListOut> {
        let listing =
            Listing::read(Asked { offset: offset.0, count: count.0, sort: sort.0, query: query.0, fields: fields.0 })?;
        let all = webhooks.list_webhook_integrations(&caller.0).await?;
        let wanted = all.into_iter().filter(|open| {
            let webhook = &open.webhook;
            name.0.as_ref().is_none_or(|name| *name == webhook.name)
                && kind.0.as_ref().is_none_or(|kind| kind == webhook.direction.as_str())
        });
        let documents = wanted.map(|open| IntegrationOut::from(open).to_json().unwrap_or_default()).collect();
        let Page { items, offset, total } = listing.pick(documents);
        let count = items.len() as u64;
        let integrations = items.into_iter().map(Any).collect();
        Ok(Json(ListOut { integrations, offset, items: count, count, total, success: true }))
    }

    /// Get a webhook integration
    ///
    /// Returns its configuration. The token is returned only to callers with the permission to manage it.
    #[oai(path = "/api/v1/integrations.get", method = "get", operation_id = "getWebhookIntegration")]
    async fn get_webhook_integration(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        integration_id: Query<String>,
        /// Id of the user that created it.
        #[oai(name = "createdBy")]
        created_by: Query<Option<String>>,
    ) -> Answer<OneOut> {
        let found = webhooks.get_webhook_integration(&caller.0, &integration_id.0, created_by.0.as_deref()).await?;
        Ok(Json(found.into()))
    }

    /// Change a webhook integration
    ///
    /// For an incoming webhook, absent members of its appearance and its script stay unchanged. The configuration of an
    /// outgoing webhook is replaced.
    #[oai(path = "/api/v1/integrations.update", method = "put", operation_id = "updateWebhookIntegration")]
    async fn update_webhook_integration(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Raw<Update>,
    ) -> Answer<OneOut> {
        let (key, draft) = wire::update(&body.bytes)?;
        Ok(Json(webhooks.update_webhook_integration(&caller.0, &key, draft).await?.into()))
    }

    /// Remove a webhook integration
    ///
    /// Returns the removed integration. Its pending calls end.
    #[oai(path = "/api/v1/integrations.remove", method = "post", operation_id = "removeWebhookIntegration")]
    async fn remove_webhook_integration(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Raw<Removal>,
    ) -> Answer<OneOut> {
        let (key, way) = wire::removal(&body.bytes)?;
        Ok(Json(webhooks.remove_webhook_integration(&caller.0, &key, way).await?.into()))
    }
}
