//! The one Slack app, with the settings that its owner has made at Slack. Its secrets never leave this crate's memory.

use serde::Deserialize;

use crate::loopback::is_loopback;
use crate::options::Options;

/// The app's settings.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) signing_secret: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) events_url: Option<String>,
    pub(crate) commands_url: Option<String>,
    pub(crate) interactivity_url: Option<String>,
    pub(crate) rotation: bool,
}

/// Settings that can be changed while the stand-in runs: only members that are present are changed, and an empty
/// address removes one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AppChange {
    redirect_uris: Option<Vec<String>>,
    events_url: Option<String>,
    commands_url: Option<String>,
    interactivity_url: Option<String>,
    rotation: Option<bool>,
}

impl App {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            id: options.app_id.clone(),
            name: options.app_name.clone(),
            client_id: options.client_id.clone(),
            client_secret: options.client_secret.clone(),
            signing_secret: options.signing_secret.clone(),
            redirect_uris: options.redirect_uris.clone(),
            events_url: options.events_url.clone(),
            commands_url: options.commands_url.clone(),
            interactivity_url: options.interactivity_url.clone(),
            rotation: options.rotation,
        }
    }

    pub(crate) fn changed(&self, change: AppChange) -> Self {
        let address = |new: Option<String>, old: &Option<String>| match new {
            Some(url) => Some(url).filter(|url| !url.is_empty()),
            None => old.clone(),
        };
        Self {
            redirect_uris: change.redirect_uris.unwrap_or_else(|| self.redirect_uris.clone()),
            events_url: address(change.events_url, &self.events_url),
            commands_url: address(change.commands_url, &self.commands_url),
            interactivity_url: address(change.interactivity_url, &self.interactivity_url),
            rotation: change.rotation.unwrap_or(self.rotation),
            ..self.clone()
        }
    }

    /// Allows a redirect address. Without a list, only loopback addresses are safe to accept.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        if self.redirect_uris.is_empty() {
            return is_loopback(uri);
        }
        self.redirect_uris.iter().any(|known| known == uri)
    }
}
