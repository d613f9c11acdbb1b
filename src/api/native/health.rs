//! Liveness, readiness and metrics, for operators.

use poem::http::{HeaderMap, header::ACCEPT};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::{Json, PlainText},
};

use super::{Answer, Refused, Tag};
use crate::{
    api::shared::services::Service,
    app::{kernel::metrics::Exposition, pipeline::Pipeline},
};

/// The operations. They need no authentication.
pub struct Health;

/// State of the service.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Health")]
struct HealthOut {
    /// `ok`.
    status: String,
}

/// The metrics.
#[derive(ApiResponse)]
enum Metrics {
    /// The metrics.
    #[oai(status = 200, content_type = "text/plain; version=0.0.4; charset=utf-8")]
    Prometheus(PlainText<String>),
    /// The metrics.
    #[oai(status = 200, content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    Open(PlainText<String>),
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
    /// Returns counters, gauges and histograms of this process: as OpenMetrics text where `Accept` names it, as Prometheus
    /// does, and otherwise in Prometheus' text format.
    #[oai(path = "/metrics", method = "get", operation_id = "readMetrics")]
    async fn read_metrics(&self, pipeline: Service<'_, Pipeline>, headers: &HeaderMap) -> Result<Metrics, Refused> {
        let wanted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Ok(match wanted.into_iter().any(|accepted| accepted.contains("application/openmetrics-text")) {
            true => Metrics::Open(PlainText(pipeline.read_metrics(Exposition::OpenMetrics).await?)),
            false => Metrics::Prometheus(PlainText(pipeline.read_metrics(Exposition::Prometheus).await?)),
        })
    }
}
