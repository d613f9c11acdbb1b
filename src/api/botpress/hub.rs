//! The hub: what is published, of all workspaces; and the pictures and texts of versions, which anybody may fetch who
//! knows their addresses.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::{Json, PlainText},
};

use super::{
    Answer, Refused, Tag,
    auth::Anyone,
    wire::{Direction, Nothing, PublicListOut, PublicOneOut, integration},
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

/// What an icon may do where a browser shows it by itself: be looked at.
const ICON_POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";
/// Another file gets another address.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A picture.
#[derive(ApiResponse)]
enum Icon {
    /// The icon.
    #[oai(status = 200, content_type = "image/svg+xml")]
    Svg(PlainText<String>, #[oai(header = "Cache-Control")] String, #[oai(header = "Content-Security-Policy")] String),
}

/// A text.
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
    /// List what is on the hub
    ///
    /// The public versions of all workspaces, newest first where nothing else is asked for.
    #[oai(path = "/v1/admin/hub/integrations", method = "get", operation_id = "listPublicIntegrations")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list_public_integrations(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace that asks, for callers who are in several.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// Where the list goes on, as the former page said.
        #[oai(name = "nextToken")]
        next_token: Query<Option<String>>,
        /// No more than these: 1 to 100, by default 20. More than 100 is 100.
        limit: Query<Option<u32>>,
        /// The same as `limit`, which counts before it.
        #[oai(name = "pageSize")]
        page_size: Query<Option<u32>>,
        /// Of the integration with this name.
        name: Query<Option<String>>,
        /// This version, or `latest`: the highest of each integration.
        version: Query<Option<String>>,
        /// That implement the interface with this id: none, here.
        #[oai(name = "interfaceId")]
        interface_id: Query<Option<String>>,
        /// That implement the interface with this name: none, here.
        #[oai(name = "interfaceName")]
        interface_name: Query<Option<String>>,
        /// That this bot has installed: none, here.
        #[oai(name = "installedByBotId")]
        installed_by: Query<Option<String>>,
        /// That somebody has looked at so far.
        #[oai(name = "verificationStatus")]
        verification: Query<Option<Word<Verification>>>,
        /// That have this text in the name, the title, the description, or the name or title of an action.
        search: Query<Option<String>>,
        /// The order.
        #[oai(name = "sortBy")]
        sort_by: Query<Option<Word<SortBy>>>,
        /// Which come first: by default the lowest names, and the highest of all else.
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
            asks_for_nothing: interface_id.0.or(interface_name.0).or(installed_by.0).is_some(),
            ..ListQuery::default()
        };
        Ok(Json(PublicListOut::of(&base, registry.list_public_integrations(&caller.0, query).await?)))
    }

    /// Get a published version
    ///
    /// Found by its id, whoever published it.
    #[oai(path = "/v1/admin/hub/integrations/:id", method = "get", operation_id = "getPublicIntegrationById")]
    async fn get_public_integration_by_id(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace that asks, for callers who are in several.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// The id of the version.
        id: Path<String>,
    ) -> Answer<PublicOneOut> {
        one(&base, &registry.get_public_integration_by_id(&caller.0, &id.0).await?)
    }

    /// Get a published version by its name
    ///
    /// Found by its name and version, whoever published it.
    #[oai(path = "/v1/admin/hub/integrations/:name/:version", method = "get", operation_id = "getPublicIntegration")]
    async fn get_public_integration(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        /// The workspace that asks, for callers who are in several.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// The name of the integration; a slash in it is sent as `%2F`.
        name: Path<String>,
        /// A version, a range as npm reads it, of which the highest is given, or `latest`.
        version: Path<String>,
    ) -> Answer<PublicOneOut> {
        one(&base, &registry.get_public_integration(&caller.0, &name.0, &version.0).await?)
    }

    /// Get an interface
    ///
    /// There is none here, so this is always not found.
    #[oai(path = "/v1/admin/hub/interfaces/:name/:version", method = "get", operation_id = "getPublicInterface")]
    async fn get_public_interface(
        &self,
        registry: Service<'_, Registry>,
        /// The workspace that asks, for callers who are in several.
        #[oai(name = "x-workspace-id")]
        caller: Anyone,
        /// The name of the interface.
        name: Path<String>,
        /// Its version.
        version: Path<String>,
    ) -> Answer<Nothing> {
        registry.get_public_interface(&caller.0, &name.0, &version.0).await?;
        Ok(Json(Nothing {}))
    }

    /// Get the icon of an integration
    ///
    /// Its address, which nobody guesses, is in the answers that show the integration.
    #[oai(path = "/v1/admin/icons/:file", method = "get", operation_id = "getIntegrationIcon")]
    async fn get_integration_icon(
        &self,
        registry: Service<'_, Registry>,
        /// The last part of the address.
        file: Path<String>,
    ) -> Result<Icon, Refused> {
        let icon = registry.get_integration_icon(&file.0).await?;
        Ok(Icon::Svg(PlainText(icon), FOREVER.into(), ICON_POLICY.into()))
    }

    /// Get the readme of a version
    ///
    /// Its address, which nobody guesses, is in the answers that show the version.
    #[oai(path = "/v1/admin/readmes/:file", method = "get", operation_id = "getIntegrationReadme")]
    async fn get_integration_readme(
        &self,
        registry: Service<'_, Registry>,
        /// The last part of the address.
        file: Path<String>,
    ) -> Result<Readme, Refused> {
        let readme = registry.get_integration_readme(&file.0).await?;
        Ok(Readme::Markdown(PlainText(readme), FOREVER.into()))
    }
}
