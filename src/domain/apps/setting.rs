//! Settings of an installation: validation, and resolution of the effective value.
//!
//! A setting is identified by its label, because apps look it up by that. The effective value is the channel's, or else
//! the organisation's, or else the descriptor's default. Not here: the declarations, which `descriptor` reads.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::descriptor::{SettingKind, SettingSpec, plain};
use crate::domain::{
    ambient::Time,
    error::Violation,
    ids::{ChannelId, InstallationId, OrganisationId, SettingId},
};

/// Maximum length of a label, in characters.
pub const MAX_LABEL: usize = 200;
/// Maximum length of a value, in characters.
pub const MAX_VALUE: usize = 10_000;
/// Mask shown in place of a secret. It reveals nothing of the secret, not even its length.
pub const MASK: &str = "••••";

/// A label and a value of an installation, for the organisation or for one of its channels.
#[derive(Clone, PartialEq)]
pub struct Setting {
    /// Its identifier.
    pub id: SettingId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// The installation it belongs to.
    pub installation_id: InstallationId,
    /// The channel it applies to; `None` means the whole organisation.
    pub channel_id: Option<ChannelId>,
    /// Its name.
    pub label: String,
    /// The value set.
    pub value: Value,
    /// True if the value must not be shown.
    pub secret: bool,
    /// Time of creation.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

impl Setting {
    /// Returns the value, masked if it is secret.
    pub fn masked(&self) -> Value {
        masked(self.secret, &self.value)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("id", &self.id)
            .field("installation_id", &self.installation_id)
            .field("channel_id", &self.channel_id)
            .field("label", &self.label)
            .field("value", &self.masked())
            .finish_non_exhaustive()
    }
}

/// A setting with all members of its descriptor; `default` is the effective value.
// Sent as the object that the descriptor has, which keeps the order of its members and a label that is a number.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
#[serde(into = "Map<String, Value>")]
#[schema(as = IntegrationSettingSent)]
pub struct EffectiveSetting {
    /// Label of the setting.
    pub label: String,
    /// True if the value must not be shown.
    #[serde(skip)]
    pub secret: bool,
    /// The descriptor's own object, with the effective value as `default`.
    #[serde(flatten)]
    object: Map<String, Value>,
}

impl EffectiveSetting {
    /// Returns the effective value.
    pub fn value(&self) -> &Value {
        self.object.get("default").unwrap_or(&Value::Null)
    }

    /// Returns the setting with a secret value masked, for users and for records.
    pub fn masked(mut self) -> Self {
        if let Some(value) = self.object.get_mut("default") {
            *value = masked(self.secret, value);
        }
        self
    }
}

impl From<EffectiveSetting> for Map<String, Value> {
    fn from(setting: EffectiveSetting) -> Self {
        setting.object
    }
}

impl fmt::Debug for EffectiveSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectiveSetting({})", Value::from(self.clone().masked().object))
    }
}

/// Masks a secret. An unset secret is shown as empty.
fn masked(secret: bool, value: &Value) -> Value {
    let is_set = !value.is_null() && value.as_str() != Some("");
    if secret && is_set { Value::from(MASK) } else { value.clone() }
}

/// Resolves the effective value of each setting. First those of the descriptor, in its order; then the rows with a
/// label unknown to it, as `{label, type: "text", required: false, default}`. They are not dropped: apps exist that read more settings
/// than they declare, and every setting of an organisation is delivered.
///
/// Of two rows with one label the later one counts.
pub fn effective(specs: &[SettingSpec], organisation: &[Setting], channel: &[Setting]) -> Vec<EffectiveSetting> {
    let rows = || organisation.iter().chain(channel);
    let by_label: HashMap<&str, &Setting> = rows().map(|row| (row.label.as_str(), row)).collect();
    let declared = specs.iter().map(|spec| {
        let mut object = spec.object.clone();
        let row = by_label.get(spec.label.as_str());
        if let Some(row) = row {
            object.insert("default".to_owned(), row.value.clone());
        }
        let secret = spec.secret || row.is_some_and(|row| row.secret);
        EffectiveSetting { label: spec.label.clone(), secret, object }
    });
    let mut seen: HashSet<&str> = specs.iter().map(|spec| spec.label.as_str()).collect();
    let others = rows().filter(|row| seen.insert(&row.label)).filter_map(|row| by_label.get(row.label.as_str()));
    let others = others.map(|row| {
        // Readers of the product's examples demand all four.
        let members = [
            ("label", row.label.as_str().into()),
            ("type", "text".into()),
            ("required", false.into()),
            ("default", row.value.clone()),
        ];
        let object = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        EffectiveSetting { label: row.label.clone(), secret: row.secret, object }
    });
    declared.chain(others).collect()
}

/// Validates a setting's label.
///
/// # Errors
/// A [`Violation`] of `/label`.
pub fn check_label(label: &str) -> Result<(), Violation> {
    let characters = label.chars().count();
    if label.trim().is_empty() || characters > MAX_LABEL || label.chars().any(char::is_control) {
        let message = format!("must be 1 to {MAX_LABEL} characters without control characters");
        return Err(Violation { field: "/label".to_owned(), message });
    }
    Ok(())
}

/// Validates a setting's value. A label unknown to the descriptor has no spec and takes any JSON scalar. The value is
/// kept as it came: apps differ in whether they want `5` or `"5"`.
///
/// # Errors
/// A [`Violation`] of `/value`. It never repeats the value, which may be a secret.
pub fn validate(spec: Option<&SettingSpec>, value: &Value) -> Result<(), Violation> {
    let broken = match spec {
        _ if too_long(value) => Some(format!("must have at most {MAX_VALUE} characters")),
        Some(spec) => broken(spec, value),
        None if value.is_array() || value.is_object() => {
            Some("must be a text, a number, true, false or null".to_owned())
        }
        None => None,
    };
    broken.map_or(Ok(()), |message| Err(Violation { field: "/value".to_owned(), message }))
}

fn too_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() > MAX_VALUE && text.chars().count() > MAX_VALUE,
        Value::Array(list) => {
            list.iter().map(|item| item.as_str().map_or(1, |text| text.len() + 1)).sum::<usize>() > MAX_VALUE
        }
        _ => false,
    }
}

fn broken(spec: &SettingSpec, value: &Value) -> Option<String> {
    let SettingSpec { kind, options, .. } = spec;
    let is_offered = |choice: &str| options.is_empty() || options.iter().any(|option| option == choice);
    let one_of = || format!("must be one of {}", listed(options));
    if is_empty(*kind, value) {
        return spec.required.then(|| "is required and must not be empty".to_owned());
    }
    let (holds, rule) = match kind {
        SettingKind::Text | SettingKind::String => (value.is_string(), "must be a text".to_owned()),
        SettingKind::Number => (is_number(value), "must be a number, or a text that is one".to_owned()),
        SettingKind::Checkbox => (is_yes_or_no(value), "must be true or false, or \"Yes\" or \"No\"".to_owned()),
        SettingKind::Dropdown | SettingKind::Radio if options.is_empty() => {
            (plain(value).is_some(), "must be a text".to_owned())
        }
        SettingKind::Dropdown | SettingKind::Radio => {
            (plain(value).is_some_and(|choice| is_offered(&choice)), one_of())
        }
        SettingKind::MultiSelect | SettingKind::MultiCheckbox => match choices(value) {
            None => (false, "must be a text with commas, or a list of texts".to_owned()),
            // An option may contain a comma.
            Some(all) => {
                let is_one = value.as_str().is_some_and(|text| options.iter().any(|option| option == text));
                (is_one || all.into_iter().all(is_offered), format!("must only hold {}", listed(options)))
            }
        },
    };
    (!holds).then_some(rule)
}

fn is_empty(kind: SettingKind, value: &Value) -> bool {
    let is_multiple = matches!(kind, SettingKind::MultiSelect | SettingKind::MultiCheckbox);
    match value {
        Value::String(text) if text.trim().is_empty() => true,
        _ => is_multiple && choices(value).is_some_and(|choices| choices.is_empty()),
    }
}

/// Splits the choices of a multi-select: `"a,b"`, `"a, b"` or `["a", "b"]`.
fn choices(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(text.split(',').map(str::trim).filter(|choice| !choice.is_empty()).collect()),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Accepts the forms that `f64` parses, except its words for infinity and not-a-number.
fn is_number(value: &Value) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match value {
        Value::Number(_) => true,
        Value::String(text) => is_digits(text.trim()) && text.trim().parse().is_ok_and(f64::is_finite),
        _ => false,
    }
}

fn is_yes_or_no(value: &Value) -> bool {
    let words = ["yes", "no", "true", "false"];
    value.is_boolean() || value.as_str().is_some_and(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// Lists the options for a message, up to a limit.
fn listed(options: &[String]) -> String {
    const SHOWN: usize = 10;
    let quoted = |option: &String| format!("{:?}", option.chars().take(60).collect::<String>());
    let shown = options.iter().take(SHOWN).map(quoted).collect::<Vec<_>>().join(", ");
    match options.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::apps::descriptor::Descriptor;

    fn specs(settings: Value) -> Vec<SettingSpec> {
        let document = json!({"data": {
            "descriptions": {"app_name": "A"}, "integration_type": "modifier", "target_url": "https://a.example/",
            "settings": settings,
        }});
        Descriptor::from_document(document).unwrap().0.settings
    }

    fn row(label: &str, value: Value) -> Setting {
        Setting {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            installation_id: Uuid::nil().into(),
            channel_id: None,
            label: label.into(),
            value,
            secret: false,
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_value_is_of_its_settings_type() {
        let long = "\u{e4}".repeat(MAX_VALUE);
        let options = json!(["High", "Low", "3", "a,b"]);
        for (kind, options, right, wrong) in [
            ("text", json!(null), json!(["x", long, "", "0"]), json!([1, true, null, ["x"], {}, format!("{long}x")])),
            ("string", json!(null), json!(["x"]), json!([1])),
            (
                "number",
                json!(null),
                json!([5, -0.5, 1e300, "300", "-0.5", " 7 ", "1e3", ""]),
                json!(["x", "1e999", "inf", "NaN", "-", "0x10", "1,5", true, null, [1]]),
            ),
            (
                "checkbox",
                json!(null),
                json!([true, false, "Yes", "no", "TRUE", "false", ""]),
                json!(["on", "1", 1, null, ["Yes"]]),
            ),
            ("dropdown", options.clone(), json!(["High", "3", 3, ""]), json!(["high", "Medium", 4, null, ["High"]])),
            ("dropdown", json!(null), json!(["anything", 4]), json!([null, {}])),
            ("radio", options.clone(), json!(["Low"]), json!(["low"])),
            (
                "multi-checkbox",
                options.clone(),
                json!(["High", "High,Low", "High, Low", ["High", "Low"], [], "", "a,b", ["a,b"], ","]),
                json!(["High;Low", "Medium,Low", ["Medium"], [1], 1, null]),
            ),
            ("multi-select", json!(null), json!(["world,happy", ["world"]]), json!([1, [1], {"a": 1}])),
        ] {
            let spec = &specs(json!([{"label": "a", "type": kind, "options": options}]))[0];
            for value in right.as_array().unwrap() {
                assert_eq!(validate(Some(spec), value), Ok(()), "{kind}: {value}");
            }
            for value in wrong.as_array().unwrap() {
                let violation = validate(Some(spec), value).unwrap_err();
                assert_eq!(violation.field, "/value");
                assert!(violation.message.starts_with("must "), "{kind}: {value}");
            }
        }
    }

    #[test]
    fn a_required_value_is_not_empty() {
        for kind in SettingKind::ALL {
            let spec = &specs(json!([{"label": "a", "type": kind.as_str(), "required": true}]))[0];
            for value in [json!(""), json!("  ")] {
                let violation = validate(Some(spec), &value).unwrap_err();
                assert_eq!(violation.message, "is required and must not be empty", "{kind:?}");
            }
        }
        let spec = &specs(json!([{"label": "a", "type": "multi-select", "required": true}]))[0];
        assert!(validate(Some(spec), &json!([])).is_err());
        assert!(validate(Some(spec), &json!(",,")).is_err());
    }

    #[test]
    fn an_unknown_label_takes_any_scalar() {
        for value in [json!("x"), json!(1), json!(true), json!(null)] {
            assert_eq!(validate(None, &value), Ok(()), "{value}");
        }
        for value in [json!([]), json!({}), json!("x".repeat(MAX_VALUE + 1)), json!(["x".repeat(MAX_VALUE)])] {
            assert!(validate(None, &value).is_err());
        }
        assert!(check_label("Shallom Micah Bawa").is_ok());
        for label in ["", " ", "a\nb", &"x".repeat(10_000)] {
            assert!(check_label(label).is_err());
        }
    }

    #[test]
    fn a_message_does_not_list_a_thousand_options() {
        let options: Vec<_> = (0..1_000).map(|n| format!("{n}{}", "x".repeat(100))).collect();
        let spec = &specs(json!([{"label": "a", "type": "dropdown", "options": options}]))[0];
        let violation = validate(Some(spec), &json!("y")).unwrap_err();
        assert!(violation.message.ends_with("and 990 more") && violation.message.len() < 1_000);
    }

    #[test]
    fn the_channel_overrides_the_organisation_overrides_the_default() {
        let specs = specs(json!([
            {"default": "d", "label": "a", "type": "text", "required": true, "hint": [1]},
            {"label": "b", "type": "number", "default": "1"},
            {"label": "c", "type": "text"},
            {"label": "A", "type": "text", "default": ""},
        ]));
        let organisation = [row("b", json!("2")), row("a", json!("o")), row("x", json!(1)), row("c", json!("o"))];
        let channel = [row("a", json!("c")), row("y", json!(null)), row("x", json!(2))];
        let holds = |organisation: &[Setting], channel: &[Setting]| json!(effective(&specs, organisation, channel));
        assert_eq!(
            holds(&organisation, &channel),
            json!([
                {"default": "c", "label": "a", "type": "text", "required": true, "hint": [1]},
                {"label": "b", "type": "number", "default": "2"},
                {"label": "c", "type": "text", "default": "o"},
                {"label": "A", "type": "text", "default": ""},
                {"label": "x", "type": "text", "required": false, "default": 2},
                {"label": "y", "type": "text", "required": false, "default": null},
            ])
        );
        let untouched: Vec<_> = specs.iter().map(|spec| Value::Object(spec.object.clone())).collect();
        assert_eq!(holds(&[], &[]), Value::from(untouched), "without a row the object is as it came");
        let first = &effective(&specs, &organisation, &channel)[0];
        assert_eq!(json!(first).to_string().find("default"), Some(2), "the order of members stays");
        assert_eq!((first.label.as_str(), first.value()), ("a", &json!("c")));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let specs = specs(json!([{"label": "key", "type": "text", "secret": true, "default": ""}]));
        let secret = Setting { secret: true, ..row("other", json!("s3cret")) };
        assert_eq!(secret.masked(), json!(MASK));
        let all = effective(&specs, &[row("key", json!("s3cret")), secret.clone()], &[]);
        for setting in &all {
            assert_eq!(json!(setting)["default"], "s3cret");
            assert_eq!(json!(setting.clone().masked())["default"], MASK);
        }
        assert!(!format!("{all:?} {secret:?}").contains("s3cret"));
        assert_eq!(
            json!(effective(&specs, &[], &[])[0].clone().masked())["default"],
            "",
            "an unset secret is shown as empty"
        );
        assert_eq!(row("a", json!(7)).masked(), json!(7));
    }
}
