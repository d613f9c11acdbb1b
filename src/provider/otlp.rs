//! Exporter of spans to the operator's collector: OTLP over HTTP, in Protobuf.
//!
//! Not here: the spans (`telemetry::trace`).

use std::{collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::{
    KeyValue,
    trace::{SpanId, TraceId},
};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{IdGenerator, Sampler, SdkTracerProvider},
};
use reqwest::{Client, RequestBuilder, StatusCode, header::CONTENT_TYPE};
use tokio::runtime::Handle;
use url::Url;

use super::http::{self, Limits};
use crate::domain::{Error, Result, ambient::Ambient};

/// Time limit of one export.
const EXPORT: Duration = Duration::from_secs(10);

/// Settings of the export.
#[derive(Debug)]
pub struct Collector {
    /// Base address of the collector, to which `/v1/traces` is added (OTLP/HTTP, "Endpoint URLs").
    pub endpoint: Url,
    /// Headers of each export, such as a credential.
    pub headers: HashMap<String, String>,
    /// Share of the traces that begin here and are recorded; a caller's decision is followed.
    pub sample_ratio: f64,
    /// Name of this service in traces.
    pub service_name: String,
}

impl Collector {
    /// Returns the address of exports (OTLP/HTTP, "Endpoint URLs").
    fn exports(&self) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
        url
    }

    /// Sends an export without spans. Returns the status of the answer; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up on this machine.
    pub async fn probe(&self) -> Result<Option<StatusCode>> {
        let limits = Limits::default();
        let request = http::client(&limits)?.post(self.exports()).header(CONTENT_TYPE, "application/x-protobuf");
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let (got, failure) = http::exchange(request, EXPORT, limits.max_answer_bytes).await;
        Ok(got.status.filter(|_| failure.is_none()))
    }
}

/// Starts the exporter. Its requests are made in the runtime of the caller.
///
/// # Errors
/// [`Error::Internal`] when TLS cannot be set up on this machine, or the exporter does not take the settings.
pub fn start(collector: Collector, ambient: Ambient) -> Result<SdkTracerProvider> {
    let exports = collector.exports();
    let Collector { headers, sample_ratio, service_name, .. } = collector;
    let transport = Transport { client: http::client(&Limits::default())?, runtime: Handle::current() };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(transport)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(exports)
        .with_headers(headers)
        .with_timeout(EXPORT)
        .build()
        .map_err(|error| Error::Internal(format!("the exporter of traces cannot be set up: {error}")))?;
    let resource = Resource::builder_empty()
        .with_service_name(service_name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample_ratio)));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_id_generator(Ids(ambient))
        .with_resource(resource.build())
        .build())
}

/// Identifiers from the randomness that this service is given.
struct Ids(Ambient);

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(u128::from_le_bytes(self.0.random()))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(u64::from_le_bytes(self.0.random()))
    }
}

/// HTTP client of the exporter, whose own thread has no reactor.
#[derive(Debug)]
struct Transport {
    client: Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let limits = Limits::default();
        let request = RequestBuilder::from_parts(self.client.clone(), request.try_into()?);
        let exchange = async move { http::exchange(request, EXPORT, limits.max_answer_bytes).await };
        let (got, failure) = self.runtime.spawn(exchange).await?;
        if let Some(failure) = failure {
            return Err(failure.as_str().into());
        }
        let mut response = Response::new(Bytes::from(got.body));
        *response.status_mut() = got.status.unwrap_or_default();
        *response.headers_mut() = got.headers;
        Ok(response)
    }
}
