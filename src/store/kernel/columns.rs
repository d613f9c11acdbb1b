//! Lists of columns, for statements that are written by hand.
//!
//! `*` is what a table has at the moment: while the next version adds columns, a prepared statement with it fails on
//! PostgreSQL ("cached plan must not change result type"), and on SQLite returns more columns than its client knows.

use sea_orm::{EntityTrait, IdenStatic, Iterable};

/// Lists the columns of an entity, of the table or alias `of`.
pub fn of<E: EntityTrait>(of: &str) -> String {
    let one = |column: E::Column| format!("{of}.{}", column.as_str());
    E::Column::iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_named() {
        let columns = of::<::entity::tick::Entity>("t");
        assert!(columns.starts_with("t.") && columns.contains(", t.") && !columns.contains('*'), "{columns}");
    }
}
