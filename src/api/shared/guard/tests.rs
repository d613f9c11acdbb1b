//! A tiny dialect behind the guard, and every failure on the way to it.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use poem::Route;
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, Object, OpenApi, OpenApiService,
    param::{Path, Query},
    payload::Json,
};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::shared::{
        asset::{Asset, Caching},
        body::Body,
        fault::Protocol,
        refusal::{Occasion, Refusal, into_error},
        test_client::{TestClient, TestResponse},
    },
    domain::{
        ambient::{Clock, Random, Time},
        error::{AuthFailure, Noun},
    },
};

const ID: &str = "0199c0de-5a3b-7c41-9e2f-3b1d5a7c9e10";
const LIMIT: usize = 200;

#[derive(Object)]
struct Wrong {
    status: u16,
    text: String,
}

struct Shape;

impl ErrorShape for Shape {
    type Body = Wrong;

    const STATUSES: &'static [(u16, &'static str)] =
        &[(400, "Bad"), (401, "Who?"), (404, "Gone"), (413, "Long"), (415, "Type"), (500, "Bug"), (503, "Busy")];

    fn status(fault: &Fault) -> StatusCode {
        let status = match fault {
            Fault::Core(Error::Unauthenticated(_)) => 401,
            Fault::Core(Error::NotFound { .. }) | Fault::Protocol(Protocol::RouteNotFound { .. }) => 404,
            Fault::Core(Error::Unavailable { .. }) => 503,
            Fault::Protocol(Protocol::MethodNotAllowed { .. }) => 405,
            Fault::Protocol(Protocol::BodyTooLarge { .. }) => 413,
            Fault::Protocol(Protocol::UnsupportedMediaType { .. }) => 415,
            Fault::Protocol(_) => 400,
            Fault::Core(_) | Fault::Bug { .. } => 500,
        };
        StatusCode::from_u16(status).unwrap()
    }

    fn body(fault: &Fault, status: StatusCode, _: Occasion<'_>) -> Wrong {
        Wrong { status: status.as_u16(), text: fault.to_string() }
    }
}

type Answer<T> = Result<Json<T>, Refusal<Shape>>;

/// A caller with any token except `bad`.
struct Caller;

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _: &mut poem::RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        match request.header("authorization") {
            Some("Bearer bad") => Err(into_error(Error::Unauthenticated(AuthFailure::Expired))),
            Some(_) => Ok(Caller),
            None => Err(into_error(Error::Unauthenticated(AuthFailure::Missing))),
        }
    }
}

#[derive(Object, Clone, Debug, PartialEq)]
struct Thing {
    name: String,
    #[oai(skip_serializing_if_is_none)]
    size: Option<u8>,
}

#[derive(Clone, Default)]
struct Api {
    worked_on: Arc<AtomicBool>,
}

#[OpenApi]
impl Api {
    #[oai(path = "/v1/things", method = "post")]
    async fn create(&self, _caller: Caller, body: Body<Thing>) -> Answer<Thing> {
        assert!(!body.raw.is_empty());
        Ok(Json(body.value))
    }

    #[oai(path = "/v1/things/:id", method = "get")]
    async fn get(&self, id: Path<Uuid>, limit: Query<Option<u8>>) -> Answer<Thing> {
        match limit.0 {
            Some(0) => panic!("zero is a lonely number"),
            Some(1) => Err(Error::Internal("password=hunter2".into()))?,
            Some(2) => Err(Error::Unavailable { what: "the database" })?,
            Some(3) => Ok(Json(Thing { name: "fine".into(), size: None })),
            Some(_) | None => Err(Error::not_found(Noun::Channel, id.0))?,
        }
    }

    #[oai(path = "/v1/things/:id/test", method = "post")]
    async fn test(&self, #[oai(name = "id")] _id: Path<Uuid>, body: Body<Option<Thing>>) -> Answer<bool> {
        Ok(Json(body.value.is_some()))
    }

    #[oai(path = "/v1/slow", method = "post")]
    async fn slow(&self) -> Answer<bool> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.worked_on.store(true, Ordering::SeqCst);
        Ok(Json(true))
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        Time::UNIX_EPOCH
    }
}

impl Random for Still {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

type Seen = Arc<Mutex<Vec<(&'static str, u16)>>>;

fn endpoint(strict: bool, api: Api, seen: Seen) -> (Route, TaskTracker) {
    let service = OpenApiService::new(api, "test", "1");
    let mut document: Value = serde_json::from_str(&service.spec()).unwrap();
    document["components"]["schemas"]["Thing"]["additionalProperties"] = json!(false);
    // Publishing rewrites media types in the same way.
    let text = document.to_string().replace("application/json; charset=utf-8", "application/json");
    let document = served_document(&text);
    let tasks = TaskTracker::new();
    let plumbing = Plumbing {
        tracer: Default::default(),
        ambient: Ambient::new(Arc::new(Still), Arc::new(Still)),
        tasks: tasks.clone(),
        body_limit_bytes: LIMIT,
        limits: Limits::unbounded(),
        strict: strict.then(|| Arc::new(|_: &str| {}) as Tell),
        observe: Arc::new(move |_, method, status, _| seen.lock().unwrap().push((method, status))),
    };
    let served = Arc::new(Served { name: "test", document, closed_query: false, plumbing });
    (Route::new().nest_no_strip("/v1", guarded::<Shape>(service, served)), tasks)
}

fn served_document(text: &str) -> &'static Document {
    Box::leak(Box::new(Document::new(
        "test",
        "Test",
        Asset::new("application/json", text.to_owned(), Caching::Revalidate),
    )))
}

fn client() -> TestClient<Route> {
    TestClient::new(endpoint(true, Api::default(), Seen::default()).0)
}

async fn reported(response: TestResponse) -> (u16, String) {
    let status = response.0.status().as_u16();
    let body = response.0.into_body().into_string().await.unwrap();
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("not our shape: {body}"));
    assert_eq!(body["status"], status);
    (status, body["text"].as_str().unwrap().to_owned())
}

async fn create(content_type: &str, body: impl Into<poem::Body>) -> TestResponse {
    let client = client();
    let request = client.post("/v1/things").header("authorization", "Bearer good");
    request.header("content-type", content_type).body(body.into()).send().await
}

fn is(got: (u16, String), status: u16, text: &str) {
    assert_eq!((got.0, got.1.as_str()), (status, text));
}

#[tokio::test]
async fn a_good_request_is_answered() {
    for content_type in ["application/json", "application/json; charset=utf-8", "application/x+json"] {
        let response = create(content_type, r#"{"name": "a"}"#).await;
        response.assert_status_is_ok();
        for (name, value) in
            [("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
        {
            response.assert_header(name, value);
        }
        response.assert_json(json!({"name": "a"})).await;
    }
}

#[tokio::test]
async fn an_unauthenticated_caller_is_refused_first() {
    let response = client().post("/v1/things").content_type("text/plain").body("{").send().await;
    response.assert_header("www-authenticate", "Bearer");
    assert_eq!(reported(response).await.0, 401);
    let response = client().post("/v1/things").header("authorization", "Bearer bad").body("{").send().await;
    response.assert_header("www-authenticate", "Bearer error=\"invalid_token\"");
    assert_eq!(reported(response).await.0, 401);
}

#[tokio::test]
async fn a_body_that_is_not_json() {
    let got = reported(create("application/json", r#"{"name": }"#).await).await;
    is(got, 400, "the body is not JSON: expected value at line 1, column 10");
}

#[tokio::test]
async fn a_body_that_breaks_the_document() {
    let got = reported(create("application/json", r#"{"name": 5, "colour": "red"}"#).await).await;
    assert_eq!(got.0, 400);
    assert!(got.1.contains("/name must be a string") && got.1.contains("/colour is not known here"), "{}", got.1);
    is(reported(create("application/json", "").await).await, 400, "the body is required");
    is(reported(create("application/json", "[]").await).await, 400, "the body must be an object");
    // The type is stricter than the document: the format uint8.
    assert_eq!(reported(create("application/json", r#"{"name": "a", "size": 300}"#).await).await.0, 400);
}

#[tokio::test]
async fn a_body_of_another_kind() {
    for content_type in ["text/plain", "application/json; charset=latin1", "", "nonsense"] {
        assert_eq!(reported(create(content_type, "{}").await).await.0, 415, "{content_type}");
    }
    let client = client();
    let request = client.post("/v1/things").header("authorization", "Bearer good").content_type("application/json");
    let got = reported(request.header("content-encoding", "gzip").body("{}").send().await).await;
    is(got, 415, "send the body as application/json, not in the Content-Encoding gzip");
    let got = reported(client.post("/v1/things").header("authorization", "Bearer good").body("{}").send().await).await;
    is(got, 415, "send the body as application/json, not without a Content-Type");
}

#[tokio::test]
async fn a_body_that_is_too_long() {
    let long = format!(r#"{{"name": "{}"}}"#, "a".repeat(LIMIT));
    let got = reported(create("application/json", long.clone()).await).await;
    is(got, 413, "the body is longer than 200 bytes");
    // In chunks, without an announced length.
    let pieces = |text: String| {
        let pieces: Vec<_> =
            text.into_bytes().chunks(50).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        poem::Body::from_bytes_stream(futures_util::stream::iter(pieces))
    };
    assert_eq!(reported(create("application/json", pieces(long)).await).await.0, 413);
    let name = "a".repeat(LIMIT - 20);
    create("application/json", pieces(format!(r#"{{"name": "{name}"}}"#)))
        .await
        .assert_json(json!({"name": name}))
        .await;
    let client = client();
    let request = client.post("/v1/things").header("authorization", "Bearer good").content_type("application/json");
    assert_eq!(reported(request.header("content-length", "201").body("{}").send().await).await.0, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let pieces = [Ok(r#"{"na"#), Err(std::io::Error::other("reset"))];
    let body = poem::Body::from_bytes_stream(futures_util::stream::iter(pieces));
    assert_eq!(reported(create("application/json", body).await).await.0, 400);
}

#[tokio::test]
async fn a_body_may_be_optional() {
    let path = format!("/v1/things/{ID}/test");
    client().post(&path).send().await.assert_json(false).await;
    client().post(&path).content_type("application/json").send().await.assert_json(false).await;
    client().post(&path).body_json(&json!({"name": "a"})).send().await.assert_json(true).await;
    assert_eq!(reported(client().post(&path).body_json(&json!({})).send().await).await.0, 400);
}

#[tokio::test]
async fn an_unknown_path() {
    is(reported(client().get("/v1/nothing?secret=1").send().await).await, 404, "there is nothing at /v1/nothing");
    assert_eq!(reported(client().get(format!("/v1/things/{ID}/")).send().await).await.0, 404);
}

#[tokio::test]
async fn a_method_that_does_not_work() {
    let response = client().delete(format!("/v1/things/{ID}")).send().await;
    response.assert_header("allow", "GET, HEAD");
    is(reported(response).await, 405, "this path takes GET, HEAD only");
    client().options("/v1/things").send().await.assert_header("allow", "POST");
}

#[tokio::test]
async fn head_is_answered_as_get() {
    let response = client().head(format!("/v1/things/{ID}?limit=3")).send().await;
    response.assert_status_is_ok();
    response.assert_text("").await;
}

#[tokio::test]
async fn a_parameter_is_named_as_it_is_documented() {
    let got = reported(client().get("/v1/things/one").send().await).await;
    assert_eq!(got.0, 400);
    assert!(got.1.starts_with("the parameter id is not valid: invalid character"), "{}", got.1);
    let got = reported(client().get(format!("/v1/things/{ID}?limit=many")).send().await).await;
    assert!(got.1.starts_with("the parameter limit is not valid"), "{}", got.1);
}

#[tokio::test]
async fn a_refusal_has_its_shape_and_headers() {
    let got = reported(client().get(format!("/v1/things/{ID}")).send().await).await;
    is(got, 404, &format!("there is no channel {ID} here"));
    let response = client().get(format!("/v1/things/{ID}?limit=2")).send().await;
    response.assert_header("retry-after", "1");
    assert_eq!(reported(response).await.0, 503);
}

#[tokio::test]
async fn a_bug_has_an_id_and_no_text() {
    for limit in [0, 1] {
        let got = reported(client().get(format!("/v1/things/{ID}?limit={limit}")).send().await).await;
        assert_eq!(got.0, 500);
        assert!(
            got.1.starts_with("something went wrong on our side; it is in our log as 00000000-0000-7"),
            "{}",
            got.1
        );
    }
}

#[tokio::test]
async fn a_request_id_is_kept_where_it_is_plain() {
    let client = client();
    let send = |id: &str| client.get("/v1/nothing").header("x-request-id", id).send();
    send("from-a.proxy_1").await.assert_header("x-request-id", "from-a.proxy_1");
    for odd in ["", "two words", "a\u{e4}", &"a".repeat(65)] {
        let response = send(odd).await;
        assert!(response.0.header("x-request-id").is_some_and(|id| id.starts_with("00000000-0000-7")), "{odd}");
    }
}

#[tokio::test]
async fn work_goes_on_when_the_client_hangs_up() {
    let (api, seen) = (Api::default(), Seen::default());
    let (endpoint, tasks) = endpoint(false, api.clone(), seen.clone());
    let request = Request::builder().method(Method::POST).uri(Uri::from_static("/v1/slow")).finish();
    let answer = tokio::time::timeout(Duration::from_millis(5), endpoint.call(request)).await;
    assert!(answer.is_err() && !api.worked_on.load(Ordering::SeqCst));
    tasks.close();
    tasks.wait().await;
    assert!(api.worked_on.load(Ordering::SeqCst));
    assert_eq!(*seen.lock().unwrap(), [("POST", 200)]);
}

#[tokio::test]
async fn a_strict_guard_does_not_let_an_undocumented_answer_pass() {
    struct Odd;
    #[OpenApi]
    impl Odd {
        #[oai(path = "/v1/odd", method = "get")]
        async fn odd(&self) -> poem_openapi::payload::Response<Json<bool>> {
            poem_openapi::payload::Response::new(Json(true)).status(StatusCode::CREATED)
        }
    }
    let service = OpenApiService::new(Odd, "test", "1");
    let document = served_document(&service.spec());
    let reported = Arc::new(Mutex::new(Vec::new()));
    let told = reported.clone();
    let tell: Tell = Arc::new(move |difference| told.lock().unwrap().push(difference.to_owned()));
    let plumbing = Plumbing {
        tracer: Default::default(),
        ambient: Ambient::new(Arc::new(Still), Arc::new(Still)),
        tasks: TaskTracker::new(),
        body_limit_bytes: LIMIT,
        limits: Limits::unbounded(),
        strict: Some(tell),
        observe: Arc::new(|_, _, _, _| {}),
    };
    let served = Arc::new(Served { name: "odd", document, closed_query: false, plumbing });
    let response = TestClient::new(guarded::<Shape>(service, served)).get("/v1/odd").send().await;
    response.assert_status(StatusCode::INTERNAL_SERVER_ERROR);
    let difference = "GET /v1/odd breaks its published document: status 201 is not documented";
    response.assert_text(difference).await;
    assert_eq!(*reported.lock().unwrap(), [difference]);
}
