//! Accepts messages for a channel from outside, by an address that contains a key: the channel's own, or the one by
//! which an app answers.
//!
//! Not here: messages of members (`apps::messages`).

use aws_lc_rs::constant_time;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use url::Url;
use uuid::Uuid;

use super::Channels;
use crate::{
    app::{
        Caller,
        pipeline::intake::NewEvent,
        tenancy::{credential::sha256, vault::SecretLocation},
    },
    domain::{
        Error, Result,
        channels::{
            event,
            message::{MAX_CHARS, Message},
        },
        error::{Noun, Violation},
        ids::{ChannelId, EventId, IntegrationId, OrganisationId},
        secret::Secret,
        tenancy::member::Permission,
    },
    store::{self, channels::keys::ChannelKey},
};

/// Longest event name, username or id of a thread.
const MAX_TEXT: usize = 255;

/// A message for a channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelPost {
    /// Name of the event, chosen by the sender, if it reports one.
    pub event_name: Option<String>,
    /// Text of the message.
    pub message: String,
    /// Status of the reported event.
    pub status: Option<PostStatus>,
    /// Displayed name of the sender.
    pub username: Option<String>,
    /// Message that it replies to, if any.
    pub thread_id: Option<String>,
    /// Organisation that the sender takes the channel's for, if it says so.
    pub organisation: Option<String>,
    /// Channel that the sender takes the address's for, if it says so.
    pub channel: Option<String>,
}

/// Sender that has proved that it may post to a channel.
pub(in crate::app) struct Poster {
    /// Identifier of its key, by which its messages are rate limited.
    pub(in crate::app) key_id: Uuid,
    /// Organisation of the channel.
    pub(in crate::app) organisation_id: OrganisationId,
    /// The app that posts, if it is one.
    pub(in crate::app) integration_id: Option<IntegrationId>,
}

/// Status of the event that a message reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostStatus {
    /// It succeeded.
    Success,
    /// It failed.
    Error,
    /// It needs attention.
    Warning,
}

impl PostStatus {
    /// All statuses.
    pub const ALL: [PostStatus; 3] = [PostStatus::Success, PostStatus::Error, PostStatus::Warning];

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            PostStatus::Success => "success",
            PostStatus::Error => "error",
            PostStatus::Warning => "warning",
        }
    }
}

/// Addresses for posting into a channel.
#[derive(Clone, Debug)]
pub struct ChannelWebhook {
    /// Address for the answers of apps.
    pub return_url: Url,
    /// Address for other senders.
    pub webhook_url: Url,
}

impl Channels {
    /// Accepts a message by a key. A wrong key, or one of another channel, is reported like an unknown channel.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::RateLimited`].
    pub async fn receive_channel_message(
        &self,
        channel_id: ChannelId,
        key: Option<&str>,
        post: ChannelPost,
    ) -> Result<EventId> {
        let not_found = || Error::not_found(Noun::Channel, channel_id);
        let hash = sha256(key.ok_or_else(not_found)?.as_bytes());
        let found = store::channels::keys::find_by_hash(self.base.store.reader(), hash).await?;
        let key = found.ok_or_else(not_found)?;
        let same = constant_time::verify_slices_are_equal(&hash, &key.key_sha256).is_ok();
        if !same || key.channel_id != channel_id {
            return Err(not_found());
        }
        let ChannelKey { id: key_id, organisation_id, integration_id, .. } = key;
        self.post_by(Poster { key_id, organisation_id, integration_id }, channel_id, post).await
    }

    /// Accepts a message of a sender that has proved that it may post to the channel.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::RateLimited`].
    pub(in crate::app) async fn post_by(
        &self,
        poster: Poster,
        channel_id: ChannelId,
        post: ChannelPost,
    ) -> Result<EventId> {
        let Poster { key_id, organisation_id, integration_id } = poster;
        self.inbound.admit(key_id, self.base.now())?;
        check(&post, organisation_id, channel_id)?;
        store::channels::find(self.base.store.reader(), organisation_id, channel_id).await?.demand_open()?;
        let ChannelPost { event_name, message, status, username, thread_id, .. } = post;
        let event_name = event_name.map(|name| ("eventName".to_owned(), name.into()));
        let status = status.map(|status| ("status".to_owned(), status.as_str().into()));
        let message = Message {
            text: message,
            username,
            integration_id,
            thread_id,
            more: event_name.into_iter().chain(status).collect(),
            ..Message::default()
        };
        let new_event = NewEvent::plain(organisation_id, event::SOURCE, message.posted(channel_id));
        let accepted = self.pipeline.accept(new_event).await?;
        self.base.metrics.events("accepted", 1);
        Ok(accepted.id)
    }

    /// Returns the addresses for posting into a channel. Possession is enough to post, so they are secret.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_channel_webhook(&self, caller: &Caller, id: ChannelId) -> Result<ChannelWebhook> {
        caller.require(Permission::ChannelsManage)?;
        let channel = self.visible_channel(caller, id).await?;
        let key = self.channel_key(caller.organisation_id, channel.id, None).await?;
        Ok(ChannelWebhook {
            return_url: self.inbound_url("return", channel.id, &key),
            webhook_url: self.inbound_url("webhooks", channel.id, &key),
        })
    }

    /// Returns the address by which an app answers in a channel.
    pub(in crate::app) async fn return_url(
        &self,
        organisation_id: OrganisationId,
        channel_id: ChannelId,
        integration_id: IntegrationId,
    ) -> Result<Url> {
        let key = self.channel_key(organisation_id, channel_id, Some(integration_id)).await?;
        Ok(self.inbound_url("return", channel_id, &key))
    }

    fn inbound_url(&self, way: &str, channel_id: ChannelId, key: &Secret) -> Url {
        let mut url = self.base.public_url.clone();
        url.set_path(&format!("{}/v1/{way}/{channel_id}", url.path().trim_end_matches('/')));
        url.query_pairs_mut().append_pair("key", key.expose());
        url
    }

    /// Returns the key of a channel for a purpose, creating it if necessary.
    async fn channel_key(
        &self,
        organisation_id: OrganisationId,
        channel_id: ChannelId,
        integration_id: Option<IntegrationId>,
    ) -> Result<Secret> {
        if let Some(key) = store::channels::keys::find(self.base.store.reader(), channel_id, integration_id).await? {
            return self.open_key(&key).await;
        }
        let text = Secret::new(BASE64URL.encode(self.base.ambient.random::<32>()));
        let id = self.base.ambient.id();
        let fresh = ChannelKey {
            id,
            organisation_id,
            channel_id,
            integration_id,
            key_sha256: sha256(text.expose().as_bytes()),
            sealed: self.vault.seal(location(organisation_id, id), &text).await?,
            created_at: self.base.now(),
        };
        let tx = self.base.store.begin().await?;
        store::channels::keys::insert(&tx, &fresh).await?;
        tx.commit().await?;
        // A concurrent request may have created it first.
        match store::channels::keys::find(self.base.store.writer(), channel_id, integration_id).await? {
            Some(key) => self.open_key(&key).await,
            None => Err(Error::not_found(Noun::Channel, channel_id)),
        }
    }

    async fn open_key(&self, key: &ChannelKey) -> Result<Secret> {
        self.vault.unseal(location(key.organisation_id, key.id), &key.sealed).await
    }
}

fn location(organisation_id: OrganisationId, row: uuid::Uuid) -> SecretLocation<'static> {
    SecretLocation { organisation_id, table: "channel_key", column: "sealed", row }
}

fn check(post: &ChannelPost, organisation_id: OrganisationId, channel_id: ChannelId) -> Result<()> {
    let mut violations = Vec::new();
    let mut report = |field: &str, message: String| violations.push(Violation { field: field.to_owned(), message });
    for (field, text, most) in [
        ("/event_name", post.event_name.as_ref(), MAX_TEXT),
        ("/message", Some(&post.message), MAX_CHARS),
        ("/username", post.username.as_ref(), MAX_TEXT),
        ("/thread_id", post.thread_id.as_ref(), MAX_TEXT),
    ] {
        if text.is_some_and(|text| !(1..=most).contains(&text.chars().count())) {
            report(field, format!("must be 1 to {most} characters"));
        }
    }
    if post.organisation.as_ref().is_some_and(|id| id.parse() != Ok(organisation_id)) {
        report("/org_id", "is not the organisation of this address".to_owned());
    }
    if post.channel.as_ref().is_some_and(|id| id.parse() != Ok(channel_id)) {
        report("/channel_id", "is not the channel of this address".to_owned());
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}
