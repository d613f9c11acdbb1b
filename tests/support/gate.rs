//! A door between two programs, that can be shut and that remembers what went through.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Forwards connections to an address, byte by byte, while it is open.
pub struct Gate {
    /// Where it listens.
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    seen: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Opens one in front of `target`, `HOST:PORT`.
    pub async fn before(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, is_open) = watch::channel(true);
        let seen = Arc::default();
        let task = tokio::spawn(forward(listener, target.to_owned(), is_open, Arc::clone(&seen)));
        Self { address, open, seen, task }
    }

    /// Cuts every connection, and every new one at once.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets connections through again.
    pub fn reopen(&self) {
        self.open.send_replace(true);
    }

    /// Everything that went through, in both directions.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, target: String, open: watch::Receiver<bool>, seen: Arc<Mutex<Vec<u8>>>) {
    while let Ok((near, _)) = listener.accept().await {
        let (target, mut open, seen) = (target.clone(), open.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let through = async {
                let Ok(far) = TcpStream::connect(target).await else { return };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
                // The end of either direction ends both.
                tokio::select! {
                    () = pump(&mut near_in, &mut far_out, &seen) => {}
                    () = pump(&mut far_in, &mut near_out, &seen) => {}
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

async fn pump(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), seen: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        seen.lock().unwrap().extend_from_slice(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
