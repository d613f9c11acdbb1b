//! Routes: events that match are delivered to a destination.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
CREATE TABLE route (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sources {json} NOT NULL,
    types {json} NOT NULL,
    channel_id {uuid} REFERENCES channel (id) ON DELETE CASCADE,
    destination_id {uuid} NOT NULL REFERENCES destination (id) ON DELETE CASCADE,
    enabled BOOLEAN NOT NULL,
    created_by {uuid} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX route_organisation ON route (organisation_id, id);
CREATE INDEX route_channel ON route (channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX route_destination ON route (destination_id);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, "DROP TABLE route").await?;
        Ok(())
    }
}
