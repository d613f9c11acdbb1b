//! Requests to the native API.

use std::time::Duration;

use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{
    domain::{Error, Result, secret::Secret},
    provider::http::{self, Limits, bearer, exchange, under},
};

/// Time limit of a request, to the last byte of its answer.
const TOTAL: Duration = Duration::from_secs(60);
/// Maximum size of an answer: a page of events, of which the largest are GitHub's of 25 MB.
const MAX_ANSWER_BYTES: usize = 1 << 30;

/// Failure of a request.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server is not reached, or cannot answer now: the request is worth a repetition.
    Away(String),
    /// The server refuses the request.
    Refused(String),
}

/// The native API of a server, as a member sees it.
pub(super) struct Server {
    client: Client,
    base: Url,
    authorization: HeaderValue,
}

impl Server {
    /// Creates a client.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a token with characters that a header cannot have.
    pub fn new(base: Url, token: &Secret) -> Result<Self> {
        let authorization = bearer(token).ok_or_else(|| Error::invalid("--token", "must be an access token"))?;
        Ok(Self { client: http::client(&Limits::default())?, base, authorization })
    }

    /// Reads a path.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Fault> {
        let request = self.client.get(under(&self.base, path)).query(query);
        let request = request.header(AUTHORIZATION, self.authorization.clone());
        let (answer, failure) = exchange(request, TOTAL, MAX_ANSWER_BYTES).await;
        let status = match (answer.status, failure) {
            (Some(status), None) => status.as_u16(),
            (_, failure) => {
                return Err(Fault::Away(failure.map_or("no answer", |failure| failure.as_str()).to_owned()));
            }
        };
        match status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| self.refused("its answer is not Tieline's")),
            408 | 425 | 429 | 500.. => Err(Fault::Away(format!("it answers with the status {status}"))),
            401 => Err(self.refused(&format!("the token is not valid: {}", detail(&answer.body)))),
            _ => Err(self.refused(&format!("the status {status}: {}", detail(&answer.body)))),
        }
    }

    fn refused(&self, reason: &str) -> Fault {
        Fault::Refused(format!("the server at {} refuses: {reason}", self.base))
    }
}

/// Returns the detail of a problem (RFC 9457).
fn detail(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    problem["detail"].as_str().unwrap_or("its answer is not Tieline's").to_owned()
}
