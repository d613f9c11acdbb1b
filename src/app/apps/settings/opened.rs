//! Settings with their secrets opened: for calls, and for callers who may see them.
//!
//! Not here: changing them (`settings`).

use super::{SettingRow, location};
use crate::{
    app::apps::Apps,
    domain::{
        Error, Result,
        apps::{
            app::App,
            setting::{EffectiveSetting, MASK, Setting},
        },
        ids::{ChannelId, InstallationId, IntegrationId, OrganisationId},
    },
    store::{self, apps::settings::StoredSetting},
};

impl Apps {
    /// Returns the effective settings of each of some apps in a channel, secrets opened.
    pub(in crate::app) async fn effective_settings(
        &self,
        organisation_id: OrganisationId,
        channel_id: ChannelId,
        apps: &[&App],
    ) -> Result<Vec<Vec<EffectiveSetting>>> {
        let installations: Vec<InstallationId> = apps.iter().map(|app| app.installation_id).collect();
        let reader = self.base.store.reader();
        let rows = store::apps::settings::in_channel(reader, organisation_id, &installations, channel_id).await?;
        let settings = self.open_settings(rows).await?;
        let of = |app: &App| {
            let own = settings.iter().filter(|setting| setting.installation_id == app.installation_id).cloned();
            let (channel, organisation): (Vec<_>, Vec<_>) = own.partition(|setting| setting.channel_id.is_some());
            app.descriptor.as_ref().map(|descriptor| descriptor.effective(&organisation, &channel)).unwrap_or_default()
        };
        Ok(apps.iter().map(|app| of(app)).collect())
    }

    /// Returns the effective settings of an app for the organisation, secrets opened.
    pub(in crate::app) async fn effective_for_organisation(&self, app: &App) -> Result<Vec<EffectiveSetting>> {
        let settings = self.organisation_settings(app).await?;
        Ok(app.descriptor.as_ref().map(|descriptor| descriptor.effective(&settings, &[])).unwrap_or_default())
    }

    pub(in crate::app) async fn open_settings(&self, rows: Vec<StoredSetting>) -> Result<Vec<Setting>> {
        let mut settings = Vec::with_capacity(rows.len());
        for StoredSetting { mut setting, sealed } in rows {
            if let Some(sealed) = sealed {
                let text = self.vault.unseal(location(&setting), &sealed).await?;
                let value = serde_json::from_str(text.expose());
                setting.value = value.map_err(|error| Error::Internal(format!("a secret is not JSON: {error}")))?;
            }
            settings.push(setting);
        }
        Ok(settings)
    }

    /// Returns settings of an app, secrets opened or masked.
    pub(in crate::app::apps) async fn seen_settings(
        &self,
        open: bool,
        integration_id: IntegrationId,
        stored: Vec<StoredSetting>,
    ) -> Result<Vec<SettingRow>> {
        let settings =
            if open { self.open_settings(stored).await? } else { stored.into_iter().map(|row| row.setting).collect() };
        let row = |setting: Setting| SettingRow {
            id: setting.id.0,
            organisation_id: setting.organisation_id,
            integration_id,
            channel_id: setting.channel_id,
            value: if setting.secret && !open { MASK.into() } else { setting.value },
            label: setting.label,
            created_at: setting.created_at,
            updated_at: setting.updated_at,
        };
        Ok(settings.into_iter().map(row).collect())
    }
}
