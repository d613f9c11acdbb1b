//! Text of a column that may be large. SQLite has it compressed by LZ4 from a kilobyte on, where that makes it shorter; a
//! text that is not stays readable for whoever looks into the file. PostgreSQL compresses by itself.

use sea_orm::{
    ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};

/// Length from which a text is compressed, in bytes.
const LEAST: usize = 1024;
/// First byte of what is compressed, which no UTF-8 begins with. The length follows, and the block.
const PACKED: u8 = 0xFF;

/// Number of bytes that one byte of a block stands for at most (LZ4 Block Format, "Compressed block format").
const MOST_RATIO: usize = 255;

/// Text that may be large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeText(pub String);

impl LargeText {
    /// Returns the compressed bytes, if they are less than the text.
    fn packed(&self) -> Option<Vec<u8>> {
        let text = self.0.as_bytes();
        if text.len() < LEAST {
            return None;
        }
        let mut packed = vec![PACKED];
        packed.extend(lz4_flex::compress_prepend_size(text));
        (packed.len() < text.len()).then_some(packed)
    }

    fn unpacked(bytes: &[u8]) -> Result<Self, DbErr> {
        let corrupt = |error: String| DbErr::Type(format!("a compressed text cannot be read: {error}"));
        let Some((&PACKED, block)) = bytes.split_first() else { return Err(corrupt("no text".to_owned())) };
        let (length, _) = lz4_flex::block::uncompressed_size(block).map_err(|error| corrupt(error.to_string()))?;
        // Memory for the length is taken at once, so a length that no block of this size has is not believed.
        if length / MOST_RATIO > block.len() {
            return Err(corrupt(format!("{length} bytes cannot be in {}", block.len())));
        }
        let text = lz4_flex::decompress_size_prepended(block).map_err(|error| corrupt(error.to_string()))?;
        String::from_utf8(text).map(Self).map_err(|error| corrupt(error.to_string()))
    }
}

impl From<LargeText> for Value {
    fn from(text: LargeText) -> Self {
        text.packed().map_or_else(|| text.0.into(), Self::from)
    }
}

impl TryGetable for LargeText {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        match String::try_get_by(row, index) {
            // Of another type than text.
            Err(TryGetError::DbErr(_)) => Ok(Self::unpacked(&Vec::<u8>::try_get_by(row, index)?)?),
            text => text.map(Self),
        }
    }
}

impl ValueType for LargeText {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::Bytes(Some(bytes)) => Self::unpacked(&bytes).map_err(|_| ValueTypeErr),
            value => <String as ValueType>::try_from(value).map(Self),
        }
    }

    fn type_name() -> String {
        "LargeText".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl Nullable for LargeText {
    fn null() -> Value {
        String::null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Value {
        LargeText(text.to_owned()).into()
    }

    #[test]
    fn what_is_large_is_compressed() {
        let text = "{\"repository\": \"acme/web\"}, ".repeat(100);
        let Value::Bytes(Some(packed)) = stored(&text) else { panic!("{text} is not compressed") };
        assert!(packed.len() * 10 < text.len(), "{}", packed.len());
        assert_eq!(LargeText::unpacked(&packed).unwrap().0, text);
        assert_eq!(<LargeText as ValueType>::try_from(Value::from(packed)).unwrap().0, text);
    }

    #[test]
    fn what_is_small_or_does_not_get_shorter_is_text() {
        let noise: String = (0..3000_u32).map(|n| char::from_u32(0x4E00 + n * 7).unwrap()).collect();
        for text in ["", "{}", &"x".repeat(LEAST - 1), &noise] {
            assert_eq!(stored(text), Value::from(text), "{}", text.len());
        }
    }

    #[test]
    fn what_is_corrupt_is_an_error() {
        for bytes in [&[][..], b"text", &[PACKED], &[PACKED, 4, 0, 0, 0, 0x40, 0xFF, 0xFE, 0xFF, 0xFE]] {
            assert!(LargeText::unpacked(bytes).is_err(), "{bytes:?}");
        }
        assert!(LargeText::unpacked(&[PACKED, 0xFF, 0xFF, 0xFF, 0xFF, 0x10, b'a']).is_err());
    }
}
