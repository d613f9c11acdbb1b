//! The authenticated caller and their permissions.
//!
//! Not here: authentication (`identity`).

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::{
    Error, Result,
    ambient::Time,
    ids::{MemberId, OrganisationId, TokenId, UserId},
    tenancy::{
        member::{Member, Permission, Role},
        session::Session,
        token::Token,
    },
};

/// Name of the operator at the command line in the audit log.
pub(in crate::app) const OPERATOR: &str = "operator";

/// An authenticated caller: a member of one organisation, for the duration of one request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Organisation that the request concerns.
    pub organisation_id: OrganisationId,
    /// The membership.
    pub member_id: MemberId,
    /// The user.
    pub user_id: UserId,
    /// Personal access token that was presented, if it was one.
    pub token_id: Option<TokenId>,
    /// Role of the member, even if the token narrows the permissions.
    role: Role,
    /// `sub` of the JWT that was presented, if it was one.
    pub(in crate::app) subject: Option<String>,
    /// Permissions of the member, narrowed by the token's scopes.
    permissions: BTreeSet<Permission>,
    /// Expiry of the credential.
    pub(in crate::app) expires_at: Option<Time>,
}

impl Caller {
    /// Creates the caller of a member who presents a JWT that expires at `expires_at`.
    pub(in crate::app) fn member(member: &Member, expires_at: Option<Time>) -> Self {
        Self {
            organisation_id: member.organisation_id,
            member_id: member.id,
            user_id: member.user_id,
            token_id: None,
            role: member.role,
            subject: None,
            permissions: member.effective_permissions(),
            expires_at,
        }
    }

    /// Creates the caller at the command line, who holds every permission in an organisation and is none of its members.
    pub(in crate::app) fn at_command_line(organisation_id: OrganisationId) -> Self {
        Self {
            organisation_id,
            member_id: Uuid::nil().into(),
            user_id: Uuid::nil().into(),
            token_id: None,
            role: Role::Owner,
            subject: None,
            permissions: Permission::ALL.into_iter().collect(),
            expires_at: None,
        }
    }

    /// Creates the caller of a member who presents a personal access token.
    pub(in crate::app) fn token(member: &Member, token: &Token) -> Self {
        let mut caller = Self::member(member, token.expires_at);
        caller.token_id = Some(token.id);
        if !token.scopes.is_empty() {
            caller.permissions.retain(|permission| token.scopes.contains(permission));
        }
        caller
    }

    /// Creates the caller of a session. The scopes of the token that it came from go on limiting it.
    pub(in crate::app) fn session(member: &Member, token: Option<&Token>, session: &Session) -> Self {
        let mut caller = token.map_or_else(|| Self::member(member, None), |token| Self::token(member, token));
        caller.expires_at = Some(caller.expires_at.map_or(session.expires_at, |end| end.min(session.expires_at)));
        caller
    }

    /// Returns whether the caller holds a permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Demands a permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) { Ok(()) } else { Err(Error::Forbidden { permission: permission.to_string() }) }
    }

    /// Demands that the caller holds every permission that they want to grant: no caller grants more than they hold.
    ///
    /// # Errors
    /// [`Error::Forbidden`] naming the first permission that is missing.
    pub fn require_all(&self, permissions: &BTreeSet<Permission>) -> Result<()> {
        permissions.iter().try_for_each(|permission| self.require(*permission))
    }

    /// Returns the permissions that the caller holds.
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }

    /// Returns the expiry of the credential.
    pub fn expires_at(&self) -> Option<Time> {
        self.expires_at
    }

    /// Demands the rank to act on a member of this role: only owners act on owners, even on those with few permissions
    /// left.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_rank(&self, role: Role) -> Result<()> {
        if role < Role::Owner || self.role == Role::Owner {
            return Ok(());
        }
        Err(Error::Forbidden { permission: Permission::OrganisationManage.to_string() })
    }

    /// Returns the caller with this one permission, if they hold it or a wider one.
    pub(in crate::app) fn narrowed(mut self, to: Permission, wider: Permission) -> Self {
        let held = self.may(to) || self.may(wider);
        self.permissions = BTreeSet::from_iter(held.then_some(to));
        self
    }

    /// Returns the scopes that keep a new token of `member` as narrow as this caller; empty if the caller is not
    /// narrowed.
    pub(in crate::app) fn narrowing(&self, member: &Member) -> BTreeSet<Permission> {
        if self.permissions == member.effective_permissions() { BTreeSet::new() } else { self.permissions.clone() }
    }

    /// Returns the actor's name in the audit log: the user's id, or that of the command line.
    pub(in crate::app) fn actor(&self) -> String {
        if self.user_id.0.is_nil() { OPERATOR.to_owned() } else { self.user_id.to_string() }
    }
}
