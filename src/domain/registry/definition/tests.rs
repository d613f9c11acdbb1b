//! Bodies of creations, and the resulting definitions.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;

mod bounds;
mod breaking;
mod files;
mod interfaces;
mod properties;
mod rules;
mod schemas;
mod update;

/// Returns a body with a value in each place.
fn full() -> Value {
    json!({
        "name": "acme/teams",
        "version": "1.2.0",
        "title": "Teams",
        "description": "Talk to a team.",
        "configuration": {
            "title": "Default",
            "schema": schema("tenant"),
            "identifier": {"required": true, "linkTemplateScript": "\"https://teams.example\""}
        },
        "configurations": {"o-auth": {"title": "By OAuth", "schema": {}, "identifier": {"required": false}}},
        "states": {"session": {"type": "user", "schema": schema("token")}},
        "events": {"teamCreated": {"title": "A team", "schema": schema("team"), "attributes": {"a": "b"}}},
        "actions": {"createTeam": {
            "title": "Create", "description": "Makes one.", "billable": true, "cacheable": false,
            "input": {"schema": schema("name")}, "output": {"schema": schema("id")}, "attributes": {"c": "d", "e": "f"}
        }},
        "entities": {"Team": {"title": "Team", "schema": schema("id")}},
        "channels": {"channel": {
            "title": "A channel",
            "messages": {"text": {"schema": schema("text")}, "image": {"schema": {}}},
            "conversation": {
                "tags": {"id": {"title": "Id"}, "kind": {}},
                "creation": {"enabled": true, "requiredTags": ["id"]}
            },
            "message": {"tags": {"ts": {"description": "When"}}}
        }},
        "user": {"tags": {"email": {}}, "creation": {"enabled": true, "requiredTags": ["email"]}},
        "interfaces": {"listable<team>": {
            "id": "ifver_01JVYWESY3BVAM5FR3XT9X813H",
            "entities": {"item": {"name": "Team"}},
            "actions": {"create": {"name": "createTeam"}},
            "events": {"created": {"name": "teamCreated"}},
            "channels": {"main": {"name": "channel"}}
        }},
        "identifier": {"extractScript": ".id", "fallbackHandlerScript": ".x"},
        "attributes": {"category": "Communication & Channels"},
        "extraOperations": {"ping": {"enabled": true}},
        "secrets": {"CLIENT_ID": "s3cr3t", "OPTIONAL": null},
        "sdkVersion": "7.2.4",
        "code": "module.exports = {}",
        "url": "https://teams.example/hook",
        "dev": false,
        "icon": STANDARD.encode("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        "readme": STANDARD.encode("# Teams"),
        "public": false,
        "visibility": "unlisted",
        "layers": ["base"]
    })
}

/// Returns a schema in the form that Zod writes.
fn schema(property: &str) -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {property: {"type": "string", "title": "T", "x-zui": {"displayAs": ["a", {}]}}},
        "required": [property],
        "additionalProperties": false
    })
}

/// Returns the full body with one place changed. A pointer to a missing place adds it.
fn with(pointer: &str, value: Value) -> Value {
    put(full(), pointer, value)
}

fn put(mut body: Value, pointer: &str, value: Value) -> Value {
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match body.pointer_mut(above).unwrap_or_else(|| panic!("{pointer}")) {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    body
}

fn without(pointer: &str) -> Value {
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let mut body = full();
    body.pointer_mut(above).unwrap().as_object_mut().unwrap().shift_remove(key).unwrap();
    body
}

fn accepted(body: &Value) -> (Definition, Enclosures) {
    check_create(DefinitionKind::Integration, body).unwrap_or_else(|issues| panic!("{issues:#?}"))
}

fn issues(body: &Value) -> Vec<Issue> {
    check_create(DefinitionKind::Integration, body).err().unwrap_or_default()
}

/// Returns the rules and locations of the issues.
fn found(body: &Value) -> Vec<(Rule, String)> {
    issues(body).into_iter().map(|issue| (issue.rule, issue.path)).collect()
}

#[test]
fn a_full_body_is_taken_as_it_is() {
    let (definition, enclosures) = accepted(&full());
    let body = full();
    let text = serde_json::to_value(&definition).unwrap();
    for name in [
        "name",
        "version",
        "title",
        "description",
        "configuration",
        "states",
        "events",
        "actions",
        "entities",
        "channels",
        "user",
        "interfaces",
        "identifier",
        "attributes",
        "extraOperations",
        "sdkVersion",
        "url",
        "dev",
        "visibility",
        "layers",
        "configurations",
    ] {
        assert_eq!(text[name], body[name], "{name}");
    }
    assert_eq!(enclosures.code.as_deref(), Some("module.exports = {}"));
    assert_eq!(enclosures.icon.as_deref(), Some(&b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..]));
    assert_eq!(enclosures.readme.as_deref(), Some("# Teams"));
    let secrets = [("CLIENT_ID".to_owned(), Some(Secret::new("s3cr3t"))), ("OPTIONAL".to_owned(), None)];
    assert_eq!(enclosures.secrets, BTreeMap::from(secrets));
    let implemented = definition.implemented();
    assert_eq!(implemented.keys().collect::<Vec<_>>(), ["ifver_01JVYWESY3BVAM5FR3XT9X813H"]);
    let kept: Definition = serde_json::from_str(&serde_json::to_string(&definition).unwrap()).unwrap();
    assert_eq!(kept, definition);
    let shown = format!("{enclosures:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("module") && shown.contains("CLIENT_ID"), "{shown}");
}

#[test]
fn the_least_body_is_filled() {
    let (definition, enclosures) = accepted(&json!({"name": "acme/teams", "version": "1.0.0"}));
    assert_eq!(enclosures, Enclosures::default());
    let tagged = json!({"tags": {}, "creation": {"enabled": false, "requiredTags": []}});
    assert_eq!(
        serde_json::to_value(&definition).unwrap(),
        json!({
            "name": "acme/teams", "version": "1.0.0", "dev": false, "visibility": "private",
            "title": "acme/teams", "description": "",
            "configuration": {"schema": {}, "identifier": {"required": false}}, "configurations": {},
            "channels": {}, "states": {}, "events": {}, "actions": {}, "user": tagged, "entities": {},
            "interfaces": {}, "identifier": {}, "attributes": {}, "extraOperations": {}, "layers": []
        })
    );
    let body = json!({
        "name": "a".repeat(200), "version": "1.0.0", "channels": {"main": {"messages": {}}},
        "interfaces": {"x": {"id": "ifver_01JVYWESY3BVAM5FR3XT9X813H"}}, "url": "", "icon": "", "readme": "",
        "configurations": {"x": {}}, "events": {"happened": {"schema": {}, "attributes": {}}}
    });
    let (definition, enclosures) = accepted(&body);
    assert_eq!(definition.title, "a".repeat(64));
    let channel = json!({"messages": {}, "conversation": tagged, "message": {"tags": {}}});
    assert_eq!(definition.channels["main"], channel);
    assert_eq!(
        definition.interfaces["x"],
        json!({"id": "ifver_01JVYWESY3BVAM5FR3XT9X813H", "entities": {}, "actions": {}, "events": {}, "channels": {}})
    );
    assert_eq!(definition.configurations["x"], json!({"schema": {}, "identifier": {"required": false}}));
    assert_eq!(definition.events["happened"], json!({"schema": {}}));
    assert_eq!(definition.url, None);
    assert_eq!((enclosures.icon, enclosures.readme), (None, None));
}

#[test]
fn visibility_counts_before_public() {
    let of = |public: Value, visibility: Value| {
        let mut body = json!({"name": "teams", "version": "1.0.0"});
        for (name, value) in [("public", public), ("visibility", visibility)] {
            if !value.is_null() {
                body[name] = value;
            }
        }
        accepted(&body).0.visibility
    };
    let nothing = Value::Null;
    assert_eq!(of(nothing.clone(), nothing.clone()), Visibility::Private);
    assert_eq!(of(json!(true), nothing.clone()), Visibility::Public);
    assert_eq!(of(json!(false), nothing.clone()), Visibility::Private);
    assert_eq!(of(json!(true), json!("private")), Visibility::Private);
    assert_eq!(of(json!(false), json!("public")), Visibility::Public);
    assert_eq!(of(nothing, json!("unlisted")), Visibility::Unlisted);
}

#[test]
fn a_message_begins_with_the_place() {
    let message = |body: Value| issues(&body).remove(0).message;
    assert_eq!(
        message(with("/title", json!("x".repeat(65)))),
        "request/body/title must NOT have more than 64 characters"
    );
    assert_eq!(message(without("/name")), "request/body must have required property 'name'");
    assert_eq!(
        message(with("/visibility", json!("no"))),
        "request/body/visibility must be equal to one of the allowed values: public, private, unlisted"
    );
    assert_eq!(
        message(with("/configuration/identifier/x", json!(1))),
        "request/body/configuration/identifier/x is not known, only these are: required, linkTemplateScript"
    );
    assert_eq!(message(json!([])), "request/body must be object");
    let issue = issues(&with("/title", json!("x".repeat(200)))).remove(0);
    assert_eq!(issue.found, Some(format!("{}…", "x".repeat(99))));
    let reported = serde_json::to_value(&issue).unwrap();
    assert_eq!((&reported["rule"], &reported["path"]), (&json!("maxLength"), &json!("/title")));
}

#[test]
fn all_issues_come_at_once_in_the_order_of_the_document() {
    let body = json!({
        "user": {"creation": {"enabled": true, "requiredTags": ["no"]}},
        "name": "No",
        "odd": 1,
        "events": {"x": {"schema": {"type": "text"}}},
        "interfaces": {"i": {"id": "ifver_01JVYWESY3BVAM5FR3XT9X813H", "actions": {"a": {"name": "none"}}}},
        "url": "x"
    });
    let expected = [
        (Rule::Required, ""),
        (Rule::Tag, "/user/creation/requiredTags/0"),
        (Rule::Name, "/name"),
        (Rule::UnknownKey, "/odd"),
        (Rule::Identifier, "/events/x"),
        (Rule::JsonSchema, "/events/x/schema/type"),
        (Rule::Interface, "/interfaces/i/actions/a/name"),
        (Rule::Url, "/url"),
    ];
    assert_eq!(found(&body), expected.map(|(rule, path)| (rule, path.to_owned())));
    assert_eq!(Issue::kind_of(&issues(&body)), IssueKind::InvalidPayload);
    let of = |body: &Value| Issue::kind_of(&issues(body));
    assert_eq!(of(&with("/events/x", json!({"schema": {}}))), IssueKind::InvalidIdentifier);
    assert_eq!(of(&with("/configuration/schema", json!({"type": 1}))), IssueKind::InvalidJsonSchema);
    assert_eq!(of(&with("/layers", json!(vec!["x"; 101]))), IssueKind::LimitExceeded);
    assert_eq!(Issue::kind_of(&[]), IssueKind::InvalidPayload);
}
