//! Secrets at rest: envelope encryption.
//!
//! Not here: the tables that hold sealed secrets (`store`).
//!
//! Each organisation has a data key of its own, wrapped by the service's key (AES-256-GCM, NIST SP 800-38D, both
//! times). A sealed secret is bound to its table, column, row and organisation, so a ciphertext that was moved
//! elsewhere does not open. A record is: version (1 byte), nonce (12 bytes), ciphertext with tag.

use std::{collections::HashMap, time::Duration};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine, prelude::BASE64_STANDARD};
use moka::future::Cache;

use super::credential::sha256;
use crate::{
    domain::{Error, Result, ambient::Ambient, ids::OrganisationId, secret::Secret},
    store::{Store, tenancy::tenant_keys},
};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;
/// Lifetime of an opened data key in memory.
const CACHE_LIFETIME: Duration = Duration::from_secs(300);

/// The service's own keys: the current one seals, and former ones still open.
pub struct KeyRing {
    current: String,
    keys: HashMap<String, LessSafeKey>,
}

impl KeyRing {
    /// Parses keys in base64.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the setting, where one is not 32 bytes.
    pub fn new(current: &Secret, previous: &[Secret]) -> Result<Self> {
        let mut keys = HashMap::new();
        let mut add = |setting: &str, text: &Secret| {
            let bytes = BASE64_STANDARD.decode(text.expose().trim()).unwrap_or_default();
            let key = key(&bytes).map_err(|_| {
                Error::invalid(setting, "must be base64 of 32 bytes, such as `openssl rand -base64 32` makes")
            })?;
            // The id identifies a key without disclosing anything about it.
            let id = BASE64_STANDARD.encode(&sha256(&bytes)[..9]);
            keys.insert(id.clone(), key);
            Ok::<_, Error>(id)
        };
        for text in previous {
            add("secret_key_previous", text)?;
        }
        let current = add("secret_key", current)?;
        Ok(Self { current, keys })
    }
}

/// Row and column to which a sealed secret is bound.
#[derive(Clone, Copy, Debug)]
pub struct SecretLocation<'a> {
    /// Owning organisation.
    pub organisation_id: OrganisationId,
    /// Table.
    pub table: &'a str,
    /// Column.
    pub column: &'a str,
    /// Id of the row.
    pub row: uuid::Uuid,
}

impl SecretLocation<'_> {
    fn aad(&self) -> Vec<u8> {
        let Self { organisation_id, table, column, row } = self;
        format!("{VERSION}|{organisation_id}|{table}|{column}|{row}").into_bytes()
    }
}

/// Seals and opens secrets.
pub struct Vault {
    ring: KeyRing,
    store: Store,
    ambient: Ambient,
    data_keys: Cache<OrganisationId, Secret>,
}

impl Vault {
    /// Opens the vault.
    ///
    /// # Errors
    /// [`Error::Internal`] where the database holds a data key that none of the keys opens: otherwise a wrong key would
    /// only show when the first secret is needed.
    pub async fn open(ring: KeyRing, store: Store, ambient: Ambient) -> Result<Self> {
        for id in tenant_keys::wrapping_ids(store.reader()).await? {
            if !ring.keys.contains_key(&id) {
                return Err(Error::Internal(format!(
                    "secrets in the database are sealed by the key {id}, which is neither secret_key nor one of \
                     secret_key_previous; set the key that they were sealed with"
                )));
            }
        }
        let data_keys = Cache::builder().max_capacity(10_000).time_to_live(CACHE_LIFETIME).build();
        Ok(Self { ring, store, ambient, data_keys })
    }

    /// Ensures that the organisation has a data key. Call it before a transaction that seals: on SQLite there is one
    /// writer, and creating the first key would wait for that very transaction.
    ///
    /// # Errors
    /// When the data key cannot be loaded or created.
    pub async fn prepare(&self, organisation_id: OrganisationId) -> Result<()> {
        self.data_key(organisation_id).await.map(drop)
    }

    /// Seals a secret for a row and column.
    ///
    /// # Errors
    /// When the data key cannot be loaded or created.
    pub async fn seal(&self, location: SecretLocation<'_>, secret: &Secret) -> Result<Vec<u8>> {
        let key = self.data_key(location.organisation_id).await?;
        seal(&key, &location.aad(), self.ambient.random(), secret.expose().as_bytes())
    }

    /// Opens a secret that was sealed for this row and column.
    ///
    /// # Errors
    /// [`Error::Internal`] where it was changed, moved, or sealed with another key.
    pub async fn unseal(&self, location: SecretLocation<'_>, sealed: &[u8]) -> Result<Secret> {
        let key = self.data_key(location.organisation_id).await?;
        let bytes = open(&key, &location.aad(), sealed).map_err(|_| {
            Error::Internal(format!("{}.{} of row {} does not open", location.table, location.column, location.row))
        })?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| Error::Internal("a secret is not text".into()))
    }

    /// Wraps every data key anew with the current key and returns their number; afterwards, former keys can be removed.
    ///
    /// # Errors
    /// When a data key does not open, or the database fails.
    pub async fn rotate(&self) -> Result<usize> {
        let old = tenant_keys::not_wrapped_by(self.store.reader(), &self.ring.current).await?;
        let tx = self.store.begin().await?;
        for wrapped in &old {
            let data_key = self.unwrap(wrapped)?;
            tenant_keys::rewrap(&tx, self.wrap(wrapped.organisation_id, &data_key)?).await?;
        }
        tx.commit().await?;
        Ok(old.len())
    }

    async fn data_key(&self, organisation_id: OrganisationId) -> Result<LessSafeKey> {
        let text = match self.data_keys.get(&organisation_id).await {
            Some(text) => text,
            None => {
                let text = self.load(organisation_id).await?;
                self.data_keys.insert(organisation_id, text.clone()).await;
                text
            }
        };
        key(&BASE64_STANDARD.decode(text.expose()).unwrap_or_default())
    }

    /// Returns the organisation's data key in base64, creating it if necessary. Of two concurrent creations, the first
    /// stays.
    async fn load(&self, organisation_id: OrganisationId) -> Result<Secret> {
        if let Some(wrapped) = tenant_keys::find(self.store.reader(), organisation_id).await? {
            return self.unwrap(&wrapped);
        }
        let fresh = Secret::new(BASE64_STANDARD.encode(self.ambient.random::<KEY_BYTES>()));
        let wrapped = self.wrap(organisation_id, &fresh)?;
        tenant_keys::insert(self.store.writer(), wrapped, self.ambient.now()).await?;
        let kept = tenant_keys::find(self.store.writer(), organisation_id).await?;
        self.unwrap(&kept.ok_or_else(|| Error::Internal("a data key that was just kept is gone".into()))?)
    }

    fn wrap(&self, organisation_id: OrganisationId, data_key: &Secret) -> Result<tenant_keys::WrappedKey> {
        let current = self.ring.keys.get(&self.ring.current).ok_or_else(|| Error::Internal("no current key".into()))?;
        let aad = organisation_id.to_string().into_bytes();
        let wrapped_key = seal(current, &aad, self.ambient.random(), data_key.expose().as_bytes())?;
        Ok(tenant_keys::WrappedKey { organisation_id, wrapped_by: self.ring.current.clone(), wrapped_key })
    }

    fn unwrap(&self, wrapped: &tenant_keys::WrappedKey) -> Result<Secret> {
        let failed = || Error::Internal(format!("the data key of {} does not open", wrapped.organisation_id));
        let key = self.ring.keys.get(&wrapped.wrapped_by).ok_or_else(failed)?;
        let aad = wrapped.organisation_id.to_string().into_bytes();
        let bytes = open(key, &aad, &wrapped.wrapped_key).map_err(|_| failed())?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| failed())
    }
}

fn key(bytes: &[u8]) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| Error::Internal("an encryption key must have 32 bytes".into()))
}

fn seal(key: &LessSafeKey, aad: &[u8], nonce: [u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>> {
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
        .map_err(|_| Error::Internal("a secret could not be sealed".into()))?;
    Ok([&[VERSION], &nonce[..], &sealed].concat())
}

fn open(key: &LessSafeKey, aad: &[u8], record: &[u8]) -> Result<Vec<u8>> {
    let broken = || Error::Internal("a sealed secret is broken".into());
    let (version, rest) = record.split_first().ok_or_else(broken)?;
    let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
    if *version != VERSION {
        return Err(broken());
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut plain = sealed.to_vec();
    let length = key.open_in_place(nonce, Aad::from(aad), &mut plain).map_err(|_| broken())?.len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = key(&[7; 32]).unwrap();
        let sealed = seal(&key, b"place", [1; 12], b"xoxb-secret").unwrap();
        assert_eq!(open(&key, b"place", &sealed).unwrap(), b"xoxb-secret");
        assert!(open(&key, b"elsewhere", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(open(&key, b"place", &changed).is_err(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, b"place", &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn keys_have_32_bytes() {
        let good = Secret::new(BASE64_STANDARD.encode([1; 32]));
        assert!(KeyRing::new(&good, std::slice::from_ref(&good)).is_ok());
        for bad in ["", "short", &BASE64_STANDARD.encode([1; 31])] {
            assert!(KeyRing::new(&Secret::new(bad), &[]).is_err(), "{bad}");
            assert!(KeyRing::new(&good, &[Secret::new(bad)]).is_err(), "{bad}");
        }
    }
}
