//! Attributes of events: a JSON object in place of the four columns of one event type.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::statements;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const ADD: &str = "ALTER TABLE event ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}'";

/// Moves the columns' values. Those that are null have no attribute.
const MOVE: &str = "UPDATE event SET attributes = {object}
WHERE link_id IS NOT NULL OR step_kind IS NOT NULL OR step_action IS NOT NULL OR visitor_id IS NOT NULL";

const PAIRS: &str = "'linkId', link_id, 'stepKind', step_kind, 'stepAction', step_action, 'visitorId', visitor_id";

const DROP: &str = "
ALTER TABLE event DROP COLUMN link_id;
ALTER TABLE event DROP COLUMN step_kind;
ALTER TABLE event DROP COLUMN step_action;
ALTER TABLE event DROP COLUMN visitor_id;
";

const ADD_BACK: &str = "
ALTER TABLE event ADD COLUMN link_id TEXT;
ALTER TABLE event ADD COLUMN step_kind TEXT;
ALTER TABLE event ADD COLUMN step_action TEXT;
ALTER TABLE event ADD COLUMN visitor_id TEXT;
";

/// Moves the values back. The former schema reads a step's kind only in its long form; other attributes are lost.
const MOVE_BACK: &str = "UPDATE event SET link_id = {linkId}, step_action = {stepAction}, visitor_id = {visitorId},
step_kind = CASE WHEN {stepKind} IN ('KIND_ENTRY', 'KIND_EXIT', 'KIND_INTERACTION', 'KIND_CONDITION') THEN {stepKind} END
WHERE attributes <> '{}'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A merge patch (RFC 7396) that is applied to an empty object leaves the members that are not null.
        let object = match manager.get_database_backend() {
            DbBackend::Postgres => format!("json_strip_nulls(json_build_object({PAIRS}))::TEXT"),
            _ => format!("json_patch('{{}}', json_object({PAIRS}))"),
        };
        for sql in [ADD, &MOVE.replace("{object}", &object), DROP] {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sql = MOVE_BACK.to_owned();
        for name in ["linkId", "stepKind", "stepAction", "visitorId"] {
            let value = match manager.get_database_backend() {
                DbBackend::Postgres => format!("attributes::JSON ->> '{name}'"),
                _ => format!("json_extract(attributes, '$.{name}')"),
            };
            sql = sql.replace(&format!("{{{name}}}"), &value);
        }
        for sql in [ADD_BACK, &sql, "ALTER TABLE event DROP COLUMN attributes"] {
            statements::execute(manager, sql).await?;
        }
        Ok(())
    }
}
