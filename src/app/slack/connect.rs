//! Connects a Slack workspace by OAuth: authorization URL, callback, and exchange of the code.
//!
//! Not here: changes of a connected workspace (`links`).

use serde_json::json;
use url::Url;

use super::{SlackConnections, links::SlackIntegration};
use crate::{
    app::{
        Caller,
        pipeline::reports::Report,
        tenancy::{
            consents::{Carry, Consent},
            oauth_states::Begun,
            teams::Identified,
        },
    },
    domain::{
        Error, Result,
        error::StateFailure,
        pipeline::{delivery::DeliveryState, destination::Destination},
        slack::{
            self, destination,
            link::{SlackLink, SlackLinkStatus},
            reason,
        },
        tenancy::{
            member::{Member, Permission},
            oauth::Flow,
        },
    },
    store::{self, Tx, slack::links::StoredSlackLink},
};

/// Outcome of the callback of an app installation.
#[derive(Clone, Debug)]
pub enum SlackInstalled {
    /// Installed; the address opens the app in Slack.
    Done(Url),
    /// A confirmation is pending in the browser.
    Asked(Consent),
}

impl SlackConnections {
    /// Returns the address of Slack's page on which a member authorises the connection. Its state is valid once, for a
    /// short time, for this member and organisation.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::FailedPrecondition`] where no Slack app is configured.
    pub async fn get_slack_oauth_url(&self, caller: &Caller) -> Result<Url> {
        self.slack_oauth_url(caller, Flow::Slack).await
    }

    /// Returns the address of Slack's page on which a member installs the app, with its commands. Afterwards the
    /// browser is sent to Slack.
    ///
    /// # Errors
    /// As [`SlackConnections::get_slack_oauth_url`]; [`Error::NotFound`] where the team is not the caller's,
    /// [`Error::Invalid`] where none is named and the caller is in several.
    pub async fn install_slack(&self, who: &Identified, team: Option<&str>) -> Result<Url> {
        let caller = match team {
            Some(team) => self.tenancy.in_team(who, team).await?.0,
            None => self.tenancy.in_their_team(who).await?,
        };
        self.slack_oauth_url(&caller, Flow::SlackApp).await
    }

    async fn slack_oauth_url(&self, caller: &Caller, flow: Flow) -> Result<Url> {
        caller.require(Permission::SlackManage)?;
        let slack = self.slack()?;
        let [state] = self.tenancy.issue_states(caller, [flow]).await?;
        Ok(slack.authorize_url(flow, &state))
    }

    /// Completes, through the API, a connection for the member who began it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::OAuthState`], [`Error::Refused`] with Slack's own code,
    /// [`Error::UpstreamUnavailable`], [`Error::Conflict`] where the workspace belongs to another organisation.
    pub async fn complete_slack_oauth(&self, caller: &Caller, code: &str, state: &str) -> Result<SlackIntegration> {
        caller.require(Permission::SlackManage)?;
        let bound_to = (caller.organisation_id, caller.member_id);
        let begun = self.tenancy.take_state(Flow::Slack, state, Some(bound_to)).await?;
        self.connect(&begun.member, Flow::Slack, code).await
    }

    /// Asks the browser that comes back from Slack for confirmation, since the state identifies the organisation but
    /// not the person at the browser.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Forbidden`] where the member no longer may connect Slack.
    pub async fn complete_slack_oauth_in_browser(&self, code: &str, state: &str) -> Result<Consent> {
        let (begun, confirm) = match self.tenancy.take_state(Flow::SlackConnection, state, None).await {
            Err(Error::OAuthState(StateFailure::Unknown)) => {
                (self.tenancy.take_state(Flow::Slack, state, None).await?, Flow::SlackConfirm)
            }
            taken => (taken?, Flow::SlackConnectionConfirm),
        };
        Caller::member(&begun.member, None).require(Permission::SlackManage)?;
        self.tenancy.ask_consent(&begun, confirm, Carry::Code(code)).await
    }

    /// Completes an installation of the app for the caller who began it, and returns its address in Slack. A browser
    /// without a credential is asked for confirmation first.
    ///
    /// # Errors
    /// As [`SlackConnections::complete_slack_oauth`] and [`SlackConnections::complete_slack_oauth_in_browser`].
    pub async fn complete_slack_install(
        &self,
        who: Option<&Identified>,
        code: &str,
        state: &str,
    ) -> Result<SlackInstalled> {
        let begun = match who {
            Some(who) => self.take_state_of_any(who, state).await?,
            None => self.tenancy.take_state(Flow::SlackApp, state, None).await?,
        };
        Caller::member(&begun.member, None).require(Permission::SlackManage)?;
        if who.is_none() {
            return Ok(SlackInstalled::Asked(
                self.tenancy.ask_consent(&begun, Flow::SlackAppConfirm, Carry::Code(code)).await?,
            ));
        }
        let SlackIntegration { link, .. } = self.connect(&begun.member, Flow::SlackApp, code).await?;
        Ok(SlackInstalled::Done(link.app_address()?))
    }

    /// Uses up a state that was issued to this caller in any of their organisations.
    async fn take_state_of_any(&self, who: &Identified, state: &str) -> Result<Begun> {
        for caller in self.tenancy.everywhere(who).await? {
            let bound_to = (caller.organisation_id, caller.member_id);
            match self.tenancy.take_state(Flow::SlackApp, state, Some(bound_to)).await {
                Err(Error::OAuthState(StateFailure::Unknown)) => {}
                taken => return taken,
            }
        }
        Err(Error::OAuthState(StateFailure::Unknown))
    }

    /// Exchanges the code and creates or replaces the organisation's link. Reinstalling the app in the same workspace
    /// keeps the settings of the link, and so does a connection of the native API; the other flow begins with the
    /// defaults.
    pub(in crate::app) async fn connect(&self, member: &Member, flow: Flow, code: &str) -> Result<SlackIntegration> {
        let grant = self.slack()?.exchange_code(flow, code).await?;
        let now = self.base.now();
        // The channel of the incoming webhook was chosen on Slack's page.
        let (channel_id, channel_name) = match &grant.incoming_webhook {
            Some(webhook) => (webhook.channel_id.clone(), webhook.channel.trim_start_matches('#').to_owned()),
            None => Default::default(),
        };
        let mut link = SlackLink {
            id: self.base.ambient.id(),
            organisation_id: member.organisation_id,
            destination_id: self.base.ambient.id(),
            created_by: member.user_id,
            team_id: grant.team_id.clone(),
            org_wide: grant.org_wide,
            enterprise_id: grant.enterprise_id.clone(),
            app_id: grant.app_id.clone(),
            bot_user_id: grant.bot_user_id.clone(),
            team_name: grant.team_name.clone(),
            channel_id,
            channel_name,
            status: SlackLinkStatus::Active,
            triggers: Default::default(),
            link_id: None,
            created_at: now,
            updated_at: now,
        };
        let tokens = self.seal_grant(link.organisation_id, link.id, &grant).await?;
        let tx = self.base.store.begin().await?;
        self.tenancy.require_still(&tx, member, Permission::SlackManage).await?;
        let former = store::slack::links::find(&tx, link.organisation_id).await?;
        match &former {
            Some(former) => store::slack::links::delete(&tx, former.link.id).await?,
            None => self.tenancy.demand_room_for_destinations(&tx, link.organisation_id, 1).await?,
        }
        let kept = former.as_ref().filter(|former| flow != Flow::Slack && former.link.team_id == link.team_id);
        let destination = match kept {
            Some(StoredSlackLink { link: former, .. }) => {
                link.keep(former);
                store::pipeline::destinations::heal(&tx, link.organisation_id, &destination::SLACK).await?;
                store::pipeline::destinations::find(&tx, link.organisation_id, former.destination_id).await?
            }
            None => {
                store::pipeline::destinations::heal(&tx, link.organisation_id, &destination::SLACK).await?;
                self.notifications(&tx, &link).await?
            }
        };
        link.destination_id = destination.id;
        let stored = StoredSlackLink { link, tokens };
        store::slack::links::insert(&tx, &stored, &grant.scopes).await?;
        let link = stored.link;
        let detail = json!({"team_id": link.team_id, "replaced": former.is_some()});
        let actor = (link.organisation_id, member.user_id.to_string());
        self.base.audit(&tx, (actor.0, &actor.1), "slack_link.connect", link.id, detail).await?;
        let was_lost = former.as_ref().is_some_and(|former| former.link.status == SlackLinkStatus::Disconnected);
        let restored = || Report::connection(link.organisation_id, slack::PROVIDER, &link.team_name, None);
        self.pipeline.commit_reports(tx, was_lost.then(restored).as_slice()).await?;
        if let Some(former) = former.filter(|former| former.link.team_id != link.team_id) {
            self.revoke_at_slack(&former).await;
        }
        Ok(SlackIntegration { link, destination })
    }

    /// Returns the organisation's destination for notifications with its health and counters reset. It outlives its
    /// links, so that deliveries that failed without a connection can be replayed afterwards.
    async fn notifications(&self, tx: &Tx, link: &SlackLink) -> Result<Destination> {
        let kind = destination::SLACK;
        let place = (kind.clone(), destination::NOTIFICATIONS.to_owned(), link.channel_id.clone());
        let fresh = Destination::fresh(link.destination_id, link.organisation_id, place, link.created_at);
        let found =
            store::pipeline::destinations::find_by_name(tx, link.organisation_id, &kind, destination::NOTIFICATIONS)
                .await?;
        let Some(former) = found else {
            store::pipeline::destinations::insert(tx, &fresh).await?;
            return Ok(fresh);
        };
        let reason = reason::NO_CHANNEL.text();
        store::pipeline::deliveries::end_pending(tx, former.id, DeliveryState::Failed, reason, link.created_at).await?;
        store::pipeline::destinations::set_address(tx, former.id, &link.channel_id).await?;
        store::pipeline::destinations::reset_counters(tx, former.id).await?;
        Ok(Destination { id: former.id, created_at: former.created_at, ..fresh })
    }
}
