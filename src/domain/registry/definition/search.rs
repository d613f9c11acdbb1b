//! Text search in a definition.
//!
//! Not here: the query of the database.

use serde_json::Value;

use super::Definition;

/// The fields of a definition in which a text was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// The name.
    pub name: bool,
    /// The title.
    pub title: bool,
    /// The description.
    pub description: bool,
    /// The names or titles of these actions, by their names.
    pub actions: Vec<String>,
    /// The names of these interfaces.
    pub interfaces: Vec<String>,
}

/// The searchable fields of a definition.
#[derive(Clone, Copy, Debug)]
pub struct Searched<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its actions, with their titles.
    pub actions: &'a [(String, String)],
    /// The names of the implemented interfaces; a definition has only their ids.
    pub interfaces: &'a [String],
}

/// Returns the actions of a definition, with their titles; an empty title if one has none.
pub fn titled_actions(definition: &Definition) -> Vec<(String, String)> {
    let title = |action: &Value| action["title"].as_str().unwrap_or_default().to_owned();
    definition.actions.iter().map(|(name, action)| (name.clone(), title(action))).collect()
}

/// Searches a definition for a text, ignoring case. `None` if it is not found. A text of nothing but white space is
/// never found.
pub fn search(of: Searched<'_>, text: &str) -> Option<Matched> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let says = |text: &str| text.to_lowercase().contains(&wanted);
    let actions = of.actions.iter().filter(|(name, title)| says(name) || says(title));
    let matched = Matched {
        name: says(of.name),
        title: says(of.title),
        description: says(of.description),
        actions: actions.map(|(name, _)| name.clone()).collect(),
        interfaces: of.interfaces.iter().filter(|name| says(name)).cloned().collect(),
    };
    (matched != Matched::default()).then_some(matched)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::registry::definition::{DefinitionKind, check_create};

    #[test]
    fn search_ignores_case() {
        let action = json!({"input": {"schema": {}}, "output": {"schema": {}}});
        let titled = json!({"title": "Über alles", "input": {"schema": {}}, "output": {"schema": {}}});
        let body = json!({
            "name": "acme/teams", "version": "1.0.0", "title": "Microsoft Teams", "description": "Talk to a team.",
            "actions": {"createTeam": action, "sendFile": titled}
        });
        let (definition, _) = check_create(DefinitionKind::Integration, &body).unwrap();
        let names = ["typing-indicator".to_owned(), "teamwork".to_owned()];
        let of = Searched {
            name: definition.name.as_str(),
            title: &definition.title,
            description: &definition.description,
            actions: &titled_actions(&definition),
            interfaces: &names,
        };
        let found = |text: &str| search(of, text);
        let everywhere = Matched {
            name: true,
            title: true,
            description: true,
            actions: vec!["createTeam".to_owned()],
            interfaces: vec!["teamwork".to_owned()],
        };
        assert_eq!(found(" TEAM "), Some(everywhere));
        assert_eq!(found("soft"), Some(Matched { title: true, ..Matched::default() }));
        assert_eq!(found("acme/"), Some(Matched { name: true, ..Matched::default() }));
        assert_eq!(found("über"), Some(Matched { actions: vec!["sendFile".into()], ..Matched::default() }));
        assert_eq!(found("typing"), Some(Matched { interfaces: vec![names[0].clone()], ..Matched::default() }));
        for text in ["", "  ", "%", "team.*", "teams teams"] {
            assert_eq!(found(text), None, "{text:?}");
        }
    }
}
