//! Writes of deliveries and attempts on PostgreSQL, any number of them in one statement.

use sea_orm::{IdenStatic, Value};

use super::progress;
use crate::{
    domain::pipeline::delivery::{Attempt, Content, Delivery},
    store::kernel::arrays::{Column, Rows},
};

/// Returns the statement that inserts deliveries with the positions that they have.
pub(super) fn insert(deliveries: &[Delivery], values: &mut Vec<Value>) -> String {
    let positions = deliveries.iter().map(|one| one.seq.unwrap_or_default());
    rows(deliveries, Column::computed("seq", "NULLIF(v.seq, 0)", positions)).insert("delivery", values)
}

/// Returns the statement that inserts deliveries, the pending ones in the queues of `queued (id, last_seq)`: each with the
/// number of those of the same batch that are behind it in its queue.
pub(in crate::store::pipeline) fn enqueue(
    deliveries: &[Delivery],
    behind: &[Option<i64>],
    queued: &str,
    values: &mut Vec<Value>,
) -> String {
    let numbers = behind.iter().map(|behind| behind.unwrap_or(NOT_QUEUED));
    let seq = format!("{queued}.last_seq - NULLIF(v.seq, {NOT_QUEUED})");
    let insert = rows(deliveries, Column::computed("seq", &seq, numbers)).insert("delivery", values);
    format!("{insert} LEFT JOIN {queued} ON {queued}.id = v.destination_id")
}

/// Number of those behind a delivery that is not queued.
const NOT_QUEUED: i64 = -1;

fn rows(deliveries: &[Delivery], seq: Column) -> Rows {
    let all = || deliveries.iter();
    Rows::new([
        Column::ids("id", all().map(|one| one.id.0)),
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::ids("event_id", all().map(|one| one.event_id.0)),
        Column::ids("destination_id", all().map(|one| one.destination_id.0)),
        Column::optional_ids("route_id", all().map(|one| one.route_id.map(|id| id.0))),
        Column::texts("state", all().map(|one| one.state.as_str())),
        Column::optional_texts("reason", all().map(|one| one.reason.as_deref())),
        Column::optional_texts("content", all().map(|one| one.content.as_ref().map(Content::as_str))),
        Column::numbers("attempts", all().map(|one| one.attempts)),
        Column::optional_times("completed_at", all().map(|one| one.completed_at)),
        Column::times("created_at", all().map(|one| one.created_at)),
        seq,
    ])
}

/// Returns the statement that saves the progress of deliveries.
pub(super) fn save(deliveries: &[&Delivery], values: &mut Vec<Value>) -> String {
    let all = || deliveries.iter();
    let rows = Rows::new([
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::ids("delivery_id", all().map(|one| one.id.0)),
        Column::ids("destination_id", all().map(|one| one.destination_id.0)),
        Column::texts("state", all().map(|one| one.state.as_str())),
        Column::optional_texts("reason", all().map(|one| one.reason.as_deref())),
        Column::numbers("attempts", all().map(|one| one.attempts)),
        Column::numbers("attempts_before_replay", all().map(|_| 0_i32)),
        Column::optional_times("next_attempt_at", all().map(|one| one.next_attempt_at)),
        Column::optional_times("completed_at", all().map(|one| one.completed_at)),
        Column::optional_times("aside_at", all().map(|one| one.aside_at)),
    ]);
    let set = progress::SET.map(|column| format!("{0} = excluded.{0}", column.as_str())).join(", ");
    let insert = rows.insert("delivery_progress", values);
    format!("{insert} ON CONFLICT (organisation_id, delivery_id) DO UPDATE SET {set}")
}

/// Returns the statement that inserts attempts.
pub(in crate::store::pipeline) fn insert_attempts(attempts: &[&Attempt], values: &mut Vec<Value>) -> String {
    let all = || attempts.iter();
    let details = all().map(|one| one.detail.as_ref().map(ToString::to_string));
    let rows = Rows::new([
        Column::ids("id", all().map(|one| one.id.0)),
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::ids("delivery_id", all().map(|one| one.delivery_id.0)),
        Column::numbers("number", all().map(|one| one.number)),
        Column::texts("address", all().map(|one| one.address.as_str())),
        Column::texts("outcome", all().map(|one| one.outcome.as_str())),
        Column::optional_numbers("status_code", all().map(|one| one.status_code.map(i32::from))),
        Column::optional_texts_or_empty("reason", all().map(|one| one.reason.as_deref())),
        Column::texts("request", all().map(|one| one.request.as_str())),
        Column::optional_texts_or_empty("answer", all().map(|one| one.answer.as_deref())),
        Column::optional_texts("detail", details),
        Column::optional_ids("history_of", all().map(|one| one.history_of.map(|id| id.0))),
        Column::numbers("duration_ms", all().map(|one| super::milliseconds(one.duration))),
        Column::times("created_at", all().map(|one| one.created_at)),
    ]);
    rows.insert("attempt", values)
}
