//! Events.

use poem::http::HeaderMap;
use poem_openapi::{
    ApiResponse, OpenApi, ResponseContent,
    param::{Header, Path, Query},
    payload::Json,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Answer, Refused, Tag,
    cloud_events::{self, CloudEvent, Sent},
    wire::{
        AcceptedBatchOut, AcceptedOut, BatchEventIn, EventBatchIn, EventDetailOut, EventIn, EventOut, Limit, List,
        page, period,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, time::Timestamp},
    app::pipeline::{
        Pipeline,
        events::{Filter, MOST_VIOLATIONS, Once, Submission},
    },
    domain::{
        Error,
        pipeline::{attributes, cloud_event},
        search::sought,
    },
};

/// The operations.
pub struct Events;

/// An accepted event.
#[derive(ApiResponse)]
enum Accepted {
    /// The event and its deliveries are durable.
    #[oai(status = 202)]
    Accepted(
        Json<AcceptedOut>,
        /// `true` if it was accepted before, under the same Idempotency-Key.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
}

/// Accepted events.
#[derive(ApiResponse)]
enum AcceptedBatch {
    /// The events and their deliveries are durable.
    #[oai(status = 202)]
    Accepted(Json<AcceptedBatchOut>),
}

/// An event, in the form that is asked for.
#[derive(ResponseContent)]
#[allow(clippy::large_enum_variant, reason = "one is made for an answer, and the usual form is the large one")]
enum EventForm {
    Native(Json<EventDetailOut>),
    #[oai(content_type = "application/cloudevents+json")]
    CloudEvent(Json<CloudEvent>),
}

/// A found event.
#[derive(ApiResponse)]
enum Found {
    /// An event.
    #[oai(status = 200)]
    Found(EventForm),
}

const KEY: &str = "Idempotency-Key";
const KEYED: &str = "must not be sent with a CloudEvent, whose source and id are its key";
/// Maximum number of events of a batch.
const MAX_BATCH: usize = 1000;

/// Reads a CloudEvent.
fn of_cloud_event(event: &Value) -> Result<Submission, Error> {
    let cloud_event::CloudEvent { source, id, fact } = cloud_event::read(event)?;
    Ok(Submission { fact, once: Some(Once::by_origin(&source, &id)) })
}

/// Reads a batch of CloudEvents.
fn of_cloud_events(events: &Value) -> Result<Vec<Submission>, Error> {
    let events = events.as_array().filter(|events| events.len() <= MAX_BATCH);
    let events =
        events.ok_or_else(|| Error::invalid("", format!("must be a list of at most {MAX_BATCH} CloudEvents")))?;
    let (mut submissions, mut violations) = (Vec::with_capacity(events.len()), Vec::new());
    for (index, event) in events.iter().enumerate() {
        match of_cloud_event(event) {
            Ok(submission) => submissions.push(submission),
            Err(Error::Invalid(found)) => {
                violations.extend(found.into_iter().map(|one| one.within(&format!("/{index}"))));
            }
            Err(error) => return Err(error),
        }
        if violations.len() >= MOST_VIOLATIONS {
            break;
        }
    }
    if violations.is_empty() { Ok(submissions) } else { Err(Error::Invalid(violations)) }
}

/// Refuses a key that the framework would ignore: a header that is not ASCII, or a second one. An ignored key would be
/// no key, and the repetition a second event.
fn demand_one_readable_key(headers: &HeaderMap) -> Result<(), Error> {
    let sent: Vec<_> = headers.get_all(KEY).iter().collect();
    match sent.as_slice() {
        [] => Ok(()),
        [key] if key.to_str().is_ok() => Ok(()),
        [_] => Err(Error::invalid(KEY, "must be printable ASCII")),
        _ => Err(Error::invalid(KEY, "must be sent once")),
    }
}

/// Reads `name:value`.
fn name_and_value(text: String) -> Result<(String, String), Error> {
    let parts = text.split_once(':').filter(|(name, _)| attributes::is_name(name));
    let parts = parts.map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| Error::invalid("attribute", "must be a name and a value, such as linkId:4711"))
}

#[OpenApi(tag = "Tag::Events")]
impl Events {
    /// Send an event
    ///
    /// Accepts an event. The response is sent once the event and its deliveries are durable. With an Idempotency-Key a
    /// repeated request is accepted once and gets the same response; the key is remembered for a day. A CloudEvent has
    /// its `source` and `id` as the key: one with the same is the same event. One may be sent in binary mode, too: its
    /// attributes in headers such as `ce-specversion`, and the body is its data.
    #[oai(path = "/v1/events", method = "post", operation_id = "sendEvent")]
    async fn send_event(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Idempotency key chosen by the client, such as a UUID, quoted or bare
        /// (draft-ietf-httpapi-idempotency-key-header).
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        headers: &HeaderMap,
        body: Sent<EventIn>,
    ) -> Result<Accepted, Refused> {
        demand_one_readable_key(headers)?;
        let submission = match body {
            Sent::Native(Body { value, raw }) => {
                let once = key.0.map(|key| Once::by_key(&key, &raw)).transpose()?;
                Submission { fact: value.into(), once }
            }
            Sent::CloudEvents(_) if key.0.is_some() => return Err(Error::invalid(KEY, KEYED).into()),
            Sent::CloudEvents(event) => of_cloud_event(&event)?,
        };
        let accepted = pipeline.send_event(&caller.0, submission).await?;
        Ok(Accepted::Accepted(Json(accepted.into()), accepted.repeated.then_some(true)))
    }

    /// Send a batch of events
    ///
    /// Accepts up to 1,000 events in their order. The response is sent once all of them and their deliveries are durable,
    /// and has a result for each. An invalid event refuses the whole batch. `idempotencyKey` is the Idempotency-Key of its
    /// event; where one was used with another payload (422), events before it may have been accepted: with keys, a batch
    /// can be repeated.
    #[oai(path = "/v1/events/batch", method = "post", operation_id = "sendEventBatch")]
    async fn send_event_batch(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        body: Sent<EventBatchIn>,
    ) -> Result<AcceptedBatch, Refused> {
        let (submissions, place) = match body {
            Sent::Native(body) => {
                let events = body.value.events.into_iter().map(BatchEventIn::into_submission);
                (events.collect::<Result<_, _>>()?, "/events")
            }
            Sent::CloudEvents(events) => (of_cloud_events(&events)?, ""),
        };
        let accepted = pipeline.send_events(&caller.0, submissions, place).await?;
        Ok(AcceptedBatch::Accepted(Json(accepted.into())))
    }

    /// List events
    ///
    /// Lists all events of the organisation, newest first. The caller has to have the permission to manage channels. With
    /// `type`, `source` or `attribute` a page looks at the next 10,000 events: it may be short, or empty, and have a
    /// `nextCursor`.
    #[oai(path = "/v1/events", method = "get", operation_id = "listEvents")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_events(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Only events whose type matches this glob, in which `*` stands for any characters, such as `order.*`.
        #[oai(name = "type")]
        kind: Query<Option<String>>,
        /// Only events of this source, such as `api`.
        source: Query<Option<String>>,
        /// Only events that were posted to this channel.
        #[oai(name = "channelId")]
        channel_id: Query<Option<Uuid>>,
        /// Only events with this attribute, as `name:value`.
        attribute: Query<Option<String>>,
        /// Only events that were accepted at this time or later.
        since: Query<Option<Timestamp>>,
        /// Only events that were accepted before this time.
        until: Query<Option<Timestamp>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<EventOut>> {
        let filter = Filter {
            kind: sought("type", kind.0)?,
            source: sought("source", source.0)?,
            channel_id: channel_id.0.map(Into::into),
            attribute: attribute.0.map(name_and_value).transpose()?,
            period: period(since, until)?,
        };
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(pipeline.list_events(&caller.0, &filter, page).await?)))
    }

    /// Get an event
    ///
    /// Returns the event as it was posted, with the decision of each route, filter, webhook and app that concerns it; with
    /// `Accept: application/cloudevents+json` as a CloudEvent.
    #[oai(path = "/v1/events/:id", method = "get", operation_id = "getEvent")]
    async fn get_event(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The event's id.
        id: Path<Uuid>,
        headers: &HeaderMap,
    ) -> Result<Found, Refused> {
        if cloud_events::is_accepted(headers) {
            let event = pipeline.get_event(&caller.0, id.0.into()).await?;
            return Ok(Found::Found(EventForm::CloudEvent(Json(CloudEvent(pipeline.cloud_event(&event))))));
        }
        let decided = pipeline.get_event_with_decisions(&caller.0, id.0.into()).await?;
        Ok(Found::Found(EventForm::Native(Json(decided.into()))))
    }
}
