//! Deliveries and destinations.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Refused, Tag,
    wire::{
        DeliveryDetailOut, DeliveryOut, DestinationOut, DestinationPatch, List, ReplayAllOut, ReplayFailedIn,
        ReplayOut, cursor,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, word::Word},
    app::pipeline::{Pipeline, deliveries::Filter, replays::Replays},
    domain::{page::PageRequest, pipeline::delivery::DeliveryState},
};

/// The operations.
pub struct Deliveries;

/// A replayed delivery.
#[derive(ApiResponse)]
enum Replayed {
    /// The delivery is queued again.
    #[oai(status = 202)]
    Replayed(Json<ReplayOut>),
}

/// Replayed deliveries.
#[derive(ApiResponse)]
enum ReplayedAll {
    /// The deliveries are queued again.
    #[oai(status = 202)]
    Replayed(Json<ReplayAllOut>),
}

#[OpenApi(tag = "Tag::Deliveries")]
impl Deliveries {
    /// List deliveries
    ///
    /// Lists deliveries, newest first. A delivery that was not sent has the reason.
    #[oai(path = "/v1/deliveries", method = "get", operation_id = "listDeliveries")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_deliveries(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Only deliveries in this state.
        state: Query<Option<Word<DeliveryState>>>,
        /// Only deliveries of this event.
        #[oai(name = "eventId")]
        event_id: Query<Option<Uuid>>,
        /// Only deliveries to this destination.
        destination: Query<Option<Uuid>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<u32>>,
        /// The `nextCursor` of the previous page.
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
    /// Returns the delivery with every attempt: its time, address, request, response and duration.
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
    /// Sends a finished delivery again, whether it was delivered, skipped or failed.
    #[oai(path = "/v1/deliveries/:id/replay", method = "post", operation_id = "replayDelivery")]
    async fn replay_delivery(
        &self,
        replays: Service<'_, Replays>,
        caller: Bearer,
        /// The delivery's id.
        id: Path<Uuid>,
    ) -> Result<Replayed, Refused> {
        Ok(Replayed::Replayed(Json(replays.replay_delivery(&caller.0, id.0.into()).await?.into())))
    }

    /// Replay failed deliveries
    ///
    /// Sends every failed delivery of a destination again, in the original order.
    #[oai(path = "/v1/deliveries/replay", method = "post", operation_id = "replayFailedDeliveries")]
    async fn replay_failed_deliveries(
        &self,
        replays: Service<'_, Replays>,
        caller: Bearer,
        body: Body<ReplayFailedIn>,
    ) -> Result<ReplayedAll, Refused> {
        let count = replays.replay_failed_deliveries(&caller.0, body.value.destination_id.into()).await?;
        Ok(ReplayedAll::Replayed(Json(ReplayAllOut { count })))
    }

    /// List destinations
    ///
    /// Lists the places that deliveries are sent to, with their health.
    #[oai(path = "/v1/destinations", method = "get", operation_id = "listDestinations")]
    async fn list_destinations(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<u32>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<DestinationOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(pipeline.list_destinations(&caller.0, page).await?)))
    }

    /// Get a destination
    ///
    /// Returns one destination with its health. Secrets are never returned.
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

    /// Change a destination
    ///
    /// Changes the retry schedule of a destination, or enables or disables it. Fields that are absent from the request
    /// stay unchanged. Enabling ends its failures; what failed can be replayed. Disabling fails its pending deliveries.
    #[oai(path = "/v1/destinations/:id", method = "patch", operation_id = "updateDestination")]
    async fn update_destination(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
        body: Body<DestinationPatch>,
    ) -> Answer<DestinationOut> {
        Ok(Json(pipeline.update_destination(&caller.0, id.0.into(), body.value.into()).await?.into()))
    }
}
