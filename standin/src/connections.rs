//! Connections that can be broken on request: no HTTP answer can express a network failure, so it happens below HTTP.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use poem::Addr;
use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Open connections by the caller's address.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<HashMap<SocketAddr, Arc<AtomicBool>>>>);

impl Connections {
    /// Breaks the connection of a request: the next byte read or written on it fails.
    pub(crate) fn break_off(&self, caller: &RemoteAddr) {
        if let RemoteAddr(Addr::SocketAddr(address)) = caller
            && let Some(broken) = self.0.lock().get(address)
        {
            broken.store(true, Ordering::Release);
        }
    }
}

/// Acceptor that registers each connection.
pub(crate) struct TrackingAcceptor {
    listener: TcpListener,
    local: LocalAddr,
    connections: Connections,
}

impl TrackingAcceptor {
    pub(crate) fn new(listener: TcpListener, connections: Connections) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        Ok(Self { listener, local, connections })
    }
}

impl Acceptor for TrackingAcceptor {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Connection, LocalAddr, RemoteAddr, Scheme)> {
        let (stream, address) = self.listener.accept().await?;
        // Answers are small and written at once; waiting for more to send would only delay them.
        stream.set_nodelay(true)?;
        let broken = Arc::new(AtomicBool::new(false));
        self.connections.0.lock().insert(address, Arc::clone(&broken));
        let connection = Connection { stream, address, broken, connections: self.connections.clone() };
        Ok((connection, self.local.clone(), RemoteAddr(address.into()), Scheme::HTTP))
    }
}

/// A registered connection, removed from the register when it is closed.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    broken: Arc<AtomicBool>,
    connections: Connections,
}

impl Connection {
    fn whole(&self) -> io::Result<()> {
        if self.broken.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.0.lock().remove(&self.address);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
