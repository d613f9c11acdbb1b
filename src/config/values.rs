//! The settings in effect, for people: each with its key and its value, secrets redacted.

use std::collections::HashMap;

use config::{Value, ValueKind};

use super::{Config, ConfigError, DEFAULTS, joined};

/// Text in place of a secret.
const REDACTED: &str = "[redacted]";

/// A setting in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key, dotted.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// True if it is the default.
    pub is_default: bool,
}

impl Config {
    /// Returns the reference of all settings with their defaults, as TOML.
    pub fn reference() -> &'static str {
        DEFAULTS
    }

    /// Returns the settings in effect, by key.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn settings(environment: &HashMap<String, String>) -> Result<Vec<Setting>, ConfigError> {
        let mut defaults = Vec::new();
        let file = config::File::from_str(DEFAULTS, config::FileFormat::Toml);
        flatten(String::new(), config::Config::builder().add_source(file).build()?.cache, &mut defaults);
        let defaults: HashMap<String, Value> = defaults.into_iter().collect();
        let mut all = Vec::new();
        flatten(String::new(), joined(environment)?.cache, &mut all);
        all.sort_by(|(one, _), (other, _)| (one.contains('.'), one).cmp(&(other.contains('.'), other)));
        Ok(all.into_iter().map(|(key, value)| setting(key, &value, &defaults)).collect())
    }
}

fn setting(key: String, value: &Value, defaults: &HashMap<String, Value>) -> Setting {
    let default = defaults.get(&key);
    let is_text = default.is_none_or(|default| matches!(default.kind, ValueKind::String(_)));
    let (own, usual) = (toml(value, is_text), default.map(|default| toml(default, is_text)));
    let is_default = usual.as_ref() == Some(&own);
    let value = if is_secret(&key) && !["\"\"", "[]"].contains(&own.as_str()) { quoted(REDACTED) } else { own };
    Setting { key, value, is_default }
}

/// Returns true if the value of a key is a secret. A test holds it to the types of the settings.
fn is_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or_default();
    let parts = ["secret", "private_key", "smtp_url", "database_url", "headers"];
    parts.iter().any(|part| name.contains(part)) && !name.ends_with("_file")
}

fn flatten(key: String, value: Value, into: &mut Vec<(String, Value)>) {
    match value.kind {
        ValueKind::Table(members) => {
            for (name, member) in members {
                let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                flatten(key, member, into);
            }
        }
        _ => into.push((key, value)),
    }
}

/// Returns a value as TOML. The environment has texts only: one is bare where the default is no text.
fn toml(value: &Value, is_text: bool) -> String {
    match &value.kind {
        ValueKind::String(text) if is_text => quoted(text),
        ValueKind::String(text) if text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok() => text.clone(),
        ValueKind::String(text) => quoted(text),
        ValueKind::Array(items) => {
            let text = |item: &Value| toml(item, !matches!(item.kind, ValueKind::I64(_)));
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Returns a text as a basic string of TOML, whose escapes JSON's are a part of.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
        Config::settings(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()).unwrap()
    }

    #[test]
    fn the_settings_are_those_of_the_reference() {
        let all = settings(&[]);
        assert!(all.iter().all(|setting| setting.is_default), "{all:?}");
        let lines: String = all.iter().map(|setting| format!("{} = {}\n", setting.key, setting.value)).collect();
        let again = config::Config::builder().add_source(config::File::from_str(&lines, config::FileFormat::Toml));
        let again: Config = again.build().unwrap().try_deserialize().unwrap();
        assert_eq!(again.public_url(), "http://127.0.0.1:8080", "what is printed can be read again");
        assert_eq!(all[0].key, "admin_listen");
    }

    #[test]
    fn a_changed_setting_is_told_from_a_default_and_a_secret_is_redacted() {
        let all = settings(&[
            ("TIELINE_SERVER__BODY_LIMIT_BYTES", "2048"),
            ("TIELINE_SLACK__SIGNING_SECRET", "hush"),
            ("TIELINE_PUBLIC_URL", "https://t.example"),
            ("DATABASE_URL", "postgres://tieline:hush@db/tieline"),
        ]);
        let changed: Vec<_> = all.iter().filter(|setting| !setting.is_default).collect();
        let lines: Vec<_> = changed.iter().map(|setting| format!("{} = {}", setting.key, setting.value)).collect();
        assert_eq!(
            lines,
            [
                r#"database_url = "[redacted]""#,
                r#"public_url = "https://t.example""#,
                "server.body_limit_bytes = 2048",
                r#"slack.signing_secret = "[redacted]""#,
            ]
        );
    }

    #[test]
    fn every_secret_setting_is_recognised() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = vec![folder.join("config.rs")];
        files.extend(std::fs::read_dir(folder.join("config")).unwrap().map(|entry| entry.unwrap().path()));
        let mut found = 0;
        for line in files.iter().flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        }) {
            let Some((name, kind)) = line.trim().strip_prefix("pub ").and_then(|field| field.split_once(": ")) else {
                continue;
            };
            if ["Secret,", "Vec<Secret>,"].contains(&kind) {
                found += 1;
                assert!(is_secret(name), "{name}");
            }
        }
        assert!(found >= 9, "{found}");
    }
}
