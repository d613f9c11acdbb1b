//! Facts about all organisations, for operators.

use std::collections::BTreeMap;

use poem_openapi::{Object, param::Query, types::Example};
use uuid::Uuid;

use super::{HealthWord, Limit, List, OrganisationOut, Word};
use crate::{
    api::shared::{time::Timestamp, word::Vocabulary},
    app::pipeline::operators::{
        Backlog, BacklogState, Backlogged, CountedOrganisation, OrganisationOrder, Owner, Since, Unhealthy,
        UnhealthyDestination, UnhealthyPage,
    },
    domain::{
        Error, Result,
        ambient::Time,
        ids::DestinationId,
        page::PageRequest,
        registry::{Lifecycle, Verification},
    },
};

/// Maximum number of organisations, and of destinations, in an answer.
const MOST_LISTED: usize = 100;

impl Vocabulary for OrganisationOrder {
    const NAME: &'static str = "OrganisationOrder";
    const DESCRIPTION: &'static str = "Order of a list of organisations: the newest first, or by slug.";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("newest", Self::Newest), ("slug", Self::Slug)]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Slug => "slug",
        }
    }
}

impl Vocabulary for Unhealthy {
    const NAME: &'static str = "UnhealthyState";
    const DESCRIPTION: &'static str = "Health of a destination with a problem: failing, or disabled.";

    fn words() -> Vec<(&'static str, Self)> {
        [Self::Failing, Self::Disabled].map(|health| (health.as_str(), health)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Vocabulary for BacklogState {
    const NAME: &'static str = "BacklogState";
    const DESCRIPTION: &'static str = "State of a destination with pending deliveries: due (it waits for a worker), waiting \
         (for a retry, a rate limit or a pause that the upstream asked for), or sending (a worker has it).";

    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|state| (state.word(), state)).into()
    }

    fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Waiting => "waiting",
            Self::Sending => "sending",
        }
    }
}

/// An organisation with numbers, each of which is at most 10,000: that, or more.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OperatorOrganisation", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct OperatorOrganisationOut {
    /// The organisation.
    #[oai(flatten)]
    pub organisation: OrganisationOut,
    /// Number of members, also invited ones.
    pub members: u64,
    /// Number of destinations.
    pub destinations: u64,
    /// Number of destinations that are failing.
    pub failing_destinations: u64,
    /// Number of events that were accepted in the last 24 hours.
    pub events_last_day: u64,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Time of the last event; absent where there is none.
    pub last_event_at: Option<Timestamp>,
}

impl From<CountedOrganisation> for OperatorOrganisationOut {
    fn from(counted: CountedOrganisation) -> Self {
        Self {
            organisation: counted.organisation.into(),
            members: counted.members,
            destinations: counted.destinations,
            failing_destinations: counted.failing_destinations,
            events_last_day: counted.events,
            pending: counted.pending,
            last_event_at: counted.last_event_at.map(Into::into),
        }
    }
}

/// Organisation that owns something.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OwningOrganisation")]
pub struct OwnerOut {
    /// Unique id.
    pub id: Uuid,
    /// Handle, unique in the whole service.
    pub slug: String,
    /// Display name.
    pub name: String,
}

impl From<Owner> for OwnerOut {
    fn from(owner: Owner) -> Self {
        Self { id: owner.id.0, slug: owner.slug, name: owner.name }
    }
}

/// Pending deliveries in all organisations.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Backlog", rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct BacklogOut {
    /// Number of pending deliveries.
    pub pending: u64,
    /// True if everything was counted; else there is more than the numbers say.
    pub complete: bool,
    /// Time at which the event of the oldest pending delivery was accepted.
    pub oldest_at: Option<Timestamp>,
    /// Time since which a destination is due, where one waits for a worker: the longest.
    pub due_since: Option<Timestamp>,
    /// Pending deliveries by the state of their destination.
    pub states: Vec<BacklogByStateOut>,
    /// Pending deliveries by the kind of their destination, most first.
    pub kinds: Vec<BacklogByKindOut>,
    /// Pending deliveries by organisation, the oldest first; at most 100.
    pub organisations: Vec<BacklogByOrganisationOut>,
    /// Destinations with pending deliveries, the oldest first; at most 100.
    pub destinations: Vec<BacklogDestinationOut>,
}

/// Pending deliveries whose destinations are in one state.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BacklogByState")]
pub struct BacklogByStateOut {
    /// State of the destinations.
    pub state: Word<BacklogState>,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Number of destinations.
    pub destinations: u64,
}

/// Pending deliveries to destinations of one kind.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BacklogByKind", rename_all = "camelCase")]
pub struct BacklogByKindOut {
    /// Kind of the destinations, such as `slack`.
    pub kind: String,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Number of destinations.
    pub destinations: u64,
    /// Time at which the event of the oldest pending delivery was accepted.
    pub oldest_at: Timestamp,
}

/// Pending deliveries of one organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BacklogByOrganisation", rename_all = "camelCase")]
pub struct BacklogByOrganisationOut {
    /// The organisation.
    pub organisation: OwnerOut,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Number of destinations.
    pub destinations: u64,
    /// Time at which the event of the oldest pending delivery was accepted.
    pub oldest_at: Timestamp,
}

/// Destination with pending deliveries.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BacklogDestination", rename_all = "camelCase")]
pub struct BacklogDestinationOut {
    /// Unique id.
    pub id: Uuid,
    /// Kind of the destination, such as `slack`.
    pub kind: String,
    /// Name of the destination.
    pub name: String,
    /// Its organisation.
    pub organisation: OwnerOut,
    /// Health of the destination.
    pub health: Word<HealthWord>,
    /// State of the destination.
    pub state: Word<BacklogState>,
    /// Number of pending deliveries.
    pub pending: u64,
    /// Time at which the event of the oldest pending delivery was accepted.
    pub oldest_at: Timestamp,
    /// Time at which it is or was due; while a worker has it, the end of the worker's lease.
    pub due_at: Timestamp,
}

/// Sum of a part of the backlog.
struct Sum {
    pending: u64,
    destinations: u64,
    oldest_at: Time,
}

/// Adds up the destinations by a key.
fn sums<K: Ord>(all: &[(Backlogged, BacklogState)], key: impl Fn(&Backlogged, BacklogState) -> K) -> BTreeMap<K, Sum> {
    let mut sums: BTreeMap<K, Sum> = BTreeMap::new();
    for (one, state) in all {
        let start = Sum { pending: 0, destinations: 0, oldest_at: one.oldest_at };
        let sum = sums.entry(key(one, *state)).or_insert(start);
        sum.pending += one.pending;
        sum.destinations += 1;
        sum.oldest_at = sum.oldest_at.min(one.oldest_at);
    }
    sums
}

fn by_state(all: &[(Backlogged, BacklogState)]) -> Vec<BacklogByStateOut> {
    let sums = sums(all, |_, state| state.word());
    let of = |state: BacklogState| {
        let (pending, destinations) = sums.get(state.word()).map_or((0, 0), |sum| (sum.pending, sum.destinations));
        BacklogByStateOut { state: Word(state), pending, destinations }
    };
    BacklogState::ALL.map(of).into()
}

fn by_kind(all: &[(Backlogged, BacklogState)]) -> Vec<BacklogByKindOut> {
    let of = |(kind, Sum { pending, destinations, oldest_at }): (String, Sum)| BacklogByKindOut {
        kind,
        pending,
        destinations,
        oldest_at: oldest_at.into(),
    };
    let mut kinds: Vec<_> = sums(all, |one, _| one.kind.clone()).into_iter().map(of).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.pending));
    kinds
}

fn by_organisation(all: &[(Backlogged, BacklogState)]) -> Vec<BacklogByOrganisationOut> {
    let of = |(owner, Sum { pending, destinations, oldest_at }): (Owner, Sum)| BacklogByOrganisationOut {
        organisation: owner.into(),
        pending,
        destinations,
        oldest_at: oldest_at.into(),
    };
    let mut organisations: Vec<_> = sums(all, |one, _| one.owner.clone()).into_iter().map(of).collect();
    organisations.sort_by_key(|one| one.oldest_at.0);
    organisations.truncate(MOST_LISTED);
    organisations
}

impl From<(Backlogged, BacklogState)> for BacklogDestinationOut {
    fn from((one, state): (Backlogged, BacklogState)) -> Self {
        Self {
            id: one.id.0,
            health: Word(HealthWord::stored(&one.health)),
            kind: one.kind,
            name: one.name,
            organisation: one.owner.into(),
            state: Word(state),
            pending: one.pending,
            oldest_at: one.oldest_at.into(),
            due_at: one.due_at.into(),
        }
    }
}

impl From<Backlog> for BacklogOut {
    fn from(backlog: Backlog) -> Self {
        let Backlog { destinations: mut all, complete } = backlog;
        all.sort_by_key(|(one, _)| one.oldest_at);
        let due = all.iter().filter(|(_, state)| *state == BacklogState::Due).map(|(one, _)| one.due_at).min();
        Self {
            pending: all.iter().map(|(one, _)| one.pending).sum(),
            complete,
            oldest_at: all.first().map(|(one, _)| one.oldest_at.into()),
            due_since: due.map(Into::into),
            states: by_state(&all),
            kinds: by_kind(&all),
            organisations: by_organisation(&all),
            destinations: all.into_iter().take(MOST_LISTED).map(Into::into).collect(),
        }
    }
}

/// Destination that is failing or disabled.
#[derive(Clone, Debug, Object)]
#[oai(rename = "FailingDestination")]
pub struct FailingDestinationOut {
    /// Unique id.
    pub id: Uuid,
    /// Kind of the destination, such as `slack`.
    pub kind: String,
    /// Name of the destination.
    pub name: String,
    /// Its organisation.
    pub organisation: OwnerOut,
    /// Time from which on it is failing or disabled.
    pub since: Timestamp,
    /// Reason, in one line; secrets are redacted.
    pub reason: String,
}

impl From<UnhealthyDestination> for FailingDestinationOut {
    fn from(one: UnhealthyDestination) -> Self {
        Self {
            id: one.id.0,
            kind: one.kind,
            name: one.name,
            organisation: one.owner.into(),
            since: one.since.into(),
            reason: one.reason,
        }
    }
}

impl From<UnhealthyPage> for List<FailingDestinationOut> {
    fn from(page: UnhealthyPage) -> Self {
        let next_cursor = page.next.map(|(since, id)| format!("{}-{}", nanoseconds(since), id.0.simple()));
        Self { data: page.items.into_iter().map(Into::into).collect(), next_cursor }
    }
}

fn nanoseconds(time: Time) -> i64 {
    time.timestamp_nanos_opt().unwrap_or_default()
}

/// Reads the page of failing destinations that is asked for, whose cursor is a time and an id.
pub fn failing_page(limit: Query<Option<Limit>>, cursor: Query<Option<String>>) -> Result<(u32, Option<Since>)> {
    let limit = PageRequest::new(limit.0.map(|Limit(limit)| limit), None)?.limit;
    let unreadable = || Error::invalid("cursor", "must be the nextCursor of a previous answer");
    let read = |text: String| {
        let (nanoseconds, id) = text.split_once('-')?;
        let since = Time::from_timestamp_nanos(nanoseconds.parse().ok()?);
        Some((since, DestinationId(Uuid::try_parse(id).ok()?)))
    };
    let after = cursor.0.map(|text| read(text).ok_or_else(unreadable)).transpose()?;
    Ok((limit, after))
}

/// Changes to a version by an operator; absent members stay unchanged.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryReview", rename_all = "camelCase", example)]
pub struct RegistryReview {
    /// Result of the verification.
    pub verification_status: Option<Word<Verification>>,
    /// Lifecycle: a deprecated version cannot be installed.
    pub lifecycle_status: Option<Word<Lifecycle>>,
}

impl Example for RegistryReview {
    fn example() -> Self {
        Self { verification_status: Some(Word(Verification::Approved)), lifecycle_status: None }
    }
}

impl From<RegistryReview> for (Option<Verification>, Option<Lifecycle>) {
    fn from(review: RegistryReview) -> Self {
        (review.verification_status.map(|Word(one)| one), review.lifecycle_status.map(|Word(one)| one))
    }
}
