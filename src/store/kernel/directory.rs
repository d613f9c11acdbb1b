//! Files of the embedded database: their permissions, and the lock of the serving process.
//!
//! Not here: the key file beside the database, and the check that both belong together (`startup`).

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::domain::{Error, Result};

/// The lock for serving from an embedded database. The operating system releases it when the process ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

/// Creates the directory and the file if they are missing, for this user alone. SQLite gives the files beside it the
/// same permissions.
///
/// # Errors
/// When they cannot be made.
pub(in crate::store) fn prepare(file: &Path) -> Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| failed("make the folder", folder, &error))?;
    }
    let made = OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    made.map_err(|error| failed("open the database file", file, &error))?;
    for name in ["", "-wal", "-shm"] {
        make_private(&beside(file, name));
    }
    Ok(())
}

/// Removes group's and others' permissions from a file or folder of ours. Another user's stays as it is, with a warning
/// in the log.
pub fn make_private(path: &Path) {
    let Ok(permissions) = fs::metadata(path).map(|metadata| metadata.permissions()) else { return };
    let private = permissions.mode() & 0o7700;
    if permissions.mode() & 0o077 == 0 {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(private)) {
        tracing::warn!(path = %path.display(), %error, "others have access, and the mode cannot be changed");
    }
}

/// Takes the lock beside the database file.
///
/// # Errors
/// [`Error::FailedPrecondition`] when another process has it.
pub(in crate::store) fn lock(file: &Path) -> Result<ServeLock> {
    let path = beside(file, ".lock");
    let lock = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let lock = lock.map_err(|error| failed("open the lock file", &path, &error))?;
    make_private(&path);
    match lock.try_lock() {
        Ok(()) => Ok(ServeLock { _file: lock }),
        Err(TryLockError::WouldBlock) => Err(Error::FailedPrecondition {
            message: format!(
                "another process serves from {}: stop it first, or use PostgreSQL, which several processes can share",
                file.display()
            ),
        }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path, &error)),
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::Internal(format!("cannot {what} {}: {error}", path.display()))
}
