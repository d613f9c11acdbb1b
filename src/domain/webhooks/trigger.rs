//! Selects the outgoing webhooks to call for an event, and the trigger word that matched.
//!
//! No webhook is called for its own messages, nor for messages caused by them: an answer carries the webhooks that
//! answered before it. So two webhooks that answer each other stop, and a chain of them after [`MAX_ANSWERS`]. Not
//! here: the calls.

use super::{Direction, Outgoing, OutgoingEvent, Target, Webhook};
use crate::domain::{
    channels::{
        event::{
            CHANNEL_ARCHIVED, CHANNEL_CREATED, CHANNEL_MEMBER_JOINED, CHANNEL_MEMBER_LEFT, FILE_UPLOADED,
            MESSAGE_POSTED, MESSAGE_PUBLISHED,
        },
        message::Message,
        person::Person,
    },
    ids::{ChannelId, UserId},
    tenancy::member::MEMBER_CREATED,
};

/// Maximum number of consecutive answers, after which no webhook is called.
pub const MAX_ANSWERS: usize = 3;

/// A channel, with the properties that the selection depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its identifier.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// True if it is private.
    pub private: bool,
    /// True if it is a direct channel of two members.
    pub direct: bool,
    /// The members of a direct channel.
    pub people: Vec<(UserId, String)>,
}

impl OutgoingEvent {
    /// Maps an event type to an event of outgoing webhooks. A message counts when it is posted and when it is
    /// published: it is sent out after its channel's modifiers.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.kinds().contains(&kind))
    }

    /// Returns the types of the events for which such a webhook is called.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            OutgoingEvent::SendMessage => &[MESSAGE_POSTED, MESSAGE_PUBLISHED],
            OutgoingEvent::FileUploaded => &[FILE_UPLOADED],
            OutgoingEvent::RoomArchived => &[CHANNEL_ARCHIVED],
            OutgoingEvent::RoomCreated => &[CHANNEL_CREATED],
            OutgoingEvent::RoomJoined => &[CHANNEL_MEMBER_JOINED],
            OutgoingEvent::RoomLeft => &[CHANNEL_MEMBER_LEFT],
            OutgoingEvent::UserCreated => &[MEMBER_CREATED],
        }
    }
}

impl Webhook {
    /// Returns its settings, if it is an outgoing webhook for this event in this channel.
    pub fn listens(&self, event: OutgoingEvent, scene: Option<&Scene>, sender: Option<&Person>) -> Option<&Outgoing> {
        let Direction::Outgoing(outgoing) = &self.direction else { return None };
        let there = !event.uses_channels() || scene.is_some_and(|scene| self.is_in(scene, sender));
        (self.enabled && outgoing.event == event && there).then_some(outgoing)
    }

    fn is_in(&self, scene: &Scene, sender: Option<&Person>) -> bool {
        if self.channels.iter().all(|channel| channel.trim().is_empty()) {
            return !scene.private && !scene.direct;
        }
        self.channels.iter().any(|channel| Target::read(channel).holds(scene, sender))
    }

    /// Returns true if it caused a message: it posted the message, or an answer before it.
    fn caused(&self, message: &Message) -> bool {
        message.integration_id == Some(self.id) || message.caused_by.contains(&self.id)
    }

    /// Returns the trigger word for a message, or `None` if the webhook is not called; `Some(None)` if it has no
    /// trigger words.
    pub fn triggered<'a>(&'a self, outgoing: &'a Outgoing, message: &Message) -> Option<Option<&'a str>> {
        let too_many = message.caused_by.len() >= MAX_ANSWERS;
        if too_many || self.caused(message) || (message.edited && !outgoing.run_on_edits) {
            return None;
        }
        let mut words = outgoing.trigger_words.iter().map(String::as_str).filter(|word| !word.is_empty()).peekable();
        if !outgoing.event.uses_trigger_words() || words.peek().is_none() {
            return Some(None);
        }
        let said = |word: &&str| match outgoing.trigger_word_anywhere {
            true => message.text.contains(*word),
            false => message.text.starts_with(*word),
        };
        words.find(said).map(Some)
    }
}

impl Target {
    fn holds(&self, scene: &Scene, sender: Option<&Person>) -> bool {
        let named = |text: &str| text == scene.name || text.parse() == Ok(scene.id);
        match self {
            Target::AllDirect => scene.direct,
            Target::AllPublic => !scene.direct && !scene.private,
            Target::AllPrivate => !scene.direct && scene.private,
            Target::Channel(text) | Target::Either(text) => !scene.direct && named(text),
            Target::User(text) if scene.direct => scene.people.iter().any(|(id, username)| {
                let is_sender = sender.is_some_and(|sender| sender.user_id == Some(*id));
                text.parse() == Ok(*id) || (!is_sender && text == username)
            }),
            Target::User(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        ids::IntegrationId,
        webhooks::{Look, Script},
    };

    fn webhook(channels: &[&str], outgoing: Outgoing) -> Webhook {
        Webhook {
            id: IntegrationId(Uuid::from_u128(1)),
            organisation_id: Uuid::from_u128(2).into(),
            installation_id: Uuid::from_u128(3).into(),
            name: "w".into(),
            enabled: true,
            poster: Person::bot(),
            channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
            look: Look::default(),
            script: Script::default(),
            direction: Direction::Outgoing(outgoing),
            created_by: Person::bot(),
            created_at: Time::UNIX_EPOCH,
            updated_by: None,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    fn on(event: OutgoingEvent) -> Outgoing {
        Outgoing {
            event,
            urls: vec!["https://a.example/".into()],
            trigger_words: vec![],
            trigger_word_anywhere: false,
            target_room: None,
            run_on_edits: false,
            retry_failed_calls: false,
            retry_count: None,
            retry_delay: None,
            impersonate_user: false,
        }
    }

    fn scene(private: bool, direct: bool) -> Scene {
        let people = [(10, "ada"), (11, "bob")].map(|(id, name)| (Uuid::from_u128(id).into(), name.to_owned()));
        let people = if direct { people.to_vec() } else { vec![] };
        Scene { id: Uuid::from_u128(7).into(), name: "general".into(), private, direct, people }
    }

    #[test]
    fn channels_are_chosen_by_name_id_and_kind() {
        let (public, private, direct) = (scene(false, false), scene(true, false), scene(true, true));
        let by_id = format!("#{}", Uuid::from_u128(7));
        let by_user = format!("@{}", Uuid::from_u128(10));
        for (channels, expected) in [
            (vec![], [true, false, false]),
            (vec![" "], [true, false, false]),
            (vec!["#general"], [true, true, false]),
            (vec![by_id.as_str()], [true, true, false]),
            (vec!["#other"], [false, false, false]),
            (vec!["#other", "#general"], [true, true, false]),
            (vec!["all_public_channels"], [true, false, false]),
            (vec!["all_private_groups"], [false, true, false]),
            (vec!["all_direct_messages"], [false, false, true]),
            (vec!["@bob"], [false, false, true]),
            (vec!["@ada"], [false, false, false]),
            (vec![by_user.as_str()], [false, false, true]),
            (vec!["@eve"], [false, false, false]),
        ] {
            let ada = Person { user_id: Some(Uuid::from_u128(10).into()), username: "ada".into() };
            let webhook = webhook(&channels, on(OutgoingEvent::SendMessage));
            let heard = [&public, &private, &direct]
                .map(|scene| webhook.listens(OutgoingEvent::SendMessage, Some(scene), Some(&ada)).is_some());
            assert_eq!(heard, expected, "{channels:?}");
        }
    }

    #[test]
    fn only_an_enabled_one_with_that_event_is_called() {
        for event in OutgoingEvent::ALL {
            let mut webhook = webhook(&["#elsewhere"], on(event));
            for other in OutgoingEvent::ALL {
                let expected = other == event && !event.uses_channels();
                assert_eq!(webhook.listens(other, Some(&scene(false, false)), None).is_some(), expected, "{event}");
                assert_eq!(webhook.listens(other, None, None).is_some(), expected, "{event}");
            }
            webhook.enabled = false;
            assert!(webhook.listens(event, None, None).is_none());
        }
    }

    #[test]
    fn trigger_words_are_looked_for_as_they_are_written() {
        let said = |text: &str| Message { text: text.into(), ..Message::default() };
        let mut outgoing = on(OutgoingEvent::SendMessage);
        outgoing.trigger_words = vec![String::new(), "deploy".into(), "ship".into()];
        for (anywhere, text, expected) in [
            (false, "deploy it", Some(Some("deploy"))),
            (false, "deployment", Some(Some("deploy"))),
            (false, "ship it", Some(Some("ship"))),
            (false, "Deploy it", None),
            (false, "please deploy", None),
            (true, "please deploy", Some(Some("deploy"))),
            (true, "please", None),
        ] {
            outgoing.trigger_word_anywhere = anywhere;
            let webhook = webhook(&[], outgoing.clone());
            assert_eq!(webhook.triggered(&outgoing, &said(text)), expected, "{text}");
        }
        let plain = on(OutgoingEvent::SendMessage);
        assert_eq!(webhook(&[], plain.clone()).triggered(&plain, &said("")), Some(None));
    }

    #[test]
    fn edited_messages_are_sent_on_request() {
        let edited = Message { edited: true, ..Message::default() };
        let mut outgoing = on(OutgoingEvent::SendMessage);
        assert_eq!(webhook(&[], outgoing.clone()).triggered(&outgoing, &edited), None);
        outgoing.run_on_edits = true;
        assert_eq!(webhook(&[], outgoing.clone()).triggered(&outgoing, &edited), Some(None));
    }

    #[test]
    fn no_webhook_is_called_for_its_own_messages() {
        let outgoing = on(OutgoingEvent::SendMessage);
        let webhook = webhook(&[], outgoing.clone());
        let id = |n| IntegrationId(Uuid::from_u128(n));
        let by = |integration_id, caused_by| Message { integration_id, caused_by, ..Message::default() };
        for (message, called) in [
            (by(None, vec![]), true),
            (by(Some(id(9)), vec![]), true),
            (by(Some(id(1)), vec![]), false),
            (by(Some(id(9)), vec![id(9), id(8)]), true),
            (by(Some(id(9)), vec![id(1), id(9)]), false),
            (by(Some(id(9)), vec![id(7), id(8), id(9)]), false),
        ] {
            assert_eq!(webhook.triggered(&outgoing, &message).is_some(), called, "{message:?}");
        }
    }
}
