//! Feed of the messages to relay: each new event, or each delivery of a destination, once and in the order of their ids.
//!
//! Ids sort by their making, and an event with an earlier one may be committed later, at another process too. So each
//! look goes back for some time, and skips the known ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Fault, Server};
use crate::domain::{
    ambient::{Time, timestamp},
    routes::glob,
    search::first_id,
    webhooks::endpoint::EventNotification,
};

/// Time that each look goes back before the newest known id: more than a commit takes, and than the clocks of the
/// processes may differ.
const LOOK_BACK: Duration = Duration::from_secs(15);
/// Number of items of a page.
const PAGE: &str = "100";
/// Maximum number of deliveries without an attempt that one look asks for.
const MOST_WAITING: usize = 20;

/// Choice of the relayed messages.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The organisation's events, as a webhook destination gets them.
    Events {
        /// Globs of their types; all where there is none.
        types: Vec<String>,
        /// Globs of their sources; all where there is none.
        sources: Vec<String>,
    },
    /// The deliveries of a destination, as they were sent.
    Destination(Uuid),
}

/// Message to relay.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Id of the event, or of the delivery.
    pub id: Uuid,
    /// Type of the event.
    pub kind: String,
    /// Body; the reason where nothing was sent.
    pub body: Result<String, String>,
}

/// Cursor in the lists of a server.
pub(super) struct Feed {
    source: Source,
    started: bool,
    newest: Option<Uuid>,
    seen: BTreeSet<Uuid>,
    /// Deliveries without an attempt.
    waiting: BTreeSet<Uuid>,
    ready: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: Uuid,
    #[serde(flatten)]
    rest: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    source: String,
    channel_id: Option<Uuid>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    data: Value,
    created_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    event_type: String,
    state: String,
    reason: Option<String>,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    request: String,
}

impl Feed {
    /// Creates a feed that begins with its first successful look.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            started: false,
            newest: None,
            seen: BTreeSet::new(),
            waiting: BTreeSet::new(),
            ready: Vec::new(),
        }
    }

    /// Returns the messages since the last look. A look that fails loses nothing: the next one finds the same.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn poll(&mut self, server: &Server) -> Result<Vec<Message>, Fault> {
        if !self.started {
            self.demand_destination(server).await?;
            self.newest =
                self.page::<Listed>(server, vec![("limit", "1".to_owned())]).await?.data.pop().map(|one| one.id);
        }
        let fresh = self.fresh(server).await?;
        for one in &fresh {
            self.newest = self.newest.max(Some(one.id));
            self.seen.insert(one.id);
        }
        self.forget();
        if mem::replace(&mut self.started, true) {
            self.take(fresh)?;
            self.look_at_waiting(server).await?;
        }
        Ok(mem::take(&mut self.ready))
    }

    /// Fails where the destination does not exist: its list of deliveries would just be empty.
    async fn demand_destination(&self, server: &Server) -> Result<(), Fault> {
        match &self.source {
            Source::Destination(id) => server.get::<Value>(&format!("v1/destinations/{id}"), &[]).await.map(drop),
            Source::Events { .. } => Ok(()),
        }
    }

    /// Returns the unknown items, oldest first.
    async fn fresh(&self, server: &Server) -> Result<Vec<Listed>, Fault> {
        let (mut fresh, mut cursor) = (Vec::new(), None);
        loop {
            let mut query = vec![("limit", PAGE.to_owned())];
            query.extend(self.since().map(|since| ("since", timestamp(since))));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page = self.page::<Listed>(server, query).await?;
            fresh.extend(page.data.into_iter().filter(|one| !self.seen.contains(&one.id)));
            cursor = page.next_cursor;
            if cursor.is_none() {
                fresh.sort_unstable_by_key(|one| one.id);
                fresh.dedup_by_key(|one| one.id);
                return Ok(fresh);
            }
        }
    }

    async fn page<T: DeserializeOwned>(
        &self,
        server: &Server,
        mut query: Vec<(&str, String)>,
    ) -> Result<Page<T>, Fault> {
        let path = match &self.source {
            Source::Events { .. } => "v1/events",
            Source::Destination(id) => {
                query.push(("destinationId", id.to_string()));
                "v1/deliveries"
            }
        };
        server.get(path, &query).await
    }

    /// Returns the time from which on the next look reads: known ids from before are forgotten.
    fn since(&self) -> Option<Time> {
        let (secs, nanos) = self.newest?.get_timestamp()?.to_unix();
        let newest = Time::from_timestamp(i64::try_from(secs).ok()?, nanos)?;
        Some(newest - LOOK_BACK)
    }

    fn forget(&mut self) {
        if let Some(since) = self.since() {
            self.seen = self.seen.split_off(&first_id(since));
        }
    }

    fn take(&mut self, fresh: Vec<Listed>) -> Result<(), Fault> {
        for Listed { id, rest } in fresh {
            match &self.source {
                Source::Destination(_) => drop(self.waiting.insert(id)),
                Source::Events { types, sources } => {
                    let event: Event = serde_json::from_value(rest).map_err(unreadable)?;
                    if covered(types, &event.kind) && covered(sources, &event.source) {
                        self.ready.push(event.message(id));
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the deliveries that had no attempt yet.
    async fn look_at_waiting(&mut self, server: &Server) -> Result<(), Fault> {
        let ids: Vec<Uuid> = self.waiting.iter().copied().take(MOST_WAITING).collect();
        for id in ids {
            let delivery: Delivery = server.get(&format!("v1/deliveries/{id}"), &[]).await?;
            if let Some(message) = delivery.message(id) {
                self.waiting.remove(&id);
                self.ready.push(message);
            }
        }
        Ok(())
    }
}

impl Event {
    /// Returns the event as a webhook destination gets it.
    fn message(self, id: Uuid) -> Message {
        let notification = EventNotification {
            id,
            kind: &self.kind,
            timestamp: self.created_at,
            source: &self.source,
            channel_id: self.channel_id,
            attributes: self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            data: &self.data,
        };
        let body = json!(notification).to_string();
        Message { id, kind: self.kind, body: Ok(body) }
    }
}

impl Delivery {
    /// Returns the request of its last attempt, or the reason for which it has none; nothing while one is due.
    fn message(mut self, id: Uuid) -> Option<Message> {
        let body = match self.attempts.pop() {
            Some(attempt) => Ok(attempt.request),
            None if self.state == "pending" => return None,
            None => Err(format!(
                "not sent ({}): {}",
                self.state,
                self.reason.unwrap_or_else(|| "nothing was sent".to_owned())
            )),
        };
        Some(Message { id, kind: self.event_type, body })
    }
}

fn covered(globs: &[String], text: &str) -> bool {
    globs.is_empty() || globs.iter().any(|one| glob::covers_in_any_case(one, text))
}

fn unreadable(error: serde_json::Error) -> Fault {
    Fault::Refused(format!("the server's events are not those of this version: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(millis: u64, rest: u8) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(millis, &[rest; 10]).into_uuid()
    }

    #[test]
    fn known_ids_are_kept_for_as_long_as_they_are_listed() {
        let mut feed = Feed::new(Source::Destination(Uuid::nil()));
        assert_eq!(feed.since(), None);
        let ids = [id(1_795_000_000_000, 1), id(1_795_000_010_000, 2), id(1_795_000_015_001, 3)];
        feed.seen.extend(ids);
        feed.newest = Some(ids[1]);
        feed.forget();
        assert_eq!(feed.seen.len(), 3);
        feed.newest = Some(ids[2]);
        feed.forget();
        assert_eq!(feed.seen, BTreeSet::from([ids[1], ids[2]]));
        assert_eq!(feed.since(), Time::from_timestamp_millis(1_795_000_000_001));
    }

    #[test]
    fn a_delivery_waits_for_its_attempt_or_its_end() {
        let delivery = |state: &str, attempts: &[&str]| {
            let attempts: Vec<_> = attempts.iter().map(|request| json!({"request": request})).collect();
            let shown = json!({"eventType": "a.b", "state": state, "reason": "a pause", "attempts": attempts});
            serde_json::from_value::<Delivery>(shown).unwrap().message(Uuid::nil()).map(|message| message.body)
        };
        assert_eq!(delivery("pending", &[]), None);
        assert_eq!(delivery("pending", &["one", "two"]), Some(Ok("two".into())));
        assert_eq!(delivery("skipped", &[]), Some(Err("not sent (skipped): a pause".into())));
    }

    #[test]
    fn globs_are_alternatives() {
        let globs = ["order.*".to_owned(), "invoice.paid".to_owned()];
        assert!(covered(&[], "anything") && covered(&globs, "order.created") && covered(&globs, "Invoice.Paid"));
        assert!(!covered(&globs, "invoice.sent"));
    }
}
