//! The hub: published versions of all workspaces; and the icons and readmes of versions, at addresses that cannot be
//! guessed.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::{Json, PlainText},
};

use super::{
    Answer, Refused, Tag,
    auth::Anyone,
    wire::{Direction, PluginsOut, PublicListOut, PublicOneOut, integration},
};
use crate::{
    api::shared::{services::Service, word::Word},
    app::{
        kernel::Base,
        registry::{ListQuery, Registered, Registry},
    },
    domain::registry::{SortBy, Verification},
};

/// The operations.
pub struct Hub;

/// Content security policy of an icon that a browser opens directly: no scripts, no requests.
const ICON_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";
/// A changed file has a new address.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// An icon.
#[derive(ApiResponse)]
enum Icon {
    /// The icon.
    #[oai(status = 200, content_type = "image/svg+xml")]
    Svg(PlainText<String>, #[oai(header = "Cache-Control")] String, #[oai(header = "Content-Security-Policy")] String),
}

/// A readme.
#[derive(ApiResponse)]
enum Readme {
    /// The readme.
    #[oai(status = 200, content_type = "text/markdown; charset=utf-8")]
    Markdown(PlainText<String>, #[oai(header = "Cache-Control")] String),
}

fn one(base: &Base, registered: &Registered) -> Answer<PublicOneOut> {
    Ok(Json(PublicOneOut { integration: integration::shown(base, registered).into() }))
}

#[OpenApi(tag = "Tag::Hub")]
impl Hub {
    /// List the hub's versions
    ///
    /// Lists the public versions of all workspaces, by default newest first.
    #[oai(path = "/v1/admin/hub/integrations", method = "get", operation_id = "listPublicIntegrations")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_public_integrations(
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
    ) -> Answer<PublicListOut> {
        let query = ListQuery {
            next_token: next_token.0,
            limit: limit.0.or(page_size.0),
            name: name.0,
            version: version.0,
            verification: verification.0.map(|Word(wanted)| wanted),
            search: search.0,
            sort_by: sort_by.0.map(|Word(by)| by),
            descending: direction.0.map(|Word(direction)| direction == Direction::Desc),
            interface_id: interface_id.0,
            interface_name: interface_name.0,
            asks_for_nothing: installed_by.0.is_some(),
            ..ListQuery::default()
        };
        Ok(Json(PublicListOut::of(&base, registry.list_public_integrations(&caller.0, query).await?)))
    }

    /// Get a published version
    ///
    /// Returns the version with this id, published by any workspace.
    #[oai(path = "/v1/admin/hub/integrations/:id", method = "get", operation_id = "getPublicIntegrationById")]
    async fn get_public_integration_by_id(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// Id of the version.
        id: Path<String>,
    ) -> Answer<PublicOneOut> {
        one(&base, &registry.get_public_integration_by_id(&caller.0, &id.0).await?)
    }

    /// Get a published version by its name
    ///
    /// Returns the version with this name and version, published by any workspace.
    #[oai(path = "/v1/admin/hub/integrations/:name/:version", method = "get", operation_id = "getPublicIntegration")]
    async fn get_public_integration(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// Name of the integration; a slash in it is sent as `%2F`.
        name: Path<String>,
        /// A version, a range in npm's syntax, which selects its highest version, or `latest`.
        version: Path<String>,
    ) -> Answer<PublicOneOut> {
        one(&base, &registry.get_public_integration(&caller.0, &name.0, &version.0).await?)
    }

    /// List the hub's plugins
    ///
    /// Always returns an empty list: this service has no plugins.
    #[oai(path = "/v1/admin/hub/plugins", method = "get", operation_id = "listPublicPlugins")]
    async fn list_public_plugins(
        &self,
        registry: Service<'_, Registry>,
        /// The calling workspace, for members of several workspaces.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
    ) -> Answer<PluginsOut> {
        registry.list_plugins(&caller.0).await?;
        Ok(Json(PluginsOut::none()))
    }

    /// Get the icon of an integration
    ///
    /// Its address, which cannot be guessed, is in the answers that show the integration.
    #[oai(path = "/v1/admin/icons/:file", method = "get", operation_id = "getIntegrationIcon")]
    async fn get_integration_icon(
        &self,
        registry: Service<'_, Registry>,
        /// Last segment of the address.
        file: Path<String>,
    ) -> Result<Icon, Refused> {
        let icon = registry.get_integration_icon(&file.0).await?;
        Ok(Icon::Svg(PlainText(icon), FOREVER.into(), ICON_POLICY.into()))
    }

    /// Get the readme of a version
    ///
    /// Its address, which cannot be guessed, is in the answers that show the version.
    #[oai(path = "/v1/admin/readmes/:file", method = "get", operation_id = "getIntegrationReadme")]
    async fn get_integration_readme(
        &self,
        registry: Service<'_, Registry>,
        /// Last segment of the address.
        file: Path<String>,
    ) -> Result<Readme, Refused> {
        let readme = registry.get_integration_readme(&file.0).await?;
        Ok(Readme::Markdown(PlainText(readme), FOREVER.into()))
    }
}
