//! Tests of Slack's requests: published ones, possible future ones, and invalid ones.

use serde_json::json;

use super::*;

/// The published example of a command, without the fields that are deprecated.
const COMMAND: &str = "team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
    &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=deploy+%F0%9F%98%80+%3C%21here%3E\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2Fhush\
    &trigger_id=398738663015.47445629121.hush&api_app_id=A1&is_enterprise_install=false";

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

fn slash(body: &[u8]) -> SlashCommand {
    match command(body).unwrap() {
        Command::Slash(slash) => *slash,
        Command::SslCheck => panic!("a check"),
    }
}

/// Returns the fields that are refused.
fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Invalid(violations)) => violations.into_iter().map(|violation| violation.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_is_taken_apart() {
    let slash = slash(COMMAND.as_bytes());
    let expected = SlashCommand {
        origin: Origin { team_id: Some("T1DC2JH3J".into()), enterprise_id: None, org_wide: false },
        app_id: Some("A1".into()),
        user_id: "U2CERLKJA".into(),
        channel_id: Some("G8PSS9T3V".into()),
        command: "/webhook-collect".into(),
        text: "deploy 😀 <!here>".into(),
        trigger_id: Secret::new("398738663015.47445629121.hush"),
        response_url: Some(Secret::new("https://hooks.slack.com/commands/T1DC2JH3J/397700885554/hush")),
    };
    assert_eq!(slash, expected);
    assert!(!format!("{slash:?}").contains("hush"));
}

#[test]
fn a_check_of_the_certificate_is_one_only_where_nothing_was_typed() {
    assert_eq!(command(b"ssl_check=1&token=x").unwrap(), Command::SslCheck);
    let slash = slash(format!("{COMMAND}&ssl_check=1").as_bytes());
    assert_eq!(slash.command, "/webhook-collect");
    for body in ["", "ssl_check=0", "ssl_check=", "token=x", "command=&user_id=U1"] {
        assert_eq!(refused(command(body.as_bytes())), "command", "{body}");
    }
    assert_eq!(refused(command(b"ssl_check=1&ssl_check=1")), "ssl_check");
}

#[test]
fn a_command_lacks_nothing_that_is_needed() {
    let whole = [("team_id", "T1"), ("user_id", "U1"), ("command", "/wf"), ("trigger_id", "1.2.x")];
    let least = slash(&form(&whole));
    assert_eq!((least.text.as_str(), least.channel_id, least.response_url), ("", None, None));
    for (index, (name, _)) in whole.iter().enumerate() {
        let mut without = whole.to_vec();
        without.remove(index);
        assert_eq!(refused(command(&form(&without))), *name);
        let mut twice = whole.to_vec();
        twice.push((name, "other"));
        assert_eq!(refused(command(&form(&twice))), *name, "a field that comes twice");
    }
    for (name, value) in [("team_id", "T 1"), ("user_id", "Ü"), ("trigger_id", "a\nb"), ("channel_id", "\0")] {
        let mut odd: Vec<_> = whole.iter().copied().filter(|(other, _)| *other != name).collect();
        odd.push((name, value));
        assert_eq!(refused(command(&form(&odd))), name);
    }
}

#[test]
fn a_command_of_a_whole_enterprise_is_found_by_it() {
    let asked = |fields: &[(&'static str, &'static str)]| {
        let mut whole = vec![("user_id", "U1"), ("command", "/wf"), ("trigger_id", "1.2.x")];
        whole.extend(fields);
        slash(&form(&whole)).origin
    };
    let both = [("team_id", "T1"), ("enterprise_id", "E1"), ("enterprise_name", "Corp")];
    assert_eq!(asked(&[&both[..], &[("is_enterprise_install", "true")]].concat()).installation_id(), "E1");
    assert_eq!(asked(&[&both[..], &[("is_enterprise_install", "false")]].concat()).installation_id(), "T1");
    assert_eq!(asked(&both).installation_id(), "T1");
    assert_eq!(asked(&[("enterprise_id", "E1"), ("is_enterprise_install", "true")]).installation_id(), "E1");
    assert_eq!(asked(&[("enterprise_id", "E1")]).installation_id(), "E1");
    assert_eq!(asked(&[("team_id", "T1"), ("is_enterprise_install", "true")]).installation_id(), "T1");
}

#[test]
fn what_is_no_form_is_refused() {
    for body in
        [&b"command=%zz"[..], b"command=%", b"text=%ff", b"\xff\xfe=1", b"command=\xc3", "a=1&".repeat(200).as_bytes()]
    {
        assert_eq!(refused(command(body)), "body", "{body:?}");
        assert_eq!(refused(interaction(body)), "body", "{body:?}");
    }
}

#[test]
fn a_megabyte_is_read_or_refused_and_nothing_worse() {
    let mega = "x".repeat(1_000_000);
    assert_eq!(slash(format!("{COMMAND}&other={mega}").as_bytes()).user_id, "U2CERLKJA", "nobody asked for it");
    assert_eq!(refused(bounded_text(&mega)), "text");
    assert_eq!(refused(command(mega.as_bytes())), "command");
    assert_eq!(refused(command("%".repeat(1_000_000).as_bytes())), "body");
    assert_eq!(refused(command("&".repeat(1_000_000).as_bytes())), "command");
    assert_eq!(refused(interaction(format!("payload={mega}").as_bytes())), "payload");
    assert_eq!(refused(envelope(mega.as_bytes())), "body");
    assert_eq!(refused(envelope("[".repeat(1_000_000).as_bytes())), "body");
    let deep = format!(r#"{{"type":"event_callback","event":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(refused(envelope(deep.as_bytes())), "body");
}

/// A command with a text of the given length.
fn bounded_text(text: &str) -> Result<Command> {
    command(&form(&[("team_id", "T1"), ("user_id", "U1"), ("command", "/wf"), ("trigger_id", "1"), ("text", text)]))
}

#[test]
fn texts_are_bounded_by_characters() {
    assert!(bounded_text(&"ü".repeat(40_000)).is_ok());
    assert_eq!(refused(bounded_text(&"ü".repeat(40_001))), "text");
}

fn submission() -> Value {
    json!({
        "type": "view_submission",
        "team": {"id": "T1", "domain": "acme"},
        "user": {"id": "U1", "username": "ann", "team_id": "T1"},
        "api_app_id": "A1",
        "token": "x",
        "trigger_id": "1.2.hush",
        "enterprise": null,
        "is_enterprise_install": false,
        "view": {
            "id": "V1",
            "callback_id": "workflow-run-modal",
            "private_metadata": "deploy",
            "state": {"values": {"parameter.version": {"value": {"type": "plain_text_input", "value": "1 & 2"}}}},
        },
        "response_urls": [],
    })
}

fn sent(payload: &Value) -> Result<Interaction> {
    interaction(&form(&[("payload", &payload.to_string())]))
}

fn submitted(payload: &Value) -> ViewSubmission {
    match sent(payload).unwrap() {
        Interaction::ViewSubmission(submission) => *submission,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_modal_that_was_sent_off_is_taken_apart() {
    let expected = ViewSubmission {
        origin: Origin { team_id: Some("T1".into()), enterprise_id: None, org_wide: false },
        app_id: Some("A1".into()),
        user_id: "U1".into(),
        view_id: "V1".into(),
        callback_id: "workflow-run-modal".into(),
        private_metadata: "deploy".into(),
        values: json!({"parameter.version": {"value": {"type": "plain_text_input", "value": "1 & 2"}}}),
    };
    assert_eq!(submitted(&submission()), expected);
}

#[test]
fn a_modal_without_inputs_or_metadata_is_one_too() {
    let mut payload = submission();
    payload["view"] = json!({"id": "V1", "state": null, "callback_id": "", "private_metadata": null});
    let submission = submitted(&payload);
    assert_eq!((submission.callback_id.as_str(), submission.private_metadata.as_str()), ("", ""));
    assert_eq!(submission.values, json!({}));
}

#[test]
fn a_modal_belongs_to_where_the_app_is_installed() {
    let origin = |team: Value, enterprise: Value, org_wide: Value, installed: Value| {
        let mut payload = submission();
        payload["team"] = team;
        payload["enterprise"] = enterprise;
        payload["is_enterprise_install"] = org_wide;
        payload["view"]["app_installed_team_id"] = installed;
        submitted(&payload).origin.installation_id().to_owned()
    };
    let (team, corp) = (json!({"id": "T1"}), json!({"id": "E1", "name": "Corp"}));
    assert_eq!(origin(Value::Null, corp.clone(), json!(true), Value::Null), "E1");
    assert_eq!(origin(team.clone(), corp.clone(), json!(true), Value::Null), "E1");
    assert_eq!(origin(team.clone(), corp, json!(false), Value::Null), "T1", "installed in one workspace of it");
    assert_eq!(origin(team, Value::Null, Value::Null, json!("T2")), "T2", "a user of another workspace");
}

#[test]
fn a_modal_lacks_nothing_that_is_needed() {
    for (pointer, field) in [
        ("/type", "/type"),
        ("/team", "/team/id"),
        ("/user", "/user/id"),
        ("/user/id", "/user/id"),
        ("/view", "/view/id"),
        ("/view/id", "/view/id"),
    ] {
        let mut payload = submission();
        *payload.pointer_mut(pointer).unwrap() = Value::Null;
        assert_eq!(refused(sent(&payload)), field);
    }
    for (pointer, value) in [
        ("/type", json!(7)),
        ("/user/id", json!(["U1"])),
        ("/user/id", json!("U 1")),
        ("/is_enterprise_install", json!("true")),
        ("/view/callback_id", json!("x".repeat(256))),
        ("/view/private_metadata", json!("x".repeat(3_001))),
        ("/view/private_metadata", json!({})),
        ("/view/state/values", json!([])),
    ] {
        let mut payload = submission();
        *payload.pointer_mut(pointer).unwrap() = value;
        assert_eq!(refused(sent(&payload)), pointer);
    }
}

#[test]
fn a_choice_in_a_modal_is_taken_apart() {
    let mut payload = submission();
    payload["type"] = json!("block_actions");
    assert_eq!(sent(&payload).unwrap(), Interaction::BlockActions, "nothing was chosen");
    payload["actions"] = json!([{"type": "static_select", "selected_option": {"value": "deploy"}}]);
    let expected = Choice {
        origin: Origin { team_id: Some("T1".into()), enterprise_id: None, org_wide: false },
        user_id: "U1".into(),
        view_id: "V1".into(),
        callback_id: "workflow-run-modal".into(),
        private_metadata: "deploy".into(),
        value: "deploy".into(),
    };
    assert_eq!(sent(&payload).unwrap(), Interaction::Choice(Box::new(expected)));
    payload["view"] = Value::Null;
    assert_eq!(sent(&payload).unwrap(), Interaction::BlockActions, "a choice in a message");
}

#[test]
fn each_kind_of_interaction_is_known_and_others_are_no_error() {
    for (kind, expected) in [
        ("view_closed", Interaction::ViewClosed),
        ("block_actions", Interaction::BlockActions),
        ("shortcut", Interaction::Shortcut),
        ("message_action", Interaction::MessageAction),
        ("block_suggestion", Interaction::BlockSuggestion),
        ("interactive_message", Interaction::Other { kind: "interactive_message".into() }),
    ] {
        assert_eq!(sent(&json!({"type": kind})).unwrap(), expected);
    }
}

#[test]
fn there_is_one_payload_and_it_is_json() {
    let payload = submission().to_string();
    let two = form(&[("payload", &payload), ("payload", r#"{"type":"shortcut"}"#)]);
    assert_eq!(refused(interaction(&two)), "payload");
    for body in
        [&b""[..], b"payload=", b"other=1", b"payload=nonsense", b"payload=[]", b"payload=%22x%22", b"payload=%7B"]
    {
        assert_eq!(refused(interaction(body)), "payload", "{body:?}");
    }
    assert_eq!(refused(interaction(payload.as_bytes())), "payload", "JSON itself is no form with a payload");
}

fn event() -> Value {
    json!({
        "token": "x",
        "team_id": "T1",
        "enterprise_id": null,
        "context_team_id": "T1",
        "api_app_id": "A1",
        "event": {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home", "event_ts": "1700000000.1"},
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1_700_000_000,
        "authorizations": [{"enterprise_id": null, "team_id": "T1", "user_id": "UB", "is_bot": true,
                            "is_enterprise_install": false}],
        "is_ext_shared_channel": false,
    })
}

fn read(value: &Value) -> Result<Envelope> {
    envelope(value.to_string().as_bytes())
}

fn called_back(value: &Value) -> EventCallback {
    match read(value).unwrap() {
        Envelope::EventCallback(event) => *event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_is_taken_apart() {
    let expected = EventCallback {
        origin: Origin { team_id: Some("T1".into()), enterprise_id: None, org_wide: false },
        app_id: "A1".into(),
        event_id: "Ev1".into(),
        event_time: Time::from_timestamp(1_700_000_000, 0).unwrap(),
        kind: "app_home_opened".into(),
        event: event()["event"].clone(),
    };
    assert_eq!(called_back(&event()), expected);
}

#[test]
fn an_event_belongs_to_the_notified_installation() {
    let origin = |team: Value, enterprise: Value, authorizations: Value| {
        let mut event = event();
        event["team_id"] = team;
        event["enterprise_id"] = enterprise;
        event["authorizations"] = authorizations;
        called_back(&event).origin
    };
    let org_wide = json!([{"enterprise_id": "E1", "team_id": null, "is_enterprise_install": true}]);
    assert_eq!(origin(json!("T9"), json!("E1"), org_wide).installation_id(), "E1");
    let with_team = json!([{"enterprise_id": "E1", "team_id": "T1", "is_enterprise_install": true}]);
    assert_eq!(origin(json!("T1"), Value::Null, with_team).installation_id(), "E1");
    let in_one = json!([{"enterprise_id": "E1", "team_id": "T1", "is_enterprise_install": false}]);
    let shared = origin(json!("T9"), json!("E9"), in_one);
    assert_eq!((shared.installation_id(), shared.enterprise_id.as_deref()), ("T1", Some("E1")), "a shared channel");
    for none in [json!([]), Value::Null, json!([{}]), json!([null])] {
        assert_eq!(origin(json!("T9"), json!("E9"), none).installation_id(), "T9");
    }
    assert_eq!(origin(Value::Null, json!("E9"), Value::Null).installation_id(), "E9");
}

#[test]
fn an_event_lacks_nothing_that_is_needed() {
    for field in ["/event", "/event/type", "/api_app_id", "/event_id", "/event_time", "/type"] {
        for odd in [Value::Null, json!(["x"]), json!(0.5), json!("a b")] {
            let mut event = event();
            *event.pointer_mut(field).unwrap() = odd;
            assert_eq!(refused(read(&event)), field);
        }
    }
    let mut nowhere = event();
    nowhere["team_id"] = Value::Null;
    nowhere["authorizations"] = Value::Null;
    assert_eq!(refused(read(&nowhere)), "/team_id");
    let mut never = event();
    never["event_time"] = json!(i64::MAX);
    assert_eq!(refused(read(&never)), "/event_time");
    assert_eq!(refused(read(&json!({"type": "event_callback"}))), "/event", "a type alone is no event");
}

#[test]
fn the_other_envelopes_are_read() {
    assert_eq!(
        read(&json!({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"})).unwrap(),
        Envelope::UrlVerification { challenge: "3eZbrw1a".into() }
    );
    for challenge in [Value::Null, json!(""), json!(1), json!("x".repeat(1_001))] {
        assert_eq!(refused(read(&json!({"type": "url_verification", "challenge": challenge}))), "/challenge");
    }
    assert_eq!(
        read(&json!({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1_518_467_820, "api_app_id": "A1"}))
            .unwrap(),
        Envelope::AppRateLimited { team_id: "T1".into(), minute_rate_limited: 1_518_467_820 }
    );
    assert_eq!(refused(read(&json!({"type": "app_rate_limited", "event": {"team_id": "T1"}}))), "/team_id");
    // Only its own type makes it a check of the address.
    assert_eq!(read(&json!({"type": "new", "challenge": "x"})).unwrap(), Envelope::Other { kind: "new".into() });
}

#[test]
fn what_is_no_envelope_is_refused() {
    for body in [&b""[..], b"null", b"[]", b"\"x\"", b"{", b"{\"type\":\"\xff\"}", b"payload=%7B%7D", b"{} {}"] {
        assert_eq!(refused(envelope(body)), "body", "{body:?}");
    }
    assert_eq!(refused(envelope(b"{}")), "/type");
}
