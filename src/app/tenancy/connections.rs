//! Connections of an organisation to its providers, and the seam behind which the providers are: one [`Connector`] each,
//! registered by the composition root.
//!
//! Not here: the flows through the pages of a provider, and their confirmation (`consents`).

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use crate::{
    app::Caller,
    domain::{
        Error, Result,
        error::Noun,
        ids::{ConnectionId, OrganisationId},
        page::{Page, PageRequest},
        tenancy::{
            connection::{
                Connection, ConnectionAuthorization, ConnectionChannel, ConnectionRepository, ConnectionTest,
                ReturnUrls,
            },
            member::Permission,
        },
    },
};

/// Access to one provider.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Name of the provider.
    fn provider(&self) -> &'static str;

    /// Returns the permissions to read connections of the provider, and to manage them.
    fn permissions(&self) -> (Permission, Permission);

    /// Lists the organisation's connections.
    ///
    /// # Errors
    /// When the database fails.
    async fn connections(&self, organisation_id: OrganisationId) -> Result<Vec<Connection>>;

    /// Begins a flow through the provider's pages, which ends at `return_url`, if given, or else at a page of ours.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::FailedPrecondition`] where no app is configured for the provider.
    async fn begin(&self, caller: &Caller, return_url: Option<Url>) -> Result<ConnectionAuthorization>;

    /// Pauses or resumes a connection.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::FailedPrecondition`] where it cannot be paused, or not in its state.
    async fn set_paused(&self, caller: &Caller, connection: &Connection, paused: bool) -> Result<()>;

    /// Ends a connection.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    async fn disconnect(&self, caller: &Caller, connection: &Connection) -> Result<()>;

    /// Tests a connection at the provider.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::UpstreamUnavailable`].
    async fn test(&self, caller: &Caller, connection: &Connection) -> Result<ConnectionTest>;

    /// Lists the provider's channels that a connection sees.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Refused`], [`Error::UpstreamUnavailable`], [`Error::Unavailable`] where no app is
    /// configured; [`Error::Invalid`] for a provider without channels.
    async fn channels(&self, _: &Caller, _: &Connection) -> Result<Vec<ConnectionChannel>> {
        Err(Error::invalid("id", format!("is a connection to {}, which has no channels", self.provider())))
    }

    /// Lists the provider's repositories that a connection sees.
    ///
    /// # Errors
    /// As [`Connector::channels`].
    async fn repositories(&self, _: &Caller, _: &Connection) -> Result<Vec<ConnectionRepository>> {
        Err(Error::invalid("id", format!("is a connection to {}, which has no repositories", self.provider())))
    }
}

/// Service of connections.
#[derive(Clone)]
pub struct Connections {
    connectors: Arc<[Arc<dyn Connector>]>,
    return_urls: ReturnUrls,
}

impl Connections {
    /// Creates the service.
    pub fn new(connectors: Vec<Arc<dyn Connector>>, return_urls: ReturnUrls) -> Self {
        Self { connectors: connectors.into(), return_urls }
    }

    /// Lists the organisation's connections, newest first: of every provider, or of one.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the caller may not read those of one that is listed.
    pub async fn list_connections(
        &self,
        caller: &Caller,
        provider: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<Connection>> {
        let listed = || self.connectors.iter().filter(|one| provider.is_none_or(|name| name == one.provider()));
        listed().try_for_each(|connector| caller.require(connector.permissions().0))?;
        let mut found = Vec::new();
        for connector in listed() {
            found.extend(connector.connections(caller.organisation_id).await?);
        }
        found.retain(|connection| page.after.is_none_or(|after| connection.id.0 < after));
        found.sort_unstable_by_key(|connection| std::cmp::Reverse(connection.id));
        Ok(Page::cut(found, page.limit, |connection| connection.id.0))
    }

    /// Returns a connection.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_connection(&self, caller: &Caller, id: ConnectionId) -> Result<Connection> {
        let (_, connection) = self.readable(caller, id).await?;
        Ok(connection)
    }

    /// Begins a connection: a member authorises it on the provider's page, and confirms it on one of ours. Then the
    /// browser is sent to `return_url`, if given.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] for an address that is not permitted, [`Error::FailedPrecondition`] where
    /// no app is configured for the provider.
    pub async fn create_connection(
        &self,
        caller: &Caller,
        provider: &str,
        return_url: Option<&str>,
    ) -> Result<ConnectionAuthorization> {
        let connector = self.connectors.iter().find(|one| one.provider() == provider);
        let connector = connector.ok_or_else(|| Error::invalid("/provider", "is not a provider of this service"))?;
        caller.require(connector.permissions().1)?;
        let return_url = return_url.map(|url| self.return_urls.read(url)).transpose()?;
        connector.begin(caller, return_url).await
    }

    /// Pauses or resumes a connection, and returns it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::FailedPrecondition`] where it cannot be paused.
    pub async fn update_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        paused: Option<bool>,
    ) -> Result<Connection> {
        let (connector, connection) = self.manageable(caller, id).await?;
        let Some(paused) = paused else { return Ok(connection) };
        connector.set_paused(caller, &connection, paused).await?;
        let changed = connector.connections(caller.organisation_id).await?.into_iter().find(|one| one.id == id);
        changed.ok_or_else(|| Error::not_found(Noun::Connection, id))
    }

    /// Ends a connection, here and, where the provider takes that, there.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_connection(&self, caller: &Caller, id: ConnectionId) -> Result<()> {
        let (connector, connection) = self.manageable(caller, id).await?;
        connector.disconnect(caller, &connection).await
    }

    /// Tests a connection at its provider.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::UpstreamUnavailable`].
    pub async fn test_connection(&self, caller: &Caller, id: ConnectionId) -> Result<ConnectionTest> {
        let (connector, connection) = self.manageable(caller, id).await?;
        connector.test(caller, &connection).await
    }

    /// Lists the provider's channels that a connection sees.
    ///
    /// # Errors
    /// [`Error::NotFound`], and as [`Connector::channels`].
    pub async fn list_connection_channels(&self, caller: &Caller, id: ConnectionId) -> Result<Vec<ConnectionChannel>> {
        let (connector, connection) = self.readable(caller, id).await?;
        connector.channels(caller, &connection).await
    }

    /// Lists the provider's repositories that a connection sees.
    ///
    /// # Errors
    /// [`Error::NotFound`], and as [`Connector::channels`].
    pub async fn list_connection_repositories(
        &self,
        caller: &Caller,
        id: ConnectionId,
    ) -> Result<Vec<ConnectionRepository>> {
        let (connector, connection) = self.readable(caller, id).await?;
        connector.repositories(caller, &connection).await
    }

    async fn readable(&self, caller: &Caller, id: ConnectionId) -> Result<(&dyn Connector, Connection)> {
        let (connector, connection) = self.find(caller, id).await?;
        caller.require(connector.permissions().0)?;
        Ok((connector, connection))
    }

    async fn manageable(&self, caller: &Caller, id: ConnectionId) -> Result<(&dyn Connector, Connection)> {
        let (connector, connection) = self.find(caller, id).await?;
        caller.require(connector.permissions().1)?;
        Ok((connector, connection))
    }

    async fn find(&self, caller: &Caller, id: ConnectionId) -> Result<(&dyn Connector, Connection)> {
        for connector in self.connectors.iter() {
            let connections = connector.connections(caller.organisation_id).await?;
            if let Some(connection) = connections.into_iter().find(|connection| connection.id == id) {
                return Ok((&**connector, connection));
            }
        }
        Err(Error::not_found(Noun::Connection, id))
    }
}
