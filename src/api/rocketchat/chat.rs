//! Messages that members post.

use poem_openapi::{OpenApi, payload::Json};

use super::{
    Answer, Tag,
    auth::Known,
    wire::rooms::{ChatMessageIn, PostedOut},
};
use crate::{
    api::shared::{body::Body, services::Service},
    app::webhooks::Webhooks,
};

/// The operations.
pub struct Chat;

#[OpenApi(tag = "Tag::Rooms")]
impl Chat {
    /// Post a message
    ///
    /// Posts in the caller's name. A public channel is joined by that; in a private one the caller has to be.
    #[oai(path = "/api/v1/chat.postMessage", method = "post", operation_id = "postChatMessage")]
    async fn post_chat_message(
        &self,
        webhooks: Service<'_, Webhooks>,
        caller: Known,
        body: Body<ChatMessageIn>,
    ) -> Answer<PostedOut> {
        Ok(Json(webhooks.post_chat_message(&caller.0, &body.value.content()).await?.into()))
    }
}
