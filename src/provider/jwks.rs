//! The keys with which an identity provider signs its tokens (RFC 7517). Fetching only; caching is the caller's.

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use reqwest::{Client, StatusCode, header::ACCEPT};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::http::{self, Limits};
use crate::domain::{Error, Result};

/// Maximum size of a document.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// More keys than any issuer rotates through.
const MAX_KEYS: usize = 100;

/// Client that fetches key sets from addresses that the operator configured.
#[derive(Clone, Debug)]
pub struct JwksSource {
    http: Client,
    limits: Limits,
}

impl JwksSource {
    /// Creates a client with these limits; at most 256 KiB of a document are read in any case.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up on this machine.
    pub fn new(limits: Limits) -> Result<Self> {
        Ok(Self { http: http::client(&limits)?, limits })
    }

    /// Fetches the public keys that `url` holds at present. Keys of an unknown kind are left out, as RFC 7517, section
    /// 5, asks, and so are symmetric ones: a published key is no secret.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no key set came back: no answer, another status than 200, or another document.
    pub async fn fetch(&self, url: &Url) -> Result<JwkSet> {
        let request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        let (got, failure) = http::exchange(request, self.limits.total, MAX_DOCUMENT_BYTES).await;
        let keys = match (got.status, failure) {
            (Some(StatusCode::OK), None) => keys(&got.body),
            _ => None,
        };
        keys.ok_or_else(|| {
            let status = got.status.map(|status| status.as_u16());
            let failure = failure.map(http::Unreachable::as_str);
            tracing::warn!(host = url.host_str(), status, failure, "no key set could be fetched");
            unavailable()
        })
    }
}

/// Error for an unavailable key set.
pub fn unavailable() -> Error {
    Error::Unavailable { what: "the identity provider's key set" }
}

fn keys(document: &[u8]) -> Option<JwkSet> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<Value>,
    }
    let document: Document = serde_json::from_slice(document).ok()?;
    let known = document.keys.into_iter().take(MAX_KEYS).filter_map(|key| Jwk::deserialize(key).ok());
    let public = |key: &Jwk| {
        use AlgorithmParameters::{EllipticCurve, OctetKeyPair, RSA};
        matches!(key.algorithm, EllipticCurve(_) | OctetKeyPair(_) | RSA(_))
    };
    Some(JwkSet { keys: known.filter(public).collect() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::provider::test_server::{Answer, TestServer};

    const KEYS: &str = r#"{"keys": [
        {"kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB"},
        {"kty": "FUTURE", "kid": "b", "x": 1},
        {"kty": "oct", "kid": "c", "k": "aHVzaA"},
        "nonsense"
    ]}"#;

    async fn fetch(answer: Answer, total: Duration) -> Result<JwkSet> {
        let server = TestServer::answering(vec![answer]);
        let limits = Limits { total, ..Limits::default() };
        JwksSource::new(limits).unwrap().fetch(&server.url("/keys")).await
    }

    #[tokio::test]
    async fn known_keys_are_kept_and_others_left_out() {
        let set = fetch(Answer::json(200, KEYS), Duration::from_secs(10)).await.unwrap();
        assert_eq!(set.keys.len(), 1);
        assert!(set.find("a").is_some());
    }

    #[tokio::test]
    async fn anything_but_a_key_set_is_unavailable() {
        for answer in [
            Answer::json(404, KEYS),
            Answer::json(200, "[]"),
            Answer::json(200, "<html>"),
            Answer::redirect(),
            Answer::Silence,
            Answer::HeadersOnly,
            Answer::Endless,
            Answer::HangUp,
        ] {
            assert!(matches!(fetch(answer, Duration::from_millis(250)).await, Err(Error::Unavailable { .. })));
        }
    }
}
