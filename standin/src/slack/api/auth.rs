//! Identity and revocation: `auth.*` and `apps.uninstall`.

use std::sync::Arc;

use serde_json::json;

use super::Call;
use super::conversations::{DEFAULT_LIMIT, LARGEST_LIMIT, cursor, position};
use crate::ids::same_secret;
use crate::slack::answer::{Answer, Outcome};
use crate::slack::grants::Holder;
use crate::slack::workspace::ENTERPRISE;

pub(super) fn api_test(_: &mut Call) -> Outcome {
    Ok(Answer::ok(json!({})))
}

pub(super) fn test(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let team = &token.team;
    let url = format!("{}/{}/", call.slack.base, team.id);
    let mut fields = json!({"url": url, "team": team.name, "team_id": team.id, "is_enterprise_install": false});
    if token.org_wide {
        let (id, name) = (ENTERPRISE.id, ENTERPRISE.name);
        fields = json!({"url": url, "team": name, "team_id": id, "enterprise_id": id, "is_enterprise_install": true});
    }
    match &token.holder {
        Holder::Bot => {
            fields["user"] = json!(team.bot.name.to_lowercase());
            fields["user_id"] = json!(team.bot.user_id);
            fields["bot_id"] = json!(team.bot.bot_id);
        }
        Holder::User(id) => {
            fields["user"] = json!(team.user(id).map(|user| user.name));
            fields["user_id"] = json!(id);
        }
    }
    if let Some(at) = token.expires_at {
        fields["expires_in"] = json!(at - call.slack.clock.now_secs());
    }
    Ok(Answer::ok(fields))
}

/// The workspaces in which the token acts.
pub(super) fn teams(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let limit = match call.params.number("limit") {
        Ok(None) | Ok(Some(0)) => DEFAULT_LIMIT,
        Ok(Some(limit @ 1..=LARGEST_LIMIT)) => limit as usize,
        _ => return Err("invalid_limit".into()),
    };
    let start = call.params.text("cursor").map_or(Some(0), position).ok_or("invalid_cursor")?;
    let all = if token.org_wide { call.slack.teams() } else { vec![Arc::clone(&token.team)] };
    let page = all.iter().skip(start).take(limit).map(|team| json!({"id": team.id, "name": team.name}));
    let next = if start + limit < all.len() { cursor(start + limit) } else { String::new() };
    Ok(Answer::ok(json!({"teams": page.collect::<Vec<_>>(), "response_metadata": {"next_cursor": next}})))
}

/// Ends the token; the app stays installed.
pub(super) fn revoke(call: &mut Call) -> Outcome {
    let token = call.token()?;
    if call.params.flag("test") {
        return Ok(Answer::ok(json!({"revoked": false})));
    }
    call.slack.grants.revoke(&token);
    let (people, bots) = match &token.holder {
        Holder::Bot => (Vec::new(), vec![token.team.bot.user_id.clone()]),
        Holder::User(id) => (vec![id.clone()], Vec::new()),
    };
    call.slack.notify_tokens_revoked(&token.team, people, bots);
    Ok(Answer::ok(json!({"revoked": true})))
}

pub(super) fn uninstall(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let app = call.slack.app();
    if call.params.text("client_id") != Some(&app.client_id) {
        return Err("client_id_token_mismatch".into());
    }
    if !same_secret(call.params.text("client_secret").unwrap_or_default(), &app.client_secret) {
        return Err("bad_client_secret".into());
    }
    call.slack.uninstall(&token.team);
    Ok(Answer::ok(json!({})))
}
