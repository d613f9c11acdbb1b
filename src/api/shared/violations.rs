//! A validator's errors as violations: a JSON pointer and a message that continues it to a sentence.
//!
//! No value of the caller's is repeated: it may be a secret, or long.

mod window;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

use self::window::Window;
use crate::domain::error::Violation;

/// Maximum number of listed violations.
const MOST: usize = 20;

/// Lists the first violations of an invalid value.
///
/// The validator makes all violations before it returns the first one, at about 3 kB each, so it is given a part of the
/// value that has few: see [`window`].
pub fn list(validator: &Validator, value: &Value) -> Vec<Violation> {
    let window = Window::of_first_violation(validator, value);
    let seen = window.sample(value);
    let mut found = Vec::new();
    for error in validator.iter_errors(&seen) {
        if found.len() >= MOST {
            break;
        }
        if !window.explains(value, &error) {
            tell(&error, &|at| window.place(value, at), &mut found);
        }
    }
    // The violation concerns a list as a whole, such as its length.
    if found.is_empty()
        && let Err(error) = validator.validate(value)
    {
        tell(&error, &|at| at.to_owned(), &mut found);
    }
    found.truncate(MOST);
    found
}

fn tell(error: &ValidationError<'_>, place: &dyn Fn(&str) -> String, found: &mut Vec<Violation>) {
    let at = &*place(error.instance_path().as_str());
    let mut say = |field: String, message: String| found.push(Violation { field, message });
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            say(below(at, property.as_str().unwrap_or_default()), "is required".into());
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected.iter().take(MOST) {
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
            match meant(context, error.instance_path().as_str()) {
                Some(errors) => errors.iter().for_each(|error| tell(error, place, found)),
                None => say(at.into(), "has none of the documented forms".into()),
            }
        }
        other => say(at.into(), format!("breaks the rule {:?} of the published document", other.keyword())),
    }
}

/// Of several alternatives, returns the only one that has the value's type: the intended one.
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

/// Returns the pointer of a member (RFC 6901).
pub(super) fn below(at: &str, name: &str) -> String {
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

    fn reported(schema: Value, value: Value) -> Vec<String> {
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
        let mut reported = reported(schema, value);
        reported.sort_unstable();
        assert_eq!(
            reported,
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
    fn of_several_alternatives_the_intended_one_is_reported() {
        let schema = json!({"anyOf": [{"type": "object", "required": ["a"]}, {"type": "null"}]});
        assert_eq!(reported(schema.clone(), json!({})), ["/a is required"]);
        assert_eq!(reported(schema, json!(5)), [" has none of the documented forms"]);
    }

    #[test]
    fn a_long_list_of_wrong_items_is_not_listed_whole() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}});
        let wrong: Vec<_> = (0..100_000).collect();
        let expected: Vec<_> = (0..MOST).map(|index| format!("/a/{index} must be a string")).collect();
        assert_eq!(reported(schema.clone(), json!({"a": wrong})), expected);
        let mut late: Vec<Value> = vec![json!("right"); 100_000];
        (late[70_001], late[70_002]) = (json!(1), json!(2));
        let found = reported(schema, json!({"a": late}));
        assert_eq!(found, ["/a/70001 must be a string", "/a/70002 must be a string"]);
    }

    #[test]
    fn a_violation_by_a_whole_list_is_reported() {
        let schema =
            json!({"anyOf": [{"type": "array", "maxItems": 1000, "items": {"type": "string"}}, {"type": "null"}]});
        let long = Value::from(vec!["right"; 1001]);
        assert_eq!(reported(schema, long), [" must have at most 1000 items"]);
        let twice = Value::from((0..500).chain([3]).collect::<Vec<_>>());
        assert_eq!(reported(json!({"uniqueItems": true}), twice), [" must not have the same item twice"]);
    }

    #[test]
    fn members_past_the_first_are_looked_at_too() {
        let many = |count: i32, more: (&str, Value)| {
            let members = (0..count).map(|index| (format!("m{index}"), json!(index)));
            Value::Object(members.chain([(more.0.to_owned(), more.1)]).collect())
        };
        let map = json!({"additionalProperties": {"type": "integer"}});
        assert_eq!(reported(map, many(5000, ("last", json!("x")))), ["/last must be an integer"]);
        let closed = json!({"required": ["last"], "properties": {"last": {}}, "additionalProperties": false});
        let found = reported(closed.clone(), many(5000, ("last", json!(1))));
        assert_eq!((found.len(), &*found[0]), (MOST, "/m0 is not known here"));
        let open = json!({"required": ["last", "gone"], "minProperties": 5000});
        assert_eq!(reported(open, many(5000, ("last", json!(1)))), ["/gone is required"]);
    }

    #[test]
    fn lists_within_lists_stay_bounded() {
        let schema = json!({"items": {"items": {"items": {"type": "string"}}}});
        let inner = Value::from(vec![1; 31]);
        let outer = Value::from(vec![Value::from(vec![inner; 31]); 31]);
        let found = reported(schema, outer);
        assert_eq!((found.len(), &*found[0]), (MOST, "/0/0/0 must be a string"));
    }
}
