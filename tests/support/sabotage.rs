//! A database that refuses one organisation's rows of a table, so that a failure for one can be distinguished from a
//! failure for all.

use sea_orm::{ConnectionTrait, DbBackend};
use tieline::domain::ids::OrganisationId;

use super::TestApp;

/// Refuses new rows of a table, of one organisation, until [`relent`].
pub async fn refuse(app: &TestApp, table: &str, organisation: OrganisationId) {
    let db = app.app.base.store().writer();
    let id = organisation.0;
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.organisation_id = '{id}'::uuid THEN RAISE EXCEPTION 'sabotage'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_{table}()"
        ),
        _ => format!(
            "CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} \
             WHEN lower(hex(NEW.organisation_id)) = '{}' BEGIN SELECT RAISE(ABORT, 'sabotage'); END",
            id.simple()
        ),
    };
    db.execute_unprepared(&sql).await.unwrap();
}

/// Accepts rows again.
pub async fn relent(app: &TestApp, table: &str) {
    let db = app.app.base.store().writer();
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!("DROP FUNCTION refuse_{table} CASCADE"),
        _ => format!("DROP TRIGGER refuse_{table}"),
    };
    db.execute_unprepared(&sql).await.unwrap();
}
