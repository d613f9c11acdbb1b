//! Routes, destinations and deliveries of an organisation, for the operator: the same answers as the native API's.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Failure,
    accounts::Moment,
    output::{self, Choice},
};
use crate::{
    api::native::wire::{DeliveryDetailOut, DeliveryOut, DestinationOut, ReplayOut, RouteOut},
    app::{Caller, Services, pipeline::deliveries::Filter},
    domain::{
        Error, Result as Found,
        error::Noun,
        ids::DestinationId,
        page::{Page, PageRequest},
        pipeline::delivery::DeliveryState,
        search::{Period, sought},
    },
};

const ROUTE: &[(&str, &str)] = &[
    ("id", "/id"),
    ("name", "/name"),
    ("types", "/types"),
    ("sources", "/sources"),
    ("destination", "/destinationId"),
    ("managed by", "/managedBy"),
    ("enabled", "/enabled"),
];
const DESTINATION: &[(&str, &str)] = &[
    ("kind", "/kind"),
    ("name", "/name"),
    ("health", "/health"),
    ("delivered", "/successCount"),
    ("failures", "/failureCount"),
    ("last sent", "/lastSentAt"),
    ("id", "/id"),
];
const DELIVERY: &[(&str, &str)] = &[
    ("id", "/id"),
    ("event", "/eventType"),
    ("destination", "/destinationName"),
    ("state", "/state"),
    ("attempts", "/attemptCount"),
    ("accepted", "/createdAt"),
    ("reason", "/reason"),
];

/// Argument that names an organisation.
#[derive(Clone, Debug, Args)]
pub struct InOrganisation {
    /// The organisation's slug.
    #[arg(long)]
    org: String,
}

impl InOrganisation {
    /// Returns the caller that acts in the organisation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn caller(&self, app: &Services) -> Found<Caller> {
        app.tenancy.act_as_operator(&self.org).await
    }
}

/// Commands about routes.
#[derive(Subcommand)]
pub enum Route {
    /// List the routes, also those that a dialect's settings manage.
    List {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
    /// Show a route.
    Show {
        /// Its id or its name.
        route: String,
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
}

/// Commands about destinations.
#[derive(Subcommand)]
pub enum Destination {
    /// List the destinations.
    List {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
    /// Show a destination.
    Show {
        /// Its id or its name.
        destination: String,
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
}

/// Commands about deliveries.
#[derive(Subcommand)]
pub enum Delivery {
    /// List deliveries, newest first.
    List {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        wanted: Wanted,
        #[command(flatten)]
        choice: Choice,
    },
    /// Show a delivery with its attempts.
    Show {
        /// Its id.
        id: Uuid,
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
    /// Send a finished delivery again, or with --destination all failed ones of a destination.
    Replay {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        replay: ReplayOptions,
    },
}

/// Filters of a list of deliveries.
#[derive(Clone, Debug, Args)]
pub struct Wanted {
    /// Only those in this state: pending, delivered, skipped or failed.
    #[arg(long, value_parser = state)]
    state: Option<DeliveryState>,
    /// Only those to this destination: its id or its name.
    #[arg(long)]
    destination: Option<String>,
    /// Only those of events whose type matches, such as 'order.*'.
    #[arg(long = "type")]
    event_type: Option<String>,
    /// Only those of events accepted at this time or later: a time, or how long ago, such as 12h or 7d.
    #[arg(long, value_parser = Moment::parse)]
    since: Option<Moment>,
    /// Only those of events accepted before this time.
    #[arg(long, value_parser = Moment::parse)]
    until: Option<Moment>,
    /// Maximum number of deliveries.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Arguments of a replay.
#[derive(Clone, Debug, Args)]
pub struct ReplayOptions {
    /// The delivery's id.
    #[arg(required_unless_present = "destination", conflicts_with = "destination")]
    id: Option<Uuid>,
    /// The destination: its id or its name.
    #[arg(long)]
    destination: Option<String>,
    /// Only those of events accepted at this time or later: a time, or how long ago, such as 12h or 7d.
    #[arg(long, value_parser = Moment::parse, requires = "destination")]
    since: Option<Moment>,
    /// Only those of events accepted before this time.
    #[arg(long, value_parser = Moment::parse, requires = "destination")]
    until: Option<Moment>,
    /// Count them, and send nothing.
    #[arg(long, requires = "destination")]
    dry_run: bool,
}

/// Runs a command about routes.
///
/// # Errors
/// As the service.
pub async fn run_route(command: Route, app: &Services) -> Result<(), Failure> {
    let (Route::List { within, choice } | Route::Show { within, choice, .. }) = &command;
    let caller = within.caller(app).await?;
    let routes = every(|page| app.routes.list_routes(&caller, page)).await?;
    let routes: Vec<Value> = routes.into_iter().map(|route| output::json(&RouteOut::from(route))).collect();
    match &command {
        Route::List { .. } => output::print(choice.form(), ROUTE, &routes)?,
        Route::Show { route, .. } => output::print_one(choice.form(), named(&routes, Noun::Route, route)?)?,
    }
    Ok(())
}

/// Runs a command about destinations.
///
/// # Errors
/// As the service.
pub async fn run_destination(command: Destination, app: &Services) -> Result<(), Failure> {
    let (Destination::List { within, choice } | Destination::Show { within, choice, .. }) = &command;
    let all = destinations(app, &within.caller(app).await?).await?;
    match &command {
        Destination::List { .. } => output::print(choice.form(), DESTINATION, &all)?,
        Destination::Show { destination, .. } => {
            output::print_one(choice.form(), named(&all, Noun::Destination, destination)?)?;
        }
    }
    Ok(())
}

/// Runs a command about deliveries.
///
/// # Errors
/// As the service.
pub async fn run_delivery(command: Delivery, app: &Services) -> Result<(), Failure> {
    match command {
        Delivery::List { within, wanted, choice } => {
            let caller = within.caller(app).await?;
            let found = deliveries(app, &caller, wanted).await?;
            output::print(choice.form(), DELIVERY, &found)?;
        }
        Delivery::Show { id, within, choice } => {
            let found = app.pipeline.get_delivery(&within.caller(app).await?, id.into()).await?;
            output::print_one(choice.form(), &output::json(&DeliveryDetailOut::from(found)))?;
        }
        Delivery::Replay { within, replay } => {
            println!("{}", replay.run(app, &within.caller(app).await?).await?);
        }
    }
    Ok(())
}

impl ReplayOptions {
    /// Sends again, and returns the line that says so.
    async fn run(self, app: &Services, caller: &Caller) -> Result<Value, Failure> {
        if let Some(id) = self.id {
            let replayed = app.replays.replay_delivery(caller, id.into()).await?;
            return Ok(output::json(&ReplayOut::from(replayed)));
        }
        let destination = destination(app, caller, &self.destination.unwrap_or_default()).await?;
        let period = period(app, self.since, self.until)?;
        let count = match self.dry_run {
            true => app.replays.count_failed_deliveries(caller, destination, period).await?,
            false => app.replays.replay_failed_deliveries(caller, destination, period).await?,
        };
        Ok(json!({"count": count, "dryRun": self.dry_run}))
    }
}

async fn deliveries(app: &Services, caller: &Caller, wanted: Wanted) -> Result<Vec<Value>, Failure> {
    let destination_id = match &wanted.destination {
        Some(one) => Some(destination(app, caller, one).await?),
        None => None,
    };
    let filter = Filter {
        state: wanted.state,
        event_type: sought("type", wanted.event_type)?,
        event_id: None,
        destination_id,
        text: None,
        period: period(app, wanted.since, wanted.until)?,
    };
    let (mut found, mut page) = (Vec::new(), whole_page());
    while found.len() < wanted.limit {
        let Page { items, next } = app.pipeline.list_deliveries(caller, &filter, page).await?;
        found.extend(items.into_iter().map(|one| output::json(&DeliveryOut::from(one))));
        if next.is_none() {
            break;
        }
        page.after = next;
    }
    found.truncate(wanted.limit);
    Ok(found)
}

async fn destinations(app: &Services, caller: &Caller) -> Found<Vec<Value>> {
    let all = every(|page| app.pipeline.list_destinations(caller, page)).await?;
    Ok(all.into_iter().map(|one| output::json(&DestinationOut::from(one))).collect())
}

/// Returns the destination of an id or a name.
async fn destination(app: &Services, caller: &Caller, text: &str) -> Found<DestinationId> {
    if let Ok(id) = text.parse() {
        return Ok(DestinationId(id));
    }
    let all = destinations(app, caller).await?;
    let found = named(&all, Noun::Destination, text)?;
    let id = found["id"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Error::Internal("a destination has no id".to_owned()))
}

/// Returns the one item with this id or name.
fn named<'a>(items: &'a [Value], noun: Noun, text: &str) -> Found<&'a Value> {
    let of = |member: &str| items.iter().filter(|item| item[member] == text).collect::<Vec<_>>();
    let found = Some(of("id")).filter(|found| !found.is_empty()).unwrap_or_else(|| of("name"));
    match found[..] {
        [one] => Ok(one),
        [] => Err(Error::not_found(noun, text)),
        _ => {
            let ids: Vec<&str> = found.iter().filter_map(|item| item["id"].as_str()).collect();
            let message = format!("{} have the name {text:?}; name one by its id: {}", found.len(), ids.join(", "));
            Err(Error::FailedPrecondition { message })
        }
    }
}

fn period(app: &Services, since: Option<Moment>, until: Option<Moment>) -> Found<Period> {
    let now = app.base.ambient().now();
    Period::new(since.map(|moment| moment.before(now)), until.map(|moment| moment.before(now)))
}

fn state(text: &str) -> Result<DeliveryState, String> {
    let all = DeliveryState::ALL;
    let known = || format!("possible values: {}", all.map(DeliveryState::as_str).join(", "));
    all.into_iter().find(|state| state.as_str() == text).ok_or_else(known)
}

fn whole_page() -> PageRequest {
    PageRequest { limit: PageRequest::MAX_LIMIT, after: None }
}

/// Returns every item of a list, page after page.
///
/// # Errors
/// As the list.
pub async fn every<T>(list: impl AsyncFn(PageRequest) -> Found<Page<T>>) -> Found<Vec<T>> {
    let (mut all, mut page) = (Vec::new(), whole_page());
    loop {
        let Page { items, next } = list(page).await?;
        all.extend(items);
        if next.is_none() {
            return Ok(all);
        }
        page.after = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_named_by_its_id_or_its_name() {
        let items = [json!({"id": "1", "name": "a"}), json!({"id": "2", "name": "b"}), json!({"id": "3", "name": "b"})];
        assert_eq!(named(&items, Noun::Route, "a").unwrap()["id"], "1");
        assert_eq!(named(&items, Noun::Route, "3").unwrap()["id"], "3");
        assert!(matches!(named(&items, Noun::Route, "c"), Err(Error::NotFound { .. })));
        let ambiguous = named(&items, Noun::Route, "b").unwrap_err().to_string();
        assert!(ambiguous.contains("2, 3"), "{ambiguous}");
    }
}
