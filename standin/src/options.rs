//! Start-up options of a stand-in. The control API may change some of them later; a reset restores these.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Options of a [`Standin`](crate::Standin).
#[derive(Clone)]
pub struct Options {
    /// Address to listen on. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// The host name used in links; the listening address when absent.
    pub public_host: Option<String>,
    /// Folder in which the world is kept over a restart; nothing is kept when absent.
    pub data_dir: Option<PathBuf>,
    /// OAuth client id of the one Slack app this stand-in knows.
    pub client_id: String,
    /// OAuth client secret of that app.
    pub client_secret: String,
    /// The secret that signs every request sent to the app.
    pub signing_secret: String,
    /// The app's id.
    pub app_id: String,
    /// The app's name, which is also the name its bot posts under.
    pub app_name: String,
    /// Redirect addresses the app has registered, compared exactly. Empty accepts any loopback `http` address.
    pub redirect_uris: Vec<String>,
    /// Target of signed events. No events are sent when absent.
    pub events_url: Option<String>,
    /// Target of slash commands.
    pub commands_url: Option<String>,
    /// Target of button presses and view submissions.
    pub interactivity_url: Option<String>,
    /// Makes Slack's tokens expire and come with a refresh token.
    pub rotation: bool,
    /// Id of the one GitHub App this stand-in knows. Its name is [`Options::app_name`].
    pub github_app_id: u64,
    /// Slug of the GitHub App in addresses.
    pub github_app_slug: String,
    /// OAuth client id of the GitHub App.
    pub github_client_id: String,
    /// OAuth client secret of the GitHub App.
    pub github_client_secret: String,
    /// The secret that signs every webhook.
    pub github_webhook_secret: String,
    /// A PEM file with the GitHub App's private key, which is created when it is missing. All stand-ins of a process
    /// without one share a key.
    pub github_private_key: Option<PathBuf>,
    /// Target of webhooks. None are sent when absent.
    pub github_webhook_url: Option<String>,
    /// Target of the browser after an installation, unless the user is asked for an authorization as well.
    pub github_setup_url: Option<String>,
    /// Callback addresses the GitHub App has registered. Empty accepts any loopback `http` address, but then the
    /// browser is not sent back after an installation.
    pub github_callback_urls: Vec<String>,
    /// "Request user authorization (OAuth) during installation".
    pub github_request_user_authorization: bool,
    /// "Redirect on update".
    pub github_redirect_on_update: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_host: None,
            data_dir: None,
            client_id: "1111111111.2222222222".to_owned(),
            client_secret: "standin-client-secret".to_owned(),
            signing_secret: "standin-signing-secret".to_owned(),
            app_id: "A0STANDIN".to_owned(),
            app_name: "Tieline".to_owned(),
            redirect_uris: Vec::new(),
            events_url: None,
            commands_url: None,
            interactivity_url: None,
            rotation: false,
            github_app_id: 4242,
            github_app_slug: "tieline".to_owned(),
            github_client_id: "Iv1.standin".to_owned(),
            github_client_secret: "standin-github-client-secret".to_owned(),
            github_webhook_secret: "standin-github-webhook-secret".to_owned(),
            github_private_key: None,
            github_webhook_url: None,
            github_setup_url: None,
            github_callback_urls: Vec::new(),
            github_request_user_authorization: true,
            github_redirect_on_update: true,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("public_host", &self.public_host)
            .field("client_id", &self.client_id)
            .field("app_id", &self.app_id)
            .field("redirect_uris", &self.redirect_uris)
            .field("events_url", &self.events_url)
            .field("commands_url", &self.commands_url)
            .field("interactivity_url", &self.interactivity_url)
            .field("rotation", &self.rotation)
            .field("github_app_id", &self.github_app_id)
            .field("github_app_slug", &self.github_app_slug)
            .field("github_client_id", &self.github_client_id)
            .field("github_webhook_url", &self.github_webhook_url)
            .field("github_setup_url", &self.github_setup_url)
            .field("github_callback_urls", &self.github_callback_urls)
            .finish_non_exhaustive()
    }
}
