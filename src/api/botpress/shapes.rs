//! Schemas of versions in this dialect's document, whose definitions the domain describes.

use serde_json::{Value, json};

use super::{auth::WORKSPACE, rate_limit, wire::integration};
use crate::{
    api::shared::{fault::Fault, registry_body, schema::each_operation, signed::Raw},
    app::registry::Submission,
    domain::registry::definition::{Described, describe},
};

pub use crate::api::shared::registry_body::{Named, Shaped};

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Named for $name {
            const NAME: &'static str = $text;
        }
    )+};
}

named! {
    /// Body of a creation.
    New = "NewIntegration",
    /// Body of an update.
    Changed = "IntegrationUpdate",
    /// A version of the caller's workspace.
    Own = "Integration",
    /// A published version.
    Public = "PublicIntegration",
}

/// Converts a body to the use case's input. `bypass` is the value of the header.
///
/// # Errors
/// [`Fault`] for a body that is not JSON, or too large to be checked.
pub async fn submission<N>(body: Raw<Shaped<N>>, bypass: Option<String>) -> Result<Submission, Fault> {
    let bypasses = bypass.is_some_and(|bypass| bypass.trim().eq_ignore_ascii_case("true"));
    registry_body::submission(body, bypasses).await
}

/// Adds to the framework's document the schemas that it cannot express.
pub fn complete(document: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    let mut put = |name: &str, description: &str, mut schema: Value, example: Value| {
        schema["description"] = description.into();
        schema["example"] = example;
        document["components"]["schemas"][name] = schema;
    };
    put(New::NAME, "A version to be created.", describe(Described::Creation), integration::new_example());
    put(
        Changed::NAME,
        "Changes to a version: absent fields stay unchanged, `null` removes a member, maps are merged by key.",
        describe(Described::Update),
        integration::update_example(),
    );
    put(Own::NAME, "A version of an integration.", integration::schema(false), integration::example(false));
    put(Public::NAME, "A published version.", integration::schema(true), integration::example(true));
    each_operation(&mut document, |_, operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        let is_needed = |one: &Value| one["name"] == WORKSPACE && one["required"] == true;
        if let Some(parameters) = parameters.filter(|parameters| parameters.iter().any(is_needed)) {
            parameters.push(json!({
                "name": "x-multiple-integrations",
                "in": "header",
                "required": false,
                "description": "True if the client supports several instances of one integration in a bot. \
                                Ignored.",
                "schema": { "type": "string" },
            }));
        }
        for (_, response) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
            for (name, description) in rate_limit::HEADERS {
                response["headers"][name.as_str()] =
                    json!({ "description": description, "schema": { "type": "integer" } });
            }
        }
    });
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_shapes() {
        let document = super::super::DIALECT.described;
        let document: Value = serde_json::from_str(&document()).unwrap();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["NewIntegration"]["properties"]["name"]["maxLength"], json!(200));
        assert_eq!(schemas["Integration"]["additionalProperties"], json!(false));
        let validate = &document["paths"]["/v1/admin/integrations/validate"]["post"];
        let names: Vec<_> = validate["parameters"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert!(names.contains(&json!("x-multiple-integrations")), "{names:?}");
    }
}
