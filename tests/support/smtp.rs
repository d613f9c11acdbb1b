//! A mail server on loopback: it takes messages, or refuses, delays and drips as it is told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Interval between two lines of an answer that never ends.
const DRIP: Duration = Duration::from_millis(100);

/// Answer to messages.
#[derive(Clone, Debug, Default)]
pub enum MailReply {
    /// It takes them.
    #[default]
    Accept,
    /// This reply to the recipient.
    Refuse(&'static str),
    /// No answer at all.
    Silence,
    /// An answer that never ends.
    Drip,
    /// This reply to credentials.
    RefuseCredentials(&'static str),
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body, as they were sent.
    pub source: String,
}

impl Mail {
    /// Returns a header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.source.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_default()
    }
}

#[derive(Default)]
struct Memory {
    reply: MailReply,
    mails: Vec<Mail>,
    credentials: Vec<String>,
}

/// Memory of a mail server, and its behaviour.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Memory>>);

impl Mailbox {
    /// Sets the answer from now on, also on open connections.
    pub fn reply(&self, reply: MailReply) {
        self.0.lock().unwrap().reply = reply;
    }

    /// Returns the messages that were taken.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap().mails.clone()
    }

    /// Returns the credentials that were given, in base64.
    pub fn credentials(&self) -> Vec<String> {
        self.0.lock().unwrap().credentials.clone()
    }
}

/// A running mail server.
pub struct MailServer {
    /// Its address.
    pub address: SocketAddr,
    /// Its memory and behaviour.
    pub mailbox: Mailbox,
    task: JoinHandle<()>,
}

impl MailServer {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mailbox = Mailbox::default();
        let shared = mailbox.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mailbox = shared.clone();
                tokio::spawn(async move {
                    // A client may leave at any time.
                    let _ = serve(stream, &mailbox.0).await;
                });
            }
        });
        Self { address, mailbox, task }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, memory: &Mutex<Memory>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let reply = || memory.lock().unwrap().reply.clone();
    hang(&mut stream, reply(), "220").await?;
    stream.write_all(b"220 mail.example ESMTP\r\n").await?;
    let mut to = Vec::new();
    loop {
        let line = line(&mut stream).await?;
        hang(&mut stream, reply(), "250").await?;
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match (word.as_str(), reply()) {
            ("EHLO", _) => "250-mail.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN".to_owned(),
            ("AUTH", reply) => {
                memory.lock().unwrap().credentials.push(line.rsplit(' ').next().unwrap_or_default().to_owned());
                match reply {
                    MailReply::RefuseCredentials(reply) => reply.to_owned(),
                    _ => "235 2.7.0 accepted".to_owned(),
                }
            }
            ("RCPT", MailReply::Refuse(reply)) => reply.to_owned(),
            ("RCPT", _) => {
                to.push(line.trim_start_matches("RCPT TO:<").split('>').next().unwrap_or_default().to_owned());
                "250 2.1.5 ok".to_owned()
            }
            ("DATA", _) => {
                stream.write_all(b"354 go on\r\n").await?;
                let source = data(&mut stream).await?;
                memory.lock().unwrap().mails.push(Mail { to: std::mem::take(&mut to), source });
                "250 2.0.0 queued as 4711".to_owned()
            }
            ("MAIL" | "RSET" | "NOOP", _) => "250 2.0.0 ok".to_owned(),
            ("QUIT", _) => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 5.5.2 what?".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// Never returns where the server does not answer, or never ends its answer.
async fn hang(stream: &mut BufReader<TcpStream>, reply: MailReply, code: &str) -> std::io::Result<()> {
    match reply {
        MailReply::Accept | MailReply::Refuse(_) | MailReply::RefuseCredentials(_) => Ok(()),
        MailReply::Silence => std::future::pending().await,
        MailReply::Drip => loop {
            stream.write_all(format!("{code}-wait\r\n").as_bytes()).await?;
            tokio::time::sleep(DRIP).await;
        },
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut source = String::new();
    loop {
        match line(stream).await?.as_str() {
            "." => return Ok(source),
            text => {
                source.push_str(text.strip_prefix('.').unwrap_or(text));
                source.push('\n');
            }
        }
    }
}
