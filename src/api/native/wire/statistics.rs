//! Statistics of deliveries, and their retention.

use poem_openapi::Object;
use uuid::Uuid;

use crate::{
    api::shared::time::Timestamp,
    app::pipeline::{retention::RetentionPeriods, statistics::Hour},
};

/// Deliveries of one hour's events to one destination.
#[derive(Clone, Debug, Object)]
#[oai(rename = "StatisticsHour", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct HourOut {
    /// Id of the destination.
    pub destination_id: Uuid,
    /// Kind of the destination, such as `slack`.
    pub destination_kind: String,
    /// Name of the destination.
    pub destination_name: String,
    /// Beginning of the hour.
    pub hour: Timestamp,
    /// Number of delivered deliveries.
    pub delivered: u64,
    /// Number of failed deliveries.
    pub failed: u64,
    /// Number of skipped deliveries.
    pub skipped: u64,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Average time from the acceptance of an event to its delivery, in milliseconds; absent where nothing was delivered.
    pub average_latency_ms: Option<u64>,
    /// Longest such time, in milliseconds.
    pub max_latency_ms: Option<u64>,
}

/// Deliveries by destination and hour.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Statistics")]
pub struct StatisticsOut {
    /// The hours of each destination, the newest first.
    pub data: Vec<HourOut>,
}

impl From<Vec<Hour>> for StatisticsOut {
    fn from(hours: Vec<Hour>) -> Self {
        let of = |hour: Hour| HourOut {
            destination_id: hour.destination_id.0,
            destination_kind: hour.destination_kind,
            destination_name: hour.destination_name,
            hour: hour.hour.into(),
            delivered: hour.delivered,
            failed: hour.failed,
            skipped: hour.skipped,
            pending: hour.pending,
            average_latency_ms: hour.average_ms,
            max_latency_ms: hour.max_ms,
        };
        Self { data: hours.into_iter().map(of).collect() }
    }
}

/// Retention of the service.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Retention", rename_all = "camelCase")]
pub struct RetentionOut {
    /// Days for which a finished delivery is kept, with its attempts; an event is kept as long as its deliveries.
    pub delivery_days: u64,
    /// Hours for which an `Idempotency-Key` is remembered.
    pub idempotency_key_hours: u64,
}

impl From<RetentionPeriods> for RetentionOut {
    fn from(periods: RetentionPeriods) -> Self {
        Self {
            delivery_days: periods.deliveries.as_secs() / 86_400,
            idempotency_key_hours: periods.idempotency_keys.as_secs() / 3600,
        }
    }
}
