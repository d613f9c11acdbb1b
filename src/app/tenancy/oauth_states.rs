//! States of OAuth flows: issued to a member, and usable once, also by a flow that fails.
//!
//! Not here: the flows themselves (`slack`, `github`).

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use url::Url;

use super::{Tenancy, credential::sha256};
use crate::{
    app::{Caller, kernel::chore::Chore},
    domain::{
        Error, Result,
        ambient::Time,
        error::StateFailure,
        ids::{MemberId, OrganisationId},
        tenancy::{
            member::{Member, Permission},
            oauth::{Flow, OAuthState, STATE_LIFETIME},
        },
    },
    store::{self, Tx},
};

/// Separator between the random part of a state and the number that it carries; neither contains it.
const CARRIES: char = '.';

/// Retention of an expired state: a late callback is told "too old" and not "unknown".
const EXPIRED_KEPT: chrono::Duration = chrono::Duration::days(1);

/// Removal of expired states and sessions.
#[async_trait]
impl Chore for Tenancy {
    async fn run(&self, now: Time) -> Result<u64> {
        let writer = self.base.store.writer();
        let sessions = store::tenancy::sessions::remove_expired(writer, now).await?
            + store::tenancy::operators::remove_expired_sessions(writer, now).await?;
        Ok(sessions + store::tenancy::oauth_states::remove_expired(writer, now - EXPIRED_KEPT).await?)
    }
}

/// A flow that a member began.
#[derive(Clone, Debug)]
pub(in crate::app) struct Begun {
    /// The member.
    pub(in crate::app) member: Member,
    /// Page to which the browser is sent at the end, if it is not one of ours.
    pub(in crate::app) return_url: Option<Url>,
}

impl Tenancy {
    /// Issues a fresh state of each flow to this caller.
    pub(in crate::app) async fn issue_states<const N: usize>(
        &self,
        caller: &Caller,
        flows: [Flow; N],
    ) -> Result<[String; N]> {
        let texts = flows.map(|_| BASE64URL.encode(self.base.ambient.random::<32>()));
        let bound_to = (caller.organisation_id, caller.member_id);
        let tx = self.base.store.begin().await?;
        for (text, flow) in texts.iter().zip(flows) {
            let state = self.state(bound_to, None);
            store::tenancy::oauth_states::insert(&tx, sha256(text.as_bytes()), flow.as_str(), &state, self.base.now())
                .await?;
        }
        tx.commit().await?;
        Ok(texts)
    }

    /// Issues a state of a flow that ends at a page of the caller's, if they name one.
    pub(in crate::app) async fn issue_state_returning(
        &self,
        caller: &Caller,
        flow: Flow,
        return_url: Option<Url>,
    ) -> Result<String> {
        let text = BASE64URL.encode(self.base.ambient.random::<32>());
        self.keep_state((caller.organisation_id, caller.member_id), flow, (&text, return_url)).await?;
        Ok(text)
    }

    /// Issues a state that carries a number, because the provider does not send that back with its next redirect.
    pub(in crate::app) async fn issue_state_carrying(&self, begun: &Begun, flow: Flow, number: i64) -> Result<String> {
        let text = format!("{}{CARRIES}{number}", BASE64URL.encode(self.base.ambient.random::<32>()));
        let Begun { member, return_url } = begun;
        self.keep_state((member.organisation_id, member.id), flow, (&text, return_url.clone())).await?;
        Ok(text)
    }

    /// Stores the hash of a state.
    pub(in crate::app) async fn keep_state(
        &self,
        bound_to: (OrganisationId, MemberId),
        flow: Flow,
        (text, return_url): (&str, Option<Url>),
    ) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let state = self.state(bound_to, return_url);
        store::tenancy::oauth_states::insert(&tx, sha256(text.as_bytes()), flow.as_str(), &state, self.base.now())
            .await?;
        tx.commit().await
    }

    /// Finds a state and the flow that it belongs to, without using it up.
    ///
    /// # Errors
    /// [`Error::OAuthState`].
    pub(in crate::app) async fn find_state(&self, text: &str) -> Result<(Flow, Begun)> {
        let reader = self.base.store.reader();
        let unknown = || Error::OAuthState(StateFailure::Unknown);
        let found = store::tenancy::oauth_states::find(reader, sha256(text.as_bytes())).await?;
        let (name, state) = found.ok_or_else(unknown)?;
        let flow = Flow::CONFIRMATIONS.into_iter().find(|flow| flow.as_str() == name).ok_or_else(unknown)?;
        if state.expires_at <= self.base.now() {
            return Err(Error::OAuthState(StateFailure::Expired));
        }
        let member = still_there(store::tenancy::members::find_by_id(reader, state.member_id).await)?;
        Ok((flow, Begun { member, return_url: state.return_url }))
    }

    /// Uses a state up and returns its flow. If `bound_to` names another member, the state stays
    /// unused and is refused like an unknown one.
    ///
    /// # Errors
    /// [`Error::OAuthState`].
    pub(in crate::app) async fn take_state(
        &self,
        flow: Flow,
        text: &str,
        bound_to: Option<(OrganisationId, MemberId)>,
    ) -> Result<Begun> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let taken =
            store::tenancy::oauth_states::take(&tx, sha256(text.as_bytes()), flow.as_str(), bound_to, now).await?;
        tx.commit().await?;
        let state = taken.ok_or(Error::OAuthState(StateFailure::Unknown))?;
        if state.expires_at <= now {
            return Err(Error::OAuthState(StateFailure::Expired));
        }
        let found = store::tenancy::members::find_by_id(self.base.store.reader(), state.member_id).await;
        Ok(Begun { member: still_there(found)?, return_url: state.return_url })
    }

    /// Demands, before a flow takes effect, that its initiator is still a member with the permission: the provider may
    /// have taken its time to answer.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Forbidden`].
    pub(in crate::app) async fn require_still(&self, tx: &Tx, member: &Member, permission: Permission) -> Result<()> {
        let member = still_there(store::tenancy::members::find_by_id(tx, member.id).await)?;
        Caller::member(&member, None).require(permission)
    }

    fn state(&self, (organisation_id, member_id): (OrganisationId, MemberId), return_url: Option<Url>) -> OAuthState {
        OAuthState { organisation_id, member_id, expires_at: self.base.now() + STATE_LIFETIME, return_url }
    }
}

/// Refuses the state of a former member.
fn still_there(found: Result<Member>) -> Result<Member> {
    found.map_err(|error| match error {
        Error::NotFound { .. } => Error::OAuthState(StateFailure::Unknown),
        other => other,
    })
}

/// Returns the number that a state carries.
pub(in crate::app) fn carried(text: &str) -> Option<i64> {
    text.rsplit_once(CARRIES)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_carries_a_number_or_nothing() {
        assert_eq!(carried("c2VjcmV0.50000001"), Some(50_000_001));
        assert_eq!(carried("c2VjcmV0"), None);
        assert_eq!(carried("c2VjcmV0.x"), None);
    }
}
