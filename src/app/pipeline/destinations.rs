//! Destinations that members make, created and tested; changes that hold for every kind.
//!
//! Not here: the kinds (`sender`), the deletion (`app::routes`), the destinations of links and webhooks,
//! which their rooms make.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Pipeline,
    deliveries::ShownDestination,
    intake::NewEvent,
    matcher::Place,
    outbox::Planned,
    sender::{NewDestination, Prepared, Sender, Senders},
};
use crate::{
    app::{Caller, kernel::Base, tenancy::Tenancy},
    domain::{
        Error, Result,
        error::Noun,
        ids::{DestinationId, EventId, OrganisationId},
        pipeline::{
            delivery::DeliveryState,
            destination::{Destination, DestinationKind, Health},
            event::{EventSource, Fact},
            retry::RetrySchedule,
        },
        tenancy::member::Permission,
    },
    store::{self, Tx},
};

/// Reason of a destination that a member disabled.
const DISABLED: &str = "a member disabled this destination; enable it, and replay what failed";

/// A patch of a destination: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct DestinationChange {
    /// Retry schedule, in seconds; `Some(None)` removes its own.
    pub retry_schedule: Option<Option<Vec<u64>>>,
    /// True enables it, and ends its failures; false disables it, and fails its pending deliveries.
    pub enabled: Option<bool>,
    /// Another address.
    pub address: Option<String>,
    /// Settings of the kind, of which those that are absent stay; an object.
    pub options: Value,
}

/// Type of the event that tests a destination.
const DESTINATION_TEST: &str = "destination.test";
/// Maximum length of a name, in characters.
const MAX_NAME_CHARS: usize = 150;

/// A destination to be created.
#[derive(Clone, Debug)]
pub struct CreateDestination {
    /// Name of the kind.
    pub kind: String,
    /// Name, unique within the organisation and kind.
    pub name: Option<String>,
    /// Address.
    pub address: String,
    /// Settings of the kind; an object.
    pub options: Value,
}

/// Service of the destinations that members make.
#[derive(Clone)]
pub struct Destinations {
    base: Base,
    tenancy: Arc<Tenancy>,
    pipeline: Arc<Pipeline>,
    senders: Senders,
}

/// Checked destination that is about to be found or created.
pub(in crate::app) struct Wanted {
    destination: Destination,
    has_options: bool,
}

impl Destinations {
    /// Creates the service.
    pub fn new(base: Base, tenancy: Arc<Tenancy>, pipeline: Arc<Pipeline>, senders: Senders) -> Self {
        Self { base, tenancy, pipeline, senders }
    }

    /// Creates a destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::Conflict`] where there is one with its name,
    /// [`Error::FailedPrecondition`] where the organisation has its number of destinations.
    pub async fn create_destination(&self, caller: &Caller, create: CreateDestination) -> Result<ShownDestination> {
        caller.require(Permission::RoutesManage)?;
        let wanted = self.wanted(caller.organisation_id, create, "").await?;
        let tx = self.base.store.begin().await?;
        let destination = self.ensure(&tx, &wanted).await?;
        if destination.id != wanted.destination.id {
            return Err(taken(&destination));
        }
        let detail = json!({"kind": destination.kind.as_str(), "name": destination.name});
        let actor = (caller.organisation_id, caller.actor());
        self.base.audit(&tx, (actor.0, &actor.1), "destination.create", destination.id, detail).await?;
        tx.commit().await?;
        self.pipeline.shown(destination).await
    }

    /// Sends a test event to a destination, and nowhere else. Returns the event.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`] for a kind that does not take any event.
    pub async fn test_destination(&self, caller: &Caller, id: DestinationId) -> Result<EventId> {
        caller.require(Permission::RoutesManage)?;
        let reader = self.base.store.reader();
        let found = store::pipeline::destinations::find(reader, caller.organisation_id, id).await?;
        self.sender(&found.kind, "/id")?;
        let message =
            format!("This is a test. Events will arrive here like this one. It was sent by {}.", caller.actor());
        let fact = Fact::plain(DESTINATION_TEST, None, json!({"message": message}));
        let place = Place { kind: found.kind, name: found.name, address: found.address };
        let planned = vec![Planned { place, content: None }];
        let test = NewEvent { planned, ..NewEvent::plain(caller.organisation_id, EventSource::TEST, fact) };
        Ok(self.pipeline.accept(test).await?.id)
    }

    /// Checks a destination that a member asks for. No transaction may be open. Violations are below `pointer`.
    pub(in crate::app) async fn wanted(
        &self,
        organisation_id: OrganisationId,
        create: CreateDestination,
        pointer: &str,
    ) -> Result<Wanted> {
        let CreateDestination { kind, name, address, options } = create;
        let kind = DestinationKind::stored(kind);
        let sender = self.sender(&kind, &format!("{pointer}/kind"))?;
        if name.as_ref().is_some_and(|name| !(1..=MAX_NAME_CHARS).contains(&name.chars().count())) {
            let rule = format!("must have 1 to {MAX_NAME_CHARS} characters");
            return Err(Error::invalid(format!("{pointer}/name"), rule));
        }
        let has_options = options.as_object().is_some_and(|options| !options.is_empty());
        let id = self.base.ambient.id();
        let new = NewDestination { id, organisation_id, name, address, options };
        let Prepared { place, settings, unconfirmed } =
            sender.prepare(&new).await.map_err(|error| error.within(pointer))?;
        let place = (place.kind, place.name, place.address);
        let fresh = Destination::fresh(id, organisation_id, place, self.base.now());
        Ok(Wanted { destination: Destination { settings, unconfirmed, ..fresh }, has_options })
    }

    /// Returns a destination that a room vouches for.
    pub(in crate::app) fn vouched(&self, organisation_id: OrganisationId, place: Place) -> Wanted {
        let place = (place.kind, place.name, place.address);
        let destination = Destination::fresh(self.base.ambient.id(), organisation_id, place, self.base.now());
        Wanted { destination, has_options: false }
    }

    /// Finds or creates a checked destination.
    pub(in crate::app) async fn ensure(&self, tx: &Tx, wanted: &Wanted) -> Result<Destination> {
        let Destination { organisation_id, kind, name, address, .. } = &wanted.destination;
        match store::pipeline::destinations::find_by_name(tx, *organisation_id, kind, name).await? {
            Some(found) if wanted.has_options || found.address != *address => Err(taken(&found)),
            Some(found) => Ok(found),
            None => {
                self.tenancy.demand_room_for_destinations(tx, *organisation_id, 1).await?;
                store::pipeline::destinations::ensure(tx, &wanted.destination).await
            }
        }
    }

    /// Returns the sender of a kind that takes any event.
    pub(in crate::app) fn sender(&self, kind: &DestinationKind, pointer: &str) -> Result<&Arc<dyn Sender>> {
        let sender = self.senders.of(kind).ok().filter(|sender| sender.takes_any_event());
        sender.ok_or_else(|| {
            let kinds = self.senders.routable().join(", ");
            Error::invalid(pointer, format!("must be of a kind that takes any event ({kinds}), not {}", kind.as_str()))
        })
    }

    /// Changes a destination.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_destination(
        &self,
        caller: &Caller,
        id: DestinationId,
        change: DestinationChange,
    ) -> Result<ShownDestination> {
        caller.require(Permission::RoutesManage)?;
        let DestinationChange { retry_schedule, enabled, address, options } = change;
        let schedule = retry_schedule.map(parsed_schedule).transpose()?;
        let (organisation_id, now) = (caller.organisation_id, self.base.now());
        let former = store::pipeline::destinations::find(self.base.store.reader(), organisation_id, id).await?;
        let settings = self.changed(&former, address, options).await?;
        let tx = self.base.store.begin().await?;
        let found = store::pipeline::destinations::find_for_update(&tx, organisation_id, id).await?;
        if let Some(Prepared { place, settings, .. }) = settings {
            if (&found.settings, &found.address) != (&former.settings, &former.address) {
                let message = "it was changed at the same time; try again".into();
                return Err(Error::Conflict { noun: Noun::Destination, message });
            }
            store::pipeline::destinations::set_settings(&tx, id, &place.address, settings.as_ref()).await?;
        }
        if let Some(schedule) = &schedule {
            store::pipeline::destinations::set_retry_schedule(&tx, id, schedule.as_ref()).await?;
        }
        match enabled {
            None => {}
            Some(true) => store::pipeline::destinations::set_health(&tx, id, &Health::Healthy).await?,
            Some(false) => {
                let off = Health::Disabled { reason: DISABLED.to_owned(), since: now };
                store::pipeline::deliveries::end_pending(&tx, id, DeliveryState::Failed, DISABLED, now).await?;
                store::pipeline::destinations::set_health(&tx, id, &off).await?;
            }
        }
        let detail = json!({"retry_schedule": schedule.map(|own| own.map(|own| own.seconds())), "enabled": enabled});
        self.base.audit(&tx, (caller.organisation_id, &caller.actor()), "destination.update", id, detail).await?;
        let changed = store::pipeline::destinations::find(&tx, caller.organisation_id, id).await?;
        tx.commit().await?;
        self.pipeline.shown(changed).await
    }
}

impl Destinations {
    /// Checks a change of address and settings, if there is one.
    async fn changed(&self, former: &Destination, address: Option<String>, options: Value) -> Result<Option<Prepared>> {
        if address.is_none() && options.as_object().is_none_or(Map::is_empty) {
            return Ok(None);
        }
        self.senders.of(&former.kind)?.change(former, address, options).await.map(Some)
    }

    /// Returns the retry schedule of the caller's organisation, in seconds, if it has one of its own.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for another organisation.
    pub async fn get_retry_schedule(&self, caller: &Caller, id: OrganisationId) -> Result<Option<Vec<u64>>> {
        self.tenancy.own_organisation(caller, id)?;
        caller.require(Permission::RoutesRead)?;
        let found = store::pipeline::retry_schedules::find(self.base.store.reader(), id).await?;
        Ok(found.map(|schedule| schedule.seconds()))
    }

    /// Sets the retry schedule of the caller's organisation, for the destinations that have none of their own; `None`
    /// leaves them the service's.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for another organisation, [`Error::Invalid`].
    pub async fn put_retry_schedule(
        &self,
        caller: &Caller,
        id: OrganisationId,
        seconds: Option<Vec<u64>>,
    ) -> Result<Option<Vec<u64>>> {
        self.tenancy.own_organisation(caller, id)?;
        caller.require(Permission::RoutesManage)?;
        let schedule = parsed_schedule(seconds)?;
        let tx = self.base.store.begin().await?;
        store::pipeline::retry_schedules::set(&tx, id, schedule.as_ref()).await?;
        let seconds = schedule.map(|schedule| schedule.seconds());
        let detail = json!({"retry_schedule": seconds});
        self.base.audit(&tx, (id, &caller.actor()), "organisation.update", id, detail).await?;
        tx.commit().await?;
        Ok(seconds)
    }
}

fn parsed_schedule(seconds: Option<Vec<u64>>) -> Result<Option<RetrySchedule>> {
    seconds.map(|seconds| RetrySchedule::new("/retrySchedule", &seconds)).transpose()
}

fn taken(destination: &Destination) -> Error {
    let message = format!(
        "there is a destination of the kind {} with the name {:?} already ({}); use it, or choose another name",
        destination.kind.as_str(),
        destination.name,
        destination.id
    );
    Error::Conflict { noun: Noun::Destination, message }
}
