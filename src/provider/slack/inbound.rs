//! Parsing of Slack's requests: slash commands, interactions in modals and messages, and events (Slack API:
//! "Implementing slash commands", "Handling user interaction", "The Events API").
//!
//! Everything here comes after [`signature`](super::signature): Slack is the sender, and yet the contents were typed by
//! people. Nothing is decided here. Ids are short words, texts are bounded, and a repeated field is refused, so that no
//! two readers act on different values.

mod form;
mod json;

use serde_json::Value;

use self::{form::Form, json::Json};
use crate::domain::{Error, Result, ambient::Time, secret::Secret};

/// Maximum number of characters after a command: Slack's messages are no longer.
const MAX_TEXT: usize = 40_000;
/// Maximum number of characters of a view's `private_metadata` and of its `callback_id`: Slack's own limits.
const MAX_METADATA: usize = 3_000;
const MAX_CALLBACK_ID: usize = 255;
/// Maximum number of characters of an address, and of a challenge.
const MAX_URL: usize = 3_000;
const MAX_CHALLENGE: usize = 1_000;

/// Installation of the app in which something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The workspace. It may be missing where the app was installed for a whole Enterprise organisation.
    pub team_id: Option<String>,
    /// The Enterprise organisation, where the workspace belongs to one. At least one of both is present.
    pub enterprise_id: Option<String>,
    /// Set when the app was installed for the whole Enterprise organisation.
    pub org_wide: bool,
}

impl Origin {
    /// Key of the stored installation: `SlackGrant::team_id`.
    pub fn installation_id(&self) -> &str {
        let (team, enterprise) = (self.team_id.as_deref(), self.enterprise_id.as_deref());
        let preferred = if self.org_wide { enterprise.or(team) } else { team.or(enterprise) };
        preferred.unwrap_or_default()
    }

    fn new(team_id: Option<String>, enterprise_id: Option<String>, org_wide: bool, field: &str) -> Result<Self> {
        if team_id.is_none() && enterprise_id.is_none() {
            return Err(Error::invalid(field, "is missing, and there is no Enterprise organisation either"));
        }
        Ok(Self { team_id, enterprise_id, org_wide })
    }
}

/// A request to the address of slash commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Slack's check of our TLS certificate; no user has typed anything.
    SslCheck,
    /// A typed command.
    Slash(Box<SlashCommand>),
}

/// A command typed by a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlashCommand {
    /// Installation of the app.
    pub origin: Origin,
    /// Our app, by Slack's id.
    pub app_id: Option<String>,
    /// The user.
    pub user_id: String,
    /// The conversation.
    pub channel_id: Option<String>,
    /// The command, with its slash.
    pub command: String,
    /// The text after it, as typed.
    pub text: String,
    /// Opens one modal for the user within three seconds.
    pub trigger_id: Secret,
    /// Capability URL: any holder can answer there.
    pub response_url: Option<Secret>,
}

/// A request to the address of interactivity.
#[derive(Clone, Debug, PartialEq)]
pub enum Interaction {
    /// A submitted modal.
    ViewSubmission(Box<ViewSubmission>),
    /// A closed modal.
    ViewClosed,
    /// A choice in a modal.
    Choice(Box<Choice>),
    /// A pressed button, a button that is also a link, or a choice elsewhere.
    BlockActions,
    /// A global shortcut.
    Shortcut,
    /// A shortcut on a message.
    MessageAction,
    /// A menu's request for its options.
    BlockSuggestion,
    /// Any other interaction.
    Other {
        /// Slack's name of it.
        kind: String,
    },
}

/// A modal submitted by a user.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewSubmission {
    /// Installation of the app.
    pub origin: Origin,
    /// Our app, by Slack's id.
    pub app_id: Option<String>,
    /// The user.
    pub user_id: String,
    /// Slack's id of the view.
    pub view_id: String,
    /// Our id of the view.
    pub callback_id: String,
    /// Data that we put into it. It has been in other hands since.
    pub private_metadata: String,
    /// Form values, by block and by action: an object.
    pub values: Value,
}

/// An option of a menu that a user chose in a modal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Installation of the app.
    pub origin: Origin,
    /// The user.
    pub user_id: String,
    /// Slack's id of the view.
    pub view_id: String,
    /// Our id of the view.
    pub callback_id: String,
    /// Data that we put into it. It has been in other hands since.
    pub private_metadata: String,
    /// Value of the option.
    pub value: String,
}

/// A request to the address of events.
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope {
    /// Slack's check of the address's ownership.
    UrlVerification {
        /// Text to be sent back.
        challenge: String,
    },
    /// An event.
    EventCallback(Box<EventCallback>),
    /// Slack withholds further events because of a rate limit.
    AppRateLimited {
        /// The workspace.
        team_id: String,
        /// Start of it, in seconds since 1970.
        minute_rate_limited: i64,
    },
    /// Any other envelope.
    Other {
        /// Slack's name of it.
        kind: String,
    },
}

/// An event from Slack.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCallback {
    /// Installation of the app that is notified. In a shared channel the event may have happened elsewhere.
    pub origin: Origin,
    /// Our app, by Slack's id.
    pub app_id: String,
    /// Id common to all of Slack's attempts to deliver it.
    pub event_id: String,
    /// Time of the event.
    pub event_time: Time,
    /// Its type, such as `app_home_opened`.
    pub kind: String,
    /// The event: an object.
    pub event: Value,
}

/// Parses a slash command: a form.
///
/// # Errors
/// [`Error::Invalid`] naming the field.
pub fn command(body: &[u8]) -> Result<Command> {
    let form = Form::read(body)?;
    let Some(command) = form.text("command", MAX_CALLBACK_ID)? else {
        return match form.text("ssl_check", MAX_CALLBACK_ID)? {
            Some("1") => Ok(Command::SslCheck),
            _ => Err(Error::invalid("command", "is missing")),
        };
    };
    let org_wide = form.text("is_enterprise_install", MAX_CALLBACK_ID)? == Some("true");
    let origin = Origin::new(form.word("team_id")?, form.word("enterprise_id")?, org_wide, "team_id")?;
    Ok(Command::Slash(Box::new(SlashCommand {
        origin,
        app_id: form.word("api_app_id")?,
        user_id: needed(form.word("user_id")?, "user_id")?,
        channel_id: form.word("channel_id")?,
        command: command.to_owned(),
        text: form.text("text", MAX_TEXT)?.unwrap_or_default().to_owned(),
        trigger_id: Secret::new(needed(form.word("trigger_id")?, "trigger_id")?),
        response_url: form.text("response_url", MAX_URL)?.map(Secret::new),
    })))
}

/// Parses an interaction in a modal or in a message: a form with JSON in its one field.
///
/// # Errors
/// [`Error::Invalid`] naming the field.
pub fn interaction(body: &[u8]) -> Result<Interaction> {
    let form = Form::read(body)?;
    let payload = needed(form.text("payload", usize::MAX)?, "payload")?;
    let payload = Json::read(payload.as_bytes(), "payload")?;
    let kind = needed(payload.word("/type")?, "/type")?;
    Ok(match kind.as_str() {
        "view_submission" => Interaction::ViewSubmission(Box::new(view_submission(&payload)?)),
        "view_closed" => Interaction::ViewClosed,
        "block_actions" => {
            choice(&payload)?.map_or(Interaction::BlockActions, |choice| Interaction::Choice(Box::new(choice)))
        }
        "shortcut" => Interaction::Shortcut,
        "message_action" => Interaction::MessageAction,
        "block_suggestion" => Interaction::BlockSuggestion,
        _ => Interaction::Other { kind },
    })
}

/// Finds the installation of a view. In a shared channel, a user of another workspace may act in a modal: the view names
/// the installation of its app.
fn origin_of_view(payload: &Json) -> Result<Origin> {
    let team_id = match payload.word("/view/app_installed_team_id")? {
        Some(team_id) => Some(team_id),
        None => payload.word("/team/id")?,
    };
    let enterprise_id = payload.word("/enterprise/id")?;
    Origin::new(team_id, enterprise_id, payload.flag("/is_enterprise_install")?, "/team/id")
}

/// Parses a choice; `None` for another action, or one outside of a modal.
fn choice(payload: &Json) -> Result<Option<Choice>> {
    let (view_id, value) = (payload.word("/view/id")?, payload.text("/actions/0/selected_option/value", MAX_WORD)?);
    let (Some(view_id), Some(value)) = (view_id, value) else { return Ok(None) };
    Ok(Some(Choice {
        origin: origin_of_view(payload)?,
        user_id: needed(payload.word("/user/id")?, "/user/id")?,
        view_id,
        callback_id: payload.text("/view/callback_id", MAX_CALLBACK_ID)?.unwrap_or_default(),
        private_metadata: payload.text("/view/private_metadata", MAX_METADATA)?.unwrap_or_default(),
        value,
    }))
}

fn view_submission(payload: &Json) -> Result<ViewSubmission> {
    Ok(ViewSubmission {
        origin: origin_of_view(payload)?,
        app_id: payload.word("/api_app_id")?,
        user_id: needed(payload.word("/user/id")?, "/user/id")?,
        view_id: needed(payload.word("/view/id")?, "/view/id")?,
        callback_id: payload.text("/view/callback_id", MAX_CALLBACK_ID)?.unwrap_or_default(),
        private_metadata: payload.text("/view/private_metadata", MAX_METADATA)?.unwrap_or_default(),
        values: payload.object("/view/state/values")?.unwrap_or_else(|| Value::Object(Default::default())),
    })
}

/// Parses an event, or another request to that address: JSON.
///
/// # Errors
/// [`Error::Invalid`] naming the field.
pub fn envelope(body: &[u8]) -> Result<Envelope> {
    let envelope = Json::read(body, "body")?;
    let kind = needed(envelope.word("/type")?, "/type")?;
    Ok(match kind.as_str() {
        "url_verification" => {
            Envelope::UrlVerification { challenge: needed(envelope.text("/challenge", MAX_CHALLENGE)?, "/challenge")? }
        }
        "event_callback" => Envelope::EventCallback(Box::new(event_callback(&envelope)?)),
        // It has no event in it.
        "app_rate_limited" => Envelope::AppRateLimited {
            team_id: needed(envelope.word("/team_id")?, "/team_id")?,
            minute_rate_limited: needed(envelope.number("/minute_rate_limited")?, "/minute_rate_limited")?,
        },
        _ => Envelope::Other { kind },
    })
}

fn event_callback(envelope: &Json) -> Result<EventCallback> {
    let event = needed(envelope.object("/event")?, "/event")?;
    let seconds = needed(envelope.number("/event_time")?, "/event_time")?;
    Ok(EventCallback {
        origin: installed_at(envelope)?,
        app_id: needed(envelope.word("/api_app_id")?, "/api_app_id")?,
        event_id: needed(envelope.word("/event_id")?, "/event_id")?,
        event_time: needed(Time::from_timestamp(seconds, 0), "/event_time")?,
        kind: needed(envelope.word("/event/type")?, "/event/type")?,
        event,
    })
}

/// Finds the installation that is notified of an event. In shared channels the envelope's own fields may name another
/// workspace; `authorizations` names ours, and never more than one.
fn installed_at(envelope: &Json) -> Result<Origin> {
    if envelope.object("/authorizations/0")?.is_some() {
        let team_id = envelope.word("/authorizations/0/team_id")?;
        let enterprise_id = envelope.word("/authorizations/0/enterprise_id")?;
        if team_id.is_some() || enterprise_id.is_some() {
            let org_wide = envelope.flag("/authorizations/0/is_enterprise_install")?;
            return Ok(Origin { team_id, enterprise_id, org_wide });
        }
    }
    let org_wide = envelope.flag("/is_enterprise_install")?;
    Origin::new(envelope.word("/team_id")?, envelope.word("/enterprise_id")?, org_wide, "/team_id")
}

fn needed<T>(value: Option<T>, field: &str) -> Result<T> {
    value.ok_or_else(|| Error::invalid(field, "is missing"))
}

/// Maximum number of characters of an id, and of a type's name.
const MAX_WORD: usize = 255;

/// Accepts an id or a name: printable ASCII without spaces.
fn word(text: &str, field: &str) -> Result<String> {
    if text.len() <= MAX_WORD && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid(field, format!("must be at most {MAX_WORD} printable ASCII characters without spaces")))
    }
}

fn bounded<'a>(text: &'a str, max: usize, field: &str) -> Result<&'a str> {
    // Bytes first: no text has more characters.
    if text.len() <= max || text.chars().count() <= max {
        Ok(text)
    } else {
        Err(Error::invalid(field, format!("must be at most {max} characters")))
    }
}

#[cfg(test)]
mod tests;
