//! Export of traces, as configured. Not here: the exporter (`provider::otlp`).

use crate::{
    config::Config,
    domain::{Result, ambient::Ambient},
    provider::otlp,
    telemetry::trace::Tracer,
};

/// Starts the export of traces, if a collector is configured.
pub(super) fn tracer(config: &Config, ambient: &Ambient) -> Result<Tracer> {
    let Some(collector) = collector(config) else { return Ok(Tracer::default()) };
    Ok(Tracer::new(otlp::start(collector, ambient.clone())?))
}

/// Returns the configured collector, if there is one.
pub(super) fn collector(config: &Config) -> Option<otlp::Collector> {
    let (traces, endpoint) = (&config.traces, config.traces.endpoint()?);
    let (headers, service_name) = (traces.headers().unwrap_or_default(), traces.service_name.clone());
    Some(otlp::Collector { endpoint, headers, sample_ratio: traces.sample_ratio, service_name })
}
