//! The middleware around each dialect: every failure inside becomes the dialect's own error response.
//!
//! A client that hangs up does not abort the work of its request, and shutdown waits for it (`kept`).
//! Here and nowhere else a fault becomes a response, and a request becomes a log line.

mod kept;

use std::{
    marker::PhantomData,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, PathPattern, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
};
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

use self::kept::Kept;
use super::{
    budget::Limits,
    contract::{Contract, PathContract},
    documents::Document,
    fault::Fault,
    framework, nul,
    refusal::{ErrorShape, Occasion, internal_cause, into_error, render},
    sender::Sender,
};
use crate::{
    domain::{Error, Result, ambient::Ambient, error::clip, trace::Traceparent},
    telemetry::trace::{self, Span, SpanKind, Tracer, attribute},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PLAIN_JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// Content security policy of the few responses that a browser shows: our style and nothing else.
const PLAIN_PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Paths of the health operations. They are in no trace: probes and scrapes call them all the time.
pub const HEALTH_PATHS: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// Callback for every response: the dialect, the method (`OTHER` for an unusual one), the status, and the duration.
pub type Observe = Arc<dyn Fn(&'static str, &'static str, u16, Duration) + Send + Sync>;

/// Callback for a response's difference from the published document.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Dependencies that the guards of all dialects share.
#[derive(Clone)]
pub struct Plumbing {
    /// Source of spans.
    pub tracer: Tracer,
    /// Source of request ids and of the ids of bugs.
    pub ambient: Ambient,
    /// Tracker of the requests. At shutdown it is closed and awaited, so that the last ones finish.
    pub tasks: TaskTracker,
    /// Maximum size of a request body.
    pub body_limit_bytes: usize,
    /// Memory for bodies, and other limits that requests share.
    pub limits: Limits,
    /// Callback for a response's difference from the published document. If set, every response is validated, and a
    /// mismatch becomes a 500. For tests.
    pub strict: Option<Tell>,
    /// Callback for every response.
    pub observe: Observe,
}

/// A mounted dialect. Extractors find it in the request.
pub struct Served {
    /// The dialect's name.
    pub name: &'static str,
    /// Published document, whose contract is compiled at the first request.
    pub document: &'static Document,
    /// True if query parameters that the document does not name are refused.
    pub closed_query: bool,
    /// Dependencies shared by all dialects.
    pub plumbing: Plumbing,
}

impl Served {
    /// Returns the compiled published document.
    ///
    /// # Errors
    /// [`Error::Internal`] where it cannot be compiled.
    pub fn contract(&self) -> Result<&Contract> {
        self.document.contract(self.plumbing.strict.is_some())
    }

    fn path(&self, route: &PathPattern) -> Option<&PathContract> {
        self.contract().ok()?.path(&route.0)
    }
}

/// Wraps a dialect's operations in the guard.
pub fn guarded<S: ErrorShape>(
    operations: impl IntoEndpoint<Endpoint = BoxEndpoint<'static>>,
    served: Arc<Served>,
) -> BoxEndpoint<'static> {
    Guard::<S> { inner: Arc::new(operations.into_endpoint()), served, shape: PhantomData }.boxed()
}

struct Guard<S> {
    inner: Arc<BoxEndpoint<'static>>,
    served: Arc<Served>,
    shape: PhantomData<fn() -> S>,
}

impl<S: ErrorShape> Endpoint for Guard<S> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let work = run::<S>(self.inner.clone(), self.served.clone(), request);
        Ok(Kept::new(&self.served.plumbing.tasks, work).await)
    }
}

/// The facts of a request that outlive it.
struct Asked {
    method: Method,
    uri: Uri,
    /// True if the caller sent a credential, valid or not.
    authorised: bool,
}

async fn run<S: ErrorShape>(inner: Arc<BoxEndpoint<'static>>, served: Arc<Served>, mut request: Request) -> Response {
    let begun = Instant::now();
    let id = request_id(&request, &served.plumbing.ambient);
    let asked = Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        authorised: request.headers().contains_key(header::AUTHORIZATION),
    };
    request.set_data(Arc::new(Sender::of(&request, &served.plumbing.limits.trusted_proxies)));
    request.set_data(served.clone());
    let request_id = id.to_str().unwrap_or_default().to_owned();
    let tracer = match HEALTH_PATHS.contains(&request.uri().path()) {
        true => Tracer::default(),
        false => served.plumbing.tracer.clone(),
    };
    let mut traced = tracer.start("request", SpanKind::Server, traceparent(&request));
    let trace_id = traced.context().map(|trace| trace.trace_id());
    let span = tracing::info_span!("request", id = request_id, dialect = served.name, trace_id);
    let work = async move {
        let work = async {
            nul::check_target(request.uri()).map_err(into_error)?;
            check_query(&served, &request).map_err(into_error)?;
            inner.call(request).await
        };
        let work = trace::within(traced.context(), AssertUnwindSafe(work).catch_unwind());
        let outcome = work.await;
        let (route, mut response) = answer::<S>(outcome, &served, &asked);
        let path = route.as_ref().and_then(|route| served.path(route));
        finish(&mut response, id);
        if let (Some(tell), Ok(contract)) = (&served.plumbing.strict, served.contract()) {
            response = checked(response, contract, path, &asked.method, tell).await;
        }
        let (method, status, duration) = (name(&asked.method), response.status().as_u16(), begun.elapsed());
        let route = path.map_or("none", |path| path.path.as_str());
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(request_id, method, route, status, micros, "request answered");
        describe(&mut traced, &served, (method, route, status));
        (served.plumbing.observe)(served.name, method, status, duration);
        response
    };
    work.instrument(span).await
}

/// Returns the caller's trace context, if it sent a valid one.
fn traceparent(request: &Request) -> Option<Traceparent> {
    Traceparent::parse(request.header("traceparent")?)
}

/// Names the span of a request by its route, and adds the attributes that HTTP servers record (OpenTelemetry, semantic
/// conventions for HTTP spans).
fn describe(span: &mut Span, served: &Served, (method, route, status): (&'static str, &str, u16)) {
    span.rename(|| format!("{method} {route}").into());
    span.record(|| {
        [
            attribute("http.request.method", method),
            attribute("http.route", route.to_owned()),
            attribute("http.response.status_code", i64::from(status)),
            attribute("tieline.dialect", served.name),
        ]
    });
    if status >= 500 {
        span.fail("the request could not be answered");
    }
}

/// Refuses unknown query parameters, where the dialect does. An unknown path is left to the router.
fn check_query(served: &Served, request: &Request) -> Result<(), Fault> {
    let Some(query) = request.uri().query().filter(|_| served.closed_query) else { return Ok(()) };
    let path = served.contract()?.find(request.uri().path());
    let operation = path.and_then(|path| path.operation(request.method()));
    Ok(operation.map_or(Ok(()), |operation| operation.check_query(query))?)
}

type Outcome = std::thread::Result<poem::Result<Response>>;

/// Returns the response, and the route that gave it.
fn answer<S: ErrorShape>(outcome: Outcome, served: &Served, asked: &Asked) -> (Option<PathPattern>, Response) {
    let ambient = &served.plumbing.ambient;
    let (route, fault) = match outcome {
        Ok(Ok(response)) => return (response.data::<PathPattern>().cloned(), response),
        Ok(Err(error)) => {
            let route = error.data::<PathPattern>().cloned();
            let path = route.as_ref().and_then(|route| served.path(route));
            (route, framework::fault(error, path, asked.uri.path(), asked.authorised))
        }
        Err(panic) => (None, Fault::Core(Error::Internal(format!("a handler panicked: {}", panic_text(&*panic))))),
    };
    let path = clip(asked.uri.path());
    let occasion = Occasion { path: &path, now: ambient.now(), mark: ambient.random() };
    let mark = S::mark(&occasion);
    let fault = match internal_cause(&fault) {
        Some(cause) => {
            let bug: Uuid = ambient.id();
            // Not the path itself: some paths contain a token.
            let path = route.as_ref().and_then(|route| served.path(route));
            let path = path.map_or("none", |path| path.path.as_str());
            tracing::error!(%bug, mark, cause, path, "internal error");
            Fault::Bug { id: bug }
        }
        None => fault,
    };
    if let Some(mark) = mark {
        tracing::info!(mark, path = occasion.path, %fault, "refused");
    }
    (route, render::<S>(&fault, occasion))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// Validates a response against the published document; a mismatch is reported, and becomes a 500 that describes it.
async fn checked(
    mut response: Response,
    contract: &Contract,
    path: Option<&PathContract>,
    method: &Method,
    tell: &Tell,
) -> Response {
    let status = response.status().as_u16();
    let checked = match response.take_body().into_bytes().await {
        Ok(body) => {
            let sent = (method != Method::HEAD).then_some(&body[..]);
            let checked = match path.and_then(|path| path.operation(method)) {
                Some(operation) => operation.check_response(status, response.headers(), sent),
                None => contract.check_stray(response.headers(), sent),
            };
            response.set_body(body);
            checked
        }
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(()) => response,
        Err(difference) => {
            let path = path.map_or("an unknown path", |path| path.path.as_str());
            let text = format!("{method} {path} breaks its published document: {difference}");
            tracing::error!("{text}");
            tell(&text);
            Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).body(text)
        }
    }
}

/// Adds the headers that every response has.
fn finish(response: &mut Response, id: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.entry(header::REFERRER_POLICY).or_insert(NO_REFERRER);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(PLAIN_PAGE);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    // JSON has no other character set (RFC 8259, 8.1), and the document does not name one.
    if let Some(sent) = headers.get_mut(header::CONTENT_TYPE).filter(|sent| *sent == "application/json; charset=utf-8")
    {
        *sent = PLAIN_JSON;
    }
}

/// Returns the caller's own request id, if it can be logged unchanged; otherwise a new one.
fn request_id(request: &Request, ambient: &Ambient) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let sent = request.headers().get(REQUEST_ID);
    match sent.filter(|id| (1..=64).contains(&id.len()) && id.as_bytes().iter().all(plain)) {
        Some(id) => id.clone(),
        None => {
            let id: Uuid = ambient.id();
            let text = id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned();
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("-"))
        }
    }
}

/// Returns a method's name for logs and metrics; callers cannot introduce new names.
fn name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests;
