//! The configuration, typed. `config.default.toml` is compiled in and documents every key.
//!
//! Read once, in `startup`; nothing else looks at files or the environment.

mod delivery;
mod egress;
mod email;
mod github;
mod limits;
mod log;
mod oidc;
mod registry;
mod script;
mod server;
mod traces;
mod values;
mod webhooks;

use std::{collections::HashMap, net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use url::Url;

pub use delivery::Delivery;
pub use egress::Egress;
pub use email::Email;
pub use github::Github;
pub use limits::{LONGEST_BYTES, LONGEST_UNVERIFIED_BYTES, Limits};
pub use log::{Log, LogFormat};
pub use oidc::Oidc;
pub use registry::Registry;
pub use script::Script;
pub use server::Server;
pub use traces::Traces;
pub use values::Setting;
pub use webhooks::Webhooks;

use crate::domain::{apps::schedule::Zone, product, secret::Secret};

const DEFAULTS: &str = include_str!("config.default.toml");

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Config {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "optional_address")]
    pub admin_listen: Option<SocketAddr>,
    pub public_url: String,
    pub data_dir: PathBuf,
    pub database_url: Secret,
    pub secret_key: Secret,
    #[serde(deserialize_with = "secret_list")]
    pub secret_key_previous: Vec<Secret>,
    pub server: Server,
    pub limits: Limits,
    pub database: Database,
    pub auth: Auth,
    pub oidc: Oidc,
    pub product: Product,
    pub slack: Slack,
    pub github: Github,
    pub egress: Egress,
    pub email: Email,
    pub delivery: Delivery,
    pub retention: Retention,
    pub schedule: Schedule,
    pub script: Script,
    pub registry: Registry,
    pub webhooks: Webhooks,
    pub log: Log,
    pub traces: Traces,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Database {
    pub max_connections: u32,
    pub statement_timeout_ms: u64,
}

/// `[auth]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Auth {
    pub cache_secs: u64,
    pub jwt: Jwt,
}

/// `[auth.jwt]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Jwt {
    pub hs256_secret: Secret,
    pub jwks_url: String,
    pub algorithm: JwtAlgorithm,
    pub issuer: String,
    pub audience: String,
    pub organisations_claim: String,
}

/// Permitted algorithms of an external issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
#[allow(missing_docs, reason = "RFC 7518 and RFC 8037 name them")]
pub enum JwtAlgorithm {
    Rs256,
    Es256,
    EdDsa,
}

// Not derived: the error of the derived one does not list the permitted values.
impl TryFrom<String> for JwtAlgorithm {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.to_ascii_lowercase().as_str() {
            "rs256" => Ok(Self::Rs256),
            "es256" => Ok(Self::Es256),
            "eddsa" => Ok(Self::EdDsa),
            _ => Err("it must be RS256, ES256 or EdDSA"),
        }
    }
}

/// `[product]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Product {
    pub name: String,
    pub app_url: String,
    pub docs_url: String,
}

/// `[slack]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Slack {
    pub client_id: String,
    pub client_secret: Secret,
    pub signing_secret: Secret,
    pub web_base: Url,
    pub api_base: Url,
    pub hooks_base: Url,
    pub redirect_uri: String,
    #[serde(deserialize_with = "list")]
    pub scopes: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub app_scopes: Vec<String>,
    pub channel_interval_ms: u64,
    pub channel_burst: u32,
}

/// `[schedule]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Schedule {
    pub time_zone: String,
}

/// `[retention]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config.default.toml documents every key")]
pub struct Retention {
    pub days: u32,
    pub idempotency_hours: u32,
}

/// Reason for which the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is missing, unknown, or has a value of the wrong shape.
    #[error("the configuration cannot be read: {0}; src/config.default.toml shows every key")]
    Unreadable(#[from] config::ConfigError),
    /// A value has the right shape and breaks a rule.
    #[error("the setting {key} is wrong: {rule}")]
    Wrong {
        /// The key, dotted.
        key: &'static str,
        /// The permitted values.
        rule: String,
    },
}

impl Config {
    /// Joins the defaults, the file and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key, the shape of its value and the permitted values.
    pub fn load(environment: HashMap<String, String>) -> Result<Self, ConfigError> {
        let config: Config = joined(&environment)?.try_deserialize()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, rule: &str| Err(ConfigError::Wrong { key, rule: rule.to_owned() });
        let url = self.database_url.expose();
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        if !url.is_empty() && !known {
            return wrong("DATABASE_URL", "it must begin with sqlite:// or postgres://");
        }
        if !self.public_url.is_empty() && Url::parse(&self.public_url).is_err() {
            return wrong("public_url", "it must be a URL such as https://tieline.example.org");
        }
        let name = &self.product.name;
        if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return wrong("product.name", "it must be 1 to 100 characters without control characters");
        }
        for (key, url) in [("product.app_url", &self.product.app_url), ("product.docs_url", &self.product.docs_url)] {
            if !url.is_empty() && page(url).is_none() {
                return wrong(key, "it must be a URL that begins with http:// or https://");
            }
        }
        if !self.slack.redirect_uri.is_empty() && Url::parse(&self.slack.redirect_uri).is_err() {
            return wrong("slack.redirect_uri", "it must be a URL");
        }
        if !self.auth.jwt.jwks_url.is_empty() && Url::parse(&self.auth.jwt.jwks_url).is_err() {
            return wrong("auth.jwt.jwks_url", "it must be a URL");
        }
        let secret = self.auth.jwt.hs256_secret.expose();
        if !secret.is_empty() && secret.len() < 32 {
            return wrong("auth.jwt.hs256_secret", "it must have at least 32 bytes (RFC 7518, 3.2)");
        }
        if !secret.is_empty() && !self.auth.jwt.jwks_url.is_empty() {
            return wrong("auth.jwt", "hs256_secret and jwks_url exclude each other: one algorithm per issuer");
        }
        if self.auth.jwt.issuer.is_empty() || self.auth.jwt.audience.is_empty() {
            return wrong("auth.jwt", "issuer and audience must not be empty");
        }
        let Slack { client_id, client_secret, signing_secret, .. } = &self.slack;
        for (key, secret) in [("slack.client_secret", client_secret), ("slack.signing_secret", signing_secret)] {
            if !client_id.is_empty() && secret.expose().trim().is_empty() {
                return wrong(key, "it is needed where slack.client_id is set");
            }
        }
        if self.slack.channel_burst == 0 {
            return wrong("slack.channel_burst", "it must be at least 1");
        }
        self.github.check()?;
        self.delivery.check()?;
        self.egress.check(&self.delivery)?;
        self.oidc.check()?;
        self.traces.check()?;
        self.email.check(self.delivery.lease_secs)?;
        self.script.check()?;
        if self.schedule.time_zone.parse::<Zone>().is_err() {
            return wrong("schedule.time_zone", "it must be an IANA name such as Europe/Berlin, or UTC");
        }
        self.registry.check()?;
        if !(100..=600_000).contains(&self.database.statement_timeout_ms) {
            return wrong("database.statement_timeout_ms", "it must be between 100 and 600000");
        }
        self.limits.check()?;
        self.server.check()?;
        if self.database.max_connections == 0 {
            return wrong("database.max_connections", "it must be at least 1");
        }
        if self.admin_listen.is_some_and(|address| address == self.listen && address.port() != 0) {
            return wrong("admin_listen", "it must be another address than listen");
        }
        Ok(())
    }

    /// The database's URL, with the embedded default filled in.
    pub fn database_url(&self) -> String {
        let url = self.database_url.expose();
        if url.is_empty() { format!("sqlite://{}", self.data_dir.join("tieline.db").display()) } else { url.to_owned() }
    }

    /// Reports that the embedded database is used.
    pub fn is_embedded(&self) -> bool {
        self.database_url().starts_with("sqlite:")
    }

    /// Returns the public address of this service, without a trailing slash.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.listen)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }
}

impl Product {
    /// Product name and pages shown to members.
    pub fn known(&self) -> product::Product {
        let Self { name, app_url, docs_url } = self;
        product::Product { name: name.trim().to_owned(), app_url: page(app_url), docs_url: page(docs_url) }
    }
}

/// Parses an address that a browser may visit.
fn page(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

impl Slack {
    /// Reports that an app's credentials are set.
    pub fn is_configured(&self) -> bool {
        !self.client_id.is_empty()
    }
}

/// Returns true for a variable by which Kubernetes describes a service to every container beside it: one called `tieline`,
/// or `tieline-` and more.
fn is_of_kubernetes(key: &str) -> bool {
    !key.contains("__")
        && (["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| key.contains(part))
            || key.ends_with("_PORT"))
}

/// Returns the values of all settings: the defaults, the file and the environment, each over the one before.
fn joined(environment: &HashMap<String, String>) -> Result<config::Config, ConfigError> {
    let file = environment.get("TIELINE_CONFIG").cloned();
    let own: HashMap<String, String> = environment
        .iter()
        .filter(|(key, _)| {
            key.starts_with("TIELINE_")
                && !key.starts_with("TIELINE_TEST_")
                && !is_of_kubernetes(key)
                // The token of `tieline listen`.
                && !["TIELINE_CONFIG", "TIELINE_TOKEN"].contains(&key.as_str())
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut builder = config::Config::builder()
        .add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml))
        .add_source(match &file {
            Some(path) => config::File::new(path, config::FileFormat::Toml).required(true),
            None => config::File::new("tieline.toml", config::FileFormat::Toml).required(false),
        })
        .add_source(
            config::Environment::with_prefix("TIELINE").prefix_separator("_").separator("__").source(Some(own)),
        );
    if let Some(url) = environment.get("DATABASE_URL") {
        builder = builder.set_override("database_url", url.as_str())?;
    }
    Ok(builder.build()?)
}

/// Reads a list, or a text with commas, as environment variables have it.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Items {
        List(Vec<Item>),
        Text(String),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Item {
        Text(String),
        Number(i64),
    }
    let text = |item| match item {
        Item::Text(text) => text,
        Item::Number(number) => number.to_string(),
    };
    let items: Vec<String> = match Items::deserialize(deserializer)? {
        Items::List(items) => items.into_iter().map(text).collect(),
        Items::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    items
        .iter()
        .map(|item| item.trim())
        .filter(|item| !item.is_empty())
        .map(|item| item.parse().map_err(|error| serde::de::Error::custom(format!("{item:?}: {error}"))))
        .collect()
}

/// Reads an address, or an empty text.
fn optional_address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong =
        |error| serde::de::Error::custom(format!("{text:?}: {error}; expected an address such as 127.0.0.1:9090"));
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

fn secret_list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    Ok(list::<D, String>(deserializer)?.into_iter().map(Secret::new).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn the_defaults_are_complete() {
        let config = load(&[]).unwrap();
        assert_eq!(config.database_url(), "sqlite://./data/tieline.db");
        assert_eq!(config.public_url(), "http://127.0.0.1:8080");
        assert!(!config.slack.is_configured());
        assert_eq!(config.slack.app_scopes.len(), 6);
        let product = config.product.known();
        assert_eq!((product.name.as_str(), product.app_url, product.docs_url), ("Tieline", None, None));
    }

    #[test]
    fn the_product_has_pages_where_they_are_given() {
        let config = load(&[
            ("TIELINE_PRODUCT__NAME", " Acme "),
            ("TIELINE_PRODUCT__APP_URL", "https://app.acme.example/x"),
            ("TIELINE_PRODUCT__DOCS_URL", "http://docs.acme.example"),
        ])
        .unwrap();
        let product = config.product.known();
        assert_eq!(product.name, "Acme");
        assert_eq!(product.app_url.unwrap().as_str(), "https://app.acme.example/x");
        assert_eq!(product.docs_url.unwrap().as_str(), "http://docs.acme.example/");
    }

    #[test]
    fn the_environment_wins() {
        let config = load(&[
            ("TIELINE_LISTEN", "0.0.0.0:9"),
            ("TIELINE_SLACK__CLIENT_ID", "1111111111.2222222222"),
            ("TIELINE_SLACK__CLIENT_SECRET", "12345"),
            ("TIELINE_SLACK__SIGNING_SECRET", "hush"),
            ("TIELINE_SLACK__SCOPES", "chat:write, team:read"),
            ("TIELINE_EGRESS__ALLOW", "127.0.0.0/8,10.0.0.0/8"),
            ("TIELINE_DELIVERY__MAX_CONCURRENT", "3"),
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("TIELINE_TEST_POSTGRES_URL", "ignored"),
            ("TIELINE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("TIELINE_ADMIN_SERVICE_HOST", "10.0.0.1"),
            ("TIELINE_ADMIN_SERVICE_PORT_HTTP", "9090"),
            ("TIELINE_ADMIN_PORT_9090_TCP", "tcp://10.0.0.1:9090"),
            ("TIELINE_SERVICE_HOST", "10.0.0.1"),
        ])
        .unwrap();
        assert_eq!(config.slack.client_id, "1111111111.2222222222", "not read as a number");
        assert_eq!(config.slack.client_secret.expose(), "12345");
        assert_eq!(config.slack.scopes, ["chat:write", "team:read"]);
        assert_eq!(config.egress.allow.len(), 2);
        assert_eq!(config.delivery.max_concurrent, 3);
        assert!(!config.is_embedded());
    }

    #[test]
    fn a_bad_setting_is_named() {
        for (key, value, expected) in [
            ("TIELINE_LISTEN", "nowhere", "listen"),
            ("TIELINE_ADMIN_LISTEN", "nowhere", "nowhere"),
            ("TIELINE_ADMIN_LISTEN", "127.0.0.1:8080", "admin_listen"),
            ("TIELINE_DELIVERY__POLL_MS", "soon", "poll_ms"),
            ("TIELINE_DELIVERY__NO_SUCH", "1", "no_such"),
            ("TIELINE_EGRESS__ALLOW", "10.0.0.0/99", "10.0.0.0/99"),
            ("TIELINE_LOG__FORMAT", "xml", "format"),
            ("TIELINE_SLACK__CHANNEL_BURST", "0", "slack.channel_burst"),
            ("TIELINE_PRODUCT__NAME", " ", "product.name"),
            ("TIELINE_PRODUCT__APP_URL", "javascript:alert(1)", "product.app_url"),
            ("TIELINE_PRODUCT__APP_URL", "app.acme.example", "product.app_url"),
            ("TIELINE_PRODUCT__DOCS_URL", "mailto:a@acme.example", "product.docs_url"),
            ("TIELINE_AUTH__JWT__HS256_SECRET", "short", "auth.jwt.hs256_secret"),
            ("DATABASE_URL", "mysql://x", "DATABASE_URL"),
        ] {
            let error = load(&[(key, value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}: {error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let more = [("TIELINE_SLACK__SIGNING_SECRET", "hush-hush"), ("TIELINE_SECRET_KEY", "hush")];
        let config = load(&[&github::tests::GITHUB[..], &more].concat()).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
