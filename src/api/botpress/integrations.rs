//! A workspace's own integrations, one version at a time.

use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    Answer, Tag,
    auth::Member,
    shapes::{Changed, New, Shaped, submission},
    wire::{Direction, ListOut, Nothing, OneOut, VerifyIn, integration},
};
use crate::{
    api::shared::{body::Body, services::Service, signed::Raw, word::Word},
    app::{
        kernel::Base,
        registry::{ListQuery, Registered, Registry},
    },
    domain::registry::{SortBy, Verification, definition::Visibility},
};

/// The operations.
pub struct Integrations;

fn one(base: &Base, registered: &Registered) -> Answer<OneOut> {
    Ok(Json(OneOut { integration: integration::shown(base, registered).into() }))
}

#[OpenApi(tag = "Tag::Registry")]
impl Integrations {
    /// Validate the creation of an integration
    ///
    /// Checks whether the same request would create a version, and changes nothing. All errors are reported at once.
    #[oai(path = "/v1/admin/integrations/validate", method = "post", operation_id = "validateIntegrationCreation")]
    async fn validate_integration_creation(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// `true` skips the check for changes that are breaking for other workspaces.
        #[oai(name = "x-bypass-breaking-changes-detection")]
        bypass: Header<Option<String>>,
        body: Raw<Shaped<New>>,
    ) -> Answer<Nothing> {
        registry.validate_integration_creation(&caller.0, submission(body, bypass.0).await?).await?;
        Ok(Json(Nothing {}))
    }

    /// Create a version of an integration
    ///
    /// The first version creates the integration and reserves its name for the workspace.
    #[oai(path = "/v1/admin/integrations", method = "post", operation_id = "createBotIntegration")]
    async fn create_bot_integration(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// `true` skips the check for changes that are breaking for other workspaces.
        #[oai(name = "x-bypass-breaking-changes-detection")]
        bypass: Header<Option<String>>,
        body: Raw<Shaped<New>>,
    ) -> Answer<OneOut> {
        one(&base, &registry.create_bot_integration(&caller.0, submission(body, bypass.0).await?).await?)
    }

    /// List the versions of a workspace's integrations
    ///
    /// Lists the workspace's own versions, by default newest first.
    #[oai(path = "/v1/admin/integrations", method = "get", operation_id = "listBotIntegrations")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_bot_integrations(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// The `nextToken` of the previous page.
        #[oai(name = "nextToken")]
        next_token: Query<Option<String>>,
        /// Maximum number of items: 1 to 100, 20 by default. A value above 100 means 100.
        limit: Query<Option<u32>>,
        /// Same as `limit`, which takes precedence.
        #[oai(name = "pageSize")]
        page_size: Query<Option<u32>>,
        /// Only versions of the integration with this name.
        name: Query<Option<String>>,
        /// Only this version, or `latest`: the highest version of each integration.
        version: Query<Option<String>>,
        /// Only implementations of the interface with this id.
        #[oai(name = "interfaceId")]
        interface_id: Query<Option<String>>,
        /// Only implementations of the interface with this name.
        #[oai(name = "interfaceName")]
        interface_name: Query<Option<String>>,
        /// Only versions that this bot has installed. This service has no bots, so nothing matches.
        #[oai(name = "installedByBotId")]
        installed_by: Query<Option<String>>,
        /// Only versions with this verification status.
        #[oai(name = "verificationStatus")]
        verification: Query<Option<Word<Verification>>>,
        /// Only versions with this text in the name, the title, the description, or the name or title of an action.
        search: Query<Option<String>>,
        /// Sort key.
        #[oai(name = "sortBy")]
        sort_by: Query<Option<Word<SortBy>>>,
        /// Sort direction: by default ascending for names, descending for other keys.
        direction: Query<Option<Word<Direction>>>,
        /// Only versions with this visibility.
        visibility: Query<Option<Word<Visibility>>>,
        /// Only versions under development, or only the others; by default the others.
        dev: Query<Option<bool>>,
    ) -> Answer<ListOut> {
        let query = ListQuery {
            next_token: next_token.0,
            limit: limit.0.or(page_size.0),
            name: name.0,
            version: version.0,
            verification: verification.0.map(|Word(wanted)| wanted),
            visibility: visibility.0.map(|Word(wanted)| wanted),
            dev: dev.0.unwrap_or_default(),
            search: search.0,
            sort_by: sort_by.0.map(|Word(by)| by),
            descending: direction.0.map(|Word(direction)| direction == Direction::Desc),
            interface_id: interface_id.0,
            interface_name: interface_name.0,
            asks_for_nothing: installed_by.0.is_some(),
        };
        Ok(Json(ListOut::of(&base, registry.list_bot_integrations(&caller.0, query).await?)))
    }

    /// Get a version of an integration
    ///
    /// Returns one of the workspace's own versions by its id.
    #[oai(path = "/v1/admin/integrations/:id", method = "get", operation_id = "getBotIntegration")]
    async fn get_bot_integration(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<OneOut> {
        one(&base, &registry.get_bot_integration(&caller.0, &id.0).await?)
    }

    /// Update a version of an integration
    ///
    /// Absent fields stay unchanged, `null` removes a member, and maps are merged by key. A public or unlisted version
    /// is immutable, except for its secrets and the integration's icon.
    #[oai(path = "/v1/admin/integrations/:id", method = "put", operation_id = "updateBotIntegration")]
    async fn update_bot_integration(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
        /// `true` skips the check for changes that are breaking for other workspaces.
        #[oai(name = "x-bypass-breaking-changes-detection")]
        bypass: Header<Option<String>>,
        body: Raw<Shaped<Changed>>,
    ) -> Answer<OneOut> {
        one(&base, &registry.update_bot_integration(&caller.0, &id.0, submission(body, bypass.0).await?).await?)
    }

    /// Delete a version of an integration
    ///
    /// Fails if the version is installed anywhere.
    #[oai(path = "/v1/admin/integrations/:id", method = "delete", operation_id = "deleteBotIntegration")]
    async fn delete_bot_integration(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<Nothing> {
        registry.delete_bot_integration(&caller.0, &id.0).await?;
        Ok(Json(Nothing {}))
    }

    /// Validate the update of an integration
    ///
    /// Checks whether the same request would change the version, and changes nothing. All errors are reported at once.
    #[oai(path = "/v1/admin/integrations/:id/validate", method = "put", operation_id = "validateIntegrationUpdate")]
    async fn validate_integration_update(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
        /// `true` skips the check for changes that are breaking for other workspaces.
        #[oai(name = "x-bypass-breaking-changes-detection")]
        bypass: Header<Option<String>>,
        body: Raw<Shaped<Changed>>,
    ) -> Answer<Nothing> {
        registry.validate_integration_update(&caller.0, &id.0, submission(body, bypass.0).await?).await?;
        Ok(Json(Nothing {}))
    }

    /// Get a version of an integration by its name
    ///
    /// Returns one of the workspace's own versions by its name and version.
    #[oai(path = "/v1/admin/integrations/:name/:version", method = "get", operation_id = "getBotIntegrationByName")]
    async fn get_bot_integration_by_name(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Name of the integration; a slash in it is sent as `%2F`.
        name: Path<String>,
        /// A version, a range in npm's syntax, which selects its highest version, or `latest`.
        version: Path<String>,
    ) -> Answer<OneOut> {
        one(&base, &registry.get_bot_integration_by_name(&caller.0, &name.0, &version.0).await?)
    }

    /// Request the verification of a version
    ///
    /// Sets the verification status to pending, until an operator of the service decides on it.
    #[oai(
        path = "/v1/admin/integrations/request-verification",
        method = "post",
        operation_id = "requestIntegrationVerification"
    )]
    async fn request_integration_verification(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        body: Body<VerifyIn>,
    ) -> Answer<Nothing> {
        registry.request_integration_verification(&caller.0, &body.value.integration_id).await?;
        Ok(Json(Nothing {}))
    }
}
