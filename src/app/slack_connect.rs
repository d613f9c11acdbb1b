//! Connecting a Slack workspace by OAuth: the URL, and what comes back from it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde_json::json;
use url::Url;

use super::{App, Caller, credential::sha256, slack_links::SlackIntegration};
use crate::{
    domain::{
        Error, Result,
        delivery::{DeliveryState, Reason},
        destination::{Destination, DestinationKind, Health, SLACK_NOTIFICATIONS},
        error::StateFailure,
        ids::{MemberId, OrganisationId},
        member::{Member, Permission},
        oauth::{OAuthState, STATE_LIFETIME},
        organisation::Organisation,
        slack_link::{SlackLink, SlackLinkStatus},
    },
    provider::slack::SlackGrant,
    store::{
        self, Tx,
        slack_links::{Installed, StoredSlackLink},
    },
};

/// The provider's name beside an OAuth state: a state of one provider is none of another's.
const PROVIDER: &str = "slack";

impl App {
    /// Slack's page on which a member allows the connection. The state in it is good once, for a short time, for this
    /// member and organisation.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::FailedPrecondition`] where no Slack app is configured.
    pub async fn get_slack_oauth_url(&self, caller: &Caller) -> Result<Url> {
        caller.require(Permission::SlackManage)?;
        let slack = self.slack()?;
        let text = BASE64URL.encode(self.parts.ambient.random::<32>());
        let now = self.now();
        let state = OAuthState {
            organisation_id: caller.organisation_id,
            member_id: caller.member_id,
            expires_at: now + STATE_LIFETIME,
        };
        let tx = self.parts.store.begin().await?;
        store::oauth_states::insert(&tx, sha256(text.as_bytes()), PROVIDER, &state, now).await?;
        tx.commit().await?;
        Ok(slack.authorize_url(&text))
    }

    /// Completes a connection for the member who began it, through the API.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::OAuthState`], [`Error::Refused`] with Slack's own code,
    /// [`Error::UpstreamUnavailable`], [`Error::Conflict`] where the workspace belongs to another organisation.
    pub async fn complete_slack_oauth(&self, caller: &Caller, code: &str, state: &str) -> Result<SlackIntegration> {
        caller.require(Permission::SlackManage)?;
        let bound_to = (caller.organisation_id, caller.member_id);
        let (_, member) = self.take_state(state, Some(bound_to)).await?;
        self.connect(&member, code).await
    }

    /// Completes a connection in the browser that comes back from Slack: the state alone says for whom.
    ///
    /// # Errors
    /// As [`App::complete_slack_oauth`]; [`Error::Forbidden`] where the member may not connect Slack any more.
    pub async fn complete_slack_oauth_in_browser(
        &self,
        code: &str,
        state: &str,
    ) -> Result<(Organisation, SlackIntegration)> {
        let (organisation_id, member) = self.take_state(state, None).await?;
        Caller::member(&member, None).require(Permission::SlackManage)?;
        let organisation = store::organisations::find(self.parts.store.reader(), organisation_id).await?;
        Ok((organisation, self.connect(&member, code).await?))
    }

    /// Uses a state up, whatever comes of it.
    async fn take_state(
        &self,
        text: &str,
        bound_to: Option<(OrganisationId, MemberId)>,
    ) -> Result<(OrganisationId, Member)> {
        let now = self.now();
        let unknown = Error::OAuthState(StateFailure::Unknown);
        let tx = self.parts.store.begin().await?;
        let taken = store::oauth_states::take(&tx, sha256(text.as_bytes()), PROVIDER, bound_to, now).await?;
        tx.commit().await?;
        let state = taken.ok_or_else(|| unknown.clone())?;
        if state.expires_at <= now {
            return Err(Error::OAuthState(StateFailure::Expired));
        }
        match store::members::find_by_id(self.parts.store.reader(), state.member_id).await {
            Ok(member) => Ok((state.organisation_id, member)),
            Err(Error::NotFound { .. }) => Err(unknown),
            Err(error) => Err(error),
        }
    }

    /// Exchanges the code and makes, or replaces, the organisation's link.
    async fn connect(&self, member: &Member, code: &str) -> Result<SlackIntegration> {
        let grant = self.slack()?.exchange_code(code).await?;
        let now = self.now();
        let mut link = SlackLink {
            id: self.parts.ambient.id(),
            organisation_id: member.organisation_id,
            destination_id: self.parts.ambient.id(),
            created_by: member.user_id,
            team_id: grant.team_id.clone(),
            team_name: grant.team_name.clone(),
            channel_id: String::new(),
            channel_name: String::new(),
            status: SlackLinkStatus::Active,
            triggers: Default::default(),
            link_id: None,
            created_at: now,
            updated_at: now,
        };
        let tokens = self.seal_grant(link.organisation_id, link.id, &grant).await?;
        let tx = self.parts.store.begin().await?;
        let former = store::slack_links::find(&tx, link.organisation_id).await?;
        if let Some(former) = &former {
            store::slack_links::delete(&tx, former.link.id).await?;
        }
        let destination = self.notifications(&tx, &link).await?;
        link.destination_id = destination.id;
        let stored = StoredSlackLink { link, tokens };
        store::slack_links::insert(&tx, &stored, installed(&grant)).await?;
        let link = stored.link;
        let detail = json!({"team_id": link.team_id, "replaced": former.is_some()});
        let actor = (link.organisation_id, member.user_id.to_string());
        self.audit(&tx, (actor.0, &actor.1), "slack_link.connect", link.id, detail).await?;
        tx.commit().await?;
        if let Some(former) = former.filter(|former| former.link.team_id != link.team_id) {
            self.revoke_at_slack(&former).await;
        }
        Ok(SlackIntegration { link, destination })
    }

    /// The organisation's destination for notifications, as good as new. It outlives its links, so that what failed
    /// while nothing was connected can be replayed afterwards.
    async fn notifications(&self, tx: &Tx, link: &SlackLink) -> Result<Destination> {
        let kind = DestinationKind::Slack;
        let fresh = Destination {
            id: link.destination_id,
            organisation_id: link.organisation_id,
            kind,
            name: SLACK_NOTIFICATIONS.to_owned(),
            address: String::new(),
            health: Health::Healthy,
            success_count: 0,
            failure_count: 0,
            last_sent_at: None,
            created_at: link.created_at,
        };
        let found =
            store::destinations::find_by_name(tx, link.organisation_id, kind.as_str(), SLACK_NOTIFICATIONS).await?;
        let Some(former) = found else {
            store::destinations::insert(tx, &fresh).await?;
            return Ok(fresh);
        };
        let reason = Reason::NoChannelChosen.text();
        store::deliveries::end_pending(tx, former.id, DeliveryState::Failed, reason, link.created_at).await?;
        store::destinations::set_address(tx, former.id, "").await?;
        store::destinations::reset_counters(tx, former.id).await?;
        Ok(Destination { id: former.id, created_at: former.created_at, ..fresh })
    }
}

fn installed(grant: &SlackGrant) -> Installed {
    Installed {
        enterprise_id: grant.enterprise_id.clone(),
        app_id: grant.app_id.clone(),
        bot_user_id: grant.bot_user_id.clone(),
        scopes: grant.scopes.clone(),
    }
}
