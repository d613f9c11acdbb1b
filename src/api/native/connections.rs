//! Connections to providers: a Slack workspace, GitHub installations.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{
        ConnectionAuthorizationOut, ConnectionChannelsOut, ConnectionIn, ConnectionOut, ConnectionPatch,
        ConnectionRepositoriesOut, ConnectionTestOut, Limit, List, Provider, page,
    },
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service, word::Word},
    app::tenancy,
};

/// The operations.
pub struct Connections;

#[OpenApi(tag = "Tag::Connections")]
impl Connections {
    /// List connections
    ///
    /// Lists the organisation's connections, newest first. Each provider needs its own permission: with `provider` only
    /// those of that one are listed.
    #[oai(path = "/v1/connections", method = "get", operation_id = "listConnections")]
    async fn list_connections(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// Only connections to this provider.
        provider: Query<Option<Word<Provider>>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<ConnectionOut>> {
        let (page, provider) = (self::page(limit, cursor)?, provider.0.map(|Word(provider)| provider.name()));
        Ok(Json(List::of(connections.list_connections(&caller.0, provider, page).await?)))
    }

    /// Create a connection
    ///
    /// Begins a connection: send the member's browser to `authorizationUrl`, where the provider asks for their consent. The
    /// connection exists once they have also confirmed it on this service's own page. Connecting the same Slack workspace
    /// again keeps its channel, filters and counters.
    #[oai(path = "/v1/connections", method = "post", operation_id = "createConnection")]
    async fn create_connection(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        body: Body<ConnectionIn>,
    ) -> Result<Created<ConnectionAuthorizationOut>, Refused> {
        let ConnectionIn { provider: Word(provider), return_url } = body.value;
        let begun = connections.create_connection(&caller.0, provider.name(), return_url.as_deref()).await?;
        Ok(Created::Created(Json(begun.into())))
    }

    /// Get a connection
    ///
    /// Returns one connection with its state.
    #[oai(path = "/v1/connections/:id", method = "get", operation_id = "getConnection")]
    async fn get_connection(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
    ) -> Answer<ConnectionOut> {
        Ok(Json(connections.get_connection(&caller.0, id.0.into()).await?.into()))
    }

    /// Change a connection
    ///
    /// Pauses or resumes a connection. While Slack is paused, every delivery to its channels is skipped with that reason,
    /// and can be replayed. A connection to GitHub cannot be paused: the response is 409.
    #[oai(path = "/v1/connections/:id", method = "patch", operation_id = "updateConnection")]
    async fn update_connection(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
        body: Body<ConnectionPatch>,
    ) -> Answer<ConnectionOut> {
        Ok(Json(connections.update_connection(&caller.0, id.0.into(), body.value.paused).await?.into()))
    }

    /// Delete a connection
    ///
    /// Disconnects. Slack's token is revoked, and pending deliveries to Slack fail; an installation at GitHub stays
    /// installed there, and its events are no longer accepted for the organisation.
    #[oai(path = "/v1/connections/:id", method = "delete", operation_id = "deleteConnection")]
    async fn delete_connection(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        connections.delete_connection(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Test a connection
    ///
    /// Tests the access at the provider: posts a message to the chosen Slack channel, also while paused, or asks Slack for
    /// the validity of the token where none is chosen; asks GitHub for the installation.
    #[oai(path = "/v1/connections/:id/test", method = "post", operation_id = "testConnection")]
    async fn test_connection(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
    ) -> Answer<ConnectionTestOut> {
        Ok(Json(connections.test_connection(&caller.0, id.0.into()).await?.into()))
    }

    /// List the channels of a connection
    ///
    /// Lists the channels that the bot in the Slack workspace sees: all public ones, and the private ones that it was
    /// invited to. A connection to a provider without channels is 400.
    #[oai(path = "/v1/connections/:id/channels", method = "get", operation_id = "listConnectionChannels")]
    async fn list_connection_channels(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
    ) -> Answer<ConnectionChannelsOut> {
        Ok(Json(connections.list_connection_channels(&caller.0, id.0.into()).await?.into()))
    }

    /// List the repositories of a connection
    ///
    /// Lists the repositories that the GitHub installation sees. A connection to a provider without repositories is 400.
    #[oai(path = "/v1/connections/:id/repositories", method = "get", operation_id = "listConnectionRepositories")]
    async fn list_connection_repositories(
        &self,
        connections: Service<'_, tenancy::connections::Connections>,
        caller: Bearer,
        /// The connection's id.
        id: Path<Uuid>,
    ) -> Answer<ConnectionRepositoriesOut> {
        Ok(Json(connections.list_connection_repositories(&caller.0, id.0.into()).await?.into()))
    }
}
