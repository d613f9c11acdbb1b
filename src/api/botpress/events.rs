//! Events that the code of an installed version sends.

use poem_openapi::{OpenApi, param::Header, payload::Json};

use super::{
    Answer, Tag,
    auth::Emitter,
    wire::{EventAnswer, EventIn},
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::registry::Registry,
};

/// The operations.
pub struct Events;

#[OpenApi(tag = "Tag::Events")]
impl Events {
    /// Send an event of an installed version
    ///
    /// The caller is the version's own code, with a key of the version. The event has to be one that the version
    /// declares, and its payload valid by the declared schema. It is accepted in the organisation that installed the
    /// version, as an event of the type `app.<integration>.<event>`; the response is sent once the event and its
    /// deliveries are durable.
    #[oai(path = "/v1/chat/events", method = "post", operation_id = "createEvent")]
    async fn create_event(
        &self,
        registry: Service<'_, Registry>,
        /// The installation: the `x-bot-id` of the calls that it gets. Needed where the version has several.
        #[oai(name = "x-bot-id")]
        emitter: Emitter,
        /// The version: the `x-integration-id` of the calls. It has to be that of the key.
        #[oai(name = "x-integration-id")]
        _version: Header<Option<String>>,
        body: Body<EventIn>,
    ) -> Answer<EventAnswer> {
        let event = body.value;
        let accepted = registry.create_event(&emitter.0, event.clone().into()).await?;
        Ok(Json(EventAnswer { event: event.accepted(&accepted) }))
    }
}
