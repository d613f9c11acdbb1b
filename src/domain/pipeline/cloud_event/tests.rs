//! Events that the specification shows, and events that break its rules.

use uuid::Uuid;

use super::*;
use crate::domain::{ambient::Time, ids::EventId, pipeline::event::EventSource};

fn minimal() -> Value {
    json!({"specversion": "1.0", "id": "A234-1234-1234", "source": "/mycontext", "type": "com.example.someevent"})
}

fn with(more: Value) -> Value {
    let mut event = minimal();
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn violations(value: &Value) -> Vec<String> {
    match read(value) {
        Err(Error::Invalid(violations)) => violations.into_iter().map(|one| one.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn event(fact: Fact) -> Event {
    Event {
        id: EventId(Uuid::from_u128(7)),
        organisation_id: Uuid::from_u128(8).into(),
        source: EventSource::API,
        fact,
        made_from: None,
        path: Vec::new(),
        trace: None,
        created_at: Time::UNIX_EPOCH,
    }
}

fn public_url() -> Url {
    Url::parse("https://tieline.example.com").unwrap()
}

#[test]
fn what_came_goes_out_again() {
    for sent in [
        with(json!({"time": "2018-04-05T17:31:00Z"})),
        with(json!({
            "subject": "123", "time": "2018-04-05T17:31:00+02:00", "comexampleextension1": "value",
            "datacontenttype": "text/xml", "data": "<much wow=\"xml\"/>", "dataschema": "https://example.com/s#a",
        })),
        with(json!({"time": "2018-04-05T17:31:00Z", "datacontenttype": "image/png", "data_base64": "AAEC/w=="})),
        with(json!({"time": "2018-04-05T17:31:00Z", "data": {"a": [1, null]}})),
    ] {
        let CloudEvent { source, id, fact } = read(&sent).unwrap();
        assert_eq!(
            (source.as_str(), id.as_str(), fact.kind.as_str()),
            ("/mycontext", "A234-1234-1234", "com.example.someevent")
        );
        assert!(fact.clone().check(&[]).is_ok(), "{sent}");
        assert_eq!(write(&event(fact), &public_url()), sent);
    }
}

#[test]
fn attributes_are_texts_in_their_canonical_form() {
    let sent = with(json!({"a": true, "b": -2_147_483_648_i64, "c1": "x", "unset": null, "data": null, "time": null}));
    let CloudEvent { fact, .. } = read(&sent).unwrap();
    let named = |name| fact.attributes.get(name);
    assert_eq!([named("a"), named("b"), named("c1")], [Some("true"), Some("-2147483648"), Some("x")]);
    assert_eq!([named("unset"), named("time"), named("type")], [None, None, None]);
    assert!(fact.data.is_null());
    let long = "s".repeat(256);
    let CloudEvent { fact, .. } = read(&with(json!({"subject": long}))).unwrap();
    assert_eq!(fact.attributes.get("subject"), None, "what does not fit is left out");
}

#[test]
fn data_in_base64_is_json_where_its_type_is() {
    let sent = |kind: &str| with(json!({"datacontenttype": kind, "data_base64": "eyJhIjoxfQ=="}));
    assert_eq!(*read(&sent("application/json")).unwrap().fact.data, json!({"a": 1}));
    assert_eq!(*read(&sent("application/vnd.x+JSON; v=1")).unwrap().fact.data, json!({"a": 1}));
    assert_eq!(*read(&sent("text/plain")).unwrap().fact.data, json!({"data_base64": "eyJhIjoxfQ=="}));
    assert_eq!(
        violations(&with(json!({"datacontenttype": "application/json", "data_base64": "AAEC"}))),
        ["/data_base64"]
    );
}

#[test]
fn every_violation_is_named() {
    assert_eq!(violations(&json!([])), [""]);
    assert_eq!(violations(&json!({})), ["/specversion", "/id", "/source", "/type"]);
    let long = "l".repeat(256);
    for (more, field) in [
        (json!({"specversion": "0.3"}), "/specversion"),
        (json!({"specversion": 1.0}), "/specversion"),
        (json!({"id": ""}), "/id"),
        (json!({"id": 7}), "/id"),
        (json!({"id": long}), "/id"),
        (json!({"source": "a b"}), "/source"),
        (json!({"source": ""}), "/source"),
        (json!({"type": null}), "/type"),
        (json!({"subject": ""}), "/subject"),
        (json!({"time": "yesterday"}), "/time"),
        (json!({"datacontenttype": "json"}), "/datacontenttype"),
        (json!({"dataschema": "/relative"}), "/dataschema"),
        (json!({"traceParent": "x"}), "/traceParent"),
        (json!({"a_b/c": "x"}), "/a_b~1c"),
        (json!({"1a": "x"}), "/1a"),
        (json!({"x": 1.5}), "/x"),
        (json!({"x": 2_147_483_648_i64}), "/x"),
        (json!({"x": {"y": 1}}), "/x"),
        (json!({"x": long}), "/x"),
        (json!({"data_base64": "%"}), "/data_base64"),
        (json!({"data_base64": "AA==", "data": 1}), "/data_base64"),
    ] {
        assert_eq!(violations(&with(more.clone())), [field], "{more}");
    }
    let many: Map<String, Value> = (0..MAX_ATTRIBUTES).map(|n| (format!("a{n}"), json!("x"))).collect();
    assert_eq!(violations(&with(Value::Object(many))), [""]);
}

#[test]
fn an_event_of_another_form_is_a_cloud_event_too() {
    let attributes =
        [("linkId", "4711"), ("step_kind", "x"), ("id", "9"), ("time", "now"), ("subject", "s"), ("data", "d")];
    let fact = Fact {
        attributes: attributes.into_iter().collect(),
        ..Fact::plain("order.created", None, json!({"total": 1}))
    };
    let written = write(&event(fact), &public_url());
    assert_eq!(
        written,
        json!({
            "specversion": "1.0",
            "id": "00000000-0000-0000-0000-000000000007",
            "source": "https://tieline.example.com/v1/events?source=api",
            "type": "order.created",
            "time": "1970-01-01T00:00:00.000Z",
            "linkid": "4711",
            "stepkind": "x",
            "subject": "s",
            "data": {"total": 1},
        })
    );
    assert!(read(&written).is_ok(), "by its own rules");
    let nothing = write(&event(Fact::plain("ping", None, Value::Null)), &public_url());
    assert!(nothing.get("data").is_none());
}
