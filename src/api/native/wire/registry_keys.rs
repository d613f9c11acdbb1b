//! API keys and log lines of a registry version.

use poem_openapi::{Object, types::Example};
use uuid::Uuid;

use super::List;
use crate::{
    api::shared::time::Timestamp,
    app::registry::{ApiKey, LogLine, LogPage},
    domain::{Error, error::Violation, secret::Secret},
};

/// Key to be created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CreateRegistryApiKey", example, skip_serializing_if_is_none)]
pub struct RegistryKeyIn {
    /// Note about the key.
    #[oai(validator(max_length = 500))]
    pub note: Option<String>,
}

impl Example for RegistryKeyIn {
    fn example() -> Self {
        Self { note: Some("build server".into()) }
    }
}

/// A key without its text.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryApiKey", rename_all = "camelCase")]
pub struct RegistryKeyOut {
    /// Unique id.
    pub id: Uuid,
    /// Note about the key.
    pub note: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<ApiKey> for RegistryKeyOut {
    fn from(key: ApiKey) -> Self {
        Self { id: key.id.0, note: key.note, created_at: key.created_at.into() }
    }
}

/// The keys of a version.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryApiKeys")]
pub struct RegistryKeysOut {
    /// The keys, newest first.
    pub data: Vec<RegistryKeyOut>,
}

/// A new key.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryApiKeyCreated", rename_all = "camelCase")]
pub struct RegistryKeyCreatedOut {
    /// The key.
    #[oai(flatten)]
    pub key: RegistryKeyOut,
    /// Text of the key, which is returned only here.
    pub secret: String,
}

impl From<(ApiKey, Secret)> for RegistryKeyCreatedOut {
    fn from((key, secret): (ApiKey, Secret)) -> Self {
        Self { key: key.into(), secret: secret.expose().to_owned() }
    }
}

/// A line of a version's log.
#[derive(Clone, Debug, Object)]
#[oai(rename = "RegistryLogLine")]
pub struct RegistryLogLineOut {
    /// Time of the call.
    pub time: Timestamp,
    /// Level: `info`, `warn` or `error`.
    pub level: String,
    /// Address, answer and duration of the call.
    pub message: String,
}

impl From<LogPage> for List<RegistryLogLineOut> {
    fn from(page: LogPage) -> Self {
        let line = |line: LogLine| RegistryLogLineOut {
            time: line.at.into(),
            level: line.level.to_owned(),
            message: line.message,
        };
        Self { data: page.lines.into_iter().map(line).collect(), next_cursor: page.next_token }
    }
}

/// Renames the parameters of a log in an error to this dialect's.
pub fn in_log_parameters(error: Error) -> Error {
    match error {
        Error::Invalid(violations) => {
            let renamed = |Violation { message, .. }| Violation {
                field: "until".to_owned(),
                message: str::replace(&message, "timeStart", "since"),
            };
            Error::Invalid(violations.into_iter().map(renamed).collect())
        }
        other => other,
    }
}
