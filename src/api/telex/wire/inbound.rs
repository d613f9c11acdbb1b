//! Messages posted to a channel.

use poem_openapi::{Object, types::Example};

use crate::{
    api::shared::word::{Vocabulary, Word},
    app::channels::inbound::{ChannelPost, PostStatus},
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

/// A message to be shown in a channel. Other fields are ignored.
#[derive(Clone, Debug, Object)]
#[oai(rename = "ChannelPost", example)]
pub struct PostIn {
    /// Name of the event.
    pub event_name: String,
    /// Text of the message.
    pub message: String,
    /// Status of the message.
    pub status: Word<PostWord>,
    /// Name of the sender.
    pub username: String,
}

impl From<PostIn> for ChannelPost {
    fn from(post: PostIn) -> Self {
        let PostIn { event_name, message, status: Word(PostWord(status)), username } = post;
        Self { event_name, message, status, username }
    }
}

impl Example for PostIn {
    fn example() -> Self {
        Self {
            event_name: "site_down".into(),
            message: "https://example.org does not answer".into(),
            status: Word(PostWord(PostStatus::Error)),
            username: "Uptime monitor".into(),
        }
    }
}
