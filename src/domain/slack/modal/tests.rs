//! Modals by example and against Block Kit's limits; valid, invalid and nonsensical answers.

use serde_json::{Value, json};

use super::*;
use crate::domain::{
    ambient::Time,
    slack::block_kit::{Dice, check_modal, hostile},
};

fn product() -> Product {
    let url = |text: &str| Some(text.parse().unwrap());
    Product {
        name: "Acme & Co".into(),
        app_url: url("https://app.acme.example"),
        docs_url: url("https://docs.acme.example"),
    }
}

fn parameter(name: &str, required: bool, default: Option<&str>) -> WorkflowParameter {
    WorkflowParameter {
        name: name.into(),
        label: format!("The {name}"),
        required,
        default: default.map(str::to_owned),
        description: String::new(),
    }
}

fn workflow() -> Workflow {
    Workflow {
        id: "deploy".into(),
        name: "Deploy".into(),
        summary: "Brings <it> out".into(),
        parameters: vec![
            parameter("version", true, None),
            parameter("region", false, Some("eu & us")),
            WorkflowParameter { description: "What is new?".into(), ..parameter("notes", false, Some("a\nb")) },
        ],
        created_at: Time::UNIX_EPOCH,
        updated_at: Time::UNIX_EPOCH,
    }
}

fn said(view: &Value) -> String {
    let texts = view["blocks"].as_array().unwrap().iter().filter_map(|block| block["text"]["text"].as_str());
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_asks_for_the_parameters() {
    let view = run_modal(&workflow(), "/wf");
    check_modal(&view);
    assert_eq!(view["title"]["text"], "Run Workflow");
    assert_eq!(view["callback_id"], "workflow-run-modal");
    assert_eq!(view["private_metadata"], "deploy");
    assert_eq!((&view["submit"]["text"], &view["close"]["text"]), (&json!("Run"), &json!("Close")));
    let blocks = view["blocks"].as_array().unwrap();
    assert_eq!(blocks[2]["text"]["text"], "*ID:* `deploy`\n*Name:* Deploy\n*Summary:* Brings &lt;it&gt; out");
    assert_eq!(
        blocks[3..6],
        [
            json!({
                "type": "input", "block_id": "parameter.version", "optional": false,
                "label": {"type": "plain_text", "text": "The version"},
                "element": {"type": "plain_text_input", "action_id": "value", "max_length": 2_000},
            }),
            json!({
                "type": "input", "block_id": "parameter.region", "optional": true,
                "label": {"type": "plain_text", "text": "The region"},
                "element": {
                    "type": "plain_text_input", "action_id": "value", "max_length": 2_000,
                    "initial_value": "eu & us", "multiline": false,
                },
            }),
            json!({
                "type": "input", "block_id": "parameter.notes", "optional": true,
                "label": {"type": "plain_text", "text": "The notes"},
                "element": {
                    "type": "plain_text_input", "action_id": "value", "max_length": 2_000,
                    "initial_value": "a\nb", "multiline": true,
                },
                "hint": {"type": "plain_text", "text": "What is new?"},
            }),
        ]
    );
    assert!(blocks.last().unwrap()["elements"][0]["text"].as_str().unwrap().contains("`/wf help`"));
}

#[test]
fn help_shows_the_command_as_it_is_named_here() {
    let view = help_modal("/wf", &product(), &[("ID", "runs it")]);
    check_modal(&view);
    assert!(view.get("submit").is_none());
    let text = said(&view);
    assert!(text.contains("`/wf help`") && text.contains("`/wf ID`") && text.contains("Acme &amp; Co"), "{text}");
    let buttons = view["blocks"][4]["elements"].as_array().unwrap();
    assert_eq!(buttons[0]["url"], "https://app.acme.example/");
    assert_eq!(buttons[1]["url"], "https://docs.acme.example/");
    let without = help_modal("", &Product { app_url: None, docs_url: None, ..product() }, &[]);
    check_modal(&without);
    assert!(said(&without).contains("`/workflow help`") && !without.to_string().contains("url"));
}

#[test]
fn the_picker_offers_every_workflow_within_slacks_limits() {
    for count in [1_usize, 100, 101, 500] {
        let many: Vec<_> = (0..count).map(|n| Workflow { id: format!("w{n:03}"), ..workflow() }).collect();
        let view = pick_modal(&many, "/wf");
        check_modal(&view);
        let select = &view["blocks"][1]["accessory"];
        let groups = select["option_groups"].as_array();
        assert_eq!(groups.map(Vec::len), (count > 100).then(|| count.div_ceil(100)));
        let mut ids = Vec::new();
        for group in groups.unwrap_or(&vec![select.clone()]) {
            ids.extend(
                group["options"].as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap().to_owned()),
            );
        }
        assert_eq!(ids, many.iter().map(|one| one.id.clone()).collect::<Vec<_>>());
        assert_eq!(view["private_metadata"], "/wf");
    }
    for text in hostile() {
        check_modal(&pick_modal(&[Workflow { name: text.clone(), ..workflow() }], &text));
    }
}

#[test]
fn a_missing_and_a_forbidden_workflow_are_reported_alike() {
    for given in [None, Some(""), Some(" \n")] {
        let view = not_runnable_modal(given);
        check_modal(&view);
        assert!(said(&view).contains("no workflow that you may run") && view.get("submit").is_none());
    }
    let view = not_runnable_modal(Some("a<b>"));
    check_modal(&view);
    assert!(said(&view).contains("`a&lt;b&gt;` was not found, or you are not permitted"), "{view}");
    assert_eq!(view["callback_id"], RUN_CALLBACK);
}

#[test]
fn hostile_texts_stay_texts_and_in_bounds() {
    for text in hostile() {
        check_modal(&help_modal(&text, &Product { name: text.clone(), ..product() }, &[("ID", "runs it")]));
        check_modal(&not_runnable_modal(Some(&text)));
        let mut odd = workflow();
        odd.name = text.clone();
        odd.summary = text.clone();
        odd.parameters = (0..20)
            .map(|n| WorkflowParameter {
                label: text.clone(),
                default: Some(text.clone()),
                description: text.clone(),
                ..parameter(&format!("p{n}"), n % 2 == 0, None)
            })
            .collect();
        check_modal(&run_modal(&odd, &text));
    }
}

#[test]
fn the_largest_workflow_that_passes_fits_into_a_modal() {
    for piece in ["字", "\"", "&", "😀"] {
        let long = |chars: usize| piece.repeat(chars / width(piece));
        let mut full = workflow();
        full.id = "x".repeat(64);
        full.name = long(150);
        full.summary = long(1_000);
        full.parameters = (0..20)
            .map(|n| WorkflowParameter {
                name: format!("{n:02}{}", "x".repeat(62)),
                label: long(150),
                required: true,
                default: Some(long(MAX_VALUE)),
                description: long(300),
            })
            .collect();
        full.check().unwrap();
        check_modal(&run_modal(&full, &long(1_000)));
    }
}

#[test]
fn generated_texts_keep_every_limit() {
    let mut dice = Dice::new();
    for _ in 0..300 {
        let mut odd = workflow();
        odd.name = dice.text(400);
        odd.summary = dice.text(3_000);
        odd.parameters[0].label = dice.text(400);
        odd.parameters[1].description = dice.text(900);
        odd.parameters[2].default = Some(dice.text(2_500));
        check_modal(&run_modal(&odd, &dice.text(300)));
        check_modal(&not_runnable_modal(Some(&dice.text(300))));
    }
}

fn filled(values: &[(&str, Value)]) -> Value {
    let block = |(name, value): &(&str, Value)| {
        (format!("parameter.{name}"), json!({"value": {"type": "plain_text_input", "value": value}}))
    };
    Value::Object(values.iter().map(block).collect())
}

#[test]
fn answers_are_read_by_name_and_empty_ones_left_out() {
    let values = filled(&[
        ("version", json!(" 1.2 <b> ")),
        ("region", Value::Null),
        ("notes", json!("  ")),
        ("unknown", json!("x")),
    ]);
    let given = answers(&values, &workflow()).unwrap();
    assert_eq!(given.into_iter().collect::<Vec<_>>(), [("version".to_owned(), " 1.2 <b> ".to_owned())]);
}

#[test]
fn a_parameter_that_the_modal_lacks_has_its_default() {
    let given = answers(&filled(&[("version", json!("1"))]), &workflow()).unwrap();
    assert_eq!(given["region"], "eu & us");
    assert_eq!(given["notes"], "a\nb");
    assert_eq!(answers(&json!({}), &workflow()).unwrap_err().len(), 1, "it has no default");
    assert!(answers(&json!({}), &Workflow { parameters: vec![], ..workflow() }).unwrap().is_empty());
}

#[test]
fn a_missing_or_too_long_answer_is_reported_at_its_block() {
    for missing in [Value::Null, json!(""), json!(" \n"), json!(7), json!(["1"]), json!({"a": "1"})] {
        let wrong = answers(&filled(&[("version", missing.clone())]), &workflow()).unwrap_err();
        assert_eq!(wrong.iter().map(|(block, _)| block.as_str()).collect::<Vec<_>>(), ["parameter.version"]);
    }
    let wrong = answers(&filled(&[("region", json!("x".repeat(2_001)))]), &workflow()).unwrap_err();
    assert_eq!(wrong.len(), 2, "both are reported at once");
    let answer = refusal(&wrong);
    assert_eq!(answer["response_action"], "errors");
    assert_eq!(answer["errors"]["parameter.region"], "At most 2000 characters, please.");
    assert!(answer["errors"]["parameter.version"].is_string());
    assert!(answers(&filled(&[("version", json!("😀".repeat(1_000)))]), &workflow()).is_ok());
}

#[test]
fn values_of_another_shape_are_no_answers() {
    for values in
        [Value::Null, json!([]), json!("x"), json!({"parameter.version": "1"}), json!({"parameter.version": []})]
    {
        assert!(answers(&values, &workflow()).is_err(), "{values}");
    }
}

#[test]
fn metadata_is_only_believed_to_be_an_id() {
    assert_eq!(workflow_id("deploy"), Some("deploy"));
    for bad in ["", "a b", "../x", "{\"id\":1}", &"x".repeat(3_000)] {
        assert_eq!(workflow_id(bad), None);
    }
}
