//! Fields of JSON by their pointers (RFC 6901). A field that is `null`, or an empty text, counts as absent.

use serde_json::Value;

use crate::domain::{Error, Result};

/// An object. `serde_json` bounds its depth.
pub(super) struct Json(Value);

impl Json {
    pub(super) fn read(body: &[u8], field: &str) -> Result<Self> {
        match serde_json::from_slice(body) {
            Ok(object @ Value::Object(_)) => Ok(Self(object)),
            _ => Err(Error::invalid(field, "must be a JSON object")),
        }
    }

    fn get(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, pointer: &str, max: usize) -> Result<Option<String>> {
        match self.get(pointer) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(super::bounded(text, max, pointer)?.to_owned())),
            Some(_) => Err(Error::invalid(pointer, "must be a text")),
        }
    }

    /// An id.
    pub(super) fn word(&self, pointer: &str) -> Result<Option<String>> {
        self.text(pointer, usize::MAX)?.map(|text| super::word(&text, pointer)).transpose()
    }

    /// A flag, `false` where it is absent.
    pub(super) fn flag(&self, pointer: &str) -> Result<bool> {
        match self.get(pointer) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| Error::invalid(pointer, "must be true or false")),
        }
    }

    pub(super) fn number(&self, pointer: &str) -> Result<Option<i64>> {
        let whole = |value: &Value| value.as_i64().ok_or_else(|| Error::invalid(pointer, "must be a whole number"));
        self.get(pointer).map(whole).transpose()
    }

    pub(super) fn object(&self, pointer: &str) -> Result<Option<Value>> {
        match self.get(pointer) {
            None => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object.clone())),
            Some(_) => Err(Error::invalid(pointer, "must be an object")),
        }
    }
}
