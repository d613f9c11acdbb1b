//! A client of endpoints for unit tests, without a socket. Poem's own is behind a feature; for it, the tests' build
//! would share no crate above Poem with the build of the binary.

use poem::{
    Body, Endpoint, Request, RequestBuilder, Response,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};
use serde_json::Value;

/// A client of one endpoint.
pub struct TestClient<E>(E);

impl<E: Endpoint> TestClient<E> {
    /// Creates a client of `endpoint`.
    pub fn new(endpoint: E) -> Self {
        Self(endpoint)
    }

    /// Begins a request with GET.
    pub fn get(&self, path: impl AsRef<str>) -> TestRequest<'_, E> {
        self.request(Method::GET, path)
    }

    /// Begins a request with HEAD.
    pub fn head(&self, path: impl AsRef<str>) -> TestRequest<'_, E> {
        self.request(Method::HEAD, path)
    }

    /// Begins a request with OPTIONS.
    pub fn options(&self, path: impl AsRef<str>) -> TestRequest<'_, E> {
        self.request(Method::OPTIONS, path)
    }

    /// Begins a request with POST.
    pub fn post(&self, path: impl AsRef<str>) -> TestRequest<'_, E> {
        self.request(Method::POST, path)
    }

    /// Begins a request with DELETE.
    pub fn delete(&self, path: impl AsRef<str>) -> TestRequest<'_, E> {
        self.request(Method::DELETE, path)
    }

    fn request(&self, method: Method, path: impl AsRef<str>) -> TestRequest<'_, E> {
        let request = Request::builder().method(method).uri(path.as_ref().parse().unwrap());
        TestRequest { endpoint: &self.0, request, body: Body::empty() }
    }
}

/// A request to be sent.
pub struct TestRequest<'a, E> {
    endpoint: &'a E,
    request: RequestBuilder,
    body: Body,
}

impl<E: Endpoint> TestRequest<'_, E> {
    /// Adds a header.
    #[must_use]
    pub fn header<V: TryInto<HeaderValue>>(mut self, name: &str, value: V) -> Self {
        let Ok(value) = value.try_into() else { panic!("the value of {name} is none") };
        self.request = self.request.header(name.parse::<HeaderName>().unwrap(), value);
        self
    }

    /// Sets the media type of the body.
    #[must_use]
    pub fn content_type(self, value: &str) -> Self {
        self.header(header::CONTENT_TYPE.as_str(), value)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body, as JSON.
    #[must_use]
    pub fn body_json(self, body: &Value) -> Self {
        self.content_type("application/json").body(body.to_string())
    }

    /// Sends the request.
    pub async fn send(self) -> TestResponse {
        TestResponse(self.endpoint.get_response(self.request.body(self.body)).await)
    }
}

/// A response, with its assertions.
pub struct TestResponse(pub Response);

impl TestResponse {
    /// Asserts the status.
    #[track_caller]
    pub fn assert_status(&self, status: StatusCode) {
        assert_eq!(self.0.status(), status);
    }

    /// Asserts the status 200.
    #[track_caller]
    pub fn assert_status_is_ok(&self) {
        self.assert_status(StatusCode::OK);
    }

    /// Asserts the value of a header.
    #[track_caller]
    pub fn assert_header(&self, name: &str, value: &str) {
        assert_eq!(self.0.header(name), Some(value), "{name}");
    }

    /// Asserts the media type.
    #[track_caller]
    pub fn assert_content_type(&self, value: &str) {
        self.assert_header(header::CONTENT_TYPE.as_str(), value);
    }

    /// Asserts the body.
    pub async fn assert_text(self, text: &str) {
        assert_eq!(self.0.into_body().into_string().await.unwrap(), text);
    }

    /// Asserts the body, which is JSON.
    pub async fn assert_json(self, value: impl Into<Value>) {
        assert_eq!(self.0.into_body().into_json::<Value>().await.unwrap(), value.into());
    }
}
