//! The stand-in GitHub from outside.

mod authorizing;
mod hooks;
mod installing;
mod rest;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::http::Method;
use serde_json::{Value, json};

use super::support::{Heard, Receiver, World};
use crate::Options;
use crate::github::key::Key;

const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A received answer.
struct Answer {
    status: u16,
    headers: poem::http::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Starts a stand-in whose app has one callback address.
async fn world() -> World {
    World::with(Options { github_callback_urls: vec![CALLBACK.to_owned()], ..Options::default() }).await
}

/// Signs a token as the app, with these claims in place of the usual ones.
fn jwt(claims: Value) -> String {
    let key = Key::load(None).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(&claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())))
}

fn app_token() -> String {
    let now = crate::clock::Clock::default().now_secs();
    jwt(json!({"iss": "4242", "iat": now - 60, "exp": now + 540}))
}

impl World {
    async fn rest(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        self.rest_at("/github/api/v3", method, path, token, body).await
    }

    async fn rest_at(&self, base: &str, method: Method, path: &str, token: &str, body: Value) -> Answer {
        let request = self.http.request(method, self.url(&format!("{base}{path}"))).header("user-agent", "tests");
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.json(&body).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    async fn ask(&self, path: &str, token: &str) -> Answer {
        self.rest(Method::GET, path, token, Value::Null).await
    }

    async fn install_in(&self, account: &str) -> u64 {
        let made = self.control("/github/installations", json!({"account": account, "webhook": false})).await;
        made["id"].as_u64().unwrap()
    }

    async fn trade(&self, fields: &[(&str, &str)]) -> Value {
        let mut form = vec![("client_id", "Iv1.standin"), ("client_secret", "standin-github-client-secret")];
        form.extend_from_slice(fields);
        let url = self.url("/github/login/oauth/access_token");
        let request = self.http.post(url).header("accept", "application/json").form(&form);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    async fn user_token(&self, user: &str) -> String {
        let granted = self.control("/github/authorize", json!({"redirect_uri": CALLBACK, "user": user})).await;
        let tokens = self.trade(&[("code", granted["code"].as_str().unwrap()), ("redirect_uri", CALLBACK)]).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    async fn installation_token(&self, id: u64) -> String {
        let path = format!("/app/installations/{id}/access_tokens");
        let answer = self.rest(Method::POST, &path, &app_token(), json!({})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// Presses the button of a form.
    async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.http.post(self.url(path)).form(fields).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Configures an address for webhooks, with a receiver that listens there.
    async fn listening(&self) -> std::sync::Arc<Receiver> {
        let (app, url) = Receiver::start().await;
        self.control("/github/app", json!({"webhookUrl": url})).await;
        app
    }
}

/// Event and action of a received request.
fn what(heard: &Heard) -> String {
    format!("{}.{}", heard.header("x-github-event"), heard.json()["action"].as_str().unwrap_or_default())
}

/// Parses the query of an address.
fn query(location: &str) -> Vec<(String, String)> {
    url::Url::parse(location).unwrap().query_pairs().into_owned().collect()
}
