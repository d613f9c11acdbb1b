//! The registry: names, which are unique in the whole service, their versions, the long parts of a version that are
//! only read on their own, and keys.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
CREATE TABLE bot_name (
    name TEXT PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    was_published BOOLEAN NOT NULL,
    installs BIGINT NOT NULL,
    views BIGINT NOT NULL,
    created_at {time} NOT NULL,
    icon_key TEXT UNIQUE,
    icon TEXT
);
CREATE INDEX bot_name_owner ON bot_name (organisation_id);

CREATE TABLE bot_version (
    integration_id {uuid} PRIMARY KEY REFERENCES integration (id) ON DELETE CASCADE,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    dev BOOLEAN NOT NULL,
    latest BOOLEAN NOT NULL,
    latest_published BOOLEAN NOT NULL,
    visibility TEXT NOT NULL,
    verification TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    url TEXT NOT NULL,
    terms {json} NOT NULL,
    search TEXT NOT NULL,
    readme_key TEXT UNIQUE,
    code_sha256 {bytes},
    secret_names {json} NOT NULL,
    secrets {bytes},
    signing_secret {bytes} NOT NULL,
    former_signing_secret {bytes},
    former_until {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE UNIQUE INDEX bot_version_once ON bot_version (organisation_id, name, version) WHERE NOT dev;
CREATE INDEX bot_version_newest ON bot_version (organisation_id, dev, integration_id);
CREATE INDEX bot_version_name ON bot_version (name);
CREATE INDEX bot_version_hub ON bot_version (integration_id) WHERE visibility = 'public';

CREATE TABLE bot_source (
    integration_id {uuid} PRIMARY KEY REFERENCES integration (id) ON DELETE CASCADE,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    readme TEXT,
    code TEXT
);

CREATE TABLE integration_api_key (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    integration_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
    note TEXT NOT NULL,
    key_sha256 {bytes} NOT NULL UNIQUE,
    created_at {time} NOT NULL
);
CREATE INDEX integration_api_key_of ON integration_api_key (organisation_id, integration_id);
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
