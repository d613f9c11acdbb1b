//! Sessions of browsers: opened with a token, authenticated, ended.
//!
//! Not here: the one-use links (`portal_sessions`), the cookie and the origin of a request (`api::shared::session`).

use std::collections::BTreeSet;

use aws_lc_rs::constant_time;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;

use super::{
    Tenancy,
    credential::{Kind, sha256},
};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::AuthFailure,
        secret::Secret,
        tenancy::{
            member::Member,
            organisation::Organisation,
            session::{SIGNED_IN_LIFETIME, Session, SessionRefusal, Theme, Transport},
            token::Token,
        },
    },
    store::{self, tenancy::sessions::State},
};

/// Prefix that makes another text of a secret than the one that is stored as its hash.
const CSRF: &str = "csrf ";

/// A member who is signed in by a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The caller that the session makes of a request.
    pub caller: Caller,
    /// The session.
    pub session: Session,
    /// The member.
    pub member: Member,
    /// Token that a page of ours sends with its requests.
    pub csrf_token: String,
}

/// A session that was opened, with the secret for the browser's cookie.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// The session.
    pub signed_in: SignedIn,
    /// Its organisation.
    pub organisation: Organisation,
    /// Secret for the cookie.
    pub secret: Secret,
}

/// Demands the proof that a page of ours sent a request that may change something: the CSRF token of the session.
///
/// # Errors
/// [`Error::Session`].
pub fn require_csrf_token(own: &str, sent: Option<&[u8]>) -> Result<()> {
    match sent.map(|sent| constant_time::verify_slices_are_equal(sent, own.as_bytes())) {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) | None => Err(Error::Session(SessionRefusal::CsrfToken)),
    }
}

impl Tenancy {
    /// Opens a session of the member to whom a personal access token belongs. The session holds no more than the token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::FailedPrecondition`] over plain http that leaves the machine.
    pub async fn open_session(&self, token: &str) -> Result<OpenedSession> {
        Transport::of(self.base.public_url())?;
        if Kind::of(token) != Some(Kind::Personal) {
            return Err(Error::Unauthenticated(AuthFailure::Invalid));
        }
        let caller = self.authenticate_token(token, None).await?;
        self.sign_in(&caller, "token").await
    }

    /// Opens a session of a caller; `method` is the proof that they gave.
    pub(in crate::app) async fn sign_in(&self, caller: &Caller, method: &'static str) -> Result<OpenedSession> {
        let now = self.base.now();
        let end = now + SIGNED_IN_LIFETIME;
        let session = Session {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            member_id: caller.member_id,
            token_id: caller.token_id,
            pages: BTreeSet::new(),
            theme: Theme::Auto,
            return_url: None,
            embedded: false,
            created_at: now,
            expires_at: caller.expires_at.map_or(end, |expiry| expiry.min(end)),
        };
        let secret = self.new_secret();
        let tx = self.base.store.begin().await?;
        store::tenancy::sessions::insert(&tx, &session, hash(&secret), State::Open).await?;
        let who = (session.organisation_id, caller.actor());
        self.base.audit(&tx, (who.0, &who.1), "session.open", session.id, json!({"by": method})).await?;
        tx.commit().await?;
        self.opened(session, secret).await
    }

    /// Authenticates the secret of a session's cookie. The member, their permissions and the token that the session came
    /// from are read each time, so that a change of them holds at once.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn authenticate_session(&self, secret: &Secret) -> Result<SignedIn> {
        let found = store::tenancy::sessions::find(self.base.store.reader(), hash(secret)).await?;
        self.signed_in(found.ok_or_else(ended)?, secret).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, signed_in: &SignedIn) -> Result<()> {
        let SignedIn { session, caller, .. } = signed_in;
        let tx = self.base.store.begin().await?;
        // Another request may have ended it meanwhile.
        if store::tenancy::sessions::delete(&tx, session.id).await? {
            let who = (session.organisation_id, caller.actor());
            self.base.audit(&tx, (who.0, &who.1), "session.end", session.id, json!({})).await?;
        }
        tx.commit().await
    }

    /// Returns the organisation of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_session_organisation(&self, signed_in: &SignedIn) -> Result<Organisation> {
        store::tenancy::organisations::find(self.base.store.reader(), signed_in.session.organisation_id).await
    }

    /// Returns a session with its secret, as the browser gets it.
    pub(in crate::app) async fn opened(&self, session: Session, secret: Secret) -> Result<OpenedSession> {
        let signed_in = self.signed_in(session, &secret).await?;
        let organisation = self.get_session_organisation(&signed_in).await?;
        Ok(OpenedSession { signed_in, organisation, secret })
    }

    async fn signed_in(&self, session: Session, secret: &Secret) -> Result<SignedIn> {
        session.require_valid(self.base.now())?;
        let member = store::tenancy::members::find_by_id(self.base.store.reader(), session.member_id).await;
        let member = member.map_err(|error| match error {
            Error::NotFound { .. } => ended(),
            other => other,
        })?;
        let token = self.token_of(&session).await?;
        let caller = Caller::session(&member, token.as_ref(), &session);
        Ok(SignedIn { caller, session, member, csrf_token: csrf_token(secret) })
    }

    /// Returns the token that a session came from, which has to be valid still.
    async fn token_of(&self, session: &Session) -> Result<Option<Token>> {
        let Some(id) = session.token_id else { return Ok(None) };
        let (token, _) =
            store::tenancy::tokens::find_with_secret(self.base.store.reader(), id).await?.ok_or_else(ended)?;
        token.validity().require(self.base.now()).map_err(|_| ended())?;
        Ok(Some(token))
    }

    /// Returns a fresh secret: 256 bits, base64url.
    pub(in crate::app) fn new_secret(&self) -> Secret {
        Secret::new(BASE64URL.encode(self.base.ambient.random::<32>()))
    }
}

/// Returns the hash under which a secret is stored.
pub(in crate::app) fn hash(secret: &Secret) -> [u8; 32] {
    sha256(secret.expose().as_bytes())
}

/// Returns the CSRF token of a session: a hash of its secret, so that nothing more is stored, and nobody gets from it to
/// the secret or to what is stored of it.
pub(super) fn csrf_token(secret: &Secret) -> String {
    BASE64URL.encode(sha256(format!("{CSRF}{}", secret.expose()).as_bytes()))
}

pub(super) fn ended() -> Error {
    Error::Unauthenticated(AuthFailure::SessionEnded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csrf_token_is_of_one_secret_and_not_what_is_stored_of_it() {
        let [one, other] = ["one", "other"].map(Secret::new);
        assert_ne!(csrf_token(&one), csrf_token(&other));
        assert_ne!(csrf_token(&one), BASE64URL.encode(hash(&one)));
    }
}
