//! Personal access tokens as stored records.
//!
//! Not here: their text, which is made and checked in `app::tenancy::credential`.

use std::collections::BTreeSet;

use super::member::Permission;
use crate::domain::{
    ambient::Time,
    ids::{MemberId, OrganisationId, TokenId, UserId},
};

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
