//! Rows as arrays of their columns: PostgreSQL takes any number of rows in one statement (`UNNEST`), which it prepares once.
//!
//! The arrays have no NULL. A value that may be absent has a stand-in, which is none of its values, and the statement
//! restores NULL by it.
//!
//! Not here: the tables.

use sea_orm::Value;
use uuid::Uuid;

use crate::domain::ambient::Time;

/// Column of several rows.
pub(in crate::store) struct Column {
    name: &'static str,
    /// Its value in a row `v`.
    value: String,
    array: Value,
}

impl Column {
    /// A column of ids.
    pub fn ids(name: &'static str, ids: impl Iterator<Item = Uuid>) -> Self {
        Self::plain(name, ids.collect::<Vec<_>>())
    }

    /// A column of ids that may be absent; the nil id is none.
    pub fn optional_ids(name: &'static str, ids: impl Iterator<Item = Option<Uuid>>) -> Self {
        let ids = ids.map(Option::unwrap_or_default).collect::<Vec<_>>();
        Self::absent(name, "'00000000-0000-0000-0000-000000000000'", ids)
    }

    /// A column of texts.
    pub fn texts<T: Into<String>>(name: &'static str, texts: impl Iterator<Item = T>) -> Self {
        Self::plain(name, texts.map(Into::into).collect::<Vec<String>>())
    }

    /// A column of texts that may be absent, and are never empty.
    pub fn optional_texts<T: Into<String>>(name: &'static str, texts: impl Iterator<Item = Option<T>>) -> Self {
        Self::absent(name, "''", texts.map(|text| text.map(Into::into).unwrap_or_default()).collect::<Vec<String>>())
    }

    /// A column of texts that may be absent, and may be empty: one that is there has a character before it.
    pub fn optional_texts_or_empty<'a>(name: &'static str, texts: impl Iterator<Item = Option<&'a str>>) -> Self {
        let marked = texts.map(|text| text.map(|text| format!("={text}")).unwrap_or_default()).collect::<Vec<_>>();
        let value = format!("CASE WHEN v.{name} <> '' THEN SUBSTR(v.{name}, 2) END");
        Self { name, value, array: marked.into() }
    }

    /// A column of times.
    pub fn times(name: &'static str, times: impl Iterator<Item = Time>) -> Self {
        Self::plain(name, times.collect::<Vec<_>>())
    }

    /// A column of times that may be absent; the epoch is none.
    pub fn optional_times(name: &'static str, times: impl Iterator<Item = Option<Time>>) -> Self {
        Self::absent(name, "'epoch'", times.map(|time| time.unwrap_or(Time::UNIX_EPOCH)).collect::<Vec<_>>())
    }

    /// A column of numbers.
    pub fn numbers<T>(name: &'static str, numbers: impl Iterator<Item = T>) -> Self
    where
        Vec<T>: Into<Value>,
    {
        Self::plain(name, numbers.collect::<Vec<_>>())
    }

    /// A column of numbers that may be absent, and are never zero.
    pub fn optional_numbers(name: &'static str, numbers: impl Iterator<Item = Option<i32>>) -> Self {
        Self::absent(name, "0", numbers.map(Option::unwrap_or_default).collect::<Vec<_>>())
    }

    /// A column with a value that the statement computes from these numbers, which it names `v` and the column.
    pub fn computed(name: &'static str, value: &str, numbers: impl Iterator<Item = i64>) -> Self {
        Self { name, value: value.to_owned(), array: numbers.collect::<Vec<_>>().into() }
    }

    fn plain(name: &'static str, array: impl Into<Value>) -> Self {
        Self { name, value: format!("v.{name}"), array: array.into() }
    }

    fn absent(name: &'static str, stand_in: &str, array: impl Into<Value>) -> Self {
        Self { name, value: format!("NULLIF(v.{name}, {stand_in})"), array: array.into() }
    }
}

/// Rows `v` from arrays, in a statement.
pub(in crate::store) struct Rows {
    columns: Vec<Column>,
}

impl Rows {
    /// Creates rows of these columns, which are of the same length.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect() }
    }

    /// Returns the statement that inserts them. Their arrays are added to its values.
    pub fn insert(self, table: &str, values: &mut Vec<Value>) -> String {
        let names = self.names();
        let selected = self.columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {table} ({names}) SELECT {selected} {}", self.from(&names, values))
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    fn from(self, names: &str, values: &mut Vec<Value>) -> String {
        let first = values.len() + 1;
        values.extend(self.columns.into_iter().map(|column| column.array));
        let arrays = (first..=values.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
        format!("FROM UNNEST({arrays}) AS v ({names})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_their_rows_from_arrays() {
        let rows = || {
            let ids = [1, 2].map(Uuid::from_u128);
            Rows::new([
                Column::ids("id", ids.into_iter()),
                Column::optional_texts("note", [Some("a"), None].into_iter()),
                Column::optional_times("at", [None, None].into_iter()),
            ])
        };
        let mut values = vec![Value::from(true)];
        assert_eq!(
            rows().insert("t", &mut values),
            "INSERT INTO t (id, note, at) SELECT v.id, NULLIF(v.note, ''), NULLIF(v.at, 'epoch') \
             FROM UNNEST($2, $3, $4) AS v (id, note, at)"
        );
        assert_eq!(values.len(), 4);
        assert_eq!(values[2], vec!["a".to_owned(), String::new()].into());
    }
}
