//! Searches of lists by conditions that no index serves: each page looks at a bounded number of rows.
//!
//! Not here: the conditions.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LikeExpr, extension::postgres::PgExpr},
};
use uuid::Uuid;

use crate::domain::{
    Result,
    ids::OrganisationId,
    page::{Page, PageRequest},
    search::Period,
};

/// Maximum number of rows that one page of a search looks at.
const MOST: u64 = 10_000;

/// Range of identifiers that a page is made from: `from` is inclusive, `to` exclusive.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Window {
    pub from: Uuid,
    pub to: Uuid,
    /// The search goes on below.
    unfinished: bool,
}

impl Window {
    /// Returns everything that is left of a period, for conditions that an index serves.
    pub fn whole(period: Period, page: PageRequest) -> Self {
        let to = page.after.map_or(period.end(), |after| Ord::min(after, period.end()));
        Self { from: period.first(), to, unfinished: false }
    }

    /// Returns the next [`MOST`] rows of an organisation: `E` has an index of organisation and `id`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bounded<E: EntityTrait>(
        db: &impl ConnectionTrait,
        (organisation, organisation_id): (E::Column, OrganisationId),
        id: E::Column,
        (period, page): (Period, PageRequest),
    ) -> Result<Self> {
        let whole = Self::whole(period, page);
        let query = E::find().select_only().column(id).filter(organisation.eq(organisation_id.0));
        let query = query.filter(id.gte(whole.from)).filter(id.lt(whole.to)).order_by_desc(id);
        let last: Option<Uuid> = query.offset(MOST - 1).into_tuple().one(db).await?;
        Ok(last.map_or(whole, |from| Self { from, unfinished: true, ..whole }))
    }

    /// Makes a page of `limit + 1` found rows. Where fewer were found, it goes on below the window.
    pub fn cut<T>(&self, found: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let mut page = Page::cut(found, limit, id);
        page.next = page.next.or(self.unfinished.then_some(self.from));
        page
    }
}

/// Matches a text against a glob, in which `*` stands for any characters, in any case.
pub(in crate::store) fn matches_glob(backend: DbBackend, text: Expr, glob: &str) -> Expr {
    like(backend, text, |literally| literally(glob).replace('*', "%"))
}

/// Matches the texts that contain another, in any case.
pub(in crate::store) fn contains(backend: DbBackend, text: Expr, part: &str) -> Expr {
    like(backend, text, |literally| format!("%{}%", literally(part)))
}

/// PostgreSQL's patterns have a backslash as their escape, and SQLite's none but a named one. Its LIKE ignores the case of
/// ASCII letters by itself.
fn like(backend: DbBackend, text: Expr, pattern: impl Fn(&dyn Fn(&str) -> String) -> String) -> Expr {
    let escape = if backend == DbBackend::Postgres { '\\' } else { '!' };
    let literally = |text: &str| {
        let special = |c: char| c == escape || c == '%' || c == '_';
        text.chars().flat_map(|c| special(c).then_some(escape).into_iter().chain([c])).collect()
    };
    let pattern = LikeExpr::new(pattern(&literally));
    if backend == DbBackend::Postgres { text.ilike(pattern) } else { text.like(pattern.escape(escape)) }
}
