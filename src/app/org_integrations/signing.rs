//! What integrations tell our calls by: an installation's signing secret, shown and replaced.

use serde_json::json;

use super::secret_place;
use crate::{
    app::{App, Caller},
    domain::{
        Error, Result, ambient::Time, app_integration::AppIntegration, error::Noun, ids::IntegrationId,
        member::Permission, secret::Secret,
    },
    provider::webhook,
    store::{self, app_integrations::SealedSecrets},
};

/// How long a secret that was replaced still signs beside the new one.
const OVERLAP: chrono::Duration = chrono::Duration::hours(24);

const PRESENT: &str = "signing_secret";
const FORMER: &str = "former_signing_secret";

impl App {
    /// The secret that signs our calls of an integration, for who checks the signatures.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] where there is none yet.
    pub async fn get_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsRead)?;
        caller.require(Permission::SecretsRead)?;
        let reader = self.parts.store.reader();
        let (app, secrets) = store::app_integrations::find_with_secrets(reader, caller.organisation_id, id).await?;
        match &secrets.signing_secret {
            Some(sealed) => self.parts.vault.unseal(secret_place(&app, PRESENT), sealed).await,
            None => Err(Error::FailedPrecondition {
                message: "the calls of this integration are not signed yet; rotate its secret to have one".into(),
            }),
        }
    }

    /// Replaces the secret that signs our calls of an integration. For a day the former one signs too, so that whoever
    /// checks them can change over; one that was replaced before that signs no more.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Conflict`] where somebody else replaces it at the same time.
    pub async fn rotate_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsManage)?;
        caller.require(Permission::SecretsRead)?;
        let reader = self.parts.store.reader();
        let (app, secrets) = store::app_integrations::find_with_secrets(reader, caller.organisation_id, id).await?;
        let (secret, sealed) = self.new_signing_secret(&app).await?;
        let replaced = secrets.signing_secret;
        let former = match &replaced {
            Some(replaced) => {
                // What is sealed opens in its own column only.
                let secret = self.parts.vault.unseal(secret_place(&app, PRESENT), replaced).await?;
                let sealed = self.parts.vault.seal(secret_place(&app, FORMER), &secret).await?;
                Some((sealed, self.now() + OVERLAP))
            }
            None => None,
        };
        let tx = self.parts.store.begin().await?;
        let installation = app.installation_id;
        if !store::app_integrations::rotate_signing_secret(&tx, installation, replaced, sealed, former).await? {
            let message = "its signing secret was replaced at the same time by somebody else; read it".into();
            return Err(Error::Conflict { noun: Noun::Integration, message });
        }
        let actor = (caller.organisation_id, caller.actor());
        self.audit(&tx, (actor.0, &actor.1), "integration.rotate_signing_secret", id, json!({})).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// What signs a call at that time, the newest first; nothing where an installation is older than signatures.
    pub(in crate::app) async fn signing_secrets(
        &self,
        app: &AppIntegration,
        sealed: &SealedSecrets,
        at: Time,
    ) -> Result<Vec<Secret>> {
        let mut secrets = Vec::with_capacity(2);
        if let Some(present) = &sealed.signing_secret {
            secrets.push(self.parts.vault.unseal(secret_place(app, PRESENT), present).await?);
        }
        if let Some((former, until)) = &sealed.former_signing_secret
            && at < *until
        {
            secrets.push(self.parts.vault.unseal(secret_place(app, FORMER), former).await?);
        }
        Ok(secrets)
    }

    /// A fresh secret, and the same sealed.
    pub(super) async fn new_signing_secret(&self, app: &AppIntegration) -> Result<(Secret, Vec<u8>)> {
        let secret = webhook::generate(self.parts.ambient.random());
        let sealed = self.parts.vault.seal(secret_place(app, PRESENT), &secret).await?;
        Ok((secret, sealed))
    }
}
