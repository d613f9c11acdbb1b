//! API keys, signing secret, verification and log of a registry version.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        List, RegistryKeyCreatedOut, RegistryKeyIn, RegistryKeyOut, RegistryKeysOut, RegistryLogLineOut,
        SigningSecretOut, in_log_parameters, page,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, time::Timestamp},
    app::registry::{LogQuery, Registry},
    domain::ambient::Time,
};

/// The operations.
pub struct RegistryKeys;

#[OpenApi(tag = "Tag::Registry")]
impl RegistryKeys {
    /// Request the verification of a registry version
    ///
    /// Sets the verification status to pending, until an operator of the service decides on it.
    #[oai(
        path = "/v1/registry/versions/:id/verification",
        method = "post",
        operation_id = "requestRegistryVerification"
    )]
    async fn request_registry_verification(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        registry.request_integration_verification(&caller.0, &id.0.to_string()).await?;
        Ok(Done::Done)
    }

    /// Rotate the signing secret of a registry version
    ///
    /// The new secret is returned only here. The former one stays valid for another 24 hours.
    #[oai(
        path = "/v1/registry/versions/:id/signing-secret/rotate",
        method = "post",
        operation_id = "rotateRegistrySigningSecret"
    )]
    async fn rotate_registry_signing_secret(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(registry.rotate_integration_signing_secrets(&caller.0, &id.0.to_string()).await?.into()))
    }

    /// List the API keys of a registry version
    ///
    /// Returns the keys without their texts, which are shown only at creation.
    #[oai(path = "/v1/registry/versions/:id/api-keys", method = "get", operation_id = "listRegistryApiKeys")]
    async fn list_registry_api_keys(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Answer<RegistryKeysOut> {
        let keys = registry.list_integration_api_keys(&caller.0, &id.0.to_string()).await?;
        Ok(Json(RegistryKeysOut { data: keys.into_iter().map(RegistryKeyOut::from).collect() }))
    }

    /// Create an API key of a registry version
    ///
    /// Its text is returned only here.
    #[oai(path = "/v1/registry/versions/:id/api-keys", method = "post", operation_id = "createRegistryApiKey")]
    async fn create_registry_api_key(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
        body: Body<RegistryKeyIn>,
    ) -> Result<Created<RegistryKeyCreatedOut>, Refused> {
        let note = body.value.note;
        let created = registry.create_integration_api_key(&caller.0, &id.0.to_string(), note).await?;
        Ok(Created::Created(Json(created.into())))
    }

    /// Delete an API key of a registry version
    ///
    /// Calls with the key are refused from then on.
    #[oai(path = "/v1/registry/api-keys/:id", method = "delete", operation_id = "deleteRegistryApiKey")]
    async fn delete_registry_api_key(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The key's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        registry.delete_integration_api_key(&caller.0, &id.0.to_string()).await?;
        Ok(Done::Done)
    }

    /// List the log of a registry version
    ///
    /// Lists the outcomes of its calls in all installations, oldest first: the response of its server, and nothing about
    /// the callers. Filters apply to the lines of a page, so that a page may be short before the last.
    #[oai(path = "/v1/registry/versions/:id/logs", method = "get", operation_id = "listRegistryLogs")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_registry_logs(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
        /// Only lines from this time on.
        since: Query<Option<Timestamp>>,
        /// Only lines before this time.
        until: Query<Option<Timestamp>>,
        /// Only lines of this level: `info`, `warn` (a call that is retried) or `error` (one that failed permanently).
        level: Query<Option<String>>,
        /// Only lines with this text in the message.
        text: Query<Option<String>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<RegistryLogLineOut>> {
        let after = page(Query(None), cursor)?.after;
        let query = LogQuery {
            from: since.0.map_or(Time::UNIX_EPOCH, |since| since.0),
            until: until.0.map(|until| until.0),
            level: level.0,
            contains: text.0,
            about: Default::default(),
            next_token: after.map(|after| after.to_string()),
        };
        let found = registry.get_integration_logs(&caller.0, &id.0.to_string(), query).await;
        Ok(Json(found.map_err(in_log_parameters)?.into()))
    }
}
