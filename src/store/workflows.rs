//! Workflows that can be run from Slack.
//!
//! Not here: their runs, which are events.

use ::entity::workflow::{ActiveModel, Column, Entity as Workflows, Model as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{Tx, corrupt};
use crate::domain::{
    Error, Result,
    error::Noun,
    ids::OrganisationId,
    workflows::{Workflow, is_workflow_id},
};

/// Inserts a workflow, or replaces the one with its id.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &Tx, organisation_id: OrganisationId, workflow: &Workflow) -> Result<()> {
    let parameters = serde_json::to_value(&workflow.parameters);
    let row = ActiveModel {
        organisation_id: Set(organisation_id.0),
        id: Set(workflow.id.clone()),
        name: Set(workflow.name.clone()),
        summary: Set(workflow.summary.clone()),
        parameters: Set(parameters.map_err(|error| Error::Internal(format!("a workflow cannot be written: {error}")))?),
        created_at: Set(workflow.created_at),
        updated_at: Set(workflow.updated_at),
    };
    let there = OnConflict::columns([Column::OrganisationId, Column::Id])
        .update_columns([Column::Name, Column::Summary, Column::Parameters, Column::UpdatedAt])
        .to_owned();
    Workflows::insert(row).on_conflict(there).exec_without_returning(tx).await?;
    Ok(())
}

/// Deletes a workflow.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(tx: &Tx, organisation_id: OrganisationId, id: &str) -> Result<()> {
    let deleted = Workflows::delete_by_id(key(organisation_id, id)?).exec(tx).await?;
    if deleted.rows_affected == 0 { Err(Error::not_found(Noun::Workflow, id)) } else { Ok(()) }
}

/// Finds a workflow by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: &str) -> Result<Workflow> {
    let row = Workflows::find_by_id(key(organisation_id, id)?).one(db).await?;
    workflow(row.ok_or_else(|| Error::not_found(Noun::Workflow, id))?)
}

/// Lists the workflows of an organisation by their ids, at most as many as an organisation may have.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, organisation_id: OrganisationId) -> Result<Vec<Workflow>> {
    let query = Workflows::find().filter(Column::OrganisationId.eq(organisation_id.0)).order_by_asc(Column::Id);
    query.all(db).await?.into_iter().map(workflow).collect()
}

/// Returns the key of a workflow; an invalid id is reported as not found. It comes as it was typed, and PostgreSQL
/// rejects a NUL.
fn key(organisation_id: OrganisationId, id: &str) -> Result<(Uuid, String)> {
    if is_workflow_id(id) { Ok((organisation_id.0, id.to_owned())) } else { Err(Error::not_found(Noun::Workflow, id)) }
}

fn workflow(row: Row) -> Result<Workflow> {
    Ok(Workflow {
        id: row.id,
        name: row.name,
        summary: row.summary,
        parameters: serde_json::from_value(row.parameters).map_err(|error| corrupt("workflow", "parameters", error))?,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
