//! Descriptors: the JSON documents by which Telex apps declare their texts, endpoints and settings. Parsing one lives
//! here; `descriptor/parse.rs` names mistakes in the JSON, `lint.rs` those in its content.
//!
//! Not here: downloading one. Real descriptors are written by hand and deviate. Recoverable deviations are accepted,
//! with a warning; the rest is refused, with all of its errors at once.

mod address;
mod agent;
mod authorisation;
mod finding;
mod lint;
mod nearest;
mod parse;
mod places;
mod schema;
mod settings;

use serde_json::Value;
use url::Url;

pub(in crate::domain) use self::settings::plain;
pub use self::{
    address::MAX_LOGO_BYTES,
    agent::Agent,
    authorisation::Authorisation,
    finding::{Finding, Place, Severity, rule},
    parse::{MAX_BYTES, MAX_DEPTH},
    settings::{MAX_OPTIONS, MAX_SETTINGS, SettingKind, SettingSpec},
};
use self::{
    address::same_server,
    finding::{Findings, quoted},
    nearest::nearest,
};
use super::{
    schedule::Schedule,
    setting::{EffectiveSetting, Setting, effective, validate},
};
use crate::domain::error::Violation;

/// Label of the setting with the schedule of an interval app. It is case-sensitive.
pub const INTERVAL: &str = "interval";

/// The categories defined by Telex.
pub const CATEGORIES: [&str; 20] = [
    "Monitoring & Logging",
    "Communication & Collaboration",
    "Security & Compliance",
    "Performance Monitoring",
    "Website Uptime",
    "Social Media Management",
    "CRM & Customer Support",
    "Marketing Automation",
    "Data Analytics & Visualization",
    "Finance & Payments",
    "Project Management",
    "E-commerce & Retail",
    "AI & Machine Learning",
    "Task Automation",
    "Cloud Services",
    "Human Resources & Payroll",
    "Email & Messaging",
    "IT Service Management",
    "Development & Code Management",
    "DevOps & CI/CD",
];

/// Names of the kinds that are called.
const KINDS: [&str; 4] = ["modifier", "filter", "interval", "output"];

/// Kind of an app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AppKind {
    /// Changes each message on its way.
    Modifier,
    /// Changes each message, or drops it.
    Filter,
    /// Is called by the schedule, and posts its results.
    Interval,
    /// Receives each message.
    Output,
    /// Another kind, kept as written, or an empty one. It is never called.
    Other(String),
}

impl AppKind {
    /// Returns the kind with a name, which is lower-case.
    pub fn named(name: &str) -> Self {
        match name {
            "modifier" => Self::Modifier,
            "filter" => Self::Filter,
            "interval" => Self::Interval,
            "output" => Self::Output,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Tells that it is never called, with the known kind that was probably meant; `None` for a known kind.
    pub fn unknown(&self) -> Option<String> {
        let Self::Other(name) = self else { return None };
        let shown = if name.is_empty() { "is missing".to_owned() } else { format!("{} is not known", quoted(name)) };
        let meant = nearest(name).map_or(";".to_owned(), |meant| format!("; did you mean \"{meant}\"?"));
        Some(format!("{shown}{meant} such an integration is never called; known are {}", KINDS.join(", ")))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Modifier => "modifier",
            Self::Filter => "filter",
            Self::Interval => "interval",
            Self::Output => "output",
            Self::Other(name) => name,
        }
    }

    /// Returns true if its `target_url` is called inline for each message and may change it.
    pub fn changes_messages(&self) -> bool {
        matches!(self, Self::Modifier | Self::Filter)
    }

    /// Returns true if its `target_url`, if it has one, gets a copy of each message.
    pub fn collects_messages(&self) -> bool {
        matches!(self, Self::Output | Self::Interval)
    }

    /// Returns true if its `tick_url` is called by the schedule.
    pub fn ticks(&self) -> bool {
        matches!(self, Self::Interval)
    }

    /// Returns true if its `target_url`, if it has one, is called.
    pub fn has_target(&self) -> bool {
        self.changes_messages() || self.collects_messages()
    }

    /// Returns true if a `target_url` is required.
    pub fn needs_target(&self) -> bool {
        matches!(self, Self::Modifier | Self::Filter | Self::Output)
    }
}

/// A parsed descriptor. Texts are trimmed and never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// Display name.
    pub app_name: String,
    /// Purpose.
    pub app_description: Option<String>,
    /// URL of a picture, or a small picture itself, `data:image/…`.
    pub app_logo: Option<String>,
    /// URL of its page.
    pub app_url: Option<String>,
    /// The colour behind the picture.
    pub background_color: Option<String>,
    /// Kind of the app.
    pub kind: AppKind,
    /// Mostly one of [`CATEGORIES`].
    pub category: Option<String>,
    /// True if the app is to be enabled when it is installed.
    pub is_active: bool,
    /// Author.
    pub author: Option<String>,
    /// Page of the app or of its author.
    pub website: Option<String>,
    /// URL that receives messages: absolute, over HTTP. It may also be present without being called.
    pub target_url: Option<String>,
    /// URL called by the schedule: as `target_url`.
    pub tick_url: Option<String>,
    /// Members about an agent.
    pub agent: Agent,
    /// Addresses that get an API key.
    pub authorisation: Authorisation,
    /// The declared settings.
    pub settings: Vec<SettingSpec>,
    /// The document as it came, with its `data` and all unknown members. Not larger than [`MAX_BYTES`].
    pub document: Value,
    /// JSON pointer to the describing object: `/data`, or nothing.
    base: &'static str,
}

impl Descriptor {
    /// Parses a document as it came over the wire. The findings beside a descriptor are warnings.
    ///
    /// # Errors
    /// All errors and warnings, errors first; `Error::from` makes a refusal of them.
    pub fn read(body: &[u8]) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut findings = Findings::default();
        let Some(mut parsed) = parse::parse(body, &mut findings) else { return Err(findings.finish(|_| None)) };
        let descriptor = lint::descriptor(parsed.value.take(), &mut findings);
        let findings = findings.finish(|path| Some(parsed.place(path)));
        match descriptor {
            Some(descriptor) => Ok((descriptor, findings)),
            None => Err(findings),
        }
    }

    /// Parses a document that was parsed before, such as its last good copy.
    ///
    /// # Errors
    /// As [`Self::read`], without places.
    pub fn from_document(document: Value) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut findings = Findings::default();
        if parse::depth(&document) > MAX_DEPTH {
            findings.error(rule::TOO_DEEP, "", parse::TOO_DEEP);
            return Err(findings.finish(|_| None));
        }
        match lint::descriptor(document, &mut findings) {
            Some(descriptor) => Ok((descriptor, findings.finish(|_| None))),
            None => Err(findings.finish(|_| None)),
        }
    }

    /// Returns all errors and warnings of a document, errors first.
    pub fn lint(body: &[u8]) -> Vec<Finding> {
        match Self::read(body) {
            Ok((_, findings)) | Err(findings) => findings,
        }
    }

    /// Returns the addresses that will be called, each with the pointer to it. The caller asks the guard of its HTTP
    /// client about each.
    pub fn urls(&self) -> Vec<(String, &str)> {
        let target = self.target_url.as_deref().filter(|_| self.kind.has_target()).map(|url| ("target_url", url));
        let tick = self.tick_url.as_deref().filter(|_| self.kind.ticks()).map(|url| ("tick_url", url));
        let callback = self.authorisation.callback_url.as_deref().map(|url| ("auth_callback", url));
        let called = target.into_iter().chain(tick).chain(callback);
        called.map(|(name, url)| (format!("{}/{name}", self.base), url)).collect()
    }

    /// Lints the called addresses against our own: one that leads to ourselves would make every message the cause of
    /// the next, and is an error; one that is the descriptor's own address is a slip of the pen.
    pub fn lint_addresses(&self, ourselves: &Url, document: Option<&Url>) -> Vec<Finding> {
        let mut findings = Findings::default();
        for (path, text) in self.urls() {
            let Ok(url) = Url::parse(text) else { continue };
            if same_server(&url, ourselves) {
                let message = "leads back to this service: every message would be the cause of the next";
                findings.error(rule::URL_LOOP, path, message);
            } else if document.is_some_and(|document| document == &url) {
                findings.warning(rule::URL_LOOP, path, "is the address of this descriptor, and not an endpoint");
            }
        }
        findings.finish(|_| None)
    }

    /// Returns the JSON schema in the document, or else one derived from its settings: an object with a property for
    /// each.
    ///
    /// A schema in the document is a member `json_schema`, or `schema`, beside the others or beside `data`.
    pub fn json_schema(&self) -> Value {
        let data = self.document.pointer(self.base);
        let places = [data, Some(&self.document)];
        let own =
            |name: &str| places.into_iter().flatten().find_map(|object| object.get(name).filter(|s| s.is_object()));
        match own("json_schema").or_else(|| own("schema")) {
            Some(schema) => schema.clone(),
            None => schema::of_settings(&self.settings),
        }
    }

    /// Returns the declaration of a setting. Of duplicate labels, the first one.
    pub fn setting(&self, label: &str) -> Option<&SettingSpec> {
        self.settings.iter().find(|spec| spec.label == label)
    }

    /// Validates a value of a setting: against its declaration, and the `interval` of an interval app has to be a
    /// crontab line, or empty.
    ///
    /// # Errors
    /// A [`Violation`] of `/value`.
    pub fn validate_setting(&self, label: &str, value: &Value) -> Result<(), Violation> {
        validate(self.setting(label), value)?;
        if !self.kind.ticks() || label != INTERVAL {
            return Ok(());
        }
        Schedule::of_value(value).map(|_| ())
    }

    /// Returns the schedule of an interval app: the value of the first setting with the exact label [`INTERVAL`].
    /// Without one, or with an empty one, there is none, and neither is there for any other kind.
    ///
    /// # Errors
    /// A [`Violation`] of `/value`, which is the reason that the app never ticks.
    pub fn schedule(&self, settings: &[EffectiveSetting]) -> Result<Option<Schedule>, Violation> {
        let interval = settings.iter().find(|setting| self.kind.ticks() && setting.label == INTERVAL);
        interval.map_or(Ok(None), |setting| Schedule::of_value(setting.value()))
    }

    /// Returns the effective settings, see [`effective`].
    pub fn effective(&self, organisation: &[Setting], channel: &[Setting]) -> Vec<EffectiveSetting> {
        effective(&self.settings, organisation, channel)
    }
}

#[cfg(test)]
mod tests;
