//! Listening and stopping, and the routes of the server.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use poem::web::Data;
use poem::{EndpointExt, IntoEndpoint, Response, Route, Server, get, handler, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connections::TrackingAcceptor;
use crate::control;
use crate::github::key::Key;
use crate::keep::Keeper;
use crate::options::Options;
use crate::page::{Page, escape};
use crate::slack::api::Api;
use crate::slack::{hooks, oauth, pages};
use crate::world::{Clients, World};
use crate::{github, slack};

/// A running stand-in. It stops when it is dropped or shut down.
pub struct Standin {
    origin: String,
    address: SocketAddr,
    github_private_key_pem: String,
    // Dropping it is the stop signal.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    keeping: Option<Keeping>,
}

/// The task that keeps the world, and its stop signal.
struct Keeping {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Standin {
    /// Listens and serves until stopped.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, the TLS library cannot be set up, or the key file or
    /// the kept world cannot be used.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let host = options.public_host.clone().unwrap_or_else(|| host_of(address));
        let origin = format!("http://{host}:{}", address.port());
        let clients = Clients { slack: slack::sender::Sender::client()?, github: github::sender::Sender::client()? };
        let key = Key::load(options.github_private_key.as_deref())?;
        let github_private_key_pem = key.pem();
        let data_dir = options.data_dir.clone();
        let world = Arc::new(World::new(options, origin.clone(), clients, key));
        let keeping = data_dir.map(|folder| Keeping::begin(&folder, &world)).transpose()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, world, async {
            // Either a message or the drop of the sender.
            let _ = stopped.await;
        }));
        Ok(Self { origin, address, github_private_key_pem, stop: Some(stop), task, keeping })
    }

    /// Slack's web base, `http://HOST:PORT/slack`: the API is below it at `/api`, the hooks at `/hooks`.
    pub fn base_url(&self) -> String {
        format!("{}/slack", self.origin)
    }

    /// GitHub's web base, `http://HOST:PORT/github`.
    pub fn github_web_base(&self) -> String {
        format!("{}/github", self.origin)
    }

    /// GitHub's API base as an Enterprise Server has it.
    pub fn github_api_base(&self) -> String {
        format!("{}{}", self.origin, github::api::ENTERPRISE)
    }

    /// GitHub's API base as github.com has it: without a version. It serves the same routes.
    pub fn github_rest_base(&self) -> String {
        format!("{}{}", self.origin, github::api::DOT_COM)
    }

    /// The private key of the GitHub App as GitHub issues it, in PKCS#1.
    pub fn github_private_key_pem(&self) -> String {
        self.github_private_key_pem.clone()
    }

    /// `http://HOST:PORT`.
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, closes every connection and waits until that is done.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server did not stop cleanly");
        }
        // Nothing changes the world any more.
        if let Some(Keeping { stop, task }) = self.keeping.take() {
            drop(stop);
            let _ = task.await;
        }
    }
}

impl Keeping {
    fn begin(folder: &Path, world: &Arc<World>) -> io::Result<Self> {
        let keeper = Keeper::open(folder, world)?;
        let (stop, stopped) = oneshot::channel();
        Ok(Self { stop, task: tokio::spawn(keeper.run(Arc::clone(world), stopped)) })
    }
}

impl fmt::Debug for Standin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standin").field("origin", &self.origin).finish_non_exhaustive()
    }
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

async fn serve(listener: TcpListener, world: Arc<World>, stopped: impl Future<Output = ()>) {
    let outcome = match TrackingAcceptor::new(listener, world.connections.clone()) {
        // Shutdown waits for no request: a caller that a fault stalls would never leave.
        Ok(acceptor) => {
            Server::new_with_acceptor(acceptor)
                .run_with_graceful_shutdown(routes(world), stopped, Some(Duration::ZERO))
                .await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        tracing::error!(%error, "the server failed");
    }
}

fn routes(world: Arc<World>) -> impl IntoEndpoint {
    let all = Route::new()
        .at("/", get(index))
        .nest("/control", control::routes())
        .at("/slack", get(pages::show_workspaces))
        .at("/slack/api/:method", Api(Arc::clone(&world)))
        .at("/slack/oauth/v2/authorize", get(oauth::show_consent).post(oauth::take_consent))
        .at("/slack/hooks/commands/:team/:key", post(hooks::respond))
        .at("/slack/hooks/services/:team/:bot/:key", post(hooks::webhook))
        .at("/slack/:team/uninstall", post(pages::do_uninstall))
        .at("/slack/:team/:channel", get(pages::show_channel))
        .at("/slack/:team/:channel/:action", post(pages::do_action));
    github::pages::routes(crate::oidc::routes(all), &world).data(world)
}

/// `GET /`: an index of the sites.
#[handler]
fn index(Data(world): Data<&Arc<World>>) -> Response {
    let teams: String = world
        .slack()
        .teams()
        .iter()
        .take(10)
        .flat_map(|team| {
            let channels = team.channels();
            channels
                .iter()
                .filter(|channel| channel.invites_bot)
                .take(3)
                .map(|channel| {
                    format!(
                        "<li><a href=\"/slack/{team_id}/{id}\">{team_name}: {name}</a></li>",
                        team_id = escape(&team.id),
                        id = escape(&channel.id),
                        team_name = escape(&team.name),
                        name = escape(&channel.name),
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let body = format!(
        "<h1>Stand-in</h1><p>A local Slack and a local GitHub for demos and tests.</p>\
         <h2>Slack <span class=\"soft\"><code>{origin}/slack</code></span></h2>\
         <ul class=\"rooms plain\"><li><a href=\"/slack\">All workspaces and channels</a></li>{teams}</ul>\
         <h2>GitHub <span class=\"soft\"><code>{origin}/github</code></span></h2>\
         <ul class=\"rooms plain\"><li><a href=\"/github\">Accounts, installations and webhooks</a></li></ul>",
        origin = escape(world.origin()),
    );
    Page::new("Stand-in", body).into_response()
}
