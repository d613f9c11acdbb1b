//! The exchange of a code, or of a refresh token, for a user's token. Every answer has status 200, errors too.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::Call;
use super::answer::{Answer, Outcome};
use crate::github::grants::{Consent, REFRESH_SECS, USER_TOKEN_SECS, UserTokens};
use crate::ids::same_secret;

/// Error code of GitHub and its description.
type Problem = (&'static str, &'static str);

const BAD_CODE: Problem = ("bad_verification_code", "The code passed is incorrect or expired.");

pub(super) fn access_token(call: &Call) -> Outcome {
    Ok(match exchange(call) {
        Ok(tokens) => Answer::oauth(
            call,
            &[
                ("access_token", json!(tokens.access)),
                ("expires_in", json!(USER_TOKEN_SECS)),
                ("refresh_token", json!(tokens.refresh)),
                ("refresh_token_expires_in", json!(REFRESH_SECS)),
                ("scope", json!("")),
                ("token_type", json!("bearer")),
            ],
        ),
        Err((error, description)) => Answer::oauth(
            call,
            &[
                ("error", json!(error)),
                ("error_description", json!(description)),
                (
                    "error_uri",
                    json!(
                        "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"
                    ),
                ),
            ],
        ),
    })
}

fn exchange(call: &Call) -> Result<UserTokens, Problem> {
    let text = |name: &str| call.params.text(name).unwrap_or_default();
    if text("client_id") != call.app.client_id || !same_secret(text("client_secret"), &call.app.client_secret) {
        return Err(("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."));
    }
    match call.params.text("grant_type").unwrap_or("authorization_code") {
        "authorization_code" => {}
        "refresh_token" => {
            let renewed = call.github.grants.refresh(text("refresh_token"), call.now);
            return renewed.ok_or(("bad_refresh_token", "The refresh token passed is incorrect or expired."));
        }
        _ => return Err(("unsupported_grant_type", "The grant_type passed is not supported.")),
    }
    let consent = call.github.grants.redeem(text("code"), call.now).ok_or(BAD_CODE)?;
    check(call, &consent)?;
    Ok(call.github.grants.user_tokens(consent.user, call.now))
}

fn check(call: &Call, consent: &Consent) -> Result<(), Problem> {
    let sent = call.params.text("redirect_uri");
    if sent.is_some_and(|sent| consent.redirect_uri.as_deref() != Some(sent)) {
        return Err((
            "redirect_uri_mismatch",
            "The redirect_uri MUST match the registered callback URL for this application.",
        ));
    }
    let hash = |verifier: &str| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let shown = call.params.text("code_verifier").map(hash);
    if consent.challenge.is_some() && shown != consent.challenge { Err(BAD_CODE) } else { Ok(()) }
}
