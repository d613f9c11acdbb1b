//! Names the objects within schemas and requests: a generator of clients numbers what has no name, and its `Actions3` may
//! be `Actions4` in the next version.
//!
//! An object is called after its place, which is the component, or the operation, and the properties on the way. Equal
//! objects are one component, which is called after what their places end in.

use serde_json::{Map, Value, json};

use super::{names::rename_components, publish::SCHEMAS};
use crate::api::shared::schema::each_operation;

/// Begins the names of objects until all of them are known; no other name contains it.
const UNNAMED: &str = "?";

/// An object without a name, and the places where it stands.
struct Found {
    schema: Value,
    places: Vec<Place>,
}

/// A place of a schema.
#[derive(Clone)]
struct Place {
    /// The words of the component's name and of the properties.
    words: Vec<String>,
    /// Number of words that lead to the object that contains it.
    outer: usize,
    is_entry: bool,
    /// Description of the object in this place.
    description: Option<Value>,
}

impl Place {
    fn of_component(name: &str) -> Self {
        Self { words: words(name), outer: 0, is_entry: false, description: None }
    }

    fn property(&self, name: &str) -> Self {
        let words = self.words.iter().cloned().chain(words(name)).collect();
        Self { words, outer: self.words.len(), is_entry: false, description: None }
    }

    /// An entry of a map or a list has the name of the property in the singular.
    fn entry(&self) -> Self {
        let mut place = Self { is_entry: true, ..self.clone() };
        if let Some(last) = place.words.last_mut() {
            *last = singular(last);
        }
        place
    }
}

/// Makes a component of every object with properties that stands within one.
///
/// # Errors
/// When two different objects would have the same name.
pub fn hoist(document: &mut Value) -> Result<(), String> {
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return Ok(()) };
    let mut found = Vec::new();
    for (name, schema) in schemas.iter_mut() {
        hoist_within(schema, &Place::of_component(name), &mut found);
    }
    each_operation(document, |_, operation| hoist_body(operation, &mut found));
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return Ok(()) };
    let mut names: Vec<String> = Vec::new();
    for one in &found {
        let is_free = |name: &String| !schemas.contains_key(name) && !names.contains(name);
        let name = candidates(one).into_iter().find(is_free);
        names.push(name.ok_or_else(|| format!("no name is left for {}", one.schema))?);
    }
    for (number, mut one) in found.into_iter().enumerate() {
        let description = one.places[0].description.take();
        if let Some(description) = description.filter(|_| one.places.len() == 1) {
            one.schema["description"] = description;
        }
        schemas.insert(format!("{UNNAMED}{number}"), one.schema);
    }
    rename_components(document, &|_, name| names.get(name.strip_prefix(UNNAMED)?.parse::<usize>().ok()?).cloned());
    Ok(())
}

/// Replaces the objects of a request, which is called after its operation.
fn hoist_body(operation: &mut Map<String, Value>, found: &mut Vec<Found>) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let place = Place::of_component(&format!("{id}Body"));
    let content = operation.get_mut("requestBody").and_then(|body| body.get_mut("content")?.as_object_mut());
    for (_, media) in content.into_iter().flatten() {
        media.get_mut("schema").into_iter().for_each(|schema| hoist_whole(schema, place.clone(), found));
    }
}

/// Replaces the objects within a schema by references, inner ones first: only then are outer ones equal.
fn hoist_within(schema: &mut Value, place: &Place, found: &mut Vec<Found>) {
    let Some(object) = schema.as_object_mut() else { return };
    for (name, property) in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        hoist_whole(property, place.property(name), found);
    }
    for key in ["items", "additionalProperties"] {
        object.get_mut(key).into_iter().for_each(|inner| hoist_whole(inner, place.entry(), found));
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        // The parts are what they are part of.
        for part in object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            hoist_within(part, place, found);
        }
    }
}

/// Replaces a schema by a reference where it is an object with properties, or else those within it.
fn hoist_whole(schema: &mut Value, mut place: Place, found: &mut Vec<Found>) {
    hoist_within(schema, &place, found);
    if schema["properties"].as_object().is_none_or(Map::is_empty) {
        return;
    }
    place.description = schema.as_object_mut().and_then(|object| object.shift_remove("description"));
    let object = schema.take();
    let number = found.iter().position(|one| one.schema == object).unwrap_or(found.len());
    *schema = json!({ "$ref": format!("{SCHEMAS}{UNNAMED}{number}") });
    if let Some(description) = &place.description {
        *schema = json!({ "description": description, "allOf": [schema] });
    }
    match found.get_mut(number) {
        Some(one) => one.places.push(place),
        None => found.push(Found { schema: object, places: vec![place] }),
    }
}

/// Names that an object may have, the best first.
fn candidates(found: &Found) -> Vec<String> {
    let first = &found.places[0];
    let whole: Vec<&[String]> = found.places.iter().map(|place| &place.words[..]).collect();
    let outer: Vec<&[String]> = found.places.iter().map(|place| &place.words[..place.outer]).collect();
    let mut names = Vec::new();
    match (common_end(&whole), common_end(&outer)) {
        // Nothing of their places is alike: a small one is called after its members.
        (0, 0) => names.extend(members(&found.schema)),
        (0, shared) => {
            let outer = outer[0];
            names.push(format!("{}Part", outer[outer.len() - shared..].concat()));
        }
        (shared, _) => names.extend((0..=first.words.len() - shared).rev().map(|from| first.words[from..].concat())),
    }
    names.push(first.words.concat());
    if first.is_entry {
        names.push(format!("{}Entry", first.words.concat()));
    }
    if found.schema["nullable"] == true {
        // OpenAPI 3.0 cannot say beside a reference that the value may be null.
        names.iter_mut().for_each(|name| name.push_str("OrNull"));
    }
    names
}

/// The name of an object of few members: that of `schema` alone is `SchemaObject`.
fn members(object: &Value) -> Option<String> {
    let members = object["properties"].as_object().filter(|members| members.len() < 3)?;
    Some(members.keys().flat_map(|name| words(name)).chain(["Object".to_owned()]).collect())
}

/// Number of the last words that all have.
fn common_end(all: &[&[String]]) -> usize {
    let [first, others @ ..] = all else { return 0 };
    let shared = |other: &[String]| first.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    others.iter().map(|other| shared(other)).min().unwrap_or(first.len())
}

/// The words of a name in camel case or with underscores, each with a capital.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut begins = true;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            begins = true;
            continue;
        }
        match words.last_mut() {
            Some(word) if !begins && !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_uppercase().collect()),
        }
        begins = false;
    }
    words
}

/// The singular of an English word, as far as names of properties need it.
fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(names: &[&str]) -> Value {
        let properties: Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": properties})
    }

    fn map(of: &Value) -> Value {
        json!({"type": "object", "additionalProperties": of})
    }

    /// The components that are made of these properties of an `App`, and the document.
    fn hoisted(properties: Value) -> (Vec<String>, Value) {
        let mut document = json!({"components": {"schemas": {
            "App": {"type": "object", "properties": properties}, "Colour": {"type": "string"},
        }}});
        hoist(&mut document).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        (schemas.keys().skip(2).cloned().collect(), document)
    }

    #[test]
    fn an_object_is_named_by_its_place_and_an_entry_in_the_singular() {
        let category = map(&json!({"type": "object", "properties": {"owner_name": text(&["a"])}}));
        let (names, document) =
            hoisted(json!({"categories": category, "tags": {"type": "array", "items": text(&["b"])}}));
        assert_eq!(names, ["AppCategoryOwnerName", "AppCategory", "AppTag"]);
        let schemas = &document["components"]["schemas"];
        let reference = json!({"$ref": "#/components/schemas/AppCategory"});
        assert_eq!(schemas["App"]["properties"]["categories"]["additionalProperties"], reference);
        assert_eq!(schemas["AppCategoryOwnerName"], text(&["a"]));
    }

    #[test]
    fn the_object_of_a_request_is_called_after_its_operation() {
        let body = json!({"content": {"application/x-www-form-urlencoded": {"schema": text(&["payload"])}}});
        let mut document = json!({
            "paths": {"/a": {"post": {"operationId": "sendIt", "requestBody": body}}}, "components": {"schemas": {}},
        });
        hoist(&mut document).unwrap();
        assert_eq!(document["components"]["schemas"], json!({"SendItBody": text(&["payload"])}));
    }

    #[test]
    fn equal_objects_are_one_and_are_named_by_what_their_places_share() {
        let tagged = json!({"type": "object", "properties": {"tag": text(&["title"]), "x": {"type": "string"}}});
        let other = json!({"type": "object", "properties": {"tag": text(&["title"]), "y": {"type": "string"}}});
        assert_eq!(hoisted(json!({"first": tagged, "second": other})).0, ["Tag", "AppFirst", "AppSecond"]);
        let same = || text(&["a", "b", "c"]);
        assert_eq!(hoisted(json!({"input": same(), "output": same()})).0, ["AppPart"]);
        let (one, other) =
            (json!({"properties": {"input": text(&["a"])}}), json!({"properties": {"output": text(&["a"])}}));
        assert_eq!(hoisted(json!({"one": one, "other": other})).0, ["AObject", "AppOne", "AppOther"]);
    }

    #[test]
    fn no_two_have_one_name() {
        let (names, _) = hoisted(json!({"tag": text(&["a"]), "tags": map(&text(&["b"]))}));
        assert_eq!(names, ["AppTag", "AppTagEntry"]);
        let colour = |more: &str| json!({"properties": {"colour": text(&["a"]), more: {"type": "string"}}});
        assert_eq!(hoisted(json!({"one": colour("x"), "other": colour("y")})).0[0], "OneColour");
        let mut document = json!({"components": {"schemas": {
            "App": {"properties": {"tag": text(&["a"])}}, "AppTag": {"type": "string"},
        }}});
        assert!(hoist(&mut document).unwrap_err().contains("no name is left"));
    }

    #[test]
    fn what_may_be_null_is_another_and_a_description_stays_with_its_place() {
        let mut nullable = text(&["a"]);
        nullable["nullable"] = true.into();
        let mut described = text(&["a"]);
        described["description"] = "The owner".into();
        let (names, document) = hoisted(json!({"owner": described, "former": nullable}));
        assert_eq!(names, ["AppOwner", "AppFormerOrNull"]);
        let reference = json!({"description": "The owner", "allOf": [{"$ref": "#/components/schemas/AppOwner"}]});
        assert_eq!(document["components"]["schemas"]["App"]["properties"]["owner"], reference);
    }
}
