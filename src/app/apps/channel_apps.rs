//! Apps in a channel: activated, deactivated, and ordered. Their schedules depend on that.
//!
//! Not here: calling them (`calls`, `messages`, `ticks`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Apps,
    settings::{Replacement, SettingRow},
};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        apps::{
            app::{App, AppInChannel},
            setting::Setting,
        },
        error::Noun,
        ids::{ChannelId, InstallationId, IntegrationId},
        tenancy::member::Permission,
    },
    store::{
        self, Tx,
        apps::{installations::Used, settings::StoredSetting, ticks::NextTick},
    },
};

/// An app in a channel.
#[derive(Clone, Debug)]
pub struct ChannelApp {
    /// Id of the app.
    pub app_id: IntegrationId,
    /// Its name.
    pub name: String,
    /// Its kind, which decides on which occasions it is called.
    pub kind: String,
    /// True if it is active in the channel.
    pub active: bool,
    /// Position in the order of calls: the lowest is called first.
    pub position: i32,
    /// Settings of the channel, oldest first.
    pub settings: Vec<SettingRow>,
    /// Time of the last change.
    pub updated_at: Time,
}

/// A patch: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ChannelAppChange {
    /// True to activate it.
    pub active: Option<bool>,
    /// New position.
    pub position: Option<i32>,
    /// Values by label that replace the settings of the channel.
    pub settings: Option<BTreeMap<String, Value>>,
}

impl Apps {
    /// Lists the apps in a channel, in the order of calls.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_channel_apps(&self, caller: &Caller, id: ChannelId) -> Result<Vec<ChannelApp>> {
        caller.require(Permission::IntegrationsRead)?;
        let channel = self.channels.visible_channel(caller, id).await?;
        let reader = self.base.store.reader();
        let all = store::apps::installations::of_channel(reader, caller.organisation_id, channel.id).await?;
        let all = all.into_iter().map(|Used { app, used, .. }| (app, used)).collect();
        self.in_channel(caller, channel.id, all).await
    }

    /// Returns an app in a channel.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also where it is not in the channel.
    pub async fn get_channel_app(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        id: IntegrationId,
    ) -> Result<ChannelApp> {
        let found = self.list_channel_apps(caller, channel_id).await?.into_iter().find(|one| one.app_id == id);
        found.ok_or_else(|| Error::not_found(Noun::Integration, id))
    }

    /// Adds the settings to apps in a channel, as this caller may see them.
    async fn in_channel(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        all: Vec<(App, AppInChannel)>,
    ) -> Result<Vec<ChannelApp>> {
        let of: Vec<InstallationId> = all.iter().map(|(app, _)| app.installation_id).collect();
        let reader = self.base.store.reader();
        let rows = store::apps::settings::in_channel(reader, caller.organisation_id, &of, channel_id).await?;
        let mut shown = Vec::with_capacity(all.len());
        for (app, used) in all {
            let own = |row: &&StoredSetting| {
                row.setting.installation_id == app.installation_id && row.setting.channel_id.is_some()
            };
            let rows = rows.iter().filter(own).cloned().collect();
            shown.push(self::shown(
                &app,
                &used,
                self.seen_settings(caller.may(Permission::SecretsRead), app.id, rows).await?,
            ));
        }
        Ok(shown)
    }

    /// Adds an app to a channel, by default active and after the others; or changes its use there.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for the channel or the app, [`Error::Invalid`] with all violations of
    /// the settings, [`Error::Conflict`] where they are too many.
    pub async fn put_channel_app(
        &self,
        caller: &Caller,
        channel_id: ChannelId,
        id: IntegrationId,
        change: ChannelAppChange,
    ) -> Result<ChannelApp> {
        let scope = self.scope_of(caller.clone(), id, Some(channel_id), Permission::IntegrationsManage).await?;
        let replacement = match change.settings {
            Some(values) => self.check_settings(&scope, values).await?,
            None => Replacement::default(),
        };
        let tx = self.base.store.begin().await?;
        let app = store::apps::installations::find(&tx, caller.organisation_id, id).await?;
        let there = store::apps::installations::of_channel(&tx, caller.organisation_id, channel_id).await?;
        let last = there.iter().map(|there| there.used.position).max();
        let former = there.into_iter().find(|there| there.app.id == id).map(|there| there.used);
        let is_new = former.is_none();
        let mut used = former.unwrap_or_else(|| AppInChannel {
            id: self.base.ambient.id(),
            channel_id,
            active: true,
            position: last.map_or(0, |last| last.saturating_add(1)),
            updated_at: self.base.now(),
        });
        used.active = change.active.unwrap_or(used.active);
        used.position = change.position.unwrap_or(used.position);
        used.updated_at = self.base.now();
        store::apps::installations::put_in_channel(&tx, &app, &used).await?;
        if change.active == Some(true) || is_new {
            self.switch_on(&tx, &app).await?;
        }
        self.replace_settings(&tx, &scope, &replacement).await?;
        self.reschedule(&tx, &app).await?;
        let detail = json!({"channel_id": channel_id, "active": used.active, "position": used.position});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "channel_integration.put", id, detail).await?;
        tx.commit().await?;
        let settings = self.rows(&scope).await?;
        Ok(shown(&app, &used, settings))
    }

    /// Removes an app from a channel, with its settings there.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also where it is not in the channel.
    pub async fn delete_channel_app(&self, caller: &Caller, channel_id: ChannelId, id: IntegrationId) -> Result<()> {
        caller.require(Permission::IntegrationsManage)?;
        let channel = self.channels.visible_channel(caller, channel_id).await?;
        let tx = self.base.store.begin().await?;
        let there = store::apps::installations::of_channel(&tx, caller.organisation_id, channel.id).await?;
        let found = there.into_iter().find(|there| there.app.id == id);
        let Used { app, used, .. } = found.ok_or_else(|| Error::not_found(Noun::Integration, id))?;
        for row in store::apps::settings::list(&tx, app.organisation_id, app.installation_id, Some(channel.id)).await? {
            store::apps::settings::delete(&tx, row.setting.id).await?;
        }
        store::apps::installations::remove_from_channel(&tx, used.id).await?;
        let actor = (caller.organisation_id, caller.actor());
        let detail = json!({"channel_id": channel.id});
        self.base.audit(&tx, (actor.0, &actor.1), "channel_integration.delete", id, detail).await?;
        tx.commit().await
    }

    /// Sets the next tick of an app in every channel that uses it, after a change of the app, its settings or its use.
    pub(in crate::app) async fn reschedule(&self, tx: &Tx, app: &App) -> Result<()> {
        let now = self.base.now();
        for used in store::apps::installations::uses(tx, app.organisation_id, app.id).await? {
            let due_at = if used.active && app.active { self.next_tick(tx, app, &used, now).await? } else { None };
            let next = NextTick { organisation_id: app.organisation_id, installation_id: used.id, due_at };
            store::apps::ticks::set(tx, &[next]).await?;
        }
        Ok(())
    }

    /// Returns the next tick of an app in a channel.
    async fn next_tick(&self, tx: &Tx, app: &App, used: &AppInChannel, after: Time) -> Result<Option<Time>> {
        if !app.kind().ticks() {
            return Ok(None);
        }
        let (organisation, installation) = (app.organisation_id, app.installation_id);
        // Read in the transaction, which may have changed them.
        let of_all = store::apps::settings::list(tx, organisation, installation, None).await?;
        let of_channel = store::apps::settings::list(tx, organisation, installation, Some(used.channel_id)).await?;
        let plain = |rows: Vec<StoredSetting>| rows.into_iter().map(|row| row.setting).collect::<Vec<_>>();
        Ok(self.tick_after(app, &plain(of_all), &plain(of_channel), after))
    }

    /// Returns the next tick of an app after a time, by the settings of the organisation and of the channel.
    pub(in crate::app) fn tick_after(
        &self,
        app: &App,
        of_all: &[Setting],
        of_channel: &[Setting],
        after: Time,
    ) -> Option<Time> {
        let descriptor = app.descriptor.as_ref().filter(|descriptor| descriptor.kind.ticks())?;
        match descriptor.schedule(&descriptor.effective(of_all, of_channel)) {
            Ok(schedule) => schedule.and_then(|schedule| schedule.next_after(after, self.rules.zone)),
            Err(violation) => {
                tracing::debug!(integration = %app.id, message = violation.message, "interval cannot be parsed");
                None
            }
        }
    }
}

fn shown(app: &App, used: &AppInChannel, settings: Vec<SettingRow>) -> ChannelApp {
    ChannelApp {
        app_id: app.id,
        name: app.name.clone(),
        kind: app.kind().as_str().to_owned(),
        active: used.active,
        position: used.position,
        settings,
        updated_at: used.updated_at,
    }
}
