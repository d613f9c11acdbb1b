//! Channels and their messages as Rocket.Chat's clients page them: by offset, a message once.
//!
//! Not here: the native lists, which have cursors (`channels`).

use std::collections::HashSet;

use super::Channels;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        channels::{
            Channel,
            event::{MESSAGE_POSTED, MESSAGE_PUBLISHED},
        },
        error::Noun,
        ids::ChannelId,
        page::PageRequest,
        pipeline::event::Event,
        tenancy::member::Permission,
    },
    store,
};

/// Maximum number of events of a channel that one request walks through.
const MOST_EVENTS: usize = 10_000;

/// A public channel or a private one, by its id or by its name.
#[derive(Clone, Copy, Debug)]
pub struct RoomKey<'a> {
    /// True for a private one.
    pub private: bool,
    /// Its id.
    pub id: Option<&'a str>,
    /// Its name, which counts where there is no id.
    pub name: Option<&'a str>,
}

/// A window of the messages of a channel, newest first.
#[derive(Clone, Debug)]
pub struct RoomMessages {
    /// The messages: what became of each, where the channel changed it.
    pub messages: Vec<Event>,
    /// Number of all messages of the channel.
    pub total: u64,
}

impl Channels {
    /// Lists the public channels, or the private ones, that the caller may see, newest first; channels of two are in
    /// neither list.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_rooms(&self, caller: &Caller, private: bool) -> Result<Vec<Channel>> {
        let mut found = Vec::new();
        let mut page = PageRequest { limit: PageRequest::MAX_LIMIT, after: None };
        loop {
            let listed = self.list_channels(caller, page).await?;
            found.extend(listed.items.into_iter().filter(|channel| channel.private == private && !channel.direct));
            match listed.next {
                Some(after) => page.after = Some(after),
                None => return Ok(found),
            }
        }
    }

    /// Returns a public channel, or a private one, by its id or, where there is no id, by its name.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn get_room(&self, caller: &Caller, wanted: RoomKey<'_>) -> Result<Channel> {
        caller.require(Permission::ChannelsRead)?;
        self.room(caller, wanted).await
    }

    /// The same, for a caller whose permission was checked.
    pub(super) async fn room(&self, caller: &Caller, wanted: RoomKey<'_>) -> Result<Channel> {
        let RoomKey { private, id, name } = wanted;
        let wanted = id.or(name).unwrap_or_default();
        let none = || Error::not_found(Noun::Channel, wanted);
        let id = match id {
            Some(id) => id.parse::<ChannelId>().map_err(|_| none())?,
            None => {
                let reader = self.base.store.reader();
                let name = wanted.trim_start_matches('#');
                store::channels::find_by_name(reader, caller.organisation_id, name).await?.ok_or_else(none)?.id
            }
        };
        let channel = self.visible_channel(caller, id).await.map_err(|error| match error {
            Error::NotFound { .. } => none(),
            other => other,
        })?;
        if channel.private == private { Ok(channel) } else { Err(none()) }
    }

    /// Lists the messages of a channel, newest first: `window` has the number to skip and the maximum number.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`].
    pub async fn list_room_messages(
        &self,
        caller: &Caller,
        wanted: RoomKey<'_>,
        (skip, most): (u64, u64),
    ) -> Result<RoomMessages> {
        let channel = self.get_room(caller, wanted).await?;
        let reader = self.base.store.reader();
        let filter = store::pipeline::events::Filter::of_channel(channel.id);
        let mut page = PageRequest { limit: PageRequest::MAX_LIMIT, after: None };
        let (mut passed, mut messages, mut walked) = (0, Vec::new(), 0);
        let mut published = HashSet::new();
        'pages: loop {
            let listed = store::pipeline::events::list(reader, caller.organisation_id, &filter, page).await?;
            walked += listed.items.len();
            for event in listed.items {
                if !is_shown(&event, &mut published) {
                    continue;
                }
                passed += 1;
                if passed > skip {
                    messages.push(event);
                }
                if messages.len() as u64 >= most {
                    break 'pages;
                }
            }
            match listed.next {
                Some(after) if walked < MOST_EVENTS => page.after = Some(after),
                Some(_) | None => break,
            }
        }
        let of = (caller.organisation_id, channel.id);
        let total = store::pipeline::events::count_of_kind(reader, of, MESSAGE_POSTED).await?;
        Ok(RoomMessages { messages, total })
    }
}

/// Returns true for a message, unless it was seen as published already: its own event is older.
fn is_shown(event: &Event, published: &mut HashSet<String>) -> bool {
    match event.fact.kind.as_str() {
        MESSAGE_PUBLISHED => {
            published.extend(event.fact.data["postedAs"].as_str().map(str::to_owned));
            true
        }
        MESSAGE_POSTED => !published.contains(&event.id.to_string()),
        _ => false,
    }
}
