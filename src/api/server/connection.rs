//! One connection: HTTP/1.1 on it, with its deadlines.
//!
//! HTTP/2 without TLS is not supported: no client of the dialects uses it, and a stream of it costs as much as a
//! connection here without being counted as one.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
};

use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use poem::{
    Addr, Endpoint, Request, Response,
    endpoint::BoxEndpoint,
    http::{self, HeaderValue, StatusCode, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Limits, body,
    gate::Ticket,
    watch::{Serving, Watch, Watched},
};
use crate::app::kernel::metrics::Metrics;

/// Bytes read of a socket beyond the longest head: one that is too long is refused for that, not for the buffer's sake.
const TO_SPARE_BYTES: usize = 8 << 10;

/// An accepted connection.
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    pub(super) remote: SocketAddr,
    pub(super) ticket: Ticket,
    pub(super) limits: Arc<Limits>,
    pub(super) metrics: Metrics,
}

impl Connection {
    /// Serves its requests until it ends, misses a deadline or makes room; from `stop` on it takes no further one.
    pub(super) async fn serve(self, endpoint: Arc<BoxEndpoint<'static>>, stop: CancellationToken) {
        let Self { socket, remote, ticket, limits, metrics } = self;
        let Ok(local) = socket.local_addr() else { return };
        let watch = ticket.watch.clone();
        let service = service_fn(|request: http::Request<Incoming>| {
            let serving = watch.begin();
            let from: Request = (request, LocalAddr(Addr::from(local)), RemoteAddr(remote.into()), Scheme::HTTP).into();
            let (endpoint, limits) = (endpoint.clone(), limits.clone());
            async move { Ok::<_, Infallible>(answer(&endpoint, from, serving, &limits).await) }
        });
        let io = TokioIo::new(Watched { socket, watch: watch.clone() });
        let mut builder = http1::Builder::new();
        // Its own limit of time counts a connection that rests, too.
        builder.header_read_timeout(None).max_header_size(limits.header_bytes);
        // By itself it reads ten times as much ahead of a fast sender, in each connection and beside all budgets.
        builder.max_buf_size(limits.header_bytes + TO_SPARE_BYTES);
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut stopping = false;
        loop {
            tokio::select! {
                missed = within_deadlines(connection.as_mut(), &watch, &limits) => {
                    if let Some(reason) = missed {
                        metrics.connection_closed(reason);
                        tracing::debug!(%remote, reason, "connection closed");
                    }
                    return;
                }
                () = ticket.displaced.cancelled() => return,
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Drives a connection to its end, or to the first missed deadline: its reason.
async fn within_deadlines<C: Future>(
    mut connection: std::pin::Pin<&mut C>,
    watch: &Watch,
    limits: &Limits,
) -> Option<&'static str> {
    let mut timer = pin!(sleep_until(Instant::now() + limits.idle_timeout));
    poll_fn(|cx| {
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        // The state changes in the call above and nowhere else.
        let Some((deadline, reason)) = watch.deadline(limits) else { return Poll::Pending };
        loop {
            // A timer that goes off too early costs less than one that is set anew for each request.
            if timer.deadline() > deadline || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(Some(reason));
            }
        }
    })
    .await
}

type Outgoing = http::Response<http_body_util::combinators::BoxBody<bytes::Bytes, std::io::Error>>;

/// Answers a request. It is in flight until the last byte of the response is taken.
async fn answer(
    endpoint: &BoxEndpoint<'static>,
    mut request: Request,
    serving: Serving,
    limits: &Limits,
) -> http::Response<impl hyper::body::Body<Data = bytes::Bytes, Error = std::io::Error> + use<>> {
    let body = request.take_body();
    if !body.is_empty() {
        request.set_body(body::timed(body, limits));
    }
    let mut response: Response = endpoint.get_response(request).await;
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Outgoing::from(response).map(|body| {
        body.map_err(move |error| {
            let _held = &serving;
            error
        })
    })
}
