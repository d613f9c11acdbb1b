//! A serving process: listeners, workers, and the order in which they start and stop.

use std::{net::SocketAddr, time::Duration};

use poem::endpoint::BoxEndpoint;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Role, build_services, endpoint, files, health_endpoint, open_store, seams, system_ambient, worker_settings,
};
use crate::{
    api::server::{Limits, Server},
    app::Services,
    config::Config,
    domain::{Error, Result},
    store::Store,
    worker::{clock, dispatcher::Dispatcher, heartbeat, housekeeping, signals},
};

/// Maximum number of open connections on the monitoring address.
const ADMIN_CONNECTIONS: usize = 64;

/// Serves until `stop`, then drains the requests in flight, within the configured time.
///
/// # Errors
/// When the address cannot be listened on, or anything that the service needs is missing.
pub async fn serve(config: Config, role: Role, stop: CancellationToken) -> Result<()> {
    // Before anything is touched: a process started twice by mistake must not take the leases of the other.
    let listeners = Listeners::bind(&config, role).await?;
    let limits = limits(&config);
    let store = open_store(&config).await?;
    let _serving = store.lock_for_serving()?;
    let app = build_services(&config, store.clone(), system_ambient()).await?;
    let (grace, background, requests) = (config.server.shutdown_grace(), TaskTracker::new(), TaskTracker::new());
    match role {
        Role::All | Role::Worker => start_workers(&config, &store, &app, &background, &stop).await?,
        Role::Api => drop(background.spawn(signals::send(app.base.clone(), stop.clone()))),
    }
    let main = match role {
        Role::All | Role::Api => endpoint(&config, &app, &requests, None)?,
        Role::Worker => health_endpoint(&config, &app, &requests),
    };
    let admin = health_endpoint(&config, &app, &requests);
    listeners.announce();
    listeners.run([main, admin], limits, &app, &stop, grace).await;
    stop.cancel();
    requests.close();
    background.close();
    let finished = async {
        tokio::join!(requests.wait(), background.wait());
        app.base.settle().await;
    };
    if tokio::time::timeout(grace, finished).await.is_err() {
        tracing::warn!("some requests or deliveries did not finish in time");
    }
    app.base.tracer().shut_down().await;
    store.close().await;
    Ok(())
}

async fn start_workers(
    config: &Config,
    store: &Store,
    app: &Services,
    background: &TaskTracker,
    stop: &CancellationToken,
) -> Result<()> {
    if store.is_embedded() {
        crate::store::pipeline::destinations::end_leases(store.writer(), app.base.ambient().now()).await?;
    }
    app.senders.require(&crate::store::pipeline::destinations::kinds(store.reader()).await?)?;
    let dispatcher =
        Dispatcher::new(app.base.clone(), app.senders.clone(), app.pipeline.clone(), worker_settings(config));
    let work = dispatcher.clone().run(stop.clone());
    if store.is_embedded() {
        background.spawn(work);
    } else {
        background.spawn(heartbeat::run(dispatcher, work));
        background.spawn(signals::receive(app.base.clone(), stop.clone()));
    }
    background.spawn(clock::run(app.base.clone(), app.apps.clone(), stop.clone()));
    background.spawn(housekeeping::run(app.base.clone(), seams::chores(config, app), stop.clone()));
    Ok(())
}

/// The sockets of a process.
struct Listeners {
    main: TcpListener,
    /// Listener for health checks and metrics, if they have an address of their own.
    admin: Option<TcpListener>,
}

impl Listeners {
    /// Listens on the addresses of a role. A worker serves nothing but health checks and metrics.
    async fn bind(config: &Config, role: Role) -> Result<Self> {
        match (role, config.admin_listen) {
            (Role::Worker, Some(admin)) => Ok(Self { main: bind(admin).await?, admin: None }),
            (_, admin) => {
                let main = bind(config.listen).await?;
                let admin = match admin {
                    Some(address) => Some(bind(address).await?),
                    None => None,
                };
                Ok(Self { main, admin })
            }
        }
    }

    /// Prints the listening address. Scripts wait for the line, and read from it the port that the system chose.
    fn announce(&self) {
        let address = |listener: &TcpListener| listener.local_addr().ok();
        if let Some(address) = self.admin.as_ref().and_then(address) {
            println!("tieline serves health checks and metrics on {address}");
        }
        if let Some(address) = address(&self.main) {
            println!("tieline listens on {address}");
        }
    }

    /// Serves on each of them until `stop`.
    async fn run(
        self,
        [main, admin]: [BoxEndpoint<'static>; 2],
        limits: Limits,
        app: &Services,
        stop: &CancellationToken,
        grace: Duration,
    ) {
        let monitoring = Limits { connections: ADMIN_CONNECTIONS, ..limits.clone() };
        let server = |limits| Server::new(limits, app.base.metrics().clone());
        let (main_server, admin_server) = (server(limits), server(monitoring));
        tokio::join!(main_server.run(self.main, main, stop.clone(), grace), async {
            if let Some(listener) = self.admin {
                admin_server.run(listener, admin, stop.clone(), grace).await;
            }
        });
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Error::Internal(format!("cannot listen on {address}: {error}")))
}

fn limits(config: &Config) -> Limits {
    let server = &config.server;
    Limits {
        connections: files::connections(config),
        connections_per_address: server.max_connections_per_address,
        trusted: server.trusted_proxies.clone(),
        header_bytes: server.header_limit_bytes,
        header_timeout: Duration::from_secs(server.header_timeout_secs),
        idle_timeout: Duration::from_secs(server.idle_timeout_secs),
        body_timeout: Duration::from_secs(server.body_timeout_secs),
        body_bytes_per_second: server.body_min_bytes_per_sec,
        write_timeout: Duration::from_secs(server.write_timeout_secs),
    }
}
