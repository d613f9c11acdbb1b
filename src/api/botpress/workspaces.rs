//! Workspaces, as far as the product's command line needs them.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Answer, Tag,
    auth::{Anyone, Member, Person},
    wire::{AccountOut, BotsOut, HandleIn, HandleOut, MetaOut, PluginsOut, WorkspaceIn, WorkspaceOut, WorkspacesOut},
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::registry::Registry,
};

/// The operations.
pub struct Workspaces;

#[OpenApi(tag = "Tag::Workspaces")]
impl Workspaces {
    /// List the caller's workspaces
    ///
    /// A workspace is an organisation of which the caller is a member.
    #[oai(path = "/v1/admin/workspaces", method = "get", operation_id = "listWorkspaces")]
    async fn list_workspaces(
        &self,
        registry: Service<'_, Registry>,
        who: Person,
        /// Only the workspace with this handle.
        handle: Query<Option<String>>,
    ) -> Answer<WorkspacesOut> {
        let found = registry.list_workspaces(&who.0, handle.0.as_deref()).await?;
        Ok(Json(WorkspacesOut { workspaces: found.into_iter().map(Into::into).collect(), meta: MetaOut::default() }))
    }

    /// Get a workspace
    ///
    /// Returns a workspace of which the caller is a member.
    #[oai(path = "/v1/admin/workspaces/:id", method = "get", operation_id = "getWorkspace")]
    async fn get_workspace(
        &self,
        registry: Service<'_, Registry>,
        who: Person,
        /// Id of the workspace, or its handle.
        id: Path<String>,
    ) -> Answer<WorkspaceOut> {
        Ok(Json(registry.get_workspace(&who.0, &id.0).await?.into()))
    }

    /// Update a workspace
    ///
    /// Changes the name. The handle is part of the names of its integrations, and cannot be changed.
    #[oai(path = "/v1/admin/workspaces/:id", method = "put", operation_id = "updateWorkspace")]
    async fn update_workspace(
        &self,
        registry: Service<'_, Registry>,
        who: Person,
        /// Id of the workspace, or its handle.
        id: Path<String>,
        body: Body<WorkspaceIn>,
    ) -> Answer<WorkspaceOut> {
        let change = (body.value.name.as_deref(), body.value.handle.as_deref());
        Ok(Json(registry.update_workspace(&who.0, &id.0, change).await?.into()))
    }

    /// Check the availability of a handle
    ///
    /// Reports whether the handle is available, and suggests alternatives if it is not.
    #[oai(path = "/v1/admin/workspaces/handle-availability", method = "put", operation_id = "checkHandleAvailability")]
    async fn check_handle_availability(
        &self,
        registry: Service<'_, Registry>,
        who: Person,
        body: Body<HandleIn>,
    ) -> Answer<HandleOut> {
        Ok(Json(registry.check_handle_availability(&who.0, &body.value.handle).await?.into()))
    }

    /// List the bots of a workspace
    ///
    /// Always returns an empty list: integrations are installed in channels, and there are no bots.
    #[oai(path = "/v1/admin/bots", method = "get", operation_id = "listBots")]
    async fn list_bots(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
    ) -> Answer<BotsOut> {
        registry.list_bots(&caller.0).await?;
        Ok(Json(BotsOut::none()))
    }

    /// List the plugins of a workspace
    ///
    /// Always returns an empty list: this service has no plugins.
    #[oai(path = "/v1/admin/plugins", method = "get", operation_id = "listPlugins")]
    async fn list_plugins(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace: its id, or its handle.
        #[oai(name = "x-workspace-id")]
        caller: Member,
    ) -> Answer<PluginsOut> {
        registry.list_plugins(&caller.0).await?;
        Ok(Json(PluginsOut::none()))
    }

    /// Get the caller's account
    ///
    /// Returns the caller's membership of the workspace.
    #[oai(path = "/v1/admin/account/me", method = "get", operation_id = "getAccount")]
    async fn get_account(
        &self,
        registry: Service<'_, Registry>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
    ) -> Answer<AccountOut> {
        Ok(Json(registry.get_account(&caller.0).await?.into()))
    }
}
