//! `tieline listen`: relays an organisation's events, or the deliveries of one destination, to a server on the
//! developer's own machine.
//!
//! It is a client of the native API. The service cannot reach that machine, so this command polls the lists that members
//! read, and calls the local server itself: nothing is created in the organisation, and nothing stays behind. Not here:
//! the service.

mod feed;
mod relay;
mod report;
mod server;

use std::time::Duration;

use tokio::{sync::mpsc::Receiver, time::sleep};
use url::Url;
use uuid::Uuid;

use self::{
    feed::{Feed, Source},
    relay::Relay,
    report::Report,
    server::{Fault, Server},
};
use crate::{
    domain::{Error, Result, ambient::Ambient, secret::Secret},
    provider::webhook::Signer,
};

/// Pause between two looks at the lists.
const POLL: Duration = Duration::from_millis(500);
/// Maximum pause while the server is away.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Arguments of the command.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Address that the calls are posted to, such as http://localhost:3000/hooks.
    #[arg(value_parser = address)]
    pub url: Url,
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_parser = address)]
    pub server: Url,
    /// The member's access token.
    #[arg(long, env = "TIELINE_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: Secret,
    /// Types of the events, as globs with `*`, such as 'order.*'; repeated, or with commas. Without it: all.
    #[arg(long, value_delimiter = ',', conflicts_with = "destination")]
    pub types: Vec<String>,
    /// Sources of the events, as globs, such as api; repeated, or with commas. Without it: all.
    #[arg(long = "source", value_delimiter = ',', conflicts_with = "destination")]
    pub sources: Vec<String>,
    /// Id of a destination, of any kind: relays what is sent there, as it was sent.
    #[arg(long)]
    pub destination: Option<Uuid>,
    /// Signing secret, whsec_ and Base64. Without it: one that the token always gives.
    #[arg(long, value_parser = secret)]
    pub secret: Option<Secret>,
    /// Print each call as one line of JSON, with its body.
    #[arg(long)]
    pub print_json: bool,
}

/// Reason for which the command ends.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The server refuses the requests; a repetition would not change that.
    #[error("{0}")]
    Refused(String),
    /// An argument is not valid, or nothing can be printed any more.
    #[error(transparent)]
    Here(#[from] Error),
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "must be a URL such as http://localhost:3000/hooks".to_owned())
}

#[allow(clippy::unnecessary_wraps, reason = "the signature of a parser of arguments")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

/// Relays until it is dropped. `lines` are those of the standard input: `r` and a number send a call again.
///
/// # Errors
/// [`Ended`].
pub async fn listen(options: Options, ambient: Ambient, mut lines: Receiver<String>) -> Result<(), Ended> {
    let secret = options.secret.unwrap_or_else(|| relay::secret_of(&options.token));
    let signer = Signer::new(std::slice::from_ref(&secret))?;
    let server = Server::new(options.server.clone(), &options.token)?;
    let source = match options.destination {
        Some(id) => Source::Destination(id),
        None => Source::Events { types: options.types, sources: options.sources },
    };
    let mut report = Report::new(options.print_json);
    report.begins(&options.server, &options.url, &secret);
    let mut relay = Relay::new(options.url, signer, ambient)?;
    let mut feed = Feed::new(source);
    let mut backoff = POLL;
    loop {
        let pause = match feed.poll(&server).await {
            Ok(found) => {
                report.reached();
                for found in found {
                    report.relayed(&relay.relay(found).await?)?;
                }
                backoff = POLL;
                POLL
            }
            Err(Fault::Away(reason)) => {
                report.away(&options.server, &reason);
                backoff = MAX_BACKOFF.min(backoff * 2);
                backoff
            }
            Err(Fault::Refused(reason)) => return Err(Ended::Refused(reason)),
        };
        tokio::select! {
            Some(line) = lines.recv() => match relay.command(&line).await? {
                Ok(call) => report.relayed(&call)?,
                Err(reason) => report.says(&reason),
            },
            () = sleep(pause) => {}
        }
    }
}
