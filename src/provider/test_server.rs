//! An upstream for tests: a real TCP server on loopback that answers by a script, well or badly, and records its
//! requests.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use url::Url;

/// Reaction to one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Exactly these bytes, on a connection that is kept open.
    Bytes(Vec<u8>),
    /// No answer, for as long as the client waits.
    Silence,
    /// Headers and the beginning of a body that never continues.
    HeadersOnly,
    /// A body that never ends.
    Endless,
    /// A body that arrives byte by byte, for as long as the client waits.
    Drip,
    /// The connection is closed.
    HangUp,
    /// Half an answer, and the connection is closed.
    Half,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::with(status, "", body)
    }

    /// Answers with additional header lines, each ended by CRLF.
    pub(crate) fn with(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
        Self::Bytes(format!("{head}{headers}\r\n{body}").into_bytes())
    }

    pub(crate) fn redirect() -> Self {
        Self::with(302, "location: http://127.0.0.1:1/elsewhere\r\n", r#"{"ok":true,"ts":"1.2"}"#)
    }
}

/// The server. Its threads end when its clients disconnect.
pub(crate) struct TestServer {
    base: String,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
}

impl TestServer {
    /// Answers the requests in turn; the last answer is repeated.
    pub(crate) fn answering(script: Vec<Answer>) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into(), script)
    }

    /// Starts the same server at another address of this machine.
    pub(crate) fn at(address: SocketAddr, script: Vec<Answer>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = Self {
            base: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
            connections: Arc::default(),
            written: Arc::default(),
        };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        let written = server.written.clone();
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, requests, written) = (script.clone(), requests.clone(), written.clone());
                thread::spawn(move || serve(stream, &script, &requests, &written));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.base)).unwrap()
    }

    /// Returns the requests as received, each with head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns the number of bytes written of endless bodies.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, script: &[Answer], requests: &Mutex<Vec<String>>, written: &AtomicUsize) {
    while let Some(request) = read_request(&mut stream) {
        let turn = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        match &script[turn.min(script.len() - 1)] {
            Answer::Bytes(bytes) => {
                let _ = stream.write_all(bytes);
            }
            Answer::Silence => wait_for_end(&mut stream),
            Answer::HeadersOnly => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\":");
                wait_for_end(&mut stream);
            }
            Answer::Endless => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
                while stream.write_all(chunk.as_bytes()).is_ok() {
                    written.fetch_add(0x4000, Ordering::SeqCst);
                }
            }
            Answer::Drip => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
                let pause = Duration::from_millis(20);
                stream.set_read_timeout(Some(pause)).unwrap();
                // The client sends nothing more, so reading blocks until it disconnects.
                while stream.write_all(b"x").is_ok() && stream.read(&mut [0]).is_err() {}
            }
            Answer::HangUp => return,
            Answer::Half => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\":");
                return;
            }
        }
    }
}

/// Reads one request with a `Content-Length`, or without a body. Nothing when the client has disconnected.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if request.len() >= head + 4 + length {
                return Some(String::from_utf8_lossy(&request).into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(size) => request.extend_from_slice(&buffer[..size]),
        }
    }
}

fn wait_for_end(stream: &mut TcpStream) {
    let mut buffer = [0; 64];
    while matches!(stream.read(&mut buffer), Ok(size) if size > 0) {}
}
