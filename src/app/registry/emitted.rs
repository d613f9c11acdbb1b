//! Events that the code of an installed version sends with a key of the version: they enter the pipeline of the
//! organisation that installed it.
//!
//! Not here: the meaning of such an event (`domain::registry::emitted`), the keys themselves (`keys`).

use super::{ApiKey, Registry, actions::violations, not_found};
use crate::{
    app::{kernel::throttle::Room, pipeline::intake::NewEvent, tenancy::credential::sha256},
    domain::{
        Error, Result,
        apps::app::App,
        error::{AuthFailure, Noun},
        ids::IntegrationId,
        pipeline::event::Event,
        registry::{
            PublicId,
            definition::DefinitionKind::Integration,
            emitted::{self, EmittedEvent},
            public_id,
        },
    },
    store::{self, registry},
};

/// Beginning of the text of every key.
pub(super) const KEY_PREFIX: &str = "bp_iak_";

/// Version and installation that a caller with a key names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedInstallation<'a> {
    /// The version, which has to be that of the key.
    pub version: Option<&'a str>,
    /// The installation; needed where the version has several.
    pub installation: Option<&'a str>,
}

impl Registry {
    /// Authenticates the holder of a key. Its version still exists: a key is deleted together with it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn authenticate_key(&self, text: &str) -> Result<ApiKey> {
        let invalid = Error::Unauthenticated(AuthFailure::Invalid);
        if !text.starts_with(KEY_PREFIX) {
            return Err(invalid);
        }
        registry::find_key(self.base.store.reader(), sha256(text.as_bytes())).await?.ok_or(invalid)
    }

    /// Returns the installation of the key's version that a caller means.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a version that is not the key's, and where no such app is installed from it;
    /// [`Error::Invalid`] where several are and none is named.
    pub async fn installation_of(&self, key: &ApiKey, named: NamedInstallation<'_>) -> Result<App> {
        let reader = self.base.store.reader();
        if let Some(version) = named.version
            && public_id(PublicId::VERSION, version) != Some(key.integration_id.0)
        {
            return Err(not_found(Integration, version));
        }
        let unknown = || Error::not_found(Noun::Installation, named.installation.unwrap_or("of this version"));
        let app = match named.installation {
            Some(shown) => Some(IntegrationId(public_id(PublicId::INSTALLATION, shown).ok_or_else(unknown)?)),
            None => None,
        };
        match registry::installations_of(reader, key.integration_id, app, 2).await?.as_slice() {
            [] => Err(unknown()),
            [(organisation_id, app)] => store::apps::installations::find(reader, *organisation_id, *app).await,
            _ => {
                let says =
                    "is needed, because the version has several installations; it is in the headers of each call";
                Err(Error::invalid("x-bot-id", says))
            }
        }
    }

    /// Counts a call of an installation's code against its own rate limit.
    pub fn admit_installation(&self, app: &App) -> (Room, Result<()>) {
        let (key, now) = (app.id.0, self.base.now());
        let admitted = self.calls.admit(key, now);
        (self.calls.room(key, now), admitted)
    }

    /// Accepts an event of an installation: it and its deliveries are committed when this returns.
    ///
    /// # Errors
    /// [`Error::Issues`] where the version does not declare it, or its payload breaks the schema;
    /// [`Error::FailedPrecondition`] where the app is not active; [`Error::Invalid`] for a reference that is too long.
    pub async fn create_event(&self, app: &App, event: EmittedEvent) -> Result<Event> {
        if !app.active {
            let message = "the app is not active in its organisation, so it may not send events".into();
            return Err(Error::FailedPrecondition { message });
        }
        let reader = self.base.store.reader();
        let from = app.registry.as_ref().ok_or_else(|| Error::not_found(Noun::Installation, app.id))?;
        let definition = registry::definition(reader, IntegrationId(from.registry_id)).await?;
        let definition = definition.ok_or_else(|| not_found(Integration, &from.name))?;
        let schema = emitted::schema_of(&definition, &event.kind)?;
        emitted::demand_valid(violations(&schema, &event.payload.clone().into(), "/payload").await?)?;
        let fact = event.fact(app, &definition)?;
        let accepted = self.pipeline.accept(NewEvent::plain(app.organisation_id, emitted::SOURCE, fact)).await?;
        self.base.metrics.events("accepted", 1);
        store::pipeline::events::find(self.base.store.reader(), app.organisation_id, accepted.id).await
    }
}
