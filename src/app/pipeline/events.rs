//! Events: validated at intake, accepted once, read back.

use std::collections::HashMap;

use super::{
    Pipeline,
    deliveries::{self, NamedDelivery},
    intake::{Idempotency, NewEvent},
};
use crate::{
    app::{
        Caller,
        tenancy::credential::{hex, sha256},
    },
    domain::{
        Error, Result,
        error::Violation,
        ids::EventId,
        page::{Page, PageRequest},
        pipeline::{
            cloud_event,
            event::{Event, EventSource, Fact},
        },
        tenancy::member::Permission,
    },
    store::{self, pipeline::events::IdempotencyKey},
};

pub use store::pipeline::events::Filter;

/// Maximum number of decisions that are shown with an event.
const MOST_DECISIONS: u32 = 250;
/// Maximum number of violations that are listed.
pub const MOST_VIOLATIONS: usize = 20;
/// Namespace of the idempotency keys of CloudEvents.
const CLOUD_EVENTS: EventSource = EventSource::new("cloudevents");
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

/// Event that a caller sends.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its content.
    pub fact: Fact,
    /// Recognition of its repetitions, if any.
    pub once: Option<Once>,
}

/// Key under which an event is accepted once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    source: EventSource,
    key: String,
    fingerprint: [u8; 32],
}

impl Once {
    /// Reads a caller's Idempotency-Key; `payload` are the exact bytes that it stands for.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `Idempotency-Key`.
    pub fn by_key(key: &str, payload: &[u8]) -> Result<Self> {
        Ok(Self { source: EventSource::API, key: idempotency_key(key)?, fingerprint: sha256(payload) })
    }

    /// Makes the key of a CloudEvent: events with the same source and id are the same, whatever else they have.
    pub fn by_origin(source: &str, id: &str) -> Self {
        let fingerprint = sha256(serde_json::json!([source, id]).to_string().as_bytes());
        Self { source: CLOUD_EVENTS, key: hex(&fingerprint), fingerprint }
    }
}

/// Returns the keys that an earlier event has too: neither would be the repetition.
fn repeated_keys(submissions: &[Submission], place: &str) -> Vec<Violation> {
    let mut known = HashMap::new();
    let mut repeated = Vec::new();
    for (index, once) in submissions.iter().enumerate().filter_map(|(index, one)| Some((index, one.once.as_ref()?))) {
        let first = *known.entry((&once.source, &once.key)).or_insert(index);
        if first != index {
            let field = if once.source == CLOUD_EVENTS { "id" } else { "idempotencyKey" };
            let message = format!("must not be that of {place}/{first} again");
            repeated.push(Violation { field: format!("{place}/{index}/{field}"), message });
        }
    }
    repeated
}

impl Pipeline {
    /// Accepts an event: it and its deliveries are committed when this returns.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::NotFound`] for a channel that the caller may not see,
    /// [`Error::FailedPrecondition`] for a message in one that is archived, [`Error::IdempotencyMismatch`],
    /// [`Error::IdempotencyInFlight`].
    pub async fn send_event(&self, caller: &Caller, submission: Submission) -> Result<Accepted> {
        caller.require(Permission::EventsWrite)?;
        let accepted = self.accept(self.admitted(caller, submission).await?).await?;
        self.base.metrics.events(if accepted.repeated { "repeated" } else { "accepted" }, 1);
        Ok(accepted)
    }

    /// Accepts events in their order: all of them and their deliveries are committed when this returns. An invalid one
    /// refuses all; `place` is the location of the list in the request.
    ///
    /// # Errors
    /// As [`Pipeline::send_event`]; those of a channel are [`Error::Invalid`] too. After [`Error::IdempotencyMismatch`] and
    /// [`Error::IdempotencyInFlight`] some may be accepted.
    pub async fn send_events(
        &self,
        caller: &Caller,
        submissions: Vec<Submission>,
        place: &str,
    ) -> Result<Vec<Accepted>> {
        caller.require(Permission::EventsWrite)?;
        let mut violations = repeated_keys(&submissions, place);
        let mut new_events = Vec::with_capacity(submissions.len());
        for (index, submission) in submissions.into_iter().enumerate() {
            let at = format!("{place}/{index}");
            match self.admitted(caller, submission).await {
                // Its id before that of the next one.
                Ok(new_event) => new_events.push(NewEvent { id: Some(self.base.ambient.id()), ..new_event }),
                Err(Error::Invalid(found)) => violations.extend(found.into_iter().map(|one| one.within(&at))),
                Err(error @ (Error::NotFound { .. } | Error::FailedPrecondition { .. })) => {
                    violations
                        .push(Violation { field: format!("{at}/channelId"), message: format!("is refused: {error}") });
                }
                Err(error) => return Err(error),
            }
        }
        if !violations.is_empty() {
            violations.truncate(MOST_VIOLATIONS);
            return Err(Error::Invalid(violations));
        }
        let accepted = self.intake.accept_all(new_events).await?;
        let repeated = accepted.iter().filter(|accepted| accepted.repeated).count();
        self.base.metrics.events("repeated", repeated as u64);
        self.base.metrics.events("accepted", (accepted.len() - repeated) as u64);
        Ok(accepted)
    }

    /// Checks an event of a caller.
    async fn admitted(&self, caller: &Caller, Submission { mut fact, once }: Submission) -> Result<NewEvent> {
        fact.check(&self.rules)?;
        let fact = self.channels.admit(caller, fact).await?;
        let organisation_id = caller.organisation_id;
        let idempotency = once.map(|Once { source, key, fingerprint }| Idempotency {
            key: IdempotencyKey { organisation_id, source, key },
            fingerprint,
            expires_at: self.base.now() + self.retention.idempotency_keys,
        });
        Ok(NewEvent { idempotency, ..NewEvent::plain(organisation_id, EventSource::API, fact) })
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

    /// Returns an event as a CloudEvent.
    pub fn cloud_event(&self, event: &Event) -> serde_json::Value {
        cloud_event::write(event, &self.base.public_url)
    }

    /// Returns an event with the decisions on it, as their deliveries, oldest first; without content.
    ///
    /// # Errors
    /// As [`Pipeline::get_event`].
    pub async fn get_event_with_decisions(&self, caller: &Caller, id: EventId) -> Result<(Event, Vec<NamedDelivery>)> {
        let event = self.get_event(caller, id).await?;
        let filter = deliveries::Filter { event_id: Some(id), ..Default::default() };
        let page = PageRequest::new(Some(MOST_DECISIONS), None)?;
        let reader = self.base.store.reader();
        let mut decided = store::pipeline::deliveries::list(reader, caller.organisation_id, &filter, page).await?.items;
        decided.reverse();
        Ok((event, decided))
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
