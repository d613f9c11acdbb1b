//! The former signing secret of an app's calls, with the end of its validity.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: &str = r#"
ALTER TABLE installation ADD COLUMN former_signing_secret {bytes};
ALTER TABLE installation ADD COLUMN former_signs_until {time};
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, COLUMNS).await
    }
}
