//! Events from GitHub and Slack: installations and their repositories, subscriptions, threads, workflows that are run
//! from Slack, and the content of a delivery that is decided at intake.
//!
//! `github_link` is created anew: one installation may be linked by several organisations, each by its own proof, so
//! GitHub's data of an installation is in a table of its own. Nothing wrote the old one.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
DROP TABLE github_link;

CREATE TABLE github_installation (
    id {uuid} PRIMARY KEY,
    github_id BIGINT NOT NULL UNIQUE,
    app_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    account_login TEXT NOT NULL,
    account_type TEXT NOT NULL,
    account_url TEXT NOT NULL,
    events {json} NOT NULL,
    all_repositories BOOLEAN NOT NULL,
    suspended_at {time},
    deleted_at {time},
    changed_at {time} NOT NULL,
    created_at {time} NOT NULL
);

CREATE TABLE github_repository (
    installation_id BIGINT NOT NULL REFERENCES github_installation (github_id) ON DELETE CASCADE,
    github_id BIGINT NOT NULL,
    full_name TEXT NOT NULL,
    private BOOLEAN NOT NULL,
    removed BOOLEAN NOT NULL,
    changed_at {time} NOT NULL,
    PRIMARY KEY (installation_id, github_id)
);

CREATE TABLE github_link (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    installation_id BIGINT NOT NULL REFERENCES github_installation (github_id) ON DELETE CASCADE,
    created_by {uuid} NOT NULL,
    created_at {time} NOT NULL,
    UNIQUE (organisation_id, installation_id)
);
CREATE INDEX github_link_installation ON github_link (installation_id);

CREATE TABLE github_proof (
    member_id {uuid} NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    installation_id BIGINT NOT NULL,
    expires_at {time} NOT NULL,
    PRIMARY KEY (member_id, installation_id)
);
CREATE INDEX github_proof_expiry ON github_proof (expires_at);

CREATE TABLE subscription (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    destination_id {uuid} NOT NULL REFERENCES destination (id) ON DELETE CASCADE,
    slack_channel_id TEXT NOT NULL,
    slack_channel_name TEXT NOT NULL,
    paused BOOLEAN NOT NULL,
    rules {json} NOT NULL,
    created_by {uuid} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX subscription_organisation ON subscription (organisation_id, id);

CREATE TABLE slack_thread (
    destination_id {uuid} NOT NULL REFERENCES destination (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    organisation_id {uuid} NOT NULL,
    slack_ts TEXT NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (destination_id, topic)
);

CREATE TABLE workflow (
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    summary TEXT NOT NULL,
    parameters {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

ALTER TABLE delivery ADD COLUMN content TEXT;
ALTER TABLE slack_link ADD COLUMN org_wide BOOLEAN NOT NULL DEFAULT FALSE;
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }
}
