//! Statements that write within another one, before it locks anything (data-modifying CTEs of PostgreSQL): one round trip
//! for all of them.
//!
//! Not here: the statements.

use std::fmt::Write;

/// CTEs that stand before those of a statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Ctes {
    /// Their list, for after `WITH`.
    pub list: String,
    /// Condition that they are done, for a CTE that locks rows: PostgreSQL executes what nobody asks for at the end.
    pub done: String,
}

impl Ctes {
    /// Creates the CTEs of some statements.
    pub fn of(writes: &[String]) -> Self {
        let mut ctes = Self::default();
        for (index, write) in writes.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(ctes.list, "written_{index} AS ({write} RETURNING 1), ");
            let _ = write!(ctes.done, " AND (SELECT COUNT(*) FROM written_{index}) >= 0");
        }
        ctes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_write_is_waited_for() {
        assert_eq!(Ctes::of(&[]), Ctes::default());
        let ctes = Ctes::of(&["INSERT INTO a SELECT 1".into(), "DELETE FROM b".into()]);
        assert_eq!(
            ctes.list,
            "written_0 AS (INSERT INTO a SELECT 1 RETURNING 1), written_1 AS (DELETE FROM b RETURNING 1), "
        );
        assert_eq!(ctes.done, " AND (SELECT COUNT(*) FROM written_0) >= 0 AND (SELECT COUNT(*) FROM written_1) >= 0");
    }
}
