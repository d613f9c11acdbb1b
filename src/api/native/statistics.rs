//! Statistics of deliveries, and their retention.

use poem_openapi::{OpenApi, param::Query, payload::Json};
use uuid::Uuid;

use super::{
    Answer, Tag,
    wire::{RetentionOut, StatisticsOut},
};
use crate::{
    api::shared::{auth::Bearer, services::Service, time::Timestamp},
    app::pipeline::Pipeline,
};

/// The operations.
pub struct Statistics;

#[OpenApi(tag = "Tag::Deliveries")]
impl Statistics {
    /// Get statistics
    ///
    /// Counts the deliveries of each destination by hour, the newest hour first: those of the events that were accepted in
    /// that hour, in UTC, by their present state. A period has at most 31 days, and an answer at most 10,000 rows; an hour
    /// without deliveries is left out.
    #[oai(path = "/v1/statistics", method = "get", operation_id = "getStatistics")]
    async fn get_statistics(
        &self,
        pipeline: Service<'_, Pipeline>,
        caller: Bearer,
        /// Only events that were accepted at this time or later; by default a day before `until`.
        since: Query<Option<Timestamp>>,
        /// Only events that were accepted before this time; by default until now.
        until: Query<Option<Timestamp>>,
        /// Only deliveries to this destination.
        #[oai(name = "destinationId")]
        destination_id: Query<Option<Uuid>>,
    ) -> Answer<StatisticsOut> {
        let period = (since.0.map(Into::into), until.0.map(Into::into));
        Ok(Json(pipeline.get_statistics(&caller.0, destination_id.0.map(Into::into), period).await?.into()))
    }

    /// Get the retention
    ///
    /// Returns how long deliveries and idempotency keys are kept. The operator of the service sets it.
    #[oai(path = "/v1/retention", method = "get", operation_id = "getRetention")]
    async fn get_retention(&self, pipeline: Service<'_, Pipeline>, caller: Bearer) -> Answer<RetentionOut> {
        Ok(Json(pipeline.get_retention(&caller.0)?.into()))
    }
}
