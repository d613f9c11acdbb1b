//! Writes of deliveries on PostgreSQL, any number of them in one statement: their columns as arrays.

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        pipeline::delivery::{Content, Delivery},
    },
    store::{Tx, kernel::batches},
};

const INSERT: &str = "INSERT INTO delivery (id, organisation_id, event_id, destination_id, route_id, state, reason, content, \
     attempts, next_attempt_at, completed_at, created_at) \
     SELECT id, organisation_id, event_id, destination_id, NULLIF(route_id, '00000000-0000-0000-0000-000000000000'), state, NULLIF(reason, ''), NULLIF(content, ''), attempts, \
     NULLIF(next_attempt_at, 'epoch'), NULLIF(completed_at, 'epoch'), created_at \
     FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS v (id, organisation_id, event_id, destination_id, \
     route_id, state, reason, content, attempts, next_attempt_at, completed_at, created_at)";

const UPDATE: &str = "UPDATE delivery SET state = v.state, reason = NULLIF(v.reason, ''), attempts = v.attempts, \
     next_attempt_at = NULLIF(v.next_attempt_at, 'epoch'), completed_at = NULLIF(v.completed_at, 'epoch'), \
     aside_at = NULLIF(v.aside_at, 'epoch') \
     FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8) \
     AS v (organisation_id, id, state, reason, attempts, next_attempt_at, completed_at, aside_at) \
     WHERE delivery.organisation_id = v.organisation_id AND delivery.id = v.id";

pub(super) async fn insert(tx: &Tx, deliveries: &[Delivery]) -> Result<()> {
    let all = || deliveries.iter();
    let values = [
        batches::ids(all().map(|one| one.id.0)),
        batches::ids(all().map(|one| one.organisation_id.0)),
        batches::ids(all().map(|one| one.event_id.0)),
        batches::ids(all().map(|one| one.destination_id.0)),
        batches::ids(all().map(|one| one.route_id.map_or(Uuid::nil(), |id| id.0))),
        batches::texts(all().map(|one| Some(one.state.as_str()))),
        batches::texts(all().map(|one| one.reason.as_deref())),
        batches::texts(all().map(|one| one.content.as_ref().map(Content::as_str))),
        all().map(|one| one.attempts).collect::<Vec<i32>>().into(),
        batches::times(all().map(|one| one.next_attempt_at)),
        batches::times(all().map(|one| one.completed_at)),
        batches::times(all().map(|one| Some(one.created_at))),
    ];
    execute(tx, INSERT, deliveries.len(), values).await
}

pub(super) async fn update(tx: &Tx, deliveries: &[&Delivery]) -> Result<()> {
    let all = || deliveries.iter();
    let values = [
        batches::ids(all().map(|one| one.organisation_id.0)),
        batches::ids(all().map(|one| one.id.0)),
        batches::texts(all().map(|one| Some(one.state.as_str()))),
        batches::texts(all().map(|one| one.reason.as_deref())),
        all().map(|one| one.attempts).collect::<Vec<i32>>().into(),
        batches::times(all().map(|one| one.next_attempt_at)),
        batches::times(all().map(|one| one.completed_at)),
        batches::times(all().map(|one| one.aside_at)),
    ];
    execute(tx, UPDATE, deliveries.len(), values).await
}

async fn execute<const N: usize>(tx: &Tx, sql: &str, rows: usize, values: [Value; N]) -> Result<()> {
    if rows > 0 {
        tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    }
    Ok(())
}
