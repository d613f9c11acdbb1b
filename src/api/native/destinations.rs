//! Destinations.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        DestinationIn, DestinationOut, DestinationPatch, DestinationSecretOut, DestinationTestOut, Limit, List,
        RetryScheduleBody, page,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::{
        pipeline::{self, Pipeline},
        routes::Routes,
        webhooks::endpoints::Endpoints,
    },
};

/// The operations.
pub struct Destinations;

/// An accepted test.
#[derive(ApiResponse)]
enum Tested {
    /// The event and its delivery are durable.
    #[oai(status = 202)]
    Tested(Json<DestinationTestOut>),
}

#[OpenApi(tag = "Tag::Deliveries")]
impl Destinations {
    /// List destinations
    ///
    /// Lists the places that deliveries are sent to, with their health.
    #[oai(path = "/v1/destinations", method = "get", operation_id = "listDestinations")]
    async fn list_destinations(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<DestinationOut>> {
        let page = self::page(limit, cursor)?;
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
        destinations: Service<'_, pipeline::destinations::Destinations>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
        body: Body<DestinationPatch>,
    ) -> Answer<DestinationOut> {
        Ok(Json(destinations.update_destination(&caller.0, id.0.into(), body.value.into()).await?.into()))
    }

    /// Create a destination
    ///
    /// Creates a destination, to which routes send events. A webhook is called by POST, signed as specified by Standard
    /// Webhooks 1.0.0; its deliveries are independent of each other and keep no order. A Slack channel has to be one that
    /// the bot is in.
    #[oai(path = "/v1/destinations", method = "post", operation_id = "createDestination")]
    async fn create_destination(
        &self,
        destinations: Service<'_, pipeline::destinations::Destinations>,
        caller: Bearer,
        body: Body<DestinationIn>,
    ) -> Result<Created<DestinationOut>, Refused> {
        let create = body.value.into_destination("")?;
        Ok(Created::Created(Json(destinations.create_destination(&caller.0, create).await?.into())))
    }

    /// Delete a destination
    ///
    /// Deletes a webhook destination to which no route sends. Its pending deliveries fail; finished ones stay.
    #[oai(path = "/v1/destinations/:id", method = "delete", operation_id = "deleteDestination")]
    async fn delete_destination(
        &self,
        routes: Service<'_, Routes>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        routes.delete_destination(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Test a destination
    ///
    /// Sends an event of the type `destination.test` to this destination, and nowhere else.
    #[oai(path = "/v1/destinations/:id/test", method = "post", operation_id = "testDestination")]
    async fn test_destination(
        &self,
        destinations: Service<'_, pipeline::destinations::Destinations>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
    ) -> Result<Tested, Refused> {
        Ok(Tested::Tested(Json(destinations.test_destination(&caller.0, id.0.into()).await?.into())))
    }

    /// Show a destination's secret
    ///
    /// Returns the secret with which the receiver of a webhook destination verifies its calls.
    #[oai(path = "/v1/destinations/:id/secret", method = "get", operation_id = "getDestinationSecret")]
    async fn get_destination_secret(
        &self,
        endpoints: Service<'_, Endpoints>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
    ) -> Answer<DestinationSecretOut> {
        Ok(Json(endpoints.get_destination_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// Replace a destination's secret
    ///
    /// Generates a new secret. For 24 hours calls are signed with the former secret too: `webhook-signature` then has two
    /// signatures, the new one first.
    #[oai(path = "/v1/destinations/:id/secret/rotate", method = "post", operation_id = "rotateDestinationSecret")]
    async fn rotate_destination_secret(
        &self,
        endpoints: Service<'_, Endpoints>,
        caller: Bearer,
        /// The destination's id.
        id: Path<Uuid>,
    ) -> Answer<DestinationSecretOut> {
        Ok(Json(endpoints.rotate_destination_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// Get a retry schedule
    ///
    /// Returns the retry schedule of the organisation; null while it has none of its own, and the service's applies.
    #[oai(path = "/v1/organisations/:id/retry-schedule", method = "get", operation_id = "getRetrySchedule")]
    async fn get_retry_schedule(
        &self,
        destinations: Service<'_, pipeline::destinations::Destinations>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
    ) -> Answer<RetryScheduleBody> {
        let retry_schedule = destinations.get_retry_schedule(&caller.0, id.0.into()).await?;
        Ok(Json(RetryScheduleBody { retry_schedule }))
    }

    /// Set a retry schedule
    ///
    /// Sets the retry schedule of the destinations of the organisation that have none of their own.
    #[oai(path = "/v1/organisations/:id/retry-schedule", method = "put", operation_id = "putRetrySchedule")]
    async fn put_retry_schedule(
        &self,
        destinations: Service<'_, pipeline::destinations::Destinations>,
        caller: Bearer,
        /// The organisation's id.
        id: Path<Uuid>,
        body: Body<RetryScheduleBody>,
    ) -> Answer<RetryScheduleBody> {
        let wanted = body.value.retry_schedule;
        let retry_schedule = destinations.put_retry_schedule(&caller.0, id.0.into(), wanted).await?;
        Ok(Json(RetryScheduleBody { retry_schedule }))
    }
}
