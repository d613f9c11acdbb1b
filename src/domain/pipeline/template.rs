//! Templates of routes: the content of a delivery, written in Jinja, bounded in time and size.
//!
//! A template is a text, or JSON whose texts are templates. A text that is one `{{ expression }}` alone becomes its JSON
//! value, a number for instance; every other one becomes text. So an event's data never changes the structure.
//!
//! Not here: the meaning of the rendered JSON (the senders of the kinds of destination).

use std::{borrow::Cow, sync::LazyLock};

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, value::Serde};
use serde_json::{Map, Value, json};

use crate::domain::pipeline::event::Event;

/// Maximum length of a template, as JSON, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;
/// Maximum length of the rendered content, in bytes.
const MAX_RENDERED: usize = 256 * 1024;
/// Fuel for one text: an instruction, or 64 bytes of data, takes one.
const FUEL: u64 = 20_000;

/// Renderer of templates, with the escaping of the values that are inserted into text.
pub struct Renderer(Environment<'static>);

impl Renderer {
    /// Creates a renderer. What `escape` returns for a value is inserted; no filter of a template turns that off.
    pub fn new(escape: fn(&str) -> Cow<'_, str>) -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        environment.set_formatter(move |output, _, value| {
            if value.is_none() {
                return Ok(());
            }
            let text = value.to_string();
            output.write_str(&escape(&text)).map_err(|_| ErrorKind::WriteFailure.into())
        });
        Self(environment)
    }

    /// Returns the renderer of text that is not markup.
    pub fn plain() -> &'static Self {
        static PLAIN: LazyLock<Renderer> = LazyLock::new(|| Renderer::new(|text| Cow::Borrowed(text)));
        &PLAIN
    }
}

/// Template of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Value);

impl Template {
    /// Reads a template and checks its syntax.
    ///
    /// # Errors
    /// The JSON pointer of a text, and the broken rule in words.
    pub fn parse(template: Value) -> Result<Self, (String, String)> {
        if template.to_string().len() > MAX_LENGTH {
            return Err((String::new(), format!("must have at most {MAX_LENGTH} bytes as JSON")));
        }
        let renderer = Renderer::plain();
        each_text(&template, "", &mut |pointer, text| {
            let checked = match expression(text) {
                Some(expression) => renderer.0.compile_expression(expression).map(drop),
                None => renderer.0.template_from_str(text).map(drop),
            };
            checked.map_err(|error| (pointer.to_owned(), format!("is not a template: {}", reason(&error))))
        })?;
        Ok(Self(template))
    }

    /// Takes a template from the database.
    pub fn stored(template: Value) -> Self {
        Self(template)
    }

    /// Returns the JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Renders the template for an event.
    ///
    /// # Errors
    /// The reason for which it cannot be rendered, in words.
    pub fn render(&self, renderer: &Renderer, event: &Event) -> Result<Value, String> {
        let about = json!({
            "id": event.id,
            "type": event.fact.kind,
            "source": event.source.as_str(),
            "channelId": event.fact.channel_id,
            "createdAt": event.created_at,
        });
        let context = minijinja::Value::from(Serde(json!({
            "event": about, "attributes": event.fact.attributes, "data": *event.fact.data,
        })));
        let mut left = MAX_RENDERED;
        let rendered = rendered(&self.0, &mut |text| -> Result<Value, String> {
            let value = match expression(text) {
                Some(expression) => renderer
                    .0
                    .compile_expression(expression)
                    .and_then(|expression| expression.eval(context.clone()))
                    .and_then(|value| match value.is_undefined() {
                        true => Err(ErrorKind::UndefinedError.into()),
                        false => Ok(json!(value)),
                    }),
                None => renderer.0.render_str(text, context.clone()).map(Value::String),
            };
            let value = value.map_err(|error| format!("{}: {text}", reason(&error)))?;
            let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
            left = left.checked_sub(length).ok_or(format!("it has more than {MAX_RENDERED} bytes"))?;
            Ok(value)
        });
        rendered.map_err(|reason| format!("the route's template cannot be rendered: {reason}"))
    }
}

/// Returns the expression of a text that is one alone.
fn expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let alone = !inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%");
    alone.then(|| inner.trim_matches('-').trim())
}

fn reason(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long".into(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

fn each_text<E>(value: &Value, pointer: &str, visit: &mut impl FnMut(&str, &str) -> Result<(), E>) -> Result<(), E> {
    match value {
        Value::String(text) => visit(pointer, text),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| each_text(item, &format!("{pointer}/{index}"), visit))
        }
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            each_text(member, &format!("{pointer}/{name}"), visit)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn rendered<E>(value: &Value, render: &mut impl FnMut(&str) -> Result<Value, E>) -> Result<Value, E> {
    Ok(match value {
        Value::String(text) => render(text)?,
        Value::Array(items) => Value::Array(items.iter().map(|item| rendered(item, render)).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let member = |(name, member): (&String, &Value)| Ok((name.clone(), rendered(member, render)?));
            Value::Object(members.iter().map(member).collect::<Result<Map<_, _>, E>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        pipeline::event::{EventSource, Fact},
    };

    fn event(data: Value) -> Event {
        let mut fact = Fact::plain("order.created", None, data);
        fact.attributes = [("region", "eu")].into_iter().collect();
        Event {
            id: Uuid::nil().into(),
            organisation_id: Uuid::nil().into(),
            source: EventSource::API,
            fact,
            made_from: None,
            path: Vec::new(),
            trace: None,
            created_at: Time::UNIX_EPOCH,
        }
    }

    fn render(template: Value, data: Value) -> Result<Value, String> {
        let parsed = Template::parse(template).unwrap_or_else(|error| panic!("{error:?}"));
        parsed.render(&Renderer::new(|text| text.replace('<', "&lt;").into()), &event(data))
    }

    #[test]
    fn texts_are_rendered_and_escaped_and_the_structure_stays() {
        let data = json!({"name": "<!channel>\", \"x\": \"", "amount": 12, "items": [{"sku": "a"}, {"sku": "b"}], "none": null});
        let template = json!({
            "text": "Order of {{ data.name }} in {{ attributes.region }}: <b> {{ data.amount + 1 }}{{ data.none }}",
            "amount": "{{ data.amount }}",
            "items": "{{ data.items }}",
            "list": ["{% for item in data.items %}{{ item.sku }};{% endfor %}", 7, null, true],
            "kind": "{{ event.type }} ",
        });
        let expected = json!({
            "text": "Order of &lt;!channel>\", \"x\": \" in eu: <b> 13",
            "amount": 12,
            "items": [{"sku": "a"}, {"sku": "b"}],
            "list": ["a;b;", 7, null, true],
            "kind": "order.created ",
        });
        assert_eq!(render(template, data).unwrap(), expected);
        assert_eq!(render(json!("{{ data.a|safe }}!"), json!({"a": "<"})).unwrap(), "&lt;!", "no filter turns it off");
    }

    #[test]
    fn a_template_that_cannot_be_rendered_says_why() {
        for (template, word) in [
            ("{{ data.missing.deeper }}", "undefined"),
            ("{{ data.missing }}", "undefined"),
            ("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "too long"),
            ("{{ data.long * 100000 }}!", "too long"),
            ("{{ nosuch(1) }}!", "unknown function"),
        ] {
            let reason = render(json!(template), json!({"long": "x".repeat(1000)})).unwrap_err();
            assert!(reason.contains(word), "{template}: {reason}");
        }
        let long = json!({"long": "x".repeat(200_000)});
        assert!(render(json!(["{{ data.long }}", "{{ data.long }}"]), long).unwrap_err().contains("more than"));
    }

    #[test]
    fn templates_are_checked_when_they_are_saved() {
        for (template, pointer) in [
            (json!("{{ data."), ""),
            (json!({"blocks": [{"text": "{% if %}"}]}), "/blocks/0/text"),
            (json!({"a/b": "{{ 1 + }}"}), "/a~1b"),
            (json!("x".repeat(20_000)), ""),
            (json!(format!("{{{{ {}1{} }}}}!", "(".repeat(2_000), ")".repeat(2_000))), ""),
            (json!("{% include 'other' %}{"), ""),
        ] {
            let Err((found, rule)) = Template::parse(template.clone()) else {
                panic!("{template} was accepted");
            };
            assert_eq!(found, pointer, "{template}: {rule}");
        }
    }
}
