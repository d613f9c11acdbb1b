//! A plain HTTP/1.1 client: keep-alive connections, requests as bytes, answers by their Content-Length. It supports
//! only what the two servers here use, so that it costs next to nothing.

use std::{io, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Error, Result};

/// One connection; requests follow one another on it.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer of a server.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }

    /// Sends a whole request and reads the answer to it.
    ///
    /// # Errors
    /// When the connection breaks or the answer cannot be read.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.more().await?;
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let (status, length) = read_head(&self.received[..head])
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an answer without Content-Length"))?;
        while self.received.len() < head + length {
            self.more().await?;
        }
        Ok(Answer { status, body: &self.received[head..head + length] })
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Parses the status and the length of the body.
fn read_head(head: &[u8]) -> Option<(u16, usize)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    });
    Some((status, if status == 204 { 0 } else { length? }))
}

/// Finds the position of a text.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Writes a request.
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| ("Authorization", format!("Bearer {token}")));
    let content = body.map(|_| ("Content-Type", "application/json".to_owned()));
    let headers: Vec<(&str, String)> = authorization.into_iter().chain(content).collect();
    with_headers(method, path, &headers, body)
}

/// Writes a request with these headers.
pub fn with_headers(method: &str, path: &str, headers: &[(&str, String)], body: Option<&str>) -> Vec<u8> {
    let length = body.map(|body| ("Content-Length", body.len().to_string()));
    let lines = headers.iter().map(|(name, value)| (*name, value.clone())).chain(length);
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let body = body.unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n{body}").into_bytes()
}

/// Sends one request on a connection of its own, with JSON both ways; a refusal is an error.
///
/// # Errors
/// When it cannot be sent or is answered with anything but 2xx and JSON.
pub async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> Result<Value> {
    let text = fetch(address, method, path, token, body).await?;
    Ok(serde_json::from_str(&text)?)
}

/// As [`call`], with any text as the answer.
///
/// # Errors
/// As [`call`].
pub async fn fetch(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> Result<String> {
    let body = body.map(|body| body.to_string());
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(&request(method, path, token, body.as_deref())).await;
    let answer = answer.map_err(|error| Error::from(format!("{method} {path}: {error}")))?;
    let text = String::from_utf8_lossy(answer.body).into_owned();
    match answer.status {
        200..300 => Ok(text),
        status => Err(format!("{method} {path} was answered {status}: {text}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_status_and_length() {
        let head = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\ncontent-length: 47\r\n\r\n";
        assert_eq!(read_head(head), Some((202, 47)));
        assert_eq!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 0)));
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), None);
        assert_eq!(read_head(b"nonsense\r\n\r\n"), None);
    }

    #[test]
    fn a_request_is_complete() {
        let text = String::from_utf8(request("POST", "/x", Some("t"), Some("{}"))).unwrap();
        let expected = "POST /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n\
                        Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(text, expected);
    }
}
