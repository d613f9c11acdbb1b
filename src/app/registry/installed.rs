//! Rules of the registry for apps that were installed from its versions.
//!
//! Not here: the installation itself (`installations`, `apps`).

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::not_found;
use crate::{
    app::apps::Versions,
    domain::{
        Error, Result,
        apps::{
            app::{App, RegistryReference},
            descriptor::Descriptor,
            setting::Setting,
        },
        ids::IntegrationId,
        registry::definition::{Configuration, DefinitionKind::Integration, descriptor},
    },
    store::{self, Store, Tx},
};

/// Checks apps that were installed from versions.
pub struct InstalledVersions(pub Store);

#[async_trait]
impl Versions for InstalledVersions {
    async fn current_descriptor(&self, tx: &Tx, from: &RegistryReference) -> Result<Descriptor> {
        let id = IntegrationId(from.registry_id);
        // A concurrent change or removal waits for this lock, or came first: then its result is installed.
        store::registry::lock_owner(tx, id).await?;
        let definition =
            store::registry::definition(tx, id).await?.ok_or_else(|| not_found(Integration, &from.name))?;
        descriptor(&definition)
    }

    async fn record_installation(&self, tx: &Tx, app: &App, from: &RegistryReference) -> Result<()> {
        store::registry::insert_installation(tx, app, from).await
    }

    async fn forget_installation(&self, tx: &Tx, from: &RegistryReference) -> Result<()> {
        store::registry::uncount_installation(tx, from).await
    }

    async fn check_configuration(&self, app: &App, setting: &Setting, around: Vec<Setting>) -> Result<bool> {
        let Some(from) = &app.registry else { return Ok(false) };
        let found = store::registry::definition(self.0.reader(), IntegrationId(from.registry_id)).await?;
        let Some(definition) = found else { return Ok(false) };
        let configuration = Configuration::of(&definition)?;
        let Some(descriptor) = app.descriptor.as_ref().filter(|_| configuration.governs(&setting.label)) else {
            return Ok(false);
        };
        let (organisation, mut channel): (Vec<Setting>, Vec<Setting>) =
            around.into_iter().partition(|setting| setting.channel_id.is_none());
        channel.push(setting.clone());
        let is_set = |value: &Value| !value.is_null() && value.as_str() != Some("");
        let held: Map<String, Value> = descriptor
            .effective(&organisation, &channel)
            .into_iter()
            .filter(|held| held.label == setting.label || is_set(held.value()))
            .map(|held| (held.label.clone(), held.value().clone()))
            .collect();
        let label = setting.label.clone();
        let check = move || configuration.check(&label, &Value::Object(held), "/form_field_value");
        let checked = tokio::task::spawn_blocking(check).await;
        checked.map_err(|error| Error::Internal(format!("a check failed: {error}")))??;
        Ok(true)
    }
}
