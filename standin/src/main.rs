//! The stand-in as a program of its own.

use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use standin::{Options, Standin};
use tokio::signal::unix::{SignalKind, signal};

/// A local Slack for demos and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, env = "STANDIN_LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Host name used in links, where it is not the listening address.
    #[arg(long, env = "STANDIN_PUBLIC_HOST")]
    public_host: Option<String>,
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
    /// Where signed events are sent.
    #[arg(long, env = "STANDIN_EVENTS_URL")]
    events_url: Option<String>,
    /// Where slash commands are sent.
    #[arg(long, env = "STANDIN_COMMANDS_URL")]
    commands_url: Option<String>,
    /// Where button presses are sent.
    #[arg(long, env = "STANDIN_INTERACTIVITY_URL")]
    interactivity_url: Option<String>,
    /// Give out tokens that expire, with a refresh token.
    #[arg(long, env = "STANDIN_ROTATION")]
    rotation: bool,
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
    let standin = Standin::start(Options {
        listen: arguments.listen,
        public_host: arguments.public_host,
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        signing_secret: arguments.signing_secret,
        redirect_uris: arguments.redirect_uris,
        events_url: arguments.events_url,
        commands_url: arguments.commands_url,
        interactivity_url: arguments.interactivity_url,
        rotation: arguments.rotation,
        ..Options::default()
    })
    .await?;
    writeln!(std::io::stdout(), "stand-in Slack at {}", standin.base_url())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    standin.shutdown().await;
    Ok(())
}
