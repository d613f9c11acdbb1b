//! Codes and tokens: their holders, rights and lifetimes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::ids::Ids;

/// Lifetime of a user's token.
pub(crate) const USER_TOKEN_SECS: i64 = 28_800;
/// Lifetime of a refresh token.
pub(crate) const REFRESH_SECS: i64 = 15_897_600;
/// Lifetime of an installation's token.
pub(crate) const INSTALLATION_TOKEN_SECS: i64 = 3_600;
const CODE_SECS: i64 = 600;
/// Number of characters after the prefix of GitHub's tokens.
const LENGTH: usize = 36;

/// A user's consent that waits to be exchanged.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) user: u64,
    /// Address to which the browser took the code.
    pub(crate) redirect_uri: Option<String>,
    /// Hash of the PKCE verifier that has to come with the code.
    pub(crate) challenge: Option<String>,
}

/// Subject for which a token acts.
#[derive(Clone)]
pub(crate) enum Holder {
    /// A person, by id.
    User(u64),
    /// An installation, optionally limited to some of its repositories.
    Installation { id: u64, repositories: Option<BTreeSet<u64>> },
}

struct Token {
    holder: Arc<Holder>,
    expires_at: i64,
}

/// A user's token with its refresh token.
pub(crate) struct UserTokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// All codes and tokens.
pub(crate) struct Grants {
    ids: Ids,
    codes: Mutex<HashMap<String, (Consent, i64)>>,
    tokens: RwLock<HashMap<String, Token>>,
    refreshes: Mutex<HashMap<String, (u64, i64)>>,
}

impl Grants {
    /// Creates an empty store; the text of codes and tokens comes from these ids.
    pub(crate) fn new(ids: Ids) -> Self {
        Self { ids, codes: Mutex::default(), tokens: RwLock::default(), refreshes: Mutex::default() }
    }

    fn secret(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.ids.digits(LENGTH))
    }

    /// Exchanges a consent for a code.
    pub(crate) fn consent(&self, consent: Consent, now: i64) -> String {
        let code = self.ids.digits(20);
        self.codes.lock().insert(code.clone(), (consent, now + CODE_SECS));
        code
    }

    /// Consumes a code in any case; nothing when it was used before or has expired.
    pub(crate) fn redeem(&self, code: &str, now: i64) -> Option<Consent> {
        let (consent, expires_at) = self.codes.lock().remove(code)?;
        (now < expires_at).then_some(consent)
    }

    /// Issues tokens for a person.
    pub(crate) fn user_tokens(&self, user: u64, now: i64) -> UserTokens {
        let (access, refresh) = (self.secret("ghu_"), self.secret("ghr_"));
        let token = Token { holder: Arc::new(Holder::User(user)), expires_at: now + USER_TOKEN_SECS };
        self.tokens.write().insert(access.clone(), token);
        self.refreshes.lock().insert(refresh.clone(), (user, now + REFRESH_SECS));
        UserTokens { access, refresh }
    }

    /// Issues new tokens for a refresh token, which is consumed.
    pub(crate) fn refresh(&self, secret: &str, now: i64) -> Option<UserTokens> {
        let (user, expires_at) = self.refreshes.lock().remove(secret)?;
        (now < expires_at).then(|| self.user_tokens(user, now))
    }

    /// Issues a token for an installation.
    pub(crate) fn installation_token(&self, holder: Holder, now: i64) -> String {
        let secret = self.secret("ghs_");
        let token = Token { holder: Arc::new(holder), expires_at: now + INSTALLATION_TOKEN_SECS };
        self.tokens.write().insert(secret.clone(), token);
        secret
    }

    /// Returns the subject of a token, if it is valid.
    pub(crate) fn holder(&self, secret: &str, now: i64) -> Option<Arc<Holder>> {
        let tokens = self.tokens.read();
        tokens.get(secret).filter(|token| now < token.expires_at).map(|token| Arc::clone(&token.holder))
    }

    /// Revokes one token.
    pub(crate) fn revoke(&self, secret: &str) {
        self.tokens.write().remove(secret);
    }

    /// Revokes every token of a person.
    pub(crate) fn revoke_user(&self, user: u64) {
        self.tokens.write().retain(|_, token| !matches!(*token.holder, Holder::User(id) if id == user));
        self.refreshes.lock().retain(|_, (id, _)| *id != user);
    }

    /// Revokes every token of an installation.
    pub(crate) fn revoke_installation(&self, installation: u64) {
        let ends = |token: &Token| matches!(*token.holder, Holder::Installation { id, .. } if id == installation);
        self.tokens.write().retain(|_, token| !ends(token));
    }
}
