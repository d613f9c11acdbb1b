//! Updates: members that stay, are removed, or merge.

use super::*;

/// Returns the full definition after an update.
fn after(body: &Value) -> Definition {
    let (former, _) = accepted(&full());
    check_update(&former, body).unwrap_or_else(|issues| panic!("{body}\n{issues:#?}")).0
}

/// Returns the value that an update changes at a pointer, and asserts that nothing else changes.
fn changed(body: Value, pointer: &str) -> Option<Value> {
    let next = serde_json::to_value(after(&body)).unwrap();
    let former = serde_json::to_value(accepted(&full()).0).unwrap();
    let mut expected = next.clone();
    let found = next.pointer(pointer).cloned();
    // Everything but this place stays.
    let (above, key) = pointer.rsplit_once('/').unwrap();
    let place = expected.pointer_mut(above).unwrap().as_object_mut().unwrap();
    match former.pointer(pointer) {
        Some(value) => place.insert(key.to_owned(), value.clone()),
        None => place.shift_remove(key),
    };
    assert_eq!(expected, former, "{body}");
    found
}

#[test]
fn an_absent_member_stays() {
    assert_eq!(after(&json!({})), accepted(&full()).0);
    let nothing =
        json!({"configurations": {}, "channels": {"channel": {}}, "user": {}, "configuration": {}, "events": {}});
    assert_eq!(after(&nothing), accepted(&full()).0);
}

#[test]
fn null_takes_away_where_it_may_stand() {
    for pointer in [
        "/configurations/o-auth",
        "/channels/channel/messages/text",
        "/channels/channel/conversation/tags/kind",
        "/channels/channel/message/tags/ts",
        "/states/session",
        "/attributes/category",
        "/events/teamCreated/attributes/a",
        "/actions/createTeam/attributes/c",
        "/identifier/extractScript",
        "/identifier/fallbackHandlerScript",
        "/configuration/identifier/linkTemplateScript",
        "/interfaces/listable<team>",
        "/url",
    ] {
        let mut body = Value::Null;
        let mut action = full()["actions"]["createTeam"].clone();
        action.as_object_mut().unwrap().shift_remove("attributes");
        let mut event = full()["events"]["teamCreated"].clone();
        event.as_object_mut().unwrap().shift_remove("attributes");
        for step in pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
            body = json!({step: body});
        }
        // These need their schemas in an update as well.
        if let Some(given) = body.pointer("/actions/createTeam/attributes").cloned() {
            action["attributes"] = given;
            body = json!({"actions": {"createTeam": action}});
        }
        if let Some(given) = body.pointer("/events/teamCreated/attributes").cloned() {
            event["attributes"] = given;
            body = json!({"events": {"teamCreated": event}});
        }
        let place =
            if pointer.starts_with("/events/teamCreated/") { "/events/teamCreated/attributes" } else { pointer };
        assert_eq!(changed(body, place), None, "{pointer}");
    }
    // These are referenced by an interface, or by a list of tags.
    for pointer in ["/channels/channel", "/actions/createTeam", "/events/teamCreated", "/entities/Team"] {
        let step = pointer.split('/').collect::<Vec<_>>();
        let body = json!({step[1]: {step[2]: null}, "interfaces": {"listable<team>": null}});
        let next = serde_json::to_value(after(&body)).unwrap();
        assert_eq!((next.pointer(pointer), next["interfaces"].as_object().unwrap().len()), (None, 0), "{pointer}");
    }
    let tag = json!({"user": {"tags": {"email": null}, "creation": {"enabled": false, "requiredTags": []}}});
    assert_eq!(
        after(&tag).user,
        *json!({"tags": {}, "creation": {"enabled": false, "requiredTags": []}}).as_object().unwrap()
    );
}

#[test]
fn null_may_stand_nowhere_else() {
    let (former, _) = accepted(&full());
    for (pointer, rule) in [
        ("/title", Rule::Type),
        ("/description", Rule::Type),
        ("/configuration", Rule::Type),
        ("/configuration/schema", Rule::Type),
        ("/configuration/identifier", Rule::Type),
        ("/configuration/identifier/required", Rule::Type),
        ("/configurations", Rule::Type),
        ("/states", Rule::Type),
        ("/events", Rule::Type),
        ("/actions", Rule::Type),
        ("/entities", Rule::Type),
        ("/channels", Rule::Type),
        ("/channels/channel/messages", Rule::Type),
        ("/channels/channel/conversation", Rule::Type),
        ("/channels/channel/conversation/creation", Rule::Type),
        ("/user", Rule::Type),
        ("/user/tags", Rule::Type),
        ("/interfaces", Rule::Type),
        ("/identifier", Rule::Type),
        ("/attributes", Rule::Type),
        ("/extraOperations", Rule::Type),
        ("/extraOperations/ping", Rule::Type),
        ("/secrets", Rule::Type),
        ("/sdkVersion", Rule::Type),
        ("/code", Rule::Type),
        ("/icon", Rule::Type),
        ("/readme", Rule::Type),
        ("/public", Rule::Type),
        ("/visibility", Rule::Type),
        ("/layers", Rule::Type),
        ("/maxExecutionTime", Rule::Type),
        ("/name", Rule::UnknownKey),
        ("/version", Rule::UnknownKey),
        ("/dev", Rule::UnknownKey),
        ("/id", Rule::UnknownKey),
    ] {
        let body = pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev();
        let body = body.fold(Value::Null, |body, step| json!({step: body}));
        let issues = check_update(&former, &body).unwrap_err();
        let found: Vec<_> = issues.iter().map(|issue| (issue.rule, issue.path.as_str())).collect();
        assert_eq!(found, [(rule, pointer)], "{body}");
    }
}

#[test]
fn maps_merge_at_their_levels() {
    let new = json!({"title": "New"});
    let deep = |pointer: &str, value: Value| {
        let steps = pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev();
        steps.fold(value, |body, step| json!({step: body}))
    };
    for (pointer, given) in [
        ("/title", json!("New")),
        ("/description", json!("")),
        ("/url", json!("http://localhost:8080")),
        ("/configuration/title", json!("New")),
        ("/configuration/schema", json!({})),
        ("/configuration/identifier/required", json!(false)),
        ("/configuration/identifier/linkTemplateScript", json!("new")),
        ("/configurations/o-auth/title", json!("New")),
        ("/configurations/o-auth/identifier/linkTemplateScript", json!("new")),
        ("/states/other", json!({"type": "conversation", "schema": {}})),
        ("/entities/Team", json!({"schema": {}})),
        ("/channels/channel/title", json!("New")),
        ("/channels/channel/messages/text", json!({"schema": {"type": "string"}})),
        ("/channels/channel/messages/video", json!({"schema": {}})),
        ("/channels/channel/conversation/tags/id", new.clone()),
        ("/channels/channel/conversation/tags/new", new.clone()),
        ("/channels/channel/conversation/creation", json!({"enabled": false, "requiredTags": ["kind"]})),
        ("/channels/channel/message/tags/new", new.clone()),
        ("/user/tags/new", new),
        ("/attributes/new", json!("x")),
        ("/extraOperations/pong", json!({"enabled": false})),
        ("/identifier/extractScript", json!("new")),
        ("/layers", json!(["other", "base"])),
    ] {
        assert_eq!(changed(deep(pointer, given.clone()), pointer), Some(given), "{pointer}");
    }
    let time = after(&json!({"maxExecutionTime": 60.0})).max_execution_time_secs;
    assert_eq!(time, Some(60));
}

#[test]
fn an_action_takes_the_place_of_the_former_one_but_for_its_attributes() {
    let short = json!({"input": {"schema": {}}, "output": {"schema": {}}, "attributes": {"c": null, "g": "h"}});
    let expected = json!({"input": {"schema": {}}, "output": {"schema": {}}, "attributes": {"e": "f", "g": "h"}});
    assert_eq!(changed(json!({"actions": {"createTeam": short}}), "/actions/createTeam"), Some(expected));
    let bare = json!({"input": {"schema": {}}, "output": {"schema": {}}});
    let expected = json!({"input": {"schema": {}}, "output": {"schema": {}}, "attributes": {"c": "d", "e": "f"}});
    assert_eq!(changed(json!({"actions": {"createTeam": bare}}), "/actions/createTeam"), Some(expected));
    let event = json!({"schema": {}, "attributes": {"a": null, "none": null}});
    assert_eq!(changed(json!({"events": {"teamCreated": event}}), "/events/teamCreated"), Some(json!({"schema": {}})));
}

#[test]
fn visibility_stays_unless_it_is_given() {
    let (former, _) = accepted(&full());
    let public = Definition { visibility: Visibility::Public, ..former.clone() };
    let visibility = |former: &Definition, body: Value| check_update(former, &body).unwrap().0.visibility;
    assert_eq!(visibility(&former, json!({})), Visibility::Unlisted);
    assert_eq!(visibility(&former, json!({"public": false})), Visibility::Unlisted);
    assert_eq!(visibility(&former, json!({"public": true})), Visibility::Public);
    assert_eq!(visibility(&former, json!({"public": true, "visibility": "private"})), Visibility::Private);
    assert_eq!(visibility(&public, json!({"public": false})), Visibility::Private);
}

#[test]
fn enclosures_are_those_of_the_body() {
    let (former, _) = accepted(&full());
    let (_, enclosures) = check_update(&former, &json!({})).unwrap();
    assert_eq!(enclosures, Enclosures::default());
    let body = json!({"code": "2", "secrets": {"A": null, "B": "b"}, "readme": STANDARD.encode("two")});
    let (next, enclosures) = check_update(&former, &body).unwrap();
    assert_eq!(next, former);
    assert_eq!((enclosures.code.as_deref(), enclosures.readme.as_deref()), (Some("2"), Some("two")));
    assert_eq!(enclosures.secrets["A"], None);
    assert_eq!(enclosures.secrets["B"], Some(Secret::new("b")));
}

#[test]
fn the_outcome_is_checked_as_a_whole() {
    let (former, _) = accepted(&full());
    let found = |body: Value| {
        let issues = check_update(&former, &body).unwrap_err();
        issues.into_iter().map(|issue| (issue.rule, issue.path)).collect::<Vec<_>>()
    };
    // One channel exists, so ten more are one too many; without it, they fit.
    let ten = |former: Value| {
        let mut channels = json!({"channel": former});
        (0..10).for_each(|n| channels[format!("other{n}")] = json!({}));
        json!({"channels": channels, "interfaces": {"listable<team>": null}})
    };
    assert_eq!(found(ten(json!({}))), [(Rule::Limit, "/channels".to_owned())]);
    let (next, _) = check_update(&former, &ten(Value::Null)).unwrap();
    assert_eq!(next.channels.len(), 10);
    assert_eq!(
        found(json!({"actions": {"createTeam": null}})),
        [(Rule::Interface, "/interfaces/listable<team>/actions/create/name".to_owned())]
    );
    assert_eq!(
        found(json!({"user": {"tags": {"email": null}}})),
        [(Rule::Tag, "/user/creation/requiredTags/0".to_owned())]
    );
}
