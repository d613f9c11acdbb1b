//! Apps of the caller's organisation: listed, read, installed by a descriptor, changed, removed.
//!
//! Not here: dialects that name the organisation (`installations`), and installation from the registry (`registry`).

use super::{Apps, installations::check};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        apps::app::App,
        ids::IntegrationId,
        page::{Page, PageRequest},
        secret::Secret,
        tenancy::member::Permission,
    },
    store,
};

/// A patch of an app: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    /// New name.
    pub name: Option<String>,
    /// New address of the descriptor, which must be valid.
    pub descriptor_url: Option<String>,
    /// New credential.
    pub credential: Option<Secret>,
    /// False to deactivate it in every channel.
    pub active: Option<bool>,
}

impl Apps {
    /// Lists the apps of an organisation, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_apps(&self, caller: &Caller, page: PageRequest) -> Result<Page<App>> {
        caller.require(Permission::IntegrationsRead)?;
        let all = store::apps::installations::list(self.base.store.reader(), caller.organisation_id).await?;
        let is_after = |app: &App| page.after.is_none_or(|after| app.id.0 < after);
        let items = all.into_iter().rev().filter(is_after).take(page.limit as usize + 1).collect();
        Ok(Page::cut(items, page.limit, |app: &App| app.id.0))
    }

    /// Returns an app.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_app(&self, caller: &Caller, id: IntegrationId) -> Result<App> {
        caller.require(Permission::IntegrationsRead)?;
        store::apps::installations::find(self.base.store.reader(), caller.organisation_id, id).await
    }

    /// Installs an app by its descriptor, which must be valid. It has the descriptor's name unless it is given one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::Conflict`] where there are too many.
    pub(in crate::app) async fn install_by_descriptor(
        &self,
        caller: &Caller,
        descriptor_url: String,
        (name, credential): (Option<String>, Option<&Secret>),
    ) -> Result<App> {
        caller.require(Permission::IntegrationsManage)?;
        check(name.as_deref(), None, credential, None)?;
        let descriptor = self.fetch_descriptor(&descriptor_url, "/json_url").await?;
        let kind = descriptor.kind.as_str().to_owned();
        let name = name.unwrap_or_else(|| descriptor.app_name.clone());
        let mut app = self.new_integration(caller, name, descriptor_url, (kind, true), Some(descriptor));
        self.install(caller, &mut app, credential).await?;
        Ok(app)
    }

    /// Changes an app. A new descriptor or an activation resets the health of an app that was disabled as gone.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] also where the descriptor of an app from the
    /// registry would be replaced.
    pub async fn update_app(&self, caller: &Caller, id: IntegrationId, change: AppChange) -> Result<App> {
        caller.require(Permission::IntegrationsManage)?;
        let AppChange { name, descriptor_url, credential, active } = change;
        check(name.as_deref(), None, credential.as_ref(), None)?;
        let reader = self.base.store.reader();
        let mut app = store::apps::installations::find(reader, caller.organisation_id, id).await?;
        let new_chance = descriptor_url.is_some() || active == Some(true);
        if let Some(url) = descriptor_url {
            self.replace_descriptor(&mut app, url).await?;
        }
        app.name = name.unwrap_or(app.name);
        app.active = active.unwrap_or(app.active);
        self.save_integration(caller, &mut app, credential.as_ref(), new_chance).await?;
        Ok(app)
    }

    /// Replaces the descriptor of an app by the one at an address, which must be valid.
    ///
    /// # Errors
    /// [`Error::Invalid`] also for an app from the registry.
    pub(super) async fn replace_descriptor(&self, app: &mut App, url: String) -> Result<()> {
        if app.registry.is_some() {
            return Err(Error::invalid("/json_url", "stays: what it was installed from is in the registry"));
        }
        let descriptor = self.fetch_descriptor(&url, "/json_url").await?;
        descriptor.kind.as_str().clone_into(&mut app.integration_type);
        app.descriptor = Some(descriptor);
        app.json_url = url;
        Ok(())
    }

    /// Removes an app with its settings, credentials and schedule; its pending deliveries fail.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_app(&self, caller: &Caller, id: IntegrationId) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let app = store::apps::installations::find(self.base.store.reader(), caller.organisation_id, id).await?;
        self.uninstall(caller, &app).await
    }
}
