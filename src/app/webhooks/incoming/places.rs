//! Resolves the target of a webhook's message: the channel that a text names, or the channel of two people.
//!
//! Not here: posting into it (`incoming`).

use crate::{
    app::webhooks::Webhooks,
    domain::{
        Error, Result,
        channels::{
            Channel, channel_name, direct_name,
            event::CHANNEL_MEMBER_JOINED,
            person::{BOT, Person},
        },
        error::Noun,
        ids::{ChannelId, OrganisationId, UserId},
        tenancy::member,
        webhooks::{Target, post::PostFault},
    },
    store,
};

/// A resolved target.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// An existing channel.
    There {
        /// The channel.
        channel: Channel,
        /// True if the poster has to join it first.
        joins: bool,
    },
    /// A user with whom the poster shares no channel of two yet.
    Direct(Person),
}

impl Webhooks {
    /// Resolves a text to a target in which the poster may post.
    pub(super) async fn find_place(
        &self,
        organisation_id: OrganisationId,
        poster: &Person,
        text: &str,
    ) -> Result<Result<Found, PostFault>> {
        let none = || PostFault::NoSuchTarget(text.to_owned());
        let (channel, user) = match Target::read(text) {
            Target::Channel(name) => (Some(name), None),
            Target::User(name) => (None, Some(name)),
            // A username without its sign is taken for a channel's name.
            Target::Either(name) => (Some(name.clone()), name.parse::<UserId>().ok().map(|_| name)),
            Target::AllPublic | Target::AllPrivate | Target::AllDirect => return Ok(Err(none())),
        };
        if let Some(name) = channel
            && let Some(channel) = self.channel_named(organisation_id, &name).await?
        {
            return self.may_enter(poster, channel).await;
        }
        let Some(name) = user else { return Ok(Err(none())) };
        let Some(other) = self.person_named(organisation_id, &name).await? else { return Ok(Err(none())) };
        if poster.user_id.is_none() && other.user_id.is_none() {
            return Ok(Err(none()));
        }
        let reader = self.base.store.reader();
        match store::channels::find_by_name(reader, organisation_id, &direct_name(poster, &other)).await? {
            Some(channel) if channel.archived_at.is_some() => Ok(Err(PostFault::Archived)),
            Some(channel) => Ok(Ok(Found::There { channel, joins: false })),
            None => Ok(Ok(Found::Direct(other))),
        }
    }

    async fn may_enter(&self, poster: &Person, channel: Channel) -> Result<Result<Found, PostFault>> {
        if channel.archived_at.is_some() {
            return Ok(Err(PostFault::Archived));
        }
        let is_in = match poster.user_id {
            Some(user_id) => store::channels::has_member(self.base.store.reader(), channel.id, user_id).await?,
            None => false,
        };
        if channel.private && !is_in {
            return Ok(Err(PostFault::NotAllowed));
        }
        // The bot is never a member of a channel.
        let joins = !is_in && poster.user_id.is_some();
        Ok(Ok(Found::There { channel, joins }))
    }

    /// Finds a channel by its id or its name.
    async fn channel_named(&self, organisation_id: OrganisationId, text: &str) -> Result<Option<Channel>> {
        let reader = self.base.store.reader();
        if let Ok(id) = text.parse::<ChannelId>() {
            match store::channels::find(reader, organisation_id, id).await {
                Ok(channel) => return Ok(Some(channel)),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match channel_name(text) {
            Ok(name) => store::channels::find_by_name(reader, organisation_id, &name).await,
            Err(_) => Ok(None),
        }
    }

    /// Finds a member by their id or username, or the bot.
    pub(super) async fn person_named(&self, organisation_id: OrganisationId, text: &str) -> Result<Option<Person>> {
        let reader = self.base.store.reader();
        let member = match (text.parse::<UserId>(), member::username(text)) {
            (Ok(user_id), _) => match store::tenancy::members::find(reader, organisation_id, user_id).await {
                Ok(member) => Some(member),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            },
            (Err(_), Ok(name)) => store::tenancy::members::find_by_username(reader, organisation_id, &name).await?,
            (Err(_), Err(_)) => None,
        };
        let person = member.map(|member| Person { user_id: Some(member.user_id), username: member.username });
        Ok(person.or_else(|| (text == BOT).then(Person::bot)))
    }

    /// Returns the channel of a target, after the poster joined it or it was created.
    pub(super) async fn open_place(
        &self,
        organisation_id: OrganisationId,
        poster: &Person,
        place: Found,
    ) -> Result<Channel> {
        match (place, poster.user_id) {
            (Found::There { channel, joins: true }, Some(user_id)) => {
                let tx = self.base.store.begin().await?;
                store::channels::add_member(&tx, &channel, user_id, self.base.now()).await?;
                self.channels.commit_channel_event(tx, CHANNEL_MEMBER_JOINED, &channel, user_id).await?;
                Ok(channel)
            }
            (Found::There { channel, .. }, _) => Ok(channel),
            (Found::Direct(other), _) => self.direct_channel(organisation_id, poster, &other).await,
        }
    }

    /// Creates the channel of two people.
    async fn direct_channel(
        &self,
        organisation_id: OrganisationId,
        poster: &Person,
        other: &Person,
    ) -> Result<Channel> {
        let mut members: Vec<UserId> = poster.user_id.into_iter().chain(other.user_id).collect();
        members.dedup();
        let created_by = *members.first().ok_or_else(|| Error::not_found(Noun::Member, BOT))?;
        let channel = Channel {
            id: self.base.ambient.id(),
            organisation_id,
            name: direct_name(poster, other),
            private: true,
            direct: true,
            archived_at: None,
            created_by,
            created_at: self.base.now(),
        };
        let tx = self.base.store.begin().await?;
        match store::channels::insert(&tx, &channel).await {
            Ok(()) => {}
            Err(Error::Conflict { .. }) => {
                // A concurrent request created it first.
                drop(tx);
                let writer = self.base.store.writer();
                let there = store::channels::find_by_name(writer, organisation_id, &channel.name).await?;
                return there.ok_or_else(|| Error::not_found(Noun::Channel, channel.name));
            }
            Err(error) => return Err(error),
        }
        for user_id in members {
            store::channels::add_member(&tx, &channel, user_id, channel.created_at).await?;
        }
        tx.commit().await?;
        Ok(channel)
    }
}
