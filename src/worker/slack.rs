//! Sends deliveries to a Slack channel.

use std::time::{Duration, Instant};

use crate::{
    app::App,
    domain::{
        Error,
        ambient::Time,
        delivery::{DeliveryState, Reason, Verdict},
        destination::Health,
        event::{Event, WORKFLOW_STEP_COMPLETED},
        secret::Secret,
        slack,
        slack_link::SlackLinkStatus,
    },
    provider::slack::{PostAnswer, post_body},
    store::slack_links::StoredSlackLink,
};

/// What one try was.
pub(super) struct Tried {
    pub(super) verdict: Verdict,
    pub(super) address: String,
    pub(super) request: String,
    pub(super) answer: Option<String>,
    pub(super) status_code: Option<u16>,
    pub(super) duration: Duration,
    pub(super) began: Time,
}

/// Why a delivery is not even tried.
pub(super) struct Hold {
    pub(super) state: DeliveryState,
    pub(super) reason: Reason,
}

/// One Slack link while its destination is served.
pub(super) struct SlackLane<'a> {
    app: &'a App,
    stored: Option<StoredSlackLink>,
    token: Option<Secret>,
}

impl<'a> SlackLane<'a> {
    pub(super) fn new(app: &'a App, stored: Option<StoredSlackLink>) -> Self {
        Self { app, stored, token: None }
    }

    /// Whether the link lets anything out now: it may have changed since the event was accepted.
    pub(super) fn check(&self) -> Result<(), Hold> {
        let failed = |reason| Err(Hold { state: DeliveryState::Failed, reason });
        let Some(StoredSlackLink { link, .. }) = &self.stored else { return failed(Reason::LinkDeleted) };
        match link.status {
            SlackLinkStatus::Disconnected => failed(Reason::LinkDisconnected),
            SlackLinkStatus::Paused => Err(Hold { state: DeliveryState::Skipped, reason: Reason::LinkPaused }),
            SlackLinkStatus::Active if link.channel_id.is_empty() => failed(Reason::NoChannelChosen),
            SlackLinkStatus::Active => Ok(()),
        }
    }

    /// Sends one delivery.
    pub(super) async fn send(&mut self, event: &Event) -> Tried {
        let message = match event.fact.kind.as_str() {
            WORKFLOW_STEP_COMPLETED => slack::step_completed(event),
            _ => slack::event_message(event),
        };
        let began = self.app.ambient().now();
        let timer = Instant::now();
        let address = self.stored.as_ref().map(|stored| stored.link.channel_id.clone()).unwrap_or_default();
        let request = post_body(&address, &message);
        let answer = self.post(&request).await;
        let duration = timer.elapsed();
        let tried =
            |verdict, status_code, answer| Tried { verdict, address, request, answer, status_code, duration, began };
        match answer {
            Ok(PostAnswer::Posted { answer, .. }) => tried(Verdict::Delivered, Some(200), Some(answer)),
            Ok(PostAnswer::RateLimited { retry_after, answer }) => {
                tried(Verdict::Throttled { retry_after }, Some(429), Some(answer))
            }
            Ok(PostAnswer::Refused { code, status, answer }) => tried(refusal(&code), Some(status), Some(answer)),
            Ok(PostAnswer::Unreachable { reason, status, answer }) => {
                tried(Verdict::Unreachable { reason: reason.as_str().into() }, status, answer)
            }
            Err(Error::Refused { code, .. }) => tried(refusal(&code), None, None),
            Err(Error::Internal(cause)) => {
                tracing::error!(cause, "a delivery could not be tried");
                let reason = "something went wrong on our side; the log says what".into();
                tried(Verdict::Unreachable { reason }, None, None)
            }
            Err(error) => tried(Verdict::Unreachable { reason: error.to_string().into() }, None, None),
        }
    }

    async fn post(&mut self, body: &str) -> Result<PostAnswer, Error> {
        match &self.stored {
            Some(stored) => self.app.post_to_slack(stored, &mut self.token, body).await,
            None => Err(Error::Internal("a delivery is sent without a link".into())),
        }
    }

    /// Tells the application that Slack refuses the token for good.
    pub(super) async fn connection_died(&self, verdict: &Verdict) {
        let (Some(stored), Verdict::ConnectionDead { code, .. }) = (&self.stored, verdict) else { return };
        if let Err(error) = self.app.slack_connection_died(&stored.link, code).await {
            tracing::error!(%error, "a dead Slack connection could not be noted; the next delivery will try again");
        }
    }

    /// What a delivery that arrived says of a destination that was not healthy.
    pub(super) fn healed(&self, former: &Health) -> Option<Health> {
        (*former != Health::Healthy).then_some(Health::Healthy)
    }
}

/// What Slack's error code means for the delivery and its destination.
fn refusal(code: &str) -> Verdict {
    let reason = || format!("Slack says {code}: {}", slack::advice(code));
    match slack::verdict(code) {
        slack::Verdict::Retry => Verdict::Faltered { reason: reason() },
        slack::Verdict::DestinationBroken => Verdict::AddressRefused { reason: reason() },
        slack::Verdict::ConnectionDead | slack::Verdict::TokenExpired => {
            Verdict::ConnectionDead { code: code.to_owned(), reason: reason() }
        }
        slack::Verdict::MessageRefused => Verdict::MessageRefused { reason: reason() },
    }
}
