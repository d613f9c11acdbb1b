//! Integrations as their authors would run them, all on one server of this process: each serves its descriptor, answers
//! at once, and records the time of each call. It runs on a thread of its own, so that the load generator does not
//! delay it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{
    Result,
    http::{find, request},
    load::{DIGITS, Template},
    usage,
};

/// Prefix of a message; its number follows.
const GREETING: &str = "number ";

/// Builds the request that posts a message in a channel.
///
/// # Errors
/// Without a location for its number.
pub fn message(token: &str, channel: &str) -> Result<Template> {
    numbered(token, &json!({"type": "message.posted", "channelId": channel, "data": {"message": text()}}))
}

/// Builds the request that sends an event of a type.
///
/// # Errors
/// Without a location for its number.
pub fn event(token: &str, kind: &str) -> Result<Template> {
    numbered(token, &json!({"type": kind, "data": {"text": text()}}))
}

fn text() -> String {
    format!("{GREETING}{} of those who would like to see how the engine weaves", "0".repeat(DIGITS))
}

fn numbered(token: &str, body: &Value) -> Result<Template> {
    Template::numbered(request("POST", "/v1/events", Some(token), Some(&body.to_string())), GREETING)
}

/// Kind of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes messages.
    Modifier,
    /// Collects messages.
    Output,
    /// Ticks each minute.
    Interval,
    /// Target of an outgoing webhook. It has no descriptor, and answers nothing that is posted.
    Sink,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Modifier, Self::Output, Self::Interval, Self::Sink];

    /// Index among all kinds.
    pub fn as_index(self) -> usize {
        self as usize
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Modifier => "modifier",
            Self::Output => "output",
            Self::Interval => "interval",
            Self::Sink => "sink",
        }
    }
}

/// A received call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Kind of the integration.
    pub kind: Kind,
    /// Index within that kind.
    pub integration: usize,
    /// Number of the message; 0 for a tick.
    pub number: u64,
    /// Time at which the whole request was read.
    pub came: Instant,
    /// Time at which its answer was written.
    pub answered: Instant,
}

/// Server of the integrations, stopped when dropped.
pub struct Integrations {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Folder of its thread in /proc.
    thread: PathBuf,
    _stop: oneshot::Sender<()>,
}

impl Integrations {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot listen, or its thread cannot be found.
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let kept = calls.clone();
        std::thread::spawn(move || {
            // Whoever asked may be gone, with everything else.
            let _ = tell.send(std::fs::read_link("/proc/thread-self"));
            runtime.block_on(async move {
                let listener = match TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return eprintln!("bench: the integrations do not listen: {error}"),
                };
                tokio::select! {
                    () = listen(&listener, address, &kept) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, calls, thread: Path::new("/proc").join(told.recv()??), _stop: stop })
    }

    /// URL of an integration's descriptor.
    pub fn json_url(&self, kind: Kind, integration: usize) -> String {
        format!("http://{}/{}/{integration}/integration.json", self.address, kind.as_str())
    }

    /// URL of a sink for an outgoing webhook.
    pub fn sink_url(&self, integration: usize) -> String {
        format!("http://{}/{}/{integration}", self.address, Kind::Sink.as_str())
    }

    /// Counts the calls since they were last taken.
    pub fn count(&self) -> usize {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns the processor time that serving has used so far. It is in that of this process, too.
    pub fn cpu(&self) -> Duration {
        usage::thread(&self.thread)
    }

    /// Takes the recorded calls.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn listen(listener: &TcpListener, address: SocketAddr, calls: &Arc<Mutex<Vec<Call>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let calls = calls.clone();
        tokio::spawn(async move {
            // A caller that hangs up is no error here.
            let _ = serve(stream, address, &calls).await;
        });
    }
}

/// Answers the requests on one connection.
async fn serve(mut stream: TcpStream, address: SocketAddr, calls: &Mutex<Vec<Call>>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(4096);
    loop {
        let (head, length) = loop {
            if let Some(end) = find(&received, b"\r\n\r\n") {
                let length = length(&received[..end]);
                if received.len() >= end + 4 + length {
                    break (end + 4, length);
                }
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let came = Instant::now();
        let (answer, called) = answer(&received[..head], &received[head..head + length], address)?;
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(text.as_bytes()).await?;
        if let Some((kind, integration, number)) = called {
            let call = Call { kind, integration, number, came, answered: Instant::now() };
            calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        }
        received.drain(..head + length);
    }
}

fn length(head: &[u8]) -> usize {
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or_default()
}

/// Kind and index of the integration, and the number of the message.
type Called = (Kind, usize, u64);

/// Builds the answer, and identifies the call, if it was one.
fn answer(head: &[u8], body: &[u8], address: SocketAddr) -> Result<(String, Option<Called>)> {
    let head = std::str::from_utf8(head)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let mut parts = path.split('/').skip(1);
    let (kind, integration, way) = (parts.next(), parts.next(), parts.next());
    let kind = Kind::ALL.into_iter().find(|known| kind == Some(known.as_str()));
    let (Some(kind), Some(integration)) = (kind, integration.and_then(|text| text.parse().ok())) else {
        return Err(format!("nobody is at {path}").into());
    };
    if way == Some("integration.json") && kind != Kind::Sink {
        return Ok((descriptor(kind, integration, address).to_string(), None));
    }
    if kind == Kind::Interval {
        return Ok(("{}".to_owned(), Some((kind, integration, 0))));
    }
    let body: Value = serde_json::from_slice(body)?;
    let name = if kind == Kind::Sink { "text" } else { "message" };
    // A webhook destination gets the whole event.
    let message = body[name].as_str().or_else(|| body["data"][name].as_str()).unwrap_or_default();
    let number = message.strip_prefix(GREETING).and_then(|rest| rest.get(..DIGITS)?.parse().ok());
    let number = number.ok_or_else(|| format!("a message without a number: {message}"))?;
    let answer = match kind {
        Kind::Modifier => json!({"message": format!("{message}!")}).to_string(),
        Kind::Output | Kind::Interval | Kind::Sink => "{}".to_owned(),
    };
    Ok((answer, Some((kind, integration, number))))
}

fn descriptor(kind: Kind, integration: usize, address: SocketAddr) -> Value {
    let base = format!("http://{address}/{}/{integration}", kind.as_str());
    let settings = match kind {
        Kind::Interval => json!([{"label": "interval", "type": "text", "required": true, "default": "* * * * *"}]),
        Kind::Modifier | Kind::Output | Kind::Sink => json!([
            {"label": "words", "type": "text", "required": true, "default": "none"},
            {"label": "loud", "type": "checkbox", "required": true, "default": "No"},
        ]),
    };
    json!({"data": {
        "date": {"created_at": "2026-11-18", "updated_at": "2026-11-18"},
        "descriptions": {
            "app_name": format!("{} {integration}", kind.as_str()), "app_description": "For a benchmark",
            "app_url": base, "app_logo": format!("{base}/logo.png"), "background_color": "#fff",
        },
        "is_active": true, "integration_type": kind.as_str(), "integration_category": "Task Automation",
        "settings": settings,
        "target_url": format!("{base}/target"), "tick_url": format!("{base}/tick"),
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modifier_changes_a_message_and_knows_its_number() {
        let address = SocketAddr::from(([127, 0, 0, 1], 8090));
        let head = b"POST /modifier/7/target HTTP/1.1\r\nContent-Length: 31\r\n\r\n";
        assert_eq!(length(head), 31);
        let (text, call) = answer(head, br#"{"message":"number 00004212 a"}"#, address).unwrap();
        assert_eq!(text, r#"{"message":"number 00004212 a!"}"#);
        assert_eq!(call, Some((Kind::Modifier, 7, 4_212)));
        let sunk = answer(b"POST /sink/3 HTTP/1.1\r\n\r\n", br#"{"text":"number 00000017 a"}"#, address).unwrap();
        assert_eq!(sunk, ("{}".to_owned(), Some((Kind::Sink, 3, 17))));
        let sinks = Integrations::start().unwrap();
        assert!(sinks.thread.join("stat").exists() && sinks.cpu() < Duration::from_secs(1), "{:?}", sinks.thread);
        assert!(answer(b"POST /nobody/7/target HTTP/1.1\r\n\r\n", b"", address).is_err());
    }
}
