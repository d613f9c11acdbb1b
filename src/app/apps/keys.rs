//! API keys of installed apps: made, verified, and given to the OAuth flow of an app. A key is stored as its hash and shown
//! nowhere again.
//!
//! Not here: the call that gives an agent its key (`callbacks`), and the places that a key opens (`posts`, `settings`).

use aws_lc_rs::constant_time;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::Apps;
use crate::{
    app::{
        Caller,
        tenancy::{credential::sha256, teams::Identified},
    },
    domain::{
        Error, Result,
        apps::{
            app::App,
            key::{self, KeyPurpose},
        },
        error::AuthFailure,
        ids::IntegrationId,
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{self, Tx, apps::keys::AppKey},
};

/// An app that presented its API key.
#[derive(Clone, Debug)]
pub struct KeyedApp(pub(super) App);

/// Caller of an app's settings.
#[derive(Clone, Debug)]
pub enum SettingsCaller {
    /// A member of the organisation.
    Member(Identified),
    /// The app itself, by its key.
    App(Box<KeyedApp>),
}

impl Apps {
    /// Makes a key for the OAuth flow of an app, in place of a former one, and returns the address of the app's page with
    /// the key in it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] where it is no OAuth app.
    pub async fn create_app_authorisation(&self, caller: &Caller, id: IntegrationId) -> Result<Secret> {
        caller.require(Permission::IntegrationsManage)?;
        let tx = self.base.store.begin().await?;
        let app = store::apps::installations::find(&tx, caller.organisation_id, id).await?;
        let authorisation = app.descriptor.as_ref().map(|descriptor| &descriptor.authorisation);
        let page = authorisation.and_then(|read| Url::parse(read.initiate_url.as_deref()?).ok());
        let key = self.issue_key(&tx, &app, KeyPurpose::Connect).await?;
        let (Some(page), Some(key)) = (page, key) else { return Err(no_oauth()) };
        let detail = json!({"name": app.name, "page": page.origin().ascii_serialization()});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "integration.authorise", app.id, detail).await?;
        tx.commit().await?;
        Ok(Secret::new(key::page(page, &key, (app.organisation_id, app.id))))
    }

    /// Makes a key of an app for a purpose, in place of a former one; none where its descriptor names no address for it.
    pub(super) async fn issue_key(&self, tx: &Tx, app: &App, purpose: KeyPurpose) -> Result<Option<Secret>> {
        let Some(origin) = origin(app, purpose) else { return Ok(None) };
        let key = key::generate(self.base.ambient.random());
        let stored = AppKey {
            organisation_id: app.organisation_id,
            integration_id: app.id,
            purpose,
            key_sha256: sha256(key.expose().as_bytes()),
            origin,
            created_at: self.base.now(),
        };
        store::apps::keys::put(tx, &stored).await?;
        Ok(Some(key))
    }

    /// Returns the app that a key is of. A key is valid while the descriptor names the origin to which it went, so a server
    /// to which an app no longer leads has no access left.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub(super) async fn identify_app(&self, text: &str) -> Result<KeyedApp> {
        if !key::is_key(text) {
            return Err(wrong_key());
        }
        let (reader, hash) = (self.base.store.reader(), sha256(text.as_bytes()));
        let found = store::apps::keys::find_by_hash(reader, hash).await?.ok_or_else(wrong_key)?;
        let same = constant_time::verify_slices_are_equal(&hash, &found.key_sha256).is_ok();
        match store::apps::installations::find(reader, found.organisation_id, found.integration_id).await {
            Ok(app) if same && origin(&app, found.purpose).as_ref() == Some(&found.origin) => Ok(KeyedApp(app)),
            Ok(_) | Err(Error::NotFound { .. }) => Err(wrong_key()),
            Err(error) => Err(error),
        }
    }

    /// Returns the app that a key is of, if it is this one of this organisation, which is named by its id or slug.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] also for the key of another app.
    pub async fn identify_app_at(&self, key: &str, organisation: &str, id: Uuid) -> Result<SettingsCaller> {
        let keyed = self.identify_app(key).await?;
        let found = self.tenancy.find_team(organisation).await?;
        let is_own = found.is_some_and(|found| found.id == keyed.0.organisation_id) && keyed.0.id.0 == id;
        if is_own { Ok(SettingsCaller::App(Box::new(keyed))) } else { Err(wrong_key()) }
    }
}

/// Returns the error of a key that is not valid at the requested place.
pub(super) fn wrong_key() -> Error {
    Error::Unauthenticated(AuthFailure::NotKeyed)
}

fn origin(app: &App, purpose: KeyPurpose) -> Option<String> {
    app.descriptor.as_ref()?.authorisation.origin(purpose)
}

fn no_oauth() -> Error {
    let message = "this app is not connected by OAuth: its descriptor has to say \"is_oauth\": true and to name the \
                   page in \"auth_initiate_url\"; if it does by now, set its descriptor's address again";
    Error::FailedPrecondition { message: message.to_owned() }
}
