//! Members behind people in Slack.
//!
//! Not here: what they may do.

use std::time::Duration;

use moka::future::Cache;

use super::SlackConnections;
use crate::{
    domain::{
        Error, Result,
        error::{Noun, Upstream},
        slack::{Outcome, SlackUser, link::SlackLink, outcome::is_passing},
        tenancy::member::Member,
    },
    provider::slack::SlackFailure,
    store::{self, slack::links::StoredSlackLink},
};

/// Lifetime of Slack's data about a person: their address may change, and they may leave.
const LIFETIME: Duration = Duration::from_secs(300);

/// Profiles by workspace and user.
pub(super) type People = Cache<String, SlackUser>;

pub(super) fn people() -> People {
    Cache::builder().max_capacity(10_000).time_to_live(LIFETIME).build()
}

impl SlackConnections {
    /// Returns the member whose e-mail address Slack knows a person by. Slack's word is taken for people whose address
    /// it has confirmed, and only where one member has that address.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] and [`Error::UpstreamUnavailable`] where Slack does not say who it is.
    pub(in crate::app) async fn member_in_slack(
        &self,
        stored: &StoredSlackLink,
        slack_user_id: &str,
    ) -> Result<Member> {
        let key = format!("{}/{slack_user_id}", stored.link.team_id);
        let unknown = || Error::not_found(Noun::Member, slack_user_id);
        let user = match self.people.get(&key).await {
            Some(user) => user,
            None => {
                let user = self.ask_slack_for(stored, slack_user_id).await?;
                self.people.insert(key, user.clone()).await;
                user
            }
        };
        let SlackLink { team_id, enterprise_id, .. } = &stored.link;
        let email = user.trusted_email(team_id, enterprise_id.as_deref()).ok_or_else(unknown)?;
        let reader = self.base.store.reader();
        let mut members = store::tenancy::members::find_by_email(reader, stored.link.organisation_id, email).await?;
        match (members.pop(), members.is_empty()) {
            (Some(member), true) => Ok(member),
            _ => Err(unknown()),
        }
    }

    async fn ask_slack_for(&self, stored: &StoredSlackLink, slack_user_id: &str) -> Result<SlackUser> {
        let token = self.open_slack_token(stored).await?;
        match self.slack()?.users_info(&token, slack_user_id).await {
            Ok(user) => Ok(user),
            Err(failure) if failure.outcome() == Outcome::TokenExpired => {
                let token = self.renew_slack_token(stored).await?;
                Ok(self.slack()?.users_info(&token, slack_user_id).await?)
            }
            Err(SlackFailure::Refused { code }) if code == "user_not_found" || code == "user_not_visible" => {
                Err(Error::not_found(Noun::Member, slack_user_id))
            }
            Err(SlackFailure::Refused { code }) if is_passing(&code) => {
                Err(Error::UpstreamUnavailable { upstream: Upstream::Slack, reason: code, retry_after: None })
            }
            Err(failure) => Err(failure.into()),
        }
    }
}
