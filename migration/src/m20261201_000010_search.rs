//! Searches of deliveries: those that failed or were skipped are looked for most, and are few among the others.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATES: [&str; 2] = ["failed", "skipped"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for state in STATES {
            let sql = format!(
                "CREATE INDEX delivery_{state}_in_organisation ON delivery (organisation_id, id) WHERE state = '{state}'"
            );
            statements::execute(manager, &sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for state in STATES {
            statements::execute(manager, &format!("DROP INDEX delivery_{state}_in_organisation")).await?;
        }
        Ok(())
    }
}
