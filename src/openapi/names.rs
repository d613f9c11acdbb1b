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
