//! Reads the descriptor of an app that is stored even without one: saving waits only briefly for it, and a descriptor
//! that arrives later is adopted.
//!
//! Not here: the fetch itself (`descriptors`).

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use url::{ParseError, Url};

use crate::{
    app::{
        Caller,
        apps::{Apps, descriptors::NoDescriptor},
    },
    domain::{
        Error, Result,
        apps::{app::App, descriptor::Descriptor},
    },
    store,
};

/// Time for which saving an app waits for its descriptor.
const READ_WAIT: Duration = Duration::from_secs(3);

/// A descriptor that is still being fetched.
pub(super) struct Late(JoinHandle<Result<Descriptor, NoDescriptor>>);

impl Apps {
    /// Returns the descriptor at an address, if it arrives in time. A text that is not a URL has none.
    ///
    /// # Errors
    /// [`Error::Invalid`] where its address, or one that it names, is not callable.
    pub(super) async fn read_descriptor(&self, json_url: &str) -> Result<(Option<Descriptor>, Option<Late>)> {
        if Url::parse(json_url) == Err(ParseError::RelativeUrlWithoutBase) {
            return Ok((None, None));
        }
        let (app, url) = (self.clone(), json_url.to_owned());
        let mut reading = self.base.background.spawn(async move { app.fetch_descriptor(&url, "/json_url").await });
        match tokio::time::timeout(READ_WAIT, &mut reading).await {
            Ok(Ok(Ok(descriptor))) => Ok((Some(descriptor), None)),
            Ok(Ok(Err(NoDescriptor::Refused(error)))) => Err(error),
            Ok(Ok(Err(NoDescriptor::Unreadable(why)))) => {
                tracing::debug!(%why, "app stored without a descriptor");
                Ok((None, None))
            }
            Ok(Err(panic)) => Err(Error::Internal(format!("a descriptor could not be read: {panic}"))),
            Err(_) => Ok((None, Some(Late(reading)))),
        }
    }

    /// Adopts a descriptor that arrives after its app was saved, unless the app was changed again: that change reads it
    /// anew.
    pub(super) fn adopt_when_read(&self, caller: &Caller, saved: &App, late: Option<Late>) {
        let Some(Late(reading)) = late else { return };
        let (app, caller, saved) = (self.clone(), caller.clone(), saved.clone());
        self.base.background.spawn(async move {
            let Ok(Ok(descriptor)) = reading.await else { return };
            if let Err(error) = app.adopt(&caller, &saved, descriptor).await {
                tracing::warn!(%error, integration = %saved.id, "late descriptor could not be stored");
            }
        });
    }

    async fn adopt(&self, caller: &Caller, saved: &App, descriptor: Descriptor) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let former = match store::apps::installations::find(&tx, saved.organisation_id, saved.id).await {
            Ok(app) => app,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if (&former.json_url, former.updated_at) != (&saved.json_url, saved.updated_at) {
            return Ok(());
        }
        // As for a descriptor in time: at the installation, it decides whether the app is active.
        let is_new = saved.created_at == saved.updated_at;
        let mut app = former.clone();
        app.active = app.active && (!is_new || descriptor.is_active);
        app.descriptor = Some(descriptor);
        app.updated_at = self.base.now();
        store::apps::installations::update(&tx, &app, None).await?;
        self.reschedule(&tx, &app).await?;
        let detail = json!({"name": app.name, "json_url": app.json_url});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "integration.read_descriptor", app.id, detail).await?;
        self.commit_app(tx, &app, Some(&former), false).await
    }
}
