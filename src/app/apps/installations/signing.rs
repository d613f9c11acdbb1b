//! Signing secret of an installation, by which apps verify our calls: shown and rotated.
//!
//! Not here: the signature scheme (`provider::webhook`).

use serde_json::json;

use crate::{
    app::{Caller, apps::Apps, tenancy::vault::SecretLocation},
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{InstallationId, IntegrationId, OrganisationId},
        secret::Secret,
        tenancy::member::Permission,
    },
    provider::webhook,
    store::{self, apps::installations::SealedSecrets},
};

/// Time for which a replaced secret still signs beside the new one.
const OVERLAP: chrono::Duration = chrono::Duration::hours(24);

const PRESENT: &str = "signing_secret";
const FORMER: &str = "former_signing_secret";

impl Apps {
    /// Returns the secret that signs our calls of an app, for its verification of signatures.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also where there is none yet.
    pub async fn get_app_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        let app = self.get_app(caller, id).await?;
        self.get_signing_secret(caller, app.id).await
    }

    /// Replaces the secret that signs our calls of an app. For a day the former one signs too, so that the verifying
    /// side can change over; an earlier one stops immediately.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Conflict`] where a concurrent request replaces it.
    pub async fn rotate_app_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsManage)?;
        let app = store::apps::installations::find(self.base.store.reader(), caller.organisation_id, id).await?;
        self.rotate_signing_secret(caller, app.id).await
    }

    /// Returns the secret that signs our calls of an app or an outgoing webhook.
    pub(in crate::app) async fn get_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsRead)?;
        caller.require(Permission::SecretsRead)?;
        let reader = self.base.store.reader();
        let organisation_id = caller.organisation_id;
        let (installation, secrets) = store::webhooks::secrets_of_called(reader, organisation_id, id).await?;
        let location = |column| location((organisation_id, installation), column);
        match &secrets.signing_secret {
            Some(sealed) => self.vault.unseal(location(PRESENT), sealed).await,
            None => Err(Error::not_found(Noun::Secret, id)),
        }
    }

    /// Replaces the secret that signs our calls of an app or an outgoing webhook.
    pub(in crate::app) async fn rotate_signing_secret(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsManage)?;
        caller.require(Permission::SecretsRead)?;
        let reader = self.base.store.reader();
        let organisation_id = caller.organisation_id;
        let (installation, secrets) = store::webhooks::secrets_of_called(reader, organisation_id, id).await?;
        let location = |column| location((organisation_id, installation), column);
        let (secret, sealed) = self.new_signing_secret((organisation_id, installation)).await?;
        let replaced = secrets.signing_secret;
        let former = match &replaced {
            Some(replaced) => {
                // A sealed secret opens in its own column only.
                let secret = self.vault.unseal(location(PRESENT), replaced).await?;
                let sealed = self.vault.seal(location(FORMER), &secret).await?;
                Some((sealed, self.base.now() + OVERLAP))
            }
            None => None,
        };
        let tx = self.base.store.begin().await?;
        if !store::apps::installations::rotate_signing_secret(&tx, installation, replaced, sealed, former).await? {
            let message = "its signing secret was replaced at the same time by somebody else; read it".into();
            return Err(Error::Conflict { noun: Noun::Integration, message });
        }
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "integration.rotate_signing_secret", id, json!({})).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Returns the secrets that sign a call at a time, the newest first; empty where an installation predates
    /// signatures.
    pub(in crate::app) async fn signing_secrets(
        &self,
        whose: (OrganisationId, InstallationId),
        sealed: &SealedSecrets,
        at: Time,
    ) -> Result<Vec<Secret>> {
        let location = |column| location(whose, column);
        let mut secrets = Vec::with_capacity(2);
        if let Some(present) = &sealed.signing_secret {
            secrets.push(self.vault.unseal(location(PRESENT), present).await?);
        }
        if let Some((former, until)) = &sealed.former_signing_secret
            && at < *until
        {
            secrets.push(self.vault.unseal(location(FORMER), former).await?);
        }
        Ok(secrets)
    }

    /// Returns a fresh secret, plain and sealed.
    pub(super) async fn new_signing_secret(
        &self,
        whose: (OrganisationId, InstallationId),
    ) -> Result<(Secret, Vec<u8>)> {
        let secret = webhook::generate(self.base.ambient.random());
        let sealed = self.vault.seal(location(whose, PRESENT), &secret).await?;
        Ok((secret, sealed))
    }
}

fn location((organisation_id, installation): (OrganisationId, InstallationId), column: &str) -> SecretLocation<'_> {
    SecretLocation { organisation_id, table: "installation", column, row: installation.0 }
}
