//! Keys, signing secrets and logs of versions.

use chrono::{DateTime, Utc};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Answer, Tag,
    auth::Member,
    wire::{CreatedKeyOut, KeyIn, KeysOut, LogsOut, Nothing, RotatedOut},
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::registry::{LogQuery, Registry},
};

/// The operations.
pub struct Keys;

#[OpenApi(tag = "Tag::Keys")]
impl Keys {
    /// List the keys of a version
    ///
    /// Returns the keys without their texts, which are shown only at creation.
    #[oai(path = "/v1/admin/integrations/iaks", method = "get", operation_id = "listIntegrationApiKeys")]
    async fn list_integration_api_keys(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        #[oai(name = "integrationId")]
        integration_id: Query<String>,
    ) -> Answer<KeysOut> {
        let keys = registry.list_integration_api_keys(&caller.0, &integration_id.0).await?;
        Ok(Json(KeysOut { iaks: keys.into_iter().map(Into::into).collect() }))
    }

    /// Create a key of a version
    ///
    /// Its text is returned only here.
    #[oai(path = "/v1/admin/integrations/iaks", method = "post", operation_id = "createIntegrationApiKey")]
    async fn create_integration_api_key(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        body: Body<KeyIn>,
    ) -> Answer<CreatedKeyOut> {
        let KeyIn { integration_id, note } = body.value;
        Ok(Json(registry.create_integration_api_key(&caller.0, &integration_id, note).await?.into()))
    }

    /// Delete a key of a version
    ///
    /// Calls with the key are refused from then on.
    #[oai(path = "/v1/admin/integrations/iaks/:id", method = "delete", operation_id = "deleteIntegrationApiKey")]
    async fn delete_integration_api_key(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the key.
        id: Path<String>,
    ) -> Answer<Nothing> {
        registry.delete_integration_api_key(&caller.0, &id.0).await?;
        Ok(Json(Nothing {}))
    }

    /// Rotate the signing secret of a version
    ///
    /// The new secret is returned only here. The former one stays valid for another 24 hours.
    #[oai(
        path = "/v1/admin/integrations/:id/signing-secrets/rotate",
        method = "post",
        operation_id = "rotateIntegrationSigningSecrets"
    )]
    async fn rotate_integration_signing_secrets(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<RotatedOut> {
        let secret = registry.rotate_integration_signing_secrets(&caller.0, &id.0).await?;
        Ok(Json(RotatedOut { new_signing_secret: secret.expose().to_owned() }))
    }

    /// Get the logs of a version
    ///
    /// Returns the outcomes of its calls in all installations, oldest first: the response of its server, and nothing
    /// about the callers or their reasons. A call that is retried is logged as `warn`, one that failed permanently as
    /// `error`. Filters apply to the lines of a page, so that a page may be short before the last.
    #[oai(path = "/v1/admin/integrations/:id/logs", method = "get", operation_id = "getIntegrationLogs")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn get_integration_logs(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
        /// Only lines from this time on.
        #[oai(name = "timeStart")]
        from: Query<DateTime<Utc>>,
        /// Only lines before this time.
        #[oai(name = "timeEnd")]
        until: Query<Option<DateTime<Utc>>>,
        /// Only lines of this level: `info`, `warn` or `error`.
        #[oai(name = "level")]
        level: Query<Option<String>>,
        /// Only lines about a user; there are none.
        #[oai(name = "userId")]
        user: Query<Option<String>>,
        /// Only lines about a workflow; there are none.
        #[oai(name = "workflowId")]
        workflow: Query<Option<String>>,
        /// Only lines about a conversation; there are none.
        #[oai(name = "conversationId")]
        conversation: Query<Option<String>>,
        /// Only lines with this text in the message.
        #[oai(name = "messageContains")]
        contains: Query<Option<String>>,
        /// The `nextToken` of the previous page.
        #[oai(name = "nextToken")]
        next_token: Query<Option<String>>,
    ) -> Answer<LogsOut> {
        let query = LogQuery {
            from: from.0,
            until: until.0,
            level: level.0,
            contains: contains.0,
            about: [user.0, workflow.0, conversation.0],
            next_token: next_token.0,
        };
        Ok(Json(registry.get_integration_logs(&caller.0, &id.0, query).await?.into()))
    }
}
