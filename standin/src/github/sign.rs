//! GitHub's signature: an HMAC over the body as it is sent.

use aws_lc_rs::hmac;

use crate::ids::hex;

/// The value of `X-Hub-Signature-256`.
pub(crate) fn sha256(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", tag(hmac::HMAC_SHA256, secret, body))
}

/// The value of `X-Hub-Signature`, which is older and still sent.
pub(crate) fn sha1(secret: &str, body: &[u8]) -> String {
    format!("sha1={}", tag(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, body))
}

fn tag(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
    hex(hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body).as_ref())
}

#[cfg(test)]
mod tests {
    use super::sha256;

    /// The example that GitHub publishes with the scheme.
    #[test]
    fn signs_the_published_example() {
        assert_eq!(
            sha256("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
