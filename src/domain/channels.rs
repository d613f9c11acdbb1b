//! Channels: named places in an organisation through which events flow.
//!
//! Not here: the membership of a channel, which only the store keeps.

pub mod event;
pub mod message;
pub mod person;

use serde_json::{Value, json};

use super::{
    Error, Result,
    ambient::{Time, timestamp},
    channels::person::Person,
    ids::{ChannelId, OrganisationId, UserId},
};

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its identifier.
    pub id: ChannelId,
    /// The owning organisation.
    pub organisation_id: OrganisationId,
    /// Unique within the organisation, without `#`.
    pub name: String,
    /// True if only its members and the managers of channels can see it.
    pub private: bool,
    /// True for a direct channel of two members: always private, and closed to others.
    pub direct: bool,
    /// Time of archiving, after which nothing new is posted in it.
    pub archived_at: Option<Time>,
    /// The creator.
    pub created_by: UserId,
    /// Time of creation.
    pub created_at: Time,
}

impl Channel {
    /// Requires that new messages may be posted in it.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`].
    pub fn demand_open(&self) -> Result<()> {
        let message = || format!("the channel {:?} is archived; nothing new is posted in it", self.name);
        if self.archived_at.is_some() { Err(Error::FailedPrecondition { message: message() }) } else { Ok(()) }
    }

    /// Returns the channel as the data of an event.
    pub fn event_data(&self) -> Value {
        let mut data = json!({
            "id": self.id,
            "name": self.name,
            "private": self.private,
            "direct": self.direct,
            "createdAt": timestamp(self.created_at),
        });
        if let Some(archived_at) = self.archived_at {
            data["archivedAt"] = timestamp(archived_at).into();
        }
        data
    }

    /// Requires that it is not a direct channel: those have fixed settings.
    ///
    /// # Errors
    /// [`Error::FailedPrecondition`].
    pub fn demand_not_direct(&self) -> Result<()> {
        let message = || "this is the channel of two members: it stays private, and nobody joins or leaves".to_owned();
        if self.direct { Err(Error::FailedPrecondition { message: message() }) } else { Ok(()) }
    }
}

/// Validates a channel's name: 1 to 80 of lower-case letters of any script, digits, `.`, `_` and `-`. A leading `#` is
/// dropped.
///
/// # Errors
/// [`Error::Invalid`] naming `/name`.
pub fn channel_name(text: &str) -> Result<String> {
    let name = text.trim().trim_start_matches('#');
    let allowed = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || "._-".contains(c);
    if (1..=80).contains(&name.chars().count()) && name.chars().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid(
            "/name",
            "must be 1 to 80 lower-case letters, digits, dots, underscores and hyphens, such as \"alerts\"",
        ))
    }
}

/// Returns the name of the direct channel of two members, the same for both. No user can give a channel such a name.
pub fn direct_name(one: &Person, other: &Person) -> String {
    let (one, other) = (one.id(), other.id());
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("direct:{first}:{second}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn two_members_have_one_direct_channel() {
        let person = |id: u128| Person { user_id: Some(Uuid::from_u128(id).into()), username: "x".into() };
        assert_eq!(direct_name(&person(1), &person(2)), direct_name(&person(2), &person(1)));
        assert_ne!(direct_name(&person(1), &person(2)), direct_name(&person(1), &person(3)));
        assert!(direct_name(&Person::bot(), &person(1)).ends_with(":rocket.cat"));
        assert!(channel_name(&direct_name(&person(1), &person(1))).is_err());
    }

    #[test]
    fn names_are_plain_words() {
        assert_eq!(channel_name("#alerts").ok().as_deref(), Some("alerts"));
        assert_eq!(channel_name("störungen-2").ok().as_deref(), Some("störungen-2"));
        for bad in ["", "#", "Alerts", "a b", "a/b", "<x>"] {
            assert!(channel_name(bad).is_err(), "{bad}");
        }
    }
}
