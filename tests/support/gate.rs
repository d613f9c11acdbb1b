//! A proxy between two programs that cuts, delays and swallows, and records its traffic.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Forwards connections to an address, byte by byte, while it is open.
pub struct Gate {
    /// Listening address.
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<u8>>,
    /// Number of connections so far.
    connections: AtomicUsize,
    /// Number of first connections on which every byte is swallowed.
    swallowed: AtomicUsize,
    /// Delay of every piece, in milliseconds.
    delay_ms: AtomicU64,
}

impl Gate {
    /// Opens a gate in front of `target`, `HOST:PORT`.
    pub async fn before(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, is_open) = watch::channel(true);
        let state = Arc::<State>::default();
        let task = tokio::spawn(forward(listener, target.to_owned(), is_open, Arc::clone(&state)));
        Self { address, open, state, task }
    }

    /// Cuts every connection, and every new one at once.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections through again.
    pub fn reopen(&self) {
        self.open.send_replace(true);
    }

    /// Swallows everything sent through the existing connections, without ever closing one. New ones go through.
    pub fn swallow(&self) {
        self.state.swallowed.store(self.state.connections.load(SeqCst), SeqCst);
    }

    /// Delays every piece.
    pub fn delay(&self, pause: Duration) {
        self.state.delay_ms.store(u64::try_from(pause.as_millis()).unwrap(), SeqCst);
    }

    /// Returns the traffic in both directions.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.state.seen.lock().unwrap()).into_owned()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, target: String, open: watch::Receiver<bool>, state: Arc<State>) {
    while let Ok((near, _)) = listener.accept().await {
        let number = state.connections.fetch_add(1, SeqCst);
        let (target, mut open, state) = (target.clone(), open.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let through = async {
                let Ok(far) = TcpStream::connect(target).await else { return };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
                // The end of either direction ends both.
                tokio::select! {
                    () = pump(&mut near_in, &mut far_out, (number, &state)) => {}
                    () = pump(&mut far_in, &mut near_out, (number, &state)) => {}
                }
            };
            tokio::select! {
                biased;
                _ = open.wait_for(|open| !open) => {}
                () = through => {}
            }
        });
    }
}

async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    (number, state): (usize, &State),
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let is_swallowed = number < state.swallowed.load(SeqCst);
        if read == 0 && is_swallowed {
            // Not even the end is passed on.
            std::future::pending::<()>().await;
        }
        if read == 0 {
            return;
        }
        if is_swallowed {
            continue;
        }
        let pause = Duration::from_millis(state.delay_ms.load(SeqCst));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        state.seen.lock().unwrap().extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
