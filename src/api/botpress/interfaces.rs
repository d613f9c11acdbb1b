//! Interfaces that integrations implement: a workspace's own, and the public ones of all workspaces.

use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    Answer, Tag,
    auth::{Anyone, Member},
    shapes::{ChangedInterface, NewInterface, Shaped, submission},
    wire::{
        Nothing,
        interface::{self, InterfacesOut, OneInterfaceOut},
    },
};
use crate::{
    api::shared::{services::Service, signed::Raw},
    app::{
        kernel::Base,
        registry::{ListQuery, Registered, Registry},
    },
};

/// The operations.
pub struct Interfaces;

fn one(base: &Base, registered: &Registered) -> Answer<OneInterfaceOut> {
    Ok(Json(OneInterfaceOut { interface: interface::shown(base, registered).into() }))
}

#[OpenApi(tag = "Tag::Interfaces")]
impl Interfaces {
    /// Create a version of an interface
    ///
    /// The first version creates the interface and reserves its name for the workspace. A schema may refer to one of
    /// the interface's entities by its name.
    #[oai(path = "/v1/admin/interfaces", method = "post", operation_id = "createInterface")]
    async fn create_interface(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// `true` skips the check for changes that are breaking for other workspaces.
        #[oai(name = "x-bypass-breaking-changes-detection")]
        bypass: Header<Option<String>>,
        body: Raw<Shaped<NewInterface>>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.create_interface(&caller.0, submission(body, bypass.0).await?).await?)
    }

    /// List the versions of a workspace's interfaces
    ///
    /// Lists the workspace's own versions, newest first.
    #[oai(path = "/v1/admin/interfaces", method = "get", operation_id = "listInterfaces")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_interfaces(
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
        #[oai(name = "pageSize")]
        limit: Query<Option<u32>>,
        /// Only versions of the interface with this name.
        name: Query<Option<String>>,
        /// Only this version, or `latest`: the highest version of each interface.
        version: Query<Option<String>>,
    ) -> Answer<InterfacesOut> {
        let (next_token, limit, name, version) = (next_token.0, limit.0, name.0, version.0);
        let query = ListQuery { next_token, limit, name, version, ..ListQuery::default() };
        Ok(Json(InterfacesOut::of(&base, registry.list_interfaces(&caller.0, query).await?)))
    }

    /// Get a version of an interface
    ///
    /// Returns one of the workspace's own versions, or a published one, by its id.
    #[oai(path = "/v1/admin/interfaces/:id", method = "get", operation_id = "getInterface")]
    async fn get_interface(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.get_interface(&caller.0, &id.0).await?)
    }

    /// Get a version of an interface by its name
    ///
    /// Returns one of the workspace's own versions by its name and version, or else a published one.
    #[oai(path = "/v1/admin/interfaces/:name/:version", method = "get", operation_id = "getInterfaceByName")]
    async fn get_interface_by_name(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Name of the interface; a slash in it is sent as `%2F`.
        name: Path<String>,
        /// A version, a range in npm's syntax, which selects its highest version, or `latest`.
        version: Path<String>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.get_interface_by_name(&caller.0, &name.0, &version.0).await?)
    }

    /// Update a version of an interface
    ///
    /// Absent fields stay unchanged, `null` removes a member, and maps are merged by key. A public version is
    /// immutable, except for the interface's icon; what a version asks for stays while integrations implement it.
    #[oai(path = "/v1/admin/interfaces/:id", method = "put", operation_id = "updateInterface")]
    async fn update_interface(
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
        body: Raw<Shaped<ChangedInterface>>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.update_interface(&caller.0, &id.0, submission(body, bypass.0).await?).await?)
    }

    /// Delete a version of an interface
    ///
    /// Fails if a version of an integration implements it.
    #[oai(path = "/v1/admin/interfaces/:id", method = "delete", operation_id = "deleteInterface")]
    async fn delete_interface(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<Nothing> {
        registry.delete_interface(&caller.0, &id.0).await?;
        Ok(Json(Nothing {}))
    }

    /// List the hub's interfaces
    ///
    /// Lists the public versions of all workspaces, newest first.
    #[oai(path = "/v1/admin/hub/interfaces", method = "get", operation_id = "listPublicInterfaces")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_public_interfaces(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// The `nextToken` of the previous page.
        #[oai(name = "nextToken")]
        next_token: Query<Option<String>>,
        /// Maximum number of items: 1 to 100, 20 by default. A value above 100 means 100.
        #[oai(name = "pageSize")]
        limit: Query<Option<u32>>,
        /// Only versions of the interface with this name.
        name: Query<Option<String>>,
        /// Only this version, or `latest`: the highest version of each interface.
        version: Query<Option<String>>,
    ) -> Answer<InterfacesOut> {
        let (next_token, limit, name, version) = (next_token.0, limit.0, name.0, version.0);
        let query = ListQuery { next_token, limit, name, version, ..ListQuery::default() };
        Ok(Json(InterfacesOut::of(&base, registry.list_public_interfaces(&caller.0, query).await?)))
    }

    /// Get a published version of an interface
    ///
    /// Returns the version with this id, published by any workspace.
    #[oai(path = "/v1/admin/hub/interfaces/:id", method = "get", operation_id = "getPublicInterfaceById")]
    async fn get_public_interface_by_id(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.get_public_interface_by_id(&caller.0, &id.0).await?)
    }

    /// Get a published version of an interface by its name
    ///
    /// Returns the version with this name and version, published by any workspace.
    #[oai(path = "/v1/admin/hub/interfaces/:name/:version", method = "get", operation_id = "getPublicInterface")]
    async fn get_public_interface(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// Name of the interface; a slash in it is sent as `%2F`.
        name: Path<String>,
        /// A version, a range in npm's syntax, which selects its highest version, or `latest`.
        version: Path<String>,
    ) -> Answer<OneInterfaceOut> {
        one(&base, &registry.get_public_interface(&caller.0, &name.0, &version.0).await?)
    }
}
