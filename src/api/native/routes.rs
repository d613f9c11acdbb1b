//! Routes: events that match are delivered to a destination.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{DraftResultsOut, Limit, List, RouteDraftIn, RouteIn, RouteOut, RoutePatch, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::routes,
};

/// The operations.
pub struct Routes;

#[OpenApi(tag = "Tag::Routes")]
impl Routes {
    /// List routes
    ///
    /// Lists the routes of the organisation, newest first: its own, and those that show the settings of its Slack
    /// connection, its outgoing webhooks and the apps of its channels, which say so.
    #[oai(path = "/v1/routes", method = "get", operation_id = "listRoutes")]
    async fn list_routes(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<RouteOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(routes.list_routes(&caller.0, page).await?)))
    }

    /// Create a route
    ///
    /// Sends the events that match to a destination: one that exists, or one by its kind and address, which is created
    /// where it does not exist. Events that were accepted before are not sent.
    #[oai(path = "/v1/routes", method = "post", operation_id = "createRoute")]
    async fn create_route(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        body: Body<RouteIn>,
    ) -> Result<Created<RouteOut>, Refused> {
        Ok(Created::Created(Json(routes.create_route(&caller.0, body.value.into_route()?).await?.into())))
    }

    /// Test a route
    ///
    /// Tests a route that is not saved against a stored event, a sample, or the last 50 events: whether it matches, the
    /// reason if it does not, and what would be sent by its template. Nothing is sent.
    #[oai(path = "/v1/routes/test", method = "post", operation_id = "testRoute")]
    async fn test_route(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        body: Body<RouteDraftIn>,
    ) -> Answer<DraftResultsOut> {
        let (route, against) = body.value.into_draft()?;
        let results = routes.test_route(&caller.0, route, against).await?;
        Ok(Json(DraftResultsOut { data: results.into_iter().map(Into::into).collect() }))
    }

    /// Get a route
    ///
    /// Returns one route.
    #[oai(path = "/v1/routes/:id", method = "get", operation_id = "getRoute")]
    async fn get_route(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        /// The route's id.
        id: Path<Uuid>,
    ) -> Answer<RouteOut> {
        Ok(Json(routes.get_route(&caller.0, id.0.into()).await?.into()))
    }

    /// Change a route
    ///
    /// Fields that are absent from the request stay unchanged; a given list replaces the former one. To change the channel,
    /// create another route. Of a route that something else manages, `enabled` and the settings of its rule change, and so do
    /// those of what manages it.
    #[oai(path = "/v1/routes/:id", method = "patch", operation_id = "updateRoute")]
    async fn update_route(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        /// The route's id.
        id: Path<Uuid>,
        body: Body<RoutePatch>,
    ) -> Answer<RouteOut> {
        Ok(Json(routes.update_route(&caller.0, id.0.into(), body.value.into_change()?).await?.into()))
    }

    /// Delete a route
    ///
    /// Deletes a route, or the outgoing webhook or the use of an app that it shows. Deliveries that are already queued are
    /// still sent, unless they are of such a webhook.
    #[oai(path = "/v1/routes/:id", method = "delete", operation_id = "deleteRoute")]
    async fn delete_route(
        &self,
        routes: Service<'_, routes::Routes>,
        caller: Bearer,
        /// The route's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        routes.delete_route(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }
}
