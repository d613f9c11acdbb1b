//! Authentication: personal access tokens and JWTs (RFC 7519, by the rules of RFC 8725).
//!
//! Not here: permissions (`access`), and the rate limit of wrong credentials (`credential_checks`).

use std::{collections::HashSet, sync::Mutex, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header, jwk::JwkSet};
use moka::future::Cache;
use serde::Deserialize;
use url::Url;

use super::{
    Tenancy,
    credential::{Credential, Kind, sha256},
};
use crate::{
    app::Caller,
    domain::{Error, Result, ambient::Time, error::AuthFailure, ids::OrganisationId, secret::Secret, tenancy::token},
    provider::jwks::{self, JwksSource},
    store,
};

/// Tolerated difference between an issuer's clock and ours.
const LEEWAY: chrono::Duration = chrono::Duration::seconds(60);
/// Longest accepted lifetime of a JWT.
const LONGEST_LIFE: chrono::Duration = chrono::Duration::days(366);
/// Shortest interval between two requests for an issuer's keys because of an unknown one.
const JWKS_REFETCH: chrono::Duration = chrono::Duration::seconds(60);

/// Trust in JWTs. One algorithm, one issuer: never chosen by the token.
pub enum Issuer {
    /// No JWT is accepted.
    Nobody,
    /// JWTs signed with a shared secret, HS256.
    Shared {
        /// The secret.
        secret: Secret,
        /// Required claims.
        claims: ExpectedClaims,
    },
    /// JWTs of an external issuer that publishes its keys.
    External {
        /// Address of the key set.
        url: Url,
        /// Client that fetches the key set.
        source: JwksSource,
        /// The only accepted algorithm.
        algorithm: Algorithm,
        /// Required claims.
        claims: ExpectedClaims,
    },
}

/// Issuer and audience that a JWT must name.
#[derive(Clone, Debug)]
pub struct ExpectedClaims {
    /// `iss`, compared exactly.
    pub issuer: String,
    /// `aud`, compared exactly with the value or an element of its list.
    pub audience: String,
    /// Claim in which the issuer lists the organisations of the subject; `None` where it lists none.
    pub organisations: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    /// Seconds, possibly with a fraction (RFC 7519, 2).
    exp: f64,
    organisation_id: Option<String>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
    /// Organisations that the issuer asserts the subject to belong to: slugs or ids.
    #[serde(skip)]
    organisations: Vec<String>,
}

/// The keys of an external issuer, the time of the last request for them, and whether it was answered.
#[derive(Default)]
struct KnownKeys {
    set: Option<JwkSet>,
    asked_at: Option<Time>,
    answered: bool,
}

/// Authenticates callers, and caches them for a short time.
pub struct Identity {
    issuer: Issuer,
    keys: Mutex<KnownKeys>,
    /// Serialises requests for keys: the others wait for the answer of the first.
    asking: tokio::sync::Mutex<()>,
    known: Cache<[u8; 32], Caller>,
}

impl Identity {
    /// Accepts tokens and the JWTs of `issuer`, each for `cache_lifetime` without another database query.
    pub fn new(issuer: Issuer, cache_lifetime: Duration) -> Self {
        let known = Cache::builder().max_capacity(100_000).time_to_live(cache_lifetime).build();
        Self { issuer, keys: Mutex::default(), asking: tokio::sync::Mutex::default(), known }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, KnownKeys> {
        self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Clears the cache, after a revocation or a change of permissions.
    pub fn forget(&self) {
        self.known.invalidate_all();
    }
}

impl Tenancy {
    /// Authenticates a caller. `wanted` is the organisation that the request names, where the dialect supports that.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], also for an operator, who is a member of none; or [`Error::Invalid`] where the user is
    /// in several organisations and none is named.
    pub async fn authenticate(&self, credential: &str, wanted: Option<OrganisationId>) -> Result<Caller> {
        let identity = &self.identity;
        let wanted_text = wanted.map(|id| id.to_string()).unwrap_or_default();
        let key = sha256(format!("{credential} {wanted_text}").as_bytes());
        if let Some(caller) = identity.known.get(&key).await {
            return match caller.expires_at {
                Some(end) if end <= self.base.now() => Err(Error::Unauthenticated(AuthFailure::Expired)),
                _ => Ok(caller),
            };
        }
        let caller = match Kind::of(credential) {
            Some(Kind::Personal) => self.authenticate_token(credential, wanted).await?,
            Some(Kind::Operator) => {
                self.authenticate_operator_token(credential).await?;
                return Err(Error::Unauthenticated(AuthFailure::NotAMember));
            }
            None => self.authenticate_jwt(credential, wanted).await?,
        };
        identity.known.insert(key, caller.clone()).await;
        Ok(caller)
    }

    pub(super) async fn authenticate_token(&self, text: &str, wanted: Option<OrganisationId>) -> Result<Caller> {
        let refused = |why| Err(Error::Unauthenticated(why));
        let parsed = Credential::parse(text).filter(|credential| credential.kind == Kind::Personal);
        let Some(credential) = parsed else { return refused(AuthFailure::Invalid) };
        let reader = self.base.store.reader();
        let found = store::tenancy::tokens::find_with_secret(reader, credential.id.into()).await?;
        let Some((token, hash)) = found else { return refused(AuthFailure::Invalid) };
        if !credential.matches(&hash) {
            return refused(AuthFailure::Invalid);
        }
        let now = self.base.now();
        token.validity().require(now)?;
        if wanted.is_some_and(|wanted| wanted != token.organisation_id) {
            return refused(AuthFailure::NotAMember);
        }
        let member = store::tenancy::members::find_by_id(reader, token.member_id).await?;
        if token::is_use_written(token.last_used_at, now) {
            store::tenancy::tokens::touch(self.base.store.writer(), token.id, now).await?;
        }
        Ok(Caller::token(&member, &token))
    }

    async fn authenticate_jwt(&self, text: &str, wanted: Option<OrganisationId>) -> Result<Caller> {
        let claims = self.verify_jwt(text).await?;
        let end = time(claims.exp).ok_or(Error::Unauthenticated(AuthFailure::Invalid))?;
        if end > self.base.now() + LONGEST_LIFE {
            return Err(Error::Unauthenticated(AuthFailure::Invalid));
        }
        let named = match &claims.organisation_id {
            Some(id) => Some(id.parse().map_err(|_| Error::Unauthenticated(AuthFailure::Invalid))?),
            None => None,
        };
        if let (Some(wanted), Some(named)) = (wanted, named)
            && wanted != named
        {
            return Err(Error::Unauthenticated(AuthFailure::NotAMember));
        }
        let memberships = self.memberships_of(&claims.sub, &claims.organisations).await?;
        let member = match wanted.or(named) {
            Some(organisation) => memberships.iter().find(|member| member.organisation_id == organisation),
            None if memberships.len() > 1 => {
                return Err(Error::invalid(
                    "X-Organisation-Id",
                    "is needed: you are a member of several organisations; GET /v1/organisations with any of their ids \
                     lists them",
                ));
            }
            None => memberships.first(),
        };
        let member = member.ok_or(Error::Unauthenticated(AuthFailure::NotAMember))?;
        let mut caller = Caller::member(member, Some(end + LEEWAY));
        caller.subject = Some(claims.sub);
        Ok(caller)
    }

    /// Returns the organisations of which the subject of a JWT is a member.
    pub(in crate::app) async fn memberships(&self, credential: &str) -> Result<Vec<OrganisationId>> {
        let claims = self.verify_jwt(credential).await?;
        let memberships = self.memberships_of(&claims.sub, &claims.organisations).await?;
        Ok(memberships.iter().map(|member| member.organisation_id).collect())
    }

    /// Returns the subject of a verified JWT, which need not be a member of any organisation.
    pub(in crate::app) async fn subject_of(&self, credential: &str) -> Result<String> {
        Ok(self.verify_jwt(credential).await?.sub)
    }

    async fn verify_jwt(&self, text: &str) -> Result<Claims> {
        match &self.identity.issuer {
            Issuer::Nobody => Err(Error::Unauthenticated(AuthFailure::Invalid)),
            Issuer::Shared { secret, claims } => {
                let key = DecodingKey::from_secret(secret.expose().as_bytes());
                self.check_jwt(text, &key, Algorithm::HS256, claims)
            }
            Issuer::External { url, source, algorithm, claims } => {
                let key = self.issuers_key(text, url, source).await?;
                self.check_jwt(text, &key, *algorithm, claims)
            }
        }
    }

    /// Verifies a JWT. `exp` and `nbf` are compared here with our clock, since the library reads the ambient one.
    fn check_jwt(
        &self,
        text: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
        expected: &ExpectedClaims,
    ) -> Result<Claims> {
        #[derive(Deserialize)]
        struct Timed {
            iss: String,
            nbf: Option<f64>,
            #[serde(flatten)]
            claims: Claims,
        }
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.set_audience(&[&expected.audience]);
        validation.set_issuer(&[&expected.issuer]);
        // Without this, a token that lacks `iss` or `aud` would pass.
        validation.required_spec_claims = HashSet::from(["exp", "iss", "aud", "sub"].map(str::to_owned));
        let invalid = || Error::Unauthenticated(AuthFailure::Invalid);
        let TokenData { header, claims: Timed { iss, nbf, mut claims }, .. } = decode::<Timed>(text, key, &validation)
            .map_err(|error| {
                tracing::debug!(kind = ?error.kind(), "a JWT was refused");
                invalid()
            })?;
        // The library also accepts a list of issuers, and ignores critical headers (RFC 7515, 4.1.11).
        if iss != expected.issuer || header.crit.is_some() {
            return Err(invalid());
        }
        let now = self.base.now();
        if time(claims.exp).ok_or_else(invalid)? <= now - LEEWAY {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        if let Some(nbf) = nbf
            && time(nbf).ok_or_else(invalid)? > now + LEEWAY
        {
            return Err(invalid());
        }
        // No subject is stored with such a name, and not every database accepts it.
        if claims.sub.is_empty() || claims.sub.chars().any(char::is_control) {
            return Err(invalid());
        }
        if let Some(listed) = expected.organisations.as_ref().and_then(|name| claims.others.remove(name)) {
            claims.organisations = names(&listed);
        }
        Ok(claims)
    }

    /// Returns the issuer's key that a JWT names by `kid`. Unknown keys are requested at most once a minute.
    async fn issuers_key(&self, text: &str, url: &Url, source: &JwksSource) -> Result<DecodingKey> {
        let invalid = || Error::Unauthenticated(AuthFailure::Invalid);
        let kid = decode_header(text).map_err(|_| invalid())?.kid;
        let find = |set: &JwkSet| {
            let jwk = match &kid {
                Some(kid) => set.find(kid),
                None if set.keys.len() == 1 => set.keys.first(),
                None => None,
            };
            jwk.and_then(|jwk| DecodingKey::from_jwk(jwk).ok())
        };
        let identity = &self.identity;
        if let Some(key) = identity.keys().set.as_ref().and_then(find) {
            return Ok(key);
        }
        let _turn = identity.asking.lock().await;
        let now = self.base.now();
        {
            let mut keys = identity.keys();
            if let Some(key) = keys.set.as_ref().and_then(find) {
                return Ok(key);
            }
            if keys.asked_at.is_some_and(|last| now < last + JWKS_REFETCH) {
                // While the issuer does not answer, the token may still be valid.
                return Err(if keys.answered { invalid() } else { jwks::unavailable() });
            }
            (keys.asked_at, keys.answered) = (Some(now), false);
        }
        let set = source.fetch(url).await?;
        let key = find(&set);
        let mut keys = identity.keys();
        (keys.set, keys.answered) = (Some(set), true);
        key.ok_or_else(invalid)
    }
}

/// Returns the texts of a claim that is one text or a list of them.
fn names(claim: &serde_json::Value) -> Vec<String> {
    let list = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    list.iter().filter_map(|name| name.as_str()).map(str::to_owned).collect()
}

/// Converts a `NumericDate` (RFC 7519, 2).
fn time(seconds: f64) -> Option<Time> {
    #[allow(clippy::cast_possible_truncation, reason = "it saturates, and what is out of range is no time")]
    Time::from_timestamp_millis((seconds * 1000.0).floor() as i64)
}
