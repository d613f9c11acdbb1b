//! Direct messages to members: the welcome, and the outcome of a requested run.
//!
//! Not here: the sending.

use serde_json::Value;

use super::{
    SlackMessage,
    blocks::{actions, context, divider, header, link_button, or, section},
    modal::COMMAND,
    text,
};
use crate::domain::{ids::EventId, product::Product, workflows::Workflow};

/// Maximum length of the product's and of a workflow's name, of a workflow's summary, and of its id.
const MAX_NAME: usize = 200;
const MAX_SUMMARY: usize = 2_000;
const MAX_ID: usize = 100;
/// Maximum length of a reason; the notification's text is to be short too.
const MAX_REASON: usize = 1_000;

/// Returns the first message to a member who opens the app for the first time.
pub fn greeting(product: &Product) -> SlackMessage {
    let name = or(text::plain(&product.name, MAX_NAME), "Tieline");
    let intro = format!("{name} connects this workspace with your organisation. Here is how to begin.");
    let run = format!(
        "*1. Run a workflow*\nType `{COMMAND} help` in any channel: it shows how. The command may have another name here; \
         whoever has set the app up knows."
    );
    let hear = format!(
        "*2. Hear of what happens*\nInvite the app into a channel with `/invite`, then choose that channel in {name}."
    );
    let be_known = format!(
        "*3. Be recognised*\nYou are recognised by your e-mail address: it has to be the same in Slack and in {name}."
    );
    let app = product.app_url.as_ref().and_then(|url| link_button("open-app", "Open the app", url.as_str()));
    let docs =
        product.docs_url.as_ref().and_then(|url| link_button("open-docs", "Read the documentation", url.as_str()));
    let mut blocks = vec![header("Hello!"), section(&intro), section(&run), section(&hear), section(&be_known)];
    blocks.extend(actions(app.into_iter().chain(docs).collect()));
    blocks.push(section("That is all. Good to have you here!"));
    blocks.extend([divider(), context("This message comes once.")]);
    SlackMessage { text: format!("Hello! {intro}"), blocks: Value::Array(blocks) }
}

/// Notifies the requester of a run that it was accepted. `link` is the page on which to follow it.
pub fn run_requested(workflow: &Workflow, event_id: EventId, link: Option<&str>) -> SlackMessage {
    let name = or(text::plain(&workflow.name, MAX_NAME), "–");
    let id = text::code(&workflow.id, MAX_ID);
    let summary = or(text::plain(&workflow.summary, MAX_SUMMARY), "–");
    let about = format!("*ID:* {id}\n*Name:* {name}\n*Summary:* {summary}");
    let mut blocks = vec![
        header("Workflow requested"),
        section("Your request was accepted; the workflow runs soon."),
        section(&about),
    ];
    blocks.extend(actions(link.and_then(|link| link_button("open-run", "Follow the run", link)).into_iter().collect()));
    blocks.extend([divider(), context(&format!("Event `{event_id}`"))]);
    SlackMessage { text: format!("The workflow {name} was requested."), blocks: Value::Array(blocks) }
}

/// Notifies the requester of a run that it was refused, with the reason.
pub fn run_refused(reason: &str) -> SlackMessage {
    let reason = or(text::plain(reason, MAX_REASON), "the reason is not known");
    let blocks = vec![
        header("Workflow not run"),
        section(&format!("Your workflow was not run: {reason}")),
        divider(),
        context(&format!("`{COMMAND} help` shows how to run one.")),
    ];
    SlackMessage { text: format!("Your workflow was not run: {reason}"), blocks: Value::Array(blocks) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        slack::block_kit::{check_message, hostile},
    };

    fn product(name: &str, url: Option<&str>) -> Product {
        let url = url.map(|url| url.parse().unwrap());
        Product { name: name.into(), app_url: url.clone(), docs_url: url }
    }

    fn workflow(text: &str) -> Workflow {
        Workflow {
            id: "deploy".into(),
            name: text.into(),
            summary: text.into(),
            parameters: vec![],
            created_at: Time::UNIX_EPOCH,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn event_id() -> EventId {
        Uuid::from_u128(7).into()
    }

    #[test]
    fn a_greeting_says_how_to_begin_and_leads_nowhere_by_itself() {
        let message = greeting(&product("Acme & Co", None));
        check_message(&message);
        assert_eq!(message.blocks[0]["text"]["text"], "Hello!");
        let said = message.blocks.to_string();
        assert!(said.contains("Acme &amp; Co") && said.contains("`/workflow help`") && !said.contains("url"), "{said}");
        let message = greeting(&product("Acme", Some("https://app.acme.example/x?a=1&b=2")));
        check_message(&message);
        let buttons = message.blocks[5]["elements"].as_array().unwrap();
        assert_eq!(buttons.len(), 2);
        assert_eq!(buttons[0]["url"], "https://app.acme.example/x?a=1&b=2");
    }

    #[test]
    fn the_notification_of_a_run_names_its_workflow_and_event() {
        let message = run_requested(&workflow("Deploy"), event_id(), Some("https://app.acme.example/runs/7"));
        check_message(&message);
        assert_eq!(message.text, "The workflow Deploy was requested.");
        assert_eq!(message.blocks[2]["text"]["text"], "*ID:* `deploy`\n*Name:* Deploy\n*Summary:* Deploy");
        assert_eq!(message.blocks[3]["elements"][0]["url"], "https://app.acme.example/runs/7");
        assert!(message.blocks.to_string().contains("00000000-0000-0000-0000-000000000007"));
        for link in [None, Some("javascript:alert(1)"), Some("")] {
            let message = run_requested(&workflow("Deploy"), event_id(), link);
            assert!(!message.blocks.to_string().contains("url"), "{link:?}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let message = run_refused("the workflow is <gone>");
        assert_eq!(message.text, "Your workflow was not run: the workflow is &lt;gone&gt;");
        assert!(run_refused(" ").text.ends_with("the reason is not known"));
    }

    #[test]
    fn hostile_texts_stay_texts() {
        for text in hostile() {
            check_message(&greeting(&product(&text, Some("https://app.acme.example"))));
            check_message(&run_requested(&workflow(&text), event_id(), Some(&text)));
            check_message(&run_refused(&text));
            let mut odd = workflow("x");
            odd.id = text;
            check_message(&run_requested(&odd, event_id(), None));
        }
    }
}
