//! Apps in a channel, and the addresses at which they post to it.

use std::collections::BTreeMap;

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::apps::{by_label, values};
use crate::{
    api::shared::{setting_value::SettingValue, time::Timestamp},
    app::{
        apps::channel_apps::{ChannelApp, ChannelAppChange},
        channels::inbound::ChannelWebhook,
    },
};

/// An app in a channel.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelApp", rename_all = "camelCase")]
pub struct ChannelAppOut {
    /// Id of the app.
    pub app_id: Uuid,
    /// Name of the app.
    pub name: String,
    /// Kind of the app. More kinds may be added.
    pub kind: String,
    /// True if the app is active in this channel.
    pub active: bool,
    /// Position among the channel's apps, in ascending order.
    pub position: i32,
    /// Values of the app's settings for this channel, by label. They take precedence over the organisation's.
    pub settings: BTreeMap<String, SettingValue>,
    /// Time of the last change to this entry.
    pub updated_at: Timestamp,
}

impl From<ChannelApp> for ChannelAppOut {
    fn from(found: ChannelApp) -> Self {
        Self {
            app_id: found.app_id.0,
            name: found.name,
            kind: found.kind,
            active: found.active,
            position: found.position,
            settings: by_label(found.settings),
            updated_at: found.updated_at.into(),
        }
    }
}

/// A channel's apps.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelApps")]
pub struct ChannelAppsOut {
    /// All of the apps, by position.
    pub data: Vec<ChannelAppOut>,
}

/// Changes to an app's entry in a channel; absent members stay unchanged.
#[derive(Clone, Object)]
#[oai(rename = "UpdateChannelApp", example, skip_serializing_if_is_none)]
pub struct ChannelAppPatch {
    /// True to activate the app in this channel.
    pub active: Option<bool>,
    /// Position among the channel's apps, in ascending order.
    #[oai(validator(minimum(value = "0")))]
    pub position: Option<i32>,
    /// Values by label that replace all those for this channel.
    #[oai(validator(max_properties = 200))]
    pub settings: Option<BTreeMap<String, SettingValue>>,
}

impl From<ChannelAppPatch> for ChannelAppChange {
    fn from(patch: ChannelAppPatch) -> Self {
        Self { active: patch.active, position: patch.position, settings: patch.settings.map(values) }
    }
}

impl Example for ChannelAppPatch {
    fn example() -> Self {
        Self { active: Some(true), position: Some(1), settings: None }
    }
}

/// Addresses at which messages are posted to a channel. An address is the only credential that a sender needs.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelWebhook", rename_all = "camelCase")]
pub struct ChannelWebhookOut {
    /// Address that is given to apps.
    pub return_url: String,
    /// Address for other senders.
    pub webhook_url: String,
}

impl From<ChannelWebhook> for ChannelWebhookOut {
    fn from(webhook: ChannelWebhook) -> Self {
        Self { return_url: webhook.return_url.into(), webhook_url: webhook.webhook_url.into() }
    }
}
