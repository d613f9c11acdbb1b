//! Tokens of a Slack link: sealed at rest, opened for a call, renewed before they expire.
//!
//! Not here: the exchange of an OAuth code (`connect`).

use std::time::Duration;

use super::SlackConnections;
use crate::{
    app::{pipeline::reports::Report, tenancy::vault::SecretLocation},
    domain::{
        Error, Result,
        error::Upstream,
        ids::{OrganisationId, SlackLinkId},
        pipeline::{
            delivery::DeliveryState,
            destination::{Destination, Health},
        },
        secret::Secret,
        slack::{self, Outcome, classify, destination, link::SlackLink, reason},
    },
    provider::slack::{PostAnswer, SlackClient, SlackGrant},
    store::{
        self, Tx,
        slack::links::{SealedTokens, StoredSlackLink},
    },
};

/// Remaining lifetime below which a token is renewed before use.
const RENEW_BEFORE_END: chrono::Duration = chrono::Duration::hours(2);
/// Lease on a renewal, after which another process may try.
const RENEWAL_LEASE: Duration = Duration::from_secs(30);

impl SlackConnections {
    /// Returns the client of Slack, where an app is configured.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`] naming the missing settings.
    pub fn slack(&self) -> Result<&SlackClient> {
        self.client.as_ref().ok_or_else(|| Error::FailedPrecondition {
            message: "no Slack app is configured; set TIELINE_SLACK__CLIENT_ID, TIELINE_SLACK__CLIENT_SECRET and \
                      TIELINE_SLACK__SIGNING_SECRET"
                .into(),
        })
    }

    /// Returns the bot token of a link, renewed first if it expires soon.
    ///
    /// # Errors
    /// [`Error::Refused`] when Slack does not renew it, [`Error::UpstreamUnavailable`] when Slack cannot be reached and
    /// the old token has expired.
    pub async fn open_slack_token(&self, stored: &StoredSlackLink) -> Result<Secret> {
        let now = self.base.now();
        match stored.tokens.expires_at {
            Some(end) if end <= now + RENEW_BEFORE_END => match self.renew_slack_token(stored).await {
                Ok(token) => Ok(token),
                Err(Error::UpstreamUnavailable { .. }) if end > now => self.unseal_access_token(stored).await,
                Err(error) => Err(error),
            },
            _ => self.unseal_access_token(stored).await,
        }
    }

    /// Renews a link's bot token. A lease serialises renewals across all processes.
    ///
    /// # Errors
    /// [`Error::Refused`], or [`Error::UpstreamUnavailable`] also while another renewal runs.
    pub async fn renew_slack_token(&self, stored: &StoredSlackLink) -> Result<Secret> {
        let StoredSlackLink { link, tokens } = stored;
        let refused = || Error::Refused { upstream: Upstream::Slack, code: "token_expired".into() };
        let sealed = tokens.refresh_token.as_deref().ok_or_else(refused)?;
        let now = self.base.now();
        let writer = self.base.store.writer();
        if !store::slack::links::begin_refresh(writer, stored, now, now + RENEWAL_LEASE).await? {
            return self.renewed_by_another(stored).await;
        }
        let location = token_location(link.organisation_id, link.id, "refresh_token");
        let refresh_token = self.vault.unseal(location, sealed).await?;
        let grant = match self.slack()?.refresh(&refresh_token).await {
            Ok(grant) => grant,
            Err(error) => {
                store::slack::links::end_refresh(writer, link.id).await?;
                return Err(error);
            }
        };
        let renewed = self.seal_grant(link.organisation_id, link.id, &grant).await?;
        store::slack::links::save_tokens(writer, link.id, &renewed).await?;
        Ok(grant.access_token)
    }

    /// Posts a body through a link, and again after one renewal if the token has expired. `token` caches the opened
    /// token for the next call.
    ///
    /// # Errors
    /// As [`SlackConnections::open_slack_token`], for the token only. Slack's response to the message is in the answer.
    pub async fn post_to_slack(
        &self,
        stored: &StoredSlackLink,
        token: &mut Option<Secret>,
        body: &str,
    ) -> Result<PostAnswer> {
        let slack = self.slack()?;
        let current = match token.take() {
            Some(opened) => opened,
            None => self.open_slack_token(stored).await?,
        };
        let current = token.insert(current);
        let answer = slack.post(current, body.to_owned()).await;
        match &answer {
            PostAnswer::Refused { code, .. } if classify(code) == Outcome::TokenExpired => {}
            _ => return Ok(answer),
        }
        tracing::debug!(team_id = stored.link.team_id, "Slack token expired; renewing it");
        let renewed = token.insert(self.renew_slack_token(stored).await?);
        Ok(slack.post(renewed, body.to_owned()).await)
    }

    /// Returns the token of another process's renewal, if that has succeeded.
    async fn renewed_by_another(&self, StoredSlackLink { link, tokens }: &StoredSlackLink) -> Result<Secret> {
        let found = store::slack::links::find(self.base.store.reader(), link.organisation_id).await?;
        if let Some(renewed) = found
            && renewed.link.id == link.id
            && renewed.tokens.access_token != tokens.access_token
        {
            return self.unseal_access_token(&renewed).await;
        }
        let reason = "the token is being renewed".to_owned();
        let retry_after = Some(Duration::from_secs(1));
        Err(Error::UpstreamUnavailable { upstream: Upstream::Slack, reason, retry_after })
    }

    /// Seals the tokens of a grant for a link's row.
    pub(in crate::app) async fn seal_grant(
        &self,
        organisation_id: OrganisationId,
        id: SlackLinkId,
        grant: &SlackGrant,
    ) -> Result<SealedTokens> {
        let vault = &self.vault;
        let access_token = vault.seal(token_location(organisation_id, id, "access_token"), &grant.access_token).await?;
        let refresh_token = match &grant.refresh_token {
            Some(token) => Some(vault.seal(token_location(organisation_id, id, "refresh_token"), token).await?),
            None => None,
        };
        let (webhook_url, configuration_url) = match &grant.incoming_webhook {
            Some(webhook) => {
                let sealed = vault.seal(token_location(organisation_id, id, "webhook_url"), &webhook.url).await?;
                (Some(sealed), webhook.configuration_url.clone())
            }
            None => (None, String::new()),
        };
        let expires_at = grant.expires_in.map(|life| self.base.now() + life);
        Ok(SealedTokens { access_token, refresh_token, expires_at, webhook_url, configuration_url })
    }

    /// Records that Slack revoked a link's token: disconnects the link, disables its destinations, and fails their
    /// pending deliveries with the reason. A link that was replaced in the meantime is left alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn slack_connection_died(&self, link: &SlackLink, code: &str) -> Result<()> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let mut reports = Vec::new();
        if store::slack::links::disconnect(&tx, link.id, now).await? {
            let (organisation_id, reason) = (link.organisation_id, reason::DISCONNECTED.text());
            let why = format!("{reason} (Slack says {code})");
            let health = Health::Disabled { reason: why.clone(), since: now };
            reports.push(Report::connection(organisation_id, slack::PROVIDER, &link.team_name, Some(why)));
            let disabled = self.switch_off_slack(&tx, organisation_id, reason, &health).await?;
            reports.extend(disabled.into_iter().map(|destination| Report::health(destination, false)));
            let detail = serde_json::json!({"code": code});
            self.base.audit(&tx, (link.organisation_id, "slack"), "slack_link.disconnected", link.id, detail).await?;
        }
        self.pipeline.commit_reports(tx, &reports).await
    }

    /// Disables every destination in the organisation's Slack, and fails their pending deliveries with the reason.
    /// Returns those that were not disabled before.
    pub(in crate::app) async fn switch_off_slack(
        &self,
        tx: &Tx,
        organisation_id: OrganisationId,
        reason: &str,
        health: &Health,
    ) -> Result<Vec<Destination>> {
        let now = self.base.now();
        let all = store::pipeline::destinations::of_kind(tx, organisation_id, &destination::SLACK).await?;
        for one in &all {
            store::pipeline::deliveries::end_pending(tx, one.id, DeliveryState::Failed, reason, now).await?;
        }
        for one in &all {
            store::pipeline::destinations::set_health(tx, one.id, health).await?;
        }
        let enabled = all.into_iter().filter(|one| !matches!(one.health, Health::Disabled { .. }));
        Ok(enabled.map(|one| Destination { health: health.clone(), ..one }).collect())
    }

    /// Opens a link's incoming webhook, if it has one.
    pub(in crate::app) async fn unseal_webhook(
        &self,
        StoredSlackLink { link, tokens }: &StoredSlackLink,
    ) -> Result<Option<Secret>> {
        let location = token_location(link.organisation_id, link.id, "webhook_url");
        match &tokens.webhook_url {
            Some(sealed) => Ok(Some(self.vault.unseal(location, sealed).await?)),
            None => Ok(None),
        }
    }

    /// Opens a link's bot token without renewing it.
    pub(in crate::app) async fn unseal_access_token(
        &self,
        StoredSlackLink { link, tokens }: &StoredSlackLink,
    ) -> Result<Secret> {
        let location = token_location(link.organisation_id, link.id, "access_token");
        self.vault.unseal(location, &tokens.access_token).await
    }
}

fn token_location(organisation_id: OrganisationId, id: SlackLinkId, column: &'static str) -> SecretLocation<'static> {
    SecretLocation { organisation_id, table: "slack_link", column, row: id.0 }
}
