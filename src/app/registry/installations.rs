//! Installing versions: what is installed is an integration of the organisation's like any other, whose descriptor is
//! made of what the version says of itself.

use serde_json::{Map, Value};

use super::{not_found, version_id};
use crate::{
    app::{App, Caller},
    domain::{
        Error, Result,
        apps::{
            app::{AppIntegration, FromRegistry},
            setting::Setting,
        },
        ids::IntegrationId,
        page::{Page, PageRequest},
        pipeline::destination::{DestinationKind, integration_name},
        registry::{
            BotVersion, Lifecycle,
            definition::{Configuration, Definition, Issue, Rule, descriptor},
        },
        tenancy::member::Permission,
    },
    store::{
        self, Tx,
        registry::{self, Scope},
    },
};

/// Which version is to be installed.
#[derive(Clone, Debug)]
pub enum WantedVersion {
    /// The one with an identifier.
    Id(String),
    /// One by its name: a version, the highest in a range, or the latest.
    Named {
        /// The name.
        name: String,
        /// The version.
        version: String,
    },
}

impl App {
    /// Installs a version: one of the workspace's own, or a published one.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] where it cannot be installed as it is,
    /// [`Error::FailedPrecondition`] where it is deprecated, [`Error::Conflict`] where there are too many.
    pub async fn install_registry_integration(&self, caller: &Caller, wanted: WantedVersion) -> Result<AppIntegration> {
        caller.require(Permission::IntegrationsManage)?;
        let bot = self.installable(caller, wanted).await?;
        if bot.lifecycle == Lifecycle::Deprecated {
            let message = format!("{} {} is deprecated; install another version", bot.name, bot.version);
            return Err(Error::FailedPrecondition { message });
        }
        let reader = self.parts.store.reader();
        let definition = registry::definition(reader, bot.id).await?.ok_or_else(|| not_found(&bot.name))?;
        let descriptor = descriptor(&definition)?;
        self.check_called(&descriptor, "/url")?;
        let mut app =
            self.new_integration(caller, bot.name.clone(), String::new(), ("output".into(), false), Some(descriptor));
        let from = from_registry(&bot);
        app.json_url = from.json_url();
        app.registry = Some(from);
        self.install(caller, &mut app, None).await?;
        Ok(app)
    }

    async fn installable(&self, caller: &Caller, wanted: WantedVersion) -> Result<BotVersion> {
        let own = caller.organisation_id;
        match wanted {
            WantedVersion::Id(shown) => {
                let (reader, id) = (self.parts.store.reader(), version_id(&shown)?);
                let found = match registry::find(reader, own, id).await? {
                    Some(found) => Some(found),
                    None => registry::find_published(reader, id).await?,
                };
                found.ok_or_else(|| not_found(&shown))
            }
            WantedVersion::Named { name, version } => {
                match self.pick_bot(Scope::Workspace(own), &name, &version).await {
                    Err(Error::NotFound { .. }) => self.pick_bot(Scope::Hub, &name, &version).await,
                    found => found,
                }
            }
        }
    }

    /// The installed integrations of an organisation, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_installed_integrations(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<AppIntegration>> {
        caller.require(Permission::IntegrationsRead)?;
        let all = store::apps::installations::list(self.parts.store.reader(), caller.organisation_id).await?;
        let is_after = |app: &AppIntegration| page.after.is_none_or(|after| app.id.0 < after);
        let items = all.into_iter().rev().filter(is_after).take(page.limit as usize + 1).collect();
        Ok(Page::cut(items, page.limit, |app: &AppIntegration| app.id.0))
    }

    /// Removes an installed integration with its settings; what still waited for it fails.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn uninstall_integration(&self, caller: &Caller, id: IntegrationId) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let app = store::apps::installations::find(self.parts.store.reader(), caller.organisation_id, id).await?;
        self.uninstall(caller, &app).await
    }

    /// Notes the installation of a version. Who would change or remove it meanwhile waits, or was quicker: then it is
    /// installed as it is by now.
    pub(in crate::app) async fn note_installation(&self, tx: &Tx, app: &mut AppIntegration) -> Result<()> {
        let Some(from) = app.registry.clone() else { return Ok(()) };
        let id = IntegrationId(from.registry_id);
        registry::lock_owner(tx, id).await?;
        let definition = registry::definition(tx, id).await?.ok_or_else(|| not_found(&from.name))?;
        let now = descriptor(&definition)?;
        self.check_called(&now, "/url")?;
        app.descriptor = Some(now);
        store::apps::installations::update(tx, app, None).await?;
        registry::insert_installation(tx, app, &from).await
    }

    /// Lets everything that was installed from a version know what that says of itself by now.
    pub(super) async fn refresh_installed(
        &self,
        tx: &Tx,
        bot: &BotVersion,
        (former, next): (&Definition, &Definition),
    ) -> Result<()> {
        let told = |definition: &Definition| {
            let Definition { url, title, description, configuration, .. } = definition;
            (url.clone(), title.clone(), description.clone(), configuration.clone())
        };
        if told(former) == told(next) {
            return Ok(());
        }
        let installed = registry::installed(tx, bot.id).await?;
        if installed.is_empty() {
            return Ok(());
        }
        let made = descriptor(next).and_then(|made| self.check_called(&made, "/url").map(|()| made));
        let made = made.map_err(|error| {
            let says = format_args!("cannot become this while the version is installed: {error}");
            let place = if former.url == next.url { "/configuration" } else { "/url" };
            Error::Issues(vec![Issue::new(Rule::Url, place, says)])
        })?;
        store::apps::installations::set_descriptor(tx, from_registry(bot), &made, self.now()).await?;
        if former.url != next.url {
            let names: Vec<String> = installed.into_iter().map(integration_name).collect();
            store::pipeline::destinations::heal_named(tx, DestinationKind::Integration, &names).await?;
        }
        Ok(())
    }

    /// Holds a setting against the configuration of the version that its integration was installed from. `false` where
    /// none speaks of it.
    pub(in crate::app) async fn check_configuration(&self, app: &AppIntegration, setting: &Setting) -> Result<bool> {
        let Some(from) = &app.registry else { return Ok(false) };
        let reader = self.parts.store.reader();
        let Some(definition) = registry::definition(reader, IntegrationId(from.registry_id)).await? else {
            return Ok(false);
        };
        let configuration = Configuration::of(&definition)?;
        let Some(descriptor) = app.descriptor.as_ref().filter(|_| configuration.governs(&setting.label)) else {
            return Ok(false);
        };
        let (organisation, mut channel) = self.settings_around(app, setting).await?;
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

    /// What is set already where a setting belongs, without itself: for the organisation, and for its channel.
    async fn settings_around(&self, app: &AppIntegration, setting: &Setting) -> Result<(Vec<Setting>, Vec<Setting>)> {
        let (reader, of) = (self.parts.store.reader(), app.installation_id);
        let mut rows = store::apps::settings::list(reader, app.organisation_id, of, None).await?;
        if setting.channel_id.is_some() {
            rows.extend(store::apps::settings::list(reader, app.organisation_id, of, setting.channel_id).await?);
        }
        rows.retain(|row| row.setting.id != setting.id);
        let opened = self.open_settings(rows).await?;
        Ok(opened.into_iter().partition(|setting| setting.channel_id.is_none()))
    }
}

fn from_registry(bot: &BotVersion) -> FromRegistry {
    FromRegistry { registry_id: bot.id.0, name: bot.name.clone(), version: bot.version.to_string() }
}
