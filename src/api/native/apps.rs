//! Apps of an organisation: installed by a descriptor or from the registry, with their settings and signing secrets.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Any,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        ActionIn, ActionOut, AppAuthorisationOut, AppIn, AppOut, AppPatch, AppSettings, Limit, LintIn, LintOut, List,
        SigningSecretOut, in_app_members, page,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::{apps, registry::Registry},
};

/// The operations.
pub struct Apps;

#[OpenApi(tag = "Tag::Apps")]
impl Apps {
    /// List apps
    ///
    /// Lists the installed apps, newest first: those with a descriptor at an address, and those from the registry.
    #[oai(path = "/v1/apps", method = "get", operation_id = "listApps")]
    async fn list_apps(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<AppOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(apps.list_apps(&caller.0, page).await?)))
    }

    /// Install an app
    ///
    /// Installs an app by the address of its descriptor, or a version from the registry: one of the organisation's own,
    /// or a published one of any organisation. The app receives the messages of the channels in which it is activated.
    #[oai(path = "/v1/apps", method = "post", operation_id = "createApp")]
    async fn create_app(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        body: Body<AppIn>,
    ) -> Result<Created<AppOut>, Refused> {
        let installed = registry.create_app(&caller.0, body.value.into_app()?).await.map_err(in_app_members)?;
        Ok(Created::Created(Json(installed.into())))
    }

    /// Check an app's descriptor
    ///
    /// Returns every error of the descriptor, and warnings for members that work but may not have the intended meaning.
    /// Nothing is installed. An invalid descriptor is a successful answer, not an error.
    #[oai(path = "/v1/apps/lint", method = "post", operation_id = "lintDescriptor")]
    async fn lint_descriptor(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        body: Body<LintIn>,
    ) -> Answer<LintOut> {
        let asked = body.value.asked()?;
        let found = apps.lint_descriptor(&caller.0, asked.source).await?;
        Ok(Json(LintOut::of(found, asked.has_places)))
    }

    /// Get an app
    ///
    /// Returns the app with the settings that it declares.
    #[oai(path = "/v1/apps/:id", method = "get", operation_id = "getApp")]
    async fn get_app(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Answer<AppOut> {
        Ok(Json(apps.get_app(&caller.0, id.0.into()).await?.into()))
    }

    /// Update an app
    ///
    /// Changes the name, the descriptor, the credential, or whether the app is active. Activating it, or giving it an
    /// address, resumes the calls of an app that answered 410.
    #[oai(path = "/v1/apps/:id", method = "patch", operation_id = "updateApp")]
    async fn update_app(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
        body: Body<AppPatch>,
    ) -> Answer<AppOut> {
        let changed = apps.update_app(&caller.0, id.0.into(), body.value.into()).await.map_err(in_app_members)?;
        Ok(Json(changed.into()))
    }

    /// Uninstall an app
    ///
    /// Deletes the app with its settings and its use in channels; its pending deliveries fail.
    #[oai(path = "/v1/apps/:id", method = "delete", operation_id = "deleteApp")]
    async fn delete_app(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        apps.delete_app(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Begin the authorisation of an app
    ///
    /// Returns the page of an OAuth app to which the member's browser is sent, with a new API key of the app in its
    /// address. By the key the app posts to the channels in which it is active, and writes its settings, such as the
    /// credentials that it gets. The former key of the app's OAuth flow is no longer valid.
    #[oai(path = "/v1/apps/:id/authorisation", method = "post", operation_id = "createAppAuthorisation")]
    async fn create_app_authorisation(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Result<Created<AppAuthorisationOut>, Refused> {
        let url = apps.create_app_authorisation(&caller.0, id.0.into()).await?;
        Ok(Created::Created(Json(url.into())))
    }

    /// Get the settings of an app
    ///
    /// Returns the values that were set for the organisation. A secret is masked for callers without the permission
    /// `secrets:read`. In a channel, its own values take precedence.
    #[oai(path = "/v1/apps/:id/settings", method = "get", operation_id = "getAppSettings")]
    async fn get_app_settings(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Answer<AppSettings> {
        Ok(Json(apps.get_app_settings(&caller.0, id.0.into()).await?.into()))
    }

    /// Replace the settings of an app
    ///
    /// Replaces all values that were set for the organisation. Where a label is absent, the default of the app holds
    /// again. A secret that is given as its mask stays unchanged.
    #[oai(path = "/v1/apps/:id/settings", method = "put", operation_id = "putAppSettings")]
    async fn put_app_settings(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
        body: Body<AppSettings>,
    ) -> Answer<AppSettings> {
        Ok(Json(apps.put_app_settings(&caller.0, id.0.into(), body.value.values()).await?.into()))
    }

    /// Call an action of an app
    ///
    /// Calls an action of an app that was installed from the registry, once, and returns its output. The app's server
    /// gets the input, which is validated by the action's schema, and the settings of the organisation. A failed call is
    /// not repeated: 502 where the server refuses, does not answer in time, or answers what breaks the action's schema.
    /// Each call is an event of the type `action.called` with a delivery.
    #[oai(path = "/v1/apps/:id/actions/:name", method = "post", operation_id = "callAppAction")]
    async fn call_app_action(
        &self,
        registry: Service<'_, Registry>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
        /// Name of the action, as the version declares it.
        name: Path<String>,
        body: Body<ActionIn>,
    ) -> Answer<ActionOut> {
        let called = registry.call_app_action(&caller.0, id.0.into(), &name.0, body.value.into()).await;
        Ok(Json(ActionOut { output: Any(called?) }))
    }

    /// Show an app's signing secret
    ///
    /// Returns the secret with which the app verifies that a call comes from this service: each call is signed as
    /// specified by Standard Webhooks 1.0.0.
    #[oai(path = "/v1/apps/:id/signing-secret", method = "get", operation_id = "getAppSigningSecret")]
    async fn get_app_signing_secret(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(apps.get_app_signing_secret(&caller.0, id.0.into()).await?.into()))
    }

    /// Replace an app's signing secret
    ///
    /// Generates a new secret. For 24 hours calls are signed with the former secret too: `webhook-signature` then has
    /// two signatures, the new one first.
    #[oai(path = "/v1/apps/:id/signing-secret/rotate", method = "post", operation_id = "rotateAppSigningSecret")]
    async fn rotate_app_signing_secret(
        &self,
        apps: Service<'_, apps::Apps>,
        caller: Bearer,
        /// The app's id.
        id: Path<Uuid>,
    ) -> Answer<SigningSecretOut> {
        Ok(Json(apps.rotate_app_signing_secret(&caller.0, id.0.into()).await?.into()))
    }
}
