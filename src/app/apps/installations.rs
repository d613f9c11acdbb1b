//! Apps of an organisation: installed by a descriptor, listed beside those of the system, changed, removed.
//!
//! Not here: their settings (`settings`), and their use in channels (`channel_apps`).

mod reading;
mod shown;
mod signing;

use serde_json::json;
use uuid::Uuid;

pub use shown::InstalledIntegration;

use super::Apps;
use crate::{
    app::{
        Caller,
        tenancy::{teams::Identified, vault::SecretLocation},
    },
    domain::{
        Error, Result,
        apps::{app::App, descriptor::Descriptor, destination},
        error::{Noun, Violation},
        ids::OrganisationId,
        pipeline::{delivery::DeliveryState, destination::Health},
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{self, Tx, apps::installations::SealedSecrets},
};

/// Longest name, credential and type of an app, in characters.
const MAX_NAME: usize = 200;
const MAX_CREDENTIAL: usize = 4_000;
/// Largest number of apps that an organisation may install.
pub const MOST_INTEGRATIONS: usize = 500;

/// An app to be installed.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    /// Name.
    pub name: String,
    /// Address of its descriptor.
    pub json_url: String,
    /// Credential that its calls present.
    pub auth_credential: Option<Secret>,
    /// Type, as the caller states it.
    pub integration_type: Option<String>,
}

/// A patch of an app: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct IntegrationChange {
    /// New name.
    pub name: Option<String>,
    /// New address of the descriptor.
    pub json_url: Option<String>,
    /// New credential.
    pub auth_credential: Option<Secret>,
    /// New type.
    pub integration_type: Option<String>,
    /// False to deactivate it in every channel.
    pub active: Option<bool>,
}

impl Apps {
    /// Installs an app. Its descriptor is read if possible; an address without a descriptor is stored all the same.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the organisation is not the caller's, [`Error::Forbidden`], [`Error::Invalid`],
    /// [`Error::Conflict`] where there are too many.
    pub async fn create_integration(
        &self,
        who: &Identified,
        organisation: &str,
        new: NewIntegration,
    ) -> Result<InstalledIntegration> {
        let (caller, _) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsManage)?;
        let NewIntegration { name, json_url, auth_credential, integration_type } = new;
        let integration_type = integration_type.unwrap_or_default();
        check(Some(&name), Some(&json_url), auth_credential.as_ref(), Some(&integration_type))?;
        let (descriptor, late) = self.read_descriptor(&json_url).await?;
        let mut app = self.new_integration(&caller, name, json_url, (integration_type, false), descriptor);
        self.install(&caller, &mut app, auth_credential.as_ref()).await?;
        self.adopt_when_read(&caller, &app, late);
        Ok(self.seen(&caller, &app, auth_credential.as_ref()))
    }

    /// Installs an app by its descriptor alone, which must be valid.
    ///
    /// # Errors
    /// As [`Apps::create_integration`].
    pub async fn create_custom_integration(
        &self,
        who: &Identified,
        organisation: &str,
        json_url: &str,
    ) -> Result<InstalledIntegration> {
        let (caller, _) = self.tenancy.in_team(who, organisation).await?;
        let app = self.install_by_descriptor(&caller, json_url.to_owned(), (None, None)).await?;
        Ok(self.seen(&caller, &app, None))
    }

    /// Lists the organisation's apps, those of the system first.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the organisation is not the caller's, [`Error::Forbidden`].
    pub async fn list_organisation_integrations(
        &self,
        who: &Identified,
        organisation: &str,
    ) -> Result<Vec<InstalledIntegration>> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsRead)?;
        let reader = self.base.store.reader();
        let mut all = self.system_integrations(organisation.id, organisation.created_at).await?;
        let installed = store::apps::installations::list(reader, organisation.id).await?;
        all.extend(installed.iter().map(|app| self.seen(&caller, app, None)));
        Ok(all)
    }

    /// Lists the organisation's custom apps.
    ///
    /// # Errors
    /// As [`Apps::list_organisation_integrations`].
    pub async fn list_custom_integrations(
        &self,
        who: &Identified,
        organisation: &str,
    ) -> Result<Vec<InstalledIntegration>> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsRead)?;
        let installed = store::apps::installations::list(self.base.store.reader(), organisation.id).await?;
        Ok(installed.iter().filter(|app| app.custom).map(|app| self.seen(&caller, app, None)).collect())
    }

    /// Changes an app. The descriptor is read from a new address; if that fails, the last valid copy stays. A new
    /// descriptor or an activation resets the health of an app that was disabled as gone.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_integration(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        change: IntegrationChange,
    ) -> Result<InstalledIntegration> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsManage)?;
        let IntegrationChange { name, json_url, auth_credential, integration_type, active } = change;
        check(name.as_deref(), json_url.as_deref(), auth_credential.as_ref(), integration_type.as_deref())?;
        let reader = self.base.store.reader();
        let (mut app, secrets) =
            store::apps::installations::find_with_secrets(reader, organisation.id, id.into()).await?;
        if json_url.is_some() && app.registry.is_some() {
            return Err(Error::invalid("/json_url", "stays: what it was installed from is in the registry"));
        }
        let auth_credential = match auth_credential {
            Some(credential) => Some(credential),
            None => self.open_credential(&app, &secrets).await?,
        };
        let new_chance = json_url.is_some() || active == Some(true);
        let (read, late) = match json_url {
            Some(json_url) => {
                app.json_url = json_url;
                self.read_descriptor(&app.json_url).await?
            }
            // Without a descriptor, each change reads it again.
            None if app.descriptor.is_none() => self.read_descriptor(&app.json_url).await.unwrap_or_default(),
            None => (None, None),
        };
        app.descriptor = read.or(app.descriptor);
        app.name = name.unwrap_or(app.name);
        app.integration_type = integration_type.unwrap_or(app.integration_type);
        app.active = active.unwrap_or(app.active);
        self.save_integration(&caller, &mut app, auth_credential.as_ref(), new_chance).await?;
        self.adopt_when_read(&caller, &app, late);
        Ok(self.seen(&caller, &app, auth_credential.as_ref()))
    }

    /// Replaces the descriptor of a custom app by another one, which must be valid.
    ///
    /// # Errors
    /// As [`Apps::update_integration`].
    pub async fn update_custom_integration(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        json_url: &str,
    ) -> Result<()> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsManage)?;
        let mut app = self.custom(organisation.id, id).await?;
        self.replace_descriptor(&mut app, json_url.to_owned()).await?;
        if let Some(descriptor) = &app.descriptor {
            app.name.clone_from(&descriptor.app_name);
        }
        self.save_integration(&caller, &mut app, None, true).await
    }

    /// Removes an app with its settings, credentials and schedule; its pending deliveries fail.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_integration(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
    ) -> Result<InstalledIntegration> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsManage)?;
        let reader = self.base.store.reader();
        let (app, secrets) = store::apps::installations::find_with_secrets(reader, organisation.id, id.into()).await?;
        let credential = self.open_credential(&app, &secrets).await?;
        self.uninstall(&caller, &app).await?;
        Ok(self.seen(&caller, &app, credential.as_ref()))
    }

    /// Removes a custom app.
    ///
    /// # Errors
    /// As [`Apps::delete_integration`].
    pub async fn delete_custom_integration(&self, who: &Identified, organisation: &str, id: Uuid) -> Result<()> {
        let (caller, organisation) = self.tenancy.in_team(who, organisation).await?;
        caller.require(Permission::IntegrationsManage)?;
        let app = self.custom(organisation.id, id).await?;
        self.uninstall(&caller, &app).await
    }

    pub(in crate::app) async fn custom(&self, organisation_id: OrganisationId, id: Uuid) -> Result<App> {
        let app = store::apps::installations::find(self.base.store.reader(), organisation_id, id.into()).await?;
        if app.custom { Ok(app) } else { Err(Error::not_found(Noun::Integration, id)) }
    }

    pub(in crate::app) fn new_integration(
        &self,
        caller: &Caller,
        name: String,
        json_url: String,
        (integration_type, custom): (String, bool),
        descriptor: Option<Descriptor>,
    ) -> App {
        let now = self.base.now();
        App {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            installation_id: self.base.ambient.id(),
            name,
            json_url,
            integration_type,
            custom,
            registry: None,
            active: descriptor.as_ref().is_none_or(|descriptor| descriptor.is_active),
            descriptor,
            created_at: now,
            updated_at: now,
        }
    }

    pub(in crate::app) async fn install(
        &self,
        caller: &Caller,
        app: &mut App,
        credential: Option<&Secret>,
    ) -> Result<()> {
        let secrets = SealedSecrets {
            credential: self.seal_credential(app, credential).await?,
            signing_secret: Some(self.new_signing_secret((app.organisation_id, app.installation_id)).await?.1),
            former_signing_secret: None,
        };
        let tx = self.base.store.begin().await?;
        if store::apps::installations::list(&tx, app.organisation_id).await?.len() >= MOST_INTEGRATIONS {
            let message =
                format!("an organisation installs at most {MOST_INTEGRATIONS} integrations; delete one first");
            return Err(Error::Conflict { noun: Noun::Integration, message });
        }
        self.tenancy.demand_room_for_destinations(&tx, app.organisation_id, 1).await?;
        store::apps::installations::insert(&tx, app, secrets).await?;
        if let Some(from) = app.registry.clone() {
            let current = self.versions.current_descriptor(&tx, &from).await?;
            self.check_called(&current, "/url")?;
            app.descriptor = Some(current);
            store::apps::installations::update(&tx, app, None).await?;
            self.versions.record_installation(&tx, app, &from).await?;
        }
        self.audit_integration(&tx, caller, "integration.install", app).await?;
        self.commit_app(tx, app, None, true).await
    }

    pub(super) async fn save_integration(
        &self,
        caller: &Caller,
        app: &mut App,
        credential: Option<&Secret>,
        new_chance: bool,
    ) -> Result<()> {
        app.updated_at = self.base.now();
        let sealed = self.seal_credential(app, credential).await?;
        let tx = self.base.store.begin().await?;
        let former = store::apps::installations::find(&tx, app.organisation_id, app.id).await?;
        store::apps::installations::update(&tx, app, sealed).await?;
        if new_chance {
            self.switch_on(&tx, app).await?;
        }
        self.reschedule(&tx, app).await?;
        self.audit_integration(&tx, caller, "integration.update", app).await?;
        self.commit_app(tx, app, Some(&former), new_chance).await
    }

    pub(in crate::app) async fn uninstall(&self, caller: &Caller, app: &App) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let kind = &destination::APP;
        let name = destination::app_name(app.id);
        if let Some(destination) =
            store::pipeline::destinations::find_by_name(&tx, app.organisation_id, kind, &name).await?
        {
            let (now, reason) = (self.base.now(), destination::DELETED.text());
            store::pipeline::deliveries::end_pending(&tx, destination.id, DeliveryState::Failed, reason, now).await?;
            let off = Health::Disabled { reason: reason.to_owned(), since: now };
            store::pipeline::destinations::set_health(&tx, destination.id, &off).await?;
        }
        store::apps::installations::delete(&tx, app.id).await?;
        if let Some(from) = &app.registry {
            self.versions.forget_installation(&tx, from).await?;
        }
        self.audit_integration(&tx, caller, "integration.delete", app).await?;
        tx.commit().await
    }

    async fn open_credential(&self, app: &App, secrets: &SealedSecrets) -> Result<Option<Secret>> {
        match &secrets.credential {
            Some(sealed) => Ok(Some(self.vault.unseal(secret_location(app, "credential"), sealed).await?)),
            None => Ok(None),
        }
    }

    async fn seal_credential(&self, app: &App, credential: Option<&Secret>) -> Result<Option<Vec<u8>>> {
        match credential {
            Some(credential) => Ok(Some(self.vault.seal(secret_location(app, "credential"), credential).await?)),
            None => Ok(None),
        }
    }

    async fn audit_integration(&self, tx: &Tx, caller: &Caller, action: &'static str, app: &App) -> Result<()> {
        let detail = json!({"name": app.name, "json_url": app.json_url});
        self.base.audit(tx, (caller.organisation_id, &caller.actor()), action, app.id, detail).await
    }
}

/// Returns the row and column to which an installation's secret is bound.
pub(in crate::app) fn secret_location<'a>(app: &App, column: &'a str) -> SecretLocation<'a> {
    SecretLocation { organisation_id: app.organisation_id, table: "installation", column, row: app.installation_id.0 }
}

pub(in crate::app) fn check(
    name: Option<&str>,
    json_url: Option<&str>,
    credential: Option<&Secret>,
    integration_type: Option<&str>,
) -> Result<()> {
    let mut violations = Vec::new();
    let mut demand = |field: &str, text: Option<&str>, least: usize, most: usize| {
        if let Some(text) = text
            && (!(least..=most).contains(&text.chars().count()) || text.chars().any(char::is_control))
        {
            let message = format!("must be {least} to {most} characters without control characters");
            violations.push(Violation { field: field.to_owned(), message });
        }
    };
    demand("/name", name, 1, MAX_NAME);
    demand("/json_url", json_url, 1, crate::provider::guard::MAX_URL_BYTES);
    demand("/auth_credential", credential.map(Secret::expose), 0, MAX_CREDENTIAL);
    demand("/integration_type", integration_type, 0, MAX_NAME);
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}
