//! Sessions of browsers, and the origins whose pages may frame an organisation's portal.
//!
//! One that was not opened yet has the hash of its one-use code in place of that of its secret.

use sea_orm_migration::prelude::*;

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = r#"
CREATE TABLE session (
    id {uuid} PRIMARY KEY,
    organisation_id {uuid} NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    member_id {uuid} NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    token_id {uuid} REFERENCES token (id) ON DELETE CASCADE,
    secret_sha256 {bytes} NOT NULL UNIQUE,
    pages TEXT NOT NULL,
    theme TEXT NOT NULL,
    return_url TEXT,
    embedded BOOLEAN NOT NULL,
    opened_at {time},
    expires_at {time} NOT NULL,
    created_at {time} NOT NULL
);
CREATE INDEX session_member ON session (organisation_id, member_id);
CREATE INDEX session_of_member ON session (member_id);
CREATE INDEX session_of_token ON session (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX session_expiry ON session (expires_at);
ALTER TABLE organisation ADD COLUMN frame_ancestors TEXT;
CREATE INDEX member_by_email ON member (LOWER(email)) WHERE email IS NOT NULL;
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statements::execute(manager, TABLE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for sql in
            ["DROP INDEX member_by_email", "DROP TABLE session", "ALTER TABLE organisation DROP COLUMN frame_ancestors"]
        {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }
}
