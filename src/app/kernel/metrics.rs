//! Counters, gauges and histograms of the process, exposed as OpenMetrics text (version 1.0.0) or in Prometheus' text
//! format (version 0.0.4).
//!
//! Not here: the endpoint that serves them (`api`).

mod process;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

use self::process::Process;
use crate::domain::{Error, Result, ambient::Time};

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

/// State of the connections to the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Facts about the database at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Number of pending deliveries.
    pub waiting: u64,
    /// Time for which the delivery that is due longest waits for a worker; zero where none does.
    pub oldest_due: Duration,
    /// Number of destinations that are failing.
    pub failing: u64,
    /// Number of destinations that are disabled.
    pub disabled: u64,
    /// Numbers of connections that are idle, and in use.
    pub connections: (usize, usize),
    /// Number of statements that wait for a connection.
    pub connection_waits: usize,
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
    oldest_due_seconds: Gauge<f64, AtomicU64>,
    unhealthy: Family<HealthLabels, Gauge>,
    database_connections: Family<StateLabels, Gauge>,
    database_up: Gauge,
    commit_events: Histogram,
    in_flight: Family<ClassLabels, Gauge>,
    connections: Gauge,
    connections_closed: Family<ReasonLabels, Counter>,
    exhausted: Family<KindLabels, Counter>,
    health_changes: Family<HealthLabels, Counter>,
    leased: Gauge,
    heartbeat_seconds: Gauge<f64, AtomicU64>,
    script_runs: Family<OutcomeLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut root = Registry::default();
        root.register_collector(Box::new(Process));
        let registry = root.sub_registry_with_prefix("tieline");
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
            oldest_due_seconds: Gauge::default(),
            unhealthy: Family::default(),
            database_connections: Family::default(),
            database_up: Gauge::default(),
            commit_events: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            in_flight: Family::default(),
            connections: Gauge::default(),
            connections_closed: Family::default(),
            exhausted: Family::default(),
            health_changes: Family::default(),
            leased: Gauge::default(),
            heartbeat_seconds: Gauge::default(),
            script_runs: Family::default(),
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
        metrics.register_more(registry);
        Self { registry: Arc::new(root), ..metrics }
    }
}

impl Metrics {
    /// Registers the metrics of the build, the database and the destinations, and begins the counters whose labels are
    /// known: an increase from nothing is seen only where there was a zero.
    fn register_more(&self, registry: &mut Registry) {
        for outcome in ["delivered", "skipped", "failed"] {
            drop(self.deliveries.get_or_create(&OutcomeLabels { outcome }));
        }
        for outcome in ["accepted", "repeated"] {
            drop(self.events.get_or_create(&OutcomeLabels { outcome }));
        }
        for outcome in ["ended", "failed", "busy"] {
            drop(self.script_runs.get_or_create(&OutcomeLabels { outcome }));
        }
        for health in ["healthy", "failing", "disabled"] {
            drop(self.health_changes.get_or_create(&HealthLabels { health }));
        }
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of this program", build);
        let help = "Time for which the delivery that is due longest waits for a worker";
        registry.register("deliveries_oldest_due_seconds", help, self.oldest_due_seconds.clone());
        let help = "Destinations with a problem, by their health: failing or disabled";
        registry.register("destinations_unhealthy", help, self.unhealthy.clone());
        let help =
            "Connections of this process to the database that are idle or in use, and statements that wait for one";
        registry.register("database_connections", help, self.database_connections.clone());
        registry.register("database_up", "1 if the database answered this request, else 0", self.database_up.clone());
        let help = "Destinations whose lease this process holds";
        registry.register("destinations_leased", help, self.leased.clone());
        let help = "Time at which the dispatcher of this process last looked for work; 0 where it has none";
        registry.register("dispatcher_heartbeat_timestamp_seconds", help, self.heartbeat_seconds.clone());
        let help = "Runs of scripts, by outcome: ended, failed (by the script's fault), or busy (no free process)";
        registry.register("script_runs", help, self.script_runs.clone());
        let help = "Events that were committed together";
        registry.register("group_commit_events", help, self.commit_events.clone());
    }

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

    /// Observes how many events one commit has.
    pub fn commit(&self, events: usize) {
        self.commit_events.observe(u32::try_from(events).map_or(f64::INFINITY, f64::from));
    }

    /// Sets the gauges of what the database knows; `None` where it does not answer.
    pub fn database(&self, facts: Option<&DatabaseFacts>) {
        self.database_up.set(i64::from(facts.is_some()));
        let Some(facts) = facts else { return };
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.waiting.set(whole(facts.waiting));
        self.oldest_due_seconds.set(facts.oldest_due.as_secs_f64());
        for (health, count) in [("failing", facts.failing), ("disabled", facts.disabled)] {
            self.unhealthy.get_or_create(&HealthLabels { health }).set(whole(count));
        }
        let (idle, used) = facts.connections;
        for (state, count) in [("idle", idle), ("used", used), ("waited_for", facts.connection_waits)] {
            self.database_connections.get_or_create(&StateLabels { state }).set(whole(count as u64));
        }
    }

    /// Sets the number of deliveries in flight, by the class of their destination.
    pub fn in_flight(&self, normal: usize, slow: usize) {
        for (class, count) in [("normal", normal), ("slow", slow)] {
            let gauge = self.in_flight.get_or_create(&ClassLabels { class });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Changes the number of destinations whose lease this process holds.
    pub fn leased(&self, change: i64) {
        self.leased.inc_by(change);
    }

    /// Notes that the dispatcher looks for work.
    pub fn heartbeat(&self, now: Time) {
        self.heartbeat_seconds.set((now - Time::UNIX_EPOCH).as_seconds_f64());
    }

    /// Counts a run of a script that `ended`, `failed`, or found no free process (`busy`).
    pub fn script_run(&self, outcome: &'static str) {
        self.script_runs.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Changes the number of open connections.
    pub fn connections(&self, change: i64) {
        self.connections.inc_by(change);
    }

    /// Counts a connection that was closed or refused because of a bound or a deadline.
    pub fn connection_closed(&self, reason: &'static str) {
        self.connections_closed.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Returns all metrics as text of a format.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be encoded.
    pub fn text(&self, format: Exposition) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(match format {
            Exposition::OpenMetrics => text,
            Exposition::Prometheus => prometheus(&text),
        })
    }
}

/// Format of an exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
    /// Prometheus' text format, version 0.0.4.
    Prometheus,
}

/// Converts OpenMetrics text: a family of counters has the name of its samples, and there are no units, no infos and no
/// mark of the end.
fn prometheus(text: &str) -> String {
    let kind = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        let (suffix, kind) = match kind {
            "counter" => ("_total", "counter"),
            "info" => ("_info", "gauge"),
            other => ("", other),
        };
        Some((name.to_owned(), (suffix, kind.to_owned())))
    };
    let kinds: HashMap<String, (&str, String)> = text.lines().filter_map(kind).collect();
    let convert = |line: &str| {
        let described = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        let Some((word, (name, rest))) = described.and_then(|(word, rest)| Some((word, rest.split_once(' ')?))) else {
            return (line != "# EOF").then(|| format!("{line}\n"));
        };
        let (suffix, kind) = kinds.get(name)?;
        match word {
            "HELP" => Some(format!("# HELP {name}{suffix} {rest}\n")),
            "TYPE" => Some(format!("# TYPE {name}{suffix} {kind}\n")),
            _ => None,
        }
    };
    text.lines().filter_map(convert).collect()
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
        let text = metrics.text(Exposition::OpenMetrics).unwrap();
        assert!(
            text.contains(r#"tieline_http_requests_total{dialect="native",method="GET",status="200"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"tieline_deliveries_total{outcome="delivered"} 1"#), "{text}");
        assert!(text.contains(r#"tieline_deliveries_in_flight{class="slow"} 1"#), "{text}");
        assert!(text.contains("tieline_build_info{version=") && text.contains("process_start_time_seconds "), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_same_metrics_are_told_in_prometheus_format() {
        let metrics = Metrics::default();
        metrics.delivery("delivered");
        metrics.commit(3);
        metrics.database(Some(&DatabaseFacts { failing: 2, ..DatabaseFacts::default() }));
        metrics.database(None);
        let text = metrics.text(Exposition::Prometheus).unwrap();
        for line in [
            "# TYPE tieline_deliveries_total counter",
            "# HELP tieline_deliveries_total Deliveries, by outcome.",
            r#"tieline_deliveries_total{outcome="delivered"} 1"#,
            "# TYPE tieline_build_info gauge",
            "# TYPE process_cpu_seconds_total counter",
            "# TYPE process_resident_memory_bytes gauge",
            r#"tieline_destinations_unhealthy{health="failing"} 2"#,
            "tieline_database_up 0",
            r#"tieline_deliveries_total{outcome="failed"} 0"#,
            "tieline_group_commit_events_count 1",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}: {text}");
        }
        assert!(!text.contains("# UNIT") && !text.contains("# EOF"), "{text}");
    }
}
