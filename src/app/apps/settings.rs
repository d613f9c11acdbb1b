//! Settings of apps, for the organisation and for its channels.
//!
//! Not here: the rules of a setting's value (`domain::apps`).

mod governed;
mod opened;
mod replaced;

use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use self::replaced::Replacement;
use super::{Apps, keys::SettingsCaller};
use crate::{
    app::{
        Caller,
        tenancy::{teams::Identified, vault::SecretLocation},
    },
    domain::{
        Error, Result,
        ambient::Time,
        apps::{
            app::App,
            setting::{Setting, check_label},
        },
        error::{Noun, Violation},
        ids::{ChannelId, IntegrationId, OrganisationId, SettingId},
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{self, apps::settings::StoredSetting},
};

/// Largest number of settings of an installation, for the organisation or for one channel.
pub const MOST_SETTINGS: usize = 200;
/// Actor of changes that an app makes by its key, in the audit log.
const APP_ACTOR: &str = "app";

/// A setting as a caller sees it.
#[derive(Clone, Debug)]
pub struct SettingRow {
    /// Its identifier.
    pub id: Uuid,
    /// Owning organisation.
    pub organisation_id: OrganisationId,
    /// Id of the app.
    pub integration_id: IntegrationId,
    /// Channel; `None` for a setting of the organisation.
    pub channel_id: Option<ChannelId>,
    /// Its name.
    pub label: String,
    /// Value; masked where this caller may not see it.
    pub value: Value,
    /// Time of the first assignment.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// App and channel to which a setting belongs, with the rights of the caller.
pub(super) struct Scope {
    /// Actor in the audit log.
    actor: String,
    /// True if the caller may see secrets.
    opens: bool,
    app: App,
    channel_id: Option<ChannelId>,
}

impl Apps {
    /// Sets a value for the organisation, replacing one with the same label.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`], [`Error::Conflict`] where there are too many.
    pub async fn add_integration_setting(
        &self,
        who: &SettingsCaller,
        organisation: &str,
        id: Uuid,
        label: &str,
        value: Value,
    ) -> Result<()> {
        let scope = self.scope_by(who, organisation, id, Permission::IntegrationsManage).await?;
        self.set(&scope, label, value).await
    }

    /// Lists the settings of the organisation, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn list_integration_settings(
        &self,
        who: &SettingsCaller,
        organisation: &str,
        id: Uuid,
    ) -> Result<Vec<SettingRow>> {
        let scope = self.scope_by(who, organisation, id, Permission::IntegrationsRead).await?;
        self.rows(&scope).await
    }

    /// Changes the setting with a label or, without a label, the only one.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where no setting has that label, [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_integration_setting(
        &self,
        who: &SettingsCaller,
        organisation: &str,
        id: Uuid,
        label: Option<&str>,
        value: Option<Value>,
    ) -> Result<()> {
        let scope = self.scope_by(who, organisation, id, Permission::IntegrationsManage).await?;
        let rows = self.stored(&scope).await?;
        let row = match label {
            Some(label) => rows.into_iter().find(|row| row.setting.label == label),
            None if rows.len() > 1 => {
                return Err(Error::invalid("/form_field_label", "is needed: several settings are there"));
            }
            None => rows.into_iter().next(),
        };
        let row = row.ok_or_else(|| Error::not_found(Noun::Setting, label.unwrap_or("of this integration")))?;
        match value {
            Some(value) => self.change(&scope, row, None, Some(value)).await,
            None => Ok(()),
        }
    }

    /// Sets a value for a channel, replacing one with the same label.
    ///
    /// # Errors
    /// As [`Apps::add_integration_setting`].
    pub async fn add_channel_setting(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        channel: Uuid,
        label: &str,
        value: Value,
    ) -> Result<()> {
        let scope = self.scope(who, organisation, id, Some(channel), Permission::IntegrationsManage).await?;
        self.set(&scope, label, value).await
    }

    /// Lists the settings of a channel, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn list_channel_settings(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        channel: Uuid,
    ) -> Result<Vec<SettingRow>> {
        let scope = self.scope(who, organisation, id, Some(channel), Permission::IntegrationsRead).await?;
        self.rows(&scope).await
    }

    /// Changes a channel's setting.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    #[allow(clippy::too_many_arguments, reason = "the path has four parts, and the body two")]
    pub async fn update_channel_setting(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        channel: Uuid,
        setting: Uuid,
        label: Option<&str>,
        value: Option<Value>,
    ) -> Result<()> {
        let scope = self.scope(who, organisation, id, Some(channel), Permission::IntegrationsManage).await?;
        let row = self.one(&scope, setting).await?;
        self.change(&scope, row, label, value).await
    }

    /// Removes a channel's setting.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_channel_setting(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        channel: Uuid,
        setting: Uuid,
    ) -> Result<()> {
        let scope = self.scope(who, organisation, id, Some(channel), Permission::IntegrationsManage).await?;
        let row = self.one(&scope, setting).await?;
        let tx = self.base.store.begin().await?;
        store::apps::settings::delete(&tx, row.setting.id).await?;
        self.reschedule(&tx, &scope.app).await?;
        self.audit_setting(&tx, &scope, "setting.delete", &row.setting.label).await?;
        tx.commit().await
    }

    /// Sets a value of a custom app, for the organisation.
    ///
    /// # Errors
    /// As [`Apps::add_integration_setting`].
    pub async fn put_custom_setting(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        field_name: &str,
        value: Value,
    ) -> Result<()> {
        let scope = self.custom_scope(who, organisation, id, Permission::IntegrationsManage).await?;
        self.set(&scope, field_name, value).await
    }

    /// Returns the setting of a custom app that was changed last.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn get_custom_setting(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
    ) -> Result<Option<(String, Value)>> {
        let scope = self.custom_scope(who, organisation, id, Permission::IntegrationsRead).await?;
        let last = self.rows(&scope).await?.into_iter().max_by_key(|row| (row.updated_at, row.id));
        Ok(last.map(|row| (row.label, row.value)))
    }

    /// Returns the organisation's scope for a member, or for the app itself, which gets its secrets with each call anyway.
    async fn scope_by(
        &self,
        who: &SettingsCaller,
        organisation: &str,
        id: Uuid,
        permission: Permission,
    ) -> Result<Scope> {
        match who {
            SettingsCaller::Member(who) => self.scope(who, organisation, id, None, permission).await,
            SettingsCaller::App(keyed) => {
                Ok(Scope { actor: APP_ACTOR.to_owned(), opens: true, app: keyed.0.clone(), channel_id: None })
            }
        }
    }

    async fn scope(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        channel: Option<Uuid>,
        permission: Permission,
    ) -> Result<Scope> {
        let (caller, _) = self.tenancy.in_team(who, organisation).await?;
        self.scope_of(caller, id.into(), channel.map(Into::into), permission).await
    }

    pub(super) async fn scope_of(
        &self,
        caller: Caller,
        id: IntegrationId,
        channel: Option<ChannelId>,
        permission: Permission,
    ) -> Result<Scope> {
        caller.require(permission)?;
        let app = store::apps::installations::find(self.base.store.reader(), caller.organisation_id, id).await?;
        let channel_id = match channel {
            Some(channel) => Some(self.channels.visible_channel(&caller, channel).await?.id),
            None => None,
        };
        Ok(Scope { actor: caller.actor(), opens: caller.may(Permission::SecretsRead), app, channel_id })
    }

    async fn custom_scope(
        &self,
        who: &Identified,
        organisation: &str,
        id: Uuid,
        permission: Permission,
    ) -> Result<Scope> {
        let scope = self.scope(who, organisation, id, None, permission).await?;
        if scope.app.custom { Ok(scope) } else { Err(Error::not_found(Noun::Integration, id)) }
    }

    async fn stored(&self, Scope { app, channel_id, .. }: &Scope) -> Result<Vec<StoredSetting>> {
        let reader = self.base.store.reader();
        store::apps::settings::list(reader, app.organisation_id, app.installation_id, *channel_id).await
    }

    async fn one(&self, scope: &Scope, id: Uuid) -> Result<StoredSetting> {
        let found = self.stored(scope).await?.into_iter().find(|row| row.setting.id == SettingId(id));
        found.ok_or_else(|| Error::not_found(Noun::Setting, id))
    }

    pub(super) async fn rows(&self, scope: &Scope) -> Result<Vec<SettingRow>> {
        self.seen_settings(scope.opens, scope.app.id, self.stored(scope).await?).await
    }

    async fn set(&self, scope: &Scope, label: &str, value: Value) -> Result<()> {
        check_label(label).map_err(at_label)?;
        let rows = self.stored(scope).await?;
        if let Some(row) = rows.iter().find(|row| row.setting.label == label) {
            return self.change(scope, row.clone(), None, Some(value)).await;
        }
        if rows.len() >= MOST_SETTINGS {
            let message = format!("an integration has at most {MOST_SETTINGS} settings");
            return Err(Error::Conflict { noun: Noun::Setting, message });
        }
        let now = self.base.now();
        let setting = Setting {
            id: self.base.ambient.id(),
            organisation_id: scope.app.organisation_id,
            installation_id: scope.app.installation_id,
            channel_id: scope.channel_id,
            label: label.to_owned(),
            value,
            secret: false,
            created_at: now,
            updated_at: now,
        };
        let around = self.settings_around(&scope.app, &setting).await?;
        let stored = self.checked(scope, setting, around).await?;
        let tx = self.base.store.begin().await?;
        store::apps::settings::insert(&tx, &stored).await?;
        self.reschedule(&tx, &scope.app).await?;
        self.audit_setting(&tx, scope, "setting.add", label).await?;
        tx.commit().await
    }

    async fn change(&self, scope: &Scope, row: StoredSetting, label: Option<&str>, value: Option<Value>) -> Result<()> {
        let mut settings = self.open_settings(vec![row]).await?;
        let Some(mut setting) = settings.pop() else { return Ok(()) };
        if let Some(label) = label {
            check_label(label).map_err(at_label)?;
            label.clone_into(&mut setting.label);
        }
        setting.value = value.unwrap_or(setting.value);
        setting.updated_at = self.base.now();
        let around = self.settings_around(&scope.app, &setting).await?;
        let stored = self.checked(scope, setting, around).await?;
        let tx = self.base.store.begin().await?;
        store::apps::settings::update(&tx, &stored).await?;
        self.reschedule(&tx, &scope.app).await?;
        self.audit_setting(&tx, scope, "setting.update", &stored.setting.label).await?;
        tx.commit().await
    }

    /// Validates a setting by the descriptor, and seals it if it is a secret.
    async fn checked(&self, scope: &Scope, mut setting: Setting, around: Vec<Setting>) -> Result<StoredSetting> {
        let descriptor = &scope.app.descriptor;
        let governed = self.is_governed(&scope.app, &setting, around).await?;
        if let Some(descriptor) = descriptor.as_ref().filter(|_| !governed) {
            let checked = descriptor.validate_setting(&setting.label, &setting.value);
            checked.map_err(|violation| {
                Error::Invalid(vec![Violation { field: "/form_field_value".into(), message: violation.message }])
            })?;
        }
        let spec = descriptor.as_ref().and_then(|descriptor| descriptor.setting(&setting.label));
        setting.secret = spec.is_some_and(|spec| spec.secret);
        if !setting.secret {
            return Ok(StoredSetting { setting, sealed: None });
        }
        let text = Secret::new(setting.value.to_string());
        let sealed = self.vault.seal(location(&setting), &text).await?;
        Ok(StoredSetting { setting, sealed: Some(sealed) })
    }

    async fn audit_setting(&self, tx: &store::Tx, scope: &Scope, action: &'static str, label: &str) -> Result<()> {
        let detail = json!({"label": label, "channel_id": scope.channel_id});
        let actor = (scope.app.organisation_id, scope.actor.as_str());
        self.base.audit(tx, actor, action, scope.app.id, detail).await
    }
}

fn location(setting: &Setting) -> SecretLocation<'static> {
    SecretLocation { organisation_id: setting.organisation_id, table: "setting", column: "secret", row: setting.id.0 }
}

fn at_label(violation: Violation) -> Error {
    Error::Invalid(vec![Violation { field: "/form_field_label".into(), message: violation.message }])
}
