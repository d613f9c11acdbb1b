//! Whether the service lives and works, for those who run it.

use poem_openapi::{
    Object, OpenApi,
    payload::{Json, PlainText},
};

use super::{Answer, Refused, Tag};
use crate::{api::shared::services::Service, app::pipeline::Pipeline};

/// The operations. They need no caller.
pub struct Health;

/// A sign of life.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Health")]
struct HealthOut {
    /// `ok`.
    status: String,
}

fn ok() -> Json<HealthOut> {
    Json(HealthOut { status: "ok".to_owned() })
}

#[OpenApi(tag = "Tag::Health")]
impl Health {
    /// Liveness
    ///
    /// The process answers.
    #[oai(path = "/healthz", method = "get", operation_id = "checkLiveness")]
    async fn check_liveness(&self) -> Answer<HealthOut> {
        Ok(ok())
    }

    /// Readiness
    ///
    /// The database answers too: requests can be served.
    #[oai(path = "/readyz", method = "get", operation_id = "checkReadiness")]
    async fn check_readiness(&self, pipeline: Service<'_, Pipeline>) -> Answer<HealthOut> {
        pipeline.check_readiness().await?;
        Ok(ok())
    }

    /// Metrics
    ///
    /// Counters and histograms for Prometheus.
    #[oai(path = "/metrics", method = "get", operation_id = "readMetrics")]
    async fn read_metrics(&self, pipeline: Service<'_, Pipeline>) -> Result<PlainText<String>, Refused> {
        Ok(PlainText(pipeline.read_metrics().await?))
    }
}
