//! Channels: named places in an organisation where events flow.

use super::{
    Error, Result,
    ambient::Time,
    ids::{ChannelId, OrganisationId, UserId},
};

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its identifier.
    pub id: ChannelId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Unique within the organisation, without `#`.
    pub name: String,
    /// Seen only by its members and by those who manage channels.
    pub private: bool,
    /// Whether it is the one in which two members talk to each other; always private.
    pub direct: bool,
    /// Since when nothing new is posted in it, where that is so.
    pub archived_at: Option<Time>,
    /// Who created it.
    pub created_by: UserId,
    /// When.
    pub created_at: Time,
}

/// A channel's name: 1 to 80 of lower-case letters of any script, digits, `.`, `_` and `-`. A leading `#` is dropped.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        assert_eq!(channel_name("#alerts").ok().as_deref(), Some("alerts"));
        assert_eq!(channel_name("störungen-2").ok().as_deref(), Some("störungen-2"));
        for bad in ["", "#", "Alerts", "a b", "a/b", "<x>"] {
            assert!(channel_name(bad).is_err(), "{bad}");
        }
    }
}
