//! Webhook destinations: made by their URL, called, with a secret that is shown and rotated.
//!
//! Not here: outgoing webhooks with triggers and scripts (`outgoing`), routes (`app::routes`).

use std::{sync::Arc, time::Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::{
    app::{
        Caller,
        apps::calls::excerpt,
        kernel::Base,
        pipeline::{
            matcher::Place,
            sender::{Check, NewDestination, Prepared, Sender, Session, Skip},
        },
        tenancy::{
            credential::{hex, sha256},
            vault::{SecretLocation, Vault},
        },
    },
    domain::{
        Error, Result,
        error::Noun,
        ids::{DestinationId, OrganisationId},
        pipeline::{
            delivery::{AttemptOutcome, Content, Delivery},
            destination::{Destination, DestinationKind},
            event::Event,
            template::{Renderer, Template},
        },
        rate_limit::RateLimit,
        secret::Secret,
        tenancy::member::Permission,
        webhooks::endpoint::{BodyFormat, EndpointOptions, EndpointSecrets, EndpointSettings, WEBHOOK, body},
    },
    provider::{
        guard::{self, Guard, HeaderMap, HeaderName, HeaderValue, Method, Outgoing},
        redact,
        webhook::{self, Signer},
    },
    store,
};

/// Time for which a replaced secret still signs beside the new one.
const OVERLAP: chrono::Duration = chrono::Duration::hours(24);
/// Maximum number of bytes that are read of an answer.
const ANSWER_BYTES: usize = 4 * 1024;

/// Service of webhook destinations.
#[derive(Clone)]
pub struct Endpoints(Arc<Parts>);

struct Parts {
    base: Base,
    vault: Arc<Vault>,
    guard: Guard,
    call_limit: std::time::Duration,
}

impl Endpoints {
    /// Creates the service.
    pub fn new(base: Base, vault: Arc<Vault>, guard: Guard, call_limit: std::time::Duration) -> Self {
        Self(Arc::new(Parts { base, vault, guard, call_limit }))
    }

    /// Returns the signing secret of a webhook destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also for a destination of another kind.
    pub async fn get_destination_secret(&self, caller: &Caller, id: DestinationId) -> Result<Secret> {
        caller.require(Permission::RoutesRead)?;
        caller.require(Permission::SecretsRead)?;
        let found =
            store::pipeline::destinations::find(self.0.base.store().reader(), caller.organisation_id, id).await?;
        Ok(Secret::new(self.opened(&webhook(found)?).await?.1.secret))
    }

    /// Replaces the signing secret of a webhook destination. For a day the former one signs too, so that the verifying
    /// side can change over; an earlier one stops immediately.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also for a destination of another kind.
    pub async fn rotate_destination_secret(&self, caller: &Caller, id: DestinationId) -> Result<Secret> {
        caller.require(Permission::RoutesManage)?;
        caller.require(Permission::SecretsRead)?;
        let base = &self.0.base;
        self.0.vault.prepare(caller.organisation_id).await?;
        let tx = base.store().begin().await?;
        let found = webhook(store::pipeline::destinations::find_for_update(&tx, caller.organisation_id, id).await?)?;
        let (mut settings, mut secrets) = self.opened(&found).await?;
        let secret = webhook::generate(base.ambient().random());
        secrets.former =
            Some((std::mem::replace(&mut secrets.secret, secret.expose().to_owned()), base.now() + OVERLAP));
        settings.sealed = self.sealed((found.organisation_id, id), &secrets).await?;
        store::pipeline::destinations::set_settings(&tx, id, &found.address, Some(&Content::of(&settings))).await?;
        let actor = (caller.organisation_id, caller.actor());
        base.audit(&tx, (actor.0, &actor.1), "destination.rotate_secret", id, json!({})).await?;
        tx.commit().await?;
        Ok(secret)
    }

    async fn opened(&self, destination: &Destination) -> Result<(EndpointSettings, EndpointSecrets)> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("a destination's settings: {error}"));
        let settings = destination.settings.as_ref().ok_or_else(|| internal(&"there are none"))?;
        let settings: EndpointSettings = settings.read()?;
        let sealed = BASE64_STANDARD.decode(&settings.sealed).map_err(|error| internal(&error))?;
        let opened = self.0.vault.unseal(location((destination.organisation_id, destination.id)), &sealed).await?;
        let secrets = serde_json::from_str(opened.expose()).map_err(|error| internal(&error))?;
        Ok((settings, secrets))
    }

    async fn sealed(&self, whose: (OrganisationId, DestinationId), secrets: &EndpointSecrets) -> Result<String> {
        let text = Secret::new(json!(secrets).to_string());
        Ok(BASE64_STANDARD.encode(self.0.vault.seal(location(whose), &text).await?))
    }

    async fn changed(&self, former: &Destination, address: Option<String>, options: Value) -> Result<Prepared> {
        let options = EndpointOptions::read(&options, may_be_set)?;
        let (mut settings, mut secrets) = self.opened(former).await?;
        let address = match address {
            Some(url) => self.0.guard.check(&url).map_err(|refusal| refusal.into_error("/url"))?.as_str().to_owned(),
            None => former.address.clone(),
        };
        if let Some(headers) = options.headers {
            settings.headers = headers.keys().cloned().collect();
            secrets.headers = headers;
            settings.sealed = self.sealed((former.organisation_id, former.id), &secrets).await?;
        }
        settings.format = options.format.unwrap_or(settings.format);
        settings.rate_limit = options.rate_limit.or(settings.rate_limit).filter(|rate| *rate > 0);
        let place = Place { kind: WEBHOOK, name: former.name.clone(), address };
        Ok(Prepared { settings: Some(Content::of(&settings)), ..place.into() })
    }

    async fn prepared(&self, wanted: &NewDestination) -> Result<Prepared> {
        let options = EndpointOptions::read(&wanted.options, may_be_set)?;
        let url = self.0.guard.check(&wanted.address).map_err(|refusal| refusal.into_error("/url"))?;
        let secret = match options.secret {
            Some(secret) => Secret::new(secret),
            None => webhook::generate(self.0.base.ambient().random()),
        };
        Signer::new(std::slice::from_ref(&secret)).map_err(|_| {
            Error::invalid("/secret", "must be whsec_ followed by the base64 of 24 to 64 bytes, or be left out")
        })?;
        let headers = options.headers.unwrap_or_default();
        let names = headers.keys().cloned().collect();
        let secrets = EndpointSecrets { secret: secret.expose().to_owned(), former: None, headers };
        let settings = EndpointSettings {
            sealed: self.sealed((wanted.organisation_id, wanted.id), &secrets).await?,
            headers: names,
            format: options.format.unwrap_or_default(),
            rate_limit: options.rate_limit.filter(|rate| *rate > 0),
        };
        let name = wanted.name.clone().unwrap_or_else(|| default_name(url.as_str()));
        let place = Place { kind: WEBHOOK, name, address: url.as_str().to_owned() };
        Ok(Prepared { settings: Some(Content::of(&settings)), ..place.into() })
    }
}

fn may_be_set(name: &str) -> bool {
    HeaderName::try_from(name).is_ok_and(|name| guard::may_be_set(&name) && !is_own(&name))
}

/// Returns a webhook destination; one of another kind is not found among them.
fn webhook(found: Destination) -> Result<Destination> {
    if found.kind == WEBHOOK { Ok(found) } else { Err(Error::not_found(Noun::Destination, found.id)) }
}

/// Returns the name of a destination that was given none: its host, and what tells its URLs apart.
fn default_name(url: &str) -> String {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    format!("{host} {}", hex(&sha256(url.as_bytes())[..4]))
}

/// Returns true for a header that a delivery has in any case.
fn is_own(name: &HeaderName) -> bool {
    [webhook::ID_HEADER, webhook::TIMESTAMP_HEADER, webhook::SIGNATURE_HEADER, "content-type"].contains(&name.as_str())
}

fn location((organisation_id, id): (OrganisationId, DestinationId)) -> SecretLocation<'static> {
    SecretLocation { organisation_id, table: "destination", column: "settings", row: id.0 }
}

/// Sender to webhook destinations. Each delivery has a backoff of its own: they keep no order.
impl Sender for Endpoints {
    fn kind(&self) -> DestinationKind {
        WEBHOOK
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn takes_any_event(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, wanted: &'a NewDestination) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(self.prepared(wanted))
    }

    fn change<'a>(
        &'a self,
        former: &'a Destination,
        address: Option<String>,
        options: Value,
    ) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(self.changed(former, address, options))
    }

    fn content(&self, template: &Template, event: &Event) -> Result<Content, String> {
        Ok(Content::of(&template.render(Renderer::plain(), event)?))
    }

    fn open<'a>(&'a self, destinations: &'a [&'a Destination]) -> BoxFuture<'a, Result<Vec<Box<dyn Session>>>> {
        Box::pin(async move {
            let mut sessions: Vec<Box<dyn Session>> = Vec::with_capacity(destinations.len());
            for destination in destinations {
                sessions.push(match self.session(destination).await {
                    Ok(session) => Box::new(session),
                    // Nothing that passes; the other destinations of the claim are sent to.
                    Err(Error::Internal(cause)) => {
                        tracing::error!(cause, destination = %destination.id, "a destination's settings cannot be read");
                        Box::new(Unreadable)
                    }
                    Err(error) => return Err(error),
                });
            }
            Ok(sessions)
        })
    }
}

/// Destination whose settings do not open.
struct Unreadable;

impl Session for Unreadable {
    fn check<'a>(&'a self, _: &'a Delivery, _: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        let reason = "the destination's settings cannot be read; the log says why. Create the destination anew";
        Box::pin(async move { Ok(Check::Skip(Skip::failed(reason))) })
    }
}

struct EndpointSession {
    endpoints: Endpoints,
    url: String,
    format: BodyFormat,
    headers: HeaderMap,
    signer: Signer,
    rate_limit: Option<RateLimit>,
}

impl Endpoints {
    async fn session(&self, destination: &Destination) -> Result<EndpointSession> {
        let (settings, secrets) = self.opened(destination).await?;
        let mut signing = vec![Secret::new(secrets.secret)];
        signing.extend(
            secrets.former.filter(|(_, until)| self.0.base.now() < *until).map(|(secret, _)| Secret::new(secret)),
        );
        let mut headers = HeaderMap::new();
        for (name, value) in &secrets.headers {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else { continue };
            headers.insert(name, value);
        }
        let rate_limit = settings
            .rate_limit
            .filter(|rate| *rate > 0)
            .map(|rate| RateLimit { interval: std::time::Duration::from_secs(1) / rate, burst: rate });
        Ok(EndpointSession {
            endpoints: self.clone(),
            url: destination.address.clone(),
            format: settings.format,
            headers,
            signer: Signer::new(&signing)?,
            rate_limit,
        })
    }
}

impl Session for EndpointSession {
    fn rate_limit(&self) -> Option<RateLimit> {
        self.rate_limit
    }

    fn check<'a>(&'a self, delivery: &'a Delivery, event: &'a Event) -> BoxFuture<'a, Result<Check<'a>>> {
        Box::pin(async move { Ok(Check::Send(Box::pin(self.send(delivery, event)))) })
    }
}

impl EndpointSession {
    async fn send(&self, delivery: &Delivery, event: &Event) -> Result<AttemptOutcome> {
        let Parts { base, guard, call_limit, .. } = &*self.endpoints.0;
        let (text, content_type) = match (&delivery.content, self.format) {
            (Some(content), _) => (content.as_str().to_owned(), "application/json"),
            (None, format @ BodyFormat::Json) => (body(event, format, base.public_url()), "application/json"),
            (None, format) => (body(event, format, base.public_url()), "application/cloudevents+json"),
        };
        let (began, timer) = (base.now(), Instant::now());
        let mut headers = self.headers.clone();
        headers.extend(self.signer.headers(&format!("msg_{}", delivery.id.0.simple()), began, text.as_bytes())?);
        headers.insert("content-type", HeaderValue::from_static(content_type));
        let body = Bytes::from(text.clone());
        let request = Outgoing { method: Method::POST, url: self.url.clone(), headers, body };
        let answer = guard.send(request, *call_limit, ANSWER_BYTES).await;
        let outcome = AttemptOutcome::without_call(webhook::outcome(&answer, base.now()), began);
        Ok(AttemptOutcome {
            address: redact(&self.url).into_owned(),
            request: text,
            answer: answer.as_ref().ok().map(|answer| excerpt(&answer.body)),
            status_code: answer.as_ref().ok().map(|answer| answer.status),
            duration: timer.elapsed(),
            ..outcome
        })
    }
}
