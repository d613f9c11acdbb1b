//! Dependencies that every service shares: the database, time and identifiers, counters, the audit log, background
//! tasks.
//!
//! Not here: rules and use cases of any one capability.

pub mod chore;
pub mod metrics;
pub mod throttle;

use std::{future::Future, ops::Deref, sync::Arc};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use url::Url;

use self::metrics::Metrics;
use crate::{
    domain::{
        Result,
        ambient::{Ambient, Time},
        ids::OrganisationId,
    },
    provider::redact,
    store::{Store, Tx, tenancy::audit},
    telemetry::trace::Tracer,
};

/// Dependencies that every service has. Cheap to clone.
#[derive(Clone)]
pub struct Base(Arc<Dependencies>);

/// Fields of a [`Base`].
pub struct Dependencies {
    pub(in crate::app) store: Store,
    pub(in crate::app) ambient: Ambient,
    pub(in crate::app) metrics: Metrics,
    pub(in crate::app) wake: Notify,
    pub(in crate::app) public_url: Url,
    pub(in crate::app) background: TaskTracker,
    pub(in crate::app) tracer: Tracer,
}

impl Deref for Base {
    type Target = Dependencies;

    fn deref(&self) -> &Dependencies {
        &self.0
    }
}

impl Base {
    /// Creates the dependencies of a process whose public address is `public_url`.
    pub fn new(store: Store, ambient: Ambient, public_url: Url, tracer: Tracer) -> Self {
        let (metrics, wake, background) = Default::default();
        Self(Arc::new(Dependencies { store, ambient, metrics, wake, public_url, background, tracer }))
    }

    /// Returns the database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the source of time, identifiers and randomness.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    /// Returns the counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the source of spans.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Returns the wake-up signal of the workers: deliveries may be due.
    pub fn wake(&self) -> &Notify {
        &self.wake
    }

    /// Returns the address at which others reach this service.
    pub fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Waits until every background task and every rollback has ended.
    pub async fn settle(&self) {
        self.background.close();
        self.background.wait().await;
        self.background.reopen();
        self.store.settle().await;
    }

    /// Returns the current time.
    pub(in crate::app) fn now(&self) -> Time {
        self.ambient.now()
    }

    /// Runs a task after the response of a request was sent. It is lost with the process; anything that must survive
    /// goes through the pipeline instead.
    pub(in crate::app) fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.background.spawn(work);
    }

    /// Writes a line of the audit log, in the transaction of the change. Secrets in texts of `detail`, such as those of
    /// addresses, are redacted.
    pub(in crate::app) async fn audit(
        &self,
        tx: &Tx,
        (organisation_id, actor): (OrganisationId, &str),
        action: &'static str,
        subject: impl ToString,
        mut detail: Value,
    ) -> Result<()> {
        hide_secrets(&mut detail);
        let entry = audit::Entry {
            id: self.ambient.id(),
            organisation_id,
            actor: actor.to_owned(),
            action: action.into(),
            subject: subject.to_string(),
            detail,
            created_at: self.now(),
        };
        audit::insert(tx, entry).await
    }
}

/// Redacts every text of a value.
fn hide_secrets(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        Value::Object(members) => members.values_mut().for_each(hide_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_of_the_audit_log_has_no_secrets() {
        let mut detail = json!({"json_url": "https://example.com/app?key=hunter2", "more": [{"x": "xoxb-1-2"}, 7]});
        hide_secrets(&mut detail);
        let expected = json!({"json_url": "https://example.com/app?key=[redacted]", "more": [{"x": "[redacted]"}, 7]});
        assert_eq!(detail, expected);
    }
}
