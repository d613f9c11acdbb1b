//! Settings of an app as a whole, for the organisation or for a channel: read, and replaced at once.
//!
//! Not here: a single setting (`settings`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{MOST_SETTINGS, Scope, SettingRow};
use crate::{
    app::{Caller, apps::Apps},
    domain::{
        Error, Result,
        apps::setting::{MASK, Setting, check_label},
        error::{Noun, Violation},
        ids::IntegrationId,
        tenancy::member::Permission,
    },
    store::{self, Tx, apps::settings::StoredSetting},
};

/// Checked changes that replace the settings of a scope.
#[derive(Default)]
pub(in crate::app::apps) struct Replacement {
    added: Vec<StoredSetting>,
    changed: Vec<StoredSetting>,
    removed: Vec<Setting>,
}

impl Apps {
    /// Returns the settings of an app for the organisation, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_app_settings(&self, caller: &Caller, id: IntegrationId) -> Result<Vec<SettingRow>> {
        let scope = self.scope_of(caller.clone(), id, None, Permission::IntegrationsRead).await?;
        self.rows(&scope).await
    }

    /// Replaces the settings of an app for the organisation. One whose label is absent is removed, and a secret that is
    /// given as its mask stays.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] with all violations, [`Error::Conflict`] where
    /// there are too many.
    pub async fn put_app_settings(
        &self,
        caller: &Caller,
        id: IntegrationId,
        values: BTreeMap<String, Value>,
    ) -> Result<Vec<SettingRow>> {
        let scope = self.scope_of(caller.clone(), id, None, Permission::IntegrationsManage).await?;
        let replacement = self.check_settings(&scope, values).await?;
        let tx = self.base.store.begin().await?;
        self.replace_settings(&tx, &scope, &replacement).await?;
        self.reschedule(&tx, &scope.app).await?;
        tx.commit().await?;
        self.rows(&scope).await
    }

    /// Checks the values that are to replace the settings of a scope.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all violations, below `/settings`; [`Error::Conflict`] where there are too many.
    pub(in crate::app::apps) async fn check_settings(
        &self,
        scope: &Scope,
        values: BTreeMap<String, Value>,
    ) -> Result<Replacement> {
        if values.len() > MOST_SETTINGS {
            let message = format!("an integration has at most {MOST_SETTINGS} settings");
            return Err(Error::Conflict { noun: Noun::Setting, message });
        }
        let former = self.open_settings(self.stored(scope).await?).await?;
        let (kept, removed): (Vec<Setting>, Vec<Setting>) =
            former.into_iter().partition(|setting| values.contains_key(&setting.label));
        let settings: Vec<Setting> = values.into_iter().map(|given| self.given(scope, &kept, given)).collect();
        let mut replacement = Replacement { removed, ..Replacement::default() };
        let mut violations = Vec::new();
        for setting in &settings {
            let before = kept.iter().find(|former| former.label == setting.label);
            if before.is_some_and(|before| before.value == setting.value) {
                continue;
            }
            match self.checked_among(scope, setting, &settings).await {
                Ok(stored) if before.is_some() => replacement.changed.push(stored),
                Ok(stored) => replacement.added.push(stored),
                Err(Error::Invalid(found)) => violations.extend(found.into_iter().map(|one| of_label(setting, one))),
                Err(error) => return Err(error),
            }
        }
        if violations.is_empty() { Ok(replacement) } else { Err(Error::Invalid(violations)) }
    }

    /// Makes the setting of a label and a value: the former one with the new value, or a new one.
    fn given(&self, scope: &Scope, kept: &[Setting], (label, value): (String, Value)) -> Setting {
        let now = self.base.now();
        match kept.iter().find(|former| former.label == label) {
            Some(former) if former.secret && value == MASK => former.clone(),
            Some(former) => Setting { value, updated_at: now, ..former.clone() },
            None => Setting {
                id: self.base.ambient.id(),
                organisation_id: scope.app.organisation_id,
                installation_id: scope.app.installation_id,
                channel_id: scope.channel_id,
                label,
                value,
                secret: false,
                created_at: now,
                updated_at: now,
            },
        }
    }

    /// Checks a setting among those that replace the present ones together with it, and seals it if it is a secret.
    async fn checked_among(&self, scope: &Scope, setting: &Setting, all: &[Setting]) -> Result<StoredSetting> {
        check_label(&setting.label).map_err(|violation| Error::Invalid(vec![violation]))?;
        let mut around = Vec::new();
        if scope.app.registry.is_some() {
            if scope.channel_id.is_some() {
                around = self.organisation_settings(&scope.app).await?;
            }
            around.extend(all.iter().filter(|other| other.id != setting.id).cloned());
        }
        self.checked(scope, setting.clone(), around).await
    }

    /// Applies checked changes to the settings of a scope.
    pub(in crate::app::apps) async fn replace_settings(
        &self,
        tx: &Tx,
        scope: &Scope,
        Replacement { added, changed, removed }: &Replacement,
    ) -> Result<()> {
        for setting in removed {
            store::apps::settings::delete(tx, setting.id).await?;
            self.audit_setting(tx, scope, "setting.delete", &setting.label).await?;
        }
        for stored in changed {
            store::apps::settings::update(tx, stored).await?;
            self.audit_setting(tx, scope, "setting.update", &stored.setting.label).await?;
        }
        for stored in added {
            store::apps::settings::insert(tx, stored).await?;
            self.audit_setting(tx, scope, "setting.add", &stored.setting.label).await?;
        }
        Ok(())
    }
}

/// Names the setting of a violation in the whole of them.
fn of_label(setting: &Setting, violation: Violation) -> Violation {
    let label = setting.label.replace('~', "~0").replace('/', "~1");
    Violation { field: format!("/settings/{label}"), message: violation.message }
}
