//! Validation of a webhook's set-up, as far as it depends on nothing but the request. The rules are checked in the
//! order in which they are reported to a caller.
//!
//! Not here: permissions, and the existence of channels and members.

use super::{Direction, Outgoing, OutgoingEvent, Target, Way, Webhook, WebhookRefusal};

/// Default number of retries, for an absent or unusable number.
const DEFAULT_RETRIES: u32 = 4;
/// Maximum number of retries.
const MOST_RETRIES: u32 = 100;
/// Default backoff rule.
const DEFAULT_DELAY: &str = "powers-of-ten";

/// A requested webhook. `None` means absent from the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Display name.
    pub name: String,
    /// True to enable it.
    pub enabled: bool,
    /// The username as which it posts.
    pub username: Option<String>,
    /// Channels, separated by commas.
    pub channel: String,
    /// The displayed name of its messages.
    pub alias: Option<String>,
    /// Picture of its messages.
    pub avatar: Option<String>,
    /// Emoji of its messages.
    pub emoji: Option<String>,
    /// True to enable its script.
    pub script_enabled: bool,
    /// The script.
    pub script: Option<String>,
    /// The engine of the script.
    pub script_engine: Option<String>,
    /// True to store the script without transpiling.
    pub skip_transpile: Option<bool>,
    /// Settings of its direction.
    pub way: DraftWay,
}

impl Draft {
    /// Returns the draft that leaves a webhook as it is, but for its token, which is absent.
    pub fn of(webhook: &Webhook) -> Self {
        let Webhook { name, enabled, poster, channels, look, script, direction, .. } = webhook.clone();
        let way = match direction {
            Direction::Incoming(incoming) => {
                DraftWay::Incoming { override_destination: Some(incoming.override_destination) }
            }
            Direction::Outgoing(outgoing) => DraftWay::Outgoing(Box::new(OutgoingDraft {
                event: outgoing.event.to_string(),
                urls: outgoing.urls,
                target_room: outgoing.target_room,
                trigger_words: outgoing.trigger_words,
                trigger_word_anywhere: Some(outgoing.trigger_word_anywhere),
                token: None,
                run_on_edits: Some(outgoing.run_on_edits),
                retry_failed_calls: Some(outgoing.retry_failed_calls),
                retry_count: outgoing.retry_count.map(f64::from),
                retry_delay: outgoing.retry_delay,
                impersonate_user: Some(outgoing.impersonate_user),
            })),
        };
        Self {
            name,
            enabled,
            username: Some(poster.username),
            channel: channels.join(","),
            alias: look.alias,
            avatar: look.avatar,
            emoji: look.emoji,
            script_enabled: script.enabled,
            script: script.text,
            script_engine: script.engine,
            skip_transpile: Some(script.skip_transpile),
            way,
        }
    }

    /// Returns its direction.
    pub fn way(&self) -> Way {
        match self.way {
            DraftWay::Incoming { .. } => Way::Incoming,
            DraftWay::Outgoing(_) => Way::Outgoing,
        }
    }

    /// Returns true if it has a script.
    pub fn has_script(&self) -> bool {
        self.script.as_deref().is_some_and(|script| !script.trim().is_empty())
    }
}

/// Requested settings of a direction.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftWay {
    /// An incoming webhook.
    Incoming {
        /// True if the sender may choose another channel.
        override_destination: Option<bool>,
    },
    /// An outgoing webhook.
    Outgoing(Box<OutgoingDraft>),
}

impl Default for DraftWay {
    fn default() -> Self {
        DraftWay::Incoming { override_destination: None }
    }
}

/// A requested outgoing webhook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutgoingDraft {
    /// The event it is called for.
    pub event: String,
    /// The URLs.
    pub urls: Vec<String>,
    /// Channel for its answers.
    pub target_room: Option<String>,
    /// Its trigger words.
    pub trigger_words: Vec<String>,
    /// True if they count anywhere in a message.
    pub trigger_word_anywhere: Option<bool>,
    /// The token sent with its calls.
    pub token: Option<String>,
    /// True if it is called for edited messages.
    pub run_on_edits: Option<bool>,
    /// True if failed calls are retried.
    pub retry_failed_calls: Option<bool>,
    /// Number of retries.
    pub retry_count: Option<f64>,
    /// Backoff rule.
    pub retry_delay: Option<String>,
    /// True if its answers are posted in the name of the event's author.
    pub impersonate_user: Option<bool>,
}

/// Validates the channels of an incoming webhook.
///
/// # Errors
/// [`WebhookRefusal::NoChannel`], [`WebhookRefusal::ChannelSign`].
pub fn incoming_channels(text: &str) -> Result<Vec<String>, WebhookRefusal> {
    if text.trim().is_empty() {
        return Err(WebhookRefusal::NoChannel);
    }
    let channels = split(text);
    match channels.iter().all(|channel| channel.starts_with(['#', '@'])) {
        true => Ok(channels),
        false => Err(WebhookRefusal::ChannelSign),
    }
}

/// Validates an outgoing webhook: its event, URLs and channels. `sees_all` is true if the caller manages every outgoing
/// webhook.
///
/// # Errors
/// The first violated rule.
pub fn outgoing(
    draft: &OutgoingDraft,
    (username, channel): (Option<&str>, &str),
    sees_all: bool,
) -> Result<(Outgoing, Vec<String>), WebhookRefusal> {
    let event: OutgoingEvent = draft.event.parse().map_err(|()| WebhookRefusal::EventUnknown)?;
    if username.is_none_or(|username| username.trim().is_empty()) {
        return Err(WebhookRefusal::NoUsername);
    }
    let target_room = draft.target_room.as_deref().map(str::trim).filter(|room| !room.is_empty());
    if event.needs_target_room() && target_room.is_none() {
        return Err(WebhookRefusal::NoTargetRoom);
    }
    let urls: Vec<String> = draft.urls.iter().map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect();
    if urls.is_empty() {
        return Err(WebhookRefusal::NoUrls);
    }
    let channels = match event.uses_channels() {
        true => outgoing_channels(channel)?,
        false if !sees_all => return Err(WebhookRefusal::NeedsAll),
        false => Vec::new(),
    };
    let words = draft.trigger_words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
    let retries = draft.retry_failed_calls == Some(true);
    let outgoing = Outgoing {
        event,
        urls,
        trigger_words: if event.uses_trigger_words() { words.collect() } else { Vec::new() },
        trigger_word_anywhere: draft.trigger_word_anywhere.unwrap_or_default(),
        target_room: target_room.map(str::to_owned),
        run_on_edits: draft.run_on_edits.unwrap_or_default(),
        retry_failed_calls: retries,
        retry_count: retries.then(|| retry_count(draft.retry_count)),
        retry_delay: retries.then(|| retry_delay(draft.retry_delay.as_deref())),
        impersonate_user: draft.impersonate_user.unwrap_or_default(),
    };
    Ok((outgoing, channels))
}

/// Refuses channels that require the permission to manage every outgoing webhook.
///
/// # Errors
/// [`WebhookRefusal::PrivateNeedsAll`].
pub fn may_listen(channels: &[String], sees_all: bool) -> Result<(), WebhookRefusal> {
    let private =
        channels.iter().find(|channel| matches!(Target::read(channel), Target::AllPrivate | Target::AllDirect));
    match private {
        Some(channel) if !sees_all => Err(WebhookRefusal::PrivateNeedsAll(channel.clone())),
        Some(_) | None => Ok(()),
    }
}

fn outgoing_channels(text: &str) -> Result<Vec<String>, WebhookRefusal> {
    let channels = split(text);
    let known = |channel: &String| match Target::read(channel) {
        Target::Channel(_) | Target::User(_) | Target::AllPublic | Target::AllPrivate | Target::AllDirect => true,
        Target::Either(_) => false,
    };
    if channels.iter().all(known) { Ok(channels) } else { Err(WebhookRefusal::ChannelSign) }
}

fn split(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',').map(|channel| channel.trim().to_owned()).collect()
}

/// Returns a usable number of retries, or the default.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number within bounds")]
fn retry_count(wanted: Option<f64>) -> u32 {
    match wanted {
        Some(count) if count.fract() == 0.0 && count >= 1.0 => count.min(f64::from(MOST_RETRIES)) as u32,
        Some(_) | None => DEFAULT_RETRIES,
    }
}

fn retry_delay(wanted: Option<&str>) -> String {
    match wanted.map(str::trim) {
        Some(rule) if !rule.is_empty() => rule.to_lowercase(),
        Some(_) | None => DEFAULT_DELAY.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> OutgoingDraft {
        OutgoingDraft {
            event: "sendMessage".into(),
            urls: vec!["https://a.example/".into()],
            ..OutgoingDraft::default()
        }
    }

    fn set_up(draft: &OutgoingDraft, channel: &str) -> Result<(Outgoing, Vec<String>), WebhookRefusal> {
        outgoing(draft, (Some("ada"), channel), false)
    }

    #[test]
    fn channels_have_their_signs() {
        assert_eq!(incoming_channels(" #a , @b"), Ok(vec!["#a".into(), "@b".into()]));
        assert_eq!(incoming_channels(" "), Err(WebhookRefusal::NoChannel));
        for bad in ["a", "#a,b", "#a,", ",", "all_public_channels"] {
            assert_eq!(incoming_channels(bad), Err(WebhookRefusal::ChannelSign), "{bad}");
        }
        assert_eq!(set_up(&draft(), "all_public_channels, #a").unwrap().1, ["all_public_channels", "#a"]);
        assert_eq!(set_up(&draft(), "").unwrap().1, Vec::<String>::new());
        assert_eq!(set_up(&draft(), "a"), Err(WebhookRefusal::ChannelSign));
    }

    #[test]
    fn violations_are_reported_in_order() {
        let mut wanted = OutgoingDraft::default();
        let tell =
            |wanted: &OutgoingDraft, username, channel| outgoing(wanted, (username, channel), false).unwrap_err();
        assert_eq!(tell(&wanted, None, "x"), WebhookRefusal::EventUnknown);
        wanted.event = "userCreated".into();
        assert_eq!(tell(&wanted, Some(" "), "x"), WebhookRefusal::NoUsername);
        assert_eq!(tell(&wanted, Some("ada"), "x"), WebhookRefusal::NoTargetRoom);
        wanted.target_room = Some("#a".into());
        wanted.urls = vec![" ".into()];
        assert_eq!(tell(&wanted, Some("ada"), "x"), WebhookRefusal::NoUrls);
        wanted.urls = vec!["https://a.example/".into()];
        assert_eq!(tell(&wanted, Some("ada"), "x"), WebhookRefusal::NeedsAll);
        assert_eq!(outgoing(&wanted, (Some("ada"), "x"), true).unwrap().1, Vec::<String>::new());
    }

    #[test]
    fn retries_have_defaults() {
        let mut wanted = draft();
        assert_eq!(set_up(&wanted, "").unwrap().0.retry_count, None);
        wanted.retry_failed_calls = Some(true);
        for (count, taken) in [
            (None, 4),
            (Some(0.0), 4),
            (Some(-1.0), 4),
            (Some(2.5), 4),
            (Some(3.0), 3),
            (Some(1e9), 100),
            (Some(f64::NAN), 4),
        ] {
            wanted.retry_count = count;
            assert_eq!(set_up(&wanted, "").unwrap().0.retry_count, Some(taken), "{count:?}");
        }
        assert_eq!(set_up(&wanted, "").unwrap().0.retry_delay.as_deref(), Some("powers-of-ten"));
        wanted.retry_delay = Some("Powers-Of-Two".into());
        assert_eq!(set_up(&wanted, "").unwrap().0.retry_delay.as_deref(), Some("powers-of-two"));
    }

    #[test]
    fn trigger_words_are_for_messages_alone() {
        let mut wanted = draft();
        wanted.trigger_words = vec!["hey".into(), " ".into()];
        assert_eq!(set_up(&wanted, "").unwrap().0.trigger_words, ["hey"]);
        wanted.event = "fileUploaded".into();
        assert_eq!(set_up(&wanted, "").unwrap().0.trigger_words, Vec::<String>::new());
    }

    #[test]
    fn private_channels_need_the_permission_for_all() {
        let channels = ["#a".to_owned(), "all_direct_messages".to_owned()];
        assert!(may_listen(&channels, true).is_ok());
        assert_eq!(may_listen(&channels, false), Err(WebhookRefusal::PrivateNeedsAll("all_direct_messages".into())));
        assert!(may_listen(&channels[..1], false).is_ok());
    }
}
