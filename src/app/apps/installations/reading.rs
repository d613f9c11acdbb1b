//! Descriptors of integrations that are kept whether theirs can be read or not: whoever saves one does not wait long for it,
//! and one that comes late is taken all the same.

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

/// How long whoever saves an integration waits for its descriptor.
const PATIENCE: Duration = Duration::from_secs(3);

/// A descriptor that is still being read.
pub(super) struct Late(JoinHandle<Result<Descriptor, NoDescriptor>>);

impl Apps {
    /// The descriptor at an address, where there is one and it comes soon. A text that is no address leads to none.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it, or what it names, is at an address that is not called.
    pub(super) async fn read_descriptor(&self, json_url: &str) -> Result<(Option<Descriptor>, Option<Late>)> {
        if Url::parse(json_url) == Err(ParseError::RelativeUrlWithoutBase) {
            return Ok((None, None));
        }
        let (app, url) = (self.clone(), json_url.to_owned());
        let mut reading = self.base.background.spawn(async move { app.fetch_descriptor(&url, "/json_url").await });
        match tokio::time::timeout(PATIENCE, &mut reading).await {
            Ok(Ok(Ok(descriptor))) => Ok((Some(descriptor), None)),
            Ok(Ok(Err(NoDescriptor::Refused(error)))) => Err(error),
            Ok(Ok(Err(NoDescriptor::Unreadable(why)))) => {
                tracing::debug!(%why, "an integration is kept without a descriptor");
                Ok((None, None))
            }
            Ok(Err(panic)) => Err(Error::Internal(format!("a descriptor could not be read: {panic}"))),
            Err(_) => Ok((None, Some(Late(reading)))),
        }
    }

    /// Takes over a descriptor that comes after its integration was saved, unless that was changed again: whoever
    /// changes it reads it anew.
    pub(super) fn adopt_when_read(&self, caller: &Caller, saved: &App, late: Option<Late>) {
        let Some(Late(reading)) = late else { return };
        let (app, caller, saved) = (self.clone(), caller.clone(), saved.clone());
        self.base.background.spawn(async move {
            let Ok(Ok(descriptor)) = reading.await else { return };
            if let Err(error) = app.adopt(&caller, &saved, descriptor).await {
                tracing::warn!(%error, integration = %saved.id, "a descriptor that came late could not be kept");
            }
        });
    }

    async fn adopt(&self, caller: &Caller, saved: &App, descriptor: Descriptor) -> Result<()> {
        let tx = self.base.store.begin().await?;
        let mut app = match store::apps::installations::find(&tx, saved.organisation_id, saved.id).await {
            Ok(app) => app,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if (&app.json_url, app.updated_at) != (&saved.json_url, saved.updated_at) {
            return Ok(());
        }
        // As where it comes in time: when it is installed, the descriptor says whether it is on.
        let is_new = saved.created_at == saved.updated_at;
        app.active = app.active && (!is_new || descriptor.is_active);
        app.descriptor = Some(descriptor);
        app.updated_at = self.base.now();
        store::apps::installations::update(&tx, &app, None).await?;
        self.reschedule(&tx, &app).await?;
        let detail = json!({"name": app.name, "json_url": app.json_url});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "integration.read_descriptor", app.id, detail).await?;
        tx.commit().await
    }
}
