//! Names of schemas and shared responses, and the references to them.

use serde_json::Value;

/// Kinds of components that the dialects name.
pub const SECTIONS: [&str; 2] = ["schemas", "responses"];

/// Renames components, here and in every reference. `rename` gets the kind and the name.
pub fn rename_components(document: &mut Value, rename: &impl Fn(&str, &str) -> Option<String>) {
    for section in SECTIONS {
        let Some(Value::Object(named)) = document["components"].get_mut(section) else { continue };
        let found = std::mem::take(named);
        named.extend(found.into_iter().map(|(name, one)| (rename(section, &name).unwrap_or(name), one)));
    }
    rename_references(document, rename);
}

/// Names the schemas as they are published, here and in their titles, by which some generators of clients go.
pub fn name_schemas(document: &mut Value) {
    rename_components(document, &|_, name| published_name(name));
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if let Some(title) = schema.get_mut("title") {
            *title = name.as_str().into();
        }
    }
}

/// Returns the name of a schema where it is not the one in the code: the framework calls a list of channels
/// `List_Channel`, and in Go `NewChannel` is the constructor of a `Channel`.
fn published_name(name: &str) -> Option<String> {
    let created = name.strip_prefix("New").filter(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()));
    let generic = name.split_once('_').map(|(outer, inner)| format!("{inner}{outer}"));
    created.map(|rest| format!("Create{rest}")).or(generic)
}

fn rename_references(value: &mut Value, rename: &impl Fn(&str, &str) -> Option<String>) {
    match value {
        // Also in a discriminator's mapping, where references have other keys.
        Value::String(text) => {
            let target = text.strip_prefix("#/components/").and_then(|target| target.split_once('/'));
            if let Some((section, new)) = target.and_then(|(section, name)| Some((section, rename(section, name)?))) {
                *text = format!("#/components/{section}/{new}");
            }
        }
        Value::Object(object) => object.iter_mut().for_each(|(_, value)| rename_references(value, rename)),
        Value::Array(all) => all.iter_mut().for_each(|value| rename_references(value, rename)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_has_its_published_name_in_its_title_too() {
        for (code, published) in
            [("List_Channel", "ChannelList"), ("NewChannel", "CreateChannel"), ("News", "News"), ("Channel", "Channel")]
        {
            let mut document = json!({"components": {"schemas": {code: {"title": code}}}});
            name_schemas(&mut document);
            assert_eq!(document, json!({"components": {"schemas": {published: {"title": published}}}}));
        }
    }

    #[test]
    fn a_name_changes_wherever_it_stands() {
        let mut document = json!({
            "paths": {"/a": {"$ref": "#/components/responses/Old"}},
            "components": {"schemas": {"Old": {"mapping": {"x": "#/components/schemas/Old"}}, "Other": {}}},
        });
        rename_components(&mut document, &|section, name| {
            (section == "schemas" && name == "Old").then(|| "New".into())
        });
        assert_eq!(
            document,
            json!({
                "paths": {"/a": {"$ref": "#/components/responses/Old"}},
                "components": {"schemas": {"New": {"mapping": {"x": "#/components/schemas/New"}}, "Other": {}}},
            })
        );
    }
}
