//! Personal access tokens, as they are remembered. Their text is made and checked in `app::tenancy::credential`.

use std::collections::BTreeSet;

use super::member::Permission;
use crate::domain::{
    ambient::Time,
    ids::{MemberId, OrganisationId, TokenId, UserId},
};

/// A personal access token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identifier, which is in its text too.
    pub id: TokenId,
    /// Where it works.
    pub organisation_id: OrganisationId,
    /// Whose it is.
    pub member_id: MemberId,
    /// The user behind the member.
    pub user_id: UserId,
    /// What people call it.
    pub name: String,
    /// Narrower than its member's permissions; empty means all of them.
    pub scopes: BTreeSet<Permission>,
    /// After this it is refused.
    pub expires_at: Option<Time>,
    /// Cut to the minute so that it is written rarely.
    pub last_used_at: Option<Time>,
    /// From then on it is refused.
    pub revoked_at: Option<Time>,
    /// When it was created.
    pub created_at: Time,
}
