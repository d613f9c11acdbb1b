//! Rule kind of workflow steps: the attributes of a completed step.
//!
//! Not here: the filters of a connection, which read them (`domain::slack::link`).

use std::{fmt, str::FromStr};

use crate::domain::{
    Error, Result,
    error::Violation,
    pipeline::{
        attributes::{Attributes, pointer},
        event::Fact,
    },
};

/// Type of the events of completed workflow steps.
pub const WORKFLOW_STEP_COMPLETED: &str = "workflow.step.completed";

/// Attribute with the id of the link.
pub const LINK_ID: &str = "linkId";
/// Attribute with the kind of the step.
pub const STEP_KIND: &str = "stepKind";
/// Attribute with the action of the step, such as `FORM_SUBMIT`.
pub const STEP_ACTION: &str = "stepAction";
/// Attribute with the id of the visitor.
pub const VISITOR_ID: &str = "visitorId";

/// A completed step, as the attributes of its event describe it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkflowStep<'a> {
    /// The link on which it happened.
    pub link_id: Option<&'a str>,
    /// The kind of step; `None` also where the attribute is not a kind.
    pub kind: Option<StepKind>,
    /// The action of the step, such as `FORM_SUBMIT`.
    pub action: Option<&'a str>,
    /// The visitor who took it.
    pub visitor_id: Option<&'a str>,
}

impl<'a> From<&'a Attributes> for WorkflowStep<'a> {
    fn from(attributes: &'a Attributes) -> Self {
        Self {
            link_id: attributes.get(LINK_ID),
            kind: attributes.get(STEP_KIND).and_then(|kind| kind.parse().ok()),
            action: attributes.get(STEP_ACTION),
            visitor_id: attributes.get(VISITOR_ID),
        }
    }
}

/// Checks the attributes of a completed step and writes its kind in the long form. Events of other types pass as they
/// are.
pub fn check(fact: &mut Fact) -> Vec<Violation> {
    if fact.kind != WORKFLOW_STEP_COMPLETED {
        return Vec::new();
    }
    let broken = |rule: String| vec![Violation { field: pointer(STEP_KIND), message: rule }];
    match fact.attributes.get(STEP_KIND).map(str::parse::<StepKind>) {
        Some(Ok(kind)) => {
            fact.attributes.insert(STEP_KIND, kind.as_str());
            Vec::new()
        }
        Some(Err(_)) => broken(one_of_all()),
        None => broken(format!("is required for {WORKFLOW_STEP_COMPLETED}: {}", one_of_all())),
    }
}

/// The kind of a workflow's step, by its effect on the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// A visitor reaches the workflow.
    Entry,
    /// The workflow ends.
    Exit,
    /// The visitor was asked for something.
    Interaction,
    /// The workflow chose a branch.
    Condition,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [StepKind; 4] = [StepKind::Entry, StepKind::Exit, StepKind::Interaction, StepKind::Condition];

    /// Returns the long wire name, as filters and stored events write it.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Entry => "KIND_ENTRY",
            StepKind::Exit => "KIND_EXIT",
            StepKind::Interaction => "KIND_INTERACTION",
            StepKind::Condition => "KIND_CONDITION",
        }
    }
}

fn one_of_all() -> String {
    format!("must be one of {}", StepKind::ALL.map(StepKind::as_str).join(", "))
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StepKind {
    type Err = Error;
    /// Takes `KIND_ENTRY` (as filters write it) and `ENTRY` (as stored step completions write it).
    fn from_str(text: &str) -> Result<Self> {
        let bare = text.strip_prefix("KIND_").unwrap_or(text);
        StepKind::ALL
            .into_iter()
            .find(|kind| kind.as_str().strip_prefix("KIND_") == Some(bare))
            .ok_or_else(|| Error::invalid(pointer(STEP_KIND), one_of_all()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn fact(kind: &str, step_kind: Option<&str>) -> Fact {
        let attributes = step_kind.map(|kind| (STEP_KIND, kind)).into_iter().collect();
        Fact { attributes, ..Fact::plain(kind, None, Value::Null) }
    }

    #[test]
    fn a_completed_step_has_a_kind_in_the_long_form() {
        for kind in StepKind::ALL {
            for spelling in [kind.as_str(), &kind.as_str()[5..]] {
                let mut step = fact(WORKFLOW_STEP_COMPLETED, Some(spelling));
                assert_eq!(check(&mut step), []);
                assert_eq!(step.attributes.get(STEP_KIND), Some(kind.as_str()));
                assert_eq!(WorkflowStep::from(&step.attributes).kind, Some(kind));
            }
        }
        for wrong in [None, Some("KIND_UNSPECIFIED"), Some("entry"), Some("KIND_KIND_ENTRY"), Some("")] {
            let mut step = fact(WORKFLOW_STEP_COMPLETED, wrong);
            let unchanged = step.clone();
            let found = check(&mut step);
            assert_eq!(found.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["/attributes/stepKind"]);
            assert!(found[0].message.ends_with("KIND_ENTRY, KIND_EXIT, KIND_INTERACTION, KIND_CONDITION"));
            assert_eq!(step, unchanged);
        }
    }

    #[test]
    fn an_event_of_another_type_passes_as_it_is() {
        let mut other = fact("recipe.read", Some("ENTRY"));
        assert_eq!(check(&mut other), []);
        assert_eq!(other.attributes.get(STEP_KIND), Some("ENTRY"));
    }

    #[test]
    fn every_attribute_is_read() {
        let pairs = [(LINK_ID, "l"), (STEP_KIND, "EXIT"), (STEP_ACTION, "a"), (VISITOR_ID, "v"), ("more", "m")];
        let attributes = Attributes::from_iter(pairs);
        let (kind, visitor_id) = (Some(StepKind::Exit), Some("v"));
        let step = WorkflowStep { link_id: Some("l"), kind, action: Some("a"), visitor_id };
        assert_eq!(WorkflowStep::from(&attributes), step);
        assert_eq!(WorkflowStep::from(&Attributes::default()), WorkflowStep::default());
    }
}
