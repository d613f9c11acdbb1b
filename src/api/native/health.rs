//! Liveness, readiness and metrics, for operators.

use poem_openapi::{
    Object, OpenApi,
    payload::{Json, PlainText},
};

use super::{Answer, Refused, Tag};
use crate::{api::shared::services::Service, app::pipeline::Pipeline};

/// The operations. They need no authentication.
pub struct Health;

/// State of the service.
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
    /// Check liveness
    ///
    /// Succeeds if the process answers.
    #[oai(path = "/healthz", method = "get", operation_id = "checkLiveness")]
    async fn check_liveness(&self) -> Answer<HealthOut> {
        Ok(ok())
    }

    /// Check readiness
    ///
    /// Succeeds if the database answers too, so that requests can be served.
    #[oai(path = "/readyz", method = "get", operation_id = "checkReadiness")]
    async fn check_readiness(&self, pipeline: Service<'_, Pipeline>) -> Answer<HealthOut> {
        pipeline.check_readiness().await?;
        Ok(ok())
    }

    /// Read the metrics
    ///
    /// Returns counters and histograms in Prometheus' format.
    #[oai(path = "/metrics", method = "get", operation_id = "readMetrics")]
    async fn read_metrics(&self, pipeline: Service<'_, Pipeline>) -> Result<PlainText<String>, Refused> {
        Ok(PlainText(pipeline.read_metrics().await?))
    }
}
