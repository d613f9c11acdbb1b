//! The stand-in as a program of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use standin::{Options, Standin};
use tokio::signal::unix::{SignalKind, signal};

/// A local Slack and GitHub for demos and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, env = "STANDIN_LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Host name used in links, where it is not the listening address.
    #[arg(long, env = "STANDIN_PUBLIC_HOST")]
    public_host: Option<String>,
    /// Folder in which the world is kept over a restart.
    #[arg(long = "data", env = "STANDIN_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// OAuth client id of the app.
    #[arg(long, env = "STANDIN_CLIENT_ID", default_value_t = Options::default().client_id)]
    client_id: String,
    /// OAuth client secret of the app.
    #[arg(long, env = "STANDIN_CLIENT_SECRET", default_value_t = Options::default().client_secret, hide_env_values = true)]
    client_secret: String,
    /// The secret that signs requests to the app.
    #[arg(long, env = "STANDIN_SIGNING_SECRET", default_value_t = Options::default().signing_secret, hide_env_values = true)]
    signing_secret: String,
    /// A registered redirect address; may be repeated. Without any, every loopback address is accepted.
    #[arg(long = "redirect-uri", env = "STANDIN_REDIRECT_URI", value_delimiter = ',')]
    redirect_uris: Vec<String>,
    /// Target of signed events.
    #[arg(long, env = "STANDIN_EVENTS_URL")]
    events_url: Option<String>,
    /// Target of slash commands.
    #[arg(long, env = "STANDIN_COMMANDS_URL")]
    commands_url: Option<String>,
    /// Target of button presses.
    #[arg(long, env = "STANDIN_INTERACTIVITY_URL")]
    interactivity_url: Option<String>,
    /// Give out Slack tokens that expire, with a refresh token.
    #[arg(long, env = "STANDIN_ROTATION")]
    rotation: bool,
    #[command(flatten)]
    github: GitHub,
}

/// The GitHub App.
#[derive(clap::Args)]
struct GitHub {
    /// Id of the GitHub App.
    #[arg(long, env = "STANDIN_GITHUB_APP_ID", default_value_t = Options::default().github_app_id)]
    github_app_id: u64,
    /// Slug of the GitHub App in addresses.
    #[arg(long, env = "STANDIN_GITHUB_APP_SLUG", default_value_t = Options::default().github_app_slug)]
    github_app_slug: String,
    /// OAuth client id of the GitHub App.
    #[arg(long, env = "STANDIN_GITHUB_CLIENT_ID", default_value_t = Options::default().github_client_id)]
    github_client_id: String,
    /// OAuth client secret of the GitHub App.
    #[arg(long, env = "STANDIN_GITHUB_CLIENT_SECRET", default_value_t = Options::default().github_client_secret, hide_env_values = true)]
    github_client_secret: String,
    /// The secret that signs webhooks.
    #[arg(long, env = "STANDIN_GITHUB_WEBHOOK_SECRET", default_value_t = Options::default().github_webhook_secret, hide_env_values = true)]
    github_webhook_secret: String,
    /// A PEM file with the app's private key; it is created when it is missing.
    #[arg(long, env = "STANDIN_GITHUB_PRIVATE_KEY", value_name = "FILE")]
    github_private_key: Option<PathBuf>,
    /// Target of webhooks.
    #[arg(long, env = "STANDIN_GITHUB_WEBHOOK_URL")]
    github_webhook_url: Option<String>,
    /// Target of the browser after an installation without an authorization.
    #[arg(long, env = "STANDIN_GITHUB_SETUP_URL")]
    github_setup_url: Option<String>,
    /// A registered callback address; may be repeated. Without any, every loopback address is accepted.
    #[arg(long = "github-callback-url", env = "STANDIN_GITHUB_CALLBACK_URL", value_delimiter = ',')]
    github_callback_urls: Vec<String>,
    /// Request user authorization during installation.
    #[arg(long, env = "STANDIN_GITHUB_REQUEST_USER_AUTHORIZATION", default_value_t = true, action = clap::ArgAction::Set)]
    github_request_user_authorization: bool,
    /// Redirect on update.
    #[arg(long, env = "STANDIN_GITHUB_REDIRECT_ON_UPDATE", default_value_t = true, action = clap::ArgAction::Set)]
    github_redirect_on_update: bool,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let github = arguments.github;
    let standin = Standin::start(Options {
        listen: arguments.listen,
        public_host: arguments.public_host,
        data_dir: arguments.data_dir,
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        signing_secret: arguments.signing_secret,
        redirect_uris: arguments.redirect_uris,
        events_url: arguments.events_url,
        commands_url: arguments.commands_url,
        interactivity_url: arguments.interactivity_url,
        rotation: arguments.rotation,
        github_app_id: github.github_app_id,
        github_app_slug: github.github_app_slug,
        github_client_id: github.github_client_id,
        github_client_secret: github.github_client_secret,
        github_webhook_secret: github.github_webhook_secret,
        github_private_key: github.github_private_key,
        github_webhook_url: github.github_webhook_url,
        github_setup_url: github.github_setup_url,
        github_callback_urls: github.github_callback_urls,
        github_request_user_authorization: github.github_request_user_authorization,
        github_redirect_on_update: github.github_redirect_on_update,
        ..Options::default()
    })
    .await?;
    // One line, with Slack's address last: programs read the port from it.
    writeln!(
        std::io::stdout(),
        "stand-in GitHub at {}, stand-in Slack at {}",
        standin.github_web_base(),
        standin.base_url()
    )?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    standin.shutdown().await;
    Ok(())
}
