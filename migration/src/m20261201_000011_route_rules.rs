//! Rules of routes. Subscriptions to GitHub events become routes with a rule of the kind `github`, and their permissions
//! those of routes.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const MOVE: &str = r#"
INSERT INTO route (id, organisation_id, name, sources, types, destination_id, enabled, rule, position, created_by, created_at,
                   updated_at)
SELECT id, organisation_id, '', {sources}, {types}, destination_id, NOT paused, {rule}, 0, created_by, created_at, updated_at
FROM subscription
"#;

const MOVE_BACK: &str = r#"
INSERT INTO subscription (id, organisation_id, destination_id, slack_channel_id, slack_channel_name, paused, rules, created_by,
                          created_at, updated_at)
SELECT route.id, route.organisation_id, destination_id, address, '', NOT enabled, {settings}, created_by, route.created_at,
       route.updated_at
FROM route JOIN destination ON destination.id = route.destination_id
WHERE rule IS NOT NULL
"#;

const TABLE: &str = r#"
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
)
"#;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (cast, rule) = match manager.get_database_backend() {
            DbBackend::Postgres => ("::JSONB", "JSON_BUILD_OBJECT('kind', 'github', 'settings', rules)::TEXT"),
            _ => ("", "JSON_OBJECT('kind', 'github', 'settings', JSON(rules))"),
        };
        let moved = MOVE
            .replace("{sources}", &format!("'[\"github\"]'{cast}"))
            .replace("{types}", &format!("'[\"github.*\"]'{cast}"))
            .replace("{rule}", rule);
        let text = if cast.is_empty() { "" } else { "::TEXT" };
        let renamed = |table: &str, column: &str| {
            let new = format!("REPLACE({column}{text}, '\"subscriptions:', '\"routes:'){cast}");
            format!("UPDATE {table} SET {column} = {new} WHERE {column}{text} LIKE '%\"subscriptions:%'")
        };
        for sql in [
            "ALTER TABLE route ADD COLUMN rule TEXT",
            &moved,
            "DROP TABLE subscription",
            &renamed("member", "permissions"),
            &renamed("token", "scopes"),
        ] {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let settings = match manager.get_database_backend() {
            DbBackend::Postgres => "rule::JSONB -> 'settings'",
            _ => "JSON_EXTRACT(rule, '$.settings')",
        };
        for sql in [
            TABLE,
            "CREATE INDEX subscription_organisation ON subscription (organisation_id, id)",
            &MOVE_BACK.replace("{settings}", settings),
            "DELETE FROM route WHERE rule IS NOT NULL",
            "ALTER TABLE route DROP COLUMN rule",
        ] {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }
}
