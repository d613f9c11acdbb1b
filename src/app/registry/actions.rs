//! Calls of the actions of installed versions: one request to the version's address for each, whose answer the caller
//! gets, and which is on record as a delivery.
//!
//! Not here: the protocol (`domain::registry::action`), signature and sending (`apps::calls`).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Registry, not_found};
use crate::{
    app::{
        Caller,
        apps::calls::{Callee, Order, Reply, excerpt, reason_of},
        pipeline::intake::NewEvent,
    },
    domain::{
        Error, Result,
        apps::{
            app::{App, RegistryReference},
            call::{ACTION_CALLED, ActionCall, Call},
            destination::app_name,
            setting::EffectiveSetting,
        },
        error::{Upstream, Violation},
        ids::{DeliveryId, IntegrationId},
        pipeline::{
            delivery::{AttemptOutcome, Outcome},
            event::{EventSource, Fact},
        },
        registry::{
            action::{self, Action},
            definition::{Definition, DefinitionKind, Evaluable},
        },
        tenancy::member::Permission,
    },
    provider::{
        guard::{Answer, Failure, HeaderMap, HeaderName, HeaderValue},
        redact,
    },
    store::{self, apps::installations::SealedSecrets, registry},
};

/// Maximum number of bytes that are read of an answer. The egress guard may permit fewer.
const ANSWER_BYTES: usize = 1 << 20;

/// An app that was installed from a version, with its action.
struct Callable {
    app: App,
    secrets: SealedSecrets,
    from: RegistryReference,
    definition: Definition,
    action: Action,
}

impl Registry {
    /// Calls an action of an app that was installed from the registry, once, and returns its output.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for the app, or for an action that it does not have; [`Error::Invalid`]
    /// where the input breaks its schema; [`Error::FailedPrecondition`] where the app is not active, was disabled, or has
    /// an address that is not called; [`Error::RateLimited`] where too many calls of the organisation are in flight;
    /// [`Error::Refused`] and [`Error::UpstreamUnavailable`] where the app's server fails.
    pub async fn call_app_action(&self, caller: &Caller, id: IntegrationId, name: &str, input: Value) -> Result<Value> {
        caller.require(Permission::IntegrationsManage)?;
        let callable = self.callable(caller, id, name).await?;
        self.demand_active(&callable.app).await?;
        demand_valid(&callable.action, &input).await?;
        let _slot = self.slots.take(caller.organisation_id)?;
        let settings = self.apps.effective_for_organisation(&callable.app).await?;
        let delivery_id: DeliveryId = self.base.ambient.id();
        let masked = callable.action.masked(&input);
        let call = ActionCall { kind: name.to_owned(), input, masked: masked.clone() };
        let Reply { mut called, answer } = self.send_action(&callable, delivery_id, call, &settings).await?;
        let plain = |text: String| redact(&action::without_secrets(text, &settings)).into_owned();
        if let Ok(answer) = &answer {
            let text = action::without_secrets(String::from_utf8_lossy(&answer.body).into_owned(), &settings);
            called.answer = Some(excerpt(text.as_bytes()));
        }
        let result = judged(&callable.action.output, &called, answer).await.map_err(|error| hidden(error, plain));
        let gone = match &called.outcome {
            Outcome::Gone { reason } => Some(reason.clone()),
            _ => None,
        };
        self.record(&callable.app, (delivery_id, name, masked), (called, &result)).await;
        if let Some(reason) = gone {
            self.apps.switch_off(&callable.app, &reason).await?;
        }
        result
    }

    /// Finds the app and its action. An app that was not installed from the registry has none.
    async fn callable(&self, caller: &Caller, id: IntegrationId, name: &str) -> Result<Callable> {
        let reader = self.base.store.reader();
        let (app, secrets) = store::apps::installations::find_with_secrets(reader, caller.organisation_id, id).await?;
        let Some(from) = app.registry.clone() else { return Err(action::unknown(name, [].iter())) };
        let definition = registry::definition(reader, IntegrationId(from.registry_id)).await?;
        let definition = definition.ok_or_else(|| not_found(DefinitionKind::Integration, &from.name))?;
        let action = Action::of(&definition, name)?;
        Ok(Callable { app, secrets, from, definition, action })
    }

    async fn demand_active(&self, app: &App) -> Result<()> {
        if !app.active {
            return Err(action::not_callable("it is not active; activate it first"));
        }
        let mut off = self.apps.switched_off(app.organisation_id, &[app]).await?;
        off.remove(&app_name(app.id)).map_or(Ok(()), |reason| Err(action::not_callable(reason)))
    }

    async fn send_action(
        &self,
        callable: &Callable,
        id: DeliveryId,
        call: ActionCall,
        settings: &[EffectiveSetting],
    ) -> Result<Reply> {
        let Callable { app, secrets, from, definition, .. } = callable;
        let mut headers = HeaderMap::new();
        for (name, value) in action::headers(app, from, &call.kind, &action::configuration(settings)) {
            let value = HeaderValue::try_from(value).map_err(|error| Error::Internal(error.to_string()))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let most = definition.max_execution_time_secs.map_or(Duration::MAX, |secs| Duration::from_secs(secs.into()));
        let order = Order {
            id: id.0,
            url: definition.url.as_deref().unwrap_or_default(),
            call: Call::Action(call),
            headers,
            limit: self.apps.call_limit().min(most),
            max_answer_bytes: ANSWER_BYTES,
        };
        self.apps.call(&Callee { app, secrets }, order).await
    }

    /// Puts a call on record: an event, and a delivery that has ended. The call was made, so its outcome is answered
    /// also where this fails.
    async fn record(
        &self,
        app: &App,
        (id, name, input): (DeliveryId, &str, Value),
        (called, result): (AttemptOutcome, &Result<Value>),
    ) {
        let event_id = self.base.ambient.id();
        let failure = result.as_ref().err().map(|error| match &called.outcome {
            Outcome::Gone { .. } | Outcome::AddressRefused { .. } => reason_of(&called.outcome),
            _ => error.to_string(),
        });
        let fact = Fact {
            kind: ACTION_CALLED.to_owned(),
            channel_id: None,
            attributes: [("appId", app.id.to_string()), ("action", name.to_owned())].into_iter().collect(),
            data: json!({"appId": app.id, "action": name, "input": input}).into(),
        };
        let event = NewEvent { id: Some(event_id), ..NewEvent::plain(app.organisation_id, EventSource::API, fact) };
        let call = self.apps.inline_call(app, (event_id, id), (Some(called), failure));
        if let Err(error) = self.pipeline.accept_after(event, vec![call]).await {
            tracing::error!(%error, app = %app.id, "a call of an action was made, and could not be recorded");
        }
    }
}

/// Validates an input, and that the output can be validated later: a call whose answer cannot be read is not made.
async fn demand_valid(action: &Action, input: &Value) -> Result<()> {
    let violations = violations(&action.input, input, "/input").await?;
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    action.output.demand_evaluable().map_err(action::not_callable)
}

/// Validates a value on a blocking thread, since a schema may be costly.
pub(super) async fn violations(schema: &Evaluable, value: &Value, place: &'static str) -> Result<Vec<Violation>> {
    let (schema, value) = (schema.clone(), value.clone());
    let found = tokio::task::spawn_blocking(move || schema.violations(&value, place)).await;
    found.map_err(|error| Error::Internal(format!("a check failed: {error}")))?.map_err(action::not_callable)
}

/// Returns the output in an answer, or the error that the caller gets.
async fn judged(schema: &Evaluable, called: &AttemptOutcome, answer: Result<Answer, Failure>) -> Result<Value> {
    let refused = |code: String| Error::Refused { upstream: Upstream::App, code };
    let unavailable = |reason: String, retry_after: Option<Duration>| Error::UpstreamUnavailable {
        upstream: Upstream::App,
        reason,
        retry_after,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure::Refused(refusal)) => return Err(action::not_callable(format_args!("the URL {refusal}"))),
        Err(Failure::Unreachable(reason)) => return Err(unavailable(reason.to_string(), None)),
    };
    let said = || {
        let message = action::message(&answer.body);
        message.map_or_else(|| reason_of(&called.outcome), |message| format!("{message:?} ({})", answer.status))
    };
    match &called.outcome {
        Outcome::Delivered => {}
        Outcome::Throttled { retry_after } => return Err(unavailable(said(), Some(*retry_after))),
        Outcome::MessageRefused { .. } => return Err(refused(said())),
        Outcome::Gone { reason } => return Err(refused(reason.clone())),
        _ => return Err(unavailable(said(), None)),
    }
    if let Some(reason) = answer.incomplete {
        return Err(unavailable(reason.to_string(), None));
    }
    let output = action::output(&answer.body).map_err(|reason| unavailable(reason.to_owned(), None))?;
    match violations(schema, &output, "/output").await?.first() {
        None => Ok(output),
        Some(Violation { field, message }) => Err(unavailable(format!("{field} {message}"), None)),
    }
}

/// Removes secrets from the words of the app's server.
fn hidden(error: Error, plain: impl Fn(String) -> String) -> Error {
    match error {
        Error::Refused { upstream, code } => Error::Refused { upstream, code: plain(code) },
        Error::UpstreamUnavailable { upstream, reason, retry_after } => {
            Error::UpstreamUnavailable { upstream, reason: plain(reason), retry_after }
        }
        other => other,
    }
}
