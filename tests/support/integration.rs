//! An app as its author would run it: a real server on loopback that serves its descriptor, answers as configured, and
//! records its calls.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use jsonschema::Validator;
use poem::{
    Body, Endpoint, IntoResponse, Request, Response, Route, Server,
    endpoint::make,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Value, json};

/// Answer to a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This JSON, with 200.
    Json(Value),
    /// This status and text.
    Text(u16, String),
    /// A redirection.
    Redirect(String),
    /// This many bytes of nonsense.
    Bytes(usize),
    /// This JSON, after a delay.
    Late(Duration, Value),
    /// Headers, and a body that never ends.
    Drip,
    /// The changed message: `{}` stands for the former one.
    Change(String),
    /// This status, and a `Retry-After` of this many seconds.
    Pause(u16, u32),
}

/// A received call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path: `/target` or `/tick`.
    pub path: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    #[allow(dead_code, reason = "for tests of signatures")]
    pub raw: Vec<u8>,
    /// The bytes as JSON.
    pub body: Value,
}

impl Call {
    /// A header; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

#[derive(Default)]
struct Memory {
    document: String,
    described: Option<Reply>,
    reply: Option<Reply>,
    calls: Vec<Call>,
}

/// A running app.
pub struct Integration {
    memory: Arc<Mutex<Memory>>,
    base: String,
    server: tokio::task::JoinHandle<()>,
}

impl Integration {
    /// Starts one of a type, with these settings in its descriptor.
    pub async fn start(kind: &str, settings: Value) -> Self {
        Self::start_at("127.0.0.1", kind, settings).await
    }

    /// Starts one at an address of this machine.
    pub async fn start_at(host: &str, kind: &str, settings: Value) -> Self {
        let memory: Arc<Mutex<Memory>> = Arc::default();
        let acceptor = TcpListener::bind(format!("{host}:0")).into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let base = format!("http://{host}:{}", address.port());
        let routes = Route::new().at("/*path", answering(memory.clone()));
        let server = tokio::spawn(async move { Server::new_with_acceptor(acceptor).run(routes).await.unwrap() });
        let this = Self { memory, base, server };
        this.describe(&this.descriptor(kind, settings).to_string());
        this
    }

    /// A valid descriptor of itself.
    pub fn descriptor(&self, kind: &str, settings: Value) -> Value {
        json!({"data": {
            "date": {"created_at": "2026-11-18", "updated_at": "2026-11-18"},
            "descriptions": {
                "app_name": format!("A {kind}"), "app_description": "For tests", "app_url": self.base,
                "app_logo": format!("{}/logo.png", self.base), "background_color": "#fff",
            },
            "is_active": true, "integration_type": kind, "integration_category": "Task Automation",
            "settings": settings,
            "target_url": format!("{}/target", self.base), "tick_url": format!("{}/tick", self.base),
        }})
    }

    /// The document that it serves as its descriptor.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.memory.lock().unwrap().document).unwrap()
    }

    /// Names a callback, and a page of an OAuth flow, at a server in its descriptor.
    pub fn authorise_at(&self, base: &str) {
        let mut document = self.document();
        document["data"]["auth_callback"] = json!(format!("{base}/callback"));
        document["data"]["is_oauth"] = json!(true);
        document["data"]["auth_initiate_url"] = json!(format!("{base}/connect?app=1"));
        self.describe(&document.to_string());
    }

    /// Serves this as its descriptor.
    pub fn describe(&self, document: &str) {
        self.memory.lock().unwrap().document = document.to_owned();
    }

    /// Sets any other answer to requests for its descriptor.
    pub fn describe_by(&self, reply: Reply) {
        self.memory.lock().unwrap().described = Some(reply);
    }

    /// URL of its descriptor.
    pub fn json_url(&self) -> String {
        format!("{}/integration.json", self.base)
    }

    /// Base address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sets its answer from now on.
    pub fn reply(&self, reply: Reply) {
        self.memory.lock().unwrap().reply = Some(reply);
    }

    /// Returns the received calls, each validated against the published description of our messages.
    #[track_caller]
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.memory.lock().unwrap().calls.clone();
        for call in &calls {
            assert!(is_documented(&call.path, &call.body), "{} is not as the document says: {}", call.path, call.body);
        }
        calls
    }
}

impl Drop for Integration {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts a body that matches one of the `webhooks` in the published document. The output of a script is not
/// described.
pub fn is_documented(path: &str, body: &Value) -> bool {
    static WEBHOOKS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
        let document: Value = serde_json::from_slice(&std::fs::read("openapi/tieline.json").unwrap()).unwrap();
        let of = |item: &Value| {
            let mut schema = item["post"]["requestBody"]["content"]["application/json"]["schema"].clone();
            schema["components"] = json!({"schemas": document["components"]["schemas"]});
            jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
        };
        let webhooks = document["webhooks"].as_object().unwrap();
        webhooks.iter().map(|(name, item)| (name.clone(), of(item))).collect()
    });
    match path {
        "/target" => WEBHOOKS["integrationMessage"].is_valid(body),
        "/tick" => WEBHOOKS["integrationTick"].is_valid(body),
        "/callback" => WEBHOOKS["integrationCallback"].is_valid(body),
        "/action" => WEBHOOKS["integrationAction"].is_valid(body),
        // A template writes what it likes.
        "/hook" if body.get("timestamp").is_some() && body.get("source").is_some() => {
            WEBHOOKS["eventNotification"].is_valid(body)
        }
        _ if body.get("bot").is_some() => WEBHOOKS.values().any(|webhook| webhook.is_valid(body)),
        _ => true,
    }
}

fn answering(memory: Arc<Mutex<Memory>>) -> impl Endpoint {
    make(move |mut request: Request| {
        let memory = memory.clone();
        async move {
            let path = request.uri().path().to_owned();
            if path.ends_with(".json") {
                let (document, described) = {
                    let memory = memory.lock().unwrap();
                    (memory.document.clone(), memory.described.clone())
                };
                return Ok::<_, poem::Error>(match described {
                    Some(reply) => answer(reply, &Value::Null).await,
                    None => document.with_content_type("application/json").into_response(),
                });
            }
            let raw = request.take_body().into_bytes().await.unwrap().to_vec();
            let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
            let headers = request.headers().iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()));
            let call = Call {
                method: request.method().to_string(),
                path,
                headers: headers.collect(),
                raw,
                body: body.clone(),
            };
            let reply = {
                let mut memory = memory.lock().unwrap();
                memory.calls.push(call);
                memory.reply.clone()
            };
            Ok(answer(reply.unwrap_or(Reply::Text(202, String::new())), &body).await)
        }
    })
}

async fn answer(reply: Reply, body: &Value) -> Response {
    let json = |value: Value| value.to_string().with_content_type("application/json").into_response();
    let status = |status| Response::builder().status(StatusCode::from_u16(status).unwrap());
    match reply {
        Reply::Json(value) => json(value),
        Reply::Text(code, text) => status(code).body(text),
        Reply::Redirect(to) => status(302).header("location", to).body(()),
        Reply::Bytes(count) => Response::builder().body(Body::from(vec![b'x'; count])),
        Reply::Drip => {
            let drip = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Ok::<_, std::io::Error>(" "), ()))
            });
            Response::builder().body(Body::from_bytes_stream(drip))
        }
        Reply::Late(pause, value) => {
            tokio::time::sleep(pause).await;
            json(value)
        }
        Reply::Change(pattern) => {
            let message = body["message"].as_str().unwrap_or_default();
            json(json!({"message": pattern.replace("{}", message)}))
        }
        Reply::Pause(code, seconds) => status(code).header("retry-after", seconds).body(()),
    }
}
