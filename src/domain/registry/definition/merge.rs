//! Merges a body into a definition, along the table of shapes: `null` removes, an absent member stays, maps merge by
//! their keys.
//!
//! Not here: the checks (`check.rs`). Valid values are merged and others ignored.

use serde_json::{Map, Value, json};

use super::shape::{ASIDE, ATTRIBUTES, BODY, Field, Fill, Merge, Null, Shape};

/// Returns the content of a definition after an update, with the defaults filled in.
pub(super) fn merged(former: Map<String, Value>, body: &Map<String, Value>) -> Map<String, Value> {
    let Shape::Object { fields, .. } = &BODY else { return former };
    let mut next = former;
    for field in fields.iter().filter(|field| !ASIDE.contains(&field.name)) {
        let Some(given) = body.get(field.name) else { continue };
        // In the product, an empty text clears the address.
        let is_none = matches!(field.shape, Shape::Url) && given.as_str() == Some("");
        member(field, if is_none { &Value::Null } else { given }, &mut next);
    }
    fill(fields, &mut next);
    next
}

/// Merges a given member into an existing object.
fn member(field: &Field, given: &Value, object: &mut Map<String, Value>) {
    if given.is_null() && field.null == Null::Never {
        return;
    }
    let former = object.get_mut(field.name).map(Value::take);
    match value(field.shape, former, given) {
        Some(value) => object.insert(field.name.to_owned(), value),
        None => object.shift_remove(field.name),
    };
}

/// Merges a value; `None` if it is removed.
fn value(shape: &Shape, former: Option<Value>, given: &Value) -> Option<Value> {
    match (shape, given) {
        (_, Value::Null) => None,
        (Shape::Map { of, null, .. }, Value::Object(given)) => {
            let mut map = object(former);
            for (key, given) in given.iter().filter(|(_, given)| !given.is_null() || *null != Null::Never) {
                let former = map.get_mut(key).map(Value::take);
                match value(of, former, given) {
                    Some(value) => map.insert(key.clone(), value),
                    None => map.shift_remove(key),
                };
            }
            Some(Value::Object(map))
        }
        (Shape::Object { fields, merge: Merge::Members }, Value::Object(given)) => {
            let mut object = object(former);
            for field in *fields {
                if let Some(given) = given.get(field.name) {
                    member(field, given, &mut object);
                }
            }
            fill(fields, &mut object);
            Some(Value::Object(object))
        }
        (Shape::Object { fields, merge: Merge::Whole }, Value::Object(given)) => {
            let mut former = object(former);
            let mut next = Map::new();
            for field in *fields {
                let given = given.get(field.name);
                let value = if std::ptr::eq(field.shape, &ATTRIBUTES) {
                    let former = former.remove(field.name);
                    let merged = match given {
                        Some(given) => value(field.shape, former, given),
                        None => former,
                    };
                    merged.filter(|attributes| attributes.as_object().is_some_and(|map| !map.is_empty()))
                } else {
                    given.and_then(|given| value(field.shape, None, given))
                };
                if let Some(value) = value {
                    next.insert(field.name.to_owned(), value);
                }
            }
            fill(fields, &mut next);
            Some(Value::Object(next))
        }
        // Of the wrong type, so the result is never used; but references to this member must not count as dangling.
        (Shape::Map { .. } | Shape::Object { .. }, given) => former.or_else(|| Some(given.clone())),
        (_, given) => Some(given.clone()),
    }
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Fills in absent members, also within existing objects. The entries of maps were filled when they were given.
fn fill(fields: &[Field], object: &mut Map<String, Value>) {
    for field in fields {
        let value = match (object.get_mut(field.name), field.fill) {
            (Some(Value::Object(inner)), Fill::Object) => {
                fill_object(field.shape, inner);
                continue;
            }
            (Some(_), _) | (None, Fill::Absent) => continue,
            (None, Fill::False) => Value::Bool(false),
            (None, Fill::List) => json!([]),
            (None, Fill::Object) => {
                let mut inner = Map::new();
                fill_object(field.shape, &mut inner);
                Value::Object(inner)
            }
        };
        object.insert(field.name.to_owned(), value);
    }
}

fn fill_object(shape: &Shape, object: &mut Map<String, Value>) {
    if let Shape::Object { fields, .. } = shape {
        fill(fields, object);
    }
}
