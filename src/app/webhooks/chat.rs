//! Messages that members post in the form of incoming webhooks.
//!
//! Not here: the resolution of their targets (`incoming::places`).

use serde_json::{Map, Value};

use super::{Webhooks, incoming::Posted};
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        tenancy::member::Permission,
        webhooks::post::{Post, PostFault},
    },
};

impl Webhooks {
    /// Posts a message of the caller's, and returns the first one where it names several channels. A public channel is
    /// joined by that; in a private one the caller has to be.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`PostFault`] as [`Error::Webhook`].
    pub async fn post_chat_message(&self, caller: &Caller, content: &Map<String, Value>) -> Result<Posted> {
        caller.require(Permission::EventsWrite)?;
        let post = Post::by_member(content)?;
        let poster = self.person(caller).await?;
        let told = self.post_from((caller.organisation_id, &[]), &poster, Post { separate: false, ..post }).await?;
        let first = told.into_iter().next().ok_or_else(|| Error::from(PostFault::Empty))?;
        Ok(first.result?)
    }
}
