//! Conditions of routes: expressions of the Common Expression Language (CEL) over an event, bounded in their cost.
//!
//! The language has no loops but its macros. A condition has one of them at most, none within another, and no function
//! that makes a text or a list larger: it takes time linear in the size of the event.
//!
//! Not here: globs of sources and types (`route`).

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use cel::{
    Context, Env, Program, Value,
    common::ast::{EntryExpr, Expr, IdedExpr},
};
use serde_json::json;

use crate::domain::pipeline::event::Event;

/// Maximum length, in bytes.
pub const MAX_LENGTH: usize = 1000;

/// Maximum number of brackets within each other. The parser calls itself for each, with much on the stack.
const MAX_DEPTH: usize = 10;
/// Maximum number of signs and operators: an expression is as deep as it has operators in a row.
const MAX_SIGNS: usize = 100;
/// Maximum number of operators before an operand, and of `?`: the parser calls itself for each.
const MAX_PREFIXES: usize = 10;

/// Variables of an expression.
const VARIABLES: [&str; 3] = ["event", "attributes", "data"];
/// Operators and functions of an expression; the first are written as CEL writes them.
const FUNCTIONS: [&str; 22] = [
    "_&&_",
    "_||_",
    "!_",
    "_?_:_",
    "_==_",
    "_!=_",
    "_<_",
    "_<=_",
    "_>_",
    "_>=_",
    "-_",
    "_[_]",
    "@in",
    "@not_strictly_false",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "double",
    "string",
    "bool",
];

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Condition of a route.
#[derive(Clone)]
pub struct Condition {
    text: String,
    program: Arc<Program>,
}

impl Condition {
    /// Parses a condition.
    ///
    /// # Errors
    /// The broken rule, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("must have at most {MAX_LENGTH} bytes"));
        }
        if !is_shallow(text) {
            return Err(format!(
                "must have at most {MAX_DEPTH} brackets within each other and {MAX_SIGNS} signs and operators"
            ));
        }
        let program = Program::compile(text).map_err(|errors| {
            let (line, column) = errors.errors.first().map_or((1, 1), |error| error.pos);
            let said = errors.errors.first().map_or_else(String::new, |error| error.msg.clone());
            format!("is not an expression of CEL: line {line}, column {column}: {said}")
        })?;
        let references = program.references();
        if let Some(name) = references.functions().iter().find(|name| !FUNCTIONS.contains(*name)) {
            let name = name.replace(['_', '@'], "");
            return Err(format!(
                "must not use {name}; it may compare, combine with &&, || and !, and use in, has(), exists(), all(), \
                 size(), contains(), startsWith(), endsWith(), int(), double(), string() and bool()"
            ));
        }
        if loops(program.expression()) > 1 {
            return Err("must have at most one of exists() and all()".into());
        }
        let own = own_variables(program.expression());
        let unknown = |name: &&str| !VARIABLES.contains(name) && own.as_deref() != Some(*name);
        if let Some(name) = references.variables().into_iter().find(unknown) {
            return Err(format!("must not use the variable {name}; there are {}", VARIABLES.join(", ")));
        }
        Ok(Self { text: text.to_owned(), program: Arc::new(program) })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Evaluates the condition.
    ///
    /// # Errors
    /// The reason for which it has no value for this event, such as a member that is missing.
    pub fn holds(&self, scope: &Scope) -> Result<bool, String> {
        match self.program.execute(&scope.0) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it is {}, not true or false", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

/// Event, as conditions see it.
pub struct Scope(Context<'static, 'static>);

impl Scope {
    /// Converts an event.
    pub fn of(event: &Event) -> Self {
        let mut context = Context::with_env(ENVIRONMENT.clone());
        let (kind, source) = (&event.fact.kind, event.source.as_str());
        let about = json!({"id": event.id, "type": kind, "source": source, "channelId": event.fact.channel_id});
        // JSON is always a value; where it were not, a condition would say that the variable is missing.
        for (name, value) in [
            ("event", cel::to_value(about)),
            ("attributes", cel::to_value(&event.fact.attributes)),
            ("data", cel::to_value(&*event.fact.data)),
        ] {
            if let Ok(value) = value {
                context.add_variable_from_value(name, value);
            }
        }
        Self(context)
    }
}

/// Returns true for a text that neither the parser nor the evaluation has to go deep for. What is within quotes counts
/// too, which keeps this simple.
fn is_shallow(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let count = |wanted: &[char]| text.chars().filter(|character| wanted.contains(character)).count();
    let signs = text.chars().filter(|character| character.is_ascii_punctuation()).count();
    deepest <= MAX_DEPTH && count(&['!', '-', '?']) <= MAX_PREFIXES && signs <= MAX_SIGNS
}

/// Returns the expressions within one.
fn within(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(each) => {
            vec![&each.iter_range, &each.accu_init, &each.loop_cond, &each.loop_step, &each.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| of_entry(&entry.expr)).collect(),
        Expr::Select(select) => vec![&select.operand],
    }
}

fn of_entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// Counts the macros that run over a list.
fn loops(expression: &IdedExpr) -> usize {
    let own = usize::from(matches!(expression.expr, Expr::Comprehension(_)));
    own + within(&expression.expr).into_iter().map(loops).sum::<usize>()
}

/// Returns the variable of the macro, if there is one.
fn own_variables(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Comprehension(each) => Some(each.iter_var.clone()),
        other => within(other).into_iter().find_map(own_variables),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        pipeline::event::{EventSource, Fact},
    };

    fn scope(data: Json) -> Scope {
        let mut fact = Fact::plain("order.created", None, data);
        fact.attributes = [("region", "eu"), ("amount", "12.5")].into_iter().collect();
        Scope::of(&Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact,
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: Time::UNIX_EPOCH,
        })
    }

    fn holds(text: &str, data: Json) -> Result<bool, String> {
        Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&scope(data))
    }

    #[test]
    fn conditions_see_the_event() {
        let data = json!({"amount": 120, "ratio": 0.5, "paid": true, "tags": ["new", "eu"], "items": [{"sku": "a-1"}]});
        for (text, expected) in [
            ("true", true),
            ("data.amount > 100", true),
            ("data.amount > 100.5 && data.ratio < 1", true),
            ("data.paid && attributes.region == 'eu'", true),
            ("!(data.paid)", false),
            ("event.type == 'order.created' && event.source != 'slack'", true),
            ("'new' in data.tags", true),
            ("data.items.exists(item, item.sku.startsWith('a-'))", true),
            ("data.items.all(item, item.sku == 'b')", false),
            ("has(data.missing) && data.missing > 1", false),
            ("size(data.tags) == 2 ? data.tags[0] == 'new' : false", true),
            ("double(attributes.amount) >= 12.5", true),
            ("attributes['region'] in ['eu', 'us']", true),
            ("event.channelId == null", true),
        ] {
            assert_eq!(holds(text, data.clone()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_condition_without_a_value_says_why() {
        for (text, word) in [("data.amount > 1", "amount"), ("data.name > 1", "overload"), ("data.name", "string")] {
            let reason = holds(text, json!({"name": "x"})).unwrap_err();
            assert!(reason.to_lowercase().contains(word), "{text}: {reason}");
        }
    }

    #[test]
    fn conditions_are_checked_when_they_are_saved() {
        let (long, deep) = ("1 == 1 || ".repeat(200), format!("{}true{}", "(".repeat(400), ")".repeat(400)));
        for (text, word) in [
            ("data.amount >", "line 1"),
            ("", "line"),
            ("data.a + data.b == 'x'", "must not use +"),
            ("data.list.map(x, x) == []", "must not use"),
            ("data.list.filter(x, true) == []", "must not use"),
            ("data.a.exists(x, data.b.exists(y, y == x))", "at most one"),
            ("data.a.exists(x, x) && data.b.all(y, y)", "at most one"),
            ("data.a.matches('(a+)+')", "must not use matches"),
            ("request.path == 'x'", "variable request"),
            (long.as_str(), "at most 1000 bytes"),
            (deep.as_str(), "10 brackets"),
            ("!".repeat(900).as_str(), "signs and operators"),
            (format!("data{}", ".a".repeat(400)).as_str(), "signs and operators"),
            (format!("{}true", "true || ".repeat(100)).as_str(), "signs and operators"),
        ] {
            let error = Condition::parse(text).expect_err(text);
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn random_texts_never_panic() {
        let pieces = [
            "data", ".", "a", "(", ")", "[", "]", "'", "\\", "exists", "x", ",", "&&", "!", "1", "e9", "{", "}",
            "\u{0}", "é",
        ];
        let mut dice = crate::domain::slack::block_kit::Dice(11);
        for _ in 0..5_000 {
            let text: String = (0..dice.roll(14)).map(|_| pieces[dice.roll(pieces.len())]).collect();
            if let Ok(condition) = Condition::parse(&text) {
                let _ = condition.holds(&scope(json!({"a": [1, "x", null]})));
            }
        }
    }
}
