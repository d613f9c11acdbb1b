//! Lists as the product pages them: `offset` and `count`, and a small part of its database's query language in `sort`,
//! `query` and `fields`, which refer to the members of the rendered documents.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::api::shared::fault::{Fault, Protocol};

/// Default and maximum number of items on a page.
const DEFAULT_COUNT: u64 = 50;
const MOST: u64 = 100;
/// Maximum length of each JSON parameter.
const MAX_BYTES: usize = 4096;

/// Parsed parameters of a list.
#[derive(Debug, Default)]
pub struct Listing {
    offset: u64,
    count: u64,
    sort: Vec<(String, bool)>,
    query: Map<String, Value>,
    fields: Option<Fields>,
}

/// Projection of a document.
#[derive(Debug)]
enum Fields {
    Only(Vec<String>),
    Without(Vec<String>),
}

/// The parameters as they were sent.
#[derive(Debug, Default)]
pub struct Asked {
    /// Number of items to skip.
    pub offset: Option<u64>,
    /// Requested number of items; 0 means the maximum.
    pub count: Option<u64>,
    /// JSON: members to sort by, each with 1 or -1.
    pub sort: Option<String>,
    /// JSON: members to filter by, each with a value or `{"$in": […]}`.
    pub query: Option<String>,
    /// JSON: members, each with 1, or each with 0.
    pub fields: Option<String>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The documents of the page.
    pub items: Vec<Value>,
    /// Number of skipped items.
    pub offset: u64,
    /// Number of all items.
    pub total: u64,
}

impl Listing {
    /// Parses the parameters.
    ///
    /// # Errors
    /// [`Protocol::Parameter`] naming the first invalid one.
    pub fn read(asked: Asked) -> Result<Self, Fault> {
        // The document says `int64`, and no database counts further.
        for (name, value) in [("offset", asked.offset), ("count", asked.count)] {
            if value.is_some_and(|value| i64::try_from(value).is_err()) {
                return Err(wrong(name, "must be at most 9223372036854775807"));
            }
        }
        let mut listing = Self {
            offset: asked.offset.unwrap_or_default(),
            count: match asked.count {
                None => DEFAULT_COUNT,
                Some(0) => MOST,
                Some(count) => count.min(MOST),
            },
            ..Self::default()
        };
        for (name, value) in object("sort", asked.sort)? {
            let descending = match value.as_i64() {
                Some(1) => false,
                Some(-1) => true,
                _ => return Err(wrong("sort", "takes 1 or -1 for each member")),
            };
            listing.sort.push((name, descending));
        }
        listing.query = object("query", asked.query)?;
        for (name, value) in &listing.query {
            let plain = !value.is_object() && !value.is_array();
            let one_of = value
                .as_object()
                .is_some_and(|object| object.len() == 1 && object.get("$in").is_some_and(Value::is_array));
            if name.starts_with('$') || !(plain || one_of) {
                return Err(wrong("query", "takes members with a value or with {\"$in\": [...]}"));
            }
        }
        let fields = object("fields", asked.fields)?;
        let wanted = |value: &Value| value.as_i64() == Some(1) || value.as_bool() == Some(true);
        let unwanted = |value: &Value| value.as_i64() == Some(0) || value.as_bool() == Some(false);
        if !fields.is_empty() {
            listing.fields = Some(if fields.values().all(wanted) {
                Fields::Only(fields.into_iter().map(|(name, _)| name).collect())
            } else if fields.values().all(unwanted) {
                Fields::Without(fields.into_iter().map(|(name, _)| name).collect())
            } else {
                return Err(wrong("fields", "takes 1 for each member, or 0 for each"));
            });
        }
        Ok(listing)
    }

    /// Returns the offset and the maximum number of items.
    pub fn window(&self) -> (u64, u64) {
        (self.offset, self.count)
    }

    /// Filters, sorts and pages the documents.
    pub fn pick(&self, mut documents: Vec<Value>) -> Page {
        documents.retain(|document| self.query.iter().all(|(name, wanted)| is_like(member(document, name), wanted)));
        documents.sort_by(|one, other| self.order(one, other));
        let total = documents.len() as u64;
        let items = documents.into_iter().skip(usize::try_from(self.offset).unwrap_or(usize::MAX));
        let count = usize::try_from(self.count).unwrap_or_default();
        let items = items.take(count).map(|document| self.shown(document)).collect();
        Page { items, offset: self.offset, total }
    }

    /// Applies the projection to a document.
    pub fn shown(&self, document: Value) -> Value {
        let Value::Object(mut document) = document else { return document };
        match &self.fields {
            None => {}
            Some(Fields::Only(names)) => document.retain(|name, _| name == "_id" || names.contains(name)),
            Some(Fields::Without(names)) => document.retain(|name, _| !names.contains(name)),
        }
        document.into()
    }

    fn order(&self, one: &Value, other: &Value) -> Ordering {
        let by = |(name, descending): &(String, bool)| {
            let order = compare(member(one, name), member(other, name));
            if *descending { order.reverse() } else { order }
        };
        self.sort.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Returns a member, or a nested member by `a.b`.
fn member<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(document, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// A list matches a value if one of its items does.
fn is_like(found: &Value, wanted: &Value) -> bool {
    let same = |wanted: &Value| found == wanted || found.as_array().is_some_and(|items| items.contains(wanted));
    match wanted.get("$in").and_then(Value::as_array) {
        Some(several) => several.iter().any(same),
        None => same(wanted),
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Object(_) => 3,
        Value::Array(_) => 4,
        Value::Bool(_) => 5,
    };
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal)
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

fn object(name: &'static str, text: Option<String>) -> Result<Map<String, Value>, Fault> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Map::new()) };
    if text.len() > MAX_BYTES {
        return Err(wrong(name, "is too long"));
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(wrong(name, "must be a JSON object")),
    }
}

fn wrong(name: &str, reason: &str) -> Fault {
    Protocol::Parameter { name: name.to_owned(), reason: reason.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pick(asked: Asked) -> Result<(Vec<Value>, u64), String> {
        let documents = (0..5).map(|n| json!({"_id": n, "name": (["a", "b"])[n % 2], "in": {"n": n}, "tags": [n, 9]}));
        let listing = Listing::read(asked).map_err(|fault| fault.to_string())?;
        let page = listing.pick(documents.collect());
        Ok((page.items.iter().map(|item| item["_id"].clone()).collect(), page.total))
    }

    fn asked(sort: &str, query: &str) -> Asked {
        Asked { sort: Some(sort.into()), query: Some(query.into()), ..Asked::default() }
    }

    #[test]
    fn pages_are_cut() {
        let page =
            |offset, count| pick(Asked { offset: Some(offset), count: Some(count), ..Asked::default() }).unwrap();
        assert_eq!(page(1, 2), (vec![json!(1), json!(2)], 5));
        assert_eq!(page(0, 0).0.len(), 5);
        assert_eq!(page(9, 2), (vec![], 5));
        assert_eq!(page(i64::MAX as u64, i64::MAX as u64), (vec![], 5));
        let over = i64::MAX as u64 + 1;
        for asked in [Asked { offset: Some(over), ..Asked::default() }, Asked { count: Some(over), ..Asked::default() }]
        {
            assert!(pick(asked).is_err());
        }
    }

    #[test]
    fn documents_are_chosen_and_sorted() {
        for (sort, query, expected) in [
            (r#"{"name": 1, "_id": -1}"#, "", vec![4, 2, 0, 3, 1]),
            ("", r#"{"name": "b"}"#, vec![1, 3]),
            ("", r#"{"name": {"$in": ["b", "c"]}, "in.n": 3}"#, vec![3]),
            ("", r#"{"tags": 2}"#, vec![2]),
            ("", r#"{"none": null}"#, vec![0, 1, 2, 3, 4]),
        ] {
            let expected: Vec<Value> = expected.into_iter().map(Value::from).collect();
            assert_eq!(pick(asked(sort, query)).unwrap().0, expected, "{sort} {query}");
        }
        for (sort, query) in
            [("[]", ""), ("{", ""), (r#"{"a": 2}"#, ""), ("", r#"{"$where": "x"}"#), ("", r#"{"a": {"$gt": 1}}"#)]
        {
            assert!(pick(asked(sort, query)).is_err(), "{sort} {query}");
        }
    }

    #[test]
    fn members_are_chosen() {
        let shown = |fields: &str| {
            let asked = Asked { fields: Some(fields.into()), ..Asked::default() };
            Listing::read(asked).map(|listing| listing.shown(json!({"_id": 1, "a": 2, "b": 3})))
        };
        assert_eq!(shown(r#"{"a": 1}"#).unwrap(), json!({"_id": 1, "a": 2}));
        assert_eq!(shown(r#"{"a": 0}"#).unwrap(), json!({"_id": 1, "b": 3}));
        assert!(shown(r#"{"a": 0, "b": 1}"#).is_err());
    }
}
