//! The part of poem-openapi's `Type` that is alike for each type that is not made of other values.

/// Implements what `Type` demands of a required type that is its own raw value. It stands in the `impl` of `Type`.
macro_rules! whole_value {
    () => {
        const IS_REQUIRED: bool = true;

        type RawValueType = Self;
        type RawElementValueType = Self;

        fn as_raw_value(&self) -> Option<&Self::RawValueType> {
            Some(self)
        }

        fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
            Box::new(self.as_raw_value().into_iter())
        }
    };
}

pub(in crate::api) use whole_value;
