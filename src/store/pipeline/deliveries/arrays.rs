//! Writes of deliveries and attempts on PostgreSQL, any number of them in one statement.

use sea_orm::Value;

use crate::{
    domain::pipeline::delivery::{Attempt, Content, Delivery},
    store::kernel::arrays::{Column, Rows},
};

/// Returns the statement that inserts deliveries.
pub(in crate::store::pipeline) fn insert(deliveries: &[Delivery], values: &mut Vec<Value>) -> String {
    let all = || deliveries.iter();
    let rows = Rows::new([
        Column::ids("id", all().map(|one| one.id.0)),
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::ids("event_id", all().map(|one| one.event_id.0)),
        Column::ids("destination_id", all().map(|one| one.destination_id.0)),
        Column::optional_ids("route_id", all().map(|one| one.route_id.map(|id| id.0))),
        Column::texts("state", all().map(|one| one.state.as_str())),
        Column::optional_texts("reason", all().map(|one| one.reason.as_deref())),
        Column::optional_texts("content", all().map(|one| one.content.as_ref().map(Content::as_str))),
        Column::numbers("attempts", all().map(|one| one.attempts)),
        Column::optional_times("next_attempt_at", all().map(|one| one.next_attempt_at)),
        Column::optional_times("completed_at", all().map(|one| one.completed_at)),
        Column::times("created_at", all().map(|one| one.created_at)),
    ]);
    rows.insert("delivery", values)
}

/// Returns the statement that saves new states of deliveries.
pub(super) fn update(deliveries: &[&Delivery], values: &mut Vec<Value>) -> String {
    let all = || deliveries.iter();
    let rows = Rows::new([
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::ids("id", all().map(|one| one.id.0)),
        Column::texts("state", all().map(|one| one.state.as_str())),
        Column::optional_texts("reason", all().map(|one| one.reason.as_deref())),
        Column::numbers("attempts", all().map(|one| one.attempts)),
        Column::optional_times("next_attempt_at", all().map(|one| one.next_attempt_at)),
        Column::optional_times("completed_at", all().map(|one| one.completed_at)),
        Column::optional_times("aside_at", all().map(|one| one.aside_at)),
    ]);
    rows.update("delivery", 2, values)
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
