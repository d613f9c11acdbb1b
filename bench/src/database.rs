//! Database of a run: an SQLite file in a folder of the run's own, or databases on a PostgreSQL server started for it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::{Result, process::Program};

/// Protects nothing: base64 of 32 bytes.
const SECRET_KEY: &str = "dGllbGluZS1iZW5jaC1ub3QtYS1zZWNyZXQtMzJieXQ=";

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL, a server.
    Postgres,
}

impl Kind {
    /// Parses the name on the command line.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sqlite" => Some(Self::Sqlite),
            "postgres" => Some(Self::Postgres),
            _ => None,
        }
    }
}

/// Place in which databases are created.
#[derive(Clone, Debug)]
pub enum Databases {
    /// Files.
    Sqlite,
    /// A server.
    Postgres {
        /// `postgres://…:port`, without the database.
        server: String,
        /// Process id of the postmaster.
        postmaster: u32,
        /// Its folder.
        data: PathBuf,
    },
}

impl Databases {
    /// Returns the place for that kind of database.
    ///
    /// # Errors
    /// When no PostgreSQL server is named in the environment or it does not answer.
    pub async fn of(kind: Kind) -> Result<Self> {
        if kind == Kind::Sqlite {
            return Ok(Self::Sqlite);
        }
        let url = std::env::var("TIELINE_TEST_POSTGRES_URL").map_err(|_| "TIELINE_TEST_POSTGRES_URL is not set")?;
        let (server, _) = url.rsplit_once('/').ok_or("TIELINE_TEST_POSTGRES_URL names no database")?;
        let folder = psql(&url, "SHOW data_directory").await?;
        let data = PathBuf::from(folder.trim());
        let file = data.join("postmaster.pid");
        let pid = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let postmaster = pid.lines().next().unwrap_or_default().trim().parse()?;
        Ok(Self::Postgres { server: server.to_owned(), postmaster, data })
    }

    /// Returns its name for the table.
    ///
    /// # Errors
    /// When the server does not say its version.
    pub async fn name(&self) -> Result<String> {
        match self {
            Self::Sqlite => Ok("SQLite".to_owned()),
            Self::Postgres { server, .. } => {
                let version = psql(&format!("{server}/postgres"), "SHOW server_version").await?;
                Ok(format!("PostgreSQL {}", version.split_whitespace().next().unwrap_or_default()))
            }
        }
    }

    /// Returns the process id of the postmaster, if there is a server.
    pub fn postmaster(&self) -> Option<u32> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { postmaster, .. } => Some(*postmaster),
        }
    }

    /// Returns the address of the database called `name`, below `home`, as [`Databases::fresh`] creates it.
    pub fn url(&self, name: &str, home: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", file(name, home).display()),
            Self::Postgres { server, .. } => format!("{server}/{name}"),
        }
    }

    /// Returns the bytes that the disk of the databases has left.
    ///
    /// # Errors
    /// When `df` does not tell.
    pub async fn free_bytes(&self, home: &Path) -> Result<u64> {
        let folder = match self {
            Self::Sqlite => home,
            Self::Postgres { data, .. } => data,
        };
        let output =
            Command::new("df").args(["--output=avail", "-B1"]).arg(folder).stdin(Stdio::null()).output().await?;
        let text = String::from_utf8(output.stdout)?;
        let bytes = text.lines().last().and_then(|line| line.trim().parse().ok());
        bytes.ok_or_else(|| format!("df {}: {}", folder.display(), String::from_utf8_lossy(&output.stderr)).into())
    }

    /// Makes a closed SQLite database durable on its disk; a server does that itself.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self, name: &str, home: &Path) -> Result<()> {
        match self {
            Self::Sqlite => Ok(std::fs::File::open(file(name, home))?.sync_all()?),
            Self::Postgres { .. } => Ok(()),
        }
    }

    /// Creates an empty database called `name`, below `home`, and returns the program with the settings for it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub async fn fresh(&self, program: &Program, name: &str, home: &Path) -> Result<Program> {
        let folder = home.join(name);
        std::fs::create_dir_all(&folder)?;
        let program = program.clone().with("TIELINE_DATA_DIR", folder.to_string_lossy());
        match self {
            Self::Sqlite => Ok(program),
            Self::Postgres { server, .. } => {
                psql(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}")).await?;
                Ok(program.with("DATABASE_URL", format!("{server}/{name}")).with("TIELINE_SECRET_KEY", SECRET_KEY))
            }
        }
    }
}

/// File of an SQLite database in the data directory of its Tieline.
fn file(name: &str, home: &Path) -> PathBuf {
    home.join(name).join("tieline.db")
}

async fn psql(url: &str, sql: &str) -> Result<String> {
    let arguments = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql, url];
    let output = Command::new("psql").args(arguments).stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("psql, the client of PostgreSQL, does not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("psql: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
