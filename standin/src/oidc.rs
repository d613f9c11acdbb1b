//! An identity provider that speaks OpenID Connect: discovery, a page on which a person is chosen, codes with PKCE, and
//! ID tokens that are signed with the stand-in's key.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use poem::http::StatusCode;
use poem::http::header::{AUTHORIZATION, LOCATION};
use poem::web::{Data, Json, Query};
use poem::{Request, Response, Route, get, handler, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::Url;

use crate::ids::{Ids, same_secret};
use crate::page::{Page, escape};
use crate::params::Params;
use crate::world::World;

/// Id and secret of the one application that it knows.
const CLIENT_ID: &str = "tieline-portal";
const CLIENT_SECRET: &str = "standin-oidc-secret";
const KEY_ID: &str = "standin";
const CODE_SECS: i64 = 60;
const TOKEN_SECS: i64 = 300;

/// People: the subject, the e-mail address, and whether it is verified.
const PEOPLE: [(&str, &str, bool); 4] = [
    ("ada", "ada@acme-standin.example", true),
    ("max", "max@acme-standin.example", true),
    ("eve", "ada@acme-standin.example", false),
    ("nobody", "nobody@elsewhere.example", true),
];

/// Codes that wait to be exchanged, and claims that the next ID tokens have in place of their own.
pub(crate) struct Oidc {
    ids: Ids,
    codes: Mutex<HashMap<String, Grant>>,
    claims: Mutex<Map<String, Value>>,
}

/// A person's consent.
struct Grant {
    person: usize,
    redirect_uri: String,
    nonce: Option<String>,
    challenge: String,
    expires_at: i64,
}

impl Default for Oidc {
    fn default() -> Self {
        Self { ids: Ids::new("oidc"), codes: Mutex::default(), claims: Mutex::default() }
    }
}

impl Oidc {
    /// Restores the initial state.
    pub(crate) fn clear(&self) {
        self.codes.lock().clear();
        self.claims.lock().clear();
    }
}

/// Adds the routes below `/oidc`, and the one of the control API.
pub(crate) fn routes(all: Route) -> Route {
    all.at("/oidc/.well-known/openid-configuration", get(configuration))
        .at("/oidc/jwks", get(keys))
        .at("/oidc/authorize", get(authorize))
        .at("/oidc/token", post(token))
        .at("/control/oidc/claims", post(change_claims))
}

fn issuer(world: &World) -> String {
    format!("{}/oidc", world.origin())
}

#[handler]
fn configuration(Data(world): Data<&Arc<World>>) -> Json<Value> {
    let issuer = issuer(world);
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

#[handler]
fn keys(Data(world): Data<&Arc<World>>) -> Json<Value> {
    let (modulus, exponent) = world.key().public_numbers();
    let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": text(&modulus), "e": text(&exponent),
    }]}))
}

/// Arguments of an authorization request.
#[derive(Deserialize)]
struct Ask {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    scope: String,
    #[serde(default)]
    state: String,
    nonce: Option<String>,
    code_challenge: String,
    code_challenge_method: String,
    /// The person, where one was chosen.
    login_hint: Option<String>,
}

#[handler]
fn authorize(request: &Request, Query(ask): Query<Ask>, Data(world): Data<&Arc<World>>) -> Response {
    let is_valid = ask.client_id == CLIENT_ID
        && ask.response_type == "code"
        && ask.code_challenge_method == "S256"
        && ask.scope.split(' ').any(|scope| scope == "openid");
    let back = Url::parse(&ask.redirect_uri).ok().filter(|_| is_valid);
    let Some(mut back) = back else { return problem("The request for an authorization is not valid.") };
    let Some(hint) = &ask.login_hint else { return choice(request) };
    let Some(person) = PEOPLE.iter().position(|(name, ..)| name == hint) else {
        return problem("Nobody has that name.");
    };
    let code = world.oidc.ids.secret("");
    let grant = Grant {
        person,
        redirect_uri: ask.redirect_uri,
        nonce: ask.nonce,
        challenge: ask.code_challenge,
        expires_at: world.clock.now_secs() + CODE_SECS,
    };
    world.oidc.codes.lock().insert(code.clone(), grant);
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", &ask.state);
    Response::builder().status(StatusCode::FOUND).header(LOCATION, back.as_str()).finish()
}

/// The page on which a person is chosen.
fn choice(request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let one = |(name, email, verified): &(&str, &str, bool)| {
        let state = if *verified { "" } else { ", not verified" };
        let link = format!("/oidc/authorize?{query}&login_hint={name}");
        format!("<li><a href=\"{}\">{name}</a> ({}{state})</li>", escape(&link), escape(email))
    };
    let people: String = PEOPLE.iter().map(one).collect();
    Page::new("Sign in", format!("<h1>Sign in as</h1><ul class=\"plain\">{people}</ul>")).into_response()
}

fn problem(text: &str) -> Response {
    let page = Page::new("Sign in", format!("<h1>Sign in</h1><p>{}</p>", escape(text)));
    let mut response = page.into_response();
    response.set_status(StatusCode::BAD_REQUEST);
    response
}

#[handler]
fn token(request: &Request, body: Vec<u8>, Data(world): Data<&Arc<World>>) -> Response {
    if !request.header(AUTHORIZATION).is_some_and(is_the_application) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let params = Params::form(&body);
    let text = |name: &str| params.text(name).unwrap_or_default();
    let grant = world.oidc.codes.lock().remove(text("code"));
    let now = world.clock.now_secs();
    let verified = |grant: &Grant| {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, text("code_verifier").as_bytes()));
        now < grant.expires_at && grant.redirect_uri == text("redirect_uri") && hash == grant.challenge
    };
    match grant.filter(verified) {
        Some(grant) if text("grant_type") == "authorization_code" => {
            let answer = json!({
                "access_token": world.oidc.ids.secret("at-"),
                "token_type": "Bearer",
                "expires_in": TOKEN_SECS,
                "id_token": id_token(world, &grant, now),
            });
            Response::builder().content_type("application/json").body(answer.to_string())
        }
        _ => refused(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    Response::builder().status(status).content_type("application/json").body(json!({"error": error}).to_string())
}

fn is_the_application(authorization: &str) -> bool {
    let sent = authorization.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
    let sent = sent.and_then(|pair| String::from_utf8(pair).ok());
    sent.is_some_and(|pair| same_secret(&pair, &format!("{CLIENT_ID}:{CLIENT_SECRET}")))
}

fn id_token(world: &World, grant: &Grant, now: i64) -> String {
    let (name, email, verified) = PEOPLE[grant.person];
    let mut claims = json!({
        "iss": issuer(world),
        "sub": format!("standin|{name}"),
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + TOKEN_SECS,
        "nonce": grant.nonce,
        "email": email,
        "email_verified": verified,
    });
    for (name, value) in &*world.oidc.claims.lock() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"})), part(&claims));
    let signature = world.key().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// `POST /control/oidc/claims`: claims of the next ID tokens in place of their own; `{}` for none.
#[handler]
fn change_claims(Json(claims): Json<Map<String, Value>>, Data(world): Data<&Arc<World>>) -> Json<Value> {
    *world.oidc.claims.lock() = claims;
    Json(json!({}))
}
