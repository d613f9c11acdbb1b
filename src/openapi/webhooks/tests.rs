//! Tests that our messages match their description.

use super::*;

/// Lists a message's violations of its schema.
fn broken(document: &Value, webhook: &str, body: &Value) -> Vec<String> {
    let media = &document["webhooks"][webhook]["post"]["requestBody"]["content"]["application/json"];
    let mut schema = media["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(body).map(|error| format!("{webhook} {}: {error}", error.instance_path())).collect()
}

fn example<'a>(document: &'a Value, webhook: &str) -> &'a Value {
    &document["webhooks"][webhook]["post"]["requestBody"]["content"]["application/json"]["example"]
}

#[test]
fn every_message_is_of_its_schema() {
    let document = document();
    let webhooks = document["webhooks"].as_object().unwrap();
    assert_eq!(webhooks.len(), 5 + OutgoingEvent::ALL.len());
    for (name, _) in webhooks {
        let sent = example(&document, name);
        assert_eq!(broken(&document, name, sent), Vec::<String>::new(), "{sent}");
        assert_ne!(broken(&document, name, &json!({"bot": "yes", "settings": 5})), Vec::<String>::new());
    }
}

#[test]
fn every_member_of_a_message_is_described() {
    let document = document();
    for (name, item) in document["webhooks"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let schema = document.pointer(schema.as_str().unwrap().trim_start_matches('#')).unwrap();
        for (member, _) in example(&document, name).as_object().unwrap() {
            assert!(
                schema["properties"][member]["description"].is_string()
                    || schema["properties"][member]["$ref"].is_string(),
                "{member} of {name}"
            );
        }
    }
}
