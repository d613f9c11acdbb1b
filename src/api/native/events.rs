//! Events.

use poem::http::HeaderMap;
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Refused, Tag,
    wire::{AcceptedOut, EventIn, EventOut, Limit, List, page, period},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, time::Timestamp},
    app::pipeline::{Pipeline, events::Filter},
    domain::{Error, pipeline::attributes, search::sought},
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

const KEY: &str = "Idempotency-Key";

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
    /// repeated request is accepted once and gets the same response; the key is remembered for a day.
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
        body: Body<EventIn>,
    ) -> Result<Accepted, Refused> {
        demand_one_readable_key(headers)?;
        let Body { value, raw } = body;
        let accepted = pipeline.send_event(&caller.0, value.into(), key.0.as_deref(), &raw).await?;
        Ok(Accepted::Accepted(Json(accepted.into()), accepted.repeated.then_some(true)))
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
    /// Returns the event as it was posted, and its deliveries.
    #[oai(path = "/v1/events/:id", method = "get", operation_id = "getEvent")]
    async fn get_event(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The event's id.
        id: Path<Uuid>,
    ) -> Answer<EventOut> {
        Ok(Json(pipeline.get_event(&caller.0, id.0.into()).await?.into()))
    }
}
