//! The core tables.
//!
//! Written as SQL because both databases take the same text except for three type names. Every tenant-owned table
//! carries `organisation_id` and its indexes begin with it. The hot append-only tables (`event`, `delivery`, `attempt`)
//! have no foreign keys: `docs/adr/0003` gives the reason.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: &str = r#"
CREATE TABLE organisation (
    id {uuid} PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at {time} NOT NULL
);

CREATE TABLE member (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL,
    username TEXT NOT NULL,
    email TEXT,
    subject TEXT,
    role TEXT NOT NULL,
    permissions {json},
    created_at {time} NOT NULL,
    UNIQUE (organisation_id, user_id),
    UNIQUE (organisation_id, username)
);
CREATE INDEX member_user ON member (user_id);
CREATE UNIQUE INDEX member_subject ON member (organisation_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX member_by_subject ON member (subject) WHERE subject IS NOT NULL;

CREATE TABLE token (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    member_id {uuid} NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL,
    name TEXT NOT NULL,
    secret_sha256 {bytes} NOT NULL,
    scopes {json} NOT NULL,
    expires_at {time},
    last_used_at {time},
    revoked_at {time},
    created_at {time} NOT NULL
);
CREATE INDEX token_member ON token (organisation_id, member_id);

CREATE TABLE channel (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    private BOOLEAN NOT NULL,
    created_by {uuid} NOT NULL,
    created_at {time} NOT NULL,
    UNIQUE (organisation_id, name)
);

CREATE TABLE channel_member (
    channel_id {uuid} NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL,
    organisation_id {uuid} NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (channel_id, user_id),
    FOREIGN KEY (organisation_id, user_id) REFERENCES member (organisation_id, user_id) ON DELETE CASCADE
);
CREATE INDEX channel_member_user ON channel_member (organisation_id, user_id);

CREATE TABLE integration (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} REFERENCES organisation (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT,
    active BOOLEAN NOT NULL,
    definition {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX integration_name ON integration (organisation_id, kind, name);

CREATE TABLE installation (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    integration_id {uuid} NOT NULL REFERENCES integration (id) ON DELETE CASCADE,
    channel_id {uuid} REFERENCES channel (id) ON DELETE CASCADE,
    active BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    credential {bytes},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE UNIQUE INDEX installation_everywhere ON installation (organisation_id, integration_id) WHERE channel_id IS NULL;
CREATE UNIQUE INDEX installation_in_channel ON installation (organisation_id, channel_id, integration_id) WHERE channel_id IS NOT NULL;

CREATE TABLE setting (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    installation_id {uuid} NOT NULL REFERENCES installation (id) ON DELETE CASCADE,
    channel_id {uuid} REFERENCES channel (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    value {json} NOT NULL,
    secret {bytes},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX setting_installation ON setting (organisation_id, installation_id, channel_id);

CREATE TABLE destination (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    health TEXT NOT NULL,
    health_reason TEXT,
    health_since {time},
    due_at {time},
    not_before {time},
    woken BOOLEAN NOT NULL,
    lease_owner {uuid},
    pace_until {time},
    success_count BIGINT NOT NULL,
    failure_count BIGINT NOT NULL,
    last_sent_at {time},
    created_at {time} NOT NULL,
    UNIQUE (organisation_id, kind, name)
);
CREATE INDEX destination_due ON destination (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE slack_link (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL UNIQUE REFERENCES organisation (id) ON DELETE CASCADE,
    destination_id {uuid} NOT NULL UNIQUE REFERENCES destination (id) ON DELETE CASCADE,
    created_by {uuid} NOT NULL,
    team_id TEXT NOT NULL UNIQUE,
    team_name TEXT NOT NULL,
    enterprise_id TEXT,
    app_id TEXT NOT NULL,
    bot_user_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    access_token {bytes} NOT NULL,
    refresh_token {bytes},
    token_expires_at {time},
    refreshing_until {time},
    channel_id TEXT NOT NULL,
    channel_name TEXT NOT NULL,
    status TEXT NOT NULL,
    triggers {json} NOT NULL,
    filter_link_id TEXT NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);

CREATE TABLE github_link (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    created_by {uuid} NOT NULL,
    github_installation_id BIGINT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL,
    account_login TEXT NOT NULL,
    account_type TEXT NOT NULL,
    suspended_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX github_link_organisation ON github_link (organisation_id);

CREATE TABLE oauth_state (
    state_sha256 {bytes} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    member_id {uuid} NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    expires_at {time} NOT NULL,
    used_at {time},
    created_at {time} NOT NULL
);
CREATE INDEX oauth_state_expiry ON oauth_state (expires_at);

CREATE TABLE event (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL,
    channel_id {uuid},
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    link_id TEXT,
    step_kind TEXT,
    step_action TEXT,
    visitor_id TEXT,
    data TEXT NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX event_organisation ON event (organisation_id, id);
CREATE INDEX event_channel ON event (organisation_id, channel_id, id) WHERE channel_id IS NOT NULL;

CREATE TABLE delivery (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL,
    event_id {uuid} NOT NULL,
    destination_id {uuid} NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL,
    next_attempt_at {time},
    completed_at {time},
    created_at {time} NOT NULL
);
CREATE INDEX delivery_organisation ON delivery (organisation_id, id);
CREATE INDEX delivery_event ON delivery (event_id);
CREATE INDEX delivery_pending ON delivery (destination_id, id) WHERE state = 'pending';
CREATE INDEX delivery_failed ON delivery (destination_id, id) WHERE state = 'failed';

CREATE TABLE attempt (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL,
    delivery_id {uuid} NOT NULL,
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status_code INTEGER,
    reason TEXT,
    request TEXT NOT NULL,
    answer TEXT,
    duration_ms BIGINT NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX attempt_delivery ON attempt (delivery_id, id);

CREATE TABLE inbound_receipt (
    organisation_id {uuid} NOT NULL,
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    event_id {uuid} NOT NULL,
    fingerprint {bytes} NOT NULL,
    expires_at {time} NOT NULL,
    PRIMARY KEY (organisation_id, source, key)
);
CREATE INDEX inbound_receipt_expiry ON inbound_receipt (expires_at);

CREATE TABLE audit_entry (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail {json} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX audit_entry_organisation ON audit_entry (organisation_id, id);

CREATE TABLE tenant_key (
    organisation_id {uuid} PRIMARY KEY REFERENCES organisation (id) ON DELETE CASCADE,
    wrapped_by TEXT NOT NULL,
    wrapped_key {bytes} NOT NULL,
    created_at {time} NOT NULL
);
"#;

/// Newest last: the reverse of creation, so that nothing references a dropped table.
const NAMES: [&str; 18] = [
    "tenant_key",
    "audit_entry",
    "inbound_receipt",
    "attempt",
    "delivery",
    "event",
    "oauth_state",
    "github_link",
    "slack_link",
    "destination",
    "setting",
    "installation",
    "integration",
    "channel_member",
    "channel",
    "token",
    "member",
    "organisation",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NAMES {
            statements::execute(manager, &format!("DROP TABLE IF EXISTS {name}")).await?;
        }
        Ok(())
    }
}
