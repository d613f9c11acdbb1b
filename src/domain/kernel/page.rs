//! Cursor paging: by identifier, newest first.
//!
//! Identifiers are UUIDv7, so their order is the order of creation and a page boundary never moves. Not here: the
//! cursors on the wire.

use uuid::Uuid;

use crate::domain::{Error, Result};

/// The requested part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Page size, 1 to [`PageRequest::MAX_LIMIT`].
    pub limit: u32,
    /// The last item of the previous page.
    pub after: Option<Uuid>,
}

impl PageRequest {
    /// Maximum page size.
    pub const MAX_LIMIT: u32 = 250;
    /// Default page size.
    pub const DEFAULT_LIMIT: u32 = 50;

    /// Validates the page size.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `limit`.
    pub fn new(limit: Option<u32>, after: Option<Uuid>) -> Result<Self> {
        match limit.unwrap_or(Self::DEFAULT_LIMIT) {
            limit @ 1..=Self::MAX_LIMIT => Ok(Self { limit, after }),
            _ => Err(Error::invalid("limit", format!("must be 1 to {}", Self::MAX_LIMIT))),
        }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last.
    pub next: Option<Uuid>,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` items from `limit + 1` rows of the database.
    pub fn cut(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(id) } else { None };
        Self { items, next }
    }

    /// Converts the items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_there_is_more() {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let page = Page::cut(ids.clone(), 2, |id| *id);
        assert_eq!((page.items.len(), page.next), (2, Some(ids[1])));
        let page = Page::cut(ids, 3, |id| *id);
        assert_eq!((page.items.len(), page.next), (3, None));
    }

    #[test]
    fn limits_are_bounded() {
        assert!(PageRequest::new(Some(0), None).is_err());
        assert!(PageRequest::new(Some(251), None).is_err());
        assert_eq!(PageRequest::new(None, None).ok().map(|p| p.limit), Some(50));
    }
}
