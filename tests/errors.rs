//! Tests of every kind of invalid request, in every dialect: each gets the dialect's own status, body and media type.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};
use tieline::{domain::tenancy::member::Role, openapi};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    identity,
    support::{Answer, Client, Database, Setup, TestApp},
};

const JSON: &str = "application/json";
const LIMIT: usize = 2000;

/// A method, a path, a body, and a pointer into it.
type Word = (Method, &'static str, fn() -> Value, &'static str);

/// Properties of a dialect that the tests need.
struct Dialect {
    name: &'static str,
    /// Any operation without a body.
    get: &'static str,
    /// An operation with a body: its method, its path, and a body in its form.
    write: (Method, &'static str, fn() -> Value),
    /// A required text member of that body, and the body without it.
    text: &'static str,
    /// A body with an unknown enum value, its operation, and the pointer to it; where the dialect has an enum.
    word: Option<Word>,
    /// Refuses unknown members.
    closed_bodies: bool,
    /// Names the organisation by a header.
    names_organisation: bool,
    /// An unknown path below the dialect's own.
    nothing: &'static str,
    /// An operation forbidden to a token with the scope `organisation:read`.
    closed: &'static str,
    /// Permissions for that one, and for the operation with a body.
    needs: [&'static str; 2],
}

const NATIVE: Dialect = Dialect {
    name: "native",
    get: "/v1/channels",
    write: (Method::POST, "/v1/channels", || json!({"name": "alerts"})),
    text: "name",
    word: Some((Method::POST, "/v1/tokens", || json!({"name": "t", "scopes": ["flying:read"]}), "/scopes/0")),
    closed_bodies: true,
    names_organisation: true,
    nothing: "/v1/channels/0199c1de-0000-7000-8000-00000000dead/nothing",
    closed: "/v1/channels",
    needs: ["channels:read", "channels:manage"],
};

const LINKBREAKERS: Dialect = Dialect {
    name: "linkbreakers",
    get: "/v1/slack-integrations",
    write: (Method::POST, "/v1/slack-integrations/oauth/complete", || json!({"code": "c", "state": "s"})),
    text: "state",
    word: Some((Method::PATCH, "/v1/slack-integrations", || json!({"status": "ON"}), "/status")),
    closed_bodies: true,
    names_organisation: true,
    nothing: "/v1/slack-integrations/nothing",
    closed: "/v1/slack-integrations",
    needs: ["slack:read", "slack:manage"],
};

const BOOMERANG: Dialect = Dialect {
    name: "boomerang",
    get: "/api/v2/integration?team=acme",
    write: (Method::POST, "/api/v2/integration/github/link", || json!({"ref": "4711", "team": "acme"})),
    text: "team",
    word: None,
    closed_bodies: false,
    names_organisation: false,
    nothing: "/api/v2/integration/nothing",
    closed: "/api/v2/integration/github/installation?team=acme",
    needs: ["github:read", "github:manage"],
};

const TELEX: Dialect = Dialect {
    name: "telex",
    get: "/organisations/acme/integrations",
    write: (
        Method::POST,
        "/organisations/acme/integrations",
        || json!({"name": "alerts", "json_url": "http://127.0.0.1:9/integration.json"}),
    ),
    text: "name",
    word: Some((
        Method::POST,
        "/v1/return/0199c1de-0000-7000-8000-00000000dead?key=k",
        || json!({"event_name": "e", "message": "m", "status": "on", "username": "u"}),
        "/status",
    )),
    closed_bodies: false,
    names_organisation: false,
    nothing: "/organisations/acme/nothing",
    closed: "/organisations/acme/integrations",
    needs: ["integrations:read", "integrations:manage"],
};

const BOTPRESS: Dialect = Dialect {
    name: "botpress",
    get: "/v1/admin/integrations",
    write: (
        Method::POST,
        "/v1/admin/integrations/iaks",
        || json!({"integrationId": "intver_01JVYWESY3BVAM5FR3XT9X813H", "note": "n"}),
    ),
    text: "integrationId",
    word: None,
    closed_bodies: true,
    names_organisation: false,
    nothing: "/v1/admin/nothing",
    closed: "/v1/admin/integrations",
    needs: ["integrations:read", "integrations:manage"],
};

const DIALECTS: [Dialect; 5] = [NATIVE, LINKBREAKERS, BOOMERANG, TELEX, BOTPRESS];

/// Botpress's type for native's code.
fn botpress(native: &str) -> &'static str {
    match native {
        "malformed_json" | "invalid" => "InvalidPayload",
        "invalid_parameter" => "InvalidQuery",
        "body_too_large" => "PayloadTooLarge",
        "unsupported_media_type" => "UnsupportedMediaType",
        "route_not_found" => "ResourceNotFound",
        "method_not_allowed" => "MethodNotFound",
        "unauthenticated" | "token_invalid" | "token_expired" | "token_revoked" => "Unauthorized",
        "forbidden" => "Forbidden",
        other => panic!("{other} has no type there"),
    }
}

/// Telex's message for native's code.
fn telex(native: &str) -> &'static str {
    match native {
        "malformed_json" | "invalid" | "invalid_parameter" => "Invalid request.",
        "body_too_large" => "Request body too large.",
        "unsupported_media_type" => "Unsupported media type.",
        "route_not_found" => "Path not found.",
        "method_not_allowed" => "Method not allowed.",
        "unauthenticated" | "token_invalid" | "token_expired" | "token_revoked" => "Unauthorized.",
        "forbidden" => "Forbidden.",
        other => panic!("{other} has no message there"),
    }
}

/// Boomerang's reason for native's code.
fn boomerang(native: &str) -> &'static str {
    match native {
        "malformed_json" => "BODY_NOT_JSON",
        "invalid" => "BODY_INVALID",
        "invalid_parameter" => "PARAMETER_INVALID",
        "body_too_large" => "BODY_TOO_LARGE",
        "unsupported_media_type" => "MEDIA_TYPE_UNSUPPORTED",
        "route_not_found" => "PATH_NOT_FOUND",
        "method_not_allowed" => "METHOD_NOT_ALLOWED",
        "unauthenticated" => "TOKEN_MISSING",
        "token_invalid" => "TOKEN_INVALID",
        "token_expired" => "TOKEN_EXPIRED",
        "token_revoked" => "TOKEN_REVOKED",
        "forbidden" => "PERMISSION_DENIED",
        other => panic!("{other} has no name there"),
    }
}

/// Expected error, in the terms of each dialect.
struct Expected {
    status: u16,
    /// Native's code and Linkbreakers' codeType.
    codes: (&'static str, &'static str),
    /// The violations, one by one: pointers or names of parameters.
    about: Vec<String>,
    /// Required parts of the message.
    says: Vec<String>,
}

fn expect(status: u16, native: &'static str, linkbreakers: &'static str) -> Expected {
    Expected { status, codes: (native, linkbreakers), about: Vec::new(), says: Vec::new() }
}

impl Expected {
    fn about(mut self, what: &str) -> Self {
        self.about.push(what.to_owned());
        self
    }

    fn says(mut self, words: &str) -> Self {
        self.says.push(words.to_owned());
        self
    }
}

fn strings(list: &Value, field: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

/// Asserts the whole error: status, media type, every member, and the headers common to all answers.
#[track_caller]
fn demand(answer: &Answer, dialect: &str, path: &str, expected: &Expected) {
    let context = format!("{dialect} {path}: {}", answer.text);
    let body = answer.ok(expected.status);
    let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let (message, about) = match dialect {
        "native" => {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{context}");
            let code = expected.codes.0;
            assert_eq!(body["code"], code, "{context}");
            assert_eq!(body["type"], format!("/problems#{code}"), "{context}");
            assert_eq!(body["status"], expected.status, "{context}");
            assert_eq!(body["instance"], path.split('?').next().unwrap(), "{context}");
            assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{context}");
            let all = ["code", "detail", "errors", "instance", "status", "title", "type"];
            let listed = !expected.about.is_empty();
            assert_eq!(keys, all.into_iter().filter(|key| listed || *key != "errors").collect::<Vec<_>>(), "{context}");
            (&body["detail"], strings(&body["errors"], "pointer"))
        }
        "linkbreakers" => {
            assert_eq!(answer.header("content-type"), "application/json", "{context}");
            assert_eq!(keys, ["code", "codeType", "details", "error", "message"], "{context}");
            let error = body["error"].as_object().unwrap();
            let mut keys: Vec<_> = error.keys().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, ["code", "codeType", "details", "message"], "{context}");
            assert_eq!(error["code"], expected.status, "{context}");
            assert_eq!(error["codeType"], expected.codes.1, "{context}");
            (&error["message"], strings(&error["details"], "field"))
        }
        "boomerang" => {
            assert_eq!(answer.header("content-type"), "application/json", "{context}");
            assert_eq!(keys, ["cause", "code", "message", "reason", "status", "timestamp"], "{context}");
            assert_eq!(body["code"], expected.status, "{context}");
            assert_eq!(body["reason"], boomerang(expected.codes.0), "{context}");
            let words = answer.status.canonical_reason().unwrap().to_uppercase().replace(' ', "_");
            assert_eq!(body["status"], format!("{} {words}", expected.status), "{context}");
            assert_eq!(body["cause"], Value::Null, "{context}");
            let timestamp = body["timestamp"].as_str().unwrap();
            assert!(timestamp.starts_with("2026-11-18T11:0") && timestamp.ends_with('Z'), "{context}");
            // It has no list: the violations are in the message.
            let message = body["message"].as_str().unwrap();
            assert!(expected.about.iter().all(|about| message.contains(about.as_str())), "{context}");
            (&body["message"], expected.about.clone())
        }
        "telex" => {
            assert_eq!(answer.header("content-type"), "application/json", "{context}");
            assert_eq!(keys, ["error", "message", "status", "status_code"], "{context}");
            assert_eq!(body["status"], "error", "{context}");
            assert_eq!(body["status_code"], expected.status, "{context}");
            assert_eq!(body["message"], telex(expected.codes.0), "{context}");
            // It has no list: the violations are in the error.
            let error = body["error"].as_str().unwrap();
            assert!(expected.about.iter().all(|about| error.contains(about.as_str())), "{context}");
            (&body["error"], expected.about.clone())
        }
        "botpress" => {
            assert_eq!(answer.header("content-type"), "application/json", "{context}");
            let all = ["code", "id", "message", "metadata", "type"];
            let listed = !expected.about.is_empty();
            assert_eq!(
                keys,
                all.into_iter().filter(|key| listed || *key != "metadata").collect::<Vec<_>>(),
                "{context}"
            );
            assert_eq!(body["code"], expected.status, "{context}");
            assert_eq!(body["type"], botpress(expected.codes.0), "{context}");
            let id = body["id"].as_str().unwrap();
            assert!(id.starts_with("err_2026111811") && id.len() == "err_20260228134956x68C11008".len(), "{context}");
            assert!(!answer.header("ratelimit-limit").is_empty(), "{context}");
            (&body["message"], strings(&body["metadata"]["issues"], "path"))
        }
        "rocketchat" => {
            assert_eq!(answer.header("content-type"), "application/json", "{context}");
            assert_eq!(keys, ["error", "success"], "{context}");
            assert_eq!(body["success"], false, "{context}");
            (&body["error"], expected.about.clone())
        }
        other => panic!("{other} has no errors here"),
    };
    // Botpress's messages begin with the location.
    let message = message.as_str().unwrap().replace("request/body ", "the body ");
    assert_eq!(about, expected.about, "{context}");
    for words in &expected.says {
        assert!(message.contains(words), "{words:?} is not in the message; {context}");
    }
    for ours in ["poem", "serde", "sqlx", "panicked", "src/"] {
        assert!(!answer.text.contains(ours), "{context}");
    }
    assert_eq!(answer.header("cache-control"), "no-store", "{context}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{context}");
    assert_eq!(answer.header("x-request-id").len(), 36, "{context}");
    assert_eq!(answer.header("www-authenticate").is_empty(), expected.status != 401, "{context}");
    assert_eq!(answer.header("allow").is_empty(), expected.status != 405, "{context}");
}

async fn start() -> TestApp {
    let settings = vec![
        ("TIELINE_SERVER__BODY_LIMIT_BYTES", LIMIT.to_string()),
        ("TIELINE_AUTH__JWT__HS256_SECRET", identity::SECRET.to_owned()),
    ];
    TestApp::start_with(Database::sqlite(), Setup { settings, ..Setup::default() }).await
}

/// The dialect's request with a body, before the body.
fn write(caller: &Client, dialect: &Dialect) -> RequestBuilder {
    caller.request(dialect.write.0.clone(), dialect.write.1)
}

/// Sends bytes as JSON to each dialect and asserts the same of each.
async fn demand_of_body(app: &TestApp, body: impl Fn(&Dialect) -> Vec<u8>, expected: impl Fn(&Dialect) -> Expected) {
    for dialect in &DIALECTS {
        let request = write(&app.owner, dialect).header(header::CONTENT_TYPE, JSON).body(body(dialect));
        demand(&app.owner.send(request).await, dialect.name, dialect.write.1, &expected(dialect));
    }
}

/// Sends text over a connection of its own, and returns the status and the rest of the answer.
async fn raw(request: RequestBuilder, rest: &[u8]) -> (u16, String) {
    let request = request.build().unwrap();
    let url = request.url();
    let mut connection = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\nHost: tieline\r\nConnection: close\r\n", request.method(), url.path());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    connection.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    connection.write_all(rest).await.unwrap();
    let mut answer = Vec::new();
    let all = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut answer));
    all.await.expect("an answer before the body is complete").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[tokio::test]
async fn invalid_json_is_reported_with_its_location() {
    let app = start().await;
    for (body, place) in [
        ("{\"name\": }", "line 1, column 10"),
        ("{\n  \"name\": \"a\",\n}", "line 3, column 1"),
        ("{", "line 1, column 1"),
        ("nonsense", "line 1, column 2"),
        ("{} {}", "line 1, column 4"),
        (" ", "line 1, column 1"),
        ("\u{feff}{}", "line 1, column 1"),
        ("{'name': 'a'}", "line 1, column 2"),
    ] {
        let expected = |_: &Dialect| expect(400, "malformed_json", "INVALID_ARGUMENT").says(place);
        demand_of_body(&app, |_| body.into(), expected).await;
    }
    demand_of_body(
        &app,
        |_| b"{\"name\": \"\xff\"}".into(),
        |_| expect(400, "malformed_json", "INVALID_ARGUMENT").says("line 1"),
    )
    .await;
    let deep = |_: &Dialect| "[".repeat(LIMIT).into_bytes();
    demand_of_body(&app, deep, |_| expect(400, "malformed_json", "INVALID_ARGUMENT").says("recursion")).await;
}

#[tokio::test]
async fn violations_are_reported_with_every_pointer() {
    let app = start().await;
    let invalid = || expect(400, "invalid", "INVALID_ARGUMENT");
    let with = |dialect: &Dialect, value: Value| {
        let mut body = (dialect.write.2)();
        body[dialect.text] = value;
        body.to_string().into_bytes()
    };
    let pointer = |dialect: &Dialect| format!("/{}", dialect.text);
    for wrong in [json!(5), json!(null), json!(["a"]), json!({}), json!(true)] {
        let expected = |dialect: &Dialect| invalid().about(&pointer(dialect)).says("must be a string");
        demand_of_body(&app, |dialect| with(dialect, wrong.clone()), expected).await;
    }
    let missing = |dialect: &Dialect| {
        let mut body = (dialect.write.2)();
        body.as_object_mut().unwrap().remove(dialect.text);
        body.to_string().into_bytes()
    };
    demand_of_body(&app, missing, |dialect| invalid().about(&pointer(dialect)).says("is required")).await;
    let more = |dialect: &Dialect| {
        let mut body = (dialect.write.2)();
        body["a/b~c"] = json!(1);
        body.to_string().into_bytes()
    };
    for dialect in DIALECTS.iter().filter(|dialect| dialect.closed_bodies) {
        let request = write(&app.owner, dialect).header(header::CONTENT_TYPE, JSON).body(more(dialect));
        let expected = invalid().about("/a~1b~0c").says("is not known here");
        demand(&app.owner.send(request).await, dialect.name, dialect.write.1, &expected);
    }
    for other in ["[]", "5", "null", "\"text\"", "true"] {
        demand_of_body(&app, |_| other.into(), |_| invalid().about("").says("the body must be an object")).await;
    }
    demand_of_body(&app, |_| Vec::new(), |_| invalid().about("").says("the body is required")).await;
    for dialect in &DIALECTS {
        let answer = app.owner.send(write(&app.owner, dialect)).await;
        demand(&answer, dialect.name, dialect.write.1, &invalid().about("").says("the body is required"));
        let Some((method, path, body, pointer)) = &dialect.word else { continue };
        let answer = app.owner.send(app.owner.request(method.clone(), path).json(&body())).await;
        demand(&answer, dialect.name, path, &invalid().about(pointer).says("must be one of"));
    }
}

#[tokio::test]
async fn a_value_of_the_callers_is_not_repeated() {
    let app = start().await;
    for dialect in &DIALECTS {
        let mut body = (dialect.write.2)();
        body["password"] = json!("hunter2");
        body[dialect.text] = json!({"secret": "hunter2"});
        let answer = app.owner.send(write(&app.owner, dialect).json(&body)).await;
        assert!(answer.status == 400 && !answer.text.contains("hunter2"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_body_is_json_by_its_content_type() {
    let app = start().await;
    for dialect in &DIALECTS {
        let body = || (dialect.write.2)().to_string();
        let refused = || expect(415, "unsupported_media_type", "INVALID_ARGUMENT").says(JSON);
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "json", ""]
        {
            let request = write(&app.owner, dialect).header(header::CONTENT_TYPE, other).body(body());
            demand(&app.owner.send(request).await, dialect.name, dialect.write.1, &refused().says(other));
        }
        let untyped = app.owner.send(write(&app.owner, dialect).body(body())).await;
        demand(&untyped, dialect.name, dialect.write.1, &refused().says("without a Content-Type"));
        for encoding in ["gzip", "br", "gzip, identity"] {
            let request = write(&app.owner, dialect).header(header::CONTENT_ENCODING, encoding);
            let request = request.header(header::CONTENT_TYPE, JSON).body(body());
            demand(&app.owner.send(request).await, dialect.name, dialect.write.1, &refused().says(encoding));
        }
        for good in ["application/json", "Application/JSON; Charset=UTF-8", "application/cloudevents+json"] {
            let request = write(&app.owner, dialect).header(header::CONTENT_TYPE, good);
            let answer = app.owner.send(request.header(header::CONTENT_ENCODING, "identity").body(body())).await;
            assert!(![400, 415].contains(&answer.status.as_u16()) || dialect.name != "native", "{}", answer.text);
            assert_ne!(answer.status, 415, "{}", answer.text);
            app.owner.delete(&format!("/v1/channels/{}", answer.json()["id"].as_str().unwrap_or("-"))).await;
        }
    }
}

#[tokio::test]
async fn a_body_has_an_end() {
    let app = start().await;
    let long = |length: usize| {
        let frame = json!({"name": ""}).to_string().len();
        json!({"name": "x".repeat(length - frame)}).to_string().into_bytes()
    };
    assert_eq!(long(LIMIT).len(), LIMIT);
    let too_long =
        |_: &Dialect| expect(413, "body_too_large", "INVALID_ARGUMENT").says(&format!("longer than {LIMIT} bytes"));
    demand_of_body(&app, |_| long(LIMIT + 1), too_long).await;
    for dialect in &DIALECTS {
        let json = || write(&app.owner, dialect).header(header::CONTENT_TYPE, JSON);
        let fits = app.owner.send(json().body(long(LIMIT))).await;
        assert_eq!(fits.status, 400, "{}", fits.text);

        let (status, answer) = raw(json().header(header::CONTENT_LENGTH, 1_000_000_000), b"").await;
        assert!(status == 413 && answer.contains("longer than"), "announced, and nothing sent: {answer}");
        let chunk = format!("200\r\n{}\r\n", "x".repeat(0x200)).repeat(4);
        let chunked = || json().header(header::TRANSFER_ENCODING, "chunked");
        let (status, answer) = raw(chunked(), chunk.as_bytes()).await;
        assert!(status == 413 && answer.contains("longer than"), "in pieces, without an end: {answer}");
        let (status, answer) = raw(chunked(), b"nonsense\r\n").await;
        assert!(status == 400 && answer.contains("could not be read"), "not even pieces: {answer}");
        let body = (dialect.write.2)().to_string();
        let pieces: String = body.chars().map(|char| format!("1\r\n{char}\r\n")).collect();
        let (status, answer) = raw(chunked(), format!("{pieces}0\r\n\r\n").as_bytes()).await;
        let is_unknown = dialect.name == "botpress" && status == 404;
        let taken = status == 201
            || is_unknown
            || answer.contains("OAuth state")
            || dialect.name == "boomerang" && status != 400;
        assert!(taken, "many small pieces: {answer}");
    }
}

#[tokio::test]
async fn a_path_that_nobody_serves_is_not_found_in_its_dialect() {
    let app = start().await;
    for dialect in &DIALECTS {
        let get = dialect.get.split('?').next().unwrap();
        for path in [dialect.nothing.to_owned(), format!("{get}/")] {
            for caller in [&app.owner, &app.anon] {
                let expected = expect(404, "route_not_found", "NOT_FOUND").says(&path);
                demand(&caller.get(&path).await, dialect.name, &path, &expected);
            }
        }
    }
    for path in ["/v1", "/v1/nothing", "/v1/channelsx", "/nothing", "/v1//channels"] {
        let answer = app.anon.post(path, &json!({})).await;
        assert_eq!(answer.problem(404, "route_not_found")["instance"], path, "{path}");
    }
    assert_eq!(app.owner.get("/v1/channels/%ff").await.status, 400, "no UTF-8");
    app.owner.get("/%ff").await.problem(404, "route_not_found");
    app.owner.get("/nothing/%ff").await.problem(404, "route_not_found");
}

#[tokio::test]
async fn every_path_says_which_methods_it_takes() {
    let app = start().await;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    for document in &openapi::documents().unwrap().dialects {
        for (template, item) in document.value["paths"].as_object().unwrap() {
            let filled = template.split('/').map(|part| if part.starts_with('{') { ID } else { part });
            let path = filled.collect::<Vec<_>>().join("/");
            let takes = |method: &&str| item.get(method.to_lowercase()).is_some();
            let works: Vec<&str> = methods.into_iter().filter(takes).collect();
            for method in methods {
                let request = app.anon.request(method.parse().unwrap(), &path);
                let answer = app.anon.send(request).await;
                if works.contains(&method) || (method == "HEAD" && works.contains(&"GET")) {
                    assert_ne!(answer.status, 405, "{method} {path}");
                    continue;
                }
                assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
                let allow: Vec<&str> = answer.header("allow").split(", ").collect();
                let head = works.contains(&"GET").then_some("HEAD");
                assert_eq!(allow, works.iter().copied().chain(head).collect::<Vec<_>>(), "{method} {path}");
                if method != "HEAD" {
                    let expected = expect(405, "method_not_allowed", "UNIMPLEMENTED").says(works[0]);
                    demand(&answer, document.name, &path, &expected);
                }
            }
        }
    }
}

const ID: &str = "0199c1de-0000-7000-8000-00000000dead";

#[tokio::test]
async fn a_malformed_id_is_reported_by_its_public_name() {
    let app = start().await;
    // Invitations know a subject by its JWT, and a personal token has none.
    let subject = identity::as_subject(&app, "somebody");
    let operator = app.operator().await;
    for document in &openapi::documents().unwrap().dialects {
        for (template, item) in document.value["paths"].as_object().unwrap() {
            let names: Vec<&str> =
                template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            for name in &names {
                let fill = |path: String, other: &&str| {
                    path.replace(&format!("{{{other}}}"), if other == name { "not-a-uuid" } else { ID })
                };
                let path = names.iter().fold(template.clone(), fill);
                for (method, operation) in item.as_object().unwrap() {
                    let parameters = operation["parameters"].as_array().unwrap();
                    let parameter = parameters.iter().find(|parameter| parameter["name"] == **name).unwrap();
                    if parameter["schema"]["format"] != "uuid" {
                        continue;
                    }
                    let method: Method = method.to_uppercase().parse().unwrap();
                    let caller = match path.split('/').nth(2) {
                        Some("invitations") => &subject,
                        Some("operator") => &operator,
                        _ => &app.owner,
                    };
                    let answer = caller.send(caller.request(method, &path)).await;
                    let expected = expect(400, "invalid_parameter", "INVALID_ARGUMENT").about(name).says(name);
                    demand(&answer, document.name, &path, &expected);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_caller_gets_the_reason() {
    let app = start().await;
    let expiring = json!({"name": "brief", "expiresAt": "2026-11-18T11:07:40Z"});
    let [expired, revoked] = [expiring, json!({"name": "lost"})].map(async |body| {
        let created = app.owner.post("/v1/tokens", &body).await.ok(201);
        let id = created["token"]["id"].as_str().unwrap().to_owned();
        (created["secret"].as_str().unwrap().to_owned(), id)
    });
    let ((expired, _), (revoked, revoked_id)) = (expired.await, revoked.await);
    app.owner.delete(&format!("/v1/tokens/{revoked_id}")).await.ok(204);
    app.advance(Duration::from_secs(60));
    let good = app.owner.post("/v1/tokens", &json!({"name": "good"})).await.ok(201);
    let good = good["secret"].as_str().unwrap().to_owned();
    let flipped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('A') { "B" } else { "A" });
    let bare = "Bearer";
    for (credential, code, challenge) in [
        (None, "unauthenticated", bare),
        (Some("Bearer nonsense".to_owned()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some("Bearer".to_owned()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some("Bearer ".to_owned()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some("Basic b2xnYTpwYXNz".to_owned()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some(good.clone()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some("Bearer tl_nonsense".to_owned()), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some(format!("Bearer {flipped}")), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some(format!("Bearer {}", "x".repeat(10_000))), "token_invalid", r#"Bearer error="invalid_token""#),
        (Some(format!("Bearer {expired}")), "token_expired", r#"Bearer error="invalid_token""#),
        (Some(format!("Bearer {revoked}")), "token_revoked", r#"Bearer error="invalid_token""#),
    ] {
        for dialect in &DIALECTS {
            // Authentication comes before the body.
            let asks = [(Method::GET, dialect.get), (dialect.write.0.clone(), dialect.write.1)];
            for (method, path) in asks {
                let mut request = app.anon.request(method, path).header(header::CONTENT_TYPE, JSON).body("{");
                if let Some(credential) = &credential {
                    request = request.header(header::AUTHORIZATION, credential);
                }
                let answer = app.anon.send(request).await;
                demand(&answer, dialect.name, path, &expect(401, code, "UNAUTHENTICATED"));
                assert_eq!(answer.header("www-authenticate"), challenge, "{credential:?}");
            }
        }
    }
    for scheme in ["bearer", "BEARER"] {
        let request = app.anon.request(Method::GET, NATIVE.get);
        app.anon.send(request.header(header::AUTHORIZATION, format!("{scheme} {good}"))).await.ok(200);
    }
}

#[tokio::test]
async fn the_organisation_that_is_named_must_be_the_callers() {
    let app = start().await;
    let globex = app.other("globex").await;
    let theirs = globex.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let ours = app.owner.get("/v1/organisations").await.ok(200)["data"][0]["id"].as_str().unwrap().to_owned();
    for dialect in DIALECTS.iter().filter(|dialect| dialect.names_organisation) {
        let name = async |id: &str| {
            app.owner.send(app.owner.request(Method::GET, dialect.get).header("X-Organisation-Id", id)).await
        };
        assert_eq!(name(&ours).await.status, 200);
        for id in [theirs.as_str(), ID] {
            demand(&name(id).await, dialect.name, dialect.get, &expect(401, "not_a_member", "UNAUTHENTICATED"));
        }
        for id in ["acme", "", "\u{e4}"] {
            let expected = expect(400, "invalid_parameter", "INVALID_ARGUMENT").about("X-Organisation-Id");
            demand(&name(id).await, dialect.name, dialect.get, &expected.says("must be a UUID"));
        }
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let app = start().await;
    let narrow = json!({"name": "narrow", "scopes": ["organisation:read"]});
    let narrow = app.owner.post("/v1/tokens", &narrow).await.ok(201);
    let narrow = app.anon.with_token(narrow["secret"].as_str().unwrap());
    for dialect in &DIALECTS {
        let expected = expect(403, "forbidden", "PERMISSION_DENIED").says(dialect.needs[0]);
        demand(&narrow.get(dialect.closed).await, dialect.name, dialect.closed, &expected);
        let member = app.caller("acme", "bob", Role::Member).await;
        let answer = member.send(write(&member, dialect).json(&(dialect.write.2)())).await;
        let expected = expect(403, "forbidden", "PERMISSION_DENIED").says(dialect.needs[1]);
        demand(&answer, dialect.name, dialect.write.1, &expected);
    }
}

#[tokio::test]
async fn a_database_takes_every_text_that_the_document_takes() {
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        let app = TestApp::start(database).await;
        app.slack.connect(&app.owner, "T0STANDIN", "C0ALERTS").await;
        for text in ["a\u{0}b", "\u{0}", "\u{1F980}", "\u{202e}", "\u{fffe}"] {
            for (method, path, body) in [
                (Method::PATCH, "/v1/slack-integrations", json!({"slackChannelName": text, "slackChannelId": text})),
                (Method::PATCH, "/v1/slack-integrations", json!({"slackChannelId": text})),
                (Method::PATCH, "/v1/slack-integrations", json!({"linkId": text})),
                (Method::POST, "/v1/slack-integrations/oauth/complete", json!({"code": text, "state": text})),
                (Method::POST, "/v1/organisations", json!({"slug": "some", "name": text})),
                (Method::POST, "/api/v2/integration/github/link", json!({"ref": text, "team": "acme", "code": text})),
                (Method::POST, "/api/v2/integration/github/unlink", json!({"ref": text, "team": text})),
                (Method::POST, "/organisations/acme/integrations", json!({"name": text, "json_url": text})),
                (Method::POST, "/organisations/acme/integrations/custom", json!({"json_url": text})),
                (Method::POST, "/v1/channels", json!({"name": text})),
                (Method::POST, "/v1/tokens", json!({"name": text})),
                (Method::POST, "/v1/events", json!({"type": "a", "attributes": {"branch": text}})),
                (Method::POST, "/v1/events", json!({"type": "a", "attributes": {text: "a"}})),
                (Method::POST, "/v1/events", json!({"type": "a", "data": {text: text}})),
            ] {
                let answer = app.owner.send(app.owner.request(method, path).json(&body)).await;
                assert!(answer.status.as_u16() < 500, "{path} {body}: {}", answer.text);
            }
        }
        for path in [
            "/v1/slack/oauth/callback?code=%00&state=%00",
            "/v1/channels?cursor=%00",
            "/v1/deliveries?state=%00",
            "/v1/github/callback?code=%00&state=%00&installation_id=1",
            "/api/v2/integration/slack/auth?code=%00&state=%00",
            "/api/v2/integration/github/installation?team=%00",
            "/api/v2/integration/slack/install?team=%00",
        ] {
            assert_eq!(app.owner.get(path).await.status, 400, "{path}");
        }
    }
}
