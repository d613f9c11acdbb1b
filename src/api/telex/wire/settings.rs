//! Settings: a label and a value, of an integration, for the organisation or for one channel.

use poem_openapi::{Object, types::Example};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    api::shared::{setting_value::SettingValue, time::Timestamp},
    app::apps::settings::SettingRow,
};

/// A setting of an integration for the whole organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationSetting")]
pub struct SettingOut {
    /// Unique id.
    pub id: Uuid,
    /// The organisation.
    pub org_id: Uuid,
    /// The integration.
    pub integration_id: Uuid,
    /// Value of the setting; a secret is masked for callers without the permission to see secrets.
    pub form_field_value: SettingValue,
    /// Label of the setting.
    pub form_field_label: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<SettingRow> for SettingOut {
    fn from(row: SettingRow) -> Self {
        Self {
            id: row.id,
            org_id: row.organisation_id.0,
            integration_id: row.integration_id.0,
            form_field_value: SettingValue(row.value),
            form_field_label: row.label,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A setting of an integration for one channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelIntegrationSetting")]
pub struct ChannelSettingOut {
    /// Unique id.
    pub id: Uuid,
    /// The organisation.
    pub org_id: Uuid,
    /// The integration.
    pub integration_id: Uuid,
    /// The channel.
    pub channel_id: Uuid,
    /// Value of the setting; a secret is masked for callers without the permission to see secrets.
    pub form_field_value: SettingValue,
    /// Label of the setting.
    pub form_field_label: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl ChannelSettingOut {
    /// Makes the representation of a setting for the requested channel.
    pub fn of(channel_id: Uuid, row: SettingRow) -> Self {
        let SettingOut { id, org_id, integration_id, form_field_value, form_field_label, created_at, updated_at } =
            row.into();
        Self { id, org_id, integration_id, channel_id, form_field_value, form_field_label, created_at, updated_at }
    }
}

/// A setting to be added. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "NewIntegrationSetting", example)]
pub struct SettingIn {
    /// Label of the setting.
    #[oai(rename = "form_field_label")]
    pub label: String,
    /// Value of the setting.
    #[oai(rename = "form_field_value")]
    pub value: SettingValue,
}

impl Example for SettingIn {
    fn example() -> Self {
        Self { label: "micah bawa".into(), value: SettingValue("shallom".into()) }
    }
}

/// Changes to a setting; absent fields stay unchanged. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "IntegrationSettingPatch", example)]
pub struct SettingPatch {
    /// Label of the setting to be changed, if the path does not have its id; otherwise its new label.
    #[oai(rename = "form_field_label")]
    pub label: Option<String>,
    /// New value.
    #[oai(rename = "form_field_value")]
    pub value: Option<SettingValue>,
}

impl SettingPatch {
    /// Returns the label and the value.
    pub fn parts(self) -> (Option<String>, Option<Value>) {
        (self.label, self.value.map(|value| value.0))
    }
}

impl Example for SettingPatch {
    fn example() -> Self {
        Self { label: Some("Shallom Micah Bawa".into()), value: Some(SettingValue("ouuuuuuu".into())) }
    }
}

/// A field of a custom integration and its value.
#[derive(Clone, Object)]
#[oai(rename = "SettingEntry")]
pub struct SettingEntry {
    /// Name of the field.
    pub field_name: String,
    /// Value of the field.
    pub value: SettingValue,
}

/// A field to be set. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "NewCustomSetting", example)]
pub struct CustomSettingIn {
    /// The field and its value.
    pub setting_entry: SettingEntry,
}

impl Example for CustomSettingIn {
    fn example() -> Self {
        let entry = SettingEntry { field_name: "your_field_name".into(), value: SettingValue("your_value".into()) };
        Self { setting_entry: entry }
    }
}

/// The field that was set last; empty if none was set.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CustomSetting", skip_serializing_if_is_none)]
pub struct CustomSettingOut {
    /// Name of the field.
    pub field_name: Option<String>,
    /// Value of the field; a secret is masked for callers without the permission to see secrets.
    pub value: Option<SettingValue>,
}

impl From<Option<(String, Value)>> for CustomSettingOut {
    fn from(found: Option<(String, Value)>) -> Self {
        let (field_name, value) = found.unzip();
        Self { field_name, value: value.map(SettingValue) }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ToJSON;
    use serde_json::json;

    use super::*;

    #[test]
    fn where_nothing_was_set_there_is_nothing_to_tell() {
        assert_eq!(CustomSettingOut::from(None).to_json(), Some(json!({})));
        let set = CustomSettingOut::from(Some(("a".to_owned(), json!(1))));
        assert_eq!(set.to_json(), Some(json!({"field_name": "a", "value": 1})));
    }
}
