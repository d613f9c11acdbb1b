//! Routes.

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;
use uuid::Uuid;

use super::{DestinationIn, EventIn};
use crate::{
    api::shared::time::Timestamp,
    app::routes::{NewRoute, RouteChange, RouteTarget, drafts::DraftResult},
    domain::{
        Error, Result,
        routes::route::{Match, Route},
    },
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
    /// Condition in CEL that has to hold; absent if there is none.
    pub condition: Option<String>,
    /// Template of what is sent; absent if the kind of the destination makes it from the event.
    pub template: Option<Any<Value>>,
    /// Id of the destination; deliveries refer to it.
    pub destination_id: Uuid,
    /// Place among the routes: smaller ones decide first.
    pub position: i32,
    /// True if the route is enabled.
    pub enabled: bool,
    /// Reason for which the service disabled it, and the remedy.
    pub disabled_reason: Option<String>,
    /// Reason why nothing is sent to its destination for now, and the remedy: the connection is paused.
    pub paused_reason: Option<String>,
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
            condition: route.condition.map(|condition| condition.as_str().to_owned()),
            template: route.template.map(|template| Any(template.as_json().clone())),
            destination_id: route.destination_id.0,
            position: route.position,
            enabled: route.enabled,
            disabled_reason: route.disabled_reason,
            paused_reason: None,
            created_by: route.created_by.0,
            created_at: route.created_at.into(),
            updated_at: route.updated_at.into(),
        }
    }
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
    /// Condition in CEL over `event` (`id`, `type`, `source`, `channelId`), `attributes` and `data`, such as
    /// `data.total > 100 && attributes.region == 'eu'`. One without a value, because a member is missing, does not hold.
    #[oai(validator(max_length = 1000))]
    pub condition: Option<String>,
    /// Template in Jinja of what is sent, over `event`, `attributes` and `data`: a text, or JSON whose texts are templates. A
    /// text for `slack` (mrkdwn; values are escaped), or an object with `blocks` and `text`; a text, or an object with
    /// `subject` and `text` for `email`; a text for `channel` and `integration`; any JSON for `webhook`, sent as the body.
    pub template: Option<Any<Value>>,
    /// Id of a destination that takes any event.
    pub destination_id: Option<Uuid>,
    /// A destination that is created where it does not exist.
    pub destination: Option<DestinationIn>,
    /// Place among the routes, 0 by default: smaller ones decide first. Of several routes that send an event to one
    /// destination, the first counts.
    pub position: Option<i32>,
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
            (None, Some(destination)) => RouteTarget::New(destination.into_destination("/destination")?),
            (None, None) => {
                return Err(Error::invalid(
                    "/destinationId",
                    "must be given, or destination with a kind and an address or a URL",
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
            condition: self.condition,
            template: self.template.map(|Any(template)| template),
            to,
            position: self.position.unwrap_or_default(),
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

impl Example for RouteIn {
    fn example() -> Self {
        Self {
            name: Some("Large orders to the billing service".into()),
            sources: None,
            types: vec!["order.*".into()],
            channel_id: None,
            condition: Some("data.total > 100".into()),
            template: None,
            destination_id: None,
            destination: Some(DestinationIn::example()),
            position: None,
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
    /// Condition in CEL; an empty text removes it.
    #[oai(validator(max_length = 1000))]
    pub condition: Option<String>,
    /// Template of what is sent; an empty text removes it.
    pub template: Option<Any<Value>>,
    /// Place among the routes: smaller ones decide first.
    pub position: Option<i32>,
    /// True if the route is enabled.
    pub enabled: Option<bool>,
}

impl From<RoutePatch> for RouteChange {
    fn from(patch: RoutePatch) -> Self {
        let RoutePatch { name, sources, types, condition, template, position, enabled } = patch;
        let condition = condition.map(|condition| Some(condition).filter(|text| !text.is_empty()));
        let template = template.map(|Any(template)| Some(template).filter(|template| template != ""));
        Self { name, sources, types, condition, template, position, enabled }
    }
}

/// A route to be tested, and perhaps a sample event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "TestRoute", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RouteDraftIn {
    /// The route, which is not saved.
    pub route: RouteIn,
    /// A sample event; without one the route is tested against the last 50 events of the organisation.
    pub sample: Option<EventIn>,
}

impl Example for RouteDraftIn {
    fn example() -> Self {
        Self { route: RouteIn::example(), sample: None }
    }
}

/// Result of a tested route for one event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RouteTest", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct DraftResultOut {
    /// Id of the event; absent for a sample.
    pub event_id: Option<Uuid>,
    /// Type of the event.
    #[oai(rename = "eventType")]
    pub event_type: String,
    /// True if the route matches.
    pub matched: bool,
    /// Reason for which it does not.
    pub reason: Option<String>,
    /// Content that the route's template gives.
    pub preview: Option<Any<Value>>,
    /// Reason for which the template cannot be rendered for this event.
    pub template_error: Option<String>,
}

impl From<DraftResult> for DraftResultOut {
    fn from(result: DraftResult) -> Self {
        let reason = match result.matched {
            Match::Matched => None,
            Match::Skipped(reason) | Match::Unconcerned(reason) => Some(reason),
        };
        let (preview, template_error) = match result.preview {
            None => (None, None),
            Some(Ok(content)) => (serde_json::from_str(&content).ok().map(Any), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        let matched = reason.is_none();
        let event_id = result.event_id.map(|id| id.0);
        Self { event_id, event_type: result.event_type, matched, reason, preview, template_error }
    }
}

/// Results of a tested route, one for each event, newest first.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RouteTests")]
pub struct DraftResultsOut {
    /// The results.
    pub data: Vec<DraftResultOut>,
}

impl Example for RoutePatch {
    fn example() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }
}
