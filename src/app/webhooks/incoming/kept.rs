//! Deferred requests: a request to an incoming webhook that finds all script runners busy is stored, whole and sealed,
//! and a worker processes it as soon as a runner is free. A sender that retries within a quarter of an hour gets a
//! success.
//!
//! Not here: the processing of a request, which is the same now as later (`incoming`).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{HookAnswer, HookRequest};
use crate::{
    app::{
        pipeline::{
            intake::{Idempotency, NewEvent},
            matcher::Place,
            outbox::Planned,
        },
        tenancy::{credential::sha256, vault::SecretLocation},
        webhooks::Webhooks,
    },
    domain::{
        Error, Result, channels,
        ids::{EventId, IntegrationId, OrganisationId},
        pipeline::event::{Event, EventSource, Fact},
        secret::Secret,
        webhooks::{self, Direction, WEBHOOK_RECEIVED, Webhook, incoming_refusal::HookRefusal},
    },
    store::{self, pipeline::events::IdempotencyKey},
};

/// Time in which an identical request is taken for a retry of a stored one.
const REPEATED_WITHIN: chrono::Duration = chrono::Duration::minutes(15);
/// Source of the idempotency records of stored requests.
const SOURCE: EventSource = EventSource::new("webhook");

/// A request in its sealed form.
#[derive(Deserialize, Serialize)]
struct Kept {
    token: String,
    user_id: Option<String>,
    target: String,
    headers: Vec<(String, String)>,
    content_type: Option<String>,
    body: String,
}

impl Webhooks {
    /// Stores a request for a worker. It is durable when this returns.
    pub(super) async fn keep_hook(&self, webhook: &Webhook, request: &HookRequest) -> Result<()> {
        let (organisation_id, id): (_, EventId) = (webhook.organisation_id, self.base.ambient.id());
        let sealed = self.vault.seal(location(organisation_id, id), &whole(request)?).await?;
        let data = json!({"integrationId": webhook.id, "sealed": BASE64_STANDARD.encode(sealed)});
        let key = idempotency_key_of(webhook, request);
        let direct = Planned {
            place: Place {
                kind: webhooks::destination::INCOMING,
                name: webhooks::destination::incoming_name(webhook.id),
                address: webhook.id.to_string(),
            },
            content: None,
        };
        let accepted = self.pipeline.accept(NewEvent {
            id: Some(id),
            organisation_id,
            source: channels::event::SOURCE,
            fact: Fact::plain(WEBHOOK_RECEIVED, None, data),
            made_from: None,
            path: Vec::new(),
            idempotency: Some(Idempotency {
                fingerprint: sha256(key.key.as_bytes()),
                key,
                expires_at: self.base.now() + REPEATED_WITHIN,
            }),
            planned: vec![direct],
        });
        let repeated = accepted.await?.repeated;
        self.base.metrics.events(if repeated { "repeated" } else { "accepted" }, 1);
        tracing::info!(integration = %webhook.id, "scripts are busy; request stored for later processing");
        Ok(())
    }

    /// Returns whether an identical request was recently stored, so that a sender's retry need not be processed. This
    /// holds once: the next identical request is a new one.
    pub(super) async fn was_kept(&self, webhook: &Webhook, request: &HookRequest) -> Result<bool> {
        let (store, key) = (&self.base.store, idempotency_key_of(webhook, request));
        match store::pipeline::events::find_by_key(store.reader(), &key).await {
            Ok(event) if self.base.now() < event.created_at + REPEATED_WITHIN => {
                store::pipeline::events::delete_record(store.writer(), &key).await
            }
            Ok(_) | Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Processes a stored request with the current settings of the webhook, and returns its outcome in a sentence.
    ///
    /// # Errors
    /// [`Error::Webhook`] where it is refused, [`Error::Unavailable`] while scripts are still busy.
    pub async fn work_on_kept_hook(&self, event: &Event) -> Result<String> {
        let data = &event.fact.data;
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let id: IntegrationId = text("integrationId").parse().map_err(|_| HookRefusal::Unknown)?;
        let reader = self.base.store.reader();
        let webhook = match store::webhooks::find(reader, event.organisation_id, id).await {
            Ok(stored) if matches!(stored.webhook.direction, Direction::Incoming(_)) => stored.webhook,
            Ok(_) | Err(Error::NotFound { .. }) => return Err(HookRefusal::Unknown.into()),
            Err(error) => return Err(error),
        };
        let sealed = BASE64_STANDARD.decode(text("sealed")).map_err(|_| unreadable(event.id))?;
        let whole = self.vault.unseal(location(event.organisation_id, event.id), &sealed).await?;
        let request = request(&whole, id).ok_or_else(|| unreadable(event.id))?;
        Ok(match self.work_on_hook(&webhook, &request).await? {
            HookAnswer::Done { .. } => "done".to_owned(),
            HookAnswer::Refused(error) => format!("the script refused it: {error}"),
            HookAnswer::Separate(results) => {
                let posted = results.iter().filter(|one| one.result.is_ok()).count();
                format!("posted in {posted} of {} channels", results.len())
            }
        })
    }
}

fn location<'a>(organisation_id: OrganisationId, id: EventId) -> SecretLocation<'a> {
    SecretLocation { organisation_id, table: "event", column: "data", row: id.0 }
}

fn idempotency_key_of(webhook: &Webhook, request: &HookRequest) -> IdempotencyKey {
    let said = [request.target.as_bytes(), request.content_type.as_deref().unwrap_or_default().as_bytes()];
    let digest = sha256(&[said[0], b"\0", said[1], b"\0", &request.body].concat());
    let key = format!("{}/{}", webhook.id, BASE64_STANDARD.encode(digest));
    IdempotencyKey { organisation_id: webhook.organisation_id, source: SOURCE, key }
}

fn whole(request: &HookRequest) -> Result<Secret> {
    let kept = Kept {
        token: request.token.expose().to_owned(),
        user_id: request.user_id.clone(),
        target: request.target.clone(),
        headers: request.headers.clone(),
        content_type: request.content_type.clone(),
        body: BASE64_STANDARD.encode(&request.body),
    };
    let text = serde_json::to_string(&kept);
    text.map(Secret::new).map_err(|error| Error::Internal(format!("a request cannot be kept: {error}")))
}

fn request(whole: &Secret, id: IntegrationId) -> Option<HookRequest> {
    let Kept { token, user_id, target, headers, content_type, body } = serde_json::from_str(whole.expose()).ok()?;
    let body = BASE64_STANDARD.decode(body).ok()?.into();
    Some(HookRequest { id: id.to_string(), token: Secret::new(token), user_id, target, headers, content_type, body })
}

fn unreadable(id: EventId) -> Error {
    Error::Internal(format!("the request in event {id} cannot be read"))
}
