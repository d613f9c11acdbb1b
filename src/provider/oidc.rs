//! An identity provider that speaks OpenID Connect: its configuration, the exchange of a code, and the ID token.
//!
//! Not here: the browser's cookie, and the member that a subject means (`app::tenancy::sign_in`).

use base64::{Engine, prelude::BASE64_STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use reqwest::{Client, RequestBuilder, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::{Url, form_urlencoded};

use super::{
    http::{self, Limits},
    jwks::JwksSource,
};
use crate::domain::{Error, Result, ambient::Time, error::AuthFailure, secret::Secret};

/// Maximum size of an answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Tolerated difference between the provider's clock and ours, in seconds.
const LEEWAY_SECS: i64 = 60;
/// Accepted algorithms: signatures by a key that the provider publishes. HS256 would make the client's secret a key.
const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// The application as it is registered with the provider.
#[derive(Clone, Debug)]
pub struct OidcApp {
    /// Issuer, compared exactly.
    pub issuer: String,
    /// Id of the application.
    pub client_id: String,
    /// Its secret; empty for a public client, which PKCE protects.
    pub client_secret: Secret,
    /// Address to which the browser comes back.
    pub redirect_uri: Url,
}

/// Client of an identity provider that the operator configured.
#[derive(Clone, Debug)]
pub struct OidcClient {
    app: OidcApp,
    http: Client,
    keys: JwksSource,
    limits: Limits,
}

/// Addresses of a provider (OpenID Connect Discovery, 3).
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoints {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

/// Values that bind an answer to the browser that asked (RFC 6749, 10.12; RFC 7636; OpenID Connect Core, 3.1.2.1).
#[derive(Clone, Debug)]
pub struct Binding {
    /// Returned with the code.
    pub state: String,
    /// Returned in the ID token.
    pub nonce: String,
    /// PKCE: sent with the code.
    pub verifier: Secret,
    /// PKCE: hash of the verifier.
    pub challenge: String,
}

/// A person as the provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Subject.
    pub subject: String,
    /// E-mail address that the provider has verified.
    pub verified_email: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    aud: serde_json::Value,
    azp: Option<String>,
    exp: f64,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
}

impl OidcClient {
    /// Creates a client with these limits.
    ///
    /// # Errors
    /// [`Error::Internal`] when TLS cannot be set up on this machine.
    pub fn new(app: OidcApp, limits: Limits) -> Result<Self> {
        Ok(Self { app, http: http::client(&limits)?, keys: JwksSource::new(limits)?, limits })
    }

    /// Fetches the addresses of the provider.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also for the configuration of another issuer.
    pub async fn discover(&self) -> Result<Endpoints> {
        let address = format!("{}/.well-known/openid-configuration", self.app.issuer.trim_end_matches('/'));
        let found: Endpoints = self.json(self.http.get(address).header(header::ACCEPT, "application/json")).await?;
        // Discovery, 4.3: otherwise one provider could speak for another.
        if found.issuer == self.app.issuer {
            return Ok(found);
        }
        tracing::warn!(issuer = found.issuer, "the identity provider has another issuer than oidc.issuer");
        Err(unavailable())
    }

    /// Returns the page of the provider at which a person signs in.
    pub fn authorization_url(&self, endpoints: &Endpoints, binding: &Binding) -> Url {
        let mut url = endpoints.authorization_endpoint.clone();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.app.client_id),
            ("redirect_uri", self.app.redirect_uri.as_str()),
            ("scope", "openid email"),
            ("state", &binding.state),
            ("nonce", &binding.nonce),
            ("code_challenge", &binding.challenge),
            ("code_challenge_method", "S256"),
        ]);
        url
    }

    /// Exchanges a code, and returns the person whom the ID token names.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a code that is refused or a token that is not valid; [`Error::Unavailable`].
    pub async fn person(&self, endpoints: &Endpoints, code: &str, binding: &Binding, now: Time) -> Result<Person> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.app.redirect_uri.as_str()),
            ("code_verifier", binding.verifier.expose()),
            ("client_id", &self.app.client_id),
        ];
        let request = self.http.post(endpoints.token_endpoint.clone()).header(header::ACCEPT, "application/json");
        let tokens: Tokens = self.json(self.authenticated(request).form(&form)).await?;
        let keys = self.keys.fetch(&endpoints.jwks_uri).await?;
        self.verified(&tokens.id_token, &keys, &binding.nonce, now).ok_or(Error::Unauthenticated(AuthFailure::Invalid))
    }

    /// Authenticates the application by `client_secret_basic`, which every provider has to know (RFC 6749, 2.3.1).
    fn authenticated(&self, request: RequestBuilder) -> RequestBuilder {
        if self.app.client_secret.expose().is_empty() {
            return request;
        }
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&self.app.client_id), encoded(self.app.client_secret.expose()));
        let value = header::HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)));
        match value {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(header::AUTHORIZATION, value)
            }
            Err(_) => request,
        }
    }

    /// Validates an ID token (OpenID Connect Core, 3.1.3.7).
    fn verified(&self, token: &str, keys: &JwkSet, nonce: &str, now: Time) -> Option<Person> {
        let head = decode_header(token).ok().filter(|head| ALGORITHMS.contains(&head.alg))?;
        let key = match &head.kid {
            Some(kid) => keys.find(kid)?,
            None => keys.keys.first().filter(|_| keys.keys.len() == 1)?,
        };
        let mut validation = Validation::new(head.alg);
        // The library reads the ambient clock.
        validation.validate_exp = false;
        validation.set_audience(&[&self.app.client_id]);
        validation.set_issuer(&[&self.app.issuer]);
        validation.required_spec_claims = ["exp", "iss", "aud", "sub"].map(str::to_owned).into();
        let claims = decode::<Claims>(token, &DecodingKey::from_jwk(key).ok()?, &validation);
        let claims = claims.inspect_err(|error| tracing::debug!(kind = ?error.kind(), "an ID token was refused"));
        let claims = claims.ok()?.claims;
        let is_ours = claims.iss == self.app.issuer && self.is_authorised_party(&claims);
        #[allow(clippy::cast_possible_truncation, reason = "it saturates")]
        let is_current = (claims.exp.floor() as i64).saturating_add(LEEWAY_SECS) > now.timestamp();
        let is_answer = claims.nonce.as_deref() == Some(nonce);
        let is_plain = !claims.sub.is_empty() && claims.sub.len() <= 255 && !claims.sub.chars().any(char::is_control);
        (is_ours && is_current && is_answer && is_plain).then(|| Person {
            subject: claims.sub,
            verified_email: claims.email.filter(|_| claims.email_verified.as_ref().is_some_and(is_true)),
        })
    }

    /// Of several audiences the token has to name the one that it was issued to.
    fn is_authorised_party(&self, claims: &Claims) -> bool {
        let is_only = claims.aud.as_array().is_none_or(|all| all.len() == 1);
        claims.azp.as_deref().map_or(is_only, |party| party == self.app.client_id)
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let (got, failure) = http::exchange(request, self.limits.total, MAX_ANSWER_BYTES).await;
        let status = got.status.map(|status| status.as_u16());
        match (got.status, failure) {
            (Some(StatusCode::OK), None) => {
                if let Ok(found) = serde_json::from_slice(&got.body) {
                    return Ok(found);
                }
            }
            // A code that is used up or too old.
            (Some(StatusCode::BAD_REQUEST), None) => return Err(Error::Unauthenticated(AuthFailure::Invalid)),
            _ => {}
        }
        let failure = failure.map(http::Unreachable::as_str);
        tracing::warn!(status, failure, "the identity provider did not answer as it should");
        Err(unavailable())
    }
}

/// Some providers write the claim as a text.
fn is_true(claim: &serde_json::Value) -> bool {
    claim == true || claim == "true"
}

fn unavailable() -> Error {
    Error::Unavailable { what: "the identity provider" }
}
