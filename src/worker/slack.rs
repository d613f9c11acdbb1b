//! Sends deliveries to a Slack channel, or to a person in Slack.

use std::{borrow::Cow, time::Instant};

use super::lane::{Hold, Tried};
use crate::{
    app::App,
    domain::{
        Error, Result,
        delivery::{Delivery, DeliveryState, Reason, Thread, Verdict},
        destination::Destination,
        event::{Event, WORKFLOW_STEP_COMPLETED},
        github::{self, EVENT_PREFIX, GithubEvent},
        secret::Secret,
        slack::{self, SlackMessage},
        slack_link::SlackLinkStatus,
    },
    provider::slack::{PostAnswer, Reply, post_body},
    store::{self, slack_links::StoredSlackLink},
};

/// One Slack channel, or person, while it is sent to.
pub(super) struct SlackLane<'a> {
    app: &'a App,
    address: String,
    is_person: bool,
    stored: Option<StoredSlackLink>,
    token: Option<Secret>,
    /// The message under which the next one goes.
    thread_ts: Option<String>,
}

impl<'a> SlackLane<'a> {
    pub(super) fn new(app: &'a App, destination: &Destination, stored: Option<StoredSlackLink>) -> Self {
        let (address, is_person) = (destination.address.clone(), destination.is_person());
        Self { app, address, is_person, stored, token: None, thread_ts: None }
    }

    /// Whether the link lets a delivery out now, and under which message it goes.
    pub(super) async fn check(&mut self, delivery: &Delivery) -> Result<Option<Hold>> {
        let hold = |state, reason| Ok(Some(Hold { state, reason }));
        let Some(StoredSlackLink { link, .. }) = &self.stored else {
            return hold(DeliveryState::Failed, Reason::LinkDeleted);
        };
        match link.status {
            SlackLinkStatus::Disconnected => return hold(DeliveryState::Failed, Reason::LinkDisconnected),
            // Who asks for something by hand is answered, whatever is paused.
            SlackLinkStatus::Paused if !self.is_person => return hold(DeliveryState::Skipped, Reason::LinkPaused),
            SlackLinkStatus::Paused | SlackLinkStatus::Active => {}
        }
        if self.address.is_empty() {
            return hold(DeliveryState::Failed, Reason::NoChannelChosen);
        }
        self.thread_ts = None;
        if let Some(thread) = thread_of(delivery) {
            let reader = self.app.store().writer();
            self.thread_ts = store::slack_threads::find(reader, delivery.destination_id, &thread.topic).await?;
            match &self.thread_ts {
                Some(_) if thread.only_first => return hold(DeliveryState::Skipped, Reason::AlreadyTold),
                None if thread.only_reply => return hold(DeliveryState::Skipped, Reason::NothingToReplyTo),
                Some(_) | None => {}
            }
        }
        Ok(None)
    }

    /// Sends one delivery.
    pub(super) async fn send(&mut self, delivery: &Delivery, event: &Event) -> Tried {
        let message = match &delivery.content {
            Some(content) => Cow::Borrowed(&content.message),
            None => Cow::Owned(message_of(event)),
        };
        let broadcast = thread_of(delivery).is_some_and(|thread| thread.broadcast);
        let reply = self.thread_ts.as_deref().map(|thread_ts| Reply { thread_ts, broadcast });
        let began = self.app.ambient().now();
        let timer = Instant::now();
        let address = self.address.clone();
        let request = post_body(&address, &message, reply);
        let answer = self.post(&request).await;
        let duration = timer.elapsed();
        let tried =
            |verdict, status_code, answer| Tried { verdict, address, request, answer, status_code, duration, began };
        match answer {
            Ok(PostAnswer::Posted { ts, answer }) => {
                self.open_thread(delivery, &ts).await;
                tried(Verdict::Delivered, Some(200), Some(answer))
            }
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

    /// Remembers the first message on a topic. Where that fails the next one opens a thread of its own.
    async fn open_thread(&self, delivery: &Delivery, ts: &str) {
        let (Some(thread), None) = (thread_of(delivery), &self.thread_ts) else { return };
        let (store, now) = (self.app.store(), self.app.ambient().now());
        let (organisation, destination) = (delivery.organisation_id, delivery.destination_id);
        let opened =
            store::slack_threads::open(store.writer(), organisation, destination, &thread.topic, ts, now).await;
        if let Err(error) = opened {
            tracing::error!(%error, topic = thread.topic, "a thread could not be remembered");
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
}

/// What an event says where nothing was decided at the door.
fn message_of(event: &Event) -> SlackMessage {
    let fact = &event.fact;
    let github = fact.kind.strip_prefix(EVENT_PREFIX).and_then(|name| GithubEvent::read(name, &fact.data));
    match github {
        Some(github) => github::message(&github),
        None if fact.kind == WORKFLOW_STEP_COMPLETED => slack::step_completed(event),
        None => slack::event_message(event),
    }
}

fn thread_of(delivery: &Delivery) -> Option<&Thread> {
    delivery.content.as_ref()?.thread.as_ref()
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
