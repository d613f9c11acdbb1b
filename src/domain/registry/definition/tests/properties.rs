//! Properties that hold for any body.

use proptest::{collection::vec, option, prelude::*};

use super::*;

/// Keys that often collide.
fn key() -> impl Strategy<Value = String> {
    "[ab][a-c]"
}

fn map(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    vec((key(), value), 0..3).prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

fn of_type(kinds: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(kinds).prop_map(|kind| json!({"type": kind, "x-zui": {"a": [1]}}))
}

fn a_schema() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![Just(json!({})), of_type(&["string", "number", "null"])];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (map(inner.clone()), any::<bool>()).prop_map(|(properties, strict)| {
                json!({"type": "object", "properties": properties, "required": ["aa"], "additionalProperties": strict})
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            vec(inner, 1..3).prop_map(|any_of| json!({"anyOf": any_of})),
        ]
    })
    .boxed()
}

/// An object with some of these members.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members = members.into_iter().map(|(name, value)| option::of(value).prop_map(move |value| (name, value)));
    let members: Vec<_> = members.map(Strategy::boxed).collect();
    let given = |members: Vec<(&str, Option<Value>)>| {
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    };
    members.prop_map(move |members| Value::Object(given(members))).boxed()
}

fn words() -> BoxedStrategy<Value> {
    "[a-z ]{1,9}".prop_map(Value::String).boxed()
}

/// A value, or `null` if it may be removed.
fn or_null(value: BoxedStrategy<Value>, is_update: bool) -> BoxedStrategy<Value> {
    if is_update { prop_oneof![3 => value, 1 => Just(Value::Null)].boxed() } else { value }
}

/// A body of an update, or of a creation but for its name and version.
fn a_body(is_update: bool) -> BoxedStrategy<Value> {
    let entries = move |value: BoxedStrategy<Value>| map(or_null(value, is_update)).boxed();
    let attributes = move || map(or_null(words(), is_update)).boxed();
    let tags = move || entries(object(vec![("title", words())]));
    let with_schema = || a_schema().prop_map(|schema| json!({"schema": schema})).boxed();
    let and_attributes = |value: BoxedStrategy<Value>, attributes: BoxedStrategy<Value>| {
        let both = |(mut value, attributes): (Value, Option<Value>)| {
            attributes.into_iter().for_each(|attributes| value["attributes"] = attributes);
            value
        };
        (value, option::of(attributes)).prop_map(both).boxed()
    };
    let action = (a_schema(), a_schema())
        .prop_map(|(input, output)| json!({"input": {"schema": input}, "output": {"schema": output}}));
    let identifier = object(vec![
        ("required", any::<bool>().prop_map(Value::Bool).boxed()),
        ("linkTemplateScript", or_null(words(), is_update)),
    ]);
    let configuration =
        move || object(vec![("title", words()), ("schema", a_schema()), ("identifier", identifier.clone())]);
    let channel = (entries(with_schema()), option::of(tags()), option::of(tags())).prop_map(
        |(messages, conversation, message)| {
            let mut channel = json!({"messages": messages});
            conversation.into_iter().for_each(|tags| channel["conversation"] = json!({"tags": tags}));
            message.into_iter().for_each(|tags| channel["message"] = json!({"tags": tags}));
            channel
        },
    );
    object(vec![
        ("title", words()),
        ("description", words()),
        ("configuration", configuration()),
        ("configurations", entries(configuration())),
        ("states", entries(a_schema().prop_map(|schema| json!({"type": "user", "schema": schema})).boxed())),
        ("events", entries(and_attributes(with_schema(), attributes()))),
        ("actions", entries(and_attributes(action.boxed(), attributes()))),
        ("entities", entries(with_schema())),
        ("channels", entries(channel.boxed())),
        ("user", object(vec![("tags", tags())])),
        ("identifier", object(vec![("extractScript", or_null(words(), is_update))])),
        ("attributes", attributes()),
        ("extraOperations", map(any::<bool>().prop_map(|enabled| json!({"enabled": enabled}))).boxed()),
        ("url", or_null(Just(json!("https://teams.example")).boxed(), is_update)),
        ("visibility", prop::sample::select(vec![json!("public"), json!("private")]).boxed()),
        ("layers", vec(words(), 0..2).prop_map(Value::Array).boxed()),
    ])
}

fn created(body: &Value) -> Definition {
    let mut body = body.clone();
    body["name"] = json!("teams");
    body["version"] = json!("1.2.0");
    accepted(&body).0
}

fn updated(former: &Definition, body: &Value) -> Definition {
    check_update(former, body).unwrap_or_else(|issues| panic!("{body}\n{issues:#?}")).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_update_twice_is_an_update_once(body in a_body(false), update in a_body(true)) {
        let former = created(&body);
        let once = updated(&former, &update);
        prop_assert_eq!(&updated(&once, &update), &once);
        prop_assert_eq!((once.name, once.version, once.dev), (former.name, former.version, former.dev));
    }

    #[test]
    fn a_body_again_and_an_empty_one_change_nothing(body in a_body(false)) {
        let former = created(&body);
        prop_assert_eq!(&updated(&former, &body), &former);
        prop_assert_eq!(&updated(&former, &json!({})), &former);
        prop_assert_eq!(&breaking_changes(&former, &former), &[]);
        let kept: Definition = serde_json::from_value(serde_json::to_value(&former).unwrap()).unwrap();
        prop_assert_eq!(&kept, &former);
    }

    /// An update of nothing is a creation, so the defaults are the same.
    #[test]
    fn an_update_of_nothing_is_a_creation(body in a_body(false)) {
        let blank = created(&json!({}));
        prop_assert_eq!(updated(&blank, &body), created(&body));
    }

    #[test]
    fn a_query_is_parsed_or_refused(text in "\\PC{0,40}", range in "[<>=^~*xX0-9. |a-]{0,40}") {
        for text in [text, range] {
            let versions = ["0.1.0", "1.0.0-a", "1.2.3"].map(|text| Version::parse(text).unwrap());
            if let Some(query) = VersionQuery::parse(&text) {
                query.pick(versions.iter().map(|version| (version, ())));
            }
            if let Some(version) = Version::parse(&text) {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }

    #[test]
    fn any_icon_is_read_or_not(text in "[<>/=\"' &;#a-z:!\\[\\]-]{0,60}") {
        let picture = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{text}</svg>");
        issues(&with("/icon", json!(STANDARD.encode(picture))));
    }
}
