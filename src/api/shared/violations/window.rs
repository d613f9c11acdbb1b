//! Part of a long value that is passed to the validator: of each long list or object, the items from one index to
//! another.
//!
//! The validator's work for one violation is small, and a value of 1 MB can have 100,000. The validity of a part costs
//! next to nothing, so the first invalid part is found by doubling and halving, and only its violations are listed.

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};

/// Items of a list that are shown at once; a shorter list is shown whole.
const WIDTH: usize = 32;
/// Values that are listed at most, for lists within lists.
const MOST_VALUES: usize = 2_000;

/// Range of the items of long lists that are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    from: usize,
    to: usize,
}

impl Window {
    /// Finds the first window with a violation; the last window, if none has one.
    pub(super) fn of_first_violation(validator: &Validator, value: &Value) -> Self {
        let longest = longest(value);
        let is_valid = |from, to| validator.is_valid(&Self { from, to }.part(value, usize::MAX));
        let (mut from, mut to) = (0, WIDTH);
        while to < longest && is_valid(from, to) {
            (from, to) = (to, to * 2);
        }
        while to - from > WIDTH {
            let middle = from.midpoint(to);
            if is_valid(from, middle) { from = middle } else { to = middle }
        }
        Self { from, to }
    }

    /// Returns the part of a value in the window, with no more values than can be listed.
    pub(super) fn sample(self, value: &Value) -> Value {
        self.part(value, MOST_VALUES)
    }

    fn part(self, value: &Value, mut most: usize) -> Value {
        self.cut(value, &mut most)
    }

    fn cut(self, value: &Value, room: &mut usize) -> Value {
        *room = room.saturating_sub(1);
        match value {
            Value::Array(items) => {
                let (skip, take) = self.shown(items.len());
                let mut kept = Vec::new();
                for item in items.iter().skip(skip).take(take) {
                    if *room == 0 {
                        break;
                    }
                    kept.push(self.cut(item, room));
                }
                Value::Array(kept)
            }
            Value::Object(members) => {
                let (skip, take) = self.shown(members.len());
                let mut kept = Map::new();
                for (name, member) in members.iter().skip(skip).take(take) {
                    if *room == 0 {
                        break;
                    }
                    kept.insert(name.clone(), self.cut(member, room));
                }
                Value::Object(kept)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    /// Number of items of a list that are skipped, and that are shown.
    fn shown(self, length: usize) -> (usize, usize) {
        if length <= WIDTH { (0, length) } else { (self.from, self.to - self.from) }
    }

    /// Returns whether an error is caused by the cut, and not by the value itself.
    pub(super) fn explains(self, value: &Value, error: &ValidationError<'_>) -> bool {
        let whole = || value.pointer(&self.place(value, error.instance_path().as_str()));
        let has = |limit: u64| whole().is_some_and(|whole| length(whole) as u64 >= limit);
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                whole().is_some_and(|whole| whole.get(name).is_some())
            }
            ValidationErrorKind::MinItems { limit } | ValidationErrorKind::MinProperties { limit } => has(*limit),
            _ => false,
        }
    }

    /// Translates the location `at` in the part to a pointer into the value.
    pub(super) fn place(self, value: &Value, at: &str) -> String {
        let mut place = String::new();
        for step in at.split('/').skip(1) {
            let shift = match value.pointer(&place) {
                Some(Value::Array(items)) if items.len() > WIDTH => self.from,
                _ => 0,
            };
            let index = step.parse::<usize>().ok().filter(|_| shift > 0).map(|index| (index + shift).to_string());
            place.push('/');
            place.push_str(index.as_deref().unwrap_or(step));
        }
        place
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Length of the longest list or object within a value.
fn longest(value: &Value) -> usize {
    let within = match value {
        Value::Array(items) => items.iter().map(longest).max(),
        Value::Object(members) => members.values().map(longest).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    within.unwrap_or_default().max(length(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_listed_part_is_small_for_every_value() {
        let validator = jsonschema::validator_for(
            &json!({"items": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}),
        );
        let validator = validator.unwrap();
        for wrong in [
            Value::from((0..100_000).collect::<Vec<_>>()),
            json!([Value::from((0..100_000).collect::<Vec<_>>())]),
            Value::from(vec![Value::from(vec![1; 300]); 300]),
        ] {
            let window = Window::of_first_violation(&validator, &wrong);
            assert_eq!((window.from, window.to), (0, WIDTH));
            let errors = validator.iter_errors(&window.sample(&wrong)).count();
            assert!((1..=WIDTH).contains(&errors), "{errors}");
        }
    }

    #[test]
    fn a_window_is_found_by_its_violation() {
        let validator = jsonschema::validator_for(&json!({"items": {"type": "integer"}})).unwrap();
        for wrong in [0, 31, 32, 33, 4_095, 99_999] {
            let mut items: Vec<Value> = (0..100_000).map(Value::from).collect();
            items[wrong] = json!("x");
            let value = Value::from(items);
            let window = Window::of_first_violation(&validator, &value);
            assert!((window.from..window.to).contains(&wrong), "{wrong}: {window:?}");
            assert!(window.to - window.from <= WIDTH);
        }
    }
}
