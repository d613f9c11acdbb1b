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
    wire::{AcceptedOut, EventIn, EventOut, Limit, List, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::pipeline::Pipeline,
    domain::Error,
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
    /// Lists all events of the organisation, newest first. The caller has to have the permission to manage channels.
    #[oai(path = "/v1/events", method = "get", operation_id = "listEvents")]
    async fn list_events(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<EventOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(pipeline.list_events(&caller.0, page).await?)))
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
