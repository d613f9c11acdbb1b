//! Operators: their tokens and sessions. Neither opens anything of an organisation.
//!
//! Not here: what operators look at and decide on (`pipeline::operators`, `registry::operator`).

use super::{
    Tenancy,
    credential::{Credential, Kind},
    sessions::{OpenedSession, SignedIn, csrf_token, ended, hash},
};
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::AuthFailure,
        ids::{OperatorTokenId, SessionId},
        secret::Secret,
        tenancy::{
            operator::{Operator, OperatorToken},
            organisation::display_name,
            session::{SIGNED_IN_LIFETIME, Transport},
            token,
        },
    },
    store::{Tx, tenancy::operators},
};

/// Beginning of the secrets of operators' sessions: no other secret of a cookie has a dot.
const SESSION: &str = "o.";
const NAME_CHARS: usize = 100;

/// An operator who is signed in by a session.
#[derive(Clone, Debug)]
pub struct SignedInOperator {
    /// The operator that the session makes of a request.
    pub operator: Operator,
    /// The session.
    pub session_id: SessionId,
    /// Time at which it ends.
    pub expires_at: Time,
    /// Token that a page of ours sends with its requests.
    pub csrf_token: String,
}

/// A session that was opened for an operator, with the secret for the browser's cookie.
#[derive(Clone, Debug)]
pub struct OpenedOperatorSession {
    /// The session.
    pub signed_in: SignedInOperator,
    /// Secret for the cookie.
    pub secret: Secret,
}

/// Session of a browser, of either kind.
#[derive(Clone, Debug)]
pub enum BrowserSession {
    /// A member's.
    Member(Box<SignedIn>),
    /// An operator's.
    Operator(SignedInOperator),
}

/// A session of either kind that was opened.
#[derive(Clone, Debug)]
pub enum OpenedBrowserSession {
    /// A member's.
    Member(Box<OpenedSession>),
    /// An operator's.
    Operator(OpenedOperatorSession),
}

impl BrowserSession {
    /// Returns the token that a page of ours sends with its requests.
    pub fn csrf_token(&self) -> &str {
        match self {
            Self::Member(session) => &session.csrf_token,
            Self::Operator(session) => &session.csrf_token,
        }
    }
}

impl Tenancy {
    /// Creates a token of an operator, from the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn create_operator_token(&self, name: &str, expires_at: Option<Time>) -> Result<(OperatorToken, Secret)> {
        let now = self.base.now();
        token::require_future(expires_at, now)?;
        let token = OperatorToken {
            id: self.base.ambient.id(),
            name: display_name("/name", name, NAME_CHARS)?,
            expires_at,
            last_used_at: None,
            revoked_at: None,
            created_at: now,
        };
        let (text, secret_sha256) = Credential::issue(Kind::Operator, token.id.0, self.base.ambient.random());
        operators::insert(self.base.store.writer(), &token, secret_sha256).await?;
        tracing::info!(id = %token.id, name = token.name, "an operator's token was created");
        Ok((token, text))
    }

    /// Lists the operators' tokens for the command line, newest first, without their text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_operator_tokens(&self) -> Result<Vec<OperatorToken>> {
        operators::list(self.base.store.reader()).await
    }

    /// Revokes a token of an operator, if there is one.
    pub(super) async fn revoke_operator_token(&self, tx: &Tx, id: OperatorTokenId) -> Result<Option<()>> {
        let Some((token, _)) = operators::find(tx, id).await? else { return Ok(None) };
        operators::revoke(tx, id, self.base.now()).await?;
        tracing::info!(%id, name = token.name, "an operator's token is revoked");
        Ok(Some(()))
    }

    /// Authenticates an operator by a token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] for a valid credential of an organisation's member.
    pub async fn authenticate_operator(&self, credential: &str) -> Result<Operator> {
        if Kind::of(credential) == Some(Kind::Operator) {
            return Ok(self.authenticate_operator_token(credential).await?.operator());
        }
        self.identify(credential).await?;
        Err(Operator::required())
    }

    /// Authenticates the text of an operator's token. It is read each time, so that a revocation holds at once.
    pub(super) async fn authenticate_operator_token(&self, text: &str) -> Result<OperatorToken> {
        let invalid = || Error::Unauthenticated(AuthFailure::Invalid);
        let credential = Credential::parse(text).filter(|one| one.kind == Kind::Operator).ok_or_else(invalid)?;
        let found = operators::find(self.base.store.reader(), credential.id.into()).await?;
        let (token, _) = found.filter(|(_, hash)| credential.matches(hash)).ok_or_else(invalid)?;
        let now = self.base.now();
        token.validity().require(now)?;
        if token::is_use_written(token.last_used_at, now) {
            operators::touch(self.base.store.writer(), token.id, now).await?;
        }
        Ok(token)
    }

    /// Opens a session by a token: a member's by a personal access token, an operator's by an operator's.
    ///
    /// # Errors
    /// As [`Self::open_session`].
    pub async fn create_session(&self, token: &str) -> Result<OpenedBrowserSession> {
        if Kind::of(token) == Some(Kind::Operator) {
            return Ok(OpenedBrowserSession::Operator(self.open_operator_session(token).await?));
        }
        Ok(OpenedBrowserSession::Member(Box::new(self.open_session(token).await?)))
    }

    async fn open_operator_session(&self, text: &str) -> Result<OpenedOperatorSession> {
        Transport::of(self.base.public_url())?;
        let token = self.authenticate_operator_token(text).await?;
        let now = self.base.now();
        let end = now + SIGNED_IN_LIFETIME;
        let expires_at = token.expires_at.map_or(end, |expiry| expiry.min(end));
        let session = operators::StoredSession { id: self.base.ambient.id(), token, expires_at };
        let secret = Secret::new(format!("{SESSION}{}", self.new_secret().expose()));
        operators::insert_session(self.base.store.writer(), &session, hash(&secret), now).await?;
        tracing::info!(id = %session.id, token = %session.token.id, "an operator signed in");
        Ok(OpenedOperatorSession { signed_in: signed_in(&session, &secret), secret })
    }

    /// Authenticates the secret of a session's cookie, of either kind.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn authenticate_browser(&self, secret: &Secret) -> Result<BrowserSession> {
        if !secret.expose().starts_with(SESSION) {
            return Ok(BrowserSession::Member(Box::new(self.authenticate_session(secret).await?)));
        }
        let found = operators::find_session(self.base.store.reader(), hash(secret)).await?;
        let (session, now) = (found.ok_or_else(ended)?, self.base.now());
        if session.expires_at <= now || session.token.validity().require(now).is_err() {
            return Err(ended());
        }
        Ok(BrowserSession::Operator(signed_in(&session, secret)))
    }

    /// Ends a session of either kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&self, session: &BrowserSession) -> Result<()> {
        match session {
            BrowserSession::Member(signed_in) => self.end_session(signed_in).await,
            BrowserSession::Operator(signed_in) => {
                operators::delete_session(self.base.store.writer(), signed_in.session_id).await?;
                Ok(())
            }
        }
    }
}

fn signed_in(session: &operators::StoredSession, secret: &Secret) -> SignedInOperator {
    SignedInOperator {
        operator: session.token.operator(),
        session_id: session.id,
        expires_at: session.expires_at,
        csrf_token: csrf_token(secret),
    }
}
