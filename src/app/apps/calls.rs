//! Calls of integrations, one by one: signed, sent through the guard, and recorded without secrets.
//!
//! The worker asks for those that are sent out; order, pace and records of them are its business.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use uuid::Uuid;

use super::Apps;
use crate::{
    app::pipeline::{matcher::Place, outbox::InlineCall, reports::Report},
    domain::{
        Error, Result,
        ambient::Time,
        apps::{
            app::App,
            call::{Call, INTEGRATION_TICK, MessageCall, TickCall, is_callback_of},
            destination,
        },
        channels::message::text_of,
        ids::{ChannelId, DeliveryId, DestinationId, EventId, InstallationId, IntegrationId, OrganisationId},
        pipeline::{
            delivery::{Attempt, AttemptOutcome, AttemptState, Delivery, DeliveryState, Outcome},
            destination::{Destination, Health},
            event::Event,
        },
    },
    provider::{
        guard::{Answer, Failure, HeaderMap, HeaderValue, Method, Outgoing},
        redact,
        webhook::{self, Signer},
    },
    store::{self, Tx, apps::installations::SealedSecrets},
};

/// Maximum number of bytes of an answer that are kept for the record.
const EXCERPT_BYTES: usize = 512;
/// Maximum number of bytes that are read of an answer without relevant content.
pub(super) const ANSWER_BYTES: usize = 4 * 1024;

/// An integration that can be called.
pub(in crate::app) struct Callee<'a> {
    pub(in crate::app) app: &'a App,
    pub(in crate::app) secrets: &'a SealedSecrets,
}

/// One call to be made.
pub(in crate::app) struct Order<'a> {
    /// Stays the same when it is made again.
    pub(in crate::app) id: Uuid,
    pub(in crate::app) url: &'a str,
    /// The body.
    pub(in crate::app) call: Call,
    /// Headers beside those of the signature.
    pub(in crate::app) headers: HeaderMap,
    pub(in crate::app) limit: Duration,
    pub(in crate::app) max_answer_bytes: usize,
}

/// Outcome and answer of a call.
pub(in crate::app) struct Reply {
    pub(in crate::app) called: AttemptOutcome,
    pub(in crate::app) answer: Result<Answer, Failure>,
}

impl Apps {
    /// Sends what waits for an integration: a published message, a tick, or its API key.
    pub async fn call_integration(
        &self,
        id: Option<IntegrationId>,
        delivery: &Delivery,
        event: &Event,
    ) -> AttemptOutcome {
        let began = self.base.now();
        let refused = |outcome: Outcome| AttemptOutcome::without_call(outcome, began);
        match self.try_call(id, delivery, event).await {
            Ok(Some(called)) => called,
            Ok(None) => refused(Outcome::MessageRefused { reason: destination::DELETED.text().to_owned() }),
            Err(Error::Internal(cause)) => {
                tracing::error!(cause, "an integration could not be called");
                let reason = "something went wrong on our side; the log says what".into();
                refused(Outcome::Unreachable { reason })
            }
            Err(error) => refused(Outcome::Unreachable { reason: error.to_string().into() }),
        }
    }

    async fn try_call(
        &self,
        id: Option<IntegrationId>,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Option<AttemptOutcome>> {
        let Some(id) = id else { return Ok(None) };
        if is_callback_of(id, event) {
            return self.call_back(id, delivery).await;
        }
        let Some(channel_id) = event.fact.channel_id else { return Ok(None) };
        let reader = self.base.store.reader();
        let found = store::apps::installations::find_with_secrets(reader, delivery.organisation_id, id).await;
        let (app, secrets) = match found {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(descriptor) = &app.descriptor else { return Ok(None) };
        let settings = self.effective_settings(app.organisation_id, channel_id, &[&app]).await?.concat();
        let message = match &delivery.content {
            Some(content) => content.read()?,
            None => text_of(event),
        };
        let is_tick = event.fact.kind == INTEGRATION_TICK;
        let call = if is_tick {
            let return_url = self.channels.return_url(app.organisation_id, channel_id, app.id).await?.to_string();
            Call::Tick(TickCall { channel_id, return_url, settings })
        } else {
            let channel = (channel_id, self.is_direct(event, channel_id, [&app]).await?);
            Call::Message(MessageCall::new(event, channel, message, (&descriptor.agent, settings)))
        };
        let url = if is_tick { &descriptor.tick_url } else { &descriptor.target_url };
        let order = Order {
            id: delivery.id.0,
            url: url.as_deref().unwrap_or_default(),
            call,
            headers: HeaderMap::new(),
            limit: self.rules.call_limit,
            max_answer_bytes: ANSWER_BYTES,
        };
        let callee = Callee { app: &app, secrets: &secrets };
        Ok(Some(self.call(&callee, order).await?.called))
    }

    /// Returns true if the channel of an event is one of two; looked up only where that matters to one of the apps.
    pub(super) async fn is_direct(
        &self,
        event: &Event,
        channel_id: ChannelId,
        apps: impl IntoIterator<Item = &App>,
    ) -> Result<bool> {
        if !apps.into_iter().any(|app| app.descriptor.as_ref().is_some_and(|read| read.agent.minds_direct())) {
            return Ok(false);
        }
        match store::channels::find(self.base.store.reader(), event.organisation_id, channel_id).await {
            Ok(channel) => Ok(channel.direct),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Calls an integration once, signed as Standard Webhooks says.
    pub(in crate::app) async fn call(&self, callee: &Callee<'_>, order: Order<'_>) -> Result<Reply> {
        let body = order.call.text();
        let began = self.base.now();
        let whose = (callee.app.organisation_id, callee.app.installation_id);
        let mut headers = order.headers;
        headers.extend(self.signature(whose, callee.secrets, (order.id, began), body.as_bytes()).await?);
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let timer = Instant::now();
        let request = Outgoing { method: Method::POST, url: order.url.to_owned(), headers, body: Bytes::from(body) };
        let answer = self.guard.send(request, order.limit, order.max_answer_bytes).await;
        let called = AttemptOutcome {
            outcome: webhook::outcome(&answer, self.base.now()),
            address: redact(order.url).into_owned(),
            request: order.call.masked().text(),
            answer: answer.as_ref().ok().map(|answer| excerpt(&answer.body)),
            status_code: answer.as_ref().ok().map(|answer| answer.status),
            duration: timer.elapsed(),
            began,
            history_of: callee.app.registry.as_ref().map(|from| IntegrationId(from.registry_id)),
            next: None,
            detail: None,
        };
        Ok(Reply { called, answer })
    }

    /// Returns an inline call as it is put on record: a delivery that has ended. Without a call, `failure` is the reason.
    pub(in crate::app) fn inline_call(
        &self,
        app: &App,
        (event_id, id): (EventId, DeliveryId),
        (called, failure): (Option<AttemptOutcome>, Option<String>),
    ) -> InlineCall {
        let destination = self.integration_destination(app);
        let (state, outcome) = match failure {
            None => (DeliveryState::Delivered, AttemptState::Delivered),
            Some(_) => (DeliveryState::Failed, AttemptState::Failed),
        };
        let delivery = Delivery {
            id,
            organisation_id: app.organisation_id,
            event_id,
            destination_id: destination.id,
            route_id: None,
            state,
            reason: failure.clone(),
            content: None,
            attempts: i32::from(called.is_some()),
            attempts_before_replay: 0,
            replayed_at: None,
            next_attempt_at: None,
            aside_at: None,
            completed_at: Some(self.base.now()),
            created_at: called.as_ref().map_or_else(|| self.base.now(), |called| called.began),
            seq: None,
        };
        let attempt = called.map(|called| Attempt {
            id: self.base.ambient.id(),
            organisation_id: app.organisation_id,
            delivery_id: id,
            number: 1,
            address: called.address,
            outcome,
            status_code: called.status_code,
            reason: failure,
            request: called.request,
            answer: called.answer,
            detail: None,
            history_of: called.history_of,
            duration: called.duration,
            created_at: called.began,
        });
        InlineCall { destination, delivery, attempt }
    }

    /// The headers by which whoever is called knows us; none where nothing signs yet.
    pub(in crate::app) async fn signature(
        &self,
        whose: (OrganisationId, InstallationId),
        secrets: &SealedSecrets,
        (id, at): (Uuid, Time),
        body: &[u8],
    ) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let secrets = self.signing_secrets(whose, secrets, at).await?;
        if !secrets.is_empty() {
            headers.extend(Signer::new(&secrets)?.headers(&format!("msg_{}", id.simple()), at, body)?);
        }
        Ok(headers)
    }

    /// Returns the destination of an app's calls.
    pub(in crate::app) fn integration_destination(&self, app: &App) -> Destination {
        let id: DestinationId = self.base.ambient.id();
        let Place { kind, name, address } = app_place(app.id);
        let place = (kind, name, address);
        Destination::fresh(id, app.organisation_id, place, self.base.now())
    }

    /// Returns the disabled ones among some apps of an organisation: the names of their destinations, with the reasons.
    pub(in crate::app) async fn switched_off(
        &self,
        organisation_id: OrganisationId,
        apps: &[&App],
    ) -> Result<HashMap<String, String>> {
        let names: Vec<String> = apps.iter().map(|app| destination::app_name(app.id)).collect();
        let (reader, kind) = (self.base.store.reader(), destination::APP);
        let found = store::pipeline::destinations::of_names(reader, organisation_id, &kind, &names).await?;
        let off = |destination: Destination| match destination.health {
            Health::Disabled { reason, .. } => Some((destination.name, reason)),
            Health::Healthy | Health::Failing { .. } => None,
        };
        Ok(found.into_iter().filter_map(off).collect())
    }

    /// Calls an integration no more, until somebody switches it on again; what waits for it fails.
    pub(in crate::app) async fn switch_off(&self, app: &App, reason: &str) -> Result<()> {
        let now = self.base.now();
        let tx = self.base.store.begin().await?;
        let destination = store::pipeline::destinations::ensure(&tx, &self.integration_destination(app)).await?;
        let off = Health::Disabled { reason: reason.to_owned(), since: now };
        store::pipeline::destinations::set_health(&tx, destination.id, &off).await?;
        store::pipeline::deliveries::end_pending(&tx, destination.id, DeliveryState::Failed, reason, now).await?;
        self.pipeline.commit_reports(tx, &[Report::health(Destination { health: off, ..destination }, false)]).await
    }

    /// Gives an integration a new chance, after somebody switched it on or put its address right.
    pub(in crate::app) async fn switch_on(&self, tx: &Tx, app: &App) -> Result<()> {
        let (kind, name) = (destination::APP, destination::app_name(app.id));
        match store::pipeline::destinations::find_by_name(tx, app.organisation_id, &kind, &name).await? {
            Some(destination) => {
                store::pipeline::destinations::set_address(tx, destination.id, &destination.address).await
            }
            None => Ok(()),
        }
    }
}

/// Returns the destination of calls of an app.
pub(in crate::app) fn app_place(id: IntegrationId) -> Place {
    Place { kind: destination::APP, name: destination::app_name(id), address: id.to_string() }
}

/// The beginning of an answer, without secrets.
pub(in crate::app) fn excerpt(body: &[u8]) -> String {
    let start = String::from_utf8_lossy(&body[..body.len().min(EXCERPT_BYTES)]);
    let mut text = redact(&start).into_owned();
    text.truncate(text.floor_char_boundary(EXCERPT_BYTES));
    text
}

/// Returns the reason of a call that failed, in words.
pub(in crate::app) fn reason_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered => String::new(),
        Outcome::Throttled { retry_after } => format!("it asked for a pause of {} s", retry_after.as_secs()),
        Outcome::Unreachable { reason } => reason.to_string(),
        Outcome::Faltered { reason }
        | Outcome::MessageRefused { reason }
        | Outcome::AddressRefused { reason }
        | Outcome::Gone { reason }
        | Outcome::ConnectionDead { reason, .. } => reason.clone(),
    }
}
