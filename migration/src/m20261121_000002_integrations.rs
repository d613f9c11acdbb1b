//! Apps that are called: the secret that signs the calls, the key by which their answers enter a channel, and the due
//! times of ticks; and Slack's incoming webhooks.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
ALTER TABLE installation ADD COLUMN signing_secret {bytes};
ALTER TABLE slack_link ADD COLUMN webhook_url {bytes};
ALTER TABLE slack_link ADD COLUMN configuration_url TEXT NOT NULL DEFAULT '';

CREATE TABLE channel_key (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    channel_id {uuid} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    integration_id {uuid} REFERENCES integration (id) ON DELETE CASCADE,
    key_sha256 {bytes} NOT NULL UNIQUE,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL
);
CREATE UNIQUE INDEX channel_key_of_channel ON channel_key (channel_id) WHERE integration_id IS NULL;
CREATE UNIQUE INDEX channel_key_of_integration ON channel_key (channel_id, integration_id) WHERE integration_id IS NOT NULL;

CREATE TABLE tick (
    installation_id {uuid} PRIMARY KEY REFERENCES installation (id) ON DELETE CASCADE,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    due_at {time} NOT NULL
);
CREATE INDEX tick_due ON tick (due_at);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
