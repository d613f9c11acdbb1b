//! Writes of events on PostgreSQL, any number of them in one statement.

use sea_orm::Value;

use super::{attributes, path};
use crate::{
    domain::pipeline::event::Event,
    store::kernel::arrays::{Column, Rows},
};

/// Returns the statement that inserts events.
pub(in crate::store::pipeline) fn insert(events: &[Event], values: &mut Vec<Value>) -> String {
    let all = || events.iter();
    let rows = Rows::new([
        Column::ids("id", all().map(|one| one.id.0)),
        Column::ids("organisation_id", all().map(|one| one.organisation_id.0)),
        Column::optional_ids("channel_id", all().map(|one| one.fact.channel_id.map(|id| id.0))),
        Column::texts("kind", all().map(|one| one.fact.kind.as_str())),
        Column::texts("source", all().map(|one| one.source.as_str())),
        Column::texts("attributes", all().map(attributes)),
        Column::texts("data", all().map(|one| one.fact.data.to_string())),
        Column::optional_ids("made_from", all().map(|one| one.made_from.map(|id| id.0))),
        Column::optional_texts("path", all().map(path)),
        Column::optional_texts("traceparent", all().map(|one| one.trace.map(|trace| trace.to_string()))),
        Column::times("created_at", all().map(|one| one.created_at)),
    ]);
    rows.insert("event", values)
}
