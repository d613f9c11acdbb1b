//! Registry versions from which installed apps come: `integration_id` is the installed app, which belongs to the
//! organisation, and `bot_integration_id` the version.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
CREATE TABLE bot_installation (
    integration_id {uuid} PRIMARY KEY REFERENCES integration (id) ON DELETE CASCADE,
    bot_integration_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE
);
CREATE INDEX bot_installation_of ON bot_installation (bot_integration_id);
CREATE INDEX bot_installation_organisation ON bot_installation (organisation_id);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
