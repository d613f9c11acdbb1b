//! Searches of lists by conditions that no index serves: each page looks at a bounded number of rows.
//!
//! Not here: the conditions.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
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
        let query = query.filter(whole.has(id)).order_by_desc(id);
        let last: Option<Uuid> = query.offset(MOST - 1).into_tuple().one(db).await?;
        Ok(last.map_or(whole, |from| Self { from, unfinished: true, ..whole }))
    }

    /// Returns its bounds. One that leaves nothing out is none: a plan that PostgreSQL keeps takes each for one that leaves
    /// out most rows, and sorts what an index has in order.
    fn bounds(&self) -> (Option<Uuid>, Option<Uuid>) {
        (Some(self.from).filter(|from| !from.is_nil()), Some(self.to).filter(|to| !to.is_max()))
    }

    /// Returns the condition of the identifiers in it.
    pub fn has(&self, id: impl ColumnTrait) -> Condition {
        let (from, to) = self.bounds();
        Condition::all().add_option(from.map(|from| id.gte(from))).add_option(to.map(|to| id.lt(to)))
    }

    /// Returns the same in words, after other conditions; `value` has the placeholder of a value.
    pub fn and_has(&self, id: &str, mut value: impl FnMut(Uuid) -> String) -> String {
        let (from, to) = self.bounds();
        let from = from.map(|from| format!(" AND {id} >= {}", value(from))).unwrap_or_default();
        from + &to.map(|to| format!(" AND {id} < {}", value(to))).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_leaves_nothing_out_is_none() {
        let page = |after| PageRequest { after, limit: 10 };
        let mut whole = Window::whole(Period::default(), page(None));
        let words = |window: &Window| window.and_has("d.id", |id| format!("'{id}'"));
        assert_eq!(words(&whole), "");
        assert_eq!(whole.has(::entity::event::Column::Id), Condition::all());
        let after = Window::whole(Period::default(), page(Some(Uuid::from_u128(7))));
        assert_eq!(words(&after), " AND d.id < '00000000-0000-0000-0000-000000000007'");
        whole.from = Uuid::from_u128(3);
        assert_eq!(words(&whole), " AND d.id >= '00000000-0000-0000-0000-000000000003'");
    }
}
