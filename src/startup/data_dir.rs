//! The data directory before anything is opened in it: readable by this user alone, and complete.
//!
//! Not here: the database file itself (`store::kernel::directory`), the key file (`keys`).

use super::keys;
use crate::{
    config::Config,
    domain::{Error, Result},
    store::{Store, kernel::directory::make_private},
};

/// Reports that there is a database to connect to: a file that is not empty, or a server.
pub(super) fn has_database(config: &Config) -> bool {
    let Some(file) = Store::file_of(&config.database_url()) else { return true };
    std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0)
}

/// Makes the existing files private, and checks that the database and the key file belong together.
///
/// # Errors
/// [`Error::FailedPrecondition`] where the key exists and the database does not: a fresh database in its place would
/// hide the loss of everything, and a new key beside a restored one could open none of its secrets.
pub(super) fn prepare(config: &Config) -> Result<()> {
    let key = keys::path(config);
    if !config.is_embedded() || !config.secret_key.expose().is_empty() {
        return Ok(());
    }
    make_private(&config.data_dir);
    make_private(&key);
    // A wrong address is reported when it is connected to.
    let Some(file) = Store::file_of(&config.database_url()) else { return Ok(()) };
    match key.exists() && !has_database(config) {
        false => Ok(()),
        true => Err(Error::FailedPrecondition {
            message: format!(
                "{key} is there, but the database {file} is {state}: restore it from a backup, or, to begin anew without \
                 what was in it, remove {key}",
                key = key.display(),
                file = file.display(),
                state = if file.exists() { "empty" } else { "missing" },
            ),
        }),
    }
}
