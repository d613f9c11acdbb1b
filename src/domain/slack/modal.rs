//! The modals of the slash command that runs workflows, and the parsing of their submissions.
//!
//! A modal is kept by Slack between opening and submission, and its `private_metadata` comes back with it: it names the
//! workflow and proves nothing, so the permission to run it is checked anew. Not here: that check.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    blocks::{MAX_HEADER, actions, context, divider, header, link_button, or, plain_text, section},
    text::{self, width},
};
use crate::domain::{
    product::Product,
    workflows::{MAX_PARAMETERS, MAX_VALUE, Workflow, WorkflowParameter, is_workflow_id},
};

/// The command in the documentation. An operator may name it otherwise in the Slack app.
pub const COMMAND: &str = "/workflow";
/// Callback id of the modal that runs a workflow.
pub const RUN_CALLBACK: &str = "workflow-run-modal";
/// Callback id of the modal that offers the workflows.
pub const PICK_CALLBACK: &str = "workflow-pick-modal";
/// Callback id of the modal that explains the command.
pub const HELP_CALLBACK: &str = "workflow-help-modal";

/// The title of them all; Slack takes 24 characters.
const TITLE: &str = "Run Workflow";
/// The input within each parameter's block.
const INPUT: &str = "value";
/// Maximum length of a workflow's name, of its summary, and of a command with its argument.
const MAX_NAME: usize = 200;
const MAX_SUMMARY: usize = 2_000;
const MAX_TYPED: usize = 100;
/// Maximum length of an input's label and of its hint; Slack takes 2,000.
const MAX_LABEL: usize = 200;
const MAX_HINT: usize = 400;
/// Maximum length of an option's text and of a group's label, and maximum number of options in a group, which are
/// Slack's.
const MAX_OPTION: usize = 75;
const MAX_OPTIONS: usize = 100;

/// Explains the command, with links to the product: `forms` are the texts after it, each with what it does.
pub fn help_modal(command: &str, product: &Product, forms: &[(&str, &str)]) -> Value {
    let name = or(text::plain(&product.name, MAX_NAME), "Tieline");
    let form = |(argument, does): &(&str, &str)| format!("• {} {does}.", typed(command, argument));
    let forms: Vec<_> = [("help", "shows this")].iter().chain(forms).map(form).collect();
    let next = format!("*Next steps*\nLook a workflow's ID up in {name}, and type it after the command.");
    let app = product.app_url.as_ref().and_then(|url| link_button("open-app", "See your workflows", url.as_str()));
    let docs =
        product.docs_url.as_ref().and_then(|url| link_button("open-docs", "Read the documentation", url.as_str()));
    let mut blocks = vec![
        header("Run workflows from Slack"),
        section(&format!("{name} runs your organisation's workflows when you ask for it here.")),
        section(&forms.join("\n")),
        section(&next),
    ];
    blocks.extend(actions(app.into_iter().chain(docs).collect()));
    blocks.extend(footer(None));
    modal(HELP_CALLBACK, blocks)
}

/// Asks for a workflow's parameters and for confirmation. The workflow has passed [`Workflow::check`].
pub fn run_modal(workflow: &Workflow, command: &str) -> Value {
    let name = text::plain(&workflow.name, MAX_NAME);
    let summary = or(text::plain(&workflow.summary, MAX_SUMMARY), "–");
    let about = format!("*ID:* {}\n*Name:* {name}\n*Summary:* {summary}", text::code(&workflow.id, MAX_TYPED));
    let mut blocks = vec![
        header(&or(text::title(&workflow.name, MAX_HEADER), TITLE)),
        section("Do you want to run this workflow?"),
        section(&about),
    ];
    blocks.extend(workflow.parameters.iter().take(MAX_PARAMETERS).map(input));
    blocks.extend(footer(Some(command)));
    let mut view = modal(RUN_CALLBACK, blocks);
    view["private_metadata"] = json!(workflow.id);
    view["submit"] = plain_text("Run");
    view
}

/// Offers workflows to choose from. `command` comes back with the choice.
pub fn pick_modal(workflows: &[Workflow], command: &str) -> Value {
    let option = |workflow: &Workflow| {
        let label = text::title(&format!("{} ({})", workflow.name, workflow.id), MAX_OPTION);
        json!({"text": plain_text(&or(label, &workflow.id)), "value": workflow.id})
    };
    let options = |group: &[Workflow]| group.iter().map(option).collect::<Vec<_>>();
    let mut select = json!({"type": "static_select", "action_id": "workflow", "placeholder": plain_text("Choose one")});
    if workflows.len() <= MAX_OPTIONS {
        select["options"] = Value::Array(options(workflows));
    } else {
        let group = |group: &[Workflow]| {
            let (first, last) = (&group[0].id, &group[group.len() - 1].id);
            let label = text::title(&format!("{first} – {last}"), MAX_OPTION);
            json!({"label": plain_text(&label), "options": options(group)})
        };
        select["option_groups"] = workflows.chunks(MAX_OPTIONS).map(group).collect();
    }
    let mut choice = section("Which workflow do you want to run?");
    choice["accessory"] = select;
    let mut blocks = vec![header("Run a workflow"), choice];
    blocks.extend(footer(Some(command)));
    let mut view = modal(PICK_CALLBACK, blocks);
    view["private_metadata"] = json!(text::title(command, MAX_TYPED));
    view
}

/// Explains that nothing can be run: no id was given; or the workflow does not exist, or this member may not run it,
/// which are reported alike.
pub fn not_runnable_modal(given: Option<&str>) -> Value {
    let said = match given.map(str::trim).filter(|given| !given.is_empty()) {
        None => {
            "There is no workflow that you may run. Type `help` after the command to see what else there is.".to_owned()
        }
        Some(id) => format!(
            "The workflow {} was not found, or you are not permitted to run it. Type `help` after the command to see how \
             to find one.",
            text::code(id, MAX_TYPED)
        ),
    };
    let mut blocks = vec![header("Nothing to run"), section(&said)];
    blocks.extend(footer(None));
    modal(RUN_CALLBACK, blocks)
}

/// Returns the workflow id in a modal's `private_metadata`, which is untrusted.
pub fn workflow_id(private_metadata: &str) -> Option<&str> {
    is_workflow_id(private_metadata).then_some(private_metadata)
}

/// Parses the answers, by the names of the parameters: `values` is the modal's `state.values`. Empty answers are left
/// out; a parameter that the modal did not ask for yet has its default.
///
/// # Errors
/// The error message of each invalid block: see [`refusal`].
pub fn answers(values: &Value, workflow: &Workflow) -> Result<BTreeMap<String, String>, Vec<(String, String)>> {
    let (mut given, mut wrong) = (BTreeMap::new(), Vec::new());
    for parameter in &workflow.parameters {
        let block_id = block_id(parameter);
        let answer = match values.get(&block_id) {
            Some(block) => block[INPUT]["value"].as_str(),
            None => parameter.default.as_deref(),
        };
        match answer.filter(|answer| !answer.trim().is_empty()) {
            Some(answer) if width(answer) > MAX_VALUE => {
                wrong.push((block_id, format!("At most {MAX_VALUE} characters, please.")));
            }
            Some(answer) => {
                given.insert(parameter.name.clone(), answer.to_owned());
            }
            None if parameter.required => wrong.push((block_id, "The workflow does not run without this.".to_owned())),
            None => {}
        }
    }
    if wrong.is_empty() { Ok(given) } else { Err(wrong) }
}

/// Returns the answer to a submission by which Slack shows the errors beside the inputs.
pub fn refusal(wrong: &[(String, String)]) -> Value {
    let errors: Map<_, _> = wrong.iter().map(|(block_id, message)| (block_id.clone(), json!(message))).collect();
    json!({"response_action": "errors", "errors": errors})
}

fn modal(callback_id: &str, blocks: Vec<Value>) -> Value {
    json!({
        "type": "modal",
        "title": plain_text(TITLE),
        "callback_id": callback_id,
        "close": plain_text("Close"),
        "blocks": blocks,
    })
}

/// Returns the block id of a parameter: by name and not by position, as a workflow may be changed while its modal is open.
fn block_id(parameter: &WorkflowParameter) -> String {
    format!("parameter.{}", parameter.name)
}

fn input(parameter: &WorkflowParameter) -> Value {
    let mut element = json!({"type": "plain_text_input", "action_id": INPUT, "max_length": MAX_VALUE});
    // Input values are not markup: they are shown, and come back, literally.
    if let Some(default) = &parameter.default
        && (1..=MAX_VALUE).contains(&width(default))
    {
        element["initial_value"] = json!(default);
        element["multiline"] = json!(default.contains('\n'));
    }
    let label = or(text::title(&parameter.label, MAX_LABEL), &text::title(&parameter.name, MAX_LABEL));
    let mut block = json!({
        "type": "input",
        "block_id": block_id(parameter),
        "optional": !parameter.required,
        "label": plain_text(&label),
        "element": element,
    });
    let hint = text::title(&parameter.description, MAX_HINT);
    if !hint.is_empty() {
        block["hint"] = plain_text(&hint);
    }
    block
}

fn footer(command: Option<&str>) -> [Value; 2] {
    let mut said = "Parameters begin with their default values. You have to be a member here, with the e-mail address \
                    that you have in Slack."
        .to_owned();
    if let Some(command) = command {
        said.push_str(&format!(" {} says more.", typed(command, "help")));
    }
    [divider(), context(&said)]
}

/// Formats a typed command. Slack sends the name that the operator gave it.
fn typed(command: &str, argument: &str) -> String {
    let command = if command.trim().is_empty() { COMMAND } else { command };
    text::code(format!("{} {argument}", command.trim()).trim_end(), MAX_TYPED)
}

#[cfg(test)]
mod tests;
