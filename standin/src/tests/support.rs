//! A stand-in with a client, a receiver that records the requests sent to it, and helpers common to the tests.

use std::sync::Arc;

use parking_lot::Mutex;
use poem::http::{HeaderMap, StatusCode};
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{EndpointExt, Request, Response, Route, Server, handler};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Options, Standin};

pub(super) const REDIRECT: &str = "http://127.0.0.1:9/callback";
const SCOPES: &str = "chat:write,channels:read,groups:read,channels:join,users:read";

/// A client that follows no redirects.
#[allow(clippy::disallowed_methods, reason = "tests speak to loopback only")]
pub(super) fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([])
}

/// A stand-in and a client that follows no redirects.
pub(super) struct World {
    pub(super) standin: Standin,
    pub(super) http: reqwest::Client,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let http = client().build().unwrap();
        Self { standin: Standin::start(options).await.unwrap(), http }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.standin.origin())
    }

    pub(super) async fn control(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(self.url(&format!("/control{path}"))).json(&body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn look(&self, path: &str) -> Value {
        let response = self.http.get(self.url(&format!("/control{path}"))).send().await.unwrap();
        response.json().await.unwrap()
    }

    pub(super) async fn page(&self, path: &str) -> String {
        self.http.get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    /// Calls a method with JSON.
    pub(super) async fn call(&self, token: &str, method: &str, body: Value) -> Value {
        self.try_call(token, method, body).await.unwrap().json().await.unwrap()
    }

    pub(super) async fn try_call(&self, token: &str, method: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let url = self.url(&format!("/slack/api/{method}"));
        self.http.post(url).bearer_auth(token).json(&body).send().await
    }

    pub(super) async fn post(&self, token: &str, channel: &str, text: &str) -> Value {
        self.call(token, "chat.postMessage", json!({"channel": channel, "text": text})).await
    }

    pub(super) async fn exchange(&self, fields: &[(&str, &str)]) -> Value {
        let mut form = vec![("client_id", "1111111111.2222222222"), ("client_secret", "standin-client-secret")];
        form.extend_from_slice(fields);
        let url = self.url("/slack/api/oauth.v2.access");
        self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn code(&self, scope: &str) -> String {
        let order = json!({"redirect_uri": REDIRECT, "scope": scope});
        self.control("/slack/authorize", order).await["code"].as_str().unwrap().to_owned()
    }

    /// A bot token with these scopes.
    pub(super) async fn install_with(&self, scope: &str) -> String {
        let code = self.code(scope).await;
        let tokens = self.exchange(&[("code", &code), ("redirect_uri", REDIRECT)]).await;
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    pub(super) async fn install(&self) -> String {
        self.install_with(SCOPES).await
    }
}

/// A request recorded by the receiver: the relevant headers and the body.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) retry: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Heard {
    /// Returns a header, or an empty text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The app's side: it answers as configured, 200 by default.
#[derive(Default)]
pub(super) struct Receiver {
    heard: Mutex<Vec<Heard>>,
    answers: Mutex<Vec<(u16, String)>>,
}

impl Receiver {
    /// Starts it and returns its address.
    pub(super) async fn start() -> (Arc<Self>, String) {
        let receiver = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let routes = Route::new().at("/in", hear).data(Arc::clone(&receiver));
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
        (receiver, url)
    }

    /// Queues the next answers, last first.
    pub(super) fn answers(&self, answers: &[(u16, &str)]) {
        *self.answers.lock() = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    }

    /// Waits for a number of requests.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Heard> {
        for _ in 0..500 {
            if self.heard.lock().len() >= count {
                return self.heard.lock().clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{count} requests did not come: {:?}", self.heard.lock());
    }
}

#[handler]
async fn hear(request: &Request, body: String, Data(receiver): Data<&Arc<Receiver>>) -> Response {
    let header = |name: &str| request.header(name).map(str::to_owned);
    let challenge =
        serde_json::from_str::<Value>(&body).ok().and_then(|body| body["challenge"].as_str().map(str::to_owned));
    receiver.heard.lock().push(Heard {
        timestamp: header("x-slack-request-timestamp").map_or(0, |text| text.parse().unwrap()),
        signature: header("x-slack-signature").unwrap_or_default(),
        retry: header("x-slack-retry-num"),
        reason: header("x-slack-retry-reason"),
        headers: request.headers().clone(),
        body,
    });
    let (status, text) = receiver.answers.lock().pop().unwrap_or((200, challenge.unwrap_or_default()));
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(text)
}
