//! Settings of apps from the registry, which the configuration of their version governs.
//!
//! Not here: the configuration (`registry`).

use crate::{
    app::apps::Apps,
    domain::{
        Result,
        apps::{app::App, setting::Setting},
    },
    store,
};

impl Apps {
    /// Checks a setting against the configuration of the app's version, together with the settings `around` it. Returns
    /// `false` where none governs it.
    pub(super) async fn is_governed(&self, app: &App, setting: &Setting, around: Vec<Setting>) -> Result<bool> {
        if app.registry.is_none() {
            return Ok(false);
        }
        self.versions.check_configuration(app, setting, around).await
    }

    /// Returns the other settings of an organisation and, for a setting of a channel, of that channel; none for an app
    /// that no version governs.
    pub(super) async fn settings_around(&self, app: &App, setting: &Setting) -> Result<Vec<Setting>> {
        if app.registry.is_none() {
            return Ok(Vec::new());
        }
        let mut settings = self.organisation_settings(app).await?;
        if setting.channel_id.is_some() {
            let (reader, of) = (self.base.store.reader(), app.installation_id);
            let rows = store::apps::settings::list(reader, app.organisation_id, of, setting.channel_id).await?;
            settings.extend(self.open_settings(rows).await?);
        }
        settings.retain(|other| other.id != setting.id);
        Ok(settings)
    }

    /// Returns the settings of an app for the organisation, secrets opened.
    pub(super) async fn organisation_settings(&self, app: &App) -> Result<Vec<Setting>> {
        let (reader, of) = (self.base.store.reader(), app.installation_id);
        let rows = store::apps::settings::list(reader, app.organisation_id, of, None).await?;
        self.open_settings(rows).await
    }
}
