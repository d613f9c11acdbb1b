//! Signing secrets of integrations.

use poem_openapi::{OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use super::{Answer, Tag, wire::SigningSecretOut};
use crate::{
    api::shared::{auth::Bearer, services::Service},
    app::apps::Apps,
};

/// The operations.
pub struct Signing;

#[OpenApi(tag = "Tag::Signing")]
impl Signing {
    /// Show an integration's signing secret
    ///
    /// Returns the secret with which the integration verifies that a call comes from this service: each call is signed
    /// as specified by Standard Webhooks 1.0.0.
    #[oai(path = "/v1/integrations/:id/signing-secret", method = "get", operation_id = "getSigningSecret")]
    async fn get_signing_secret(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The integration's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(apps.get_signing_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// Replace an integration's signing secret
    ///
    /// Generates a new secret. For 24 hours calls are signed with the former secret too: `webhook-signature` then has
    /// two signatures, the new one first.
    #[oai(path = "/v1/integrations/:id/signing-secret/rotate", method = "post", operation_id = "rotateSigningSecret")]
    async fn rotate_signing_secret(
        &self,
        apps: Service<'_, Apps>,
        caller: Bearer,
        /// The integration's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(apps.rotate_signing_secret(&caller.0, id.0.into()).await?.into()))
    }
}
