//! Trace context: the trace, and the span in it, that a request or an event belongs to (W3C Trace Context, 3.2).
//!
//! Not here: spans, and their export (`telemetry`).

use std::fmt;

/// Context as `traceparent` carries it. Of the flags, only `sampled` is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// Identifier of the trace, not 0.
    pub trace_id: u128,
    /// Identifier of the span, not 0.
    pub span_id: u64,
    /// True if the caller may have recorded the trace.
    pub is_sampled: bool,
}

impl Traceparent {
    /// Reads a header. A later version is read as this one, as far as they agree (4.2.2); an invalid header is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(55)?;
        let parts: Vec<&str> = known.split('-').collect();
        let [version, trace_id, span_id, flags] = parts[..] else { return None };
        let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let lengths = [version.len(), trace_id.len(), span_id.len(), flags.len()];
        if lengths != [2, 32, 16, 2] || !parts.into_iter().all(is_hex) || version == "ff" {
            return None;
        }
        if !more.is_empty() && (version == "00" || !more.starts_with('-')) {
            return None;
        }
        let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span_id, 16).ok().filter(|id| *id != 0)?;
        let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace_id, span_id, is_sampled })
    }

    /// Returns the identifier of the trace, as logs and traces show it.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written() {
        let read = Traceparent::parse(VALID).unwrap();
        assert_eq!((read.to_string().as_str(), read.trace_id().as_str()), (VALID, "4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(read.is_sampled && !Traceparent::parse(&VALID.replace("-01", "-00")).unwrap().is_sampled);
        assert_eq!(Traceparent::parse(&VALID.replace("-01", "-ff")), Some(read), "other flags are not known");
        let later = format!("{}-more", VALID.replacen("00-", "cc-", 1));
        assert_eq!(Traceparent::parse(&later), Some(read));
    }

    #[test]
    fn an_invalid_header_is_none() {
        let of = |part: &str, other: &str| VALID.replacen(part, other, 1);
        for invalid in [
            String::new(),
            "ä".repeat(40),
            of("00-", "ff-"),
            of("00-", "0-"),
            format!("{VALID}-more"),
            of("00-", "cc-") + "more",
            of("4bf9", "4BF9"),
            of("4bf9", "+bf9"),
            of("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            of("00f067aa0ba902b7", &"0".repeat(16)),
            of("-00f067aa0ba902b7-01", "000f067aa0ba902b7-01"),
        ] {
            assert_eq!(Traceparent::parse(&invalid), None, "{invalid}");
        }
    }
}
