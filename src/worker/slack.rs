//! Sends deliveries to a Slack channel, or to a person in Slack.

use std::time::Instant;

use super::lane::{Hold, Tried};
use crate::{
    app::Services,
    domain::{
        Error, Result,
        github::{EVENT_PREFIX, GithubEvent},
        pipeline::{
            delivery::{Content, Delivery, DeliveryState, Origin, Reason, Thread, Verdict},
            destination::Destination,
            event::Event,
        },
        routes::{subscription::Subscription, workflow_step::WORKFLOW_STEP_COMPLETED},
        secret::Secret,
        slack,
        slack::link::SlackLinkStatus,
    },
    provider::slack::{PostAnswer, Reply, post_body},
    store::{self, slack::links::StoredSlackLink},
};

/// One Slack channel, or person, while it is sent to.
pub(super) struct SlackLane<'a> {
    app: &'a Services,
    address: String,
    is_person: bool,
    stored: Option<StoredSlackLink>,
    token: Option<Secret>,
    /// What the delivery says that was checked last.
    content: Option<Content>,
    /// The message under which it goes.
    thread_ts: Option<String>,
}

impl<'a> SlackLane<'a> {
    pub(super) fn new(app: &'a Services, destination: &Destination, stored: Option<StoredSlackLink>) -> Self {
        let (address, is_person) = (destination.address.clone(), destination.is_person());
        Self { app, address, is_person, stored, token: None, content: None, thread_ts: None }
    }

    /// Whether a delivery may go out now, what it says, and under which message it goes.
    pub(super) async fn check(&mut self, delivery: &Delivery, event: &Event) -> Result<Option<Hold>> {
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
        let content = self.content(delivery, event).await?;
        if let Some(origin) = content.origin
            && let Some(reason) = self.withdrawn(delivery, origin).await?
        {
            return hold(DeliveryState::Skipped, reason);
        }
        self.thread_ts = None;
        if let Some(thread) = &content.thread {
            let db = self.app.base.store().writer();
            let opened = store::slack::threads::find(db, delivery.destination_id, &thread.topic).await?;
            self.thread_ts = match opened {
                Some(_) if thread.only_first && thread.by_hand => None,
                Some(_) if thread.only_first => return hold(DeliveryState::Skipped, Reason::AlreadyTold),
                None if thread.only_reply && !thread.by_hand => {
                    return hold(DeliveryState::Skipped, Reason::NothingToReplyTo);
                }
                opened => opened,
            };
        }
        self.content = Some(content);
        Ok(None)
    }

    /// What a delivery says: as it was decided at the door or, where somebody asks for what was kept back there, as the
    /// channel's subscriptions say now.
    async fn content(&self, delivery: &Delivery, event: &Event) -> Result<Content> {
        if let Some(content) = &delivery.content {
            return Ok(content.clone());
        }
        let fact = &event.fact;
        let github = fact.kind.strip_prefix(EVENT_PREFIX).and_then(|name| GithubEvent::read(name, &fact.data));
        let Some(github) = github else { return Ok(undecided(event)) };
        let (reader, organisation_id) = (self.app.base.store().reader(), delivery.organisation_id);
        let subscriptions =
            store::routes::subscriptions::of_destination(reader, organisation_id, delivery.destination_id).await?;
        Ok(Subscription::by_hand(&subscriptions, &github))
    }

    /// Why something may not be told any more, if so. It is asked at the last moment, for what has waited, what is
    /// replayed, and what GitHub delivered late alike.
    async fn withdrawn(&self, delivery: &Delivery, origin: Origin) -> Result<Option<Reason>> {
        let Origin { installation_id, repository_id } = origin;
        let reader = self.app.base.store().reader();
        if store::github::links::find(reader, delivery.organisation_id, installation_id).await?.is_none() {
            return Ok(Some(Reason::GithubUnlinked));
        }
        let removed = store::github::installations::is_removed(reader, installation_id, repository_id).await?;
        Ok(removed.then_some(Reason::RepositoryRemoved))
    }

    /// Sends one delivery that was just checked.
    pub(super) async fn send(&mut self, delivery: &Delivery, event: &Event) -> Tried {
        let Content { message, thread, .. } = self.content.take().unwrap_or_else(|| undecided(event));
        let broadcast = thread.as_ref().is_some_and(|thread| thread.broadcast);
        let reply = self.thread_ts.as_deref().map(|thread_ts| Reply { thread_ts, broadcast });
        let began = self.app.base.ambient().now();
        let timer = Instant::now();
        let address = self.address.clone();
        let request = post_body(&address, &message, reply);
        let answer = self.post(&request).await;
        let duration = timer.elapsed();
        let tried = |verdict, status_code, answer| Tried {
            verdict,
            address,
            request,
            answer,
            detail: None,
            history_of: None,
            status_code,
            duration,
            began,
        };
        match answer {
            Ok(PostAnswer::Posted { ts, answer }) => {
                self.open_thread(delivery, thread, &ts).await;
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
    async fn open_thread(&self, delivery: &Delivery, thread: Option<Thread>, ts: &str) {
        let (Some(thread), None) = (thread, &self.thread_ts) else { return };
        let (store, now) = (self.app.base.store(), self.app.base.ambient().now());
        let (organisation, destination) = (delivery.organisation_id, delivery.destination_id);
        let opened =
            store::slack::threads::open(store.writer(), organisation, destination, &thread.topic, ts, now).await;
        if let Err(error) = opened {
            tracing::error!(%error, topic = thread.topic, "a thread could not be remembered");
        }
    }

    async fn post(&mut self, body: &str) -> Result<PostAnswer, Error> {
        match &self.stored {
            Some(stored) => self.app.slack.post_to_slack(stored, &mut self.token, body).await,
            None => Err(Error::Internal("a delivery is sent without a link".into())),
        }
    }

    /// Tells the application that Slack refuses the token for good.
    pub(super) async fn connection_died(&self, verdict: &Verdict) {
        let (Some(stored), Verdict::ConnectionDead { code, .. }) = (&self.stored, verdict) else { return };
        if let Err(error) = self.app.slack.slack_connection_died(&stored.link, code).await {
            tracing::error!(%error, "a dead Slack connection could not be noted; the next delivery will try again");
        }
    }
}

/// What an event says where no subscription decided on it.
fn undecided(event: &Event) -> Content {
    let is_step = event.fact.kind == WORKFLOW_STEP_COMPLETED;
    Content::alone(if is_step { slack::step_completed(event) } else { slack::event_message(event) })
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
