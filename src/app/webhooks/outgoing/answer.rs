//! Posts the message in the answer to an outgoing webhook.
//!
//! Not here: the classification of the answer (`outgoing`).

use serde_json::{Map, Value, json};

use super::Job;
use crate::{
    app::webhooks::{
        Webhooks,
        incoming::{Posted, Told},
    },
    domain::{
        Error, Result,
        channels::person::Person,
        webhooks::{
            WebhookRefusal,
            incoming_refusal::HookRefusal,
            post::{Post, PostFault},
        },
    },
    store,
};

/// Content types that are parsed as JSON.
const JSON: [&str; 4] = ["application/json", "text/javascript", "application/javascript", "application/x-javascript"];

/// Returns the message in an answer, if it is JSON with a text or an attachment.
pub(super) fn message_in(content_type: Option<&str>, body: &[u8]) -> Option<Map<String, Value>> {
    let content_type = content_type?.split(';').next()?.trim().to_ascii_lowercase();
    if !JSON.contains(&content_type.as_str()) {
        return None;
    }
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return None };
    let says = |key: &str| match answer.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    (says("text") || says("attachments")).then_some(answer)
}

impl Webhooks {
    /// Posts the message of an answer or a script: to the target that it names, or else the webhook's, or else the
    /// event's channel. Returns the posted messages, or the reason that prevented them.
    pub(super) async fn post_answer(
        &self,
        job: &Job<'_>,
        content: &Map<String, Value>,
    ) -> Result<Result<Vec<Value>, PostFault>> {
        let mut post = match Post::read(content, job.webhook) {
            Ok(post) => post,
            Err(fault) => return Ok(Err(fault)),
        };
        if post.targets.is_empty() {
            let there = job.event.fact.channel_id.map(|id| id.to_string());
            match job.outgoing.target_room.clone().filter(|room| !room.trim().is_empty()).or(there) {
                Some(target) => post.targets.push(target),
                None => return Ok(Err(PostFault::NoSuchTarget(String::new()))),
            }
        }
        post.message.caused_by.clone_from(&job.message.caused_by);
        post.message.caused_by.push(job.webhook.id);
        let Some(poster) = self.answer_poster(job).await? else { return Ok(Err(PostFault::NoSuchUser)) };
        match self.post_from((job.webhook.organisation_id, &job.webhook.channels), &poster, post).await {
            Ok(told) => Ok(Ok(told.into_iter().map(|told| shown(told, &poster)).collect())),
            Err(Error::Webhook(WebhookRefusal::Hook(HookRefusal::Post(fault)))) => Ok(Err(fault)),
            Err(error) => Err(error),
        }
    }

    /// Returns the person as whom an answer is posted: if the webhook asks for it, the member who caused the event;
    /// otherwise the webhook's own poster, with their current username.
    async fn answer_poster(&self, job: &Job<'_>) -> Result<Option<Person>> {
        let (reader, organisation_id) = (self.base.store.reader(), job.webhook.organisation_id);
        if job.outgoing.impersonate_user
            && let Some(name) = job.payload["user_name"].as_str()
            && let Some(member) = store::tenancy::members::find_by_username_alike(reader, organisation_id, name).await?
        {
            return Ok(Some(Person { user_id: Some(member.user_id), username: member.username }));
        }
        match self.hook_poster(job.webhook).await {
            Ok(poster) => Ok(Some(poster)),
            Err(Error::Webhook(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns a posted message as the history shows it.
fn shown(posted: Told, poster: &Person) -> Value {
    let Told { target, result } = posted;
    match result {
        Ok(Posted { id, channel_id, message, at }) => {
            let mut said = json!({
                "_id": id,
                "rid": channel_id,
                "msg": message.text,
                "ts": at,
                "u": {"_id": poster.id(), "username": poster.username},
            });
            for (key, value) in [("alias", message.username), ("avatar", message.avatar), ("emoji", message.emoji)] {
                if let Some(value) = value {
                    said[key] = value.into();
                }
            }
            if !message.attachments.is_empty() {
                said["attachments"] = message.attachments.into();
            }
            json!({"channel": target, "message": said})
        }
        Err(fault) => json!({"channel": target, "error": fault.code()}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_message_where_it_is_json_and_says_something() {
        let said = |content_type, body: &str| message_in(content_type, body.as_bytes()).is_some();
        for content_type in JSON {
            assert!(said(Some(content_type), r#"{"text": "hi"}"#), "{content_type}");
        }
        assert!(said(Some("Application/JSON; charset=utf-8"), r#"{"attachments": [{}]}"#));
        for (content_type, body) in [
            (None, r#"{"text": "hi"}"#),
            (Some("text/plain"), r#"{"text": "hi"}"#),
            (Some("application/json"), r#"{"text": ""}"#),
            (Some("application/json"), r#"{"text": null, "msg": "hi"}"#),
            (Some("application/json"), r#"["text"]"#),
            (Some("application/json"), "{"),
            (Some("application/json"), ""),
        ] {
            assert!(!said(content_type, body), "{content_type:?} {body}");
        }
    }
}
