//! Descriptors: the JSON documents by which Telex integrations say what they are, where they are called and what can be
//! set. Reading one lives here; `descriptor/parse.rs` names mistakes in the JSON, `lint.rs` those in its content.
//!
//! Real descriptors are written by hand and deviate. What can be understood is taken, with a warning; what cannot is
//! refused, with all of its errors at once.

mod address;
mod finding;
mod lint;
mod parse;
mod places;
mod schema;
mod settings;

use serde_json::Value;
use url::Url;

pub(in crate::domain) use self::settings::plain;
pub use self::{
    address::MAX_LOGO_BYTES,
    finding::{Finding, Place, Severity, rule},
    parse::{MAX_BYTES, MAX_DEPTH},
    settings::{MAX_OPTIONS, MAX_SETTINGS, SettingKind, SettingSpec},
};
use self::{address::same_server, finding::Findings};
use super::{
    schedule::Schedule,
    setting::{EffectiveSetting, Setting, effective, validate},
};
use crate::domain::error::Violation;

/// The label of the setting that says when an interval integration ticks. Exactly so: the case matters.
pub const INTERVAL: &str = "interval";

/// The categories that Telex knows.
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

/// What an integration does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntegrationKind {
    /// Changes each message on its way.
    Modifier,
    /// Changes each message, or drops it.
    Filter,
    /// Is called by the clock, and posts when it has something to say.
    Interval,
    /// Gets each message.
    Output,
    /// Something else, kept as it was written, or nothing. It is never called.
    Other(String),
}

impl IntegrationKind {
    /// The kind with a name, which is lower-case.
    pub fn named(name: &str) -> Self {
        match name {
            "modifier" => Self::Modifier,
            "filter" => Self::Filter,
            "interval" => Self::Interval,
            "output" => Self::Output,
            other => Self::Other(other.to_owned()),
        }
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

    /// Whether its `target_url` stands in the way of each message and says what becomes of it.
    pub fn changes_messages(&self) -> bool {
        matches!(self, Self::Modifier | Self::Filter)
    }

    /// Whether its `target_url`, if it has one, gets a copy of each message.
    pub fn collects_messages(&self) -> bool {
        matches!(self, Self::Output | Self::Interval)
    }

    /// Whether its `tick_url` is called by the clock.
    pub fn ticks(&self) -> bool {
        matches!(self, Self::Interval)
    }

    /// Whether its `target_url`, if it has one, is called.
    pub fn has_target(&self) -> bool {
        self.changes_messages() || self.collects_messages()
    }

    /// Whether it is of no use without a `target_url`.
    pub fn needs_target(&self) -> bool {
        matches!(self, Self::Modifier | Self::Filter | Self::Output)
    }
}

/// What an integration says of itself. Texts are trimmed and never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// What users call it.
    pub app_name: String,
    /// What it is for.
    pub app_description: Option<String>,
    /// The address of a picture, or a small picture itself, `data:image/…`.
    pub app_logo: Option<String>,
    /// Its page.
    pub app_url: Option<String>,
    /// The colour behind the picture.
    pub background_color: Option<String>,
    /// What it does.
    pub kind: IntegrationKind,
    /// Mostly one of [`CATEGORIES`].
    pub category: Option<String>,
    /// Whether it is to be on once it is installed.
    pub is_active: bool,
    /// Who wrote it.
    pub author: Option<String>,
    /// Its, or its author's, page.
    pub website: Option<String>,
    /// Where it gets messages: an absolute HTTP address. It may also be there without being called.
    pub target_url: Option<String>,
    /// Where it is called by the clock: as `target_url`.
    pub tick_url: Option<String>,
    /// What can be set.
    pub settings: Vec<SettingSpec>,
    /// The document as it came, with its `data` and all that is not understood here. Not larger than [`MAX_BYTES`].
    pub document: Value,
    /// The pointer to the object that describes: `/data`, or nothing.
    base: &'static str,
}

impl Descriptor {
    /// Reads a document as it came over the wire. What comes with a descriptor are warnings.
    ///
    /// # Errors
    /// All that is wrong and odd, errors first; `Error::from` makes a refusal of it.
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

    /// Reads a document that was read before, such as the last good copy of it.
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

    /// All that is wrong or odd with a document, errors first.
    pub fn lint(body: &[u8]) -> Vec<Finding> {
        match Self::read(body) {
            Ok((_, findings)) | Err(findings) => findings,
        }
    }

    /// The addresses that will be called, each with the pointer to it. The caller asks the guard of its HTTP client
    /// about each.
    pub fn urls(&self) -> Vec<(String, &str)> {
        let target = self.target_url.as_deref().filter(|_| self.kind.has_target()).map(|url| ("target_url", url));
        let tick = self.tick_url.as_deref().filter(|_| self.kind.ticks()).map(|url| ("tick_url", url));
        target.into_iter().chain(tick).map(|(name, url)| (format!("{}/{name}", self.base), url)).collect()
    }

    /// What is wrong with the called addresses from where we stand: one that leads to ourselves would make every
    /// message the cause of the next, and is an error; one that is the descriptor's own address is a slip of the pen.
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

    /// The schema that the document brings along, or one of its settings: an object with a property for each.
    ///
    /// A schema of its own is a member `json_schema`, or `schema`, beside the others or beside `data`.
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

    /// The declaration of a setting. Where a label comes twice, the first one.
    pub fn setting(&self, label: &str) -> Option<&SettingSpec> {
        self.settings.iter().find(|spec| spec.label == label)
    }

    /// Whether a setting may have a value: as its declaration says, and the `interval` of what ticks has to be a
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

    /// When the integration ticks: as the first setting with the label [`INTERVAL`] says, exactly so. Without one, or
    /// with an empty one, it never does, and neither does what is of another kind.
    ///
    /// # Errors
    /// A [`Violation`] of `/value`; it never ticks then either, and this is why.
    pub fn schedule(&self, settings: &[EffectiveSetting]) -> Result<Option<Schedule>, Violation> {
        let interval = settings.iter().find(|setting| self.kind.ticks() && setting.label == INTERVAL);
        interval.map_or(Ok(None), |setting| Schedule::of_value(setting.value()))
    }

    /// What holds for each setting, see [`effective`].
    pub fn effective(&self, organisation: &[Setting], channel: &[Setting]) -> Vec<EffectiveSetting> {
        effective(&self.settings, organisation, channel)
    }
}

#[cfg(test)]
mod tests;
