//! Proof that the database stores its writes: a row is written by one connection and read back by another.
//!
//! Not here: the frequency of the check (`app::pipeline::health`).

use ::entity::readiness_probe::{ActiveModel, Column, Entity as Probes};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    domain::{Error, Result, ambient::Time, error::StorageFault},
    store::Store,
};

/// Writes a mark for this process, commits it, and reads it back.
///
/// # Errors
/// [`Error::Storage`] when it cannot be written, or does not come back.
pub async fn prove(store: &Store, process_id: Uuid, mark: Uuid, now: Time) -> Result<()> {
    let row = ActiveModel { process_id: Set(process_id), mark: Set(mark), written_at: Set(now) };
    let again = OnConflict::column(Column::ProcessId).update_columns([Column::Mark, Column::WrittenAt]).to_owned();
    Probes::insert(row).on_conflict(again).exec_without_returning(store.writer()).await?;
    let kept = Probes::find_by_id(process_id).one(store.reader()).await?;
    match kept.is_some_and(|row| row.mark == mark) {
        true => Ok(()),
        false => {
            tracing::error!("the database answered a write with success and did not keep it");
            Err(Error::Storage(StorageFault::Unwritable))
        }
    }
}

/// Returns the time by the database's clock.
///
/// # Errors
/// When the database fails.
pub async fn clock(store: &Store) -> Result<Time> {
    #[derive(FromQueryResult)]
    struct Clock {
        now: Time,
    }
    let backend = store.reader().get_database_backend();
    let read = Clock::find_by_statement(Statement::from_string(backend, "SELECT CURRENT_TIMESTAMP AS now"));
    let clock = read.one(store.reader()).await?;
    clock.map(|clock| clock.now).ok_or(Error::Storage(StorageFault::Unwritable))
}

/// Deletes the rows of processes without a proof since `before`. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_old(store: &Store, before: Time) -> Result<u64> {
    let gone = Probes::delete_many().filter(Column::WrittenAt.lt(before)).exec(store.writer()).await?;
    Ok(gone.rows_affected)
}
