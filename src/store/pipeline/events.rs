//! Events, and the idempotency records that keep each from being accepted twice.

pub(in crate::store::pipeline) mod arrays;

use std::{collections::HashMap, sync::Arc};

use ::entity::{
    event::{ActiveModel, Column, Entity as Events, Model as Row},
    inbound_receipt::{self, Entity as Records},
    large_text::LargeText,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Statement,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use crate::{
    domain::{
        Error, Result,
        ambient::Time,
        error::Noun,
        ids::{ChannelId, EventId, OrganisationId},
        page::{Page, PageRequest},
        pipeline::event::{Event, EventSource, Fact},
        search::Period,
        trace::Traceparent,
    },
    store::{
        Tx, corrupt,
        kernel::{
            batches,
            search::{Window, matches_glob},
        },
    },
};

/// Idempotency key of an incoming event, by which its repetition is recognised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Its organisation.
    pub organisation_id: OrganisationId,
    /// Source of the event.
    pub source: EventSource,
    /// Key within that source.
    pub key: String,
}

/// Idempotency record: the event that was accepted under a key.
#[derive(Clone, Debug)]
pub struct IdempotencyRecord {
    /// The event.
    pub event_id: EventId,
    /// SHA-256 of the payload.
    pub fingerprint: [u8; 32],
    /// Time from which on the key may be reused.
    pub expires_at: Time,
}

/// Filter of events; `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Glob of their types.
    pub kind: Option<String>,
    /// Their source.
    pub source: Option<String>,
    /// Their channel.
    pub channel_id: Option<ChannelId>,
    /// Name and value of an attribute that they have.
    pub attribute: Option<(String, String)>,
    /// Their period.
    pub period: Period,
}

impl Filter {
    /// Returns the filter of a channel's events.
    pub fn of_channel(id: ChannelId) -> Self {
        Self { channel_id: Some(id), ..Self::default() }
    }

    /// Returns true if an index has the events that match, so that a page reads no others.
    fn is_indexed(&self) -> bool {
        self.kind.is_none() && self.source.is_none() && self.attribute.is_none()
    }
}

/// Inserts events.
///
/// # Errors
/// When the database fails.
pub async fn insert_many(tx: &Tx, events: &[Event]) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        return batches::write(tx, events, arrays::insert).await;
    }
    for run in batches::runs(events) {
        Events::insert_many(run.iter().map(row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Inserts events, last in a transaction.
///
/// # Errors
/// When the database fails.
pub async fn insert_last(tx: &Tx, events: &[Event]) -> Result<()> {
    let backend = tx.get_database_backend();
    if backend != DbBackend::Postgres || events.is_empty() {
        return insert_many(tx, events).await;
    }
    let mut values = Vec::new();
    let sql = arrays::insert(events, &mut values);
    tx.last(&Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Inserts idempotency records. Returns the existing records of the keys that had one.
///
/// # Errors
/// When the database fails.
pub async fn insert_records(
    tx: &Tx,
    records: Vec<(IdempotencyKey, IdempotencyRecord)>,
    now: Time,
) -> Result<HashMap<IdempotencyKey, IdempotencyRecord>> {
    use inbound_receipt::{ActiveModel, Column};
    if records.is_empty() {
        return Ok(HashMap::new());
    }
    let mine: HashMap<IdempotencyKey, EventId> =
        records.iter().map(|(key, record)| (key.clone(), record.event_id)).collect();
    let mut same = Condition::any();
    for key in mine.keys() {
        same = same.add(
            Column::OrganisationId
                .eq(key.organisation_id.0)
                .and(Column::Source.eq(key.source.as_str()))
                .and(Column::Key.eq(key.key.as_str())),
        );
    }
    Records::delete_many().filter(same.clone()).filter(Column::ExpiresAt.lte(now)).exec(tx).await?;
    let rows = records.into_iter().map(|(key, record)| ActiveModel {
        organisation_id: Set(key.organisation_id.0),
        source: Set(key.source.as_str().to_owned()),
        key: Set(key.key),
        event_id: Set(record.event_id.0),
        fingerprint: Set(record.fingerprint.to_vec()),
        expires_at: Set(record.expires_at),
    });
    let there = OnConflict::columns([Column::OrganisationId, Column::Source, Column::Key]).do_nothing().to_owned();
    Records::insert_many(rows).on_conflict(there).exec_without_returning(tx).await?;
    let mut before = HashMap::new();
    for row in Records::find().filter(same).all(tx).await? {
        let source = EventSource::stored(row.source);
        let key = IdempotencyKey { organisation_id: row.organisation_id.into(), source, key: row.key };
        let record = IdempotencyRecord {
            event_id: row.event_id.into(),
            fingerprint: row.fingerprint.try_into().unwrap_or_default(),
            expires_at: row.expires_at,
        };
        if mine.get(&key) != Some(&record.event_id) {
            before.insert(key, record);
        }
    }
    Ok(before)
}

/// Finds an event by its identifier.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, organisation_id: OrganisationId, id: EventId) -> Result<Event> {
    let row = Events::find_by_id((organisation_id.0, id.0)).one(db).await?;
    event(row.ok_or_else(|| Error::not_found(Noun::Event, id))?)
}

/// Finds the event that was accepted under a key.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_by_key(db: &impl ConnectionTrait, key: &IdempotencyKey) -> Result<Event> {
    let id = (key.organisation_id.0, key.source.as_str().to_owned(), key.key.clone());
    let record = Records::find_by_id(id).one(db).await?;
    let record = record.ok_or_else(|| Error::not_found(Noun::Event, &key.key))?;
    find(db, key.organisation_id, record.event_id.into()).await
}

/// Removes an idempotency record: its key may be reused. Returns false where there was none.
///
/// # Errors
/// When the database fails.
pub async fn delete_record(db: &impl ConnectionTrait, key: &IdempotencyKey) -> Result<bool> {
    let id = (key.organisation_id.0, key.source.as_str().to_owned(), key.key.clone());
    Ok(Records::delete_by_id(id).exec(db).await?.rows_affected > 0)
}

/// Removes expired idempotency records. Returns their number.
///
/// # Errors
/// When the database fails.
pub async fn remove_expired_records(db: &impl ConnectionTrait, now: Time) -> Result<u64> {
    let expired = inbound_receipt::Column::ExpiresAt.lte(now);
    Ok(Records::delete_many().filter(expired).exec(db).await?.rows_affected)
}

/// Lists the events of an organisation, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    organisation_id: OrganisationId,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Event>> {
    let window = if filter.is_indexed() {
        Window::whole(filter.period, page)
    } else {
        let of = (Column::OrganisationId, organisation_id);
        Window::bounded::<Events>(db, of, Column::Id, (filter.period, page)).await?
    };
    let backend = db.get_database_backend();
    let query = Events::find()
        .filter(Column::OrganisationId.eq(organisation_id.0))
        .filter(window.has(Column::Id))
        .apply_if(filter.channel_id, |query, id| query.filter(Column::ChannelId.eq(id.0)))
        .apply_if(filter.source.as_deref(), |query, source| query.filter(Column::Source.eq(source)))
        .apply_if(filter.kind.as_deref(), |query, kind| {
            query.filter(matches_glob(backend, Column::Kind.into_expr(), kind))
        })
        .apply_if(filter.attribute.as_ref(), |query, attribute| query.filter(has_attribute(backend, attribute)));
    let rows = query.order_by_desc(Column::Id).limit(u64::from(page.limit) + 1).all(db).await?;
    let events = rows.into_iter().map(event).collect::<Result<Vec<_>>>()?;
    Ok(window.cut(events, page.limit, |event| event.id.0))
}

/// Counts the events of a type in a channel.
///
/// # Errors
/// When the database fails.
pub async fn count_of_kind(
    db: &impl ConnectionTrait,
    (organisation_id, channel_id): (OrganisationId, ChannelId),
    kind: &str,
) -> Result<u64> {
    let of = Events::find().filter(Column::OrganisationId.eq(organisation_id.0));
    Ok(of.filter(Column::ChannelId.eq(channel_id.0)).filter(Column::Kind.eq(kind)).count(db).await?)
}

fn has_attribute(backend: DbBackend, (name, value): &(String, String)) -> Expr {
    let condition = match backend {
        DbBackend::Postgres => "event.attributes::JSONB ->> $1 = $2",
        _ => "event.attributes ->> ? = ?",
    };
    Expr::cust_with_values(condition, [name.as_str(), value.as_str()])
}

fn row(event: &Event) -> ActiveModel {
    let fact = &event.fact;
    ActiveModel {
        id: Set(event.id.0),
        organisation_id: Set(event.organisation_id.0),
        channel_id: Set(fact.channel_id.map(|id| id.0)),
        kind: Set(fact.kind.clone()),
        source: Set(event.source.as_str().to_owned()),
        attributes: Set(attributes(event)),
        data: Set(LargeText(fact.data.to_string())),
        made_from: Set(event.made_from.map(|id| id.0)),
        path: Set(path(event)),
        traceparent: Set(event.trace.map(|trace| trace.to_string())),
        created_at: Set(event.created_at),
    }
}

fn attributes(event: &Event) -> String {
    serde_json::json!(event.fact.attributes).to_string()
}

fn path(event: &Event) -> Option<String> {
    (!event.path.is_empty()).then(|| serde_json::json!(event.path).to_string())
}

pub(in crate::store) fn event(row: Row) -> Result<Event> {
    let (attributes, data) = (serde_json::from_str(&row.attributes), serde_json::from_str(&row.data.0));
    let path = row.path.as_deref().map(serde_json::from_str).transpose();
    Ok(Event {
        id: row.id.into(),
        organisation_id: row.organisation_id.into(),
        source: EventSource::stored(row.source),
        fact: Fact {
            kind: row.kind,
            channel_id: row.channel_id.map(ChannelId),
            attributes: attributes.map_err(|error| corrupt("event", "attributes", error))?,
            data: data.map(Arc::new).map_err(|error| corrupt("event", "data", error))?,
        },
        made_from: row.made_from.map(EventId),
        path: path.map_err(|error| corrupt("event", "path", error))?.unwrap_or_default(),
        trace: row.traceparent.as_deref().and_then(Traceparent::parse),
        created_at: row.created_at,
    })
}
