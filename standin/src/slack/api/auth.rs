//! Who am I, and no longer: `auth.*` and `apps.uninstall`.

use serde_json::json;

use super::Call;
use crate::ids::same_secret;
use crate::slack::answer::{Answer, Outcome};
use crate::slack::grants::Holder;

pub(super) fn api_test(_: &mut Call) -> Outcome {
    Ok(Answer::ok(json!({})))
}

pub(super) fn test(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let team = &token.team;
    let url = format!("{}/{}/", call.slack.base, team.id);
    let mut fields = json!({"url": url, "team": team.name, "team_id": team.id, "is_enterprise_install": false});
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
    call.slack.tell_tokens_revoked(&token.team, people, bots);
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
