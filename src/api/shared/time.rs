//! Timestamps in requests and responses: RFC 3339 in UTC, written with `Z`, as JSON of protocol buffers demands and
//! most clients expect.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use poem_openapi::{
    registry::MetaSchemaRef,
    types::{ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use super::whole_value::whole_value;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(Timestamp(time): Timestamp) -> Self {
        time
    }
}

impl Type for Timestamp {
    whole_value!();

    fn name() -> Cow<'static, str> {
        <DateTime<Utc> as Type>::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        <DateTime<Utc> as Type>::schema_ref()
    }
}

impl ParseFromJSON for Timestamp {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        DateTime::<Utc>::parse_from_json(value).map(Self).map_err(|error| error.propagate())
    }
}

impl ParseFromParameter for Timestamp {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        DateTime::<Utc>::parse_from_parameter(text).map(Self).map_err(|error| error.propagate())
    }
}

impl ToJSON for Timestamp {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.to_rfc3339_opts(SecondsFormat::Millis, true).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_z_and_read_with_any_offset() {
        let time = Timestamp::parse_from_json(Some("2026-11-20T13:00:00.5+01:00".into())).unwrap();
        assert_eq!(time.to_json(), Some("2026-11-20T12:00:00.500Z".into()));
    }
}
