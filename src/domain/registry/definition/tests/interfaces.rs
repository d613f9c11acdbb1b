//! Interfaces, and the integrations that implement them.

use super::*;
use crate::domain::ids::IntegrationId;

const ID: &str = "ifver_01JVYWESY3BVAM5FR3XT9X813H";

/// Returns the body of an interface, in the form in which the product's SDK writes it.
fn creatable() -> Value {
    let item = json!({"type": "object", "properties": {"item": {"$ref": "item"}}, "required": ["item"], "additionalProperties": false});
    json!({
        "name": "acme/creatable", "version": "1.0.0",
        "entities": {"item": {"title": "Item", "schema": schema("id")}},
        "actions": {"create": {"input": {"schema": item}, "output": {"schema": item}}},
        "events": {"created": {"schema": item, "attributes": {"a": "b"}}},
        "channels": {"main": {"title": "Main", "messages": {"text": {"schema": schema("text")}}}},
        "nameTemplate": {"script": "{{item}}{{action}}", "language": "handlebars"},
    })
}

fn interface(body: &Value) -> Definition {
    check_create(DefinitionKind::Interface, body).unwrap_or_else(|issues| panic!("{issues:#?}")).0
}

fn faults(body: &Value) -> Vec<(Rule, String)> {
    let issues = check_create(DefinitionKind::Interface, body).err().unwrap_or_default();
    issues.into_iter().map(|issue| (issue.rule, issue.path)).collect()
}

/// Returns the body of an integration that implements it.
fn implementing() -> Value {
    let issue = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "title": {"type": "string"}}});
    let with_issue = json!({"type": "object", "required": ["item"], "properties": {"item": issue, "more": {}}});
    json!({
        "name": "acme/linear", "version": "2.0.0",
        "entities": {"issue": {"schema": issue}},
        "actions": {"createIssue": {"input": {"schema": with_issue}, "output": {"schema": with_issue}}},
        "events": {"created": {"schema": with_issue}},
        "channels": {"issues": {"messages": {"text": {"schema": schema("text")}, "image": {"schema": {}}}}},
        "interfaces": {"creatable<issue>": {
            "id": ID,
            "entities": {"item": {"name": "issue"}},
            "actions": {"create": {"name": "createIssue"}},
            "channels": {"main": {"name": "issues"}},
        }},
    })
}

fn implemented(body: &Value, by: &Definition) -> (Definition, Vec<(Rule, String)>) {
    let (mut definition, _) = accepted(body);
    let id = *definition.implemented().get(ID).unwrap();
    let issues = definition.implement(ID, Some((id.unwrap(), by)), &mut Effort::default());
    (definition, issues.into_iter().map(|issue| (issue.rule, issue.path)).collect())
}

#[test]
fn an_interface_is_a_smaller_definition() {
    let made = interface(&creatable());
    assert_eq!(made.kind, DefinitionKind::Interface);
    assert_eq!(made.name_template["language"], "handlebars");
    assert_eq!(made.channels["main"].as_object().unwrap().keys().collect::<Vec<_>>(), ["title", "messages"]);
    assert_eq!(serde_json::from_value::<Definition>(serde_json::to_value(&made).unwrap()).unwrap(), made);
    let next = json!({"nameTemplate": null, "actions": {"create": null}, "public": true, "title": "Create"});
    let (next, _) = check_update(&made, &next).unwrap();
    assert!(next.name_template.is_empty() && next.actions.is_empty() && next.visibility == Visibility::Public);
    for (pointer, value, rule) in [
        ("/configuration", json!({}), Rule::UnknownKey),
        ("/visibility", json!("public"), Rule::UnknownKey),
        ("/channels/main/conversation", json!({}), Rule::UnknownKey),
        ("/nameTemplate", json!({"script": "a"}), Rule::Required),
        ("/actions/Create", json!({"input": {"schema": {}}, "output": {"schema": {}}}), Rule::Identifier),
    ] {
        let found = faults(&put(creatable(), pointer, value));
        assert_eq!(found.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [rule], "{pointer}");
    }
}

#[test]
fn a_schema_refers_to_entities_of_its_interface() {
    let reference = |to: &str| json!({"type": "object", "properties": {"a": {"items": [{"$ref": to}]}}});
    let place = "/actions/create/input/schema";
    assert_eq!(faults(&put(creatable(), place, reference("item"))), []);
    for to in ["items", "https://evil.example/a", "", "item#/properties"] {
        assert_eq!(faults(&put(creatable(), place, reference(to))), [(Rule::JsonSchema, place.to_owned())], "{to}");
    }
    let place = "/entities/item/schema";
    assert_eq!(faults(&put(creatable(), place, reference("item"))), [(Rule::JsonSchema, place.to_owned())]);
    let without = json!({"entities": {"item": null}});
    let issues = check_update(&interface(&creatable()), &without).unwrap_err();
    assert_eq!(issues.len(), 3, "{issues:#?}");
    // An integration's schema has no entities to refer to.
    assert_eq!(issues_of(&with("/events/teamCreated/schema", reference("Team"))), [Rule::JsonSchema]);
}

fn issues_of(body: &Value) -> Vec<Rule> {
    issues(body).into_iter().map(|issue| issue.rule).collect()
}

#[test]
fn an_implementation_is_completed() {
    let (definition, issues) = implemented(&implementing(), &interface(&creatable()));
    assert_eq!(issues, []);
    let expected = json!({
        "id": ID, "name": "acme/creatable", "version": "1.0.0",
        "entities": {"item": {"name": "issue"}},
        "actions": {"create": {"name": "createIssue"}},
        "events": {"created": {"name": "created"}},
        "channels": {"main": {"name": "issues"}},
    });
    assert_eq!(definition.interfaces["creatable<issue>"], expected);
    let (again, issues) = implemented(&implementing(), &interface(&creatable()));
    assert_eq!((again, issues), (definition.clone(), vec![]));
    let (unchanged, _) = check_update(&definition, &json!({"title": "Linear"})).unwrap();
    assert_eq!(unchanged.interfaces, definition.interfaces);
}

#[test]
fn what_an_interface_asks_for_has_to_be_there() {
    let alias = "/interfaces/creatable<issue>";
    let text = json!({"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]});
    let issue = json!({"type": "object", "properties": {"id": {"type": "number"}}, "required": ["id"]});
    let stricter = json!({"type": "object", "required": ["text", "more"], "properties": {"text": {}, "more": {}}});
    for (changes, expected) in [
        (vec![("/events", json!({}))], vec![(Rule::Interface, format!("{alias}/events/created/name"))]),
        (
            vec![(
                "/interfaces/creatable<issue>/actions",
                json!({"create": {"name": "createIssue"}, "list": {"name": "createIssue"}}),
            )],
            vec![(Rule::Interface, format!("{alias}/actions/list"))],
        ),
        (
            vec![("/channels/issues/messages", json!({"image": {"schema": {}}}))],
            vec![(Rule::Implementation, "/channels/issues/messages".to_owned())],
        ),
        (
            vec![("/actions/createIssue/input/schema", text.clone())],
            vec![(Rule::Implementation, "/actions/createIssue/input/schema/properties/item/type".to_owned())],
        ),
        (
            vec![("/actions/createIssue/output/schema", json!({"type": "object"}))],
            vec![(Rule::Implementation, "/actions/createIssue/output/schema/properties/item".to_owned())],
        ),
        (
            vec![("/events/created/schema", text)],
            vec![(Rule::Implementation, "/events/created/schema/properties/item/type".to_owned())],
        ),
        (
            vec![("/channels/issues/messages/text/schema", stricter)],
            vec![(Rule::Implementation, "/channels/issues/messages/text/schema/properties/more".to_owned())],
        ),
    ] {
        let body = changes.into_iter().fold(implementing(), |body, (pointer, value)| put(body, pointer, value));
        assert_eq!(implemented(&body, &interface(&creatable())).1, expected);
    }
    // The entity itself, and each place in which the interface's schemas have it.
    let wrong = put(implementing(), "/entities/issue/schema", issue);
    let found = implemented(&wrong, &interface(&creatable())).1;
    assert_eq!(found[0], (Rule::Implementation, "/entities/issue/schema/properties/id/type".to_owned()));
    assert!(found.iter().all(|(rule, _)| *rule == Rule::Implementation));
}

#[test]
fn an_unknown_interface_is_not_found() {
    let (mut definition, _) = accepted(&implementing());
    let issues = definition.implement(ID, None, &mut Effort::default());
    assert_eq!((issues.len(), issues[0].rule), (1, Rule::Interface));
    assert_eq!(issues[0].path, "/interfaces/creatable<issue>/id");
    let body = put(implementing(), "/interfaces/creatable<issue>/id", json!("no-such-id-but-as-long-as-one"));
    assert_eq!(accepted(&body).0.implemented().into_values().collect::<Vec<_>>(), [None::<IntegrationId>]);
}

#[test]
fn an_entity_brings_its_own_definitions() {
    let entity = json!({"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/definitions/id"}}, "definitions": {"id": {"type": "string"}}});
    let with_item =
        json!({"type": "object", "required": ["item"], "properties": {"item": entity["properties"], "more": {}}});
    let mut body = put(implementing(), "/entities/issue/schema", entity.clone());
    let whole = json!({"type": "object", "required": ["item"], "properties": {"item": {"$ref": "#/definitions/issue"}}, "definitions": {
        "issue": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}, "entity0": with_item,
    }});
    for place in ["/actions/createIssue/input/schema", "/actions/createIssue/output/schema", "/events/created/schema"] {
        body = put(body, place, whole.clone());
    }
    let taken = put(creatable(), "/actions/create/input/schema/definitions", json!({"entity0": {"type": "string"}}));
    assert_eq!(implemented(&body, &interface(&taken)).1, []);
}

#[test]
fn the_work_for_interfaces_is_bounded() {
    let mut left = Effort(3);
    let (mut definition, _) = accepted(&implementing());
    let id = definition.implemented()[ID].unwrap();
    let issues = definition.implement(ID, Some((id, &interface(&creatable()))), &mut left);
    assert_eq!(left.0, 0);
    assert!(issues.iter().any(|issue| issue.message.contains("too intricate")), "{issues:#?}");
}

#[test]
fn hints_for_forms_are_known_and_not_kept() {
    let hints = json!({"text": {"title": "Text", "examples": ["a"]}});
    let plain = accepted(&full()).0;
    let mut body = full();
    for place in [
        "/configuration",
        "/configurations/o-auth",
        "/states/session",
        "/events/teamCreated",
        "/actions/createTeam/input",
        "/actions/createTeam/output",
        "/entities/Team",
        "/channels/channel/messages/text",
    ] {
        body = put(body, &format!("{place}/ui"), hints.clone());
    }
    assert_eq!(accepted(&body).0, plain);
    assert_eq!(issues_of(&with("/events/teamCreated/ui", json!("text"))), [Rule::Type]);
    assert_eq!(issues_of(&with("/actions/createTeam/ui", hints)), [Rule::UnknownKey]);
}
