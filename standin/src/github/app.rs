//! The one GitHub App, with the settings that its owner has made at GitHub.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::loopback::is_loopback;
use crate::options::Options;

/// Permissions of the app, by their level.
pub(crate) type Permissions = Map<String, Value>;

/// Encoding of a webhook's body.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContentType {
    Json,
    /// A form with one field, `payload`.
    Form,
}

/// The app's settings.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) webhook_secret: String,
    pub(crate) webhook_url: Option<String>,
    pub(crate) webhook_content_type: ContentType,
    pub(crate) setup_url: Option<String>,
    pub(crate) callback_urls: Vec<String>,
    pub(crate) request_user_authorization: bool,
    pub(crate) redirect_on_update: bool,
    pub(crate) permissions: Permissions,
    pub(crate) events: Vec<String>,
}

/// Settings that can be changed while the stand-in runs: only members that are present are changed, and an empty
/// address removes one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AppChange {
    client_secret: Option<String>,
    webhook_secret: Option<String>,
    webhook_url: Option<String>,
    webhook_content_type: Option<ContentType>,
    setup_url: Option<String>,
    callback_urls: Option<Vec<String>>,
    request_user_authorization: Option<bool>,
    redirect_on_update: Option<bool>,
    permissions: Option<Permissions>,
    events: Option<Vec<String>>,
}

impl App {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            id: options.github_app_id,
            slug: options.github_app_slug.clone(),
            name: options.app_name.clone(),
            client_id: options.github_client_id.clone(),
            client_secret: options.github_client_secret.clone(),
            webhook_secret: options.github_webhook_secret.clone(),
            webhook_url: options.github_webhook_url.clone(),
            webhook_content_type: ContentType::Json,
            setup_url: options.github_setup_url.clone(),
            callback_urls: options.github_callback_urls.clone(),
            request_user_authorization: options.github_request_user_authorization,
            redirect_on_update: options.github_redirect_on_update,
            permissions: usual_permissions(),
            events: USUAL_EVENTS.iter().map(|event| (*event).to_owned()).collect(),
        }
    }

    pub(crate) fn changed(&self, change: AppChange) -> Self {
        let address = |new: Option<String>, old: &Option<String>| match new {
            Some(url) => Some(url).filter(|url| !url.is_empty()),
            None => old.clone(),
        };
        let old = self.clone();
        Self {
            client_secret: change.client_secret.unwrap_or(old.client_secret),
            webhook_secret: change.webhook_secret.unwrap_or(old.webhook_secret),
            webhook_url: address(change.webhook_url, &self.webhook_url),
            webhook_content_type: change.webhook_content_type.unwrap_or(old.webhook_content_type),
            setup_url: address(change.setup_url, &self.setup_url),
            callback_urls: change.callback_urls.unwrap_or(old.callback_urls),
            request_user_authorization: change.request_user_authorization.unwrap_or(old.request_user_authorization),
            redirect_on_update: change.redirect_on_update.unwrap_or(old.redirect_on_update),
            permissions: change.permissions.unwrap_or(old.permissions),
            events: change.events.unwrap_or(old.events),
            ..self.clone()
        }
    }

    /// Allows a redirect address. Without a list, only loopback addresses are safe to accept; with one, the port of a
    /// registered loopback address is left to the caller.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        if self.callback_urls.is_empty() {
            return is_loopback(uri);
        }
        self.callback_urls.iter().any(|known| known == uri || differs_only_in_port(known, uri))
    }

    /// Returns the settings as the control API shows them.
    pub(crate) fn to_value(&self) -> Value {
        json!({
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
            "webhookSecret": self.webhook_secret,
            "webhookUrl": self.webhook_url,
            "webhookContentType": self.webhook_content_type,
            "setupUrl": self.setup_url,
            "callbackUrls": self.callback_urls,
            "requestUserAuthorization": self.request_user_authorization,
            "redirectOnUpdate": self.redirect_on_update,
            "permissions": self.permissions,
            "events": self.events,
        })
    }
}

/// Compares without the port: GitHub ignores the port of a loopback IP address, so that a program can listen on any
/// free one.
fn differs_only_in_port(known: &str, uri: &str) -> bool {
    let (Ok(mut known), Ok(mut uri)) = (Url::parse(known), Url::parse(uri)) else {
        return false;
    };
    let is_loopback_ip = match uri.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    is_loopback_ip && known.set_port(None).is_ok() && uri.set_port(None).is_ok() && known == uri
}

fn usual_permissions() -> Permissions {
    let readable = ["actions", "checks", "contents", "deployments", "members", "metadata", "pull_requests", "statuses"];
    let mut permissions: Permissions = readable.iter().map(|name| ((*name).to_owned(), json!("read"))).collect();
    permissions.insert("issues".to_owned(), json!("write"));
    permissions
}

const USUAL_EVENTS: [&str; 14] = [
    "check_run",
    "create",
    "delete",
    "issue_comment",
    "issues",
    "member",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "release",
    "star",
    "workflow_run",
    "repository",
];
