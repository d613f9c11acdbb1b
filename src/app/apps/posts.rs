//! Posts of apps to channels: by the address of a tick, which has a key of its own, or by the app's API key.
//!
//! Not here: the way of a message through its channel (`messages`).

use super::{
    Apps,
    keys::{KeyedApp, wrong_key},
};
use crate::{
    app::channels::inbound::{ChannelPost, Poster},
    domain::{
        Result,
        apps::key,
        ids::{ChannelId, EventId},
    },
    store,
};

impl Apps {
    /// Accepts a message by a key: that of a channel's address, or the API key of an app that is active in the channel. The
    /// author of the latter is the app, which does not get its own message back.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](crate::domain::Error::Unauthenticated) or, for the key of an address,
    /// [`Error::NotFound`](crate::domain::Error::NotFound): the same for every key that is not valid for this channel.
    /// [`Error::Invalid`](crate::domain::Error::Invalid), [`Error::RateLimited`](crate::domain::Error::RateLimited).
    pub async fn receive_channel_message(
        &self,
        channel_id: ChannelId,
        key: &str,
        post: ChannelPost,
    ) -> Result<EventId> {
        if !key::is_key(key) {
            return self.channels.receive_channel_message(channel_id, Some(key), post).await;
        }
        let KeyedApp(app) = self.identify_app(key).await?;
        let (reader, organisation_id) = (self.base.store.reader(), app.organisation_id);
        let there = store::apps::installations::of_channel(reader, organisation_id, channel_id).await?;
        if !there.iter().any(|there| there.app.id == app.id && there.app.active && there.used.active) {
            return Err(wrong_key());
        }
        let poster = Poster { key_id: app.installation_id.0, organisation_id, integration_id: Some(app.id) };
        let username = post.username.or(Some(app.name));
        self.channels.post_by(poster, channel_id, ChannelPost { username, ..post }).await
    }
}
