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
    /// Its id.
    pub id: Uuid,
    /// Its handle, unique in the whole service.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// When it was created.
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
    /// Its handle: 1 to 63 of a-z, 0-9 and hyphens.
    pub slug: String,
    /// What people call it; the handle where it is left out.
    pub name: Option<String>,
}

impl Example for OrganisationIn {
    fn example() -> Self {
        Self { slug: "acme".into(), name: Some("Acme".into()) }
    }
}

/// What to change in an organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OrganisationPatch", example)]
pub struct OrganisationPatch {
    /// What people call it.
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
    /// The user, who may be a member of several organisations.
    pub user_id: Uuid,
    /// Unique within the organisation.
    pub username: String,
    /// For people.
    pub email: Option<String>,
    /// The `sub` under which an external issuer knows the user.
    pub subject: Option<String>,
    /// True until the user or the subject that the member was named by accepts: nobody is authenticated as them before.
    pub invited: bool,
    /// The role.
    pub role: Word<Role>,
    /// What the member may do.
    pub permissions: Vec<Word<Permission>>,
    /// When the member was added.
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

/// A membership that is offered to a subject.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Invitation", rename_all = "camelCase")]
pub struct InvitationOut {
    /// Its id.
    pub id: Uuid,
    /// The organisation that invites.
    pub organisation: OrganisationOut,
    /// Username in that organisation.
    pub username: String,
    /// The role.
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

/// Somebody to be made a member. A user or a subject that is named is invited, and a member once it accepts.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewMember", rename_all = "camelCase", example)]
pub struct MemberIn {
    /// A user who is a member of another organisation already; a new user where it is left out.
    pub user_id: Option<Uuid>,
    /// Unique within the organisation.
    pub username: String,
    /// For people.
    pub email: Option<String>,
    /// The `sub` under which an external issuer knows the user.
    #[oai(validator(max_length = 255))]
    pub subject: Option<String>,
    /// The role; `member` where it is left out.
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

/// What to change in a member; what is left out stays. A new role without permissions brings the role's own.
#[derive(Clone, Debug, Object)]
#[oai(rename = "MemberPatch", example)]
pub struct MemberPatch {
    /// The role.
    pub role: Option<Word<Role>>,
    /// The permissions, one by one, instead of what the role implies.
    #[oai(validator(max_items = 1000))]
    pub permissions: Option<Vec<Word<Permission>>>,
    /// For people; empty removes it.
    pub email: Option<String>,
    /// The `sub` under which an external issuer knows the user; empty removes it.
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
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it is narrowed to; empty means everything that its member may do.
    pub scopes: Vec<Word<Permission>>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was created.
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
    /// What people call it.
    pub name: String,
    /// What it is narrowed to; left out or empty means everything that the caller may do.
    #[oai(validator(max_items = 1000))]
    pub scopes: Option<Vec<Word<Permission>>>,
    /// When it ends; never where it is left out.
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

/// A token that was just created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreatedToken", rename_all = "camelCase")]
pub struct TokenCreatedOut {
    /// Its text. It is not shown again.
    pub secret: String,
    /// The token.
    pub token: TokenOut,
}

impl From<(Token, Secret)> for TokenCreatedOut {
    fn from((token, secret): (Token, Secret)) -> Self {
        Self { secret: secret.expose().to_owned(), token: token.into() }
    }
}
