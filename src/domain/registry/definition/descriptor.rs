//! Converts a definition into the descriptor that its version is installed by: it gets each message at its `url`.
//!
//! Not here: the installation.

use serde_json::json;

use super::{Configuration, Definition};
use crate::domain::{Error, Result, apps::descriptor::Descriptor};

/// Returns the descriptor of a version: its settings are the properties of its configuration.
///
/// # Errors
/// [`Error::Invalid`] if it has no `url`, or cannot be installed as it is.
pub fn descriptor(definition: &Definition) -> Result<Descriptor> {
    let Some(url) = &definition.url else {
        let says = "is missing: a version without an address cannot be called, so it cannot be installed";
        return Err(Error::invalid("/url", says));
    };
    let title = if definition.title.trim().is_empty() { definition.name.as_str() } else { &definition.title };
    let document = json!({"data": {
        "descriptions": {"app_name": title, "app_description": definition.description},
        "integration_type": "output",
        "is_active": true,
        "target_url": url,
        "settings": Configuration::of(definition)?.settings(),
    }});
    Ok(Descriptor::from_document(document)?.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        apps::descriptor::AppKind,
        registry::definition::{DefinitionKind, check_create},
    };

    fn definition(more: Value) -> Definition {
        let mut body = json!({"name": "acme/teams", "version": "1.0.0"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check_create(DefinitionKind::Integration, &body).unwrap().0
    }

    #[test]
    fn properties_become_settings() {
        let schema = json!({"type": "object", "required": ["room"], "properties": {
            "room": {"type": "string", "description": "Where"},
            "level": {"enum": ["high", "low"], "default": "low"},
            "many": {"type": "integer", "default": 3},
            "loud": {"type": "boolean"},
            "apiKey": {"type": "string"},
            "pin": {"type": "string", "x-zui": {"secret": true}},
        }});
        let url = "https://teams.example/hook";
        let made = descriptor(&definition(json!({"title": "Teams", "url": url, "configuration": {"schema": schema}})))
            .unwrap();
        assert_eq!((made.app_name.as_str(), made.target_url.as_deref()), ("Teams", Some(url)));
        assert_eq!(made.kind, AppKind::Output);
        let of = |label: &str| made.setting(label).unwrap();
        assert!(of("room").required && of("room").description.as_deref() == Some("Where"));
        assert_eq!((of("level").kind.as_str(), &of("level").default), ("dropdown", &json!("low")));
        assert_eq!((of("many").kind.as_str(), &of("many").default), ("number", &json!(3)));
        assert_eq!(of("loud").kind.as_str(), "checkbox");
        let secret: Vec<_> = made.settings.iter().filter(|spec| spec.secret).map(|spec| spec.label.as_str()).collect();
        assert_eq!(secret, ["apiKey", "pin"]);
    }

    #[test]
    fn without_an_address_there_is_none() {
        let said = descriptor(&definition(json!({}))).unwrap_err().to_string();
        assert!(said.contains("url"), "{said}");
    }
}
