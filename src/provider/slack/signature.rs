//! Authentication of requests from Slack: events, slash commands, interactivity (Slack API: "Verifying requests from
//! Slack").
//!
//! Slack signs the exact bytes of the body, so a request is verified before anything is parsed. This is stricter than
//! some SDKs: a timestamp is plain digits, and one from the future is as bad as one from the past.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};

use crate::{
    domain::{Error, Result, ambient::Time, secret::Secret},
    provider::digest,
};

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-slack-signature";
/// The header with the time of signing.
pub const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";

/// Permitted difference between a request's time and ours, in seconds, in either direction.
const WINDOW: u64 = 300;
const VERSION: &str = "v0";
const PREFIX: &[u8] = b"v0=";

/// Verifier of requests with the app's signing secret.
#[derive(Clone)]
pub struct Verifier {
    key: hmac::Key,
}

/// Reason for which a request does not count as Slack's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// No signature, or not one of version 0.
    NoSignature,
    /// No time, or something else in its place.
    NoTimestamp,
    /// Too old, or from the future: perhaps a replay.
    OutsideWindow,
    /// Signed with another secret, or for another body.
    WrongSignature,
}

impl fmt::Display for Forgery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forgery::NoSignature => "the request has no Slack signature of version v0",
            Forgery::NoTimestamp => "the request has no Slack timestamp",
            Forgery::OutsideWindow => "the request's timestamp is more than five minutes away from our clock",
            Forgery::WrongSignature => "the request's signature is wrong",
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier([redacted])")
    }
}

impl Verifier {
    /// Creates a verifier for this secret.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a blank secret, with which anyone could sign.
    pub fn new(signing_secret: &Secret) -> Result<Self> {
        if signing_secret.expose().trim().is_empty() {
            return Err(Error::invalid("slack.signing_secret", "must not be blank"));
        }
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, signing_secret.expose().as_bytes()) })
    }

    /// Starts the check of a body against its headers, given as received, in bytes.
    ///
    /// # Errors
    /// [`Forgery`]: the request is to be answered with 401 before anything of its body is read.
    pub fn begin(&self, timestamp: Option<&[u8]>, signature: Option<&[u8]>, now: Time) -> Result<Check, Forgery> {
        let claimed = signature.and_then(|signature| digest::decode(PREFIX, signature)).ok_or(Forgery::NoSignature)?;
        let timestamp = timestamp.and_then(digits).ok_or(Forgery::NoTimestamp)?;
        let signed_at = timestamp.parse::<i64>().map_err(|_| Forgery::NoTimestamp)?;
        if now.timestamp().abs_diff(signed_at) > WINDOW {
            return Err(Forgery::OutsideWindow);
        }
        let mut context = hmac::Context::with_key(&self.key);
        for part in [VERSION.as_bytes(), b":", timestamp.as_bytes(), b":"] {
            context.update(part);
        }
        Ok(Check { context, claimed })
    }

    /// Checks a body that was read already.
    ///
    /// # Errors
    /// [`Forgery`]: the request is to be answered with 401 for every reason.
    pub fn verify(
        &self,
        timestamp: Option<&[u8]>,
        signature: Option<&[u8]>,
        body: &[u8],
        now: Time,
    ) -> Result<(), Forgery> {
        let mut check = self.begin(timestamp, signature, now)?;
        check.update(body);
        check.finish()
    }
}

/// Signature check of a body that is still being read.
#[derive(Clone)]
pub struct Check {
    context: hmac::Context,
    claimed: [u8; 32],
}

impl Check {
    /// Adds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// Compares the signature after the end of the body.
    ///
    /// # Errors
    /// [`Forgery::WrongSignature`].
    pub fn finish(self) -> Result<(), Forgery> {
        verify_slices_are_equal(self.context.sign().as_ref(), &self.claimed).map_err(|_| Forgery::WrongSignature)
    }
}

/// 1 to 12 digits and nothing else: no sign, no space, no fraction.
fn digits(text: &[u8]) -> Option<&str> {
    let plain = (1..=12).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example that Slack publishes in "Verifying requests from Slack".
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const AT: i64 = 1_531_420_618;
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=\
        https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=\
        398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn verify(timestamp: Option<&[u8]>, signature: Option<&[u8]>, body: &[u8], now: i64) -> Result<(), Forgery> {
        let verifier = Verifier::new(&Secret::new(SECRET)).unwrap();
        verifier.verify(timestamp, signature, body, Time::from_timestamp(now, 0).unwrap())
    }

    /// A correct signature over any text in the timestamp's place.
    fn sign(timestamp: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let tag = hmac::sign(&key, format!("v0:{timestamp}:{body}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("v0={hex}")
    }

    #[test]
    fn the_published_example_is_verified() {
        let at = AT.to_string();
        assert_eq!(verify(Some(at.as_bytes()), Some(SIGNATURE.as_bytes()), BODY.as_bytes(), AT), Ok(()));
        assert_eq!(sign(&at, BODY), SIGNATURE);
    }

    #[test]
    fn the_window_is_five_minutes_in_both_directions() {
        let at = AT.to_string();
        for (now, expected) in [
            (AT - 300, Ok(())),
            (AT + 300, Ok(())),
            (AT - 301, Err(Forgery::OutsideWindow)),
            (AT + 301, Err(Forgery::OutsideWindow)),
            (AT - 86_400, Err(Forgery::OutsideWindow)),
        ] {
            assert_eq!(verify(Some(at.as_bytes()), Some(SIGNATURE.as_bytes()), BODY.as_bytes(), now), expected);
        }
    }

    #[test]
    fn a_timestamp_is_digits_even_where_the_signature_is_right() {
        let body = "payload=%7B%7D";
        for odd in [
            "",
            "now",
            "1531420618.0",
            " 1531420618",
            "1531420618 ",
            "+1531420618",
            "-1531420618",
            "1_531_420_618",
            "0001531420618",
            "undefined",
            "١٥٣",
        ] {
            let signature = sign(odd, body);
            let result = verify(Some(odd.as_bytes()), Some(signature.as_bytes()), body.as_bytes(), AT);
            assert_eq!(result, Err(Forgery::NoTimestamp), "{odd:?}");
        }
        let signature = sign("undefined", body);
        assert_eq!(verify(None, Some(signature.as_bytes()), body.as_bytes(), AT), Err(Forgery::NoTimestamp));
        // Leading zeros are digits. They are signed as they are.
        let zero = format!("0{AT}");
        assert_eq!(verify(Some(zero.as_bytes()), Some(sign(&zero, body).as_bytes()), body.as_bytes(), AT), Ok(()));
    }

    #[test]
    fn only_the_whole_signature_will_do() {
        let at = AT.to_string();
        let hex = &SIGNATURE[3..];
        for bad in [
            String::new(),
            "v0=".into(),
            "v0".into(),
            hex.into(),
            format!("v1={hex}"),
            format!("V0={hex}"),
            format!("v0={}", hex.to_uppercase()),
            SIGNATURE[..SIGNATURE.len() - 1].into(),
            SIGNATURE[..35].into(),
            format!("{SIGNATURE}="),
            format!("{SIGNATURE}00"),
            format!(" {SIGNATURE}"),
            format!("v0={hex}{hex}"),
            format!("v0={}", "ü".repeat(32)),
        ] {
            let result = verify(Some(at.as_bytes()), Some(bad.as_bytes()), BODY.as_bytes(), AT);
            assert_eq!(result, Err(Forgery::NoSignature), "{bad}");
        }
        let result = verify(Some(at.as_bytes()), Some(b"v0=\xff\xfe"), BODY.as_bytes(), AT);
        assert_eq!(result, Err(Forgery::NoSignature));
        assert_eq!(verify(Some(at.as_bytes()), None, BODY.as_bytes(), AT), Err(Forgery::NoSignature));
    }

    #[test]
    fn another_body_time_or_secret_is_another_signature() {
        let at = AT.to_string();
        let with_check = format!("{BODY}&ssl_check=1");
        let sig = Some(SIGNATURE.as_bytes());
        assert_eq!(verify(Some(at.as_bytes()), sig, with_check.as_bytes(), AT), Err(Forgery::WrongSignature));
        let later = (AT + 1).to_string();
        assert_eq!(verify(Some(later.as_bytes()), sig, BODY.as_bytes(), AT), Err(Forgery::WrongSignature));
        let other = Verifier::new(&Secret::new("other")).unwrap();
        let now = Time::from_timestamp(AT, 0).unwrap();
        assert_eq!(other.verify(Some(at.as_bytes()), sig, BODY.as_bytes(), now), Err(Forgery::WrongSignature));
    }

    #[test]
    fn a_blank_secret_is_refused_and_none_is_shown() {
        for blank in ["", " ", "\t\n"] {
            assert!(Verifier::new(&Secret::new(blank)).is_err());
        }
        assert_eq!(format!("{:?}", Verifier::new(&Secret::new("hush")).unwrap()), "Verifier([redacted])");
    }
}
