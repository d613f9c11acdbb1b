//! Bodies that are large, deep or hostile: each costs a bounded time.

use super::*;

#[test]
fn issues_are_counted_and_not_all_listed() {
    let body = |count: usize| {
        let mut body = json!({"name": "teams", "version": "1.0.0"});
        (0..count).for_each(|n| body[format!("odd{n}")] = json!("x"));
        body
    };
    assert_eq!(issues(&body(200)).len(), 200);
    assert_eq!(issues(&body(200))[199].rule, Rule::UnknownKey);
    for (count, says) in [
        (201, "request/body has 2 more issues, which are not listed"),
        (1_199, "request/body has 1000 more issues, which are not listed"),
        (50_000, "request/body has more than 10001 more issues, which are not listed"),
    ] {
        let issues = issues(&body(count));
        assert_eq!((issues.len(), issues[199].rule, issues[199].message.as_str()), (200, Rule::More, says));
    }
}

#[test]
fn each_counted_limit_holds() {
    let entries =
        |count: usize, value: Value| (0..count).map(|n| (format!("entry{n}"), value.clone())).collect::<Map<_, _>>();
    let schema = || json!({"schema": {}});
    let action = json!({"input": schema(), "output": schema()});
    let secrets = |count: usize| (0..count).map(|n| (format!("A{n}"), json!("x"))).collect::<Map<_, _>>();
    for (pointer, most, value) in [
        ("/channels", MAX_CHANNELS, json!({"messages": {}})),
        ("/channels/channel/messages", MAX_MESSAGES, schema()),
        ("/channels/channel/conversation/tags", MAX_TAGS, json!({})),
        ("/channels/channel/message/tags", MAX_TAGS, json!({})),
        ("/user/tags", MAX_TAGS, json!({})),
        ("/events", MAX_EVENTS, schema()),
        ("/states", MAX_STATES, json!({"type": "user", "schema": {}})),
        ("/actions", MAX_ENTRIES, action),
        ("/entities", MAX_ENTRIES, schema()),
        ("/attributes", MAX_ENTRIES, json!("x")),
    ] {
        let mut body = with(pointer, Value::Object(entries(most, value.clone())));
        for name in ["interfaces", "user"].iter().filter(|name| !pointer.starts_with(&format!("/{name}"))) {
            body.as_object_mut().unwrap().shift_remove(*name);
        }
        for creation in ["/user", "/channels/channel/conversation"] {
            if let Some(Value::Object(tagged)) = body.pointer_mut(creation) {
                tagged.shift_remove("creation");
            }
        }
        if pointer == "/user/tags" {
            body.as_object_mut().unwrap().shift_remove("interfaces");
        }
        assert_eq!(found(&body), [], "{pointer}");
        let body = put(body, pointer, Value::Object(entries(most + 1, value)));
        assert_eq!(found(&body), [(Rule::Limit, pointer.to_owned())], "{pointer}");
    }
    assert_eq!(found(&with("/secrets", Value::Object(secrets(MAX_SECRETS)))), []);
    assert_eq!(
        found(&with("/secrets", Value::Object(secrets(MAX_SECRETS + 1)))),
        [(Rule::Limit, "/secrets".to_owned())]
    );
    assert_eq!(found(&with("/code", json!("x".repeat(MAX_CODE)))), []);
    assert_eq!(found(&with("/code", json!("x".repeat(MAX_CODE + 1)))), [(Rule::Limit, "/code".to_owned())]);
}

#[test]
fn a_definition_has_a_size() {
    let schema = json!({"title": "x".repeat(100_000)});
    let action = json!({"input": {"schema": schema}, "output": {"schema": schema}});
    let actions = |start: usize, count: usize| {
        let actions = (start..start + count).map(|n| (format!("action{n}"), action.clone()));
        json!({"actions": actions.collect::<Map<_, _>>()})
    };
    let mut body = actions(0, 20);
    body["name"] = json!("teams");
    body["version"] = json!("1.0.0");
    let (former, _) = accepted(&body);
    let limit = [(Rule::Limit, String::new())];
    body["actions"] = actions(0, 30)["actions"].clone();
    assert_eq!(found(&body), limit);
    let issues = check_update(&former, &actions(20, 10)).unwrap_err();
    assert_eq!(issues.into_iter().map(|issue| (issue.rule, issue.path)).collect::<Vec<_>>(), limit);
    assert!(check_update(&former, &actions(0, 20)).is_ok());
}

/// Asserts an upper bound on the time of a check, in a debug build and beside other tests.
fn in_time<T>(what: &str, seconds: u64, run: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let result = run();
    println!("{what}: {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < seconds, "{what}: {:?}", start.elapsed());
    result
}

#[test]
fn a_deploy_of_usual_size_is_checked_at_once() {
    let actions: Map<_, _> = (0..60)
        .map(|n| {
            let schema = schema(&format!("p{n}"));
            (format!("action{n}"), json!({"input": {"schema": schema}, "output": {"schema": schema}}))
        })
        .collect();
    let body = put(with("/code", json!("x".repeat(700_000))), "/actions", Value::Object(actions));
    let body = put(body, "/interfaces", json!({}));
    accepted(&body);
    let (former, _) = in_time("a usual body", 5, || accepted(&body));
    in_time("the same body against itself", 5, || assert_eq!(breaking_changes(&former, &former), []));
}

#[test]
fn nonsense_is_refused_in_a_bounded_time() {
    let base = json!({"name": "teams", "version": "1.0.0"});
    let count = 200_000;
    let numbered = |value: Value| (0..count).map(|n| (format!("key{n}"), value.clone())).collect::<Map<_, _>>();
    for (what, pointer, value) in [
        ("unknown members", "/actions", Value::Object(numbered(json!(1)))),
        ("events", "/events", Value::Object(numbered(json!({"schema": {}})))),
        ("nulls", "/attributes", Value::Object(numbered(json!(null)))),
        ("secrets", "/secrets", Value::Object(numbered(json!("x")))),
        ("a list", "/layers", Value::Array(vec![json!(1); count])),
        ("a list for an object", "/user", Value::Array(vec![json!({}); count])),
        ("a list for code", "/code", Value::Array(vec![json!({}); count])),
        ("a schema", "/configuration", json!({"schema": {"enum": vec![json!({}); count]}})),
        ("something odd", "/odd", Value::Array(vec![json!({}); count])),
    ] {
        let body = put(base.clone(), pointer, value);
        let issues = in_time(what, 5, || issues(&body));
        assert!(!issues.is_empty() && issues.len() <= MAX_ISSUES, "{what}");
    }
    let mut body = numbered(json!(1));
    body.insert("name".into(), json!("teams"));
    let body = Value::Object(body);
    assert_eq!(in_time("as many unknown members", 5, || issues(&body)).len(), MAX_ISSUES);
    let key = "k".repeat(1_000_000);
    let issues = issues(&put(base, &format!("/{key}"), json!("x".repeat(1_000_000))));
    assert!(serde_json::to_string(&issues).unwrap().len() < 2_000);
}
