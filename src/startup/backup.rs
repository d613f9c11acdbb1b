//! Backups of the embedded database with its key, and their restoration.
//!
//! Not here: backups of PostgreSQL, which its own tools make.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{data_dir, keys, open_store, system_ambient};
use crate::{
    app::tenancy::vault::Vault,
    config::Config,
    domain::{Error, Result},
    store::{Store, kernel::copies},
};

/// Name of the database in a backup.
const DATABASE: &str = "tieline.db";
/// Name of the key in a backup.
const KEY: &str = "secret.key";

/// A backup that was written or restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its folder.
    pub folder: PathBuf,
    /// Size of the database, in bytes.
    pub database_bytes: u64,
    /// True if the key is a part of it. A key of the configuration is not.
    pub with_key: bool,
}

/// Writes the database as of one moment, and its key, to a new folder. The service may go on meanwhile.
///
/// # Errors
/// [`Error::FailedPrecondition`] on PostgreSQL, where there is no database yet, where the folder exists, or where the key
/// was changed meanwhile.
pub async fn save(config: &Config, folder: &Path) -> Result<Saved> {
    let file = embedded(config)?;
    if !data_dir::has_database(config) {
        return refused(format!("there is no database at {}: check data_dir", file.display()));
    }
    if folder.exists() {
        return refused(format!("{} exists already: name a new folder", folder.display()));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, &error))?;
    // A key is rotated in steps around the database's change, so one that is the same before and after opens the copy.
    let before = key(config)?;
    copies::copy(&file, &folder.join(DATABASE)).await?;
    if key(config)? != before {
        return refused("the key was rotated meanwhile: remove the folder and begin again".to_owned());
    }
    if let Some(text) = &before {
        write(&folder.join(KEY), text)?;
    }
    sync(folder)?;
    saved(folder, before.is_some())
}

/// Restores a backup to a data directory that has no database, and checks that database and key belong together.
///
/// # Errors
/// [`Error::FailedPrecondition`] on PostgreSQL, where the data directory has a database or a key, or where the backup is
/// incomplete, damaged, or of a newer version.
pub async fn restore(config: &Config, folder: &Path) -> Result<Saved> {
    let file = embedded(config)?;
    let (database, key) = (folder.join(DATABASE), folder.join(KEY));
    if !database.exists() {
        return refused(format!("{} is not there: name a folder that `tieline backup` wrote", database.display()));
    }
    for taken in [&file, &keys::path(config)] {
        if taken.exists() {
            return refused(format!("{} exists already: stop the service and move it away first", taken.display()));
        }
    }
    let own_key = !config.secret_key.expose().is_empty();
    if !own_key && !key.exists() {
        return refused(format!(
            "{} is not there: set TIELINE_SECRET_KEY to the key that the service had",
            key.display()
        ));
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, &error))?;
    }
    copies::copy(&database, &file).await?;
    if !own_key {
        write(&keys::path(config), &fs::read(&key).map_err(|error| failed(&key, &error))?)?;
    }
    file.parent().map_or(Ok(()), sync)?;
    let store = open_store(config).await?;
    let opened = Vault::open(keys::ring(config, &system_ambient())?, store.clone(), system_ambient()).await;
    store.close().await;
    opened?;
    saved(folder, !own_key)
}

/// Returns the file of the embedded database.
fn embedded(config: &Config) -> Result<PathBuf> {
    Store::file_of(&config.database_url()).map_or_else(
        || {
            refused(
                "the database is PostgreSQL: back it up and restore it with its own tools (pg_dump --format=custom, \
                 pg_restore), and keep TIELINE_SECRET_KEY with the backup"
                    .to_owned(),
            )
        },
        Ok,
    )
}

/// Returns the text of the key file; `None` where the key is in the configuration.
fn key(config: &Config) -> Result<Option<Vec<u8>>> {
    if !config.secret_key.expose().is_empty() {
        return Ok(None);
    }
    let path = keys::path(config);
    fs::read(&path).map(Some).map_err(|error| failed(&path, &error))
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = made.and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
    written.map_err(|error| failed(path, &error))
}

fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
}

fn saved(folder: &Path, with_key: bool) -> Result<Saved> {
    let database = folder.join(DATABASE);
    let size = fs::metadata(&database).map_err(|error| failed(&database, &error))?.len();
    Ok(Saved { folder: folder.to_owned(), database_bytes: size, with_key })
}

fn refused<T>(message: String) -> Result<T> {
    Err(Error::FailedPrecondition { message })
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::FailedPrecondition { message: format!("{} cannot be used: {error}", path.display()) }
}
