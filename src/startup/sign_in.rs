//! Signing in by the identity provider of the settings.

use std::sync::Arc;

use super::parse_url;
use crate::{
    app::tenancy::{
        Tenancy,
        sign_in::{CALLBACK, SignIn},
    },
    config::Config,
    domain::Result,
    provider::{
        http::Limits,
        oidc::{OidcApp, OidcClient},
    },
};

/// Builds the service.
///
/// # Errors
/// When a setting is wrong, or TLS cannot be set up on this machine.
pub(super) fn service(config: &Config, tenancy: Arc<Tenancy>) -> Result<SignIn> {
    let oidc = &config.oidc;
    if !oidc.is_configured() {
        return Ok(SignIn::without_provider(tenancy));
    }
    let redirect_uri = format!("{}{CALLBACK}", config.public_url().trim_end_matches('/'));
    let app = OidcApp {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.clone(),
        redirect_uri: parse_url("public_url", &redirect_uri)?,
    };
    let client = OidcClient::new(app, Limits::default())?;
    Ok(SignIn::new(tenancy, oidc.name.trim().to_owned(), client, knows_subjects(config)))
}

/// The subjects of members are those of the issuer of JWTs, where one is configured. Another issuer's subject of the same
/// text would be another person.
fn knows_subjects(config: &Config) -> bool {
    let jwt = &config.auth.jwt;
    let is_shared = !jwt.hs256_secret.expose().is_empty();
    !is_shared && (jwt.jwks_url.is_empty() || jwt.issuer == config.oidc.issuer)
}
