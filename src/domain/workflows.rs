//! Workflows that members may run from Slack. They are registered here and run elsewhere: a run is an event.
//!
//! Not here: the slash command and its modals (`domain::slack::modal`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Error, Result, ambient::Time, error::Violation, pipeline::destination::DestinationKind};

/// Kind of the destination at which requested runs are checked and accepted.
pub const RUN: DestinationKind = DestinationKind::new("workflow-run");
/// Name of that destination.
pub const RUNS: &str = "runs";

/// Maximum number of parameters of a workflow.
pub const MAX_PARAMETERS: usize = 20;
/// Maximum length of a parameter's value, default or answer, in UTF-16 units, as Slack may count.
pub const MAX_VALUE: usize = 2_000;
/// Maximum lengths of the other texts, counted likewise. Together they stay within one modal.
const MAX_ID: usize = 64;
const MAX_NAME: usize = 150;
const MAX_SUMMARY: usize = 1_000;
const MAX_LABEL: usize = 150;
const MAX_DESCRIPTION: usize = 300;

/// A workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Identifier, typed after the slash command: see [`is_workflow_id`].
    pub id: String,
    /// Display name.
    pub name: String,
    /// Summary. May be empty.
    pub summary: String,
    /// Parameters.
    pub parameters: Vec<WorkflowParameter>,
    /// Time of registration.
    pub created_at: Time,
    /// Time of the last change.
    pub updated_at: Time,
}

/// A parameter of a workflow. Kept as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowParameter {
    /// Name in the data of a run.
    pub name: String,
    /// Label of the input. Empty: the name.
    #[serde(default)]
    pub label: String,
    /// True if a value is required.
    #[serde(default)]
    pub required: bool,
    /// Default value, prefilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Hint for the input. May be empty.
    #[serde(default)]
    pub description: String,
}

/// Returns true for a valid workflow id: 1 to 64 letters, digits, dots, underscores and hyphens.
pub fn is_workflow_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(allowed)
}

impl Workflow {
    /// Validates the rules beyond its shape.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every broken rule.
    pub fn check(&self) -> Result<()> {
        let mut broken = Broken::default();
        broken.word("/id", &self.id);
        broken.line("/name", &self.name, MAX_NAME, true);
        broken.lines("/summary", &self.summary, MAX_SUMMARY);
        if self.parameters.len() > MAX_PARAMETERS {
            broken.add("/parameters", format!("must be at most {MAX_PARAMETERS}"));
        }
        let mut names = BTreeSet::new();
        for (index, parameter) in self.parameters.iter().take(MAX_PARAMETERS).enumerate() {
            let at = |field: &str| format!("/parameters/{index}/{field}");
            broken.word(&at("name"), &parameter.name);
            if !names.insert(&parameter.name) {
                broken.add(&at("name"), "is the name of another parameter too".to_owned());
            }
            broken.line(&at("label"), &parameter.label, MAX_LABEL, false);
            broken.lines(&at("default"), parameter.default.as_deref().unwrap_or_default(), MAX_VALUE);
            broken.lines(&at("description"), &parameter.description, MAX_DESCRIPTION);
        }
        if broken.0.is_empty() { Ok(()) } else { Err(Error::Invalid(broken.0)) }
    }
}

/// The violations found so far.
#[derive(Default)]
struct Broken(Vec<Violation>);

impl Broken {
    fn add(&mut self, field: &str, message: String) {
        self.0.push(Violation { field: field.to_owned(), message });
    }

    fn word(&mut self, field: &str, text: &str) {
        if !is_workflow_id(text) {
            self.add(field, format!("must be 1 to {MAX_ID} letters, digits, dots, underscores and hyphens"));
        }
    }

    fn line(&mut self, field: &str, text: &str, max: usize, needed: bool) {
        let least = usize::from(needed);
        let is_blank = needed && text.trim().is_empty();
        if is_blank || text.encode_utf16().count() > max || text.chars().any(char::is_control) {
            self.add(field, format!("must be {least} to {max} characters without control characters"));
        }
    }

    fn lines(&mut self, field: &str, text: &str, max: usize) {
        if text.encode_utf16().count() > max || text.chars().any(|c| c.is_control() && c != '\n') {
            self.add(field, format!("must be at most {max} characters, without control characters but line feeds"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(name: &str) -> WorkflowParameter {
        serde_json::from_value(json!({"name": name})).unwrap()
    }

    fn workflow() -> Workflow {
        Workflow {
            id: "deploy.prod_2-x".into(),
            name: "Deploy".into(),
            summary: "Brings it out.\nSlowly.".into(),
            parameters: vec![parameter("version"), parameter("region")],
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn fields(workflow: &Workflow) -> Vec<String> {
        match workflow.check() {
            Ok(()) => Vec::new(),
            Err(Error::Invalid(violations)) => violations.into_iter().map(|violation| violation.field).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn ids_can_be_typed_after_a_command() {
        for good in ["a", "deploy", "Deploy.prod_2-x", &"x".repeat(64)] {
            assert!(is_workflow_id(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "ü", "<!here>", "a\n", &"x".repeat(65)] {
            assert!(!is_workflow_id(bad), "{bad}");
        }
    }

    #[test]
    fn every_violation_names_its_field() {
        assert_eq!(fields(&workflow()), [""; 0]);
        let mut bad = workflow();
        bad.id = "<!channel>".into();
        bad.name = "  ".into();
        bad.summary = "x".repeat(1_001);
        bad.parameters[0].label = "😀".repeat(76);
        bad.parameters[0].default = Some("x".repeat(2_001));
        bad.parameters[1].name = "version".into();
        bad.parameters[1].description = "\u{1b}[31m".into();
        let expected = [
            "/id",
            "/name",
            "/summary",
            "/parameters/0/label",
            "/parameters/0/default",
            "/parameters/1/name",
            "/parameters/1/description",
        ];
        assert_eq!(fields(&bad), expected);
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let mut full = workflow();
        full.name = "😀".repeat(75);
        full.summary = "x".repeat(1_000);
        full.parameters = (0..20).map(|n| parameter(&format!("p{n}"))).collect();
        full.parameters[0].default = Some("a\n".repeat(1_000));
        assert_eq!(fields(&full), [""; 0]);
        full.parameters.push(parameter("p20"));
        assert_eq!(fields(&full), ["/parameters"]);
    }

    #[test]
    fn parameters_are_kept_as_json() {
        let kept = json!({"name": "a", "label": "A", "required": true, "default": "1", "description": "d"});
        let parameter: WorkflowParameter = serde_json::from_value(kept.clone()).unwrap();
        assert_eq!(serde_json::to_value(&parameter).unwrap(), kept);
        assert_eq!(parameter.default.as_deref(), Some("1"));
    }
}
