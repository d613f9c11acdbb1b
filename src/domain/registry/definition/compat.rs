//! Compares two JSON schemas: whether the next can replace the former for dependents.
//!
//! It compares the common keywords: types, values, properties, items, bounds, alternatives. A keyword it cannot
//! compare, such as another `pattern`, counts as narrower. Two schemas can be constructed so that comparing them takes
//! very long, so the work is bounded. Not here: the places of schemas in a definition (`breaking`).

use std::{borrow::Cow, mem};

use serde_json::{Map, Value, json};

use super::issue::{Issue, Issues, Location, Rule};

/// Direction of a value, from the dependents' point of view.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Dependents send it: every value accepted before has to be accepted.
    Taken,
    /// Dependents have set it: as [`Self::Taken`], and a new property with a default need not be set.
    Set,
    /// Dependents receive it: it has to be as before, and may have more members.
    Given,
}

/// Maximum number of compared pairs of schemas, in all.
pub(super) const MAX_COMPARED: usize = 100_000;
/// Maximum depth at which schemas are followed, as one may contain itself.
const MAX_DEPTH: usize = 60;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Bounds that narrow a schema when raised, and when lowered.
const LOWER_BOUNDS: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const UPPER_BOUNDS: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// Keywords that are only compared by their text: another one may refuse values that the former one accepted.
const OPAQUE: [&str; 12] = [
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "patternProperties",
    "propertyNames",
    "dependencies",
];

/// Comparisons of schemas, with their results.
pub(super) struct Comparison<'a> {
    rule: Rule,
    /// The promise that is broken, as the end of a sentence: `version 1.0.0 promised`.
    promise: String,
    issues: Issues,
    left: usize,
    depth: usize,
    direction: Direction,
    /// The roots for references: the former schema and the next.
    roots: [&'a Value; 2],
    has_references: bool,
    /// True if only the existence of a breaking change matters, not its description.
    is_trial: bool,
}

static NOTHING: Value = Value::Null;
/// Accepts everything; the default for an absent schema.
static ANYTHING: Value = Value::Bool(true);

impl<'a> Comparison<'a> {
    /// Begins the comparisons for a promise, with `left` pairs of schemas to compare.
    pub(super) fn new(rule: Rule, promise: String, left: usize) -> Self {
        Self {
            rule,
            promise,
            issues: Issues::default(),
            left,
            depth: 0,
            direction: Direction::Taken,
            roots: [&NOTHING, &NOTHING],
            has_references: false,
            is_trial: false,
        }
    }

    /// Returns the broken promises.
    pub(super) fn finish(mut self) -> Vec<Issue> {
        if self.left == 0 {
            self.say(&Location::BODY, "is too intricate to be compared");
        }
        self.issues.finish()
    }

    /// Returns the number of pairs that are left to compare.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Adds a broken promise.
    pub(super) fn say(&mut self, at: &Location<'_>, says: impl std::fmt::Display) {
        let promise = &self.promise;
        self.issues.add(self.rule, at, format_args!("{says}, which breaks what {promise}"));
    }

    /// Compares a former schema with the next one.
    pub(super) fn compare(&mut self, direction: Direction, pair: (&'a Value, &'a Value), at: &Location<'_>) {
        if pair.0 == pair.1 {
            return;
        }
        self.direction = direction;
        self.roots = [pair.0, pair.1];
        self.has_references = self.roots.iter().any(|root| has_reference(root));
        self.schemas(pair.0, pair.1, at);
    }

    fn schemas(&mut self, former: &Value, next: &Value, at: &Location<'_>) {
        if self.left == 0 || self.depth == MAX_DEPTH || (self.is_trial && !self.issues.is_empty()) {
            return;
        }
        self.left -= 1;
        // Equal texts with references may differ in meaning; without any, or as `true` and `false`, they do not.
        if former == next && (!self.has_references || former.is_boolean()) {
            return;
        }
        self.depth += 1;
        let (former, next) = (flat(self.roots[0], former), flat(self.roots[1], next));
        match (alternatives(&former), alternatives(&next)) {
            (None, None) => self.plain(&former, &next, at),
            (formers, nexts) => {
                let formers = formers.unwrap_or_else(|| vec![&former]);
                let nexts = nexts.unwrap_or_else(|| vec![&next]);
                let name = if former.get("oneOf").or(next.get("oneOf")).is_some() { "oneOf" } else { "anyOf" };
                self.alternatives(&formers, &nexts, (at, name));
            }
        }
        self.depth -= 1;
    }

    /// Requires for each alternative on one side a compatible one on the other.
    fn alternatives(&mut self, formers: &[&Value], nexts: &[&Value], (at, name): (&Location<'_>, &str)) {
        let is_given = self.direction == Direction::Given;
        let (inner, outer) = if is_given { (nexts, formers) } else { (formers, nexts) };
        for (index, alternative) in inner.iter().enumerate() {
            let goes_with = |this: &mut Self, other: &Value| {
                let (former, next) = if is_given { (other, *alternative) } else { (*alternative, other) };
                this.goes(former, next, at)
            };
            let is_at_home =
                outer.contains(alternative) && !self.has_references || outer.iter().any(|other| goes_with(self, other));
            if is_at_home {
                continue;
            }
            let (list, says) = (at.key(name), if is_given { "was not given before" } else { "is not taken any more" });
            match outer.get(index).filter(|_| inner.len() == outer.len()) {
                // The same alternative, most likely: its details give a better message.
                Some(_) => self.schemas(formers[index], nexts[index], &list.index(index)),
                None if inner.len() == 1 => self.say(at, says),
                None => self.say(&list.index(index), says),
            }
        }
    }

    /// Returns true if nothing breaks between two schemas.
    fn goes(&mut self, former: &Value, next: &Value, at: &Location<'_>) -> bool {
        let (kept, was_trial) = (mem::take(&mut self.issues), mem::replace(&mut self.is_trial, true));
        self.schemas(former, next, at);
        self.is_trial = was_trial;
        mem::replace(&mut self.issues, kept).is_empty() && self.left > 0
    }

    fn plain(&mut self, former: &Value, next: &Value, at: &Location<'_>) {
        let is_given = self.direction == Direction::Given;
        let (inner, outer) = if is_given { (next, former) } else { (former, next) };
        let (types, wider) = (types(inner), types(outer));
        let has_home = |name: &str| wider.contains(&name) || (name == "integer" && wider.contains(&"number"));
        let mut homeless: Vec<_> = types.into_iter().filter(|name| !has_home(name)).collect();
        homeless.sort_unstable();
        homeless.dedup();
        if !homeless.is_empty() {
            let names = homeless.join(", ");
            let says = if is_given { "can be something else than before" } else { "takes less than before" };
            return self.say(&at.key("type"), format_args!("{says} ({names})"));
        }
        self.values(inner, outer, at);
        self.properties(former, next, at);
        self.items(former, next, at);
        if !is_given {
            self.bounds(former, next, at);
        }
    }

    /// Compares the listed values.
    fn values(&mut self, inner: &Value, outer: &Value, at: &Location<'_>) {
        let Some(allowed) = values(outer) else { return };
        let homeless = values(inner).map(|values| {
            let homeless = values.iter().filter(|value| !allowed.contains(value));
            homeless
                .take(5)
                .map(|value| crate::domain::registry::definition::issue::cut(&value.to_string(), 50))
                .collect::<Vec<_>>()
                .join(", ")
        });
        let at = at.key("enum");
        let is_given = self.direction == Direction::Given;
        match homeless.as_deref() {
            Some("") => {}
            Some(values) if is_given => self.say(&at, format_args!("has new values ({values})")),
            Some(values) => self.say(&at, format_args!("lacks values ({values})")),
            None if is_given => self.say(&at, "is gone, so any value may be given"),
            None => self.say(&at, "is new, so not every value is taken"),
        }
    }

    fn properties(&mut self, former: &Value, next: &Value, at: &Location<'_>) {
        let (was, is) = (members(&former["properties"]), members(&next["properties"]));
        let all = at.key("properties");
        for (name, former) in was.into_iter().flatten() {
            match is.and_then(|is| is.get(name)) {
                Some(next) => self.schemas(former, next, &all.key(name)),
                None => self.say(&all.key(name), "is gone"),
            }
        }
        let (was_required, is_required) = (strings(&former["required"]), strings(&next["required"]));
        let has =
            |properties: Option<&Map<String, Value>>, name: &str| properties.is_some_and(|p| p.contains_key(name));
        if self.direction == Direction::Given {
            for name in was_required.iter().filter(|name| has(is, name) && !is_required.contains(name)) {
                self.say(&all.key(name), "is not always there any more");
            }
        } else {
            for name in is_required.iter().filter(|name| !was_required.contains(name)) {
                let has_default = is.and_then(|is| is.get(*name)).is_some_and(|next| next.get("default").is_some());
                if !(has_default && self.direction == Direction::Set) {
                    let says = if has(was, name) { "became required" } else { "is new and required" };
                    self.say(&all.key(name), says);
                }
            }
        }
        let at = at.key("additionalProperties");
        match (part(former, "additionalProperties"), part(next, "additionalProperties")) {
            // Additional properties harm no dependent that ignores them.
            (_, Value::Bool(_)) | (Value::Bool(_), _) if self.direction == Direction::Given => {}
            (Value::Bool(false), _) => {}
            (_, Value::Bool(false)) => self.say(&at, "became false"),
            (former, next) => self.schemas(former, next, &at),
        }
    }

    fn items(&mut self, former: &Value, next: &Value, at: &Location<'_>) {
        let at = at.key("items");
        match (part(former, "items"), part(next, "items")) {
            (Value::Array(former), Value::Array(next)) => {
                for index in 0..former.len().max(next.len()) {
                    let (former, next) = (former.get(index), next.get(index));
                    self.schemas(former.unwrap_or(&ANYTHING), next.unwrap_or(&ANYTHING), &at.index(index));
                }
            }
            (Value::Array(_), _) | (_, Value::Array(_)) => self.say(&at, "has another form"),
            (former, next) => self.schemas(former, next, &at),
        }
    }

    fn bounds(&mut self, former: &Value, next: &Value, at: &Location<'_>) {
        let bound = |schema: &Value, name: &str| schema.get(name).and_then(Value::as_f64);
        for name in LOWER_BOUNDS {
            let (was, is) = (bound(former, name), bound(next, name));
            if is.is_some_and(|is| is > was.unwrap_or(f64::NEG_INFINITY)) && !is_vacuous(name, is) {
                self.say(&at.key(name), "is higher than before");
            }
        }
        for name in UPPER_BOUNDS {
            let (was, is) = (bound(former, name), bound(next, name));
            if is.is_some_and(|is| is < was.unwrap_or(f64::INFINITY)) {
                self.say(&at.key(name), "is lower than before");
            }
        }
        for name in OPAQUE {
            let is_new = next.get(name).is_some_and(|next| former.get(name) != Some(next) && *next != json!(false));
            if is_new {
                self.say(&at.key(name), "is not what it was");
            }
        }
    }
}

/// Returns true for a minimum length of zero, which excludes nothing.
fn is_vacuous(name: &str, bound: Option<f64>) -> bool {
    matches!(name, "minLength" | "minItems" | "minProperties") && bound == Some(0.0)
}

/// Returns a schema with its reference followed and its `allOf` flattened. Of duplicate keywords, the first one counts.
fn flat<'a>(root: &'a Value, schema: &'a Value) -> Cow<'a, Value> {
    let schema = followed(root, schema);
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return Cow::Borrowed(schema) };
    let mut whole = members(schema).cloned().unwrap_or_default();
    whole.shift_remove("allOf");
    for part in parts.iter().map(|part| followed(root, part)) {
        for (key, value) in members(part).into_iter().flatten() {
            match (whole.get_mut(key), value) {
                (Some(Value::Object(there)), Value::Object(more)) if key == "properties" => {
                    for (name, schema) in more {
                        there.entry(name).or_insert_with(|| schema.clone());
                    }
                }
                (Some(Value::Array(there)), Value::Array(more)) if key == "required" => there.extend(more.clone()),
                (Some(_), _) => {}
                (None, value) => {
                    whole.insert(key.clone(), value.clone());
                }
            }
        }
    }
    Cow::Owned(Value::Object(whole))
}

fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        match reference.and_then(|pointer| root.pointer(pointer)) {
            Some(there) => schema = there,
            None => break,
        }
    }
    schema
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(has_reference),
        Value::Array(list) => list.iter().any(has_reference),
        _ => false,
    }
}

fn alternatives(schema: &Value) -> Option<Vec<&Value>> {
    let list = |name: &str| schema.get(name).and_then(Value::as_array).map(|list| list.iter().collect());
    list("anyOf").or_else(|| list("oneOf"))
}

/// Returns the types that a schema accepts.
fn types(schema: &Value) -> Vec<&str> {
    match (schema, schema.get("type")) {
        (Value::Bool(false), _) => Vec::new(),
        (_, Some(Value::String(one))) => vec![one],
        (_, Some(Value::Array(several))) => several.iter().filter_map(Value::as_str).collect(),
        _ => match values(schema) {
            Some(values) => values.into_iter().map(type_of).collect(),
            None => TYPES.to_vec(),
        },
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns the only values that a schema accepts, if it lists them.
fn values(schema: &Value) -> Option<Vec<&Value>> {
    let one = schema.get("const").map(|one| vec![one]);
    one.or_else(|| Some(schema.get("enum")?.as_array()?.iter().collect()))
}

/// Returns the schema under a keyword.
fn part<'a>(schema: &'a Value, keyword: &str) -> &'a Value {
    schema.get(keyword).unwrap_or(&ANYTHING)
}

fn members(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
