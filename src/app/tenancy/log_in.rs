//! Callers that log in by a token in place of a password, and the caller's own profile.
//!
//! Not here: sessions of browsers (`sessions`), and the tokens themselves (`tokens`).

use super::Tenancy;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::AuthFailure,
        tenancy::member::{Member, Permission},
    },
    store,
};

impl Tenancy {
    /// Returns the member of a token. A name that was sent with it has to be the member's: the username, the e-mail
    /// address or the user's id.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn log_in(&self, name: Option<&str>, token: &str) -> Result<Member> {
        let caller = self.authenticate(token, None).await?;
        let member = self.own_profile(&caller).await?;
        let is_theirs = |name: &str| {
            let email = member.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(name));
            member.username == name || email || member.user_id.to_string() == name
        };
        if name.is_none_or(is_theirs) { Ok(member) } else { Err(Error::Unauthenticated(AuthFailure::Invalid)) }
    }

    /// Returns the caller's own membership.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn get_own_profile(&self, caller: &Caller) -> Result<Member> {
        caller.require(Permission::OrganisationRead)?;
        self.own_profile(caller).await
    }

    async fn own_profile(&self, caller: &Caller) -> Result<Member> {
        store::tenancy::members::find(self.base.store.reader(), caller.organisation_id, caller.user_id).await
    }
}
