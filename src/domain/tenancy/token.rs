//! Personal access tokens as stored records.
//!
//! Not here: their text, which is made and checked in `app::tenancy::credential`.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::member::Permission;
use crate::domain::{
    Error, Result,
    ambient::Time,
    error::AuthFailure,
    ids::{MemberId, OrganisationId, TokenId, UserId},
};

/// Interval at which the use of a token is written: a busy one must not cost a write per request.
const USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Times of a token that decide whether it opens anything: a member's, or an operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Time of expiry.
    pub expires_at: Option<Time>,
    /// Time of revocation.
    pub revoked_at: Option<Time>,
}

impl Validity {
    /// Demands that the token is neither revoked nor expired.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn require(self, now: Time) -> Result<()> {
        if self.revoked_at.is_some() {
            return Err(Error::Unauthenticated(AuthFailure::Revoked));
        }
        match self.expires_at {
            Some(end) if end <= now => Err(Error::Unauthenticated(AuthFailure::Expired)),
            _ => Ok(()),
        }
    }
}

/// Checks the expiry of a token to be created.
///
/// # Errors
/// [`Error::Invalid`].
pub fn require_future(expires_at: Option<Time>, now: Time) -> Result<()> {
    match expires_at {
        Some(end) if end <= now => Err(Error::invalid("/expiresAt", "must be in the future")),
        _ => Ok(()),
    }
}

/// Returns true if the use of a token at `now` is to be written.
pub fn is_use_written(last_used_at: Option<Time>, now: Time) -> bool {
    last_used_at.is_none_or(|last| last + USE_INTERVAL <= now)
}

/// A personal access token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identifier, which is part of its text.
    pub id: TokenId,
    /// The organisation it is valid for.
    pub organisation_id: OrganisationId,
    /// The member it belongs to.
    pub member_id: MemberId,
    /// The user behind the member.
    pub user_id: UserId,
    /// Display name.
    pub name: String,
    /// Scopes, narrower than its member's permissions; empty means all of them.
    pub scopes: BTreeSet<Permission>,
    /// Time of expiry.
    pub expires_at: Option<Time>,
    /// Time of the last use, cut to the minute so that it is written rarely.
    pub last_used_at: Option<Time>,
    /// Time of revocation.
    pub revoked_at: Option<Time>,
    /// Time of creation.
    pub created_at: Time,
}

impl Token {
    /// Returns the times that decide whether it opens anything.
    pub fn validity(&self) -> Validity {
        Validity { expires_at: self.expires_at, revoked_at: self.revoked_at }
    }
}
