//! Secrets of versions: those of a version are sealed as one value, its signing secret beside them.
//!
//! Not here: encryption (`tenancy::vault`).

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};

use super::Registry;
use crate::{
    app::tenancy::vault::SecretLocation,
    domain::{
        Error, Result,
        ids::{IntegrationId, OrganisationId},
        registry::{
            Around,
            definition::{Definition, Enclosures},
        },
        secret::Secret,
    },
    store::{Tx, registry},
};

/// Secrets by their names.
pub(super) type Secrets = BTreeMap<String, Secret>;

impl Registry {
    /// Returns the secrets of a new version: the given ones, and those of the preceding version that the body does not
    /// name. A version under development has only the given ones.
    pub(super) async fn secrets_of_new(
        &self,
        tx: &Tx,
        organisation_id: OrganisationId,
        around: &Around,
        enclosures: &Enclosures,
        definition: &Definition,
    ) -> Result<Secrets> {
        let mut secrets = match &around.secrets_of {
            Some((id, names)) if !definition.dev && !names.is_empty() => {
                let sealed = registry::secrets(tx, *id).await?;
                self.unseal_secrets((organisation_id, *id), sealed.secrets.as_deref()).await?
            }
            _ => Secrets::new(),
        };
        change(&mut secrets, enclosures);
        Ok(secrets)
    }

    pub(super) async fn seal_secrets(
        &self,
        of: (OrganisationId, IntegrationId),
        secrets: &Secrets,
    ) -> Result<Option<Vec<u8>>> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let texts: BTreeMap<&str, &str> = secrets.iter().map(|(name, text)| (name.as_str(), text.expose())).collect();
        let text = serde_json::to_string(&texts).map_err(|_| Error::Internal("secrets cannot be written".into()))?;
        self.vault.seal(location(of, "secrets"), &Secret::new(text)).await.map(Some)
    }

    pub(super) async fn unseal_secrets(
        &self,
        of: (OrganisationId, IntegrationId),
        sealed: Option<&[u8]>,
    ) -> Result<Secrets> {
        let Some(sealed) = sealed else { return Ok(Secrets::new()) };
        let text = self.vault.unseal(location(of, "secrets"), sealed).await?;
        let texts: BTreeMap<String, String> = serde_json::from_str(text.expose())
            .map_err(|_| Error::Internal(format!("the secrets of {} cannot be read", of.1)))?;
        Ok(texts.into_iter().map(|(name, text)| (name, Secret::new(text))).collect())
    }

    pub(super) async fn seal_signing_secret(
        &self,
        of: (OrganisationId, IntegrationId),
        secret: &Secret,
    ) -> Result<Vec<u8>> {
        self.vault.seal(location(of, "signing_secret"), secret).await
    }

    pub(super) fn fresh_signing_secret(&self) -> Secret {
        Secret::new(format!("intsec_{}", BASE64URL.encode(self.base.ambient.random::<32>())))
    }
}

/// Applies the secrets of a body: `None` removes one.
pub(super) fn change(secrets: &mut Secrets, enclosures: &Enclosures) {
    for (name, given) in &enclosures.secrets {
        match given {
            Some(secret) => secrets.insert(name.clone(), secret.clone()),
            None => secrets.remove(name),
        };
    }
}

/// Returns the binding of a sealed value. The former signing secret moves from one column to another unchanged, so both
/// are sealed for the same column.
fn location((organisation_id, id): (OrganisationId, IntegrationId), column: &'static str) -> SecretLocation<'static> {
    // The former name of the table: sealed values are bound to it.
    SecretLocation { organisation_id, table: "bot_version", column, row: id.0 }
}
