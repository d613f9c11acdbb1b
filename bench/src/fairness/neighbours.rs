//! Badly behaved organisations: the server of their URLs, on a thread of its own, and the flood of their messages.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::{
    Result,
    http::{Connection, find},
    load::Template,
};

/// Pause between two messages of an organisation: each makes a delivery for each of its URLs.
const PAUSE: Duration = Duration::from_millis(500);
/// Pause between two bytes of a dripping answer.
const DRIP: Duration = Duration::from_millis(300);

/// Server of the URLs, stopped when dropped.
pub struct Neighbours {
    address: SocketAddr,
    held: Arc<Held>,
    _stop: oneshot::Sender<()>,
}

/// Counters of stalled calls.
#[derive(Default)]
struct Held {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Neighbours {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let held: Arc<Held> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let kept = held.clone();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    result = listen(listener, kept) => eprintln!("bench: the bad URLs do not listen: {result:?}"),
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, held, _stop: stop })
    }

    /// URLs for one organisation: a number that never answer, a number that drip, and one that answers at once.
    pub fn urls(&self, [hanging, dripping]: [usize; 2]) -> Vec<String> {
        let of = |how, count| (0..count).map(move |number| format!("http://{}/{how}/{number}", self.address));
        of("at-once", 1).chain(of("hang", hanging)).chain(of("drip", dripping)).collect()
    }

    /// Returns the maximum number of calls that were stalled at the same time.
    pub fn most_held(&self) -> usize {
        self.held.most.load(Ordering::Relaxed)
    }
}

async fn listen(listener: std::net::TcpListener, held: Arc<Held>) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let held = held.clone();
        tokio::spawn(async move {
            // A caller that hangs up is the expected case.
            let _ = serve(stream, &held).await;
        });
    }
}

async fn serve(mut stream: TcpStream, held: &Held) -> std::io::Result<()> {
    let mut received = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut received).await?;
        let Some(at) = find(&received[..read], b"POST /") else {
            if read == 0 {
                return Ok(());
            }
            continue;
        };
        match received.get(at + 6) {
            Some(b'a') => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await?,
            how => {
                let now = held.now.fetch_add(1, Ordering::Relaxed) + 1;
                held.most.fetch_max(now, Ordering::Relaxed);
                let drips = how == Some(&b'd');
                let done = hold(&mut stream, drips).await;
                held.now.fetch_sub(1, Ordering::Relaxed);
                return done;
            }
        }
    }
}

/// Stalls a caller until it hangs up.
async fn hold(stream: &mut TcpStream, drips: bool) -> std::io::Result<()> {
    if !drips {
        return stream.read(&mut [0; 64 * 1024]).await.map(drop);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n").await?;
    loop {
        stream.write_all(b" ").await?;
        tokio::time::sleep(DRIP).await;
    }
}

/// Sends messages of every organisation, until a connection breaks.
///
/// # Errors
/// When a connection breaks or a message is refused.
pub async fn flood(address: SocketAddr, messages: Vec<Template>) -> Result<()> {
    let mut senders: JoinSet<Result<()>> = JoinSet::new();
    for message in messages {
        senders.spawn(async move {
            let mut connection = Connection::open(address).await?;
            loop {
                let status = connection.exchange(&message.bytes).await?.status;
                if status != 202 {
                    return Err(format!("a message was answered {status}").into());
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    match senders.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}
