//! Small documents, each with one deviation seen in a real one.

use serde_json::json;

use super::*;
use crate::domain::Error;

const MODIFIER: &str = r##"{
  "data": {
    "date": {"created_at": "2026-01-01", "updated_at": "2026-01-01"},
    "descriptions": {
      "app_name": "Shouter",
      "app_description": "Writes in capitals.",
      "app_logo": "https://shouter.example/logo.png",
      "app_url": "https://shouter.example",
      "background_color": "#4A90E2"
    },
    "integration_type": "modifier",
    "integration_category": "Task Automation",
    "is_active": true,
    "key_features": ["loud"],
    "permissions": {"monitoring_user": {"always_online": true, "display_name": "Shouter"}},
    "author": "Ada",
    "website": "https://ada.example",
    "settings": [
      {"label": "Limit", "type": "number", "required": true, "default": "100"},
      {"label": "Loud", "type": "checkbox", "required": true, "default": "Yes"},
      {"label": "Level", "type": "dropdown", "required": false, "default": "Low", "options": ["High", "Low"],
       "description": "How loud"},
      {"label": "Key", "type": "string", "required": true, "secret": true, "default": ""}
    ],
    "target_url": "https://shouter.example/shout"
  }
}"##;

/// Returns the good document with one part of its text replaced.
fn with(old: &str, new: &str) -> String {
    assert!(MODIFIER.contains(old), "{old}");
    MODIFIER.replacen(old, new, 1)
}

/// Returns the good document as an interval app.
fn interval(settings: &str) -> String {
    let kind = with(r#""modifier""#, r#""interval""#);
    let (before, after) = kind.split_once(r#""settings": ["#).unwrap();
    let after = after.split_once("    ],\n").unwrap().1;
    let tick = r#""tick_url": "https://shouter.example/tick","#;
    format!("{before}\"settings\": [{settings}],\n{tick}\n{after}")
}

/// Returns the rules of the findings, each with its path.
fn found(text: &str) -> Vec<(&'static str, String)> {
    Descriptor::lint(text.as_bytes()).into_iter().map(|finding| (finding.rule, finding.path)).collect()
}

fn accepted(text: &str) -> Descriptor {
    match Descriptor::read(text.as_bytes()) {
        Ok((descriptor, _)) => descriptor,
        Err(findings) => panic!("{text}\n{}", findings[0]),
    }
}

#[test]
fn a_good_document_is_read_without_a_word() {
    let (descriptor, findings) = Descriptor::read(MODIFIER.as_bytes()).unwrap();
    assert_eq!(findings, []);
    assert_eq!(descriptor.app_name, "Shouter");
    assert_eq!(descriptor.app_description.as_deref(), Some("Writes in capitals."));
    assert_eq!(descriptor.app_logo.as_deref(), Some("https://shouter.example/logo.png"));
    assert_eq!(descriptor.app_url.as_deref(), Some("https://shouter.example"));
    assert_eq!(descriptor.background_color.as_deref(), Some("#4A90E2"));
    assert_eq!(descriptor.kind, AppKind::Modifier);
    assert_eq!(descriptor.category.as_deref(), Some("Task Automation"));
    assert_eq!(descriptor.author.as_deref(), Some("Ada"));
    assert_eq!(descriptor.website.as_deref(), Some("https://ada.example"));
    assert!(descriptor.is_active);
    assert_eq!(descriptor.tick_url, None);
    assert_eq!(descriptor.urls(), [("/data/target_url".to_owned(), "https://shouter.example/shout")]);
    let [limit, _, level, key] = &descriptor.settings[..] else { panic!("{:?}", descriptor.settings) };
    assert_eq!((limit.kind, limit.required, &limit.default), (SettingKind::Number, true, &json!("100")));
    assert_eq!((level.required, level.options.len(), level.description.as_deref()), (false, 2, Some("How loud")));
    assert_eq!((key.kind, key.secret, limit.secret), (SettingKind::String, true, false));
    assert_eq!(descriptor.document, serde_json::from_str::<Value>(MODIFIER).unwrap());
    let again = Descriptor::from_document(descriptor.document.clone()).unwrap();
    assert_eq!(again, (descriptor, Vec::new()));
}

#[test]
fn recoverable_deviations_are_accepted_with_a_warning() {
    let at = |path: &str| format!("/data{path}");
    for (old, new, rule, path) in [
        (r#""author": "Ada""#, r#""author": 7"#, rule::TYPE, at("/author")),
        (r#""is_active": true"#, r#""is_active": "true""#, rule::TYPE, at("/is_active")),
        (r#""is_active": true,"#, "", rule::MISSING, at("/is_active")),
        (r#""integration_category": "Task Automation","#, "", rule::MISSING, at("/integration_category")),
        ("Task Automation", "Message Enhancement", rule::UNKNOWN_CATEGORY, at("/integration_category")),
        ("Task Automation", "Monitoring and logging", rule::UNKNOWN_CATEGORY, at("/integration_category")),
        (r#""modifier""#, r#""interval and monitoring""#, rule::UNKNOWN_KIND, at("/integration_type")),
        (r#""modifier""#, r#""Modifier""#, rule::UNKNOWN_KIND, at("/integration_type")),
        (r#""integration_type": "modifier","#, "", rule::UNKNOWN_KIND, at("/integration_type")),
        ("#4A90E2", "#HEXCODE", rule::COLOR, at("/descriptions/background_color")),
        ("https://shouter.example/logo.png", "%LOGO%", rule::URL, at("/descriptions/app_logo")),
        ("https://shouter.example/logo.png", "data:text/html,<b>", rule::LOGO, at("/descriptions/app_logo")),
        ("https://shouter.example\"", "javascript:alert(1)\"", rule::URL, at("/descriptions/app_url")),
        ("\"author\"", "\"tick_url\": \"None\", \"author\"", rule::URL, at("/tick_url")),
        ("\"author\"", "\"tick_url\": \"null\", \"author\"", rule::URL, at("/tick_url")),
        ("\"author\"", r#""tick_url": "\"\"", "author""#, rule::URL, at("/tick_url")),
        ("\"author\"", "\"tick_url\": \"the tick url\", \"author\"", rule::URL, at("/tick_url")),
        ("\"author\"", "\"tick_url\": [], \"author\"", rule::TYPE, at("/tick_url")),
        ("\"author\"", "\"tick_url\": \"https://a.example\", \"author\"", rule::URL_UNUSED, at("/tick_url")),
        ("\"author\"", "\"output\": {\"text\": \"x\"}, \"author\"", rule::TYPE, at("/output")),
        ("https://shouter.example/shout", "https://ping.telex.im/v1/webhooks/7", rule::URL_LOOP, at("/target_url")),
        ("https://shouter.example/shout", "https://github.com/ada/shouter", rule::URL_LOOP, at("/target_url")),
        ("https://shouter.example/shout", "https://shouter.example/me.json", rule::URL_LOOP, at("/target_url")),
        (r#""type": "number""#, r#""type": "slider""#, rule::UNKNOWN_TYPE, at("/settings/0/type")),
        (r#""type": "number""#, r#""kind": "number""#, rule::MISSING, at("/settings/0/type")),
        (r#""label": "Limit""#, r#""label": 5"#, rule::TYPE, at("/settings/0/label")),
        (r#""label": "Limit""#, r#""label": "Loud""#, rule::DUPLICATE_LABEL, at("/settings/1/label")),
        (r#""required": true"#, r#""required": "true""#, rule::TYPE, at("/settings/0/required")),
        (r#""default": "100""#, r#""default": "many""#, rule::DEFAULT, at("/settings/0/default")),
        (r#""default": "Low""#, r#""default": "Medium""#, rule::DEFAULT, at("/settings/2/default")),
        (r#""default": """#, r#""default": "s3cret""#, rule::DEFAULT, at("/settings/3/default")),
        (r#", "options": ["High", "Low"]"#, "", rule::OPTIONS, at("/settings/2")),
        (r#"["High", "Low"]"#, r#"["High", "Low", {}]"#, rule::OPTIONS, at("/settings/2/options")),
        (r#""date""#, r#""author": "Eve", "date""#, rule::DUPLICATE_KEY, at("/author")),
    ] {
        let text = with(old, new);
        accepted(&text);
        assert_eq!(found(&text), [(rule, path)], "{new}");
    }
}

#[test]
fn the_recovered_meaning_is_kept() {
    assert_eq!(accepted(&with(r#""author": "Ada""#, r#""author": {"name": "Ada"}"#)).author.as_deref(), Some("Ada"));
    assert_eq!(accepted(&with(r#""date""#, r#""author": "Eve", "date""#)).author.as_deref(), Some("Ada"), "the last");
    assert_eq!(accepted(&with(r#""modifier""#, r#""Modifier""#)).kind, AppKind::Modifier);
    let other = accepted(&with(r#""modifier""#, r#""Interval Integration""#));
    assert_eq!((other.kind.as_str(), other.urls()), ("Interval Integration", vec![]), "and never called");
    assert_eq!(accepted(&with(r#""integration_type": "modifier","#, "")).kind, AppKind::Other(String::new()));
    assert_eq!(accepted(&with("\"author\"", "\"tick_url\": \"None\", \"author\"")).tick_url, None);
    assert_eq!(accepted(&with("\"https://shouter.example\"", "\"javascript:alert(1)\"")).app_url, None);
    let unused = accepted(&with("\"author\"", "\"tick_url\": \"https://a.example\", \"author\""));
    assert_eq!((unused.tick_url.as_deref(), unused.urls().len()), (Some("https://a.example"), 1));
    let small = format!("data:image/png;base64,{}", "A".repeat(5_000));
    assert_eq!(accepted(&with("https://shouter.example/logo.png", &small)).app_logo, Some(small));
    let filter = accepted(&with(r#""modifier""#, r#""filter""#));
    assert_eq!((&filter.kind, filter.urls().len()), (&AppKind::Filter, 1));
    let tabs = MODIFIER.replace("  ", "\t").replace('\n', "\r\n");
    assert_eq!(accepted(&tabs).document, accepted(MODIFIER).document);
    let numbers = accepted(&with(r#""Low", "options": ["High", "Low"]"#, r#"2, "options": [1, 2]"#));
    assert_eq!(numbers.settings[2].options, ["1", "2"]);
}

#[test]
fn without_data_the_paths_are_shorter() {
    let inner: Value = serde_json::from_str(MODIFIER).unwrap();
    let mut inner = inner["data"].clone();
    inner["endpoints"] = json!([{"path": "/"}]);
    let text = inner.to_string();
    assert_eq!(found(&text), [(rule::NO_DATA, String::new())]);
    let descriptor = accepted(&text);
    assert_eq!(descriptor.urls()[0].0, "/target_url");
    assert_eq!(descriptor.document, inner);
}

#[test]
fn other_deviations_are_refused() {
    let at = |path: &str| format!("/data{path}");
    let long_label = format!("\"label\": \"{}\"", "x".repeat(10_000));
    let large_logo = format!("data:image/png;base64,{}", "A".repeat(MAX_LOGO_BYTES));
    let long_url = format!("https://shouter.example/{}", "x".repeat(3_000));
    let many_options = format!("[{}]", vec!["\"x\""; MAX_OPTIONS + 1].join(","));
    for (old, new, rule, path) in [
        (r#""app_name": "Shouter","#, "", rule::MISSING, at("/descriptions/app_name")),
        (r#""app_name": "Shouter""#, r#""app_name": " ""#, rule::MISSING, at("/descriptions/app_name")),
        ("Shouter", &long_label[10..300], rule::TOO_LONG, at("/descriptions/app_name")),
        (r#""target_url": "https://shouter.example/shout""#, r#""x": 1"#, rule::MISSING, at("/target_url")),
        ("https://shouter.example/shout", "None", rule::MISSING, at("/target_url")),
        ("https://shouter.example/shout", "%TARGET_URL%", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "The URL that gets messages", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "https://<your host>/hook", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "https://{{host}}/hook", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "/hook", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "ftp://shouter.example", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "https://", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", "https://a:b@shouter.example", rule::URL, at("/target_url")),
        ("https://shouter.example/shout", &long_url, rule::URL, at("/target_url")),
        (r#""https://shouter.example/shout""#, "7", rule::TYPE, at("/target_url")),
        ("https://shouter.example/logo.png", &large_logo, rule::LOGO, at("/descriptions/app_logo")),
        (r#""label": "Limit""#, &long_label, rule::TOO_LONG, at("/settings/0/label")),
        (r#""label": "Limit", "#, "", rule::MISSING, at("/settings/0/label")),
        (r#""label": "Limit""#, r#""label": null"#, rule::TYPE, at("/settings/0/label")),
        (r#"["High", "Low"]"#, &many_options, rule::TOO_MANY, at("/settings/2/options")),
        (r#"{"label": "Limit","#, r#""Limit", {"label": "Other","#, rule::TYPE, at("/settings/0")),
    ] {
        let text = with(old, new);
        let findings = Descriptor::read(text.as_bytes()).unwrap_err();
        assert_eq!((findings[0].rule, &findings[0].path), (rule, &path), "{new}");
        assert_eq!(findings.iter().filter(|finding| finding.severity == Severity::Error).count(), 1, "{new}");
        assert!(findings[0].message.len() < 250, "{}", findings[0]);
    }
    for (text, rule, path) in [
        ("[]", rule::TYPE, ""),
        ("\"data\"", rule::TYPE, ""),
        (r#"{"data": []}"#, rule::TYPE, "/data"),
        (r#"{"error": "not found"}"#, rule::MISSING, "/descriptions/app_name"),
        (r#"{"data": {"descriptions": [], "settings": {}}}"#, rule::TYPE, "/data/descriptions"),
    ] {
        let findings = Descriptor::read(text.as_bytes()).unwrap_err();
        assert_eq!((findings[0].rule, findings[0].path.as_str()), (rule, path), "{text}");
    }
}

#[test]
fn everything_is_listed_at_once_with_its_place_and_errors_first() {
    let text = with("\"settings\": [", "\"settings\": [\n7,").replace("https://shouter.example/shout", "soon");
    let text = text.replace("#4A90E2", "blue sky");
    let findings = Descriptor::read(text.as_bytes()).unwrap_err();
    let seen: Vec<_> = findings.iter().map(|f| (f.severity, f.rule, f.place.unwrap().line)).collect();
    assert_eq!(
        seen,
        [(Severity::Error, rule::TYPE, 19), (Severity::Error, rule::URL, 26), (Severity::Warning, rule::COLOR, 9),]
    );
    assert_eq!(
        findings[0].to_string(),
        "line 19, column 1: /data/settings/0: must be an object with label, type, required and default, not a number"
    );
    let Error::Invalid(violations) = Error::from(findings) else { panic!("another error") };
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["/data/settings/0", "/data/target_url"], "warnings are no reason to refuse");
    assert!(violations[1].message.starts_with("line 26, column 5: \"soon\" is not an absolute address"));
}

#[test]
fn invalid_json_is_refused_with_an_explanation() {
    for (text, rule, line, column) in [
        (with("\"Task Automation\",", "\"Task Automation\", // a category"), rule::COMMENT, 12, 48),
        (with("\"Task Automation\",", "\"Task Automation\""), rule::MISSING_COMMA, 13, 5),
        (with("/shout\"", "/shout\","), rule::TRAILING_COMMA, 25, 50),
        (with("\"default\": \"\"}", "\"default\": \"\""), rule::UNCLOSED, 24, 5),
        (format!("{MODIFIER}\n{MODIFIER}"), rule::TRAILING_TEXT, 28, 1),
        (format!("{MODIFIER}\n\n// {{\n"), rule::COMMENT, 29, 1),
        (MODIFIER[..MODIFIER.len() - 2].to_owned(), rule::UNCLOSED, 26, 4),
        ("<!DOCTYPE html><title>Shouter</title>".to_owned(), rule::HTML, 1, 1),
        (with("\"100\"", "1e999"), rule::NUMBER, 19, 73),
    ] {
        let findings = Descriptor::read(text.as_bytes()).unwrap_err();
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(finding.rule, rule, "{finding}");
        assert_eq!(finding.place, Some(Place { line, column }), "{finding}");
    }
}

#[test]
fn an_interval_app_needs_a_schedule() {
    let line = |label: &str, default: &str| {
        interval(&format!(r#"{{"label": "{label}", "type": "text", "required": true, "default": {default}}}"#))
    };
    let good = accepted(&line("interval", "\"*/5 * * * *\""));
    assert_eq!(found(&line("interval", "\"*/5 * * * *\"")), []);
    let urls: Vec<_> = good.urls().into_iter().map(|(path, _)| path).collect();
    assert_eq!(urls, ["/data/target_url", "/data/tick_url"]);
    for (text, rule, path, says) in [
        (interval(""), rule::NO_INTERVAL, "/data/settings", "there is no setting \"interval\"; the"),
        (line("Interval", "\"* * * * *\""), rule::NO_INTERVAL, "/data/settings", "\"Interval\" is another one"),
        (line("interval", "\"60000\""), rule::INTERVAL, "/data/settings/0/default", "milliseconds"),
        (line("interval", "\"0 0 * * * *\""), rule::INTERVAL, "/data/settings/0/default", "seconds"),
        (line("interval", "\"\""), rule::INTERVAL, "/data/settings/0/default", "is empty"),
        (line("interval", "null"), rule::INTERVAL, "/data/settings/0/default", "in a text"),
    ] {
        accepted(&text);
        let findings = Descriptor::lint(text.as_bytes());
        assert_eq!((findings[0].rule, findings[0].path.as_str(), findings.len()), (rule, path, 1));
        assert!(findings[0].message.contains(says), "{}", findings[0]);
    }
    let no_target = interval("").replace("https://shouter.example/shout", "");
    assert_eq!(accepted(&no_target).urls().len(), 1, "a target is optional for an interval app");
    let no_tick = interval("").replace("https://shouter.example/tick", "");
    assert_eq!(found(&no_tick)[0], (rule::MISSING, "/data/tick_url".to_owned()));
    let bad_target = interval("").replace("https://shouter.example/shout", "soon");
    assert_eq!(found(&bad_target)[0], (rule::URL, "/data/target_url".to_owned()), "it would be called");
}

#[test]
fn an_interval_is_set_to_a_crontab_line() {
    let ticking = accepted(&interval(r#"{"label": "interval", "type": "text", "default": ""}"#));
    for value in ["0 9 * * *", ""] {
        assert_eq!(ticking.validate_setting("interval", &json!(value)), Ok(()));
    }
    assert!(ticking.validate_setting("interval", &json!("60000")).unwrap_err().message.contains("milliseconds"));
    assert_eq!(ticking.validate_setting("Interval", &json!("60000")), Ok(()), "that is another setting");
    assert_eq!(
        accepted(&interval("")).validate_setting("interval", &json!(5)).map_err(|v| v.field),
        Err("/value".into())
    );
    let modifier = accepted(MODIFIER);
    assert_eq!(modifier.validate_setting("interval", &json!("60000")), Ok(()), "a modifier does not tick");
    assert!(modifier.validate_setting("Limit", &json!("many")).is_err());
}

#[test]
fn the_schedule_is_the_setting_with_exactly_that_label() {
    let schedule = |descriptor: &Descriptor| descriptor.schedule(&descriptor.effective(&[], &[]));
    let one = |label: &str, default: Value| {
        schedule(&accepted(&interval(&json!({"label": label, "type": "text", "default": default}).to_string())))
    };
    assert_eq!(one("interval", json!("*/5  * * * *")).unwrap().unwrap().as_str(), "*/5 * * * *");
    for never in [one("Interval", json!("* * * * *")), one("interval", json!(" ")), one("interval", json!(null))] {
        assert_eq!(never, Ok(None));
    }
    assert_eq!(schedule(&accepted(&interval(""))), Ok(None));
    assert!(one("interval", json!("60000")).is_err());
    assert!(one("interval", json!(60000)).is_err());
    let line = r#"{"label": "interval", "type": "text", "default": "* * * * *"}"#;
    let output = interval(line).replacen(r#""interval""#, r#""output""#, 1);
    assert_eq!(accepted(&output).kind, AppKind::Output);
    assert_eq!(schedule(&accepted(&output)), Ok(None), "only an interval integration ticks");
}

#[test]
fn an_address_that_leads_back_is_an_error() {
    let descriptor = accepted(MODIFIER);
    let url = |text: &str| Url::parse(text).unwrap();
    for (ourselves, document, expected) in [
        ("https://tieline.example", None, None),
        ("https://shouter.example", None, Some(Severity::Error)),
        ("http://SHOUTER.example:80/base", None, Some(Severity::Error)),
        ("https://shouter.example:8443", None, None),
        ("https://tieline.example", Some("https://shouter.example/shout"), Some(Severity::Warning)),
        ("https://tieline.example", Some("https://shouter.example/shouter.json"), None),
    ] {
        let findings = descriptor.lint_addresses(&url(ourselves), document.map(url).as_ref());
        assert_eq!(findings.first().map(|finding| finding.severity), expected, "{ourselves}");
        assert!(findings.iter().all(|finding| finding.rule == rule::URL_LOOP && finding.path == "/data/target_url"));
    }
}

#[test]
fn a_schema_is_the_documents_own_or_one_of_its_settings() {
    assert_eq!(
        accepted(MODIFIER).json_schema(),
        json!({
            "properties": {
                "Limit": {"type": "number", "default": "100"},
                "Loud": {"type": "boolean", "default": "Yes"},
                "Level": {"type": "string", "description": "How loud", "enum": ["High", "Low"], "default": "Low"},
                "Key": {"type": "string"},
            },
            "type": "object",
            "required": ["Limit", "Loud", "Key"],
        })
    );
    let own = json!({"properties": {"event": {"type": "string"}}, "type": "object"});
    for (old, new) in [
        ("\"author\"", format!("\"json_schema\": {own}, \"author\"")),
        ("\"author\"", format!("\"schema\": {own}, \"author\"")),
        ("\"data\"", format!("\"json_schema\": {own}, \"data\"")),
    ] {
        assert_eq!(accepted(&with(old, &new)).json_schema(), own);
    }
    let text = with("\"author\"", "\"schema\": \"https://schema.example\", \"author\"");
    assert_eq!(accepted(&text).json_schema()["type"], "object", "a text is no schema");
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let many = |count: usize| interval(&vec![r#"{"label": "x"}"#; count].join(","));
    assert_eq!(found(&many(10_000))[0], (rule::TOO_MANY, "/data/settings".to_owned()));
    let bad = interval(&vec![r#"{"label": 1, "type": 1, "required": 1, "default": {}}"#; MAX_SETTINGS].join(","));
    let findings = Descriptor::lint(bad.as_bytes());
    assert_eq!((findings.len(), findings.last().map(|last| last.rule)), (101, Some(rule::MORE)));
    let errors = interval(&vec!["7"; MAX_SETTINGS].join(","));
    assert!(Descriptor::read(errors.as_bytes()).is_err());
    let error_after_warnings = bad.replace("https://shouter.example/tick", "");
    let findings = Descriptor::read(error_after_warnings.as_bytes()).unwrap_err();
    assert_eq!(findings[0].rule, rule::MISSING, "warnings do not hide an error");
    let deep = with("\"author\"", &format!("\"x\": {}{}, \"author\"", "[".repeat(200), "]".repeat(200)));
    assert_eq!(found(&deep), [(rule::TOO_DEEP, String::new())]);
    let mut nested = Value::Null;
    for _ in 0..100 {
        nested = json!([nested]);
    }
    let findings = Descriptor::from_document(json!({ "data": nested })).unwrap_err();
    assert_eq!(findings[0].rule, rule::TOO_DEEP);
    let nested = "{\"".to_owned() + &"k".repeat(7_000) + "\":";
    let long_names = nested.repeat(30) + "{\"a\":1,\"a\":2}" + &"}".repeat(30);
    assert!(Descriptor::lint(long_names.as_bytes()).iter().all(|finding| finding.path.len() <= 250));
    assert_eq!(Descriptor::lint(&vec![b'['; 1 << 20])[0].rule, rule::TOO_LARGE);
}
