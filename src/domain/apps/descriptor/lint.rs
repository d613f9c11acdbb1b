//! Converts JSON into a descriptor, and collects all errors and warnings on the way.
//!
//! Not here: syntax errors of the JSON (`parse`), the settings (`settings`) and the addresses (`address`).

use serde_json::{Map, Value};

use super::{
    Agent, AppKind, Authorisation, CATEGORIES, Descriptor, INTERVAL,
    address::{Called, logo, shown},
    finding::{Findings, quoted, rule},
    settings::{self, SettingSpec},
};
use crate::domain::apps::schedule::Schedule;

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 200;

/// Reads a document; a descriptor is returned only without errors among the findings.
pub(super) fn descriptor(document: Value, findings: &mut Findings) -> Option<Descriptor> {
    let (data, base) = data(&document, findings)?;
    let nothing = Map::new();
    let descriptions = format!("{base}/descriptions");
    let described = match data.get("descriptions") {
        Some(Value::Object(described)) => described,
        None => &nothing,
        Some(other) => {
            findings.error(rule::TYPE, &descriptions, format!("must be an object, not {}", type_of(other)));
            &nothing
        }
    };
    let kind = kind(data, base, findings);
    let target = Called { name: "target_url", needed: kind.needs_target(), called: kind.has_target(), kind: &kind };
    let tick = Called { name: "tick_url", needed: kind.ticks(), called: kind.ticks(), kind: &kind };
    let app_name = name(described, &descriptions, findings).unwrap_or_default();
    let descriptor = Descriptor {
        agent: Agent::read(data, &app_name, base, findings),
        authorisation: Authorisation::read(data, base, findings),
        app_name,
        app_description: expected(described, "app_description", &descriptions, findings),
        app_logo: logo(described, "app_logo", &descriptions, findings),
        app_url: expected(described, "app_url", &descriptions, findings)
            .and_then(|url| shown(url, format!("{descriptions}/app_url"), findings)),
        background_color: color(described, &descriptions, findings),
        category: category(data, base, findings),
        is_active: is_active(data, base, findings),
        author: author(data, base, findings),
        website: text(data, "website", base, findings).and_then(|url| shown(url, format!("{base}/website"), findings)),
        target_url: target.read(data, base, findings),
        tick_url: tick.read(data, base, findings),
        settings: settings::read(data.get("settings"), &format!("{base}/settings"), findings),
        kind,
        base,
        document: Value::Null,
    };
    if descriptor.kind.ticks() {
        interval(&descriptor.settings, &format!("{base}/settings"), findings);
    }
    if let Some(output) = data.get("output").filter(|output| !output.is_array()) {
        let message = format!("is a list in older descriptors, not {}; it is ignored", type_of(output));
        findings.warning(rule::TYPE, format!("{base}/output"), message);
    }
    (!findings.has_errors()).then_some(Descriptor { document, ..descriptor })
}

/// Returns the describing object, and the pointer to it.
fn data<'a>(document: &'a Value, findings: &mut Findings) -> Option<(&'a Map<String, Value>, &'static str)> {
    let Value::Object(members) = document else {
        let message = format!("must be an object with a member \"data\", not {}", type_of(document));
        findings.error(rule::TYPE, "", message);
        return None;
    };
    match members.get("data") {
        Some(Value::Object(data)) => Some((data, "/data")),
        Some(other) => {
            findings.error(rule::TYPE, "/data", format!("must be an object, not {}", type_of(other)));
            None
        }
        None => {
            findings.warning(rule::NO_DATA, "", "the descriptor should be inside a member \"data\"");
            Some((members, ""))
        }
    }
}

fn name(described: &Map<String, Value>, base: &str, findings: &mut Findings) -> Option<String> {
    let name = text(described, "app_name", base, findings);
    let path = format!("{base}/app_name");
    match &name {
        None => findings.error(rule::MISSING, path, "is missing; it is the name that users see"),
        Some(name) if name.chars().count() > MAX_NAME => {
            findings.error(rule::TOO_LONG, path, format!("may have at most {MAX_NAME} characters"));
        }
        Some(_) => {}
    }
    name
}

fn kind(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> AppKind {
    let path = format!("{base}/integration_type");
    let found = text(data, "integration_type", base, findings).unwrap_or_default();
    let kind = AppKind::named(&found.to_lowercase());
    match kind {
        AppKind::Other(_) => {
            let kind = AppKind::Other(found);
            findings.warning(rule::UNKNOWN_KIND, path, kind.unknown().unwrap_or_default());
            kind
        }
        kind => {
            if kind.as_str() != found {
                findings.warning(rule::UNKNOWN_KIND, path, format!("{} is taken as {}", quoted(&found), kind.as_str()));
            }
            kind
        }
    }
}

/// Checks the schedule of an interval app. It can be set later too, so nothing here is an error.
fn interval(settings: &[SettingSpec], path: &str, findings: &mut Findings) {
    let Some((index, spec)) = settings.iter().enumerate().find(|(_, spec)| spec.label == INTERVAL) else {
        let similar = settings.iter().find(|spec| spec.label.trim().eq_ignore_ascii_case(INTERVAL));
        let hint = match similar {
            Some(spec) => format!(", and {} is another one: its label has to be exactly that", quoted(&spec.label)),
            None => String::new(),
        };
        let message = format!("there is no setting \"interval\"{hint}; the integration never ticks until it is set");
        findings.warning(rule::NO_INTERVAL, path, message);
        return;
    };
    let path = format!("{path}/{index}/default");
    match spec.default.as_str().map(str::trim) {
        Some("") => findings.warning(rule::INTERVAL, path, "is empty; the integration never ticks until it is set"),
        Some(text) => {
            if let Err(violation) = Schedule::parse(text) {
                findings.warning(
                    rule::INTERVAL,
                    path,
                    format!("{}; until it is set right, it never ticks", violation.message),
                );
            }
        }
        None => findings.warning(rule::INTERVAL, path, "must be a crontab line in a text, such as \"*/5 * * * *\""),
    }
}

fn category(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> Option<String> {
    let path = format!("{base}/integration_category");
    let found = text(data, "integration_category", base, findings);
    let plain = |category: &str| category.to_lowercase().replace(" and ", " & ");
    match &found {
        None => findings.warning(rule::MISSING, path, "is missing"),
        Some(found) if CATEGORIES.contains(&found.as_str()) => {}
        Some(found) => {
            let meant = match CATEGORIES.iter().find(|category| plain(category) == plain(found)) {
                Some(category) => format!("; \"{category}\" is"),
                None => String::new(),
            };
            findings.warning(rule::UNKNOWN_CATEGORY, path, format!("{} is not on the list{meant}", quoted(found)));
        }
    }
    found
}

/// Reads the author: a person's name, or an object with one.
fn author(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> Option<String> {
    match data.get("author") {
        Some(Value::Object(author)) => text(author, "name", &format!("{base}/author"), findings),
        _ => text(data, "author", base, findings),
    }
}

fn is_active(data: &Map<String, Value>, base: &str, findings: &mut Findings) -> bool {
    flag(data, "is_active", base, findings).unwrap_or_else(|| {
        findings.warning(rule::MISSING, format!("{base}/is_active"), "is missing and taken as true");
        true
    })
}

/// Reads a colour: `#` and three to eight hexadecimal digits, or a name.
fn color(described: &Map<String, Value>, base: &str, findings: &mut Findings) -> Option<String> {
    let text = text(described, "background_color", base, findings)?;
    let is_color = match text.strip_prefix('#') {
        Some(digits) => matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
    };
    if !is_color {
        let message = format!("{} is not a colour such as #4A90E2; it is left out", quoted(&text));
        findings.warning(rule::COLOR, format!("{base}/background_color"), message);
    }
    is_color.then_some(text)
}

/// Reads a recommended text member.
fn expected(object: &Map<String, Value>, name: &str, base: &str, findings: &mut Findings) -> Option<String> {
    let is_empty = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    if object.get(name).is_none_or(is_empty) {
        findings.warning(rule::MISSING, format!("{base}/{name}"), "is missing");
    }
    text(object, name, base, findings)
}

/// Reads a text member: trimmed, and `None` if empty.
pub(super) fn text(object: &Map<String, Value>, name: &str, base: &str, findings: &mut Findings) -> Option<String> {
    match object.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => {
            findings.warning(
                rule::TYPE,
                format!("{base}/{name}"),
                format!("must be a text; {} is ignored", type_of(other)),
            );
            None
        }
    }
}

/// Reads a boolean member, also as a text.
pub(super) fn flag(object: &Map<String, Value>, name: &str, base: &str, findings: &mut Findings) -> Option<bool> {
    let path = || format!("{base}/{name}");
    let found = object.get(name)?;
    let word = found.as_str().map(|text| text.trim().to_lowercase());
    match (found, word.as_deref()) {
        (Value::Bool(yes), _) => Some(*yes),
        (_, Some(word @ ("true" | "yes" | "false" | "no"))) => {
            findings.warning(rule::TYPE, path(), "must be true or false, without quotation marks");
            Some(matches!(word, "true" | "yes"))
        }
        _ => {
            findings.warning(rule::TYPE, path(), format!("must be true or false; {} is ignored", type_of(found)));
            None
        }
    }
}

/// Names the type of a value, for messages.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
