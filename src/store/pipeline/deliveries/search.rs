//! Deliveries as members read them: with the type of the event, and the kind and name of the destination.

use ::entity::{
    delivery::{Column, Entity as Deliveries},
    delivery_progress, destination, event,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait, Select, Value,
    sea_query::{Condition, Expr, ExprTrait},
};
use uuid::Uuid;

use super::{
    derived::{self, Row, delivery},
    progress,
};
use crate::{
    domain::{
        Error, Result,
        error::Noun,
        ids::{DeliveryId, DestinationId, EventId, OrganisationId},
        page::{Page, PageRequest},
        pipeline::delivery::{Delivery, DeliveryState},
        search::Period,
    },
    store::kernel::{
        placeholders,
        search::{Window, contains, matches_glob},
    },
};

/// Delivery with names. Its content is left out.
#[derive(Clone, Debug)]
pub struct NamedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// Type of its event.
    pub event_type: String,
    /// Kind of its destination.
    pub destination_kind: String,
    /// Name of its destination.
    pub destination_name: String,
}

/// Filter of deliveries; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Their state.
    pub state: Option<DeliveryState>,
    /// Glob of the types of their events.
    pub event_type: Option<String>,
    /// Their event.
    pub event_id: Option<EventId>,
    /// Their destination.
    pub destination_id: Option<DestinationId>,
    /// Text in their reason or in the type of their event.
    pub text: Option<String>,
    /// Their period.
    pub period: Period,
}

impl Filter {
    /// Returns true if an index has the deliveries that match, so that a page reads no others.
    fn is_indexed(&self) -> bool {
        let of_state = match self.state {
            None => self.destination_id.is_none(),
            Some(DeliveryState::Failed | DeliveryState::Skipped) => true,
            Some(DeliveryState::Pending) => self.destination_id.is_some(),
            Some(DeliveryState::Delivered) => false,
        };
        self.event_id.is_some() || (of_state && self.event_type.is_none() && self.text.is_none())
    }

    /// Returns true if the columns of the deliveries alone tell which match.
    fn is_plain(&self) -> bool {
        self.state.is_none() && self.event_id.is_none() && self.event_type.is_none() && self.text.is_none()
    }
}

/// Lists the deliveries of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<NamedDelivery>> {
    let window = if filter.is_indexed() {
        Window::whole(filter.period, page)
    } else {
        let of = (Column::OrganisationId, organisation_id);
        Window::bounded::<Deliveries>(db, of, Column::Id, (filter.period, page)).await?
    };
    let backend = db.get_database_backend();
    // Deliveries of an event are found by the event, not among all of the organisation.
    let owner = if filter.event_id.is_some() {
        event::Column::OrganisationId.eq(organisation_id.0)
    } else {
        of_organisation(organisation_id)
    };
    let query = named(backend)
        .filter(owner)
        .filter(window.has(Column::Id))
        .apply_if(filter.state, |query, state| {
            let query = query.filter(Expr::cust(format!("{} = '{}'", derived::STATE, state.as_str())));
            let limit = filter.is_indexed().then_some(page.limit + 1);
            match of_state(backend, state, (organisation_id, filter.destination_id), (&window, limit)) {
                Some(found) => query.filter(found),
                None => query,
            }
        })
        .apply_if(filter.is_plain().then_some(page.limit + 1), |query, limit| match backend {
            DbBackend::Postgres => query.filter(newest((organisation_id, filter.destination_id), (&window, limit))),
            _ => query,
        })
        .apply_if(filter.event_id, |query, id| query.filter(Column::EventId.eq(id.0)))
        .apply_if(filter.destination_id, |query, id| query.filter(Column::DestinationId.eq(id.0)))
        .apply_if(filter.event_type.as_deref(), |query, kind| {
            query.filter(matches_glob(backend, event::Column::Kind.into_expr(), kind))
        })
        .apply_if(filter.text.as_deref(), |query, text| {
            let of = |column: Expr| contains(backend, column, text);
            query.filter(Condition::any().add(of(Expr::cust(derived::REASON))).add(of(event::Column::Kind.into_expr())))
        });
    let query = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1);
    let rows = db.query_all_raw(query.build(backend)).await?;
    let found = rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    Ok(window.cut(found, page.limit, |found| found.delivery.id.0))
}

/// Finds a delivery by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_named(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    id: DeliveryId,
) -> Result<NamedDelivery> {
    let query = named(db.get_database_backend()).filter(of_organisation(organisation_id)).filter(Column::Id.eq(id.0));
    let found = db.query_one_raw(query.build(db.get_database_backend())).await?;
    row(&found.ok_or_else(|| Error::not_found(Noun::Delivery, id))?)
}

fn of_organisation(id: OrganisationId) -> Expr {
    Column::OrganisationId.eq(id.0)
}

/// Returns a condition by which the deliveries in a state are found by the indexes of those, up to `limit`. They are in one
/// of two tables. The other conditions are still to be met.
fn of_state(
    backend: DbBackend,
    state: DeliveryState,
    (organisation_id, destination_id): (OrganisationId, Option<DestinationId>),
    (window, limit): (&Window, Option<u32>),
) -> Option<Expr> {
    let mut values: Vec<Value> = Vec::new();
    let limit = limit.map_or(String::new(), |limit| format!(" LIMIT {limit}"));
    // The state is no parameter: the partial indexes are used for a known one alone.
    let mut part = |from: &str, (table, id): (&str, &str), condition: &str| {
        let mut value = |value: Uuid| {
            values.push(value.into());
            placeholders::one(backend, values.len() - 1)
        };
        let owner = match destination_id {
            None => format!("{table}.organisation_id = {}", value(organisation_id.0)),
            Some(id) => format!("{table}.destination_id = {}", value(id.0)),
        };
        format!(
            "SELECT id FROM (SELECT {table}.{id} AS id FROM {from} WHERE {owner} AND {condition}{} \
             ORDER BY {table}.{id} DESC{limit}) AS part",
            window.and_has(&format!("{table}.{id}"), value)
        )
    };
    let first = match state {
        DeliveryState::Failed | DeliveryState::Skipped => {
            let condition = format!("delivery.state = '{}' AND delivery_progress.state IS NULL", state.as_str());
            part(derived::SOURCE, ("delivery", "id"), &condition)
        }
        DeliveryState::Pending if destination_id.is_some() => {
            part(derived::SOURCE, ("delivery", "id"), progress::QUEUED)
        }
        DeliveryState::Pending | DeliveryState::Delivered => return None,
    };
    let later = format!("delivery_progress.state = '{}'", state.as_str());
    let later = part("delivery_progress", ("delivery_progress", "delivery_id"), &later);
    let found = format!("{first} UNION ALL {later}");
    let condition = match backend {
        DbBackend::Postgres => among(&found),
        _ => format!("delivery.id IN ({found})"),
    };
    Some(Expr::cust_with_values(condition, values))
}

/// Returns the condition of the deliveries that a query finds, on PostgreSQL: an array is found first, whatever the
/// statistics, and leaves out the partitions that have none of it.
fn among(found: &str) -> String {
    format!("delivery.id = ANY (ARRAY ({found}))")
}

/// Returns the condition of the newest deliveries on PostgreSQL, of an organisation and, if there is one, a destination.
fn newest(
    (organisation_id, destination_id): (OrganisationId, Option<DestinationId>),
    (window, limit): (&Window, u32),
) -> Expr {
    let mut values: Vec<Value> = Vec::new();
    let mut value = |value: Uuid| {
        values.push(value.into());
        placeholders::one(DbBackend::Postgres, values.len() - 1)
    };
    let owner = value(organisation_id.0);
    let to = destination_id.map(|id| format!(" AND d.destination_id = {}", value(id.0))).unwrap_or_default();
    let found = format!(
        "SELECT d.id FROM delivery d WHERE d.organisation_id = {owner}{to}{} ORDER BY d.id DESC LIMIT {limit}",
        window.and_has("d.id", value)
    );
    Expr::cust_with_values(among(&found), values)
}

fn named(backend: DbBackend) -> Select<Deliveries> {
    let mut query = Deliveries::find().select_only();
    for (name, expression) in derived::columns(backend) {
        query = query.expr_as(Expr::cust(expression), name);
    }
    let mut query = query
        .expr_as(Expr::cust("NULL"), "content")
        .column_as(event::Column::Kind, "event_type")
        .column_as(destination::Column::Kind, "destination_kind")
        .column_as(destination::Column::Name, "destination_name");
    let of_event = event::Column::OrganisationId
        .into_expr()
        .eq(Column::OrganisationId.into_expr())
        .and(event::Column::Id.into_expr().eq(Column::EventId.into_expr()));
    let of_destination = destination::Column::Id.into_expr().eq(Column::DestinationId.into_expr());
    let of_progress = delivery_progress::Column::OrganisationId
        .into_expr()
        .eq(Column::OrganisationId.into_expr())
        .and(delivery_progress::Column::DeliveryId.into_expr().eq(Column::Id.into_expr()));
    // SQLite takes the tables of a cross join in their order. Otherwise statistics may let it begin with the events, all of
    // the organisation for one page.
    QueryTrait::query(&mut query)
        .cross_join(event::Entity)
        .cross_join(destination::Entity)
        .left_join(delivery_progress::Entity, of_progress)
        .and_where(of_event)
        .and_where(of_destination);
    query
}

fn row(row: &QueryResult) -> Result<NamedDelivery> {
    Ok(NamedDelivery {
        delivery: delivery(Row::from_query_result(row, "")?)?,
        event_type: row.try_get("", "event_type")?,
        destination_kind: row.try_get("", "destination_kind")?,
        destination_name: row.try_get("", "destination_name")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::kernel::plan;

    #[tokio::test]
    async fn a_page_begins_with_the_deliveries_whatever_the_statistics() {
        let db = plan::migrated().await;
        let many = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)";
        for statement in [
            "INSERT INTO organisation (id, slug, name, created_at) VALUES (x'01', 'a', 'a', '2026-01-01')".to_owned(),
            "INSERT INTO destination (id, organisation_id, kind, name, address, health, woken, success_count, \
             failure_count, created_at) VALUES (x'02', x'01', 'webhook', 'a', 'a', 'healthy', FALSE, 0, 0, '2026-01-01')"
                .to_owned(),
            format!(
                "{many} INSERT INTO event (organisation_id, id, kind, source, attributes, data, created_at) \
                 SELECT x'01', n, 'a', 'api', '{{}}', '{{}}', '2026-01-01' FROM n"
            ),
            format!(
                "{many} INSERT INTO delivery (organisation_id, id, event_id, destination_id, state, attempts, created_at, \
                 seq) SELECT x'01', n, n, x'02', 'pending', 0, '2026-01-01', n FROM n"
            ),
            "ANALYZE".to_owned(),
        ] {
            db.execute_unprepared(&statement).await.unwrap();
        }
        let page = named(DbBackend::Sqlite)
            .filter(of_organisation(OrganisationId(Uuid::from_u128(1))))
            .filter(Column::Id.gte(Uuid::nil()))
            .filter(Column::Id.lt(Uuid::max()))
            .order_by_desc(Column::Id)
            .limit(51);
        let steps = plan::steps(&db, page.build(DbBackend::Sqlite)).await;
        assert!(steps[0].starts_with("SEARCH delivery USING "), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }
}
