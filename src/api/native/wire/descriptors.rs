//! Descriptor checks: the document in question, and the report.

use poem_openapi::{
    Object,
    types::{Any, Example},
};
use serde_json::Value;

use crate::{
    api::shared::word::{Vocabulary, Word},
    app::apps::descriptors::DescriptorSource,
    domain::{
        Error, Result,
        apps::descriptor::{Finding, Severity},
        registry::definition::Issue,
    },
};

/// Descriptor to be checked: exactly one of the three members.
#[derive(Clone, Debug, Object)]
#[oai(rename = "DescriptorToLint", example, skip_serializing_if_is_none)]
pub struct LintIn {
    /// Address from which the descriptor is fetched.
    pub url: Option<String>,
    /// The descriptor itself.
    pub document: Option<Any<Value>>,
    /// Descriptor as text, which need not be valid JSON; findings then have a line and a column.
    pub text: Option<String>,
}

/// Descriptor to be checked.
pub struct Asked {
    /// Source of the descriptor.
    pub source: DescriptorSource,
    /// True if the caller gave the text, so that lines and columns are meaningful.
    pub has_places: bool,
}

impl LintIn {
    /// Returns the given source.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless exactly one is given.
    pub fn asked(self) -> Result<Asked> {
        match (self.url, self.document, self.text) {
            (Some(url), None, None) => Ok(Asked { source: DescriptorSource::Url(url), has_places: true }),
            (None, Some(Any(document)), None) => {
                Ok(Asked { source: DescriptorSource::Text(document.to_string()), has_places: false })
            }
            (None, None, Some(text)) => Ok(Asked { source: DescriptorSource::Text(text), has_places: true }),
            (_, _, _) => Err(Error::invalid("", "must have exactly one of url, document and text")),
        }
    }
}

impl Example for LintIn {
    fn example() -> Self {
        Self { url: Some("https://www.bananaisland.com/banana.json".into()), document: None, text: None }
    }
}

impl Vocabulary for Severity {
    const NAME: &'static str = "LintSeverity";
    const DESCRIPTION: &'static str = "Severity of a finding: an error (the descriptor cannot be installed) or a warning \
         (it can be installed, and may not have the intended effect).";

    fn words() -> Vec<(&'static str, Self)> {
        [Severity::Error, Severity::Warning].map(|severity| (severity.word(), severity)).into()
    }

    fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A finding in a descriptor.
#[derive(Clone, Debug, Object)]
#[oai(rename = "LintFinding", skip_serializing_if_is_none)]
pub struct FindingOut {
    /// Severity of the finding.
    pub severity: Word<Severity>,
    /// Location: a JSON pointer (RFC 6901) into the descriptor.
    pub path: String,
    /// Line, from 1, if it is known.
    pub line: Option<u32>,
    /// Column, from 1, if it is known.
    pub column: Option<u32>,
    /// Name of the rule, for programs. More rules may be added.
    pub rule: String,
    /// Description of the fault, and the remedy.
    pub message: String,
}

/// Report of a descriptor check.
#[derive(Clone, Debug, Object)]
#[oai(rename = "LintReport")]
pub struct LintOut {
    /// True if the descriptor can be installed: no finding is an error.
    pub valid: bool,
    /// The findings, in the order of the descriptor.
    pub findings: Vec<FindingOut>,
}

impl LintOut {
    /// Makes the report of a dry run of the registry.
    ///
    /// # Errors
    /// Those of the dry run that are not about the version.
    pub fn of_version(checked: Result<()>) -> Result<Self> {
        let shown = |issue: &Issue| FindingOut {
            severity: Word(Severity::Error),
            path: issue.path.clone(),
            line: None,
            column: None,
            rule: issue.rule.as_str().to_owned(),
            message: issue.says().to_owned(),
        };
        match checked {
            Ok(()) => Ok(Self { valid: true, findings: Vec::new() }),
            Err(Error::Issues(issues)) => Ok(Self { valid: false, findings: issues.iter().map(shown).collect() }),
            Err(other) => Err(other),
        }
    }

    /// Makes the report, with or without lines and columns.
    pub fn of(found: Vec<Finding>, has_places: bool) -> Self {
        let shown = |finding: Finding| FindingOut {
            severity: Word(finding.severity),
            path: finding.path,
            line: finding.place.filter(|_| has_places).map(|place| count(place.line)),
            column: finding.place.filter(|_| has_places).map(|place| count(place.column)),
            rule: finding.rule.to_owned(),
            message: finding.message,
        };
        let valid = found.iter().all(|finding| finding.severity != Severity::Error);
        Self { valid, findings: found.into_iter().map(shown).collect() }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ToJSON;
    use serde_json::json;

    use super::*;
    use crate::domain::apps::descriptor::Place;

    fn finding(severity: Severity) -> Finding {
        Finding {
            severity,
            path: "/data/settings/0".into(),
            place: Some(Place { line: 3, column: 7 }),
            rule: "setting.label",
            message: "has no label".into(),
        }
    }

    #[test]
    fn exactly_one_descriptor_is_looked_through() {
        let asked = |url: Option<&str>, document: Option<Value>, text: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            LintIn { url: owned(url), document: document.map(Any), text: owned(text) }.asked().is_ok()
        };
        let (url, text) = (Some("https://example.org"), Some("{"));
        assert!(asked(url, None, None) && asked(None, Some(json!([])), None) && asked(None, None, text));
        assert!(!asked(None, None, None) && !asked(url, Some(json!({})), None) && !asked(url, None, text));
    }

    #[test]
    fn a_warning_leaves_it_valid_and_a_document_has_no_lines() {
        assert!(LintOut::of(Vec::new(), true).valid);
        let warned = LintOut::of(vec![finding(Severity::Warning)], true);
        assert!(warned.valid && warned.findings[0].line == Some(3));
        let report = LintOut::of(vec![finding(Severity::Warning), finding(Severity::Error)], false);
        assert!(!report.valid);
        assert_eq!(
            report.findings[1].to_json().unwrap(),
            json!({
                "severity": "error",
                "path": "/data/settings/0",
                "rule": "setting.label",
                "message": "has no label",
            })
        );
    }
}
