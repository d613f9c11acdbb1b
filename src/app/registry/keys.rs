//! API keys, signing secret and verification request of a version.
//!
//! Not here: the secrets that its code uses (`secrets`), and the decision on a request (`operator`).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;

pub use crate::store::registry::ApiKey;

use super::{Registry, emitted::KEY_PREFIX, not_found, version_id};
use crate::{
    app::{Caller, tenancy::credential::sha256},
    domain::{
        Error, Result,
        error::Noun,
        ids::ApiKeyId,
        registry::{
            MAX_API_KEYS, PublicId, RegistryVersion, Verification,
            definition::{DefinitionKind::Integration, Issue, Rule},
            public_id,
        },
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{self, Tx, registry},
};

/// Lifetime of a signing secret after its replacement.
const FORMER_LIFETIME: chrono::Duration = chrono::Duration::hours(24);

impl Registry {
    /// Requests the verification of a version by the operator; a repeated request changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn request_integration_verification(&self, caller: &Caller, id: &str) -> Result<()> {
        let (tx, version) = self.bot_to_manage(caller, id).await?;
        if version.verification == Verification::Unapproved {
            registry::set_standing(&tx, version.id, Verification::Pending, version.lifecycle).await?;
            let who = caller.actor();
            self.base
                .audit(&tx, (version.organisation_id, &who), "registry.request_verification", version.id, json!({}))
                .await?;
        }
        tx.commit().await
    }

    /// Replaces the secret that signs the calls of a version, and returns the new one, which is shown once. The former
    /// one stays valid for a day.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn rotate_integration_signing_secrets(&self, caller: &Caller, id: &str) -> Result<Secret> {
        let (tx, version) = self.bot_to_manage(caller, id).await?;
        let fresh = self.fresh_signing_secret();
        let sealed = self.seal_signing_secret((version.organisation_id, version.id), &fresh).await?;
        let former = registry::secrets(&tx, version.id).await?.signing_secret;
        registry::rotate(&tx, version.id, sealed, (former, self.base.now() + FORMER_LIFETIME)).await?;
        let who = caller.actor();
        self.base
            .audit(&tx, (version.organisation_id, &who), "registry.rotate_signing_secret", version.id, json!({}))
            .await?;
        tx.commit().await?;
        Ok(fresh)
    }

    /// Lists the keys of a version, newest first, without their text.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_integration_api_keys(&self, caller: &Caller, id: &str) -> Result<Vec<ApiKey>> {
        caller.require(Permission::IntegrationsManage)?;
        let reader = self.base.store.reader();
        let found = registry::find(reader, Integration, caller.organisation_id, version_id(Integration, id)?).await?;
        let found = found.ok_or_else(|| not_found(Integration, id))?;
        registry::list_keys(reader, caller.organisation_id, found.id).await
    }

    /// Creates a key of a version. Its text is shown once.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Issues`] where the version has too many.
    pub async fn create_integration_api_key(
        &self,
        caller: &Caller,
        id: &str,
        note: Option<String>,
    ) -> Result<(ApiKey, Secret)> {
        let (tx, version) = self.bot_to_manage(caller, id).await?;
        if registry::count_keys(&tx, version.organisation_id, version.id).await? >= MAX_API_KEYS as u64 {
            let says = format_args!("has {MAX_API_KEYS} keys; delete one first");
            return Err(Error::Issues(vec![Issue::new(Rule::Limit, "/integrationId", says)]));
        }
        let text = format!("{KEY_PREFIX}{}", BASE64URL.encode(self.base.ambient.random::<32>()));
        let key = ApiKey {
            id: self.base.ambient.id(),
            organisation_id: version.organisation_id,
            integration_id: version.id,
            note: note.unwrap_or_default(),
            created_at: self.base.now(),
        };
        registry::insert_key(&tx, &key, sha256(text.as_bytes())).await?;
        let detail = json!({"integration": version.id.to_string()});
        self.base.audit(&tx, (version.organisation_id, &caller.actor()), "registry.create_key", key.id, detail).await?;
        tx.commit().await?;
        Ok((key, Secret::new(text)))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_integration_api_key(&self, caller: &Caller, id: &str) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let key = public_id(PublicId::API_KEY, id).map(ApiKeyId);
        let key = key.ok_or_else(|| Error::not_found(Noun::ApiKey, id))?;
        let tx = self.base.store.begin().await?;
        registry::delete_key(&tx, caller.organisation_id, key, id).await?;
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "registry.delete_key", key, json!({})).await?;
        tx.commit().await
    }

    async fn bot_to_manage(&self, caller: &Caller, id: &str) -> Result<(Tx, RegistryVersion)> {
        caller.require(Permission::IntegrationsManage)?;
        let tx = self.base.store.begin().await?;
        store::tenancy::organisations::lock(&tx, caller.organisation_id).await?;
        let found = registry::find(&tx, Integration, caller.organisation_id, version_id(Integration, id)?).await?;
        Ok((tx, found.ok_or_else(|| not_found(Integration, id))?))
    }
}
