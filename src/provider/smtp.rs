//! SMTP: messages of this service through the operator's mail server.
//!
//! Not here: the text of messages.

use std::{error::Error as _, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::PoolConfig,
};

use crate::domain::{Error, Result, ambient::Time, secret::Secret};

/// Largest number of open connections to the mail server.
const CONNECTIONS: u32 = 4;
/// Maximum length of an answer that is kept, in bytes.
const MAX_ANSWER: usize = 1024;

/// A message to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Email<'a> {
    /// Its Message-ID, with angle brackets.
    pub id: &'a str,
    /// Address of the recipient.
    pub to: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
}

/// Outcome of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpAnswer {
    /// The mail server took it.
    Accepted {
        /// Its reply.
        answer: String,
    },
    /// The mail server refused it.
    Refused {
        /// Reply code (RFC 5321, 4.2).
        code: u16,
        /// Its reply.
        answer: String,
    },
    /// There was no reply.
    Unreachable {
        /// Reason, in words.
        reason: String,
    },
}

/// Client of the operator's mail server.
#[derive(Clone)]
pub struct SmtpClient {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    total: Duration,
}

impl SmtpClient {
    /// Creates the client of `smtp_url`, such as `smtps://user:password@mail.example.com`, with the sender `from` and the
    /// time limit of one message.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a wrong URL or sender. The error does not contain the URL, which may have a password.
    pub fn new(smtp_url: &Secret, from: &str, total: Duration) -> Result<Self> {
        let wrong = |error: lettre::transport::smtp::Error| Error::invalid("email.smtp_url", error.to_string());
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp_url.expose()).map_err(wrong)?;
        let transport = transport.timeout(Some(total)).pool_config(PoolConfig::new().max_size(CONNECTIONS)).build();
        let from = from.parse().map_err(|error| Error::invalid("email.from", format!("is no address: {error}")))?;
        Ok(Self { transport, from, total })
    }

    /// Sends a message, dated `now`.
    pub async fn send(&self, email: &Email<'_>, now: Time) -> SmtpAnswer {
        let message = match self.message(email, now) {
            Ok(message) => message,
            Err(error) => return SmtpAnswer::Refused { code: 553, answer: error.to_string() },
        };
        match tokio::time::timeout(self.total, self.transport.send(message)).await {
            Err(_) => SmtpAnswer::Unreachable { reason: "the mail server did not answer in time".into() },
            Ok(Ok(reply)) => {
                let text: Vec<&str> = reply.message().collect();
                SmtpAnswer::Accepted { answer: clipped(format!("{} {}", reply.code(), text.join(" "))) }
            }
            Ok(Err(error)) => {
                // The error's own text is its class; the reply of the server is below it.
                let detail = error.source().map(ToString::to_string).unwrap_or_default();
                match error.status() {
                    Some(code) => {
                        let answer = clipped(format!("{code} {detail}"));
                        SmtpAnswer::Refused { code: code.into(), answer }
                    }
                    None => {
                        let reason = clipped(format!("the mail server cannot be reached: {error}"));
                        SmtpAnswer::Unreachable { reason }
                    }
                }
            }
        }
    }

    fn message(&self, email: &Email<'_>, now: Time) -> std::result::Result<Message, Box<dyn std::error::Error>> {
        // No vacation message is an answer to it (RFC 3834, 5).
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        let message = Message::builder()
            .from(self.from.clone())
            .to(email.to.parse()?)
            .subject(email.subject)
            .message_id(Some(email.id.to_owned()))
            .date(now.into())
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(email.text.to_owned())?;
        Ok(message)
    }
}

fn clipped(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_ANSWER));
    text
}
