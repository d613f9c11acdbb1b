//! Callbacks of agents: once an app is installed, its `auth_callback` is called with an API key, by a delivery like any
//! other.
//!
//! Not here: the keys (`keys`), order, retries and records of deliveries (`worker`).

use super::{
    Apps,
    calls::{ANSWER_BYTES, Callee, Order, app_place},
};
use crate::{
    app::pipeline::{intake::NewEvent, outbox::Planned},
    domain::{
        Error, Result,
        apps::{
            app::App,
            call::{self, Call, CallbackCall, callback_due},
            key::KeyPurpose,
        },
        ids::IntegrationId,
        pipeline::delivery::{AttemptOutcome, Delivery, Outcome},
    },
    provider::guard::HeaderMap,
    store::{self, Tx},
};

/// Reason of a callback to an app that names none any more.
const NO_CALLBACK: &str = "the integration's descriptor names no auth_callback any more";

impl Apps {
    /// Commits a change of an app, last in a transaction, with the call of its callback where the descriptor newly names
    /// one. A refresh of an app without a key, such as one from before there were keys, has it called as well.
    pub(super) async fn commit_app(&self, tx: Tx, app: &App, former: Option<&App>, refreshed: bool) -> Result<()> {
        let Some(named) = callback(app) else { return tx.commit().await };
        let has_key = store::apps::keys::exists(&tx, app.organisation_id, app.id, KeyPurpose::Callback).await?;
        if former.and_then(callback) == Some(named) && (has_key || !refreshed) {
            return tx.commit().await;
        }
        if !has_key {
            // A key that nobody knows says until the first attempt that the call is under way.
            self.issue_key(&tx, app, KeyPurpose::Callback).await?;
        }
        let planned = vec![Planned { place: app_place(app.id), content: None }];
        let new_event = NewEvent::plain(app.organisation_id, call::SOURCE, callback_due(app.id));
        self.pipeline.commit_events(tx, vec![NewEvent { planned, ..new_event }]).await
    }

    /// Calls the callback of an app with a new key.
    ///
    /// Only hashes of keys are stored, so each attempt makes a key. Its hash is committed before the call, in place of the
    /// former one: an agent may use its key before it has answered. So the key that an agent got last is valid, except
    /// that a crash or a lost connection after the commit leaves it with the one before until the retry brings the next.
    /// Storing the hash after the answer would refuse an agent that is quick, and lose the key in the same crash.
    pub(super) async fn call_back(&self, id: IntegrationId, delivery: &Delivery) -> Result<Option<AttemptOutcome>> {
        let tx = self.base.store.begin().await?;
        let (app, secrets) =
            match store::apps::installations::find_with_secrets(&tx, delivery.organisation_id, id).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
        let key = self.issue_key(&tx, &app, KeyPurpose::Callback).await?;
        tx.commit().await?;
        let (Some(url), Some(api_key)) = (callback(&app), key) else {
            let outcome = Outcome::MessageRefused { reason: NO_CALLBACK.to_owned() };
            return Ok(Some(AttemptOutcome::without_call(outcome, self.base.now())));
        };
        let order = Order {
            id: delivery.id.0,
            url,
            call: Call::Callback(CallbackCall { org_id: app.organisation_id, api_key }),
            headers: HeaderMap::new(),
            limit: self.rules.call_limit,
            max_answer_bytes: ANSWER_BYTES,
        };
        let called = self.call(&Callee { app: &app, secrets: &secrets }, order).await?.called;
        Ok(Some(AttemptOutcome { outcome: of_callback(called.outcome), ..called }))
    }
}

fn callback(app: &App) -> Option<&str> {
    app.descriptor.as_ref()?.authorisation.callback_url.as_deref()
}

/// Confines a refusal to the callback: messages and ticks go to other addresses of the app, which may well be there.
fn of_callback(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Gone { .. } => {
            let reason = "the auth_callback says that it is gone (410); mend it, and replay this delivery".to_owned();
            Outcome::MessageRefused { reason }
        }
        Outcome::AddressRefused { reason } => Outcome::MessageRefused { reason },
        other @ (Outcome::Delivered
        | Outcome::Throttled { .. }
        | Outcome::Unreachable { .. }
        | Outcome::Faltered { .. }
        | Outcome::MessageRefused { .. }
        | Outcome::ConnectionDead { .. }) => other,
    }
}
