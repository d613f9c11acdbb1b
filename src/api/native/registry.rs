//! Versions in the registry: the organisation's own, and the published ones of all others.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Done, Refused, Tag,
    wire::{Limit, List, RegistryVersionDetailOut, RegistryVersionOut, page},
};
use crate::{
    api::shared::{auth::Bearer, services::Service},
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
}
