//! A caller of the API.

use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::Value;
use tieline::openapi;

/// Client of one server, with or without a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    workspace: Option<String>,
    /// Validates every answer against its published document. A server within the test does that itself.
    holds: bool,
}

/// A received answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Client {
    /// A caller without a token.
    pub fn new(base: impl Into<String>) -> Self {
        #[allow(clippy::disallowed_methods, reason = "a caller from outside, not a part of the service")]
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        // All servers are on loopback, without TLS: reading the machine's certificates takes longer than most tests.
        let http = http.tls_certs_only([]).build().unwrap();
        Self { http, base: base.into(), token: None, workspace: None, holds: false }
    }

    /// The same caller, of a server that does not validate its own answers.
    pub fn holding(&self) -> Self {
        Self { holds: true, ..self.clone() }
    }

    /// The same caller with a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same caller, in a workspace of the registry's.
    pub fn in_workspace(&self, workspace: &str) -> Self {
        Self { workspace: Some(workspace.to_owned()), ..self.clone() }
    }

    /// The same caller, in no workspace.
    pub fn in_no_workspace(&self) -> Self {
        Self { workspace: None, ..self.clone() }
    }

    /// The token's text; empty where there is none.
    pub fn token(&self) -> String {
        self.token.clone().unwrap_or_default()
    }

    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Builds a request, to be refined.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, self.url(path));
        if let Some(workspace) = &self.workspace {
            request = request.header("x-workspace-id", workspace);
        }
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        if self.holds {
            hold(&method, &path, status, &headers, &text);
        }
        Answer { status, headers, text }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// PUT without a body.
    pub async fn put(&self, path: &str) -> Answer {
        self.send(self.request(Method::PUT, path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }
}

/// Asserts that an answer matches its published description.
#[track_caller]
fn hold(method: &Method, path: &str, status: StatusCode, headers: &header::HeaderMap, text: &str) {
    let contracts: Vec<_> =
        openapi::published().dialects.iter().map(|document| document.contract(true).unwrap()).collect();
    let found = contracts.iter().find_map(|contract| contract.find(path)?.operation(method));
    let body = (method != Method::HEAD).then_some(text.as_bytes());
    if let Some(Err(difference)) = found.map(|operation| operation.check_response(status.as_u16(), headers, body)) {
        panic!("{method} {path} breaks its published document: {difference}: {text}");
    }
}

impl Answer {
    /// The body as JSON; `null` where there is none.
    pub fn json(&self) -> Value {
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).expect(&self.text) }
    }

    /// Asserts the status, and returns the body as JSON.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// Asserts a problem of the native dialect, and returns it (RFC 9457).
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.ok(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(problem["code"], code, "{}", self.text);
        assert_eq!(problem["status"], status, "{}", self.text);
        problem
    }

    /// A header as text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[test]
fn an_answer_that_is_not_as_published_is_seen() {
    let headers = [("content-type", "application/json"), ("x-request-id", "one")];
    let headers: header::HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let see = |status: u16, text: &'static str, headers: &header::HeaderMap| {
        let status = StatusCode::from_u16(status).unwrap();
        let reported = || hold(&Method::GET, "/v1/organisations", status, headers, text);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(reported)).is_err()
    };
    assert!(!see(200, r#"{"data": []}"#, &headers));
    assert!(see(200, r#"{"data": 1}"#, &headers) && see(418, r#"{"data": []}"#, &headers));
    assert!(see(200, r#"{"data": []}"#, &header::HeaderMap::new()));
}
