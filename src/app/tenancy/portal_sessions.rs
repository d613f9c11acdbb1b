//! Portal sessions: a one-use link that signs a browser in to the portal.
//!
//! Not here: what a session may do afterwards (`sessions`).

use std::collections::BTreeSet;

use serde_json::json;
use url::Url;

use super::{
    Tenancy,
    sessions::{OpenedSession, hash},
};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        ambient::Time,
        error::AuthFailure,
        secret::Secret,
        tenancy::{
            member::Permission,
            session::{OPENING_LIFETIME, PORTAL_LIFETIME, PortalPage, Session, Theme, Transport, return_url},
        },
    },
    store::{self, tenancy::sessions::State},
};

/// Path of the portal.
pub const PORTAL: &str = "/portal/";

/// Path that opens a portal session.
pub const OPEN: &str = "/portal/open";

/// A portal session to be created.
#[derive(Clone, Debug)]
pub struct NewPortalSession {
    /// Pages that it is limited to; `None` means all of them.
    pub pages: Option<BTreeSet<PortalPage>>,
    /// Page of the product to which the portal leads back.
    pub return_url: Option<String>,
    /// Colours.
    pub theme: Theme,
}

/// A link that signs a browser in.
#[derive(Clone, Debug)]
pub struct PortalLink {
    /// The link, which contains a one-use code.
    pub url: Url,
    /// Time until which it can be opened.
    pub expires_at: Time,
}

impl Tenancy {
    /// Creates a link that signs the browser that opens it in as the caller. It can be opened once.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`]; [`Error::FailedPrecondition`] over plain http that leaves the machine.
    pub async fn create_portal_session(&self, caller: &Caller, new: NewPortalSession) -> Result<PortalLink> {
        caller.require(Permission::PortalSessionsCreate)?;
        Transport::of(self.base.public_url())?;
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let frames = store::tenancy::frame_ancestors::find(&tx, caller.organisation_id).await?;
        let session = Session {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            member_id: caller.member_id,
            token_id: caller.token_id,
            pages: pages(new.pages)?,
            theme: new.theme,
            return_url: new.return_url.as_deref().map(return_url).transpose()?,
            embedded: !frames.origins().is_empty(),
            created_at: now,
            expires_at: now + OPENING_LIFETIME,
        };
        let code = self.new_secret();
        store::tenancy::sessions::insert(&tx, &session, hash(&code), State::Waiting).await?;
        let who = (session.organisation_id, caller.actor());
        self.base.audit(&tx, (who.0, &who.1), "portal-session.create", session.id, limits(&session)).await?;
        tx.commit().await?;
        Ok(PortalLink { url: self.portal_url(&code)?, expires_at: session.expires_at })
    }

    /// Opens a portal session by the code of its link.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a code that is wrong, used up or too old.
    pub async fn open_portal_session(&self, code: &Secret) -> Result<OpenedSession> {
        let (now, secret) = (self.base.now(), self.new_secret());
        let tx = self.base.store.begin().await?;
        let opened = store::tenancy::sessions::open(&tx, hash(code), hash(&secret), (now, now + PORTAL_LIFETIME));
        let session = opened.await?.ok_or(Error::Unauthenticated(AuthFailure::SessionEnded))?;
        let member = store::tenancy::members::find_by_id(&tx, session.member_id).await?;
        let who = (session.organisation_id, member.user_id.to_string());
        self.base.audit(&tx, (who.0, &who.1), "session.open", session.id, json!({"by": "portal-session"})).await?;
        tx.commit().await?;
        self.opened(session, secret).await
    }

    fn portal_url(&self, code: &Secret) -> Result<Url> {
        let text = format!("{}{OPEN}", self.base.public_url().as_str().trim_end_matches('/'));
        let mut url = Url::parse(&text).map_err(|error| Error::Internal(format!("{text}: {error}")))?;
        url.query_pairs_mut().append_pair("code", code.expose());
        Ok(url)
    }
}

/// Reads the pages of a new session. A list without any would not be a limit.
fn pages(pages: Option<BTreeSet<PortalPage>>) -> Result<BTreeSet<PortalPage>> {
    match pages {
        Some(pages) if pages.is_empty() => Err(Error::invalid("/pages", "must name a page, or be left out for all")),
        Some(pages) => Ok(pages),
        None => Ok(BTreeSet::new()),
    }
}

fn limits(session: &Session) -> serde_json::Value {
    let pages: Vec<&str> = session.visible_pages().into_iter().map(PortalPage::as_str).collect();
    json!({"pages": pages})
}
