//! Organisations, members, tokens.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::{Permission, Role, Word, meanings, words};
use crate::{
    api::shared::time::Timestamp,
    app::tenancy::{
        invitations::Invitation,
        members::{MemberChange, NewMember},
        tokens::NewToken,
    },
    domain::{
        ids::UserId,
        secret::Secret,
        tenancy::{member::Member, organisation::Organisation, token::Token},
    },
};

/// An organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Organisation", rename_all = "camelCase")]
pub struct OrganisationOut {
    /// Unique id.
    pub id: Uuid,
    /// Handle, unique in the whole service.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<Organisation> for OrganisationOut {
    fn from(organisation: Organisation) -> Self {
        Self {
            id: organisation.id.0,
            slug: organisation.slug.as_str().to_owned(),
            name: organisation.name,
            created_at: organisation.created_at.into(),
        }
    }
}

/// An organisation to be created; the caller becomes its owner.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewOrganisation", example)]
pub struct OrganisationIn {
    /// Handle: 1 to 63 of a-z, 0-9 and hyphens.
    pub slug: String,
    /// Display name; the handle by default.
    pub name: Option<String>,
}

impl Example for OrganisationIn {
    fn example() -> Self {
        Self { slug: "acme".into(), name: Some("Acme".into()) }
    }
}

/// Changes to an organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OrganisationPatch", example)]
pub struct OrganisationPatch {
    /// Display name.
    pub name: String,
}

impl Example for OrganisationPatch {
    fn example() -> Self {
        Self { name: "Acme Ltd".into() }
    }
}

/// A member of an organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Member", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct MemberOut {
    /// Id of the user, who may be a member of several organisations.
    pub user_id: Uuid,
    /// Username, unique within the organisation.
    pub username: String,
    /// Email address, for display.
    pub email: Option<String>,
    /// The `sub` claim by which an external issuer identifies the user.
    pub subject: Option<String>,
    /// True until the named user or subject accepts the invitation; nobody is authenticated as the member before.
    pub invited: bool,
    /// Role of the member.
    pub role: Word<Role>,
    /// Permissions of the member.
    pub permissions: Vec<Word<Permission>>,
    /// Time at which the member was added.
    pub created_at: Timestamp,
}

impl From<Member> for MemberOut {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user_id.0,
            permissions: words(member.effective_permissions()),
            invited: member.is_invited() || member.unproven.subject,
            username: member.username,
            email: member.email,
            subject: member.subject,
            role: Word(member.role),
            created_at: member.created_at.into(),
        }
    }
}

/// Invitations of a subject.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Invitations")]
pub struct InvitationsOut {
    /// The invitations, newest first.
    pub data: Vec<InvitationOut>,
}

/// A membership offered to a subject.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Invitation", rename_all = "camelCase")]
pub struct InvitationOut {
    /// Unique id.
    pub id: Uuid,
    /// The inviting organisation.
    pub organisation: OrganisationOut,
    /// Username in that organisation.
    pub username: String,
    /// Role of the member.
    pub role: Word<Role>,
    /// Time at which the member was added.
    pub created_at: Timestamp,
}

impl From<Invitation> for InvitationOut {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.0,
            organisation: invitation.organisation.into(),
            username: invitation.username,
            role: Word(invitation.role),
            created_at: invitation.created_at.into(),
        }
    }
}

/// A member to be added. A named user or subject is invited, and becomes a member by accepting.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewMember", rename_all = "camelCase", example)]
pub struct MemberIn {
    /// Id of a user who is already a member of another organisation; a new user by default.
    pub user_id: Option<Uuid>,
    /// Username, unique within the organisation.
    pub username: String,
    /// Email address, for display.
    pub email: Option<String>,
    /// The `sub` claim by which an external issuer identifies the user.
    #[oai(validator(max_length = 255))]
    pub subject: Option<String>,
    /// Role of the member; `member` by default.
    pub role: Option<Word<Role>>,
}

impl From<MemberIn> for NewMember {
    fn from(member: MemberIn) -> Self {
        Self {
            user_id: member.user_id.map(UserId),
            username: member.username,
            email: member.email,
            subject: member.subject,
            role: member.role.map_or(Role::Member, |Word(role)| role),
        }
    }
}

impl Example for MemberIn {
    fn example() -> Self {
        Self {
            user_id: None,
            username: "ada".into(),
            email: Some("ada@example.org".into()),
            subject: None,
            role: Some(Word(Role::Admin)),
        }
    }
}

/// Changes to a member; absent fields stay unchanged. A new role without permissions sets the role's own permissions.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MemberPatch", example)]
pub struct MemberPatch {
    /// Role of the member.
    pub role: Option<Word<Role>>,
    /// Individual permissions, in place of those that the role implies.
    #[oai(validator(max_items = 1000))]
    pub permissions: Option<Vec<Word<Permission>>>,
    /// Email address, for display; an empty value removes it.
    pub email: Option<String>,
    /// The `sub` claim by which an external issuer identifies the user; an empty value removes it.
    #[oai(validator(max_length = 255))]
    pub subject: Option<String>,
}

impl From<MemberPatch> for MemberChange {
    fn from(patch: MemberPatch) -> Self {
        Self {
            role: patch.role.map(|Word(role)| role),
            permissions: patch.permissions.map(meanings),
            email: patch.email,
            subject: patch.subject,
        }
    }
}

impl Example for MemberPatch {
    fn example() -> Self {
        let permissions = Some(vec![Word(Permission::EventsWrite), Word(Permission::DeliveriesRead)]);
        Self { role: None, permissions, email: None, subject: None }
    }
}

/// A personal access token, without its text.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Token", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct TokenOut {
    /// Unique id.
    pub id: Uuid,
    /// Display name.
    pub name: String,
    /// Permissions that the token is restricted to; if empty, the token has all permissions of its member.
    pub scopes: Vec<Word<Permission>>,
    /// Time of expiry.
    pub expires_at: Option<Timestamp>,
    /// Time of the last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Time of revocation.
    pub revoked_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<Token> for TokenOut {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.0,
            name: token.name,
            scopes: words(token.scopes),
            expires_at: token.expires_at.map(Into::into),
            last_used_at: token.last_used_at.map(Into::into),
            revoked_at: token.revoked_at.map(Into::into),
            created_at: token.created_at.into(),
        }
    }
}

/// A token to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewToken", rename_all = "camelCase", example)]
pub struct TokenIn {
    /// Display name.
    pub name: String,
    /// Permissions that the token is restricted to; if absent or empty, the token has all permissions of the caller.
    #[oai(validator(max_items = 1000))]
    pub scopes: Option<Vec<Word<Permission>>>,
    /// Time of expiry; without it the token does not expire.
    pub expires_at: Option<Timestamp>,
}

impl From<TokenIn> for NewToken {
    fn from(token: TokenIn) -> Self {
        let scopes = meanings(token.scopes.unwrap_or_default());
        Self { name: token.name, scopes, expires_at: token.expires_at.map(Into::into) }
    }
}

impl Example for TokenIn {
    fn example() -> Self {
        Self { name: "backend".into(), scopes: Some(vec![Word(Permission::EventsWrite)]), expires_at: None }
    }
}

/// A newly created token.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreatedToken", rename_all = "camelCase")]
pub struct TokenCreatedOut {
    /// Text of the token. It is not shown again.
    pub secret: String,
    /// The token.
    pub token: TokenOut,
}

impl From<(Token, Secret)> for TokenCreatedOut {
    fn from((token, secret): (Token, Secret)) -> Self {
        Self { secret: secret.expose().to_owned(), token: token.into() }
    }
}
