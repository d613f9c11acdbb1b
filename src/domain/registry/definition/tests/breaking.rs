//! Changes that break dependents, and changes that do not.

use super::*;

/// Returns the breaking changes after one place of the full definition changed: locations, and the rest of each
/// message.
fn broken(next: &Value) -> Vec<(String, String)> {
    changes(&accepted(&full()).0, &accepted(next).0)
}

fn changes(former: &Definition, next: &Definition) -> Vec<(String, String)> {
    let issues = breaking_changes(former, next);
    assert!(issues.iter().all(|issue| issue.rule.kind() == IssueKind::BreakingChanges));
    let words = |issue: &Issue| {
        let says = issue.message.strip_prefix("request/body").and_then(|rest| rest.strip_prefix(issue.path.as_str()));
        says.unwrap().trim().strip_suffix(", which breaks what version 1.2.0 promised").unwrap().to_owned()
    };
    issues.iter().map(|issue| (issue.path.clone(), words(issue))).collect()
}

#[test]
fn a_removal_breaks() {
    let gone = |paths: &[&str]| paths.iter().map(|path| ((*path).to_owned(), "is gone".to_owned())).collect::<Vec<_>>();
    for pointer in [
        "/configurations/o-auth",
        "/states/session",
        "/channels/channel/messages/image",
        "/channels/channel/conversation/tags/kind",
        "/channels/channel/message/tags/ts",
        "/interfaces/listable<team>",
    ] {
        assert_eq!(broken(&without(pointer)), gone(&[pointer]), "{pointer}");
    }
    for pointer in ["/events/teamCreated", "/actions/createTeam", "/entities/Team", "/channels/channel"] {
        let mut next = without(pointer);
        next.as_object_mut().unwrap().shift_remove("interfaces");
        assert_eq!(broken(&next), gone(&[pointer, "/interfaces/listable<team>"]), "{pointer}");
    }
    for pointer in [
        "/configuration/title",
        "/configuration/identifier/linkTemplateScript",
        "/attributes/category",
        "/identifier",
        "/extraOperations",
        "/secrets",
        "/url",
        "/layers",
        "/actions/createTeam/attributes",
        "/visibility",
        "/title",
    ] {
        assert_eq!(broken(&without(pointer)), [], "{pointer}");
    }
}

#[test]
fn an_addition_does_not_break() {
    for (pointer, value) in [
        ("/actions/more", json!({"input": {"schema": schema("x")}, "output": {"schema": schema("x")}})),
        ("/events/more", json!({"schema": schema("x")})),
        ("/states/more", json!({"type": "bot", "schema": {}})),
        ("/entities/More", json!({"schema": {}})),
        ("/channels/more", json!({"messages": {"text": {"schema": schema("x")}}})),
        ("/channels/channel/messages/more", json!({"schema": schema("x")})),
        ("/channels/channel/conversation/tags/more", json!({})),
        ("/configurations/more", json!({"schema": schema("x"), "identifier": {"required": true}})),
    ] {
        let value = if pointer.starts_with("/states") { json!({"type": "user", "schema": {}}) } else { value };
        assert_eq!(broken(&with(pointer, value)), [], "{pointer}");
    }
}

#[test]
fn some_words_break_by_themselves() {
    let case = |path: &str, says: &str| vec![(path.to_owned(), says.to_owned())];
    assert_eq!(
        broken(&with("/states/session/type", json!("conversation"))),
        case("/states/session/type", "is another one")
    );
    let oauth = broken(&with("/configurations/o-auth/identifier/required", json!(true)));
    assert_eq!(oauth, case("/configurations/o-auth/identifier/required", "became true"));
    assert_eq!(broken(&with("/configuration/identifier/required", json!(false))), []);
    let creation = "/channels/channel/conversation/creation";
    assert_eq!(
        broken(&with(&format!("{creation}/requiredTags"), json!(["id", "kind"]))),
        case("/channels/channel/conversation/creation/requiredTags/1", "was not required")
    );
    assert_eq!(broken(&with("/user/creation/enabled", json!(false))), case("/user/creation/enabled", "became false"));
    assert_eq!(broken(&with("/user/creation/requiredTags", json!([]))), []);
}

/// Returns the breaking changes between two schemas: for senders, and for receivers.
fn between(former: &Value, next: &Value) -> [Vec<(String, String)>; 2] {
    let bodies = [former, next].map(|schema| {
        json!({
            "name": "teams", "version": "1.2.0",
            "actions": {"doIt": {"input": {"schema": schema}, "output": {"schema": schema}}}
        })
    });
    let found = changes(&accepted(&bodies[0]).0, &accepted(&bodies[1]).0);
    ["/actions/doIt/input/schema", "/actions/doIt/output/schema"].map(|start| {
        let of = |(path, says): &(String, String)| Some((path.strip_prefix(start)?.to_owned(), says.clone()));
        found.iter().filter_map(of).collect()
    })
}

#[test]
fn schemas_narrow_for_senders_and_widen_for_receivers() {
    let object =
        |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let one = object(json!({"a": {"type": "string"}}), json!(["a"]));
    let optional = object(json!({"a": {"type": "string"}}), json!([]));
    let string = json!({"type": "string"});
    let red = json!({"type": "string", "enum": ["red"]});
    let colours = json!({"type": "string", "enum": ["red", "green"]});
    let strict = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let record = |of: Value| json!({"type": "object", "additionalProperties": of});
    let list = |of: &Value| json!({"type": "array", "items": of});
    let tree = |leaf: &str| {
        let children = json!({"type": "array", "items": {"$ref": "#"}});
        json!({"type": "object", "properties": {"leaf": {"type": leaf}, "children": children}})
    };
    let either = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    let union = |kinds: &[&str]| {
        let kinds: Vec<_> =
            kinds.iter().map(|kind| object(json!({"kind": {"const": kind}}), json!(["kind"]))).collect();
        json!({"oneOf": kinds})
    };
    let both = |parts: &[&Value]| json!({"allOf": parts});
    let other = object(json!({"b": {}}), json!([]));
    // The former, the next, the locations that break senders, and those that break receivers.
    let cases: Vec<(Value, Value, &[&str], &[&str])> = vec![
        (one.clone(), one.clone(), &[], &[]),
        (
            one.clone(),
            json!({"type": "object", "title": "New", "properties": {"a": {"type": "string", "x-zui": 1}}, "required": ["a"]}),
            &[],
            &[],
        ),
        (one.clone(), optional.clone(), &[], &["/properties/a"]),
        (optional.clone(), one.clone(), &["/properties/a"], &[]),
        (one.clone(), object(json!({"a": {"type": "string"}, "b": {}}), json!(["a"])), &[], &[]),
        (one.clone(), object(json!({"a": {"type": "string"}, "b": {}}), json!(["a", "b"])), &["/properties/b"], &[]),
        (one.clone(), object(json!({}), json!([])), &["/properties/a"], &["/properties/a"]),
        (one.clone(), object(json!({"a": {"type": ["string", "null"]}}), json!(["a"])), &[], &["/properties/a/type"]),
        (
            one.clone(),
            object(json!({"a": {"type": "integer"}}), json!(["a"])),
            &["/properties/a/type"],
            &["/properties/a/type"],
        ),
        (json!({"type": "integer"}), json!({"type": "number"}), &[], &["/type"]),
        (json!({"type": "number"}), json!({"type": "integer"}), &["/type"], &[]),
        (json!({}), string.clone(), &["/type"], &[]),
        (string.clone(), json!({}), &[], &["/type"]),
        (string.clone(), red.clone(), &["/enum"], &[]),
        (red.clone(), string.clone(), &[], &["/enum"]),
        (red.clone(), colours.clone(), &[], &["/enum"]),
        (colours.clone(), json!({"const": "red"}), &["/enum"], &[]),
        (json!({"enum": ["red", "green"]}), colours.clone(), &[], &[]),
        (string.clone(), json!({"type": "string", "minLength": 1}), &["/minLength"], &[]),
        (string.clone(), json!({"type": "string", "minLength": 0}), &[], &[]),
        (json!({"type": "number", "maximum": 9}), json!({"type": "number", "maximum": 8}), &["/maximum"], &[]),
        (json!({"type": "number", "maximum": 9}), json!({"type": "number", "maximum": 10}), &[], &[]),
        (json!({"type": "number", "maximum": 9}), json!({"type": "number"}), &[], &[]),
        (string.clone(), json!({"type": "string", "pattern": "a"}), &["/pattern"], &[]),
        (string.clone(), json!({"type": "string", "format": "email"}), &["/format"], &[]),
        (json!({"type": "string", "format": "email"}), string.clone(), &[], &[]),
        (json!({"type": "object", "properties": {}}), strict.clone(), &["/additionalProperties"], &[]),
        (strict.clone(), json!({"type": "object", "properties": {}}), &[], &[]),
        (strict.clone(), json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}), &[], &[]),
        (record(string.clone()), record(json!({"type": ["string", "null"]})), &[], &["/additionalProperties/type"]),
        (record(json!({})), record(string.clone()), &["/additionalProperties/type"], &[]),
        (list(&optional), list(&one), &["/items/properties/a"], &[]),
        (list(&one), list(&optional), &[], &["/items/properties/a"]),
        (json!({"type": "array"}), list(&string), &["/items/type"], &[]),
        (list(&string), json!({"type": "array", "items": [string]}), &["/items"], &["/items"]),
        (string.clone(), either.clone(), &[], &["/anyOf/1"]),
        (either.clone(), string.clone(), &["/anyOf/1"], &[]),
        (either.clone(), json!({"anyOf": [{"type": "null"}, {"type": "string"}]}), &[], &[]),
        (
            either.clone(),
            json!({"anyOf": [{"type": "string"}, {"type": "number"}]}),
            &["/anyOf/1/type"],
            &["/anyOf/1/type"],
        ),
        (union(&["a", "b"]), union(&["b", "a", "c"]), &[], &["/oneOf/2"]),
        (union(&["a", "b"]), union(&["b"]), &["/oneOf/0"], &[]),
        (both(&[&one, &other]), both(&[&other, &one]), &[], &[]),
        (both(&[&one, &other]), one.clone(), &["/properties/b"], &["/properties/b"]),
        (tree("string"), tree("string"), &[], &[]),
        (tree("string"), tree("number"), &["/properties/leaf/type"], &["/properties/leaf/type"]),
        (json!({"$ref": "#/definitions/a", "definitions": {"a": string}}), string.clone(), &[], &[]),
        (
            json!({"$ref": "#/definitions/a", "definitions": {"a": string}}),
            json!({"type": "null"}),
            &["/type"],
            &["/type"],
        ),
    ];
    for (former, next, senders, receivers) in cases {
        let mut found =
            between(&former, &next).map(|found| found.into_iter().map(|(path, _)| path).collect::<Vec<_>>());
        // A recursive schema breaks as often as it is followed; its first location is enough here.
        if former.to_string().contains("\"#\"") {
            found.iter_mut().for_each(|found| found.truncate(1));
        }
        assert_eq!(found, [senders, receivers], "from {former}\n  to {next}");
    }
}

#[test]
fn a_property_with_a_default_need_not_be_configured() {
    let broken = |schema: Value| {
        let paths = broken(&with("/configuration/schema", schema)).into_iter().map(|(path, _)| path);
        paths.collect::<Vec<_>>()
    };
    let schema = |new: Value| {
        let properties = json!({"tenant": {"type": "string"}, "new": new});
        json!({"type": "object", "properties": properties, "required": ["tenant", "new"], "additionalProperties": false})
    };
    assert_eq!(broken(schema(json!({"type": "string", "default": ""}))), [""; 0]);
    assert_eq!(broken(schema(json!({"type": "string"}))), ["/configuration/schema/properties/new"]);
}

#[test]
fn messages_name_the_change_and_the_version() {
    let body = with("/actions/createTeam/input/schema/properties/name/type", json!("number"));
    let issue = breaking_changes(&accepted(&full()).0, &accepted(&body).0).remove(0);
    assert_eq!(
        issue.message,
        "request/body/actions/createTeam/input/schema/properties/name/type takes less than before (string), which breaks \
         what version 1.2.0 promised"
    );
}

#[test]
fn a_comparison_comes_to_an_end() {
    // Each alternative has to be compared with each other one, at every level.
    let nested = |leaf: &str| {
        let mut schema = json!({"type": leaf});
        for level in 0..12 {
            let property = format!("p{level}");
            let one = json!({"type": "object", "properties": {property.clone(): schema}});
            let alternatives = (0..3).map(|n| {
                let mut other = one.clone();
                other["title"] = json!(n.to_string());
                other
            });
            schema = json!({"anyOf": alternatives.collect::<Vec<_>>()});
            if schema.to_string().len() > 20_000 {
                break;
            }
        }
        schema
    };
    let start = std::time::Instant::now();
    let definition = |schema: Value| {
        let action = json!({"input": {"schema": schema}, "output": {"schema": {}}});
        accepted(&json!({"name": "teams", "version": "1.2.0", "actions": {"doIt": action}})).0
    };
    assert!(!changes(&definition(nested("string")), &definition(nested("number"))).is_empty());
    // Too many for all of them to be compared.
    let union = |start: usize| {
        let kinds = (start..start + 600).map(|n| json!({"properties": {"kind": {"const": n.to_string()}}}));
        json!({"anyOf": kinds.collect::<Vec<_>>()})
    };
    let found = changes(&definition(union(0)), &definition(union(600)));
    assert_eq!(found.last().unwrap(), &(String::new(), "is too intricate to be compared".to_owned()));
    let cycle = json!({"anyOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}], "items": {"$ref": "#"}});
    let other = json!({"anyOf": [{"$ref": "#/anyOf/1"}, {"$ref": "#"}], "items": {"$ref": "#/anyOf/0"}});
    between(&cycle, &other);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
