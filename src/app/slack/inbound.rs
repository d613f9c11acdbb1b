//! Requests from Slack, each with the proof of its signature, and its events.
//!
//! Not here: commands and interactions (`commands`).

use serde_json::Value;

use super::SlackConnections;
use crate::{
    app::{
        pipeline::{
            intake::{Idempotency, NewEvent},
            matcher::Place,
            outbox::Planned,
        },
        tenancy::{
            credential::sha256,
            signatures::{Check, SignatureCheck, Verified, refused},
        },
    },
    domain::{
        Error, Result,
        ids::OrganisationId,
        pipeline::{
            delivery::Content,
            event::{Fact, is_event_type},
        },
        slack::{
            self, SlackContent, SlackMessage, greeting,
            link::{SlackLink, SlackLinkStatus},
        },
    },
    provider::slack::{
        inbound::{self, Envelope, EventCallback, Origin},
        signature,
    },
    store::{self, pipeline::events::IdempotencyKey, slack::links::StoredSlackLink},
};

/// Lifetime of the idempotency record of a Slack event: Slack retries for minutes, and after an outage for some hours.
pub(in crate::app) const IDEMPOTENCY_LIFETIME: chrono::Duration = chrono::Duration::hours(24);
/// Lifetime of the record that a person was greeted.
const GREETING_LIFETIME: chrono::Duration = chrono::Duration::days(3650);
/// The type of an event by which somebody opens the app for the first time.
const APP_OPENED: &str = "slack.app_home_opened";
/// The type of an event by which somebody asks for a run.
pub(in crate::app) const RUN_SUBMITTED: &str = "slack.workflow_run_submitted";

/// A request of Slack's, verified.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Proof that `X-Slack-Signature` is Slack's.
    pub signature: Verified,
    /// The raw bytes.
    pub body: &'a [u8],
}

/// The answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlackEventAnswer {
    /// Slack wants to hear its own word.
    Challenge(String),
    /// Nothing needs to be said.
    Received,
}

impl Check for signature::Check {
    fn update(&mut self, bytes: &[u8]) {
        signature::Check::update(self, bytes);
    }

    fn finish(self: Box<Self>) -> Result<()> {
        signature::Check::finish(*self).map_err(|forgery| refused("Slack", &forgery))
    }
}

impl SlackConnections {
    /// Begins to check a request of Slack's by its `X-Slack-Request-Timestamp` and `X-Slack-Signature`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where a header is missing or malformed or the time is too far away,
    /// [`Error::FailedPrecondition`] where no Slack app is configured.
    pub fn begin_slack_signature(&self, timestamp: Option<&[u8]>, signature: Option<&[u8]>) -> Result<SignatureCheck> {
        self.slack()?;
        let verifier = self.signatures.as_ref();
        let verifier = verifier.ok_or_else(|| Error::Internal("Slack's signatures cannot be verified".into()))?;
        let check =
            verifier.begin(timestamp, signature, self.base.now()).map_err(|forgery| refused("Slack", &forgery))?;
        Ok(SignatureCheck::new(check))
    }

    /// An event: kept once under Slack's id. What concerns the connection is acted on before Slack has its answer.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn receive_slack_event(&self, request: Signed<'_>) -> Result<SlackEventAnswer> {
        match inbound::envelope(request.body)? {
            Envelope::UrlVerification { challenge } => return Ok(SlackEventAnswer::Challenge(challenge)),
            Envelope::AppRateLimited { team_id, minute_rate_limited } => {
                tracing::warn!(team_id, minute_rate_limited, "Slack holds events of this workspace back");
                self.base.metrics.events("rate_limited", 1);
            }
            Envelope::EventCallback(callback) => {
                if let Some(stored) = self.workspace(&callback.origin).await? {
                    self.take_in_slack(&stored.link, *callback).await?;
                }
            }
            Envelope::Other { kind } => tracing::debug!(kind, "Slack sent something unknown"),
        }
        Ok(SlackEventAnswer::Received)
    }

    async fn take_in_slack(&self, link: &SlackLink, callback: EventCallback) -> Result<()> {
        let EventCallback { event_id, event_time, kind, event, .. } = callback;
        // The two come in any order, and late: one from before this connection is about a former one.
        let is_late = event_time.timestamp() < link.created_at.timestamp();
        let is_bots = |user: &Value| user.as_str() == Some(link.bot_user_id.as_str());
        match kind.as_str() {
            "app_uninstalled" | "tokens_revoked" if is_late => return Ok(()),
            "app_uninstalled" => return self.slack_connection_died(link, "app_uninstalled").await,
            "tokens_revoked" => {
                let bots = event["tokens"]["bot"].as_array();
                return match bots.is_some_and(|bots| bots.iter().any(is_bots)) {
                    true => self.slack_connection_died(link, "tokens_revoked").await,
                    false => Ok(()),
                };
            }
            // What we said ourselves is no news. Another app's bot is somebody else.
            _ if is_bots(&event["user"]) || is_by_app(&event, &link.app_id) => return Ok(()),
            "app_home_opened" => return self.greet(link, &event).await,
            _ => {}
        }
        let type_ = format!("slack.{kind}");
        if !is_event_type(&type_) {
            return Ok(());
        }
        let new_event = NewEvent {
            idempotency: Some(idempotency(link.organisation_id, event_id, self.base.now() + IDEMPOTENCY_LIFETIME)),
            ..new_event(link.organisation_id, type_, event)
        };
        self.take(new_event).await
    }

    /// Greets whoever opens the app for the first time. That they did is kept under their name, so it happens once.
    async fn greet(&self, link: &SlackLink, event: &Value) -> Result<()> {
        let Some(user_id) = event["user"].as_str().filter(|id| !id.is_empty()) else { return Ok(()) };
        let key = format!("greeting/{}/{user_id}", link.team_id);
        let message = greeting::greeting(&self.product);
        let new_event = NewEvent {
            idempotency: Some(idempotency(link.organisation_id, key, self.base.now() + GREETING_LIFETIME)),
            planned: vec![direct_message(user_id, message)],
            ..new_event(link.organisation_id, APP_OPENED.to_owned(), event.clone())
        };
        self.take(new_event).await
    }

    pub(in crate::app) async fn take(&self, new_event: NewEvent) -> Result<()> {
        let accepted = self.pipeline.accept(new_event).await?;
        self.base.metrics.events(if accepted.repeated { "repeated" } else { "accepted" }, 1);
        Ok(())
    }

    /// Returns the connection of a workspace. Requests from a workspace without one concern no organisation.
    pub(in crate::app) async fn workspace(&self, origin: &Origin) -> Result<Option<StoredSlackLink>> {
        let (team, enterprise) = (origin.team_id.as_deref(), origin.enterprise_id.as_deref());
        let team = team.filter(|_| !origin.org_wide);
        let found = store::slack::links::find_by_workspace(self.base.store.reader(), team, enterprise).await?;
        if found.is_none() {
            tracing::debug!(?origin, "nobody connected this Slack workspace");
        }
        Ok(found.filter(|stored| stored.link.status != SlackLinkStatus::Disconnected))
    }
}

/// Returns true if a bot of that app caused the event: some events name the bot without its user.
fn is_by_app(event: &Value, app_id: &str) -> bool {
    event["bot_id"].is_string() && [&event["app_id"], &event["bot_profile"]["app_id"]].iter().any(|id| *id == app_id)
}

/// A message to a person.
pub(in crate::app) fn direct_message(user_id: &str, message: SlackMessage) -> Planned {
    Planned {
        place: Place {
            kind: slack::destination::SLACK,
            name: slack::destination::person_name(user_id),
            address: user_id.to_owned(),
        },
        content: Some(Content::of(&SlackContent::alone(message))),
    }
}

/// An event of Slack's, without a key and without anybody to tell.
pub(in crate::app) fn new_event(organisation_id: OrganisationId, kind: String, data: Value) -> NewEvent {
    let fact = Fact::plain(&kind, None, data);
    NewEvent {
        id: None,
        organisation_id,
        source: slack::SOURCE,
        fact,
        made_from: None,
        path: Vec::new(),
        idempotency: None,
        planned: Vec::new(),
    }
}

/// Keeps what comes again under a key from being taken twice, whatever it says then.
pub(in crate::app) fn idempotency(
    organisation_id: OrganisationId,
    key: String,
    expires_at: crate::domain::ambient::Time,
) -> Idempotency {
    let fingerprint = sha256(key.as_bytes());
    let key = IdempotencyKey { organisation_id, source: slack::SOURCE, key };
    Idempotency { key, fingerprint, expires_at }
}
