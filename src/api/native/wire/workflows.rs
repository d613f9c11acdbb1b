//! Workflows.

use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::time::Timestamp,
    app::workflows::NewWorkflow,
    domain::workflows::{Workflow, WorkflowParameter},
};

/// A parameter of a workflow.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkflowParameter", skip_serializing_if_is_none)]
pub struct ParameterBody {
    /// Name of the parameter: 1 to 64 letters, digits, dots, underscores and hyphens.
    pub name: String,
    /// Label of the field in the form; the name by default.
    pub label: Option<String>,
    /// True if the workflow does not run without a value; true by default.
    pub required: Option<bool>,
    /// Initial value of the field.
    pub default: Option<String>,
    /// Hint for the field.
    pub description: Option<String>,
}

impl From<WorkflowParameter> for ParameterBody {
    fn from(parameter: WorkflowParameter) -> Self {
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            name: parameter.name,
            label: filled(parameter.label),
            required: Some(parameter.required),
            default: parameter.default,
            description: filled(parameter.description),
        }
    }
}

impl From<ParameterBody> for WorkflowParameter {
    fn from(body: ParameterBody) -> Self {
        Self {
            name: body.name,
            label: body.label.unwrap_or_default(),
            required: body.required.unwrap_or(false),
            default: body.default,
            description: body.description.unwrap_or_default(),
        }
    }
}

/// A workflow.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Workflow", rename_all = "camelCase")]
pub struct WorkflowOut {
    /// Id of the workflow, which members type after the slash command.
    pub id: String,
    /// Name of the workflow.
    pub name: String,
    /// Description of the workflow.
    pub summary: String,
    /// Parameters of the workflow.
    pub parameters: Vec<ParameterBody>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last replacement.
    pub updated_at: Timestamp,
}

impl From<Workflow> for WorkflowOut {
    fn from(workflow: Workflow) -> Self {
        Self {
            id: workflow.id,
            name: workflow.name,
            summary: workflow.summary,
            parameters: workflow.parameters.into_iter().map(Into::into).collect(),
            created_at: workflow.created_at.into(),
            updated_at: workflow.updated_at.into(),
        }
    }
}

/// All workflows of the organisation.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Workflows")]
pub struct WorkflowsOut {
    /// The workflows, by id.
    pub data: Vec<WorkflowOut>,
}

/// A workflow to be stored.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewWorkflow", example)]
pub struct WorkflowIn {
    /// Name of the workflow.
    pub name: String,
    /// Description of the workflow, in a sentence or two.
    pub summary: Option<String>,
    /// Parameters of the workflow; at most 20.
    #[oai(validator(max_items = 1000))]
    pub parameters: Option<Vec<ParameterBody>>,
}

impl WorkflowIn {
    /// Adds the id, which is in the path.
    pub fn named(self, id: String) -> NewWorkflow {
        NewWorkflow {
            id,
            name: self.name,
            summary: self.summary.unwrap_or_default(),
            parameters: self.parameters.unwrap_or_default().into_iter().map(Into::into).collect(),
        }
    }
}

impl Example for WorkflowIn {
    fn example() -> Self {
        let parameter = ParameterBody {
            name: "environment".into(),
            label: Some("Environment".into()),
            required: Some(true),
            default: Some("staging".into()),
            description: Some("Where to deploy".into()),
        };
        Self {
            name: "Deploy the web shop".into(),
            summary: Some("Builds the main branch and rolls it out.".into()),
            parameters: Some(vec![parameter]),
        }
    }
}
