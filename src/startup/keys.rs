//! The service's secret key: from the configuration, or for the embedded database from a file that is created at the
//! first start. And the key of its app at GitHub.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{
    app::tenancy::vault::{KeyRing, Vault},
    config::Config,
    domain::{Error, Result, ambient::Ambient, secret::Secret},
    store::Store,
};

/// Returns the keys that the configuration names.
pub(super) fn ring(config: &Config, ambient: &Ambient) -> Result<KeyRing> {
    if !config.secret_key.expose().is_empty() {
        return KeyRing::new(&config.secret_key, &config.secret_key_previous);
    }
    if !config.is_embedded() {
        return Err(Error::invalid(
            "secret_key",
            "must be set where the database is PostgreSQL: every replica needs the same one; \
             set TIELINE_SECRET_KEY to the output of `openssl rand -base64 32`",
        ));
    }
    let mut keys = read(config)?;
    if keys.is_empty() {
        first(config, &fresh(ambient))?;
        keys = read(config)?;
    }
    let (current, previous) = keys.split_first().ok_or_else(|| failed(config, &"it is empty"))?;
    KeyRing::new(current, previous)
}

/// Generates a new key where the key is a file, and wraps every organisation's key anew. Returns their number.
///
/// # Errors
/// When the file cannot be written, or a key does not open.
pub async fn rotate(config: &Config, store: Store, ambient: Ambient) -> Result<usize> {
    let in_file = config.secret_key.expose().is_empty() && config.is_embedded();
    if in_file {
        let mut keys = read(config)?;
        keys.insert(0, fresh(&ambient));
        write(config, &keys)?;
    }
    let vault = Vault::open(ring(config, &ambient)?, store, ambient).await?;
    let count = vault.rotate().await?;
    if in_file {
        // From here on nothing needs the former keys any more.
        write(config, &read(config)?[..1])?;
    }
    Ok(count)
}

/// Returns the private key of the app at GitHub: from the configuration, or from the file that it names.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn github(config: &Config) -> Result<Secret> {
    let path = &config.github.private_key_file;
    if path.as_os_str().is_empty() {
        return Ok(config.github.private_key.clone());
    }
    fs::read_to_string(path).map(Secret::new).map_err(|error| {
        Error::invalid("github.private_key_file", format!("{} cannot be read: {error}", path.display()))
    })
}

pub(super) fn path(config: &Config) -> PathBuf {
    config.data_dir.join("secret.key")
}

fn fresh(ambient: &Ambient) -> Secret {
    Secret::new(BASE64_STANDARD.encode(ambient.random::<32>()))
}

/// Reads the keys of the file, the current one first; none without a file.
fn read(config: &Config) -> Result<Vec<Secret>> {
    match fs::read_to_string(path(config)) {
        Ok(text) => Ok(text.lines().filter(|line| !line.trim().is_empty()).map(Secret::new).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(config, &error)),
    }
}

/// Creates the file with the first key, unless another process was faster: a key that has sealed something must never
/// be replaced by one that has not.
fn first(config: &Config, key: &Secret) -> Result<()> {
    let beside = path(config).with_extension(format!("key.{}", std::process::id()));
    let make = || {
        write_beside(config, &beside, std::slice::from_ref(key))?;
        let made = fs::hard_link(&beside, path(config));
        fs::remove_file(&beside)?;
        match made {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    };
    make().map_err(|error: std::io::Error| failed(config, &error))
}

/// Replaces the file atomically, readable by its owner alone.
fn write(config: &Config, keys: &[Secret]) -> Result<()> {
    let beside = path(config).with_extension("key.new");
    let replace = || {
        write_beside(config, &beside, keys)?;
        fs::rename(&beside, path(config))
    };
    replace().map_err(|error| failed(config, &error))
}

fn write_beside(config: &Config, beside: &Path, keys: &[Secret]) -> std::io::Result<()> {
    fs::create_dir_all(&config.data_dir)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    for key in keys {
        writeln!(file, "{}", key.expose())?;
    }
    file.sync_all()
}

fn failed(config: &Config, error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("the key file {} cannot be used: {error}", path(config).display()))
}
