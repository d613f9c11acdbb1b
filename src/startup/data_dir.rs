//! The data directory before anything is opened in it: readable by this user alone, and complete.
//!
//! Not here: the database file itself (`store::kernel::directory`), the key file (`keys`).

use super::keys;
use crate::{
    config::Config,
    domain::{Error, Result},
    store::{Store, kernel::directory::make_private},
};

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
    let is_empty = std::fs::metadata(&file).map_or(true, |metadata| metadata.len() == 0);
    match key.exists() && is_empty {
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
