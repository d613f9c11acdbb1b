//! Events: validated at intake, accepted once, read back.

use super::{
    Pipeline,
    intake::{Idempotency, NewEvent},
};
use crate::{
    app::{Caller, tenancy::credential::sha256},
    domain::{
        Error, Result,
        ids::EventId,
        page::{Page, PageRequest},
        pipeline::event::{Event, EventSource, Fact},
        tenancy::member::Permission,
    },
    store::{self, pipeline::events::IdempotencyKey},
};

pub use store::pipeline::events::Filter;

/// Maximum length of an Idempotency-Key, in characters.
const MAX_KEY_CHARS: usize = 255;

/// Result of sending an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Identifier of the event, accepted now or before.
    pub id: EventId,
    /// True if it was accepted before, under the same key.
    pub repeated: bool,
}

impl Pipeline {
    /// Accepts an event: it and its deliveries are committed when this returns. `key` is the caller's Idempotency-Key
    /// and `payload` the exact bytes it stands for.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::NotFound`] for a channel that the caller may not see,
    /// [`Error::FailedPrecondition`] for a message in one that is archived, [`Error::IdempotencyMismatch`],
    /// [`Error::IdempotencyInFlight`].
    pub async fn send_event(
        &self,
        caller: &Caller,
        mut fact: Fact,
        key: Option<&str>,
        payload: &[u8],
    ) -> Result<Accepted> {
        caller.require(Permission::EventsWrite)?;
        fact.check(&self.rules)?;
        let fact = self.channels.admit(caller, fact).await?;
        let idempotency = match key {
            None => None,
            Some(key) => Some(Idempotency {
                key: IdempotencyKey {
                    organisation_id: caller.organisation_id,
                    source: EventSource::API,
                    key: idempotency_key(key)?,
                },
                fingerprint: sha256(payload),
                expires_at: self.base.now() + self.idempotency_lifetime,
            }),
        };
        let new_event = NewEvent {
            id: None,
            organisation_id: caller.organisation_id,
            source: EventSource::API,
            fact,
            made_from: None,
            idempotency,
            planned: Vec::new(),
        };
        let accepted = self.accept(new_event).await?;
        self.base.metrics.events(if accepted.repeated { "repeated" } else { "accepted" }, 1);
        Ok(accepted)
    }

    /// Returns an event.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also for one in a private channel that the caller is not in.
    pub async fn get_event(&self, caller: &Caller, id: EventId) -> Result<Event> {
        caller.require(Permission::EventsRead)?;
        let event = store::pipeline::events::find(self.base.store.reader(), caller.organisation_id, id).await?;
        if let Some(channel_id) = event.fact.channel_id {
            match self.channels.require_visible(caller, channel_id).await {
                // The channel is gone: its events are for callers that may manage channels.
                Err(Error::NotFound { .. }) if caller.may(Permission::ChannelsManage) => {}
                Err(Error::NotFound { .. }) => return Err(Error::not_found(crate::domain::error::Noun::Event, id)),
                other => other?,
            }
        }
        Ok(event)
    }

    /// Lists the events of the organisation, newest first. Those of a private channel are listed by the channel.
    ///
    /// # Errors
    /// [`Error::Forbidden`]: the whole stream is for callers that may also see every channel.
    pub async fn list_events(&self, caller: &Caller, filter: &Filter, page: PageRequest) -> Result<Page<Event>> {
        caller.require(Permission::EventsRead)?;
        caller.require(Permission::ChannelsManage)?;
        store::pipeline::events::list(self.base.store.reader(), caller.organisation_id, filter, page).await
    }
}

/// Parses an Idempotency-Key: quoted, as the draft specifies (RFC 8941, 3.3.3), or bare, as most clients send it.
fn idempotency_key(text: &str) -> Result<String> {
    let text = text.trim();
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"') {
        Ok(key.to_owned())
    } else {
        let rule = format!("must be 1 to {MAX_KEY_CHARS} printable ASCII characters, such as a UUID, quoted or bare");
        Err(Error::invalid("Idempotency-Key", rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_keys_are_the_same() {
        assert_eq!(idempotency_key("\"a-1\"").unwrap(), "a-1");
        assert_eq!(idempotency_key(" a-1 ").unwrap(), "a-1");
        let too_long = "k".repeat(256);
        for bad in ["", "\"\"", "a\"b", "ä", too_long.as_str(), "a\tb"] {
            assert!(idempotency_key(bad).is_err(), "{bad:?}");
        }
    }
}
