//! E-mail: addresses, and events as messages.
//!
//! Not here: SMTP.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    Error, Result,
    ambient::timestamp,
    pipeline::{delivery::Reason, destination::DestinationKind, event::Event},
};

/// Kind of the destinations that are e-mail addresses.
pub const EMAIL: DestinationKind = DestinationKind::new("email");

/// Reason of deliveries while no mail server is configured.
pub const NOT_CONFIGURED: Reason =
    Reason::new("this service has no mail server; have the operator set email.smtp_url, and replay this delivery");

/// Reason of deliveries to a domain that the operator does not permit any more.
pub const DOMAIN_NOT_PERMITTED: Reason = Reason::new(
    "the operator does not permit messages to this domain (email.recipient_domains); have it permitted, and replay this \
     delivery",
);

/// Maximum length of an address (RFC 5321, 4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS: usize = 254;
/// Maximum length of a subject from a template, in bytes.
const MAX_SUBJECT: usize = 200;
/// Maximum size of an event's data in a message, in bytes.
const MAX_DATA: usize = 64 * 1024;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl Message {
    /// Reads a rendered template: a text, whose first line is the subject as well, or an object with `subject` and
    /// `text`.
    ///
    /// # Errors
    /// The reason for which it is no message, in words.
    pub fn templated(rendered: &Value) -> std::result::Result<Self, String> {
        let message = match rendered {
            Value::String(text) => {
                let subject = text.lines().next().unwrap_or_default().to_owned();
                Some(Self { subject, text: text.clone() })
            }
            other => Self::deserialize(other).ok(),
        };
        let message = message.ok_or("a template for e-mail is a text, or an object with the texts subject and text")?;
        // A header has one line (RFC 5322, 2.2).
        let mut subject: String = message.subject.chars().filter(|character| !character.is_control()).collect();
        subject.truncate(subject.floor_char_boundary(MAX_SUBJECT));
        Ok(Self { subject, ..message })
    }
}

/// Domains to which messages may be sent.
#[derive(Clone, Debug, Default)]
pub struct RecipientDomains(Vec<String>);

impl RecipientDomains {
    /// Creates the list; `*` permits every domain.
    pub fn new(domains: &[String]) -> Self {
        Self(domains.iter().map(|domain| domain.to_ascii_lowercase()).collect())
    }

    /// Returns true if messages may be sent to an address.
    pub fn permit(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        self.0.iter().any(|permitted| permitted == "*" || domain.as_ref() == Some(permitted))
    }

    /// Checks an address, and returns it with its domain in small letters.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self, address: &str) -> Result<String> {
        let wrong = |rule: String| Err(Error::invalid("/address", rule));
        let Some((local, domain)) = address.rsplit_once('@').filter(|(local, domain)| is_plain(local, domain)) else {
            return wrong("must be an e-mail address, such as alerts@example.com".into());
        };
        let address = format!("{local}@{}", domain.to_ascii_lowercase());
        match (self.0.is_empty(), self.permit(&address)) {
            (_, true) => Ok(address),
            (true, false) => wrong("the operator has permitted no domain (email.recipient_domains)".into()),
            (false, false) => {
                let domains = self.0.join(", ");
                wrong(format!("must be in a domain that the operator permits (email.recipient_domains): {domains}"))
            }
        }
    }
}

/// Returns true for an address of the common form. Quoted local parts and address literals are not supported.
fn is_plain(local: &str, domain: &str) -> bool {
    let in_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let dots = |text: &str| !text.split('.').any(str::is_empty);
    let label = |label: &str| {
        label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (1..=64).contains(&local.len())
        && local.len() + 1 + domain.len() <= MAX_ADDRESS
        && dots(local)
        && dots(domain)
        && local.bytes().all(in_local)
        && domain.split('.').all(label)
}

/// Returns an event as a message.
pub fn message(event: &Event) -> Message {
    let fact = &event.fact;
    let mut lines = vec![
        format!("Type:     {}", fact.kind),
        format!("Source:   {}", event.source.as_str()),
        format!("Event:    {}", event.id),
        format!("Accepted: {}", timestamp(event.created_at)),
    ];
    lines.extend(fact.channel_id.map(|id| format!("Channel:  {id}")));
    lines.extend(fact.attributes.iter().map(|(name, value)| format!("{name}: {value}")));
    let mut data = format!("{:#}", fact.data);
    if data.len() > MAX_DATA {
        data.truncate(data.floor_char_boundary(MAX_DATA));
        data.push_str("\n… (cut; GET /v1/events/{id} has all of it)");
    }
    Message { subject: fact.kind.clone(), text: format!("{}\n\n{data}\n", lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        pipeline::event::{EventSource, Fact},
    };

    #[test]
    fn addresses_are_checked() {
        let all = RecipientDomains::new(&["*".to_owned()]);
        for good in ["a@b.example", "first.last+tag@sub.example.com", "o'neil@example.com", "a@localhost"] {
            assert_eq!(all.check(good).ok().as_deref(), Some(good));
        }
        assert_eq!(all.check("Ada@Example.COM").unwrap(), "Ada@example.com", "only the domain has no case");
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "",
            "a",
            "@b.c",
            "a@",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a@-b.c",
            "a@b_c.d",
            "a@[127.0.0.1]",
            "\"a\"@b.c",
            "a@b.c\r\nBcc: x@y.z",
            "a@b@c.d,x",
            "ä@b.c",
            &long,
        ] {
            assert!(all.check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_permitted_domains_are_sent_to() {
        let some = RecipientDomains::new(&["Example.com".to_owned()]);
        assert!(some.check("a@EXAMPLE.com").is_ok() && some.permit("a@example.COM"));
        for other in ["a@sub.example.com", "a@example.com.evil.test", "a@example.org"] {
            assert!(some.check(other).unwrap_err().to_string().contains("recipient_domains"), "{other}");
        }
        assert!(RecipientDomains::default().check("a@example.com").is_err());
    }

    #[test]
    fn a_message_has_what_an_event_says() {
        let mut fact = Fact::plain("order.created", None, json!({"total": 12, "note": "x".repeat(70_000)}));
        fact.attributes = [("linkId", "7")].into_iter().collect();
        let event = Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact,
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: Time::UNIX_EPOCH,
        };
        let Message { subject, text } = message(&event);
        assert_eq!(subject, "order.created");
        for part in ["Type:     order.created\n", "Source:   api\n", "linkId: 7\n", "\"total\": 12,", "… (cut;"] {
            assert!(text.contains(part), "{part}: {}", &text[..300]);
        }
        assert!(text.len() < 66_000);
    }
}
