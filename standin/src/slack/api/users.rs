//! People, the bot and the workspace: `users.*`, `bots.info`, `team.info`.

use serde_json::{Value, json};

use super::Call;
use crate::slack::answer::{Answer, Outcome};
use crate::slack::grants::Token;
use crate::slack::workspace::{Team, User};

pub(super) fn info(call: &mut Call) -> Outcome {
    let token = call.token_with("users:read")?;
    let id = call.params.required("user", "user_not_found")?;
    let team = &token.team;
    let user = match team.user(id) {
        Some(user) => person(team, user, &token),
        None if id == team.bot.user_id => bot_user(team),
        None => return Err("user_not_found".into()),
    };
    Ok(Answer::ok(json!({"user": user})))
}

/// One page holds everybody: a workspace here is small.
pub(super) fn list(call: &mut Call) -> Outcome {
    let token = call.token_with("users:read")?;
    let team = &token.team;
    let mut members: Vec<Value> = team.users.iter().map(|user| person(team, user, &token)).collect();
    members.push(bot_user(team));
    let cache_ts = call.slack.clock.now_secs();
    Ok(Answer::ok(json!({"members": members, "cache_ts": cache_ts, "response_metadata": {"next_cursor": ""}})))
}

pub(super) fn lookup_by_email(call: &mut Call) -> Outcome {
    let token = call.token_with("users:read.email")?;
    let email = call.params.required("email", "users_not_found")?;
    let team = &token.team;
    let found = team.users.iter().find(|user| user.email(team).eq_ignore_ascii_case(email));
    let user = found.ok_or("users_not_found")?;
    Ok(Answer::ok(json!({"user": person(team, user, &token)})))
}

pub(super) fn bot_info(call: &mut Call) -> Outcome {
    let token = call.token_with("users:read")?;
    let bot = &token.team.bot;
    if call.params.text("bot").is_some_and(|id| id != bot.bot_id) {
        return Err("bot_not_found".into());
    }
    let app_id = call.slack.app().id.clone();
    Ok(Answer::ok(json!({
        "bot": {"id": bot.bot_id, "deleted": false, "name": bot.name, "app_id": app_id, "user_id": bot.user_id},
    })))
}

pub(super) fn team_info(call: &mut Call) -> Outcome {
    let token = call.token_with("team:read")?;
    let team = &token.team;
    if call.params.text("team").is_some_and(|id| id != team.id) {
        return Err("team_not_found".into());
    }
    Ok(Answer::ok(json!({
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "email_domain": format!("{}.example", team.domain),
            "icon": {"image_default": true},
        },
    })))
}

fn person(team: &Team, user: &User, token: &Token) -> Value {
    let mut profile = json!({"real_name": user.real_name, "display_name": user.name, "team": team.id});
    // The address is present only with a scope of its own.
    if token.has("users:read.email") {
        profile["email"] = json!(user.email(team));
    }
    json!({
        "id": user.id,
        "team_id": team.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": false,
        "tz": "Etc/UTC",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.admin,
        "is_owner": user.admin,
        "is_bot": false,
        "is_app_user": false,
    })
}

fn bot_user(team: &Team) -> Value {
    let bot = &team.bot;
    json!({
        "id": bot.user_id,
        "team_id": team.id,
        "name": bot.name.to_lowercase(),
        "real_name": bot.name,
        "deleted": false,
        "profile": {"real_name": bot.name, "display_name": "", "bot_id": bot.bot_id, "team": team.id},
        "is_admin": false,
        "is_owner": false,
        "is_bot": true,
        "is_app_user": false,
    })
}
