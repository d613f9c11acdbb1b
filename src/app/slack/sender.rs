//! Sender to Slack channels, and to people in Slack.
//!
//! Not here: the text of messages (`domain::slack`), the order and the rate of deliveries (`worker`).

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Instant,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Mutex;

use super::SlackConnections;
use crate::{
    app::pipeline::{
        matcher::Place,
        sender::{Check, NewDestination, Prepared, Sender, Session, Skip, unreachable},
    },
    domain::{
        Error, Result,
        channels::event::{MESSAGE_POSTED, MESSAGE_PUBLISHED},
        ids::OrganisationId,
        pipeline::{
            delivery::{AttemptOutcome, Content, Delivery, Outcome, Reason},
            destination::{Destination, DestinationKind},
            event::Event,
            template::{Renderer, Template},
        },
        rate_limit::RateLimit,
        routes::workflow_step::WORKFLOW_STEP_COMPLETED,
        secret::Secret,
        slack::{self, SlackContent, content::Thread, destination, link::SlackLinkStatus, reason},
    },
    provider::slack::{PostAnswer, Reply, post_body},
    store::{self, slack::links::StoredSlackLink},
};

/// Content of deliveries whose rules belong to another room.
#[async_trait]
pub trait ContentSource: Send + Sync {
    /// Returns the content of a delivery that has none of its own, for an event of that room.
    ///
    /// # Errors
    /// When the database fails.
    async fn content(&self, delivery: &Delivery, event: &Event) -> Result<Option<SlackContent>>;

    /// Returns the reason for which a message of that room may not be sent any more, by the origin in its content.
    ///
    /// # Errors
    /// When the database fails.
    async fn withdrawn(&self, organisation_id: OrganisationId, origin: &Value) -> Result<Option<Reason>>;
}

/// Renderer of templates: values are escaped as Slack's markup requires.
static RENDERER: LazyLock<Renderer> = LazyLock::new(|| Renderer::new(slack::text::escape));

/// Sender of Slack messages.
pub struct SlackSender {
    shared: Arc<Shared>,
    rate_limit: RateLimit,
}

struct Shared {
    slack: Arc<SlackConnections>,
    source: Arc<dyn ContentSource>,
}

impl SlackSender {
    /// Creates the sender, with the rate limit of each channel.
    pub fn new(slack: Arc<SlackConnections>, source: Arc<dyn ContentSource>, rate_limit: RateLimit) -> Self {
        Self { shared: Arc::new(Shared { slack, source }), rate_limit }
    }
}

impl Sender for SlackSender {
    fn kind(&self) -> DestinationKind {
        destination::SLACK
    }

    fn rate_limit(&self) -> RateLimit {
        self.rate_limit
    }

    fn takes_any_event(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(async move {
            wanted.without_options()?;
            let address = wanted.address.clone();
            let confirmed = self.shared.slack.confirm_channel(wanted.organisation_id, &address).await?;
            let place = Place { kind: destination::SLACK, name: destination::channel_name(&address), address };
            Ok(Prepared { unconfirmed: !confirmed, ..place.into() })
        })
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        SlackContent::templated(template.render(&RENDERER, event)?).map(|content| Content::of(&content))
    }

    fn replayed(&self, content: Content) -> Result<Content> {
        Ok(Content::of(&content.read::<SlackContent>()?.sent_manually()))
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        Box::pin(async move {
            let mut organisations: Vec<OrganisationId> = destinations.iter().map(|one| one.organisation_id).collect();
            organisations.sort_unstable();
            organisations.dedup();
            let links = store::slack::links::list(self.shared.slack.base.store.reader(), &organisations).await?;
            let links: HashMap<OrganisationId, StoredSlackLink> =
                links.into_iter().map(|stored| (stored.link.organisation_id, stored)).collect();
            let session = |destination: &&Destination| -> Box<dyn Session> {
                Box::new(SlackSession {
                    shared: self.shared.clone(),
                    destination: (*destination).clone(),
                    stored: links.get(&destination.organisation_id).cloned(),
                    token: Mutex::new(None),
                })
            };
            Ok(destinations.iter().map(session).collect())
        })
    }
}

/// One channel, or person.
struct SlackSession {
    shared: Arc<Shared>,
    destination: Destination,
    stored: Option<StoredSlackLink>,
    token: Mutex<Option<Secret>>,
}

impl Session for SlackSession {
    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        Box::pin(async move {
            let Some(stored) = &self.stored else { return Ok(Check::Skip(Skip::failed(reason::DELETED.text()))) };
            if let Some(skip) = self.refused(stored) {
                return Ok(Check::Skip(skip));
            }
            let content = self.content(delivery, event).await?;
            if let Some(origin) = &content.origin
                && let Some(reason) = self.shared.source.withdrawn(delivery.organisation_id, origin).await?
            {
                return Ok(Check::Skip(Skip::skipped(reason.text())));
            }
            match self.thread(delivery, content.thread.as_ref()).await? {
                Err(reason) => Ok(Check::Skip(Skip::skipped(reason.text()))),
                Ok(thread_ts) => {
                    Ok(Check::Send(Box::pin(async move { Ok(self.send(delivery, content, thread_ts).await) })))
                }
            }
        })
    }

    fn on_outcome<'a>(&'a self, outcome: &'a Outcome) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let (Some(stored), Outcome::ConnectionDead { code, .. }) = (&self.stored, outcome) else { return };
            if let Err(error) = self.shared.slack.slack_connection_died(&stored.link, code).await {
                tracing::error!(%error, "a dead Slack connection could not be recorded; the next delivery will try again");
            }
        })
    }
}

impl SlackSession {
    /// Returns the end of every delivery while the connection or the address does not allow one.
    fn refused(&self, stored: &StoredSlackLink) -> Option<Skip> {
        let link = &stored.link;
        if link.status == SlackLinkStatus::Disconnected {
            return Some(Skip::failed(reason::DISCONNECTED.text()));
        }
        if let Some(reason) = destination::paused(link, &self.destination) {
            return Some(Skip::skipped(reason.text()));
        }
        self.destination.address.is_empty().then(|| Skip::failed(reason::NO_CHANNEL.text()))
    }

    async fn content(&self, delivery: &Delivery, event: &Event) -> Result<SlackContent> {
        if let Some(content) = &delivery.content {
            return content.read();
        }
        let content = self.shared.source.content(delivery, event).await?;
        Ok(content.unwrap_or_else(|| by_event(event)))
    }

    /// Returns the message under which a delivery goes, if any, or the reason for which it is skipped.
    async fn thread(&self, delivery: &Delivery, thread: Option<&Thread>) -> Result<Result<Option<String>, Reason>> {
        let Some(thread) = thread else { return Ok(Ok(None)) };
        let writer = self.shared.slack.base.store.writer();
        let opened = store::slack::threads::find(writer, delivery.destination_id, &thread.topic).await?;
        Ok(match opened {
            Some(_) if thread.only_first && thread.manual => Ok(None),
            Some(_) if thread.only_first => Err(reason::NOT_FIRST),
            None if thread.only_reply && !thread.manual => Err(reason::NO_THREAD),
            opened => Ok(opened),
        })
    }

    async fn send(&self, delivery: &Delivery, content: SlackContent, thread_ts: Option<String>) -> AttemptOutcome {
        let SlackContent { message, thread, .. } = content;
        let broadcast = thread.as_ref().is_some_and(|thread| thread.broadcast);
        let reply = thread_ts.as_deref().map(|thread_ts| Reply { thread_ts, broadcast });
        let (began, timer) = (self.shared.slack.base.now(), Instant::now());
        let request = post_body(&self.destination.address, &message, reply);
        let answer = self.post(&request).await;
        let duration = timer.elapsed();
        let (outcome, status_code, answer) = match answer {
            Ok(PostAnswer::Posted { ts, answer }) => {
                if let (Some(thread), None) = (&thread, &thread_ts) {
                    self.open_thread(delivery, thread, &ts).await;
                }
                (Outcome::Delivered, Some(200), Some(answer))
            }
            Ok(PostAnswer::RateLimited { retry_after, answer }) => {
                (Outcome::Throttled { retry_after }, Some(429), Some(answer))
            }
            Ok(PostAnswer::Refused { code, status, answer }) => (refusal(&code), Some(status), Some(answer)),
            Ok(PostAnswer::Unreachable { reason, status, answer }) => {
                (Outcome::Unreachable { reason: reason.as_str().into() }, status, answer)
            }
            Err(Error::Refused { code, .. }) => (refusal(&code), None, None),
            Err(error) => (unreachable(error), None, None),
        };
        let outcome = AttemptOutcome::without_call(outcome, began);
        AttemptOutcome { address: self.destination.address.clone(), request, answer, status_code, duration, ..outcome }
    }

    /// Records the first message on a topic. If that fails, the next one opens a thread of its own.
    async fn open_thread(&self, delivery: &Delivery, thread: &Thread, ts: &str) {
        let base = &self.shared.slack.base;
        let (organisation, destination) = (delivery.organisation_id, delivery.destination_id);
        let (writer, now) = (base.store.writer(), base.now());
        let opened = store::slack::threads::open(writer, organisation, destination, &thread.topic, ts, now).await;
        if let Err(error) = opened {
            tracing::error!(%error, topic = thread.topic, "a thread could not be recorded");
        }
    }

    async fn post(&self, body: &str) -> Result<PostAnswer> {
        let Some(stored) = &self.stored else {
            return Err(Error::Internal("a delivery is sent without a link".into()));
        };
        self.shared.slack.post_to_slack(stored, &mut *self.token.lock().await, body).await
    }
}

/// Returns the content of an event on which no subscription decided.
fn by_event(event: &Event) -> SlackContent {
    SlackContent::alone(match event.fact.kind.as_str() {
        WORKFLOW_STEP_COMPLETED => slack::step_completed(event),
        MESSAGE_POSTED | MESSAGE_PUBLISHED => slack::channel_message(event),
        _ => slack::event_message(event),
    })
}

/// Classifies an error code of Slack's for a delivery and its destination.
fn refusal(code: &str) -> Outcome {
    let reason = || format!("Slack says {code}: {}", slack::advice(code));
    match slack::classify(code) {
        slack::Outcome::Retry => Outcome::Faltered { reason: reason() },
        slack::Outcome::DestinationBroken => Outcome::AddressRefused { reason: reason() },
        slack::Outcome::ConnectionDead | slack::Outcome::TokenExpired => {
            Outcome::ConnectionDead { code: code.to_owned(), reason: reason() }
        }
        slack::Outcome::MessageRefused => Outcome::MessageRefused { reason: reason() },
    }
}
