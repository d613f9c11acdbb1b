//! `oauth.v2.access`: a code for tokens, or a refresh token for newer ones.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::Call;
use crate::ids::same_secret;
use crate::slack::answer::{Answer, Outcome, Refusal};
use crate::slack::grants::{Consent, TOKEN_SECS, Token};
use crate::slack::workspace::{ENTERPRISE, Team};
use crate::slack::{App, Slack};

pub(super) fn access(call: &mut Call) -> Outcome {
    let app = call.slack.app();
    authenticate(call, &app)?;
    match call.params.text("grant_type") {
        None | Some("authorization_code") => exchange(call, &app),
        Some("refresh_token") => refresh(call, &app),
        Some(_) => Err("invalid_grant_type".into()),
    }
}

fn authenticate(call: &Call, app: &App) -> Result<(), Refusal> {
    let sent = |name: &str| call.params.text(name).unwrap_or_default().to_owned();
    let (id, secret) = match &call.basic {
        Some(pair) => pair.clone(),
        None => (sent("client_id"), sent("client_secret")),
    };
    if id != app.client_id {
        return Err("invalid_client_id".into());
    }
    if !same_secret(&secret, &app.client_secret) {
        return Err("bad_client_secret".into());
    }
    Ok(())
}

fn exchange(call: &Call, app: &App) -> Outcome {
    let slack = &call.slack;
    let now = slack.clock.now_secs();
    let code = call.params.required("code", "invalid_code")?;
    let redirect_uri = call.params.text("redirect_uri");
    let verifier = call.params.text("code_verifier");
    let consent = slack.grants.redeem(code, now, |consent| {
        if consent.client_id != app.client_id {
            return Err("invalid_code");
        }
        if consent.redirect_uri.as_deref() != redirect_uri {
            return Err("bad_redirect_uri");
        }
        if consent.challenge.as_deref().is_some_and(|wanted| verifier.map(challenge_of).as_deref() != Some(wanted)) {
            return Err("invalid_code_verifier");
        }
        Ok(())
    })?;
    Ok(Answer::ok(installed(slack, app, &consent, now)))
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

fn installed(slack: &Slack, app: &App, consent: &Consent, now: i64) -> Value {
    let team = &consent.team;
    let mut fields = Map::new();
    fields.insert("app_id".to_owned(), json!(app.id));
    fields.insert("authed_user".to_owned(), authed_user(slack, consent));
    if !consent.scopes.is_empty() {
        let expires_at = app.rotation.then_some(now + TOKEN_SECS);
        let token = slack.grants.install((team, consent.org_wide), &consent.scopes, &slack.ids, expires_at);
        let welcoming = if consent.org_wide { slack.teams() } else { vec![Arc::clone(team)] };
        welcoming.iter().for_each(|team| team.welcome_bot());
        bot_fields(&mut fields, slack, &token);
    }
    place_fields(&mut fields, (team, consent.org_wide));
    if let Some(channel) = consent.webhook_channel.as_deref().and_then(|id| team.channel(id)) {
        let key = slack.hooks.open_webhook(&slack.ids, Arc::clone(team), Arc::clone(&channel));
        let base = &slack.base;
        fields.insert(
            "incoming_webhook".to_owned(),
            json!({
                "channel": format!("#{}", channel.name),
                "channel_id": channel.id,
                "configuration_url": format!("{base}/{}/{}", team.id, channel.id),
                "url": format!("{base}/hooks/services/{}/{}/{key}", team.id, team.bot.bot_id),
            }),
        );
    }
    Value::Object(fields)
}

fn authed_user(slack: &Slack, consent: &Consent) -> Value {
    if consent.user_scopes.is_empty() {
        return json!({"id": consent.user});
    }
    let token = slack.grants.install_user(&consent.team, &consent.user, &consent.user_scopes, &slack.ids);
    json!({
        "id": consent.user,
        "scope": token.scope(),
        "access_token": token.secret,
        "token_type": "user",
    })
}

fn bot_fields(fields: &mut Map<String, Value>, slack: &Slack, token: &Arc<Token>) {
    fields.insert("scope".to_owned(), json!(token.scope()));
    fields.insert("token_type".to_owned(), json!("bot"));
    fields.insert("access_token".to_owned(), json!(token.secret));
    fields.insert("bot_user_id".to_owned(), json!(token.team.bot.user_id));
    if token.expires_at.is_some() {
        fields.insert("refresh_token".to_owned(), json!(slack.grants.refresh_token(token, &slack.ids)));
        fields.insert("expires_in".to_owned(), json!(TOKEN_SECS));
    }
}

fn place_fields(fields: &mut Map<String, Value>, (team, org_wide): (&Team, bool)) {
    let team = (!org_wide).then(|| json!({"id": team.id, "name": team.name}));
    let enterprise = org_wide.then(|| json!({"id": ENTERPRISE.id, "name": ENTERPRISE.name}));
    fields.insert("team".to_owned(), team.unwrap_or_default());
    fields.insert("enterprise".to_owned(), enterprise.unwrap_or_default());
    fields.insert("is_enterprise_install".to_owned(), Value::Bool(org_wide));
}

fn refresh(call: &Call, app: &App) -> Outcome {
    let slack = &call.slack;
    let secret = call.params.required("refresh_token", "invalid_refresh_token")?;
    let old = slack.grants.take_refresh(secret).ok_or("invalid_refresh_token")?;
    let expires_at = slack.clock.now_secs() + TOKEN_SECS;
    let token = slack.grants.install((&old.team, old.org_wide), &old.scopes, &slack.ids, Some(expires_at));
    let mut fields = Map::new();
    fields.insert("app_id".to_owned(), json!(app.id));
    bot_fields(&mut fields, slack, &token);
    place_fields(&mut fields, (&token.team, token.org_wide));
    Ok(Answer::ok(Value::Object(fields)))
}
