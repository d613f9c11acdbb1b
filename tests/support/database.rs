//! A database for one test: a copy of a template that is migrated once, or, by [`IN_SCHEMAS`], a schema of one database
//! that all tests share, as a bucket of a distributed PostgreSQL is.

use std::{
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sea_orm::{ConnectionTrait, Database as Connector, DatabaseConnection};
use tieline::store::{Limits, Store};
use tokio::sync::{Mutex, OnceCell};

/// Variable with the throw-away server; `scripts/with-postgres` sets it.
const SERVER: &str = "TIELINE_TEST_POSTGRES_URL";

/// Variable by which the tests on PostgreSQL run in schemas of the server's own database.
const IN_SCHEMAS: &str = "TIELINE_TEST_POSTGRES_SCHEMAS";

const FILE: &str = "tieline.db";

static COUNTER: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
/// PostgreSQL copies a template only while no other session is connected to it.
static COPYING: Mutex<()> = Mutex::const_new(());

/// A database of its own for one test.
pub struct Database {
    /// Its address.
    pub url: String,
    folder: Option<PathBuf>,
    /// On PostgreSQL, the server and the name of what is only this test's.
    created: Option<(String, String)>,
}

impl Database {
    /// Creates an SQLite file with every table.
    pub fn sqlite() -> Self {
        static TEMPLATE: LazyLock<Vec<u8>> = LazyLock::new(sqlite_template);
        let this = Self::empty_sqlite();
        std::fs::write(this.folder().join(FILE), &*TEMPLATE).unwrap();
        this
    }

    /// The address of an SQLite file that is not there yet.
    pub fn empty_sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("tieline-test-{}", unique()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { url: sqlite_url(&folder), folder: Some(folder), created: None }
    }

    /// Creates a PostgreSQL database, if there is a server to create it on. Without one the test passes, except where
    /// `CI=true`: there it fails.
    pub async fn postgres() -> Option<Self> {
        let server = server()?;
        if in_schemas() {
            let schema = Self::schema(&server).await;
            migrate(&schema.url).await;
            return Some(schema);
        }
        let template = TEMPLATE.get_or_init(|| template(&server)).await;
        let _turn = COPYING.lock().await;
        Some(Self::create(&server, &format!("TEMPLATE {template}")).await)
    }

    /// The same without any table in it.
    pub async fn empty_postgres() -> Option<Self> {
        let server = server()?;
        Some(if in_schemas() { Self::schema(&server).await } else { Self::create(&server, "").await })
    }

    async fn schema(server: &str) -> Self {
        let name = format!("t_{}", unique());
        run(server, &format!("CREATE SCHEMA {name}")).await;
        let mut schema = Self { url: server.to_owned(), folder: None, created: None };
        schema.add_options(&format!("-c search_path={name}"));
        schema
    }

    /// Creates another schema in the same database, with no table in it; it goes with the database.
    pub async fn beside(&self) -> Self {
        Self::schema(&self.url).await
    }

    async fn create(server: &str, options: &str) -> Self {
        let name = format!("t_{}", unique());
        run(server, &format!("CREATE DATABASE {name} {options}")).await;
        Self { url: in_database(server, &name), folder: None, created: Some((server.to_owned(), name)) }
    }

    /// Adds options of its server to the address, as on a command line.
    pub fn add_options(&mut self, options: &str) {
        let separator = if self.url.contains("?options=") { "%20" } else { "?options=" };
        self.url += &format!("{separator}{}", options.replace(' ', "%20").replace('=', "%3D"));
    }

    /// A folder beside the database, for keys.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(std::env::temp_dir)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
        // All of them together would fill a small disk: each takes ten megabytes.
        if let Some((server, name)) = self.created.take() {
            let remove = async move { run(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await };
            // A thread of its own, since the caller's may be one of a runtime. A server that is gone took it along.
            let _ = std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(remove)).join();
        }
    }
}

fn in_schemas() -> bool {
    std::env::var_os(IN_SCHEMAS).is_some()
}

/// The throw-away server, if there is one.
fn server() -> Option<String> {
    let Ok(server) = std::env::var(SERVER) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{SERVER} is not set; run scripts/with-postgres");
        eprintln!("not tested on PostgreSQL: {SERVER} is not set");
        return None;
    };
    Some(server)
}

/// Creates the migrated database that the others are copies of.
async fn template(server: &str) -> String {
    let name = format!("template_{}", std::process::id());
    run(server, &format!("CREATE DATABASE {name}")).await;
    migrate(&in_database(server, &name)).await;
    name
}

/// The bytes of a migrated file. A thread of its own makes it, since the caller's may be one of a runtime.
fn sqlite_template() -> Vec<u8> {
    let make = || {
        let database = Database::empty_sqlite();
        tokio::runtime::Runtime::new().unwrap().block_on(migrate(&database.url));
        std::fs::read(database.folder().join(FILE)).unwrap()
    };
    std::thread::spawn(make).join().unwrap()
}

async fn migrate(url: &str) {
    let store = Store::connect(url, Limits { max_connections: 1, ..Limits::default() }).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join(FILE).display())
}

async fn run(server: &str, sql: &str) {
    let connection: DatabaseConnection = Connector::connect(server).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

fn in_database(server: &str, name: &str) -> String {
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

fn unique() -> String {
    format!("{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}
