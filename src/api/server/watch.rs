//! The state of a connection that its deadlines depend on, and the socket that keeps it.
//!
//! The deadline of a request's body is not in here: it ends the request, and the caller gets an answer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::Limits;

/// State of a connection, shared with the task that watches it.
pub(super) struct Watch(Mutex<State>);

struct State {
    phase: Phase,
    /// Time since which the client has read nothing that was written to it.
    stuck: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// The head of a request is awaited, or part of it is there.
    Head(Instant),
    /// Waiting between two requests.
    Idle(Instant),
    /// A request is in flight, up to the end of its response.
    Serving,
}

/// A request in flight; over when it is dropped.
pub(super) struct Serving(Arc<Watch>);

impl Default for Watch {
    fn default() -> Self {
        Self(Mutex::new(State { phase: Phase::Head(Instant::now()), stuck: None }))
    }
}

impl Watch {
    /// Begins a request: its head is there.
    pub(super) fn begin(self: &Arc<Self>) -> Serving {
        self.state().phase = Phase::Serving;
        Serving(self.clone())
    }

    /// Since when the connection waits for a request, while none is in flight.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        match self.state().phase {
            Phase::Head(since) | Phase::Idle(since) => Some(since),
            Phase::Serving => None,
        }
    }

    /// The moment at which the connection is closed if nothing changes, and the reason in the words of the metric.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(Instant, &'static str)> {
        let state = self.state();
        let waiting = match state.phase {
            Phase::Head(since) => Some((since + limits.header_timeout, "header_timeout")),
            Phase::Idle(since) => Some((since + limits.idle_timeout, "idle_timeout")),
            Phase::Serving => None,
        };
        let stuck = state.stuck.map(|since| (since + limits.write_timeout, "write_timeout"));
        waiting.into_iter().chain(stuck).min()
    }

    fn read(&self, bytes: usize) {
        let mut state = self.state();
        if bytes > 0 && matches!(state.phase, Phase::Idle(_)) {
            state.phase = Phase::Head(Instant::now());
        }
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        let mut state = self.state();
        if result.is_ready() {
            state.stuck = None;
        } else {
            state.stuck.get_or_insert_with(Instant::now);
        }
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.state().phase = Phase::Idle(Instant::now());
    }
}

/// A socket that reports its reads and writes to the watch.
pub(super) struct Watched {
    pub(super) socket: TcpStream,
    pub(super) watch: Arc<Watch>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.socket).poll_read(cx, buffer);
        self.watch.read(buffer.filled().len() - before);
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.watch.wrote(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.watch.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
