//! Tests of drafts: what a route would have matched, and what it would send.
//!
//! Not here: the routes that are saved (`routes`).

use super::{NewRoute, RouteTarget, Routes};
use crate::{
    app::Caller,
    domain::{
        Result,
        ids::EventId,
        page::PageRequest,
        pipeline::{
            destination::DestinationKind,
            event::{Event, EventSource, Fact},
        },
        routes::{
            route::{Match, Route},
            rule::{Check, ReadyRoute, View},
        },
        tenancy::member::Permission,
    },
    store::{self, pipeline::events::Filter},
};

/// Number of the last events that a draft is tested against.
pub const LAST_EVENTS: u32 = 50;

/// Event that a draft is tested against.
#[derive(Clone, Debug)]
pub enum Against {
    /// A stored event.
    Event(EventId),
    /// A sample.
    Sample(Fact),
}

/// Result of a draft for one event.
#[derive(Clone, Debug)]
pub struct DraftResult {
    /// The event; `None` for a sample.
    pub event_id: Option<EventId>,
    /// Type of the event.
    pub event_type: String,
    /// Match of the draft.
    pub matched: Match,
    /// Content that would be sent, as its kind of destination writes it, or the reason for which there is none. `None`
    /// where nothing would be sent, and where the draft has no template: the kind makes the content from the event.
    pub preview: Option<Result<String, String>>,
    /// Checks of the draft's rule, if it has one.
    pub checks: Vec<Check>,
}

impl Routes {
    /// Tests a draft against an event or a sample, or else against the last events of the organisation, newest first.
    /// Nothing is saved or sent.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden), [`Error::Invalid`](crate::domain::Error::Invalid),
    /// [`Error::NotFound`](crate::domain::Error::NotFound) for the destination or the event.
    pub async fn test_route(
        &self,
        caller: &Caller,
        draft: NewRoute,
        against: Option<Against>,
    ) -> Result<Vec<DraftResult>> {
        caller.require(Permission::RoutesManage)?;
        caller.require(Permission::EventsRead)?;
        caller.require(Permission::ChannelsManage)?;
        let reader = self.base.store.reader();
        let kind = match &draft.to {
            RouteTarget::Existing(id) => {
                store::pipeline::destinations::find(reader, caller.organisation_id, *id).await?.kind
            }
            RouteTarget::New(create) => DestinationKind::stored(create.kind.clone()),
            RouteTarget::Place(place) => place.kind.clone(),
        };
        let route = ReadyRoute::new(Route { enabled: true, ..self.route(caller, draft)? }, &self.kinds);
        match against {
            Some(Against::Sample(fact)) => {
                let event = Event {
                    id: self.base.ambient.id(),
                    organisation_id: caller.organisation_id,
                    source: EventSource::API,
                    fact,
                    made_from: None,
                    path: Vec::new(),
                    trace: None,
                    created_at: self.base.now(),
                };
                Ok(vec![DraftResult { event_id: None, ..self.drafted(&route, &kind, &event)? }])
            }
            Some(Against::Event(id)) => {
                let event = store::pipeline::events::find(reader, caller.organisation_id, id).await?;
                Ok(vec![self.drafted(&route, &kind, &event)?])
            }
            None => {
                let page = PageRequest::new(Some(LAST_EVENTS), None)?;
                let all = Filter::default();
                let events = store::pipeline::events::list(reader, caller.organisation_id, &all, page).await?;
                events.items.iter().map(|event| self.drafted(&route, &kind, event)).collect()
            }
        }
    }

    fn drafted(&self, route: &ReadyRoute, kind: &DestinationKind, event: &Event) -> Result<DraftResult> {
        let sender = self.destinations.sender(kind, "/destination/kind")?;
        let view = View::new(event, &self.kinds);
        let matched = route.matches(&view);
        let preview = match (&matched, &route.route.template) {
            (Match::Matched(_), Some(template)) => Some(sender.content(template, event)),
            (Match::Matched(Some((made_for, content))), None) if made_for == kind => Some(Ok(content.clone())),
            _ => None,
        };
        let preview = preview.map(|preview| preview.map(|content| content.as_str().to_owned()));
        let (event_id, checks) = (Some(event.id), route.checks(&view));
        Ok(DraftResult { event_id, event_type: event.fact.kind.clone(), matched, preview, checks })
    }
}
