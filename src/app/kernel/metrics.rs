//! Counters, gauges and histograms of the process, exposed in the Prometheus format (OpenMetrics text, version 1.0.0).
//!
//! Not here: the endpoint that serves them (`api`).

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::domain::{Error, Result};

/// Labels of an answered HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    dialect: &'static str,
    method: String,
    status: u16,
}

/// Outcome of an event, a delivery or an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// Reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Dialect that answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialectLabels {
    dialect: &'static str,
}

/// Class of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

/// Kind of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

/// Health of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HealthLabels {
    health: &'static str,
}

/// All metrics of the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<DialectLabels, Histogram>,
    refusals: Family<ReasonLabels, Counter>,
    events: Family<OutcomeLabels, Counter>,
    deliveries: Family<OutcomeLabels, Counter>,
    handed_over: Counter,
    attempts: Family<OutcomeLabels, Counter>,
    attempt_seconds: Histogram,
    latency_seconds: Histogram,
    waiting: Gauge,
    in_flight: Family<ClassLabels, Gauge>,
    connections: Gauge,
    connections_closed: Family<ReasonLabels, Counter>,
    exhausted: Family<KindLabels, Counter>,
    health_changes: Family<HealthLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tieline");
        let seconds = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            refusals: Family::default(),
            events: Family::default(),
            deliveries: Family::default(),
            handed_over: Counter::default(),
            attempts: Family::default(),
            attempt_seconds: seconds(),
            latency_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 22)),
            waiting: Gauge::default(),
            in_flight: Family::default(),
            connections: Gauge::default(),
            connections_closed: Family::default(),
            exhausted: Family::default(),
            health_changes: Family::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_seconds", "Time to answer a request", metrics.request_seconds.clone());
        let help = "Requests refused because something ran out, by reason";
        registry.register("http_refusals", help, metrics.refusals.clone());
        registry.register("events", "Events taken in, by outcome: accepted or repeated", metrics.events.clone());
        registry.register("deliveries", "Deliveries, by outcome", metrics.deliveries.clone());
        let help = "Deliveries that went from their acceptance to the dispatcher of this process, without a claim";
        registry.register("deliveries_handed_over", help, metrics.handed_over.clone());
        registry.register("attempts", "Tries to deliver, by outcome", metrics.attempts.clone());
        registry.register("attempt_seconds", "Time that one try takes", metrics.attempt_seconds.clone());
        registry.register("delivery_latency_seconds", "From accepted to delivered", metrics.latency_seconds.clone());
        registry.register("deliveries_waiting", "Deliveries that are pending", metrics.waiting.clone());
        let in_flight = "Deliveries in flight in this process, by the class of their destination: normal or slow";
        registry.register("deliveries_in_flight", in_flight, metrics.in_flight.clone());
        registry.register("http_connections", "Open connections of clients", metrics.connections.clone());
        registry.register(
            "http_connections_closed",
            "Connections closed or refused by the server, by the bound or deadline that was reached",
            metrics.connections_closed.clone(),
        );
        let exhausted = "Deliveries that failed and are not retried, by the kind of their destination";
        registry.register("deliveries_exhausted", exhausted, metrics.exhausted.clone());
        let changes = "Changes of the health of destinations by outcomes, by the new health";
        registry.register("destination_health_changes", changes, metrics.health_changes.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// Counts an answered request and its duration.
    pub fn request(&self, dialect: &'static str, method: &str, status: u16, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { dialect, method: method.to_owned(), status }).inc();
        self.request_seconds.get_or_create(&DialectLabels { dialect }).observe(duration.as_secs_f64());
    }

    /// Counts a request that was refused because a resource ran out.
    pub fn refusal(&self, reason: &'static str) {
        self.refusals.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Counts events that the intake `accepted`, or that were `repeated` under a known idempotency key.
    pub fn events(&self, outcome: &'static str, count: u64) {
        self.events.get_or_create(&OutcomeLabels { outcome }).inc_by(count);
    }

    /// Counts a delivery that ended, or that was created in a final state.
    pub fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts an exhausted delivery, by the kind of its destination.
    pub fn exhausted(&self, kind: &str) {
        self.exhausted.get_or_create(&KindLabels { kind: kind.to_owned() }).inc();
    }

    /// Counts a change of health, by the new one.
    pub fn health_change(&self, health: &'static str) {
        self.health_changes.get_or_create(&HealthLabels { health }).inc();
    }

    /// Counts an attempt and its duration.
    pub fn attempt(&self, outcome: &'static str, duration: Duration) {
        self.attempts.get_or_create(&OutcomeLabels { outcome }).inc();
        self.attempt_seconds.observe(duration.as_secs_f64());
    }

    /// Counts deliveries that were handed over in memory.
    pub fn handed_over(&self, count: usize) {
        self.handed_over.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Observes the time between the acceptance of an event and its delivery.
    pub fn latency(&self, duration: Duration) {
        self.latency_seconds.observe(duration.as_secs_f64());
    }

    /// Sets the number of pending deliveries.
    pub fn waiting(&self, count: u64) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets the number of deliveries in flight, by the class of their destination.
    pub fn in_flight(&self, normal: usize, slow: usize) {
        for (class, count) in [("normal", normal), ("slow", slow)] {
            let gauge = self.in_flight.get_or_create(&ClassLabels { class });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Changes the number of open connections.
    pub fn connections(&self, change: i64) {
        self.connections.inc_by(change);
    }

    /// Counts a connection that was closed or refused because of a bound or a deadline.
    pub fn connection_closed(&self, reason: &'static str) {
        self.connections_closed.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Returns all metrics as OpenMetrics text.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be encoded.
    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_encoded_as_open_metrics_text() {
        let metrics = Metrics::default();
        metrics.request("native", "GET", 200, Duration::from_millis(3));
        metrics.delivery("delivered");
        metrics.in_flight(3, 1);
        let text = metrics.text().unwrap();
        assert!(
            text.contains(r#"tieline_http_requests_total{dialect="native",method="GET",status="200"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"tieline_deliveries_total{outcome="delivered"} 1"#), "{text}");
        assert!(text.contains(r#"tieline_deliveries_in_flight{class="slow"} 1"#), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
