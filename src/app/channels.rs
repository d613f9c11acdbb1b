//! Channels and their members. A private channel is visible only to its members and to managers of channels.
//!
//! Not here: messages from outside (`channels::inbound`), and the apps in a channel (`apps`).

pub mod inbound;
pub mod room_changes;
pub mod rooms;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Caller,
    kernel::{Base, throttle::Throttle},
    pipeline::{ChannelPolicy, Pipeline},
    tenancy::vault::Vault,
};
use crate::{
    domain::{
        Error, Result,
        channels::{
            Channel, channel_name,
            event::{CHANNEL_ARCHIVED, CHANNEL_CREATED, CHANNEL_MEMBER_JOINED, CHANNEL_MEMBER_LEFT, MESSAGE_POSTED},
            message::{MAX_CHARS, Message},
            person::Person,
        },
        error::Noun,
        ids::{ChannelId, UserId},
        page::{Page, PageRequest},
        pipeline::event::{Event, Fact},
        tenancy::member::Permission,
    },
    store::{self, Store, Tx},
};

/// Service of channels and their members.
#[derive(Clone)]
pub struct Channels {
    base: Base,
    access: ChannelAccess,
    pipeline: Arc<Pipeline>,
    vault: Arc<Vault>,
    inbound: Arc<Throttle>,
}

impl Channels {
    /// Creates the service. `inbound` limits the messages that arrive by a channel's key.
    pub fn new(base: Base, pipeline: Arc<Pipeline>, vault: Arc<Vault>, inbound: Arc<Throttle>) -> Self {
        let access = ChannelAccess(base.store.clone());
        Self { base, access, pipeline, vault, inbound }
    }
}

/// Visibility of channels.
#[derive(Clone)]
pub struct ChannelAccess(pub Store);

impl ChannelAccess {
    /// Returns a channel that the caller may see.
    async fn visible(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        let reader = self.0.reader();
        let channel = store::channels::find(reader, caller.organisation_id, id).await?;
        let seen = !channel.private
            || caller.may(Permission::ChannelsManage)
            || store::channels::has_member(reader, id, caller.user_id).await?;
        if seen { Ok(channel) } else { Err(Error::not_found(Noun::Channel, id)) }
    }

    /// Returns the data of a message that a caller posts: in the caller's own name, whatever name it carries.
    async fn signed_message(&self, caller: &Caller, data: &Value) -> Result<Value> {
        let mut message = Message::read(data);
        if message.is_too_long() {
            return Err(Error::invalid("/data/message", format!("must have at most {MAX_CHARS} characters")));
        }
        let member = store::tenancy::members::find(self.0.reader(), caller.organisation_id, caller.user_id).await?;
        message.user = Some(Person { user_id: Some(member.user_id), username: member.username });
        Ok(message.data())
    }
}

#[async_trait]
impl ChannelPolicy for ChannelAccess {
    async fn require_visible(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        self.visible(caller, id).await.map(drop)
    }

    async fn admit(&self, caller: &Caller, mut fact: Fact) -> Result<Fact> {
        let channel = match fact.channel_id {
            Some(id) => Some(self.visible(caller, id).await?),
            None => None,
        };
        if fact.kind == MESSAGE_POSTED {
            channel.map_or(Ok(()), |channel| channel.demand_open())?;
            fact.data = self.signed_message(caller, &fact.data).await?.into();
        }
        Ok(fact)
    }
}

/// A patch of a channel: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ChannelChange {
    /// New name.
    pub name: Option<String>,
    /// True for a private channel.
    pub private: Option<bool>,
    /// True if new messages are refused.
    pub archived: Option<bool>,
}

impl Channels {
    /// Creates a channel with its creator as a member.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], [`Error::Conflict`] where the name is taken.
    pub async fn create_channel(&self, caller: &Caller, name: &str, private: bool) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let channel = Channel {
            id: self.base.ambient.id(),
            organisation_id: caller.organisation_id,
            name: channel_name(name)?,
            private,
            direct: false,
            archived_at: None,
            created_by: caller.user_id,
            created_at: self.base.now(),
        };
        let tx = self.base.store.begin().await?;
        store::channels::insert(&tx, &channel).await?;
        store::channels::add_member(&tx, &channel, caller.user_id, channel.created_at).await?;
        self.audit_channel(&tx, caller, "channel.create", &channel).await?;
        self.commit_channel_event(tx, CHANNEL_CREATED, &channel, caller.user_id).await?;
        Ok(channel)
    }

    /// Lists the channels that the caller may see, newest first. Managers of channels see all of them except channels
    /// of two, which they reach by id only.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_channels(&self, caller: &Caller, page: PageRequest) -> Result<Page<Channel>> {
        caller.require(Permission::ChannelsRead)?;
        let viewer = (caller.user_id, caller.may(Permission::ChannelsManage));
        store::channels::list(self.base.store.reader(), caller.organisation_id, viewer, page).await
    }

    /// Returns a channel.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] also for a private one of which the caller is not a member.
    pub async fn get_channel(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        caller.require(Permission::ChannelsRead)?;
        self.visible_channel(caller, id).await
    }

    /// Changes a channel. An archived one keeps its members and messages.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Invalid`], [`Error::Conflict`] where the name is taken,
    /// [`Error::FailedPrecondition`] for the channel of two.
    pub async fn update_channel(&self, caller: &Caller, id: ChannelId, change: ChannelChange) -> Result<Channel> {
        caller.require(Permission::ChannelsManage)?;
        let tx = self.base.store.begin().await?;
        let mut channel = store::channels::find(&tx, caller.organisation_id, id).await?;
        channel.demand_not_direct()?;
        if let Some(name) = change.name {
            channel.name = channel_name(&name)?;
        }
        channel.private = change.private.unwrap_or(channel.private);
        let was_archived = channel.archived_at.is_some();
        match change.archived {
            Some(true) => channel.archived_at = channel.archived_at.or(Some(self.base.now())),
            Some(false) => channel.archived_at = None,
            None => {}
        }
        store::channels::update(&tx, &channel).await?;
        self.audit_channel(&tx, caller, "channel.update", &channel).await?;
        match channel.archived_at.is_some() && !was_archived {
            true => self.commit_channel_event(tx, CHANNEL_ARCHIVED, &channel, caller.user_id).await?,
            false => tx.commit().await?,
        }
        Ok(channel)
    }

    /// Deletes a channel. Its events stay readable by their ids.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn delete_channel(&self, caller: &Caller, id: ChannelId) -> Result<()> {
        caller.require(Permission::ChannelsManage)?;
        let tx = self.base.store.begin().await?;
        let channel = store::channels::find(&tx, caller.organisation_id, id).await?;
        store::channels::delete(&tx, id).await?;
        self.audit_channel(&tx, caller, "channel.delete", &channel).await?;
        tx.commit().await
    }

    /// Lists the users in a channel.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_channel_members(
        &self,
        caller: &Caller,
        id: ChannelId,
        page: PageRequest,
    ) -> Result<Page<UserId>> {
        let channel = self.get_channel(caller, id).await?;
        store::channels::members(self.base.store.reader(), channel.id, page).await
    }

    /// Adds a member of the organisation to a channel; a repetition changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for the channel or the member, [`Error::FailedPrecondition`] for the
    /// channel of two.
    pub async fn add_channel_member(&self, caller: &Caller, id: ChannelId, user_id: UserId) -> Result<()> {
        caller.require(Permission::ChannelsManage)?;
        let tx = self.base.store.begin().await?;
        let channel = store::channels::find(&tx, caller.organisation_id, id).await?;
        channel.demand_not_direct()?;
        store::tenancy::members::find(&tx, caller.organisation_id, user_id).await?;
        if store::channels::has_member(&tx, id, user_id).await? {
            return Ok(());
        }
        store::channels::add_member(&tx, &channel, user_id, self.base.now()).await?;
        self.commit_channel_event(tx, CHANNEL_MEMBER_JOINED, &channel, user_id).await
    }

    /// Removes a user from a channel. The event is the same whether they left or were removed.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`] for the channel, or where the user is not in it,
    /// [`Error::FailedPrecondition`] for the channel of two.
    pub async fn remove_channel_member(&self, caller: &Caller, id: ChannelId, user_id: UserId) -> Result<()> {
        caller.require(Permission::ChannelsManage)?;
        let tx = self.base.store.begin().await?;
        let channel = store::channels::find(&tx, caller.organisation_id, id).await?;
        channel.demand_not_direct()?;
        store::channels::remove_member(&tx, channel.id, user_id).await?;
        self.commit_channel_event(tx, CHANNEL_MEMBER_LEFT, &channel, user_id).await
    }

    /// Lists the events of a channel, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_channel_messages(
        &self,
        caller: &Caller,
        id: ChannelId,
        page: PageRequest,
    ) -> Result<Page<Event>> {
        let channel = self.get_channel(caller, id).await?;
        let filter = store::pipeline::events::Filter::of_channel(channel.id);
        store::pipeline::events::list(self.base.store.reader(), caller.organisation_id, &filter, page).await
    }

    /// Returns a channel that the caller may see.
    pub(super) async fn visible_channel(&self, caller: &Caller, id: ChannelId) -> Result<Channel> {
        self.access.visible(caller, id).await
    }

    /// Commits a change of a channel together with the event that reports it and its subject.
    pub(super) async fn commit_channel_event(
        &self,
        tx: Tx,
        kind: &str,
        channel: &Channel,
        user_id: UserId,
    ) -> Result<()> {
        let user = match store::tenancy::members::find(&tx, channel.organisation_id, user_id).await {
            Ok(member) => member.event_data(),
            Err(Error::NotFound { .. }) => json!({"id": user_id}),
            Err(error) => return Err(error),
        };
        let data = json!({"channel": channel.event_data(), "user": user});
        self.pipeline.commit_announced(tx, channel.organisation_id, Fact::plain(kind, Some(channel.id), data)).await
    }

    async fn audit_channel(&self, tx: &Tx, caller: &Caller, action: &'static str, channel: &Channel) -> Result<()> {
        let detail = json!({"name": channel.name, "private": channel.private});
        self.base.audit(tx, (caller.organisation_id, &caller.actor()), action, channel.id, detail).await
    }
}
