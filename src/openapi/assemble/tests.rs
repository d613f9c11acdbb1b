//! Tests that nothing is lost in the typed model, and nothing clashes.

use super::*;
use crate::{api::ALL, openapi::documents};

/// Collects the locations at which two values differ.
fn differences(place: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let place = format!("{place}/{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(&place, a, b, found),
                    (Some(a), None) => found.push(format!("{place} is lost: {a}")),
                    (None, _) => found.push(format!("{place} is new")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.for_each(|(index, (a, b))| differences(&format!("{place}/{index}"), a, b, found));
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{place} was {a} and is {b}")),
    }
}

#[test]
fn nothing_is_lost_in_silence() {
    for document in &documents().unwrap().dialects {
        let upgraded = upgrade(&document.value);
        let typed = serde_json::to_value(read(&upgraded).unwrap()).unwrap();
        let mut found = Vec::new();
        differences("", &upgraded, &typed, &mut found);
        assert!(found.is_empty(), "{}: {found:#?}", document.name);
    }
}

#[test]
fn the_assembled_document_has_every_operation_and_tag() {
    let documents = documents().unwrap();
    let whole = &documents.assembled.value;
    assert_eq!(whole["openapi"], "3.1.0");
    let count = |value: &Value| -> usize {
        value["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum()
    };
    assert_eq!(count(whole), documents.dialects.iter().map(|one| count(&one.value)).sum::<usize>());
    let tags: Vec<_> = documents.dialects.iter().flat_map(|one| names(&one.value["tags"])).collect();
    assert_eq!(names(&whole["tags"]), tags);
    assert_eq!(whole["x-tagGroups"].as_array().map(Vec::len), Some(ALL.len()));
}

#[test]
fn the_messages_that_we_send_are_in_it_and_nothing_of_them_is_lost() {
    let sent = webhooks::document();
    let typed = serde_json::to_value(read(&sent).unwrap()).unwrap();
    let mut found = Vec::new();
    differences("", &sent, &typed, &mut found);
    assert!(found.is_empty(), "{found:#?}");
    let documents = documents().unwrap();
    let whole = &documents.assembled.value;
    let mut sent = sent;
    forget_every_type(&mut sent);
    assert_eq!(whole["webhooks"], sent["webhooks"]);
    for (name, schema) in sent["components"]["schemas"].as_object().unwrap() {
        assert_eq!(&whole["components"]["schemas"][name], schema, "{name} is another's name too");
    }
    let tags = names(&whole["tags"]);
    for (name, item) in whole["webhooks"].as_object().unwrap() {
        assert!(tags.iter().any(|tag| **tag == item["post"]["tags"][0]), "{name}");
    }
}

fn two(first: Value, second: Value) -> [Document; 2] {
    [("one", "One", first), ("two", "Two", second)].map(|(name, title, value)| Document { name, title, value })
}

#[test]
fn a_name_that_two_dialects_use_gets_the_dialects_name() {
    let schema = |name: &str| json!({"components": {"schemas": {name: {"$ref": "#/components/schemas/Error"}}}});
    let documents = two(schema("Error"), schema("Error"));
    let clashes = clashes(&documents);
    let mut value = documents[0].value.clone();
    prefix(&mut value, "one", &clashes);
    assert_eq!(value["components"]["schemas"], json!({"OneError": {"$ref": "#/components/schemas/OneError"}}));
}

#[test]
fn nothing_is_claimed_twice() {
    let path = |path: &str, id: &str| json!({"paths": {path: {"get": {"operationId": id}}}});
    assert!(demand_distinct(&two(path("/a", "a"), path("/b", "b"))).is_ok());
    let error = demand_distinct(&two(path("/a", "a"), path("/a", "b"))).unwrap_err();
    assert_eq!(error, "two and one both have the path /a");
    assert!(demand_distinct(&two(path("/a", "a"), path("/b", "a"))).unwrap_err().contains("the operation a"));
}
