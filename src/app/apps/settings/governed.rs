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
    /// Checks a setting against the configuration of the app's version. Returns `false` where none governs it.
    pub(super) async fn is_governed(&self, app: &App, setting: &Setting) -> Result<bool> {
        if app.registry.is_none() {
            return Ok(false);
        }
        let around = self.settings_around(app, setting).await?;
        self.versions.check_configuration(app, setting, around).await
    }

    /// Returns the other settings of an organisation and, for a setting of a channel, of that channel.
    async fn settings_around(&self, app: &App, setting: &Setting) -> Result<Vec<Setting>> {
        let (reader, of) = (self.base.store.reader(), app.installation_id);
        let mut rows = store::apps::settings::list(reader, app.organisation_id, of, None).await?;
        if setting.channel_id.is_some() {
            rows.extend(store::apps::settings::list(reader, app.organisation_id, of, setting.channel_id).await?);
        }
        rows.retain(|row| row.setting.id != setting.id);
        self.open_settings(rows).await
    }
}
