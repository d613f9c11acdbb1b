//! Forms (`application/x-www-form-urlencoded`; WHATWG URL, 5.1), parsed strictly: an invalid one is refused and not
//! guessed at, because the signature covers the bytes as received.

use crate::domain::{Error, Result};

/// Maximum number of fields; Slack sends some fifteen.
const MAX_FIELDS: usize = 100;

/// The fields of a form, in their order.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        let refuse = |why: &str| Err(Error::invalid("body", why));
        let mut fields = Vec::new();
        for field in body.split(|byte| *byte == b'&').filter(|field| !field.is_empty()) {
            if fields.len() == MAX_FIELDS {
                return refuse("must be a form of at most 100 fields");
            }
            let mut halves = field.splitn(2, |byte| *byte == b'=');
            let name = halves.next().and_then(decode);
            let value = decode(halves.next().unwrap_or_default());
            match (name, value) {
                (Some(name), Some(value)) => fields.push((name, value)),
                _ => return refuse("must be a form, percent-encoded UTF-8"),
            }
        }
        Ok(Self(fields))
    }

    /// Returns the field with that name. Empty counts as absent, and a repeated one is an error.
    pub(super) fn text(&self, name: &str, max: usize) -> Result<Option<&str>> {
        let mut found = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = found.next();
        if found.next().is_some() {
            return Err(Error::invalid(name, "must not come more than once"));
        }
        first.filter(|text| !text.is_empty()).map(|text| super::bounded(text, max, name)).transpose()
    }

    /// The same for an id.
    pub(super) fn word(&self, name: &str) -> Result<Option<String>> {
        self.text(name, usize::MAX)?.map(|text| super::word(text, name)).transpose()
    }
}

/// Decodes percent escapes; nothing for incomplete escapes or invalid UTF-8.
fn decode(text: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => nibble(*bytes.next()?)? << 4 | nibble(*bytes.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(out).ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_whole_and_utf8() {
        let cases: [(&[u8], Option<&str>); 11] = [
            (b"a+b%20c%2B", Some("a b c+")),
            (b"%C3%BC%c3%bc", Some("üü")),
            ("ü".as_bytes(), Some("ü")),
            (b"a=b", Some("a=b")),
            (b"", Some("")),
            (b"%", None),
            (b"%4", None),
            (b"%zz", None),
            (b"%+1", None),
            (b"%ff", None),
            (b"\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_field_comes_once() {
        let form = Form::read(b"&a=1&&b=&c&d=1&d=1&%61b=x&e=1=2&").unwrap();
        assert_eq!(form.text("a", 9).unwrap(), Some("1"));
        assert_eq!(form.text("ab", 9).unwrap(), Some("x"));
        assert_eq!(form.text("e", 9).unwrap(), Some("1=2"));
        for absent in ["b", "c", "z"] {
            assert_eq!(form.text(absent, 9).unwrap(), None);
        }
        assert!(form.text("d", 9).is_err());
        assert!(form.text("e", 2).is_err());
    }

    #[test]
    fn fields_are_counted() {
        assert!(Form::read("a=1&".repeat(100).as_bytes()).is_ok());
        assert!(Form::read("a=1&".repeat(101).as_bytes()).is_err());
    }
}
