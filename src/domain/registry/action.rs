//! Actions of an installed version: the request of a call as the product's SDK reads it, and the meaning of its answer.
//!
//! Not here: the call itself (`app::registry::actions`).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    PublicId,
    definition::{Definition, Evaluable, is_secret},
};
use crate::domain::{
    Error, Result,
    apps::{
        app::{App, RegistryReference},
        setting::{EffectiveSetting, MASK},
    },
    error::{Noun, clip},
};

/// Maximum number of actions that the refusal of an unknown one names.
const MAX_NAMED: usize = 20;
/// Maximum length of an upstream's message that is repeated, in characters.
const MAX_MESSAGE: usize = 300;
/// Minimum length of a secret that is masked in texts: a shorter one is a part of everyday words.
const MIN_HIDDEN: usize = 4;

/// Schemas of an action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Schema of its input.
    pub input: Evaluable,
    /// Schema of its output.
    pub output: Evaluable,
}

impl Action {
    /// Returns an action of a definition.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the names of the actions, [`Error::FailedPrecondition`] where its schemas cannot be
    /// evaluated.
    pub fn of(definition: &Definition, name: &str) -> Result<Self> {
        let action = definition.actions.get(name).ok_or_else(|| unknown(name, definition.actions.keys()))?;
        let schema = |part: &str| {
            let schema = action[part].get("schema").cloned().unwrap_or_else(|| json!({}));
            Evaluable::of(schema, format!("/actions/{name}/{part}/schema")).map_err(not_callable)
        };
        Ok(Self { input: schema("input")?, output: schema("output")? })
    }

    /// Returns an input for a record: without what its schema declares as a secret.
    pub fn masked(&self, input: &Value) -> Value {
        let mut masked = input.clone();
        for (name, property) in self.input.properties().into_iter().flatten().filter(|(name, one)| is_secret(name, one))
        {
            if let Some(value) = masked.get_mut(name).filter(|_| property.is_object()) {
                *value = MASK.into();
            }
        }
        masked
    }
}

/// Returns the refusal of an action that is not among the actions of an app.
pub fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let mut names: Vec<&str> = known.map(String::as_str).collect();
    // A database may have them in another order.
    names.sort_unstable();
    let rest = format!("{} more", names.len().saturating_sub(MAX_NAMED));
    if names.len() > MAX_NAMED {
        names.truncate(MAX_NAMED);
        names.push(&rest);
    }
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Error::NotFound { noun: Noun::Action, id: format!("{:?} (the app has {known})", clip(name)) }
}

/// Returns the refusal of a call that the version, as it is, does not permit.
pub fn not_callable(reason: impl std::fmt::Display) -> Error {
    Error::FailedPrecondition { message: format!("the app cannot be called: {reason}") }
}

/// Returns the configuration of an installation: the settings that have a value.
pub fn configuration(settings: &[EffectiveSetting]) -> Map<String, Value> {
    let is_set = |value: &Value| !value.is_null() && value.as_str() != Some("");
    let set = settings.iter().filter(|setting| is_set(setting.value()));
    set.map(|setting| (setting.label.clone(), setting.value().clone())).collect()
}

/// Returns the headers by which the SDK knows the operation, the installation and its configuration. The installation
/// stands for the product's bot, for its user and for its webhook, which do not exist here.
pub fn headers(
    app: &App,
    from: &RegistryReference,
    action: &str,
    configuration: &Map<String, Value>,
) -> [(&'static str, String); 8] {
    let installation = PublicId { prefix: PublicId::INSTALLATION, id: app.id.0 }.to_string();
    let version = PublicId { prefix: PublicId::VERSION, id: from.registry_id };
    [
        ("x-bp-operation", "action_triggered".to_owned()),
        ("x-bp-type", action.to_owned()),
        ("x-bp-configuration", BASE64_STANDARD.encode(json!(configuration).to_string())),
        ("x-bot-id", installation.clone()),
        ("x-bot-user-id", installation.clone()),
        ("x-webhook-id", installation),
        ("x-integration-id", version.to_string()),
        ("x-integration-alias", from.name.clone()),
    ]
}

/// Reads the output in an answer.
///
/// # Errors
/// The reason, which repeats nothing of the answer.
pub fn output(body: &[u8]) -> Result<Value, &'static str> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut answer)) => answer.remove("output").ok_or("its answer has no \"output\""),
        Ok(_) => Err("its answer is not a JSON object"),
        Err(_) => Err("its answer is not JSON"),
    }
}

/// Reads the message in the answer to a call that failed: one line, cut.
pub fn message(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = ["message", "error"].into_iter().find_map(|member| answer.get(member)?.as_str())?;
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    Some(line.chars().take(MAX_MESSAGE).collect::<String>()).filter(|line| !line.is_empty())
}

/// Removes the values of secret settings from a text of an upstream, which may repeat them.
pub fn without_secrets(text: String, settings: &[EffectiveSetting]) -> String {
    let secrets = settings.iter().filter(|setting| setting.secret).filter_map(|setting| setting.value().as_str());
    secrets.filter(|secret| secret.len() >= MIN_HIDDEN).fold(text, |text, secret| text.replace(secret, "[redacted]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        apps::descriptor::Descriptor,
        registry::definition::{DefinitionKind, check_create},
    };

    fn definition(actions: Value) -> Definition {
        let body = json!({"name": "acme/a", "version": "1.0.0", "actions": actions});
        check_create(DefinitionKind::Integration, &body).unwrap().0
    }

    #[test]
    fn an_unknown_action_is_told_the_known_ones() {
        let schema = json!({"input": {"schema": {}}, "output": {"schema": {}}});
        let said = |actions: Value| Action::of(&definition(actions), "nope").unwrap_err().to_string();
        assert_eq!(said(json!({})), "there is no action \"nope\" (the app has none) here");
        let two = json!({"doIt": schema, "doMore": schema});
        assert_eq!(said(two), "there is no action \"nope\" (the app has doIt, doMore) here");
        let many: Map<_, _> = (0..30).map(|number| (format!("do{number}"), schema.clone())).collect();
        assert!(said(many.into()).ends_with(", 10 more) here"));
    }

    #[test]
    fn a_schema_without_bounds_is_not_evaluated() {
        let cyclic =
            json!({"doIt": {"input": {"schema": {}}, "output": {"schema": {"properties": {"a": {"$ref": "#"}}}}}});
        let error = Action::of(&definition(cyclic), "doIt").unwrap_err();
        assert!(
            matches!(&error, Error::FailedPrecondition { message } if message.contains("/actions/doIt/output/schema"))
        );
    }

    #[test]
    fn a_record_has_no_secret() {
        let schema =
            json!({"type": "object", "properties": {"apiKey": {"type": "string"}, "text": {"type": "string"}}});
        let action = json!({"doIt": {"input": {"schema": schema}, "output": {"schema": {}}}});
        let action = Action::of(&definition(action), "doIt").unwrap();
        let masked = action.masked(&json!({"apiKey": "hunter2", "text": "hello"}));
        assert_eq!(masked, json!({"apiKey": MASK, "text": "hello"}));
    }

    #[test]
    fn an_answer_has_an_output_or_a_message() {
        assert_eq!(output(br#"{"output": {"a": 1}, "meta": {"cost": 0}}"#), Ok(json!({"a": 1})));
        for (body, reason) in [
            (&b"{}"[..], "its answer has no \"output\""),
            (b"[1]", "its answer is not a JSON object"),
            (b"<html>", "its answer is not JSON"),
            (b"", "its answer is not JSON"),
        ] {
            assert_eq!(output(body), Err(reason));
        }
        let said = |body: Value| message(body.to_string().as_bytes());
        assert_eq!(said(json!({"type": "Runtime", "message": " no\n such\tteam "})).as_deref(), Some("no such team"));
        assert_eq!(said(json!({"error": "down"})).as_deref(), Some("down"));
        assert_eq!(said(json!({"message": "x".repeat(1000)})).map(|text| text.len()), Some(MAX_MESSAGE));
        for body in [json!({}), json!({"message": 5}), json!({"message": "\n"}), json!(["message"])] {
            assert_eq!(said(body), None);
        }
    }

    #[test]
    fn settings_are_the_configuration_and_their_secrets_are_hidden() {
        let document = json!({"data": {
            "descriptions": {"app_name": "A"}, "integration_type": "output", "target_url": "https://a.example/",
            "settings": [
                {"label": "room", "type": "text", "required": true, "default": ""},
                {"label": "many", "type": "number", "required": true, "default": 3},
                {"label": "key", "type": "text", "required": true, "secret": true, "default": "hunter2"},
            ],
        }});
        let settings = Descriptor::from_document(document).unwrap().0.effective(&[], &[]);
        assert_eq!(Value::Object(configuration(&settings)), json!({"many": 3, "key": "hunter2"}));
        assert_eq!(without_secrets("not hunter2!".to_owned(), &settings), "not [redacted]!");
    }
}
