//! Liveness, readiness and metrics, for operators.

use poem::{
    IntoResponse, Response,
    http::{HeaderMap, header::ACCEPT},
};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::Json,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
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

/// The metrics, in one of two formats. Written out, because the framework publishes one media type for a status.
struct Metrics(Exposition, String);

impl ApiResponse for Metrics {
    fn meta() -> MetaResponses {
        let media = |content_type| MetaMediaType { content_type, schema: String::schema_ref() };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The metrics.",
                status: Some(200),
                status_range: None,
                headers: Vec::new(),
                content: vec![media("text/plain"), media("application/openmetrics-text")],
            }],
        }
    }

    fn register(_: &mut Registry) {}
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        let media = match self.0 {
            Exposition::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Exposition::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        };
        self.1.with_content_type(media).into_response()
    }
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
        let format = match wanted.into_iter().any(|accepted| accepted.contains("application/openmetrics-text")) {
            true => Exposition::OpenMetrics,
            false => Exposition::Prometheus,
        };
        Ok(Metrics(format, pipeline.read_metrics(format).await?))
    }
}
