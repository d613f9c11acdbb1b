//! Placeholders of hand-written statements: `?` for SQLite, `$1` for PostgreSQL.
//!
//! Not here: the binding of values.

use std::fmt::Write;

use sea_orm::DbBackend;

/// Returns the placeholder of the value at `index`, from 0.
pub(in crate::store) fn one(backend: DbBackend, index: usize) -> String {
    if backend == DbBackend::Postgres { format!("${}", index + 1) } else { "?".to_owned() }
}

/// Returns `($3, $4), ($5, $6)` for `count` rows of `width` values, after the `first` ones. SQLite accepts these too.
pub(in crate::store) fn rows(first: usize, count: usize, width: usize) -> String {
    let mut text = String::with_capacity(count * width * 5);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            if column > 0 {
                text.push_str(", ");
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "${}", first + row * width + column + 1);
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles() {
        assert_eq!(rows(0, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(rows(12, 1, 2), "($13, $14)");
        assert_eq!(one(DbBackend::Sqlite, 4), "?");
        assert_eq!(one(DbBackend::Postgres, 4), "$5");
    }
}
