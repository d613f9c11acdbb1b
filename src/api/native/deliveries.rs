//! Deliveries and destinations.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Refused, Tag,
    wire::{DeliveryDetailOut, DeliveryOut, DestinationOut, List, ReplayAllOut, ReplayFailedIn, ReplayOut, cursor},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, word::Word},
    app::pipeline::{Pipeline, deliveries::Filter},
    domain::{page::PageRequest, pipeline::delivery::DeliveryState},
};

/// The operations.
pub struct Deliveries;

/// A delivery that is sent again.
#[derive(ApiResponse)]
enum Replayed {
    /// It is on its way again.
    #[oai(status = 202)]
    Replayed(Json<ReplayOut>),
}

/// Deliveries that are sent again.
#[derive(ApiResponse)]
enum ReplayedAll {
    /// They are on their way again.
    #[oai(status = 202)]
    Replayed(Json<ReplayAllOut>),
}

#[OpenApi(tag = "Tag::Deliveries")]
impl Deliveries {
    /// List deliveries
    ///
    /// Newest first. A delivery that was not sent says why.
    #[oai(path = "/v1/deliveries", method = "get", operation_id = "listDeliveries")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_deliveries(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Only those in this state.
        state: Query<Option<Word<DeliveryState>>>,
        /// Only those of this event.
        #[oai(name = "eventId")]
        event_id: Query<Option<Uuid>>,
        /// Only those to this destination.
        destination: Query<Option<Uuid>>,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<DeliveryOut>> {
        let filter = Filter {
            state: state.0.map(|Word(state)| state),
            event_id: event_id.0.map(Into::into),
            destination_id: destination.0.map(Into::into),
        };
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(pipeline.list_deliveries(&caller.0, filter, page).await?)))
    }

    /// Get a delivery
    ///
    /// With every try: when, where to, what was sent, what came back, how long it took.
    #[oai(path = "/v1/deliveries/:id", method = "get", operation_id = "getDelivery")]
    async fn get_delivery(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The delivery's id.
        id: Path<Uuid>,
    ) -> Answer<DeliveryDetailOut> {
        Ok(Json(pipeline.get_delivery(&caller.0, id.0.into()).await?.into()))
    }

    /// Replay a delivery
    ///
    /// Sends a finished delivery again, whatever became of it.
    #[oai(path = "/v1/deliveries/:id/replay", method = "post", operation_id = "replayDelivery")]
    async fn replay_delivery(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The delivery's id.
        id: Path<Uuid>,
    ) -> Result<Replayed, Refused> {
        Ok(Replayed::Replayed(Json(pipeline.replay_delivery(&caller.0, id.0.into()).await?.into())))
    }

    /// Replay failed deliveries
    ///
    /// Sends every failed delivery of a destination again, in their order.
    #[oai(path = "/v1/deliveries/replay", method = "post", operation_id = "replayFailedDeliveries")]
    async fn replay_failed_deliveries(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        body: Body<ReplayFailedIn>,
    ) -> Result<ReplayedAll, Refused> {
        let count = pipeline.replay_failed_deliveries(&caller.0, body.value.destination_id.into()).await?;
        Ok(ReplayedAll::Replayed(Json(ReplayAllOut { count })))
    }

    /// List destinations
    ///
    /// Where deliveries go, and whether they arrive there.
    #[oai(path = "/v1/destinations", method = "get", operation_id = "listDestinations")]
    async fn list_destinations(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<DestinationOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(pipeline.list_destinations(&caller.0, page).await?)))
    }

    /// Get a destination
    ///
    /// Tells where deliveries of one kind go. Secrets are never told.
    #[oai(path = "/v1/destinations/:id", method = "get", operation_id = "getDestination")]
    async fn get_destination(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
    ) -> Answer<DestinationOut> {
        Ok(Json(pipeline.get_destination(&caller.0, id.0.into()).await?.into()))
    }
}
