//! Slack's signature, computed anew for each request: it covers the present time and the exact bytes.

use std::fmt;

use aws_lc_rs::hmac;

use crate::{Result, load::Template};

/// The headers, with space for the values set into them.
pub const HEADERS: [(&str, &str); 2] = [
    ("X-Slack-Request-Timestamp", "0000000000"),
    ("X-Slack-Signature", "v0=0000000000000000000000000000000000000000000000000000000000000000"),
];
/// Digits of a time in seconds.
const TIME: usize = 10;

/// Signer of the requests of one template.
#[derive(Clone)]
pub struct Seal {
    key: hmac::Key,
    time_at: usize,
    signature_at: usize,
    body_at: usize,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Creates the signer of a template with [`HEADERS`].
    ///
    /// # Errors
    /// When it lacks them.
    pub fn over(template: &Template, secret: &str) -> Result<Self> {
        let after = |text: &str| {
            let at = template.bytes.windows(text.len()).position(|window| window == text.as_bytes());
            at.map(|at| at + text.len()).ok_or_else(|| format!("no {text:?} in a request that is to be signed"))
        };
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            time_at: after("X-Slack-Request-Timestamp: ")?,
            signature_at: after("X-Slack-Signature: v0=")?,
            body_at: after("\r\n\r\n")?,
        })
    }

    /// Sets the time and the signature into a request.
    pub fn set(&self, seconds: u64, request: &mut [u8]) {
        let time = format!("{seconds:0TIME$}");
        let mut context = hmac::Context::with_key(&self.key);
        for part in [b"v0:", time.as_bytes(), b":", &request[self.body_at..]] {
            context.update(part);
        }
        request[self.time_at..self.time_at + TIME].copy_from_slice(time.as_bytes());
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).map_or(b'0', |digit| digit as u8);
        let signature = context.sign();
        let places = request[self.signature_at..].chunks_exact_mut(2);
        for (place, byte) in places.zip(signature.as_ref()) {
            place.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::with_headers;

    /// The example that Slack publishes with the scheme.
    #[test]
    fn the_published_example_is_signed() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
            &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
            &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
            &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let headers = HEADERS.map(|(name, value)| (name, value.to_owned()));
        let bytes = with_headers("POST", "/x", &headers, Some(body));
        let template = Template { bytes: bytes.clone(), number_at: None, seal: None };
        let seal = Seal::over(&template, "8f742231b10e8888abcd99yyyzzz85a5").unwrap();
        let mut signed = bytes;
        seal.set(1_531_420_618, &mut signed);
        let text = String::from_utf8(signed).unwrap();
        assert!(text.contains("X-Slack-Request-Timestamp: 1531420618\r\n"), "{text}");
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert!(text.contains(&format!("X-Slack-Signature: {signature}\r\n")), "{text}");
        assert!(text.ends_with(body));
        let bare = Template { bytes: b"POST / HTTP/1.1\r\n\r\n".into(), number_at: None, seal: None };
        assert!(Seal::over(&bare, "x").is_err());
    }
}
