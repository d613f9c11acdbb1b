//! Listening and stopping, and the list of what is served where.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::web::Data;
use poem::{EndpointExt, IntoEndpoint, Response, Route, Server, get, handler, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connections::Door;
use crate::control;
use crate::options::Options;
use crate::page::{Page, escape};
use crate::slack::api::Api;
use crate::slack::sender::Sender;
use crate::slack::{hooks, oauth, pages};
use crate::world::World;

/// A stand-in that is running. It stops when it is dropped or shut down.
#[derive(Debug)]
pub struct Standin {
    origin: String,
    address: SocketAddr,
    // Dropping it is the signal to stop.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Standin {
    /// Listens and serves until stopped.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on or the TLS library cannot be set up.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let host = options.public_host.clone().unwrap_or_else(|| host_of(address));
        let origin = format!("http://{host}:{}", address.port());
        let client = Sender::client().map_err(io::Error::other)?;
        let world = Arc::new(World::new(options, origin.clone(), client));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, world, async {
            // Either a word or the silence of the dropped sender.
            let _ = stopped.await;
        }));
        Ok(Self { origin, address, stop: Some(stop), task })
    }

    /// Slack's web base, `http://HOST:PORT/slack`: the API is below it at `/api`, the hooks at `/hooks`.
    pub fn base_url(&self) -> String {
        format!("{}/slack", self.origin)
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
    }
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

async fn serve(listener: TcpListener, world: Arc<World>, stopped: impl Future<Output = ()>) {
    let outcome = match Door::new(listener, world.connections.clone()) {
        // Nobody is waited for: a caller that a fault keeps hanging would never go away.
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
    Route::new()
        .at("/", get(index))
        .nest("/control", control::routes())
        .at("/slack", get(pages::show_workspaces))
        .at("/slack/api/:method", Api(Arc::clone(&world)))
        .at("/slack/oauth/v2/authorize", get(oauth::show_consent).post(oauth::take_consent))
        .at("/slack/hooks/commands/:team/:key", post(hooks::respond))
        .at("/slack/hooks/services/:team/:bot/:key", post(hooks::webhook))
        .at("/slack/:team/uninstall", post(pages::do_uninstall))
        .at("/slack/:team/:channel", get(pages::show_channel))
        .at("/slack/:team/:channel/:action", post(pages::do_action))
        .data(world)
}

/// `GET /`: what there is.
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
        "<h1>Stand-in</h1><p>A local Slack for demos and tests, at <code>{origin}/slack</code>.</p>\
         <ul class=\"rooms plain\"><li><a href=\"/slack\">All workspaces and channels</a></li>{teams}</ul>",
        origin = escape(world.origin()),
    );
    Page::new("Stand-in", body).into_response()
}
