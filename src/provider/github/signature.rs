//! Authentication of requests from GitHub (GitHub: "Validating webhook deliveries").
//!
//! GitHub signs the exact bytes of the body, so a request is verified before anything is parsed. It signs no time: a
//! repeated delivery is recognised by its id only. The older SHA-1 signature beside this one is ignored.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};

use crate::{
    domain::{Error, Result, secret::Secret},
    provider::digest,
};

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

const PREFIX: &[u8] = b"sha256=";

/// Verifier of requests with the app's webhook secret, or with either of two during a rotation.
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<hmac::Key>,
}

/// Reason for which a request does not count as GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// No signature, or not one by SHA-256.
    NoSignature,
    /// Signed with another secret, or for another body.
    WrongSignature,
}

impl fmt::Display for Forgery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forgery::NoSignature => "the request has no GitHub signature by SHA-256",
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
    /// Creates a verifier for any of these secrets.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no secret, or an empty one, with which anyone could sign.
    pub fn new(secrets: &[Secret]) -> Result<Self> {
        if secrets.is_empty() || secrets.iter().any(|secret| secret.expose().is_empty()) {
            return Err(Error::invalid("github.webhook_secret", "must not be empty"));
        }
        let key = |secret: &Secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Ok(Self { keys: secrets.iter().map(key).collect() })
    }

    /// Starts the check of a body against its signature. The header is given as received, in bytes.
    ///
    /// # Errors
    /// [`Forgery::NoSignature`]: the request is to be answered with 401 before anything of its body is read.
    pub fn begin(&self, signature: Option<&[u8]>) -> Result<Check, Forgery> {
        let claimed = signature.and_then(|signature| digest::decode(PREFIX, signature)).ok_or(Forgery::NoSignature)?;
        Ok(Check { contexts: self.keys.iter().map(hmac::Context::with_key).collect(), claimed })
    }

    /// Checks a body that was read already.
    ///
    /// # Errors
    /// [`Forgery`]: the request is to be answered with 401 for every reason.
    pub fn verify(&self, signature: Option<&[u8]>, body: &[u8]) -> Result<(), Forgery> {
        let mut check = self.begin(signature)?;
        check.update(body);
        check.finish()
    }
}

/// Signature check of a body that is still being read.
#[derive(Clone)]
pub struct Check {
    contexts: Vec<hmac::Context>,
    claimed: [u8; 32],
}

impl Check {
    /// Adds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.contexts.iter_mut().for_each(|context| context.update(bytes));
    }

    /// Compares the signature after the end of the body.
    ///
    /// # Errors
    /// [`Forgery::WrongSignature`].
    pub fn finish(self) -> Result<(), Forgery> {
        let Self { contexts, claimed } = self;
        // All are tried: the time taken does not reveal which one matched.
        let signs =
            |context: &hmac::Context| verify_slices_are_equal(context.clone().sign().as_ref(), &claimed).is_ok();
        let matching = contexts.iter().filter(|context| signs(context)).count();
        if matching > 0 { Ok(()) } else { Err(Forgery::WrongSignature) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example that GitHub publishes in "Validating webhook deliveries".
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn verifier(secrets: &[&str]) -> Result<Verifier> {
        Verifier::new(&secrets.iter().map(|&secret| Secret::new(secret)).collect::<Vec<_>>())
    }

    fn verify(signature: &[u8]) -> Result<(), Forgery> {
        verifier(&[SECRET]).unwrap().verify(Some(signature), BODY)
    }

    #[test]
    fn the_published_example_is_verified() {
        assert_eq!(verify(SIGNATURE.as_bytes()), Ok(()));
    }

    #[test]
    fn only_the_whole_signature_will_do() {
        let hex = &SIGNATURE[7..];
        for bad in [
            String::new(),
            "sha256=".into(),
            "sha256".into(),
            hex.into(),
            format!("SHA256={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha1={hex}"),
            "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59".into(),
            format!("sha512={hex}"),
            SIGNATURE[..SIGNATURE.len() - 1].into(),
            SIGNATURE[..39].into(),
            format!("{SIGNATURE}="),
            format!("{SIGNATURE}00"),
            format!(" {SIGNATURE}"),
            format!("{SIGNATURE},{SIGNATURE}"),
            format!("sha256={hex}{hex}"),
            format!("sha256={}", "ü".repeat(32)),
        ] {
            assert_eq!(verify(bad.as_bytes()), Err(Forgery::NoSignature), "{bad}");
        }
        assert_eq!(verify(b"sha256=\xff\xfe"), Err(Forgery::NoSignature));
        assert_eq!(verifier(&[SECRET]).unwrap().verify(None, BODY), Err(Forgery::NoSignature));
    }

    #[test]
    fn another_body_or_secret_is_another_signature() {
        let other = verifier(&["other"]).unwrap().verify(Some(SIGNATURE.as_bytes()), BODY);
        assert_eq!(other, Err(Forgery::WrongSignature));
        for body in [&b""[..], b"Hello, World", b"Hello, World!\n"] {
            let result = verifier(&[SECRET]).unwrap().verify(Some(SIGNATURE.as_bytes()), body);
            assert_eq!(result, Err(Forgery::WrongSignature));
        }
    }

    #[test]
    fn while_a_secret_is_replaced_both_are_believed() {
        for secrets in [[SECRET, "new"], ["new", SECRET]] {
            assert_eq!(verifier(&secrets).unwrap().verify(Some(SIGNATURE.as_bytes()), BODY), Ok(()));
        }
        let pieces = verifier(&["new", SECRET]).unwrap();
        let mut check = pieces.begin(Some(SIGNATURE.as_bytes())).unwrap();
        BODY.chunks(3).for_each(|piece| check.update(piece));
        assert_eq!(check.finish(), Ok(()));
        let neither = verifier(&["new", "newer"]).unwrap().verify(Some(SIGNATURE.as_bytes()), BODY);
        assert_eq!(neither, Err(Forgery::WrongSignature));
    }

    #[test]
    fn an_empty_secret_is_refused_and_none_is_shown() {
        assert!(verifier(&[]).is_err());
        assert!(verifier(&[""]).is_err());
        assert!(verifier(&[SECRET, ""]).is_err());
        assert_eq!(format!("{:?}", verifier(&["hush"]).unwrap()), "Verifier([redacted])");
    }
}
