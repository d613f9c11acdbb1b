//! Versions of integrations and interfaces in the registry: the organisation's own, and the published ones of all others.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        Limit, LintOut, List, RegistryChange, RegistryCreation, RegistryInterfaceDetailOut, RegistryInterfaceOut,
        RegistryVersionCreatedOut, RegistryVersionDetailOut, RegistryVersionOut, page,
    },
};
use crate::{
    api::shared::{
        auth::Bearer,
        registry_body::{Shaped, submission},
        services::Service,
        signed::Raw,
    },
    app::{
        kernel::Base,
        registry::{self, VersionSearch},
    },
};

/// The operations.
pub struct Registry;

#[OpenApi(tag = "Tag::Registry")]
impl Registry {
    /// List registry versions
    ///
    /// Lists the versions of the organisation's own integrations and the public ones of all organisations, newest
    /// first.
    #[oai(path = "/v1/registry/versions", method = "get", operation_id = "listRegistryVersions")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_registry_versions(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// Only versions of the integration with this name, such as `acme/teams`.
        name: Query<Option<String>>,
        /// Only versions with this text in the name, the title, the description, or the name or title of an action.
        search: Query<Option<String>>,
        /// Only versions of the organisation with this slug.
        organisation: Query<Option<String>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<RegistryVersionOut>> {
        let search = VersionSearch { name: name.0, text: search.0, organisation: organisation.0 };
        let page = registry.list_registry_versions(&caller.0, search, self::page(limit, cursor)?).await?;
        Ok(Json(List::made(page, |listed| RegistryVersionOut::of(&base, &caller.0, listed))))
    }

    /// Create a registry version
    ///
    /// Creates a version of an integration. The first one creates the integration, and reserves its name for the
    /// organisation. All errors are reported at once.
    #[oai(path = "/v1/registry/versions", method = "post", operation_id = "createRegistryVersion")]
    async fn create_registry_version(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// `true` accepts changes that break installations of other organisations.
        #[oai(name = "allowBreakingChanges", default)]
        allow_breaking_changes: Query<bool>,
        body: Raw<Shaped<RegistryCreation>>,
    ) -> Result<Created<RegistryVersionCreatedOut>, Refused> {
        let submission = submission(body, allow_breaking_changes.0).await?;
        let created = registry.create_bot_integration(&caller.0, submission).await?;
        Ok(Created::Created(Json(RegistryVersionCreatedOut::of(&base, &caller.0, created))))
    }

    /// Validate the creation of a registry version
    ///
    /// Checks whether the same request would create a version, and changes nothing. An invalid version is a successful
    /// answer, not an error.
    #[oai(path = "/v1/registry/versions/validate", method = "post", operation_id = "validateRegistryVersion")]
    async fn validate_registry_version(
        &self,
        registry: Service<'_, registry::Registry>,
        caller: Bearer,
        /// `true` accepts changes that break installations of other organisations.
        #[oai(name = "allowBreakingChanges", default)]
        allow_breaking_changes: Query<bool>,
        body: Raw<Shaped<RegistryCreation>>,
    ) -> Answer<LintOut> {
        let submission = submission(body, allow_breaking_changes.0).await?;
        let checked = registry.validate_integration_creation(&caller.0, submission).await;
        Ok(Json(LintOut::of_version(checked)?))
    }

    /// Get a registry version
    ///
    /// Returns a version of the organisation's own, or a published one, with its definition. Its address and the names
    /// of its secrets are shown to its organisation alone.
    #[oai(path = "/v1/registry/versions/:id", method = "get", operation_id = "getRegistryVersion")]
    async fn get_registry_version(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Answer<RegistryVersionDetailOut> {
        let found = registry.get_registry_version(&caller.0, id.0).await?;
        Ok(Json(RegistryVersionDetailOut::of(&base, &caller.0, found)))
    }

    /// Update a registry version
    ///
    /// Absent members stay unchanged, `null` removes a member, and maps are merged by key. A public or unlisted version
    /// is immutable, except for its secrets and the integration's icon.
    #[oai(path = "/v1/registry/versions/:id", method = "patch", operation_id = "updateRegistryVersion")]
    async fn update_registry_version(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
        /// `true` accepts changes that break installations of other organisations.
        #[oai(name = "allowBreakingChanges", default)]
        allow_breaking_changes: Query<bool>,
        body: Raw<Shaped<RegistryChange>>,
    ) -> Answer<RegistryVersionDetailOut> {
        let submission = submission(body, allow_breaking_changes.0).await?;
        let updated = registry.update_bot_integration(&caller.0, &id.0.to_string(), submission).await?;
        Ok(Json(RegistryVersionDetailOut::of(&base, &caller.0, updated)))
    }

    /// Validate the update of a registry version
    ///
    /// Checks whether the same request would change the version, and changes nothing. An invalid change is a successful
    /// answer, not an error.
    #[oai(path = "/v1/registry/versions/:id/validate", method = "post", operation_id = "validateRegistryVersionUpdate")]
    async fn validate_registry_version_update(
        &self,
        registry: Service<'_, registry::Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
        /// `true` accepts changes that break installations of other organisations.
        #[oai(name = "allowBreakingChanges", default)]
        allow_breaking_changes: Query<bool>,
        body: Raw<Shaped<RegistryChange>>,
    ) -> Answer<LintOut> {
        let submission = submission(body, allow_breaking_changes.0).await?;
        let checked = registry.validate_integration_update(&caller.0, &id.0.to_string(), submission).await;
        Ok(Json(LintOut::of_version(checked)?))
    }

    /// Delete a registry version
    ///
    /// Deletes a version of the organisation's own. One that is installed anywhere cannot be deleted.
    #[oai(path = "/v1/registry/versions/:id", method = "delete", operation_id = "deleteRegistryVersion")]
    async fn delete_registry_version(
        &self,
        registry: Service<'_, registry::Registry>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        registry.delete_bot_integration(&caller.0, &id.0.to_string()).await?;
        Ok(Done::Done)
    }

    /// List registry interfaces
    ///
    /// Lists the versions of the organisation's own interfaces and the public ones of all organisations, newest first.
    /// Integrations implement them.
    #[oai(path = "/v1/registry/interfaces", method = "get", operation_id = "listRegistryInterfaces")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_registry_interfaces(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// Only versions of the interface with this name, such as `acme/creatable`.
        name: Query<Option<String>>,
        /// Only versions with this text in the name, the title, the description, or the name or title of an action.
        search: Query<Option<String>>,
        /// Only versions of the organisation with this slug.
        organisation: Query<Option<String>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<RegistryInterfaceOut>> {
        let search = VersionSearch { name: name.0, text: search.0, organisation: organisation.0 };
        let page = registry.list_registry_interfaces(&caller.0, search, self::page(limit, cursor)?).await?;
        Ok(Json(List::made(page, |listed| RegistryInterfaceOut::of(&base, listed))))
    }

    /// Get a registry interface
    ///
    /// Returns a version of an interface of the organisation's own, or a published one, with what it asks for.
    #[oai(path = "/v1/registry/interfaces/:id", method = "get", operation_id = "getRegistryInterface")]
    async fn get_registry_interface(
        &self,
        registry: Service<'_, registry::Registry>,
        base: Service<'_, Base>,
        caller: Bearer,
        /// The version's id.
        id: Path<Uuid>,
    ) -> Answer<RegistryInterfaceDetailOut> {
        let found = registry.get_registry_interface(&caller.0, id.0).await?;
        Ok(Json(RegistryInterfaceDetailOut::of(&base, found)))
    }
}
