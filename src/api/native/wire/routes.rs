//! Routes.

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    DestinationIn, EventIn,
    rules::{CheckOut, RuleBody},
};
use crate::{
    api::shared::time::Timestamp,
    app::routes::{
        NewRoute, RouteChange, RouteTarget,
        drafts::{Against, DraftResult},
        managed::{Listed, ManagedRoute, ShownRoute},
    },
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
    /// Rule of a kind; absent if there is none.
    pub rule: Option<RuleBody>,
    /// Template of what is sent; absent if the kind of the destination makes it from the event.
    pub template: Option<Any<Value>>,
    /// Id of the destination; deliveries refer to it. Absent while the first event has not made it.
    pub destination_id: Option<Uuid>,
    /// The thing whose settings the route shows, with the route's id: `slack_connection`, `outgoing_webhook`, or `app` in a
    /// channel. Absent for a route of its own.
    pub managed_by: Option<String>,
    /// Place among the routes: smaller ones decide first.
    pub position: i32,
    /// True if the route is enabled.
    pub enabled: bool,
    /// Reason for which the service disabled it, and the remedy.
    pub disabled_reason: Option<String>,
    /// Reason why nothing is sent to its destination for now, and the remedy: the connection is paused.
    pub paused_reason: Option<String>,
    /// User id of its creator; absent where that is not known.
    pub created_by: Option<Uuid>,
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
            rule: route.rule.map(RuleBody::of),
            template: route.template.map(|template| Any(template.as_json().clone())),
            destination_id: Some(route.destination_id.0),
            managed_by: None,
            position: route.position,
            enabled: route.enabled,
            disabled_reason: route.disabled_reason,
            paused_reason: None,
            created_by: Some(route.created_by.0),
            created_at: route.created_at.into(),
            updated_at: route.updated_at.into(),
        }
    }
}

impl From<ManagedRoute> for RouteOut {
    fn from(route: ManagedRoute) -> Self {
        Self {
            id: route.id.0,
            name: route.name,
            sources: route.sources,
            types: route.types,
            channel_id: route.channel_id.map(|id| id.0),
            condition: None,
            rule: Some(RuleBody::of(route.rule)),
            template: None,
            destination_id: route.destination_id.map(|id| id.0),
            managed_by: Some(route.managed_by.to_owned()),
            position: 0,
            enabled: route.enabled,
            disabled_reason: route.disabled_reason,
            paused_reason: None,
            created_by: route.created_by.map(|id| id.0),
            created_at: route.created_at.into(),
            updated_at: route.updated_at.into(),
        }
    }
}

impl From<ShownRoute> for RouteOut {
    fn from(ShownRoute { route, paused }: ShownRoute) -> Self {
        let shown: Self = match route {
            Listed::Own(route) => route.into(),
            Listed::Managed(route) => route.into(),
        };
        Self { paused_reason: paused.map(|reason| reason.text().to_owned()), ..shown }
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
    /// Rule of a kind, beyond the condition.
    pub rule: Option<RuleBody>,
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
            rule: self.rule.map(RuleBody::into_rule).transpose()?,
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
            rule: None,
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
    /// Rule of a kind; settings that are absent stay unchanged.
    pub rule: Option<RuleBody>,
    /// Template of what is sent; an empty text removes it.
    pub template: Option<Any<Value>>,
    /// Id of another destination that takes any event.
    pub destination_id: Option<Uuid>,
    /// Place among the routes: smaller ones decide first.
    pub position: Option<i32>,
    /// True if the route is enabled.
    pub enabled: Option<bool>,
}

impl RoutePatch {
    /// Converts the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a rule has no kind.
    pub fn into_change(self) -> Result<RouteChange> {
        let RoutePatch { name, sources, types, condition, rule, template, destination_id, position, enabled } = self;
        let rule = rule.map(RuleBody::into_rule).transpose()?;
        let condition = condition.map(|condition| Some(condition).filter(|text| !text.is_empty()));
        let template = template.map(|Any(template)| Some(template).filter(|template| template != ""));
        let destination_id = destination_id.map(Into::into);
        Ok(RouteChange { name, sources, types, condition, rule, template, destination_id, position, enabled })
    }
}

/// A route to be tested, and perhaps an event.
#[derive(Clone, Debug, Object)]
#[oai(rename = "TestRoute", rename_all = "camelCase", skip_serializing_if_is_none, example)]
pub struct RouteDraftIn {
    /// The route, which is not saved.
    pub route: RouteIn,
    /// Id of a stored event.
    pub event_id: Option<Uuid>,
    /// A sample event. Without one, and without `eventId`, the route is tested against the last 50 events of the
    /// organisation.
    pub sample: Option<EventIn>,
}

impl RouteDraftIn {
    /// Converts the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] as for a route to be created, and where there are two events.
    pub fn into_draft(self) -> Result<(NewRoute, Option<Against>)> {
        let against = match (self.event_id, self.sample) {
            (None, None) => None,
            (Some(id), None) => Some(Against::Event(id.into())),
            (None, Some(sample)) => Some(Against::Sample(sample.into())),
            (Some(_), Some(_)) => return Err(Error::invalid("/sample", "must be left out where eventId is given")),
        };
        Ok((self.route.into_route()?, against))
    }
}

impl Example for RouteDraftIn {
    fn example() -> Self {
        Self { route: RouteIn::example(), event_id: None, sample: None }
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
    /// Content that the route's template or its rule gives.
    pub preview: Option<Any<Value>>,
    /// Reason for which the template cannot be rendered for this event.
    pub template_error: Option<String>,
    /// Results of the settings of the route's rule, in the order of their evaluation; absent if it has none.
    pub checks: Option<Vec<CheckOut>>,
}

impl From<DraftResult> for DraftResultOut {
    fn from(result: DraftResult) -> Self {
        let reason = match result.matched {
            Match::Matched(_) => None,
            Match::Skipped(reason) | Match::Unconcerned(reason) => Some(reason),
        };
        let (preview, template_error) = match result.preview {
            None => (None, None),
            Some(Ok(content)) => (serde_json::from_str(&content).ok().map(Any), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        let matched = reason.is_none();
        let event_id = result.event_id.map(|id| id.0);
        let checks =
            Some(result.checks.into_iter().map(Into::into).collect()).filter(|checks: &Vec<_>| !checks.is_empty());
        Self { event_id, event_type: result.event_type, matched, reason, preview, template_error, checks }
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
