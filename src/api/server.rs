//! The HTTP server: accepts connections within bounds and passes their requests to the endpoint.
//!
//! Not in it: routes, and responses except for the one to a connection that exceeds a bound.

mod body;
mod connection;
mod gate;
mod watch;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ipnet::IpNet;
use poem::endpoint::BoxEndpoint;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    connection::Connection,
    gate::{Bound, Gate, Notice},
};
use crate::app::kernel::metrics::Metrics;

/// Backoff of the accept loop while the process can open no more files: the first pause, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Bounds and deadlines of connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections in all.
    pub connections: usize,
    /// Open connections of one client: an IPv4 address or an IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Addresses that the bound for one client leaves out: reverse proxies.
    pub trusted: Vec<IpNet>,
    /// Longest head of a request: the request line and the headers.
    pub header_bytes: usize,
    /// Deadline of a request's head, from the connection or the head's first byte on.
    pub header_timeout: Duration,
    /// Lifetime of a connection that rests between two requests.
    pub idle_timeout: Duration,
    /// Deadline of a request's body, from the end of its head on.
    pub body_timeout: Duration,
    /// Least rate of a request's body.
    pub body_bytes_per_second: u32,
    /// Longest pause of a client that reads a response.
    pub write_timeout: Duration,
}

/// The server. Each one has connections of its own.
pub struct Server {
    limits: Arc<Limits>,
    gate: Arc<Gate>,
    metrics: Metrics,
    no_files: Notice,
}

impl Server {
    /// Makes a server that has not begun.
    pub fn new(limits: Limits, metrics: Metrics) -> Self {
        let limits = Arc::new(limits);
        Self { gate: Gate::new(limits.clone(), metrics.clone()), limits, metrics, no_files: Notice::default() }
    }

    /// Serves until `stop`, then drains the requests in flight within `grace`.
    pub async fn run(
        &self,
        listener: TcpListener,
        endpoint: BoxEndpoint<'static>,
        stop: CancellationToken,
        grace: Duration,
    ) {
        let (endpoint, connections, cut) = (Arc::new(endpoint), TaskTracker::new(), CancellationToken::new());
        let accepting = async {
            loop {
                let (socket, remote) = self.accept(&listener).await;
                let ticket = match self.gate.admit(remote.ip()).await {
                    Ok(ticket) => ticket,
                    Err(bound) => {
                        self.turn_away(socket, remote, bound);
                        continue;
                    }
                };
                let (limits, stop, cut) = (self.limits.clone(), stop.clone(), cut.clone());
                let connection = Connection { socket, remote, ticket, limits, metrics: self.metrics.clone() };
                let serving = connection.serve(endpoint.clone(), stop);
                connections.spawn(async move { cut.run_until_cancelled(serving).await });
            }
        };
        stop.run_until_cancelled(accepting).await;
        drop(listener);
        connections.close();
        if timeout(grace, connections.wait()).await.is_err() {
            cut.cancel();
            connections.wait().await;
        }
    }

    /// Accepts the next connection. While the process or the machine has no file left it pauses, instead of spinning.
    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        let mut pause = FIRST_PAUSE;
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.metrics.connection_closed("accept_failed");
                    if let Some(unsaid) = self.no_files.due() {
                        tracing::warn!(%error, unsaid, "cannot accept connections: raise the limit of open files, or \
                                                        lower server.max_connections; retrying");
                    }
                    self.gate.make_room();
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Answers 503 to a connection that exceeds a bound, and closes it.
    fn turn_away(&self, socket: TcpStream, remote: SocketAddr, bound: Bound) {
        self.gate.report(bound, remote.ip());
        if let Ok(socket) = socket.into_std() {
            // Best effort: a new socket accepts so few bytes at once, and the rest is left out.
            let _ = say_busy(&socket);
        }
    }
}

const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn say_busy(mut socket: &std::net::TcpStream) -> io::Result<()> {
    use std::io::{Read, Write};
    socket.write_all(BUSY)?;
    socket.shutdown(std::net::Shutdown::Write)?;
    // Closing a socket with unread bytes resets it, and the client might never see the response.
    let _ = socket.read(&mut [0; 4096])?;
    Ok(())
}

/// Returns whether an error of accepting concerns a single connection, so that the next one may be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
