//! Placeholders of hand-written statements: `?` for SQLite, `$1` for PostgreSQL.

use std::fmt::Write;

use sea_orm::DbBackend;

/// The placeholder of the value at `index`, from 0.
pub(super) fn one(backend: DbBackend, index: usize) -> String {
    if backend == DbBackend::Postgres { format!("${}", index + 1) } else { "?".to_owned() }
}

/// `(?, ?), (?, ?)` for `count` rows of `width` values, counted from 0.
pub(super) fn rows(backend: DbBackend, count: usize, width: usize) -> String {
    let mut text = String::with_capacity(count * width * 5);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            if column > 0 {
                text.push_str(", ");
            }
            if backend == DbBackend::Postgres {
                // Writing to a String cannot fail.
                let _ = write!(text, "${}", row * width + column + 1);
            } else {
                text.push('?');
            }
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
        assert_eq!(rows(DbBackend::Postgres, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(rows(DbBackend::Sqlite, 2, 2), "(?, ?), (?, ?)");
        assert_eq!(one(DbBackend::Postgres, 4), "$5");
    }
}
