//! Workflows.

use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::time::Timestamp,
    app::workflows::NewWorkflow,
    domain::workflows::{Workflow, WorkflowParameter},
};

/// What a workflow needs to know.
#[derive(Clone, Debug, Object)]
#[oai(rename = "WorkflowParameter", skip_serializing_if_is_none)]
pub struct ParameterBody {
    /// Under which name it gets the value: 1 to 64 letters, digits, dots, underscores and hyphens.
    pub name: String,
    /// What somebody is asked for; the name where it is left out.
    pub label: Option<String>,
    /// Whether it does not run without; it does where this is left out.
    pub required: Option<bool>,
    /// What is filled in at first.
    pub default: Option<String>,
    /// What else helps to answer.
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
    /// What members type after the slash command.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// What it needs to know.
    pub parameters: Vec<ParameterBody>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last replaced.
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

/// Every workflow.
#[derive(Clone, Debug, Object)]
#[oai(rename = "Workflows")]
pub struct WorkflowsOut {
    /// The workflows, by their ids.
    pub data: Vec<WorkflowOut>,
}

/// What a workflow is to be.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewWorkflow", example)]
pub struct WorkflowIn {
    /// What it is called.
    pub name: String,
    /// What it does, in a sentence or two.
    pub summary: Option<String>,
    /// What it needs to know; at most 20.
    #[oai(validator(max_items = 1000))]
    pub parameters: Option<Vec<ParameterBody>>,
}

impl WorkflowIn {
    /// With its id, which stands in the path.
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
