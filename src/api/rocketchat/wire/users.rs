//! Schemas of logging in, and of the caller's profile.

use poem_openapi::{Object, types::Example};

use crate::domain::{
    Error, Result,
    error::AuthFailure,
    tenancy::member::{Member, Role},
};

/// A login. One of `password` and `resume` is required; the members with a name are optional.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Login", skip_serializing_if_is_none, example)]
pub struct LoginIn {
    /// The user's name or e-mail address.
    #[oai(validator(max_length = 320))]
    pub user: Option<String>,
    /// The same.
    #[oai(validator(max_length = 320))]
    pub username: Option<String>,
    /// The same.
    #[oai(validator(max_length = 320))]
    pub email: Option<String>,
    /// A personal access token.
    #[oai(validator(max_length = 8192))]
    pub password: Option<String>,
    /// The same.
    #[oai(validator(max_length = 8192))]
    pub resume: Option<String>,
}

impl LoginIn {
    /// Returns the name, if one was sent, and the token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without a token.
    pub fn credentials(self) -> Result<(Option<String>, String)> {
        let token = self.resume.or(self.password).filter(|token| !token.is_empty());
        let token = token.ok_or(Error::Unauthenticated(AuthFailure::Missing))?;
        Ok((self.user.or(self.username).or(self.email), token))
    }
}

impl Example for LoginIn {
    fn example() -> Self {
        let (user, password) = (Some("ada".to_owned()), Some("a personal access token".to_owned()));
        Self { user, username: None, email: None, password, resume: None }
    }
}

/// An address of a user.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Email")]
pub struct EmailOut {
    /// The address.
    pub address: String,
    /// True if it was verified.
    pub verified: bool,
}

/// Profile of a user.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Me", example)]
pub struct MeOut {
    /// Id of the user.
    #[oai(rename = "_id")]
    pub id: String,
    /// Name of the user.
    pub username: String,
    /// The same.
    pub name: String,
    /// Addresses of the user.
    pub emails: Vec<EmailOut>,
    /// `admin` for owners and admins, `user` for all.
    pub roles: Vec<String>,
    /// Always true.
    pub active: bool,
    /// Always true.
    pub success: bool,
}

impl From<Member> for MeOut {
    fn from(member: Member) -> Self {
        let roles: &[&str] = match member.role {
            Role::Owner | Role::Admin => &["user", "admin"],
            Role::Member => &["user"],
        };
        Self {
            id: member.user_id.to_string(),
            name: member.username.clone(),
            username: member.username,
            emails: member.email.map(|address| EmailOut { address, verified: false }).into_iter().collect(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            active: true,
            success: true,
        }
    }
}

impl Example for MeOut {
    fn example() -> Self {
        Self {
            id: "019aa5c2-7b10-7000-8000-000000000003".into(),
            username: "ada".into(),
            name: "ada".into(),
            emails: Vec::new(),
            roles: vec!["user".into()],
            active: true,
            success: true,
        }
    }
}

/// Credentials of a user, for the headers `X-User-Id` and `X-Auth-Token`.
#[derive(Clone, Debug, Object)]
#[oai(rename = "LoginData", rename_all = "camelCase")]
pub struct LoginDataOut {
    /// Id of the user.
    pub user_id: String,
    /// The token.
    pub auth_token: String,
    /// Profile of the user.
    pub me: MeOut,
}

/// Answer to a login.
#[derive(Clone, Debug, Object)]
#[oai(rename = "LoggedIn", example)]
pub struct LoggedInOut {
    /// Always `success`.
    pub status: String,
    /// The credentials.
    pub data: LoginDataOut,
}

impl LoggedInOut {
    /// Makes the answer for a token and its member.
    pub fn new(auth_token: String, member: Member) -> Self {
        let user_id = member.user_id.to_string();
        Self { status: "success".to_owned(), data: LoginDataOut { user_id, auth_token, me: member.into() } }
    }
}

impl Example for LoggedInOut {
    fn example() -> Self {
        let me = MeOut::example();
        let data = LoginDataOut { user_id: me.id.clone(), auth_token: "the personal access token".into(), me };
        Self { status: "success".to_owned(), data }
    }
}
