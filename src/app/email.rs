//! Sender of e-mail.
//!
//! Not here: SMTP (`provider::smtp`), the text of messages (`domain::email`).

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;

use crate::{
    app::{
        kernel::Base,
        pipeline::{
            matcher::Place,
            sender::{Check, NewDestination, Prepared, Sender, Session, Skip, sessions},
        },
    },
    domain::{
        Result,
        email::{DOMAIN_NOT_PERMITTED, EMAIL, Message, NOT_CONFIGURED, RecipientDomains, message},
        pipeline::{
            delivery::{AttemptOutcome, Content, Delivery, Outcome},
            destination::{Destination, DestinationKind},
            event::Event,
            template::{Renderer, Template},
        },
        rate_limit::RateLimit,
    },
    provider::smtp::{Email, SmtpAnswer, SmtpClient},
};

/// Sender of e-mail.
pub struct EmailSender(Arc<Mailer>);

struct Mailer {
    base: Base,
    client: Option<SmtpClient>,
    domains: RecipientDomains,
    rate_limit: RateLimit,
}

impl EmailSender {
    /// Creates the sender. Without a client every delivery fails.
    pub fn new(base: Base, client: Option<SmtpClient>, domains: RecipientDomains, rate_limit: RateLimit) -> Self {
        Self(Arc::new(Mailer { base, client, domains, rate_limit }))
    }
}

impl Sender for EmailSender {
    fn kind(&self) -> DestinationKind {
        EMAIL
    }

    fn rate_limit(&self) -> RateLimit {
        self.0.rate_limit
    }

    fn takes_any_event(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        let place = wanted.without_options().and_then(|()| self.0.domains.check(&wanted.address));
        let place = place.map(|address| Place { kind: EMAIL, name: address.clone(), address }.into());
        Box::pin(async move { place })
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        let rendered = template.render(Renderer::plain(), event)?;
        Message::templated(&rendered).map(|message| Content::of(&message))
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        sessions(destinations, |one| EmailSession { mailer: self.0.clone(), to: one.address.clone() })
    }
}

struct EmailSession {
    mailer: Arc<Mailer>,
    to: String,
}

impl Session for EmailSession {
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let check = match &self.mailer.client {
            None => Check::Skip(Skip::failed(NOT_CONFIGURED.text())),
            Some(_) if !self.mailer.domains.permit(&self.to) => Check::Skip(Skip::failed(DOMAIN_NOT_PERMITTED.text())),
            Some(client) => Check::Send(Box::pin(async move { self.send(client, delivery, event).await })),
        };
        Box::pin(async { Ok(check) })
    }
}

impl EmailSession {
    async fn send(&self, client: &SmtpClient, delivery: &Delivery, event: &Event) -> Result<AttemptOutcome> {
        let base = &self.mailer.base;
        let Message { subject, text } = match &delivery.content {
            Some(content) => content.read()?,
            None => message(event),
        };
        // The same for each attempt of a delivery: a mail server may have taken one that seemed to fail.
        let host = base.public_url.host_str().unwrap_or("localhost");
        let id = format!("<{}@{host}>", delivery.id);
        let (began, timer) = (base.now(), Instant::now());
        let email = Email { id: &id, to: &self.to, subject: &subject, text: &text };
        let (outcome, answer) = match client.send(&email, began).await {
            SmtpAnswer::Accepted { answer } => (Outcome::Delivered, Some(answer)),
            SmtpAnswer::Refused { code, answer } => (refusal(code, &answer), Some(answer)),
            SmtpAnswer::Unreachable { reason } => (Outcome::Unreachable { reason: reason.into() }, None),
        };
        let outcome = AttemptOutcome::without_call(outcome, began);
        let request = format!("To: {}\nSubject: {subject}\nMessage-ID: {id}\n\n{text}", self.to);
        Ok(AttemptOutcome { address: self.to.clone(), request, answer, duration: timer.elapsed(), ..outcome })
    }
}

/// Classifies a reply of the mail server (RFC 5321, 4.2.3).
fn refusal(code: u16, answer: &str) -> Outcome {
    let reason = || format!("the mail server answered {answer}");
    match code {
        // The service or our account with it, not this message: RFC 4954, 6.
        421 | 454 | 530 | 534 | 535 | 538 => Outcome::Unreachable { reason: reason().into() },
        400..=499 => Outcome::Faltered { reason: reason() },
        550 | 551 | 553 => {
            Outcome::AddressRefused { reason: format!("{}; check that the address exists, and replay", reason()) }
        }
        _ => Outcome::MessageRefused { reason: reason() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_classified() {
        for (code, expected) in [
            (421, "unreachable"),
            (450, "faltered"),
            (452, "faltered"),
            (535, "unreachable"),
            (550, "address"),
            (552, "message"),
            (553, "address"),
            (554, "message"),
        ] {
            let found = match refusal(code, "x") {
                Outcome::Unreachable { .. } => "unreachable",
                Outcome::Faltered { .. } => "faltered",
                Outcome::AddressRefused { .. } => "address",
                Outcome::MessageRefused { .. } => "message",
                other => panic!("{code}: {other:?}"),
            };
            assert_eq!(found, expected, "{code}");
        }
    }
}
