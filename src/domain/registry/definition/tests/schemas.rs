//! JSON schemas: valid ones, and the issues of invalid ones.

use super::*;

fn check(schema: Value) -> Vec<(Rule, String, String)> {
    let issues = issues(&json!({"name": "teams", "version": "1.0.0", "configuration": {"schema": schema}}));
    let parts = |issue: Issue| {
        let path = issue.path.strip_prefix("/configuration/schema").unwrap().to_owned();
        let says = issue.message.strip_prefix("request/body/configuration/schema").unwrap();
        let says = says.strip_prefix(path.as_str()).unwrap().trim().to_owned();
        (issue.rule, path, says)
    };
    issues.into_iter().map(parts).collect()
}

#[test]
fn schemas_written_by_zod_are_accepted() {
    for schema in [
        json!({}),
        crate::domain::registry::definition::tests::schema("x"),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}),
        json!({"type": "string", "pattern": "(?<=a)(?!b)\\p{Emoji}(", "x-zui": {"$ref": "http://x", "type": 5}}),
        json!({"anyOf": [{"const": {"$ref": 1}}, {"enum": [{"$ref": "http://x"}]}, true, {"default": {"$ref": "x"}}]}),
        json!({"type": "object", "properties": {"$ref": {"type": "string"}, "type": {}, "items": {"enum": [1]}}}),
        json!({"$ref": "#/definitions/a~1b", "definitions": {"a/b": {"$ref": "#"}}}),
        json!({"$ref": "#"}),
        json!({"properties": {"a": {"$id": "https://x.example/a", "$ref": "#/definitions/b"}}}),
        json!({"type": ["string", "null"], "minLength": 0, "examples": ["a"], "description": ""}),
        json!({"items": [{"type": "string"}, true], "additionalItems": false, "dependencies": {"a": ["b"], "c": {}}}),
        json!({"unknown": {"type": 5}, "nullable": true}),
    ] {
        assert_eq!(check(schema.clone()), [], "{schema}");
    }
}

#[test]
fn an_invalid_schema_is_reported() {
    let local = "must lead to a place within the schema, such as \"#/definitions/name\"";
    let nowhere = "must lead to a place within the schema: there is no schema at this one";
    let types = "must be equal to one of the allowed values: array, boolean, integer, null, number, object, string";
    for (schema, path, says) in [
        (json!({"type": "text"}), "/type", types),
        (json!({"type": ["string", "text"]}), "/type/1", types),
        (json!({"type": []}), "/type", "must NOT have fewer than 1 items"),
        (json!({"type": ["string", "string"]}), "/type", "must NOT have duplicate items"),
        (json!({"type": 5}), "/type", "must match one of the forms that JSON Schema draft-07 has for it"),
        (json!({"minLength": -1}), "/minLength", "must be >= 0"),
        (json!({"minLength": "1"}), "/minLength", "must be integer"),
        (json!({"multipleOf": 0}), "/multipleOf", "must be > 0"),
        (json!({"required": true}), "/required", "must be array"),
        (json!({"required": [1]}), "/required/0", "must be string"),
        (json!({"properties": []}), "/properties", "must be object"),
        (json!({"properties": {"a": 1}}), "/properties/a", "must be boolean or object"),
        (json!({"properties": {"a": {"items": {"type": "text"}}}}), "/properties/a/items/type", types),
        (json!({"anyOf": []}), "/anyOf", "must NOT have fewer than 1 items"),
        (json!({"exclusiveMinimum": true}), "/exclusiveMinimum", "must be number"),
        (json!({"title": 1}), "/title", "must be string"),
        (json!({"$ref": "https://x.example/a"}), "/$ref", local),
        (json!({"$ref": "other.json"}), "/$ref", local),
        (json!({"$ref": "file:///etc/passwd"}), "/$ref", local),
        (json!({"$ref": "#name"}), "/$ref", local),
        (json!({"$ref": ""}), "/$ref", local),
        (json!({"properties": {"a/b": {"not": {"$ref": "#/definitions/a"}}}}), "/properties/a~1b/not/$ref", nowhere),
        (json!({"anyOf": [{}, {"$ref": "#/title"}], "title": "x"}), "/anyOf/1/$ref", nowhere),
    ] {
        assert_eq!(check(schema.clone()), [(Rule::JsonSchema, path.to_owned(), says.to_owned())], "{schema}");
    }
    assert_eq!(check(json!({"title": "a\0"}))[0].0, Rule::Characters);
    assert_eq!(check(json!({"properties": {"a\0": {}}}))[0].0, Rule::Characters);
}

#[test]
fn several_things_are_wrong_at_once() {
    let schema = json!({"type": "text", "properties": {"a": {"minLength": -1}, "b": {"$ref": "x"}}});
    let paths: Vec<_> = check(schema).into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(paths, ["/type", "/properties/a/minLength", "/properties/b/$ref"]);
    let many: Vec<_> = (0..1_000).map(|_| json!({"type": "text"})).collect();
    assert_eq!(check(json!({"allOf": many})).len(), 20);
}

#[test]
fn a_schema_has_a_depth_and_a_size() {
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({"not": inner}));
    assert_eq!(check(nested(99)), []);
    assert_eq!(check(nested(101))[0].2, "must NOT be nested more than 100 levels deep");
    let sized = |bytes: usize| json!({"title": "x".repeat(bytes - r#"{"title":""}"#.len())});
    assert_eq!(check(sized(MAX_SCHEMA_BYTES)), []);
    let [(rule, path, says)] = &check(sized(MAX_SCHEMA_BYTES + 1))[..] else { panic!() };
    assert_eq!((*rule, path.as_str(), says.as_str()), (Rule::Limit, "", "must NOT be larger than 102400 bytes"));
}

#[test]
fn a_hostile_schema_costs_a_bounded_time() {
    let start = std::time::Instant::now();
    let patterns: serde_json::Map<_, _> =
        (0..2_000).map(|n| (format!("(a{{1000}}){{1000}}{n}"), json!({"pattern": "(a+)+$"}))).collect();
    assert_eq!(check(json!({"patternProperties": patterns})), []);
    let names: Vec<_> = (0..10_000).map(|n| format!("n{n}")).collect();
    assert_eq!(check(json!({"required": names})), []);
    let objects: Vec<_> = (0..5_000).map(|n| json!({"a": n})).collect();
    assert_eq!(check(json!({"enum": objects})), []);
    let bad: Vec<_> = (0..6_000).map(|_| json!({"type": 5})).collect();
    assert_eq!(check(json!({"allOf": bad})).len(), 20);
    let deep = (0..48).fold(json!({"type": "text"}), |inner, _| json!({"items": [inner]}));
    assert_eq!(check(deep).len(), 1);
    let wide = (0..90).fold(json!({"type": "text"}), |inner, _| json!({"items": inner, "title": "x".repeat(1_000)}));
    assert_eq!(check(wide).len(), 1);
    let mutual: serde_json::Map<_, _> = (0..1_000)
        .map(|n| (format!("d{n}"), json!({"allOf": [{"$ref": "#"}, {"$ref": "#/definitions/d0"}]})))
        .collect();
    assert_eq!(check(json!({"definitions": mutual})), []);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
