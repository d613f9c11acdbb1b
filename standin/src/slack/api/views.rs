//! Modals and the home tab: `views.*`.

use serde_json::{Value, json};

use super::Call;
use crate::slack::answer::{Answer, Outcome, Refusal};
use crate::slack::grants::Token;
use crate::slack::views::{Kind, Place};

const LARGEST_VIEW: usize = 250_000;

pub(super) fn open(call: &mut Call) -> Outcome {
    show(call, false)
}

pub(super) fn push(call: &mut Call) -> Outcome {
    show(call, true)
}

fn show(call: &mut Call, on_top: bool) -> Outcome {
    let token = call.token()?;
    let view = read_view(call, Kind::Modal)?;
    let trigger = call.params.required("trigger_id", "invalid_trigger_id")?;
    let now = call.slack.clock.now_micros();
    let user = call.slack.hooks.use_trigger(trigger, &token.team, now)?;
    let place = Place { team: &token.team, user: &user, ids: &call.slack.ids };
    answer(call, &token, call.slack.views.show(&place, view, on_top)?)
}

pub(super) fn publish(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let view = read_view(call, Kind::Home)?;
    let user = call.params.required("user_id", "invalid_arguments")?;
    if token.team.user(user).is_none() {
        return Err("user_not_found".into());
    }
    let place = Place { team: &token.team, user, ids: &call.slack.ids };
    let view = call.slack.views.publish(&place, view, call.params.text("hash"))?;
    answer(call, &token, view)
}

pub(super) fn update(call: &mut Call) -> Outcome {
    let token = call.token()?;
    let view = read_view(call, Kind::Modal)?;
    let id = call.params.text("view_id").or_else(|| call.params.text("external_id")).ok_or("not_found")?;
    let hash = call.params.text("hash");
    let place = Place { team: &token.team, user: "", ids: &call.slack.ids };
    answer(call, &token, call.slack.views.update(&place, id, view, hash)?)
}

fn read_view(call: &mut Call, kind: Kind) -> Result<Value, Refusal> {
    let view = call.params.take_json("view").map_err(|()| "invalid_arguments")?.ok_or("invalid_arguments")?;
    if view.to_string().len() > LARGEST_VIEW {
        return Err("view_too_large".into());
    }
    kind.check(&view)?;
    Ok(view)
}

fn answer(call: &Call, token: &Token, mut view: Value) -> Outcome {
    view["app_id"] = json!(call.slack.app_id);
    view["bot_id"] = json!(token.team.bot.bot_id);
    Ok(Answer::ok(json!({"view": view})))
}
