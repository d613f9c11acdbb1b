//! Tests of the embedded database's folder from an operator's point of view: permissions, exclusive use, and starts
//! that are refused because something is missing, damaged or newer.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use sea_orm::{ConnectionTrait, Database as Connector};

use crate::support::{Database, Deployment, Process};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Serves for a moment, so that all files exist.
async fn served() -> (Deployment, Process) {
    let deployment = Deployment::bare();
    let process = deployment.serve("all").await;
    (deployment, process)
}

/// Starts and returns the reason of the refusal.
async fn refusal(deployment: &Deployment) -> String {
    deployment.run(&["serve"]).await.refused().to_owned()
}

#[tokio::test]
async fn nobody_else_reads_the_data_directory() {
    let (deployment, process) = served().await;
    let files = ["tieline.db", "tieline.db-wal", "tieline.db-shm", "tieline.db.lock", "secret.key"];
    let modes = || files.map(|name| mode(&deployment.path("data").join(name)));
    assert_eq!((mode(&deployment.path("data")), modes()), (0o700, [0o600; 5]));
    process.kill();
    fs::set_permissions(deployment.path("data"), Permissions::from_mode(0o755)).unwrap();
    for name in files {
        fs::set_permissions(deployment.path("data").join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let _process = deployment.serve("all").await;
    assert_eq!(mode(&deployment.path("data")), 0o700);
    assert_eq!(modes(), [0o600; 5], "existing files are closed too");
}

#[tokio::test]
async fn one_process_serves_from_a_directory() {
    let (deployment, process) = served().await;
    let reported = refusal(&deployment).await;
    assert!(reported.contains("another process serves from") && reported.contains("PostgreSQL"), "{reported}");
    deployment.run(&["org", "create", "acme"]).await.ok();
    process.kill();
    deployment.serve("all").await;
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_replaced_in_silence() {
    let (deployment, process) = served().await;
    process.kill();
    let data = deployment.path("data");
    let file = data.join("tieline.db");
    for (state, spoil) in [("missing", None), ("empty", Some(""))] {
        for name in ["tieline.db", "tieline.db-wal", "tieline.db-shm"] {
            let _ = fs::remove_file(data.join(name));
        }
        if let Some(text) = spoil {
            fs::write(&file, text).unwrap();
        }
        let reported = refusal(&deployment).await;
        assert!(reported.contains(state) && reported.contains("restore it from a backup"), "{reported}");
        assert!(deployment.run(&["org", "create", "acme"]).await.refused().contains(state));
    }
    fs::remove_file(data.join("secret.key")).unwrap();
    deployment.serve("all").await;
}

#[tokio::test]
async fn a_damaged_file_is_reported_as_damaged() {
    let (deployment, process) = served().await;
    process.kill();
    let data = deployment.path("data");
    for name in ["tieline.db-wal", "tieline.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    fs::write(data.join("tieline.db"), "this is no database ".repeat(1000)).unwrap();
    let reported = refusal(&deployment).await;
    assert!(
        reported.contains("damaged") && reported.contains("backup") && !reported.contains("try again"),
        "{reported}"
    );
}

async fn newer(database: Database) {
    let url = database.url.clone();
    let deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
    assert!(deployment.run(&["migrate"]).await.success);
    let connection = Connector::connect(&url).await.unwrap();
    let row = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_flying_cars', 4070908800)";
    connection.execute_unprepared(row).await.unwrap();
    connection.close().await.unwrap();
    for command in [&["serve"][..], &["migrate"]] {
        let reported = deployment.run(command).await.refused().to_owned();
        assert!(reported.contains("m20990101_000001_flying_cars") && reported.contains("newer version"), "{reported}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_named_on_sqlite() {
    newer(Database::sqlite()).await;
}

#[tokio::test]
async fn a_newer_schema_is_named_on_postgres() {
    if let Some(database) = Database::postgres().await {
        newer(database).await;
    }
}

#[tokio::test]
async fn a_kind_of_destination_that_nothing_sends_to_is_named() {
    let database = Database::sqlite();
    let url = database.url.clone();
    let deployment = Deployment::new(database, "http://127.0.0.1:9/slack");
    deployment.run(&["org", "create", "acme"]).await.ok();
    let connection = Connector::connect(&url).await.unwrap();
    let row = "INSERT INTO destination (id, organisation_id, kind, name, address, health, woken, success_count, \
               failure_count, created_at, slow) \
               SELECT randomblob(16), id, 'pigeon', 'roof', 'roof', 'healthy', 0, 0, 0, created_at, 0 FROM organisation";
    connection.execute_unprepared(row).await.unwrap();
    connection.close().await.unwrap();
    let reported = refusal(&deployment).await;
    assert!(reported.contains("pigeon") && reported.contains("version"), "{reported}");
    // It sends nothing.
    deployment.serve("api").await;
}
