//! Routes.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use crate::{
    api::shared::time::Timestamp,
    app::routes::{NewRoute, RouteChange, RouteTarget},
    domain::{Error, Result, routes::route::Route},
};

/// A route: events that match are delivered to its destination.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Route", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct RouteOut {
    /// Unique id.
    pub id: Uuid,
    /// Display name; empty if none was given.
    pub name: String,
    /// Globs of the sources, of which one has to match.
    pub sources: Vec<String>,
    /// Globs of the event types, of which one has to match.
    pub types: Vec<String>,
    /// Id of the channel whose events alone match; absent if all events do.
    pub channel_id: Option<Uuid>,
    /// Id of the destination; deliveries refer to it.
    pub destination_id: Uuid,
    /// True if the route is enabled.
    pub enabled: bool,
    /// User id of its creator.
    pub created_by: Uuid,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<Route> for RouteOut {
    fn from(route: Route) -> Self {
        Self {
            id: route.id.0,
            name: route.name,
            sources: route.sources,
            types: route.types,
            channel_id: route.channel_id.map(|id| id.0),
            destination_id: route.destination_id.0,
            enabled: route.enabled,
            created_by: route.created_by.0,
            created_at: route.created_at.into(),
            updated_at: route.updated_at.into(),
        }
    }
}

/// A destination by its kind and address.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateDestination")]
pub struct DestinationIn {
    /// Kind of the destination: `email`.
    pub kind: String,
    /// Address: for `email` one in a domain that the operator permits.
    pub address: String,
}

/// A route to be created, with either `destinationId` or `destination`.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateRoute", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RouteIn {
    /// Display name.
    pub name: Option<String>,
    /// Globs of the sources (`api`, `slack`, `github`, `channel`, `tieline`), of which one has to match; by default
    /// `*`, which stands for any characters.
    #[oai(validator(max_items = 50))]
    pub sources: Option<Vec<String>>,
    /// Globs of the event types, such as `order.*`, of which one has to match.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub types: Vec<String>,
    /// Id of a channel whose events alone match.
    pub channel_id: Option<Uuid>,
    /// Id of a destination of the kind `email` or `slack`.
    pub destination_id: Option<Uuid>,
    /// A destination by its kind and address, created where it does not exist.
    pub destination: Option<DestinationIn>,
    /// True if the route is enabled; true by default.
    pub enabled: Option<bool>,
}

impl RouteIn {
    /// Converts the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it has no destination, or two.
    pub fn into_route(self) -> Result<NewRoute> {
        let to = match (self.destination_id, self.destination) {
            (Some(id), None) => RouteTarget::Existing(id.into()),
            (None, Some(DestinationIn { kind, address })) => RouteTarget::Address { kind, address },
            (None, None) => {
                return Err(Error::invalid(
                    "/destinationId",
                    "must be given, or destination with a kind and an address",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Error::invalid("/destination", "must be left out where destinationId is given"));
            }
        };
        Ok(NewRoute {
            name: self.name.unwrap_or_default(),
            sources: self.sources.unwrap_or_else(|| vec!["*".into()]),
            types: self.types,
            channel_id: self.channel_id.map(Into::into),
            to,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

impl Example for RouteIn {
    fn example() -> Self {
        Self {
            name: Some("Orders to the shop's inbox".into()),
            sources: None,
            types: vec!["order.*".into()],
            channel_id: None,
            destination_id: None,
            destination: Some(DestinationIn { kind: "email".into(), address: "orders@example.com".into() }),
            enabled: None,
        }
    }
}

/// Changes to a route; absent fields stay unchanged.
#[derive(Clone, Debug, Default, Object)]
#[oai(rename = "UpdateRoute", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RoutePatch {
    /// Display name.
    pub name: Option<String>,
    /// Globs of the sources.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub sources: Option<Vec<String>>,
    /// Globs of the event types.
    #[oai(validator(min_items = 1, max_items = 50))]
    pub types: Option<Vec<String>>,
    /// True if the route is enabled.
    pub enabled: Option<bool>,
}

impl From<RoutePatch> for RouteChange {
    fn from(patch: RoutePatch) -> Self {
        let RoutePatch { name, sources, types, enabled } = patch;
        Self { name, sources, types, enabled }
    }
}

impl Example for RoutePatch {
    fn example() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }
}
