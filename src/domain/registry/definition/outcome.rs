//! Checks a merged definition as a whole: the number of entries of each kind, and the consistency of references.
//!
//! Not here: the shape of single values (`check`).

use serde_json::{Map, Value};

use super::{
    Definition, MAX_DEFINITION,
    check::weight,
    implements,
    issue::{Issues, Location, Rule},
    shape::Shape,
};

/// Checks a definition.
pub(super) fn check(definition: &Definition, issues: &mut Issues) {
    let content = definition.clone().into_content();
    if weight(&content, MAX_DEFINITION, |_| true) > MAX_DEFINITION {
        too_large(issues);
    }
    let content = Value::Object(content);
    count(definition.kind.body(), &content, &Location::BODY, issues);
    required_tags(&content, issues);
    interfaces(definition, issues);
    implements::entities(definition, issues);
}

/// Adds the issue of a definition above the size limit.
pub(super) fn too_large(issues: &mut Issues) {
    let says = format_args!("must NOT be larger than {MAX_DEFINITION} bytes without code, icon, readme and secrets");
    issues.add(Rule::Limit, &Location::BODY, says);
}

/// Counts the entries of each map.
fn count(shape: &Shape, value: &Value, at: &Location<'_>, issues: &mut Issues) {
    let Some(object) = value.as_object() else { return };
    match shape {
        Shape::Object { fields, .. } => {
            for field in *fields {
                if let Some(value) = object.get(field.name) {
                    count(field.shape, value, &at.key(field.name), issues);
                }
            }
        }
        Shape::Map { of, most, .. } => {
            // The body alone may have had too many.
            if object.len() > *most && !issues.has(Rule::Limit, &at.to_string()) {
                let says = format_args!("must NOT have more than {most} properties: there would be {}", object.len());
                issues.add(Rule::Limit, at, says);
            }
            for (key, value) in object {
                count(of, value, &at.key(key), issues);
            }
        }
        _ => {}
    }
}

/// Checks that each tag required at creation is declared beside it.
fn required_tags(content: &Value, issues: &mut Issues) {
    let mut tagged = |tagged: &Value, at: &Location<'_>| {
        let required = tagged["creation"]["requiredTags"].as_array().into_iter().flatten().enumerate();
        let (creation, tags) = (at.key("creation"), &tagged["tags"]);
        for (index, tag) in required {
            let Some(tag) = tag.as_str().filter(|tag| tags.get(tag).is_none()) else { continue };
            let at = creation.key("requiredTags");
            issues.add_found(Rule::Tag, &at.index(index), "must be a tag that is declared beside it", tag);
        }
    };
    tagged(&content["user"], &Location::BODY.key("user"));
    for (name, channel) in content["channels"].as_object().into_iter().flatten() {
        let channels = Location::BODY.key("channels");
        let channel_at = channels.key(name);
        tagged(&channel["conversation"], &channel_at.key("conversation"));
    }
}

/// Checks that the members mapped to an interface exist.
fn interfaces(definition: &Definition, issues: &mut Issues) {
    let all = Location::BODY.key("interfaces");
    let kinds: [(&str, &Map<String, Value>); 4] = [
        ("entities", &definition.entities),
        ("actions", &definition.actions),
        ("events", &definition.events),
        ("channels", &definition.channels),
    ];
    for (alias, interface) in &definition.interfaces {
        let at = all.key(alias);
        for (kind, there) in kinds {
            let at = at.key(kind);
            for (key, renamed) in interface[kind].as_object().into_iter().flatten() {
                let Some(name) = renamed["name"].as_str().filter(|name| !there.contains_key(*name)) else { continue };
                let says = format_args!("must be the name of one of the {kind} of the integration");
                issues.add_found(Rule::Interface, &at.key(key).key("name"), says, name);
            }
        }
    }
}
