//! What a validator found, told to people: a JSON pointer and a sentence that reads on after it.
//!
//! No value of the caller's is repeated: it may be a secret, or long.

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

use crate::domain::error::Violation;

/// No more are listed: more would not help anybody.
const MOST: usize = 50;

/// Everything that is wrong with a value.
pub fn list(validator: &Validator, value: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        tell(&error, &mut found);
        if found.len() >= MOST {
            found.truncate(MOST);
            break;
        }
    }
    found
}

fn tell(error: &ValidationError<'_>, found: &mut Vec<Violation>) {
    let at = error.instance_path().as_str();
    let mut say = |field: String, message: String| found.push(Violation { field, message });
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            say(below(at, property.as_str().unwrap_or_default()), "is required".into());
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                say(below(at, name), "is not known here".into());
            }
        }
        ValidationErrorKind::Type { kind } => say(at.into(), format!("must be {}", wanted(kind))),
        ValidationErrorKind::Enum { options } => say(at.into(), format!("must be one of {}", listed(options))),
        ValidationErrorKind::Constant { expected_value } => say(at.into(), format!("must be {expected_value}")),
        ValidationErrorKind::MinLength { limit: 1 } => say(at.into(), "must not be empty".into()),
        ValidationErrorKind::MinLength { limit } => say(at.into(), format!("must have at least {limit} characters")),
        ValidationErrorKind::MaxLength { limit } => say(at.into(), format!("must have at most {limit} characters")),
        ValidationErrorKind::MinItems { limit } => say(at.into(), format!("must have at least {limit} items")),
        ValidationErrorKind::MaxItems { limit } => say(at.into(), format!("must have at most {limit} items")),
        ValidationErrorKind::Minimum { limit } => say(at.into(), format!("must be at least {limit}")),
        ValidationErrorKind::Maximum { limit } => say(at.into(), format!("must be at most {limit}")),
        ValidationErrorKind::Pattern { pattern } => say(at.into(), format!("must match {pattern}")),
        ValidationErrorKind::Format { format } => say(at.into(), format!("must be a valid {format}")),
        ValidationErrorKind::UniqueItems => say(at.into(), "must not have the same item twice".into()),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match meant(context, at) {
                Some(errors) => errors.iter().for_each(|error| tell(error, found)),
                None => say(at.into(), "has none of the documented forms".into()),
            }
        }
        other => say(at.into(), format!("breaks the rule {:?} of the published document", other.keyword())),
    }
}

/// Of several forms, the only one whose type the value has: that is the one that was meant.
fn meant<'a>(forms: &'a [Vec<ValidationError<'static>>], at: &str) -> Option<&'a [ValidationError<'static>]> {
    let of_another_kind = |error: &ValidationError<'_>| {
        let kind = error.kind();
        let decides = matches!(kind, ValidationErrorKind::Type { .. }) && error.instance_path().as_str() == at;
        decides || matches!(kind, ValidationErrorKind::Constant { .. })
    };
    let mut left = forms.iter().filter(|errors| !errors.iter().any(of_another_kind));
    let only = left.next()?;
    if left.next().is_none() { Some(only) } else { None }
}

/// The pointer of a member (RFC 6901).
fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn listed(options: &Value) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    options.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn wanted(kind: &jsonschema::error::TypeKind) -> String {
    let article = |name: &str| match name {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {name}"),
        name => format!("a {name}"),
    };
    match kind {
        jsonschema::error::TypeKind::Single(one) => article(&one.to_string()),
        jsonschema::error::TypeKind::Multiple(several) => {
            several.iter().map(|one| article(&one.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: Value, value: Value) -> Vec<String> {
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        list(&validator, &value).into_iter().map(|v| format!("{} {}", v.field, v.message)).collect()
    }

    #[test]
    fn sentences_read_on_after_the_pointer() {
        let schema = json!({"type": "object", "required": ["a/b"], "additionalProperties": false, "properties": {
            "a/b": {}, "size": {"type": "integer", "maximum": 3}, "kind": {"enum": ["x", "y"]}, "name": {"minLength": 1},
            "id": {"format": "uuid"}, "tags": {"type": "array", "items": {"type": "string"}},
        }});
        let value = json!({"size": 4, "kind": "z", "name": "", "id": "secret", "tags": ["t", 5], "more": 1});
        let mut told = told(schema, value);
        told.sort_unstable();
        assert_eq!(
            told,
            [
                "/a~1b is required",
                "/id must be a valid uuid",
                "/kind must be one of \"x\", \"y\"",
                "/more is not known here",
                "/name must not be empty",
                "/size must be at most 3",
                "/tags/1 must be a string",
            ]
        );
    }

    #[test]
    fn of_several_forms_the_one_that_was_meant_is_told() {
        let schema = json!({"anyOf": [{"type": "object", "required": ["a"]}, {"type": "null"}]});
        assert_eq!(told(schema.clone(), json!({})), ["/a is required"]);
        assert_eq!(told(schema, json!(5)), [" has none of the documented forms"]);
    }
}
