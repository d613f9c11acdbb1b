//! Messages to a tenant's URL, signed as specified by Standard Webhooks 1.0.0, with the classification of the answers.
//!
//! The signature covers the id, the time and the exact bytes of the body. The id stays the same on a retry; the time is
//! that of the attempt.

use std::{fmt, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{HeaderName, HeaderValue};

use super::guard::{Answer, Failure};
use crate::domain::{Error, Result, ambient::Time, pipeline::delivery::Outcome, secret::Secret};

/// The header with the message's id.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

const SECRET_PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";

/// Signer of messages with an endpoint's secret, or with each of several during a rotation.
#[derive(Clone)]
pub struct Signer {
    keys: Vec<hmac::Key>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer([redacted])")
    }
}

/// Generates a secret: `whsec_` and base64.
pub fn generate(random: [u8; 32]) -> Secret {
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(random)))
}

impl Signer {
    /// Creates a signer with these secrets, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is none, or one is not `whsec_` and the base64 of 24 to 64 bytes.
    pub fn new(secrets: &[Secret]) -> Result<Self> {
        let keys = secrets.iter().map(key).collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty());
        let keys =
            keys.ok_or_else(|| Error::invalid("secret", "must be whsec_ followed by the base64 of 24 to 64 bytes"))?;
        Ok(Self { keys })
    }

    /// Returns the headers for `body`, exactly as it is sent.
    ///
    /// # Errors
    /// [`Error::Internal`] for an id that is empty or has other characters than letters, digits, `_` and `-`: with a
    /// dot in it, one signature would be valid for two messages.
    pub fn headers(&self, id: &str, at: Time, body: &[u8]) -> Result<[(HeaderName, HeaderValue); 3]> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if id.is_empty() || !id.bytes().all(is_plain) {
            return Err(Error::Internal(format!("{id:?} cannot be the id of a webhook")));
        }
        let timestamp = at.timestamp().to_string();
        let signatures: Vec<_> = self.keys.iter().map(|key| signature(key, id, &timestamp, body)).collect();
        let value = |text: &str| HeaderValue::try_from(text).map_err(|error| Error::Internal(error.to_string()));
        Ok([
            (HeaderName::from_static(ID_HEADER), value(id)?),
            (HeaderName::from_static(TIMESTAMP_HEADER), value(&timestamp)?),
            (HeaderName::from_static(SIGNATURE_HEADER), value(&signatures.join(" "))?),
        ])
    }
}

fn key(secret: &Secret) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(secret.expose().strip_prefix(SECRET_PREFIX)?).ok()?;
    (24..=64).contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn signature(key: &hmac::Key, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        context.update(part);
    }
    format!("{VERSION}{}", STANDARD.encode(context.sign()))
}

/// Classifies the outcome of a message. The status decides, also where the body is too long or does not end: it is not
/// waited for.
pub fn outcome(sent: &Result<Answer, Failure>, now: Time) -> Outcome {
    match sent {
        Ok(answer) => classify(answer.status, answer.retry_after(now)),
        Err(failure) => (*failure).into(),
    }
}

/// Classifies a status (Standard Webhooks, "Deliverability and reliability").
pub fn classify(status: u16, retry_after: Option<Duration>) -> Outcome {
    match (status, retry_after) {
        (200..=299, _) => Outcome::Delivered,
        (429 | 502..=504, Some(retry_after)) => Outcome::Throttled { retry_after },
        (300..=399, _) => Outcome::MessageRefused {
            reason: format!("the endpoint redirects elsewhere ({status}), which is not followed; set its final URL"),
        },
        (410, _) => Outcome::Gone {
            reason:
                "the endpoint says that it is gone (410), so nothing is sent there any more; put its address right \
                     and switch it on again"
                    .into(),
        },
        // These statuses are temporary by definition: too slow, too early, too many.
        (408 | 425 | 429, _) => {
            Outcome::Faltered { reason: format!("the endpoint asked to be called again later ({status})") }
        }
        (400..=499, _) => Outcome::MessageRefused {
            reason: format!("the endpoint refused the message ({status}); mend the endpoint and replay this delivery"),
        },
        _ => Outcome::Faltered { reason: format!("the endpoint answered with an error ({status})") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        guard::{HeaderMap, Refusal, Unreachable},
        redact,
    };

    // The example that Standard Webhooks publishes.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(secs: i64) -> Time {
        Time::from_timestamp(secs, 0).unwrap()
    }

    fn signer(secrets: &[&str]) -> Result<Signer> {
        Signer::new(&secrets.iter().map(|secret| Secret::new(*secret)).collect::<Vec<_>>())
    }

    fn signed(signer: &Signer, id: &str, at: Time, body: &[u8]) -> String {
        signer.headers(id, at, body).unwrap()[2].1.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_published_example_is_signed() {
        let headers = signer(&[SECRET]).unwrap().headers(ID, at(AT), BODY).unwrap();
        let expected = [("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", SIGNATURE)];
        for ((name, value), expected) in headers.iter().zip(expected) {
            assert_eq!((name.as_str(), value.to_str().unwrap()), expected);
        }
    }

    #[test]
    fn another_id_time_body_or_secret_is_another_signature() {
        let one = signer(&[SECRET]).unwrap();
        let other = signer(&[generate([7; 32]).expose()]).unwrap();
        for signature in [
            signed(&one, "msg_other", at(AT), BODY),
            signed(&one, ID, at(AT + 1), BODY),
            signed(&one, ID, at(AT), br#"{"test":2432232314}"#),
            signed(&other, ID, at(AT), BODY),
        ] {
            assert_ne!(signature, SIGNATURE);
            assert_eq!(signature.len(), SIGNATURE.len());
        }
    }

    #[test]
    fn while_secrets_change_each_signs() {
        let new = generate([7; 32]);
        let both = signed(&signer(&[new.expose(), SECRET]).unwrap(), ID, at(AT), BODY);
        let alone = signed(&signer(&[new.expose()]).unwrap(), ID, at(AT), BODY);
        assert_eq!(both, format!("{alone} {SIGNATURE}"));
    }

    #[test]
    fn a_secret_has_a_prefix_and_enough_bytes_and_is_not_shown() {
        assert_eq!(generate([0xff; 32]).expose(), "whsec_//////////////////////////////////////////8=");
        assert_eq!(redact(generate([1; 32]).expose()), "[redacted]");
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![1; bytes]));
        for bytes in [24, 32, 64] {
            assert!(signer(&[&of(bytes)]).is_ok());
        }
        for bad in [&of(23), &of(65), "", "whsec_", "whsec", &SECRET[6..], "whsk_AAAA", "whsec_MfKQ9r8GKYqr TwjUPD8ILP"]
        {
            assert!(matches!(signer(&[bad]), Err(Error::Invalid(_))), "{bad}");
            assert!(signer(&[SECRET, bad]).is_err(), "{bad}");
        }
        assert!(signer(&[]).is_err());
        assert_eq!(format!("{:?}", signer(&[SECRET]).unwrap()), "Signer([redacted])");
    }

    #[test]
    fn an_id_cannot_reach_into_what_follows_it() {
        let signer = signer(&[SECRET]).unwrap();
        for bad in ["", "a.b", "a b", "a\r\nx: y", "ü"] {
            assert!(signer.headers(bad, at(AT), BODY).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_status_means_something() {
        #[derive(Debug, PartialEq)]
        enum Kind {
            Delivered,
            Throttled,
            Faltered,
            Message,
            Gone,
        }
        let kind = |status, pause: Option<u64>| match classify(status, pause.map(Duration::from_secs)) {
            Outcome::Delivered => Kind::Delivered,
            Outcome::Throttled { retry_after } => {
                assert_eq!(Some(retry_after.as_secs()), pause);
                Kind::Throttled
            }
            Outcome::Faltered { .. } => Kind::Faltered,
            Outcome::MessageRefused { .. } => Kind::Message,
            Outcome::Gone { .. } => Kind::Gone,
            other => panic!("{other:?}"),
        };
        for (status, without_pause, with_pause) in [
            (200, Kind::Delivered, Kind::Delivered),
            (204, Kind::Delivered, Kind::Delivered),
            (299, Kind::Delivered, Kind::Delivered),
            (301, Kind::Message, Kind::Message),
            (304, Kind::Message, Kind::Message),
            (400, Kind::Message, Kind::Message),
            (401, Kind::Message, Kind::Message),
            (404, Kind::Message, Kind::Message),
            (408, Kind::Faltered, Kind::Faltered),
            (410, Kind::Gone, Kind::Gone),
            (413, Kind::Message, Kind::Message),
            (425, Kind::Faltered, Kind::Faltered),
            (429, Kind::Faltered, Kind::Throttled),
            (500, Kind::Faltered, Kind::Faltered),
            (502, Kind::Faltered, Kind::Throttled),
            (503, Kind::Faltered, Kind::Throttled),
            (504, Kind::Faltered, Kind::Throttled),
            (599, Kind::Faltered, Kind::Faltered),
            (101, Kind::Faltered, Kind::Faltered),
            (999, Kind::Faltered, Kind::Faltered),
        ] {
            assert_eq!(kind(status, None), without_pause, "{status}");
            assert_eq!(kind(status, Some(7)), with_pause, "{status}");
        }
    }

    #[test]
    fn the_status_decides_and_without_one_the_failure() {
        let headers = HeaderMap::from_iter([("retry-after".parse().unwrap(), HeaderValue::from_static("9"))]);
        let answer = |status| {
            let incomplete = Some(Unreachable::AnswerTooLarge);
            Ok(Answer { status, headers: headers.clone(), body: vec![], incomplete })
        };
        assert_eq!(outcome(&answer(200), at(AT)), Outcome::Delivered);
        assert_eq!(outcome(&answer(429), at(AT)), Outcome::Throttled { retry_after: Duration::from_secs(9) });
        let refused = outcome(&Err(Failure::Refused(Refusal::Address)), at(AT));
        assert!(
            matches!(refused, Outcome::AddressRefused { reason } if reason.starts_with("the URL leads to a private"))
        );
        let timeout = outcome(&Err(Failure::Unreachable(Unreachable::Timeout)), at(AT));
        assert!(matches!(timeout, Outcome::Unreachable { .. }));
    }
}
