//! Views of operators over all organisations: counts, the backlog, and the destinations that fail. No payload, no setting
//! and no address is a part of it.
//!
//! Not here: the operators themselves (`tenancy::operators`), and the registry's versions that wait for them.

use chrono::TimeDelta;

use super::Pipeline;
use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        page::{Page, PageRequest},
        search::Period,
        tenancy::operator::Operator,
    },
    provider::redact,
    store::{
        pipeline::overview::{self, MOST_DESTINATIONS, OrganisationsWanted},
        tenancy::organisations,
    },
};

pub use overview::{Backlogged, CountedOrganisation, OrganisationOrder, Owner, Since, Unhealthy, UnhealthyDestination};

/// Longest reason that is shown, in characters.
const REASON_CHARS: usize = 300;

/// State of a destination with pending deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BacklogState {
    /// Due: it waits for a worker.
    Due,
    /// It waits for a retry, a rate limit or a pause that the upstream asked for.
    Waiting,
    /// A worker has it.
    Sending,
}

impl BacklogState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Due, Self::Waiting, Self::Sending];

    /// Returns the state of a destination at `now`. A lease that has ended is nobody's.
    pub fn of(destination: &Backlogged, now: Time) -> Self {
        match (destination.due_at <= now, destination.leased) {
            (true, _) => Self::Due,
            (false, true) => Self::Sending,
            (false, false) => Self::Waiting,
        }
    }
}

/// Deliveries that are pending in all organisations.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// The destinations, those that are due longest first, with their states.
    pub destinations: Vec<(Backlogged, BacklogState)>,
    /// True if everything that is pending was counted.
    pub complete: bool,
}

/// Part of the list of organisations that is asked for.
#[derive(Clone, Debug)]
pub struct OrganisationsQuery {
    /// Order of the list.
    pub order: OrganisationOrder,
    /// Beginning of the slugs.
    pub slug: Option<String>,
    /// The page.
    pub page: PageRequest,
}

/// A page of the destinations that have a problem.
#[derive(Clone, Debug)]
pub struct UnhealthyPage {
    /// The destinations, the most recent problem first.
    pub items: Vec<UnhealthyDestination>,
    /// Position of the next page; absent on the last.
    pub next: Option<Since>,
}

impl Pipeline {
    /// Lists all organisations with counts.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn list_operator_organisations(
        &self,
        _: &Operator,
        query: OrganisationsQuery,
    ) -> Result<Page<CountedOrganisation>> {
        let reader = self.base.store.reader();
        let after = match query.page.after {
            Some(id) => Some(organisations::find(reader, id.into()).await.map_err(|error| match error {
                Error::NotFound { .. } => Error::invalid("cursor", "is of an organisation that is gone; begin anew"),
                other => other,
            })?),
            None => None,
        };
        let slug = beginning(query.slug.unwrap_or_default())?;
        let day = Period::new(Some(self.base.now() - TimeDelta::days(1)), None)?.first();
        let wanted = OrganisationsWanted { order: query.order, slug, after, day };
        overview::list_organisations(reader, &wanted, query.page).await
    }

    /// Returns the deliveries that are pending in all organisations, by destination.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get_backlog(&self, _: &Operator) -> Result<Backlog> {
        let mut found = overview::backlog(self.base.store.reader()).await?;
        let now = self.base.now();
        let complete = found.len() <= MOST_DESTINATIONS && !found.iter().any(|one| one.more);
        found.truncate(MOST_DESTINATIONS);
        let with_state = |one: Backlogged| {
            let state = BacklogState::of(&one, now);
            (one, state)
        };
        Ok(Backlog { destinations: found.into_iter().map(with_state).collect(), complete })
    }

    /// Lists the destinations of all organisations that are failing, or those that are disabled.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_failing_destinations(
        &self,
        _: &Operator,
        health: Unhealthy,
        (limit, after): (u32, Option<Since>),
    ) -> Result<UnhealthyPage> {
        let mut items = overview::list_unhealthy(self.base.store.reader(), health, after, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        for one in &mut items {
            one.reason = line(&one.reason);
        }
        let next = items.last().filter(|_| more).map(|last| (last.since, last.id));
        Ok(UnhealthyPage { items, next })
    }
}

/// Checks the beginning of a slug.
fn beginning(slug: String) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match slug.len() <= 63 && slug.bytes().all(fits) {
        true => Ok(slug),
        false => Err(Error::invalid("slug", "must be up to 63 of a-z, 0-9 and -")),
    }
}

/// Makes one line of a reason, without anything that looks like a credential.
fn line(reason: &str) -> String {
    let text = redact(reason).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_reason_is_one_line_without_secrets() {
        let line_of = line("answered 500:\n  see https://x.example/?token=hunter2 \t now");
        assert_eq!(line_of, "answered 500: see https://x.example/?token=[redacted] now");
        assert_eq!(line(&"ü".repeat(500)).chars().count(), REASON_CHARS + 1);
    }

    #[test]
    fn a_destination_is_due_waits_or_is_with_a_worker() {
        let at = |seconds| Time::from_timestamp(seconds, 0).unwrap();
        let state = |due_at, leased| {
            let owner = Owner { id: Uuid::nil().into(), slug: "acme".into(), name: "Acme".into() };
            let (kind, name, health) = ("webhook".to_owned(), "Billing".to_owned(), "healthy".to_owned());
            let (id, pending, more, oldest_at) = (Uuid::nil().into(), 1, false, at(0));
            let one = Backlogged { id, kind, name, health, owner, due_at, leased, pending, more, oldest_at };
            BacklogState::of(&one, at(10))
        };
        assert_eq!(state(at(10), false), BacklogState::Due);
        assert_eq!(state(at(11), false), BacklogState::Waiting);
        assert_eq!(state(at(11), true), BacklogState::Sending);
        assert_eq!(state(at(9), true), BacklogState::Due, "the worker is gone");
    }
}
