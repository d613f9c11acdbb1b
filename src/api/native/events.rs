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
    wire::{AcceptedOut, EventIn, EventOut, List, cursor},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::pipeline::Pipeline,
    domain::{Error, page::PageRequest},
};

/// The operations.
pub struct Events;

/// An event that is accepted.
#[derive(ApiResponse)]
enum Accepted {
    /// The event and its deliveries are durable.
    #[oai(status = 202)]
    Accepted(
        Json<AcceptedOut>,
        /// `true` where it was accepted before, under the same Idempotency-Key.
        #[oai(header = "Idempotent-Replayed")]
        Option<bool>,
    ),
}

const KEY: &str = "Idempotency-Key";

/// The framework passes over a header that is not ASCII, and over a second one. A key that nobody saw would be no key,
/// and the repetition a second event.
fn demand_one_readable_key(headers: &HeaderMap) -> Result<(), Error> {
    let sent: Vec<_> = headers.get_all(KEY).iter().collect();
    match sent.as_slice() {
        [] => Ok(()),
        [key] if key.to_str().is_ok() => Ok(()),
        [_] => Err(Error::invalid(KEY, "must be printable ASCII")),
        _ => Err(Error::invalid(KEY, "must be sent once")),
    }
}

#[OpenApi(tag = "Tag::Events")]
impl Events {
    /// Send an event
    ///
    /// It is answered when the event and its deliveries are durable. With an Idempotency-Key a repetition is answered
    /// like the first request and accepted once; the key is remembered for a day.
    #[oai(path = "/v1/events", method = "post", operation_id = "sendEvent")]
    async fn send_event(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// A key of your own choice, such as a UUID, quoted or bare (draft-ietf-httpapi-idempotency-key-header).
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
    /// All of the organisation's, newest first, for callers who may manage channels.
    #[oai(path = "/v1/events", method = "get", operation_id = "listEvents")]
    async fn list_events(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<EventOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(pipeline.list_events(&caller.0, page).await?)))
    }

    /// Get an event
    ///
    /// Tells what was posted, and the deliveries that came of it.
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
