//! Deliveries.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Refused, Tag,
    wire::{DeliveryDetailOut, DeliveryOut, Limit, List, ReplayAllOut, ReplayFailedIn, ReplayOut, page, period},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, time::Timestamp, word::Word},
    app::pipeline::{Pipeline, deliveries::Filter, replays::Replays},
    domain::{
        pipeline::delivery::DeliveryState,
        search::{Period, sought},
    },
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
    /// The deliveries that would be queued again, with `dryRun`.
    #[oai(status = 200)]
    Counted(Json<ReplayAllOut>),
}

#[OpenApi(tag = "Tag::Deliveries")]
impl Deliveries {
    /// List deliveries
    ///
    /// Lists deliveries, newest first. A delivery that was not sent has the reason. Where no index serves the filters, as
    /// with `type` and `text`, a page looks at the next 10,000 deliveries: it may be short, or empty, and have a
    /// `nextCursor`.
    #[oai(path = "/v1/deliveries", method = "get", operation_id = "listDeliveries")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_deliveries(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Only deliveries in this state.
        state: Query<Option<Word<DeliveryState>>>,
        /// Only deliveries of events whose type matches this glob, in which `*` stands for any characters, such as
        /// `order.*`.
        #[oai(name = "type")]
        event_type: Query<Option<String>>,
        /// Only deliveries of this event.
        #[oai(name = "eventId")]
        event_id: Query<Option<Uuid>>,
        /// Only deliveries to this destination.
        #[oai(name = "destinationId")]
        destination_id: Query<Option<Uuid>>,
        /// Only deliveries with this text in their reason or in the type of their event, in any case.
        text: Query<Option<String>>,
        /// Only deliveries of events that were accepted at this time or later.
        since: Query<Option<Timestamp>>,
        /// Only deliveries of events that were accepted before this time.
        until: Query<Option<Timestamp>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<DeliveryOut>> {
        let filter = Filter {
            state: state.0.map(|Word(state)| state),
            event_type: sought("type", event_type.0)?,
            event_id: event_id.0.map(Into::into),
            destination_id: destination_id.0.map(Into::into),
            text: sought("text", text.0)?,
            period: period(since, until)?,
        };
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(pipeline.list_deliveries(&caller.0, &filter, page).await?)))
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
    /// Sends every failed delivery of a destination again, in the original order; of a period, those of events that were
    /// accepted in it. With `dryRun` they are counted, and nothing is sent.
    #[oai(path = "/v1/deliveries/replay", method = "post", operation_id = "replayFailedDeliveries")]
    async fn replay_failed_deliveries(
        &self,
        replays: Service<'_, Replays>,
        caller: Bearer,
        body: Body<ReplayFailedIn>,
    ) -> Result<ReplayedAll, Refused> {
        let ReplayFailedIn { destination_id, since, until, dry_run } = body.value;
        let (id, period) = (destination_id.into(), Period::new(since.map(Into::into), until.map(Into::into))?);
        if dry_run == Some(true) {
            let count = replays.count_failed_deliveries(&caller.0, id, period).await?;
            return Ok(ReplayedAll::Counted(Json(ReplayAllOut { count })));
        }
        let count = replays.replay_failed_deliveries(&caller.0, id, period).await?;
        Ok(ReplayedAll::Replayed(Json(ReplayAllOut { count })))
    }
}
