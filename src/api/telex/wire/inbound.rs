//! Messages posted to a channel.

use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::{
        fault::Protocol,
        word::{Vocabulary, Word},
    },
    app::channels::inbound::{ChannelPost, PostStatus},
    domain::error::Violation,
};

/// Status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostWord(pub PostStatus);

impl Vocabulary for PostWord {
    const NAME: &'static str = "PostStatus";
    const DESCRIPTION: &'static str = "Status of a posted message: a success, an error or a warning.";

    fn words() -> Vec<(&'static str, Self)> {
        [PostStatus::Success, PostStatus::Error, PostStatus::Warning]
            .map(|status| (Self(status).word(), Self(status)))
            .into()
    }

    fn word(self) -> &'static str {
        match self.0 {
            PostStatus::Success => "success",
            PostStatus::Error => "error",
            PostStatus::Warning => "warning",
        }
    }
}

/// A message to be shown in a channel: with `event_name`, `status` and `username`, or as agents send it, with any of
/// `channel_id`, `thread_id`, `org_id` and `reply` and without event and status. By the API key of an integration,
/// `message` is enough. Other fields are ignored.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelPost", example, skip_serializing_if_is_none)]
pub struct PostIn {
    /// Name of the event.
    pub event_name: Option<String>,
    /// Text of the message.
    pub message: String,
    /// Status of the message.
    pub status: Option<Word<PostWord>>,
    /// Name of the sender; by default that of the integration that sends its key.
    #[oai(nullable)]
    pub username: Option<String>,
    /// The channel, which has to be that of the address. Ignored beside an event.
    #[oai(nullable)]
    pub channel_id: Option<String>,
    /// The organisation, which has to be that of the channel. Ignored beside an event.
    #[oai(nullable)]
    pub org_id: Option<String>,
    /// Id of the message that is replied to.
    #[oai(nullable)]
    pub thread_id: Option<String>,
    /// True to post in the thread of `thread_id`.
    #[oai(nullable)]
    pub reply: Option<bool>,
}

impl PostIn {
    /// Converts the message; `is_keyed` if an integration sends it by its API key.
    ///
    /// # Errors
    /// [`Protocol::BodyViolations`] where members are missing.
    pub fn post(self, is_keyed: bool) -> Result<ChannelPost, Protocol> {
        let Self { event_name, message, status, username, channel_id, org_id, thread_id, reply } = self;
        let is_agents = event_name.is_none()
            && status.is_none()
            && (channel_id.is_some() || org_id.is_some() || thread_id.is_some() || reply.is_some());
        let status = status.map(|Word(PostWord(status))| status);
        if is_agents || is_keyed {
            let thread_id = thread_id.filter(|_| reply == Some(true));
            let (organisation, channel) = (org_id, channel_id);
            return Ok(ChannelPost { event_name, message, status, username, thread_id, organisation, channel });
        }
        let sent =
            [("event_name", event_name.is_some()), ("status", status.is_some()), ("username", username.is_some())];
        let missing = sent.into_iter().filter(|(_, sent)| !sent);
        let missing: Vec<Violation> = missing
            .map(|(name, _)| Violation { field: format!("/{name}"), message: "is required".to_owned() })
            .collect();
        match missing.is_empty() {
            true => Ok(ChannelPost { event_name, message, status, username, ..ChannelPost::default() }),
            false => Err(Protocol::BodyViolations(missing)),
        }
    }
}

impl Example for PostIn {
    fn example() -> Self {
        Self {
            event_name: Some("site_down".into()),
            message: "https://example.org does not answer".into(),
            status: Some(Word(PostWord(PostStatus::Error))),
            username: Some("Uptime monitor".into()),
            channel_id: None,
            org_id: None,
            thread_id: None,
            reply: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::{Value, json};

    use super::*;

    fn post(body: Value, is_keyed: bool) -> Result<ChannelPost, Protocol> {
        PostIn::parse_from_json(Some(body)).unwrap_or_else(|error| panic!("{}", error.into_message())).post(is_keyed)
    }

    #[test]
    fn an_event_needs_its_members() {
        let event = json!({"event_name": "e", "message": "m", "status": "error", "username": "u", "channel_id": "any"});
        let read = post(event.clone(), false).unwrap();
        assert_eq!((read.event_name.as_deref(), read.status, read.channel), (Some("e"), Some(PostStatus::Error), None));
        for name in ["event_name", "status", "username"] {
            let mut without = event.clone();
            without.as_object_mut().unwrap().remove(name);
            let Err(Protocol::BodyViolations(missing)) = post(without.clone(), false) else {
                panic!("{name} is missing")
            };
            assert_eq!(missing.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), [format!("/{name}")]);
            assert!(post(without, true).is_ok(), "by the key of an integration");
        }
        assert!(post(json!({"message": "m", "username": "u"}), false).is_err());
    }

    #[test]
    fn an_agent_replies_in_a_thread_where_it_says_so() {
        for (reply, thread) in [(json!(true), Some("t")), (json!(false), None), (json!(null), None)] {
            let body = json!({"message": "m", "org_id": "o", "channel_id": "c", "thread_id": "t", "reply": reply});
            let read = post(body, false).unwrap();
            assert_eq!(read.thread_id.as_deref(), thread);
            assert_eq!((read.organisation.as_deref(), read.channel.as_deref()), (Some("o"), Some("c")));
        }
        let bare = json!({"message": "m", "thread_id": null, "username": null, "reply": true});
        assert!(post(bare, false).unwrap().thread_id.is_none());
    }
}
