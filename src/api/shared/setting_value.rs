//! Value of an app's setting.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::whole_value::whole_value;

/// Name of the schema in the documents.
const NAME: &str = "SettingValue";

/// Value of a setting: text, a number, a Boolean, or a list. It is returned as it was sent, never converted to text.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingValue(pub Value);

impl Type for SettingValue {
    whole_value!();

    fn name() -> Cow<'static, str> {
        NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(NAME.to_owned(), |_| {
            let mut list = MetaSchema::new("array");
            list.items = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY))));
            let forms = [MetaSchema::new("string"), MetaSchema::new("number"), MetaSchema::new("boolean"), list];
            let one_of = forms.map(|form| MetaSchemaRef::Inline(Box::new(form))).into();
            let description = Some("Value of a setting: text, a number, a Boolean, or a list");
            MetaSchema { one_of, description, ..MetaSchema::ANY }
        });
    }
}

impl ParseFromJSON for SettingValue {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            value @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Array(_)) => Ok(Self(value)),
            other @ (Value::Null | Value::Object(_)) => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for SettingValue {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_answered_as_it_came() {
        for value in [json!("5"), json!(5), json!(0.5), json!(true), json!(["a", 1]), json!([])] {
            let read = SettingValue::parse_from_json(Some(value.clone())).unwrap();
            assert_eq!(read.to_json(), Some(value));
        }
        for other in [json!(null), json!({"a": 1})] {
            assert!(SettingValue::parse_from_json(Some(other)).is_err());
        }
    }
}
