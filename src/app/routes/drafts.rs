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
            condition::Scope,
            route::{Match, Route},
        },
        tenancy::member::Permission,
    },
    store::{self, pipeline::events::Filter},
};

/// Number of the last events that a draft is tested against.
pub const LAST_EVENTS: u32 = 50;

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
}

impl Routes {
    /// Tests a draft against a sample, or against the last events of the organisation, newest first. Nothing is saved or
    /// sent.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden), [`Error::Invalid`](crate::domain::Error::Invalid),
    /// [`Error::NotFound`](crate::domain::Error::NotFound) for the destination.
    pub async fn test_route(&self, caller: &Caller, draft: NewRoute, sample: Option<Fact>) -> Result<Vec<DraftResult>> {
        caller.require(Permission::RoutesManage)?;
        caller.require(Permission::EventsRead)?;
        caller.require(Permission::ChannelsManage)?;
        let reader = self.base.store.reader();
        let kind = match &draft.to {
            RouteTarget::Existing(id) => {
                store::pipeline::destinations::find(reader, caller.organisation_id, *id).await?.kind
            }
            RouteTarget::New(create) => DestinationKind::stored(create.kind.clone()),
        };
        let route = self.route(caller, draft)?;
        if let Some(fact) = sample {
            let event = Event {
                id: self.base.ambient.id(),
                organisation_id: caller.organisation_id,
                source: EventSource::API,
                fact,
                made_from: None,
                path: Vec::new(),
                created_at: self.base.now(),
            };
            let result = self.drafted(&route, &kind, &event)?;
            return Ok(vec![DraftResult { event_id: None, ..result }]);
        }
        let page = PageRequest::new(Some(LAST_EVENTS), None)?;
        let events = store::pipeline::events::list(reader, caller.organisation_id, &Filter::default(), page).await?;
        events.items.iter().map(|event| self.drafted(&route, &kind, event)).collect()
    }

    fn drafted(&self, route: &Route, kind: &DestinationKind, event: &Event) -> Result<DraftResult> {
        let sender = self.destinations.sender(kind, "/destination/kind")?;
        let scope = Scope::of(event);
        let matched = route.matches(event, || &scope);
        let preview = match (&matched, &route.template) {
            (Match::Matched, Some(template)) => Some(sender.content(template, event)),
            _ => None,
        };
        let preview = preview.map(|preview| preview.map(|content| content.as_str().to_owned()));
        Ok(DraftResult { event_id: Some(event.id), event_type: event.fact.kind.clone(), matched, preview })
    }
}
