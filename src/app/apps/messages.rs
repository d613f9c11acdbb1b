//! Messages on their way through a channel: changed by its modifiers, one after the other, then published, and sent out to
//! those who collect messages and to outgoing webhooks.

use std::time::Duration;

use serde_json::json;

use super::{
    Apps,
    calls::{Callee, Order, Reply, app_place, reason_of},
};
use crate::{
    app::{
        pipeline::{
            intake::{Idempotency, NewEvent},
            outbox::{InlineCall, Planned},
            work::Job,
        },
        tenancy::credential::sha256,
    },
    domain::{
        Result,
        apps::{
            app::App,
            call::{self, Call, FilterReply, MessageCall},
            descriptor::AppKind,
            destination::app_name,
        },
        channels::{
            self,
            event::MESSAGE_PUBLISHED,
            message::{MAX_CHARS, Message, text_of},
        },
        ids::{ChannelId, DeliveryId, IntegrationId, RouteId},
        pipeline::{
            delivery::{AttemptOutcome, Outcome},
            event::{Event, Fact},
        },
    },
    provider::guard::HeaderMap,
    store::{self, apps::installations::Used, pipeline::events::IdempotencyKey},
};

/// Time limit of a modifier (Telex: "must respond within 1 second").
const MODIFIER_LIMIT: Duration = Duration::from_secs(1);
/// Maximum number of bytes that are read of a modifier's answer: a message and its envelope.
const MODIFIER_ANSWER_BYTES: usize = 256 * 1024;
/// Lifetime of the idempotency record of a published message, for when its channel is processed once more.
const IDEMPOTENCY_LIFETIME: chrono::Duration = chrono::Duration::days(30);

impl Apps {
    /// Lets a message through its channel: the modifiers change it one after the other, each in its second; then it is
    /// published, and goes out to those who collect messages. Tells what became of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_channel(&self, event: &Event) -> Result<String> {
        let Some(channel_id) = event.fact.channel_id else { return Ok("the message is in no channel".into()) };
        let reader = self.base.store.reader();
        let mut used = store::apps::installations::of_channel(reader, event.organisation_id, channel_id).await?;
        let poster = event.fact.data["integrationId"].as_str().and_then(|id| id.parse::<IntegrationId>().ok());
        // Nobody gets back what they posted themselves.
        used.retain(|there| there.used.active && there.app.active && Some(there.app.id) != poster);
        let is_dm = self.is_direct(event, channel_id, used.iter().map(|there| &there.app)).await?;
        let posted = channels::message::text(&event.fact.data);
        let agent =
            |there: &Used| there.app.descriptor.as_ref().is_none_or(|read| read.agent.listens_to(posted, is_dm));
        used.retain(agent);
        let (modifiers, others): (Vec<Used>, Vec<Used>) =
            used.into_iter().partition(|there| there.app.kind().changes_messages());
        let mut passed = Vec::with_capacity(modifiers.len());
        let message = self.modified(event, (channel_id, is_dm), &modifiers, &mut passed).await?;
        let Some(message) = message else {
            self.pipeline.append_inline_calls(passed).await?;
            return Ok("a filter dropped the message".into());
        };
        let outputs: Vec<IntegrationId> =
            others.iter().filter(|there| collects(&there.app)).map(|there| there.app.id).collect();
        let fact = published(event, message);
        let planned = outputs.into_iter().map(|id| Planned { place: app_place(id), content: None }).collect();
        self.publish(event, fact, planned, passed).await?;
        Ok("published".into())
    }

    /// Posts a message in a channel for an event that a route sends there, once.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn post_routed(&self, job: Job<'_>, route_id: RouteId) -> Result<String> {
        let Job { delivery, event, address } = job;
        let Ok(channel_id) = address.parse::<ChannelId>() else { return Ok("there is no such channel".into()) };
        if event.fact.channel_id == Some(channel_id) {
            return Ok("the event is of this channel; nothing was posted".into());
        }
        let text: String = match &delivery.content {
            Some(content) => content.read()?,
            None => text_of(event),
        };
        let text = text.chars().take(MAX_CHARS).collect();
        let key = format!("routed/{}", delivery.id);
        let new_event = NewEvent {
            made_from: Some(event.id),
            path: event.path.iter().copied().chain([route_id]).collect(),
            idempotency: Some(self.once(event, key)),
            ..NewEvent::plain(
                event.organisation_id,
                channels::event::SOURCE,
                Message { text, ..Message::default() }.posted(channel_id),
            )
        };
        let accepted = self.pipeline.accept(new_event).await?;
        Ok(format!("posted as the event {}", accepted.id))
    }

    /// Returns the idempotency key of an event that is made from another.
    fn once(&self, event: &Event, key: String) -> Idempotency {
        Idempotency {
            fingerprint: sha256(key.as_bytes()),
            key: IdempotencyKey { organisation_id: event.organisation_id, source: channels::event::SOURCE, key },
            expires_at: event.created_at + IDEMPOTENCY_LIFETIME,
        }
    }

    /// Returns the message after the modifiers; `None` where a filter drops it.
    async fn modified(
        &self,
        event: &Event,
        channel: (ChannelId, bool),
        modifiers: &[Used],
        passed: &mut Vec<InlineCall>,
    ) -> Result<Option<String>> {
        let mut message = channels::message::text(&event.fact.data).to_owned();
        if modifiers.is_empty() {
            return Ok(Some(message));
        }
        let apps: Vec<&App> = modifiers.iter().map(|there| &there.app).collect();
        let settings = self.effective_settings(event.organisation_id, channel.0, &apps).await?;
        let off = self.switched_off(event.organisation_id, &apps).await?;
        for (Used { app, secrets, .. }, settings) in modifiers.iter().zip(settings) {
            let id: DeliveryId = self.base.ambient.id();
            if let Some(reason) = off.get(&app_name(app.id)) {
                passed.push(self.inline_call(app, (event.id, id), (None, Some(reason.clone()))));
                continue;
            }
            let callee = Callee { app, secrets };
            let agent = app.descriptor.as_ref().map(|descriptor| descriptor.agent.clone()).unwrap_or_default();
            let call = MessageCall::new(event, channel, message.clone(), (&agent, settings));
            let (called, reply) = self.modify(&callee, id, call).await?;
            if let Outcome::Gone { reason } = &called.outcome {
                self.switch_off(app, reason).await?;
            }
            passed.push(self.inline_call(app, (event.id, id), (Some(called), reply.as_ref().err().cloned())));
            match reply.unwrap_or(FilterReply::Keep) {
                FilterReply::Keep => {}
                FilterReply::Replace(changed) => message = changed,
                FilterReply::Drop => return Ok(None),
            }
        }
        Ok(Some(message))
    }

    /// Returns the outcome of one modifier's call, and its reply or the reason for which it is ignored.
    async fn modify(
        &self,
        callee: &Callee<'_>,
        id: DeliveryId,
        call: MessageCall,
    ) -> Result<(AttemptOutcome, Result<FilterReply, String>)> {
        let url = callee.app.descriptor.as_ref().and_then(|descriptor| descriptor.target_url.as_deref());
        let order = Order {
            id: id.0,
            url: url.unwrap_or_default(),
            call: Call::Message(call),
            headers: HeaderMap::new(),
            limit: MODIFIER_LIMIT,
            max_answer_bytes: MODIFIER_ANSWER_BYTES,
        };
        let Reply { called, answer } = self.call(callee, order).await?;
        let reply = match &answer {
            Ok(answer) if called.outcome == Outcome::Delivered => {
                let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
                match (callee.app.kind(), answer.incomplete) {
                    (_, Some(reason)) => Err(reason.to_string()),
                    (AppKind::Filter, None) => call::filter_reply(&answer.body, content_type),
                    (_, None) => call::modifier_reply(&answer.body, content_type).map(FilterReply::Replace),
                }
            }
            _ => Err(reason_of(&called.outcome)),
        };
        Ok((called, reply))
    }

    /// The message as it is after the modifiers, as an event of its own, once; with it, the calls that made it so.
    async fn publish(&self, event: &Event, fact: Fact, planned: Vec<Planned>, passed: Vec<InlineCall>) -> Result<()> {
        let key = format!("published/{}", event.id);
        let new_event = NewEvent {
            id: None,
            organisation_id: event.organisation_id,
            source: channels::event::SOURCE,
            fact,
            made_from: Some(event.id),
            path: event.path.clone(),
            idempotency: Some(self.once(event, key)),
            planned,
        };
        self.pipeline.accept_after(new_event, passed).await?;
        Ok(())
    }
}

/// A message as it is after the modifiers.
fn published(event: &Event, message: String) -> Fact {
    let mut data = (*event.fact.data).clone();
    data["message"] = message.into();
    data["postedAs"] = json!(event.id);
    Fact { kind: MESSAGE_PUBLISHED.to_owned(), data: data.into(), ..event.fact.clone() }
}

/// Returns true if an app gets messages after the modifiers.
fn collects(app: &App) -> bool {
    app.descriptor.as_ref().is_some_and(|descriptor| {
        descriptor.kind.collects_messages() && descriptor.kind.has_target() && descriptor.target_url.is_some()
    })
}
