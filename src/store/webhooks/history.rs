//! The history of an outgoing webhook: its attempts.
//!
//! Not here: their recording.

use ::entity::{
    attempt::{Column, Entity as Attempts},
    delivery::{Column as DeliveryColumn, Entity as Deliveries},
    delivery_progress::{Column as ProgressColumn, Entity as Progress},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Query, SelectStatement},
};
use uuid::Uuid;

use crate::{
    domain::{
        Result,
        ids::{AttemptId, IntegrationId, OrganisationId},
        page::PageRequest,
        pipeline::delivery::{Attempt, DeliveryState},
    },
    store::pipeline::deliveries::attempt,
};

/// Maximum number of rows that one statement deletes.
const SLICE: u64 = 1000;

/// Lists a page of the history, newest first, with the total number.
///
/// # Errors
/// When the database fails.
pub async fn page(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
    (offset, count): (u64, u64),
) -> Result<(Vec<Attempt>, u64)> {
    let of = Attempts::find().filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::HistoryOf.eq(id.0));
    let total = of.clone().count(db).await?;
    let rows = of.order_by_desc(Column::Id).offset(offset).limit(count).all(db).await?;
    Ok((rows.into_iter().map(attempt).collect::<Result<_>>()?, total))
}

/// Lists a page of the history by cursor, newest first, with one more than fits.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
    page: PageRequest,
) -> Result<Vec<Attempt>> {
    let mut of =
        Attempts::find().filter(Column::OrganisationId.eq(organisation_id.0)).filter(Column::HistoryOf.eq(id.0));
    if let Some(after) = page.after {
        of = of.filter(Column::Id.lt(after));
    }
    let rows = of.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    rows.into_iter().map(attempt).collect()
}

/// Finds one attempt of the history.
///
/// # Errors
/// When the database fails.
pub async fn find(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: IntegrationId,
    attempt_id: AttemptId,
) -> Result<Option<Attempt>> {
    let row = Attempts::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::HistoryOf.eq(id.0))
        .filter(Column::Id.eq(attempt_id.0))
        .one(db)
        .await?;
    row.map(attempt).transpose()
}

/// Deletes a slice of the finished history: of all of it, or up to an attempt. Deliveries waiting for a retry stay.
/// Returns the number of deleted rows.
///
/// # Errors
/// When the database fails.
pub async fn remove_slice(
    db: &impl ConnectionTrait,
    (organisation_id, id): (OrganisationId, IntegrationId),
    up_to: Option<AttemptId>,
) -> Result<u64> {
    let waiting: SelectStatement = Query::select()
        .column(ProgressColumn::DeliveryId)
        .from(Progress)
        .and_where(ProgressColumn::OrganisationId.eq(organisation_id.0))
        .and_where(ProgressColumn::State.eq(DeliveryState::Pending.as_str()))
        .and_where(ProgressColumn::DeliveryId.in_subquery(
            Query::select().column(Column::DeliveryId).from(Attempts).and_where(Column::HistoryOf.eq(id.0)).to_owned(),
        ))
        .to_owned();
    let mut over = Attempts::find()
        .select_only()
        .columns([Column::Id, Column::DeliveryId])
        .filter(Column::HistoryOf.eq(id.0))
        .filter(Column::DeliveryId.not_in_subquery(waiting));
    if let Some(up_to) = up_to {
        over = over.filter(Column::Id.lte(up_to.0));
    }
    let rows: Vec<(Uuid, Uuid)> = over.order_by_asc(Column::Id).limit(SLICE).into_tuple().all(db).await?;
    let (attempts, deliveries): (Vec<Uuid>, Vec<Uuid>) = rows.into_iter().unzip();
    if attempts.is_empty() {
        return Ok(0);
    }
    let removed = Attempts::delete_many()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::DeliveryId.is_in(deliveries.clone()))
        .filter(Column::Id.is_in(attempts))
        .exec(db)
        .await?;
    // A delivery is deleted with the last of its attempts.
    let left: Vec<Uuid> = Attempts::find()
        .select_only()
        .column(Column::DeliveryId)
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(Column::DeliveryId.is_in(deliveries.clone()))
        .into_tuple()
        .all(db)
        .await?;
    let done: Vec<Uuid> = deliveries.into_iter().filter(|id| !left.contains(id)).collect();
    Deliveries::delete_many()
        .filter(DeliveryColumn::OrganisationId.eq(organisation_id.0))
        .filter(DeliveryColumn::Id.is_in(done.clone()))
        .exec(db)
        .await?;
    Progress::delete_many()
        .filter(ProgressColumn::OrganisationId.eq(organisation_id.0))
        .filter(ProgressColumn::DeliveryId.is_in(done))
        .exec(db)
        .await?;
    Ok(removed.rows_affected)
}

/// Lists the webhooks with a history of more than `most`, each with the newest attempt beyond that.
///
/// # Errors
/// When the database fails.
pub async fn too_long(
    db: &impl ConnectionTrait,
    most: u64,
) -> Result<Vec<((OrganisationId, IntegrationId), AttemptId)>> {
    let backend = db.get_database_backend();
    // Except those of registry versions: the deliveries belong to other organisations, which keep them as long as all
    // of theirs.
    let sql = format!(
        "SELECT organisation_id, history_of FROM attempt WHERE history_of IS NOT NULL \
         AND history_of NOT IN (SELECT integration_id FROM registry_version) \
         GROUP BY organisation_id, history_of HAVING COUNT(*) > {most}"
    );
    let mut found = Vec::new();
    for row in db.query_all_raw(Statement::from_string(backend, sql)).await? {
        let organisation_id = OrganisationId(row.try_get("", "organisation_id")?);
        let id = IntegrationId(row.try_get("", "history_of")?);
        let first: Option<Uuid> = Attempts::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::HistoryOf.eq(id.0))
            .order_by_desc(Column::Id)
            .offset(most)
            .limit(1)
            .into_tuple()
            .one(db)
            .await?;
        found.extend(first.map(|first| ((organisation_id, id), AttemptId(first))));
    }
    Ok(found)
}
