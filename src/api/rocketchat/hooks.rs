//! Addresses of incoming webhooks. The token in an address is its credential; a user in the address is ignored.

mod wire;

use poem::{Request, http::header};
use poem_openapi::{OpenApi, param::Path, payload::Json};
use url::form_urlencoded;

pub(in crate::api::rocketchat) use self::wire::message;
use self::wire::{Answered, Done, HookBody, SampleOut, SubscriberIn, UnsubscribeIn};
use super::{Answer, Refused, Tag};
use crate::{
    api::shared::{auth, body::Body, services::Service, signed::Raw},
    app::webhooks::{Webhooks, incoming::HookRequest},
    domain::secret::Secret,
};

/// The operations.
pub struct Hooks;

/// Returns the token of an address. It is decoded once more than addresses are, as the product does.
fn token(text: &str) -> Secret {
    let decoded = form_urlencoded::parse(text.as_bytes()).next().map(|(token, _)| token.into_owned());
    Secret::new(decoded.unwrap_or_default())
}

/// Makes the use case's input of a request.
fn hook(request: &Request, (id, user_id, secret): (&str, Option<&str>, &str), body: &Raw<HookBody>) -> HookRequest {
    let target = request.uri().path_and_query().map_or(request.uri().path(), |target| target.as_str());
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    HookRequest {
        id: id.to_owned(),
        token: token(secret),
        user_id: user_id.map(str::to_owned),
        target: target.to_owned(),
        headers: request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        content_type: request.headers().get(header::CONTENT_TYPE).map(text),
        body: body.bytes.clone(),
    }
}

type Received = Result<Answered, Refused>;

/// Posts the request's message, subject to the rate limit of invalid tokens.
async fn received(
    webhooks: &Webhooks,
    request: &Request,
    (id, user_id, token): (&str, Option<&str>, &str),
    body: &Raw<HookBody>,
) -> Received {
    let received = webhooks.receive_webhook(hook(request, (id, user_id, token), body));
    Ok(auth::checked(request, &[id, token], received).await?.into())
}

#[OpenApi(tag = "Tag::Hooks")]
impl Hooks {
    /// Post by an incoming webhook
    ///
    /// Accepts a JSON object, a form, a form with the object in its `payload`, or text for a script. The response is
    /// sent once everything is durable.
    #[oai(path = "/hooks/:integrationId/:token", method = "post", operation_id = "receiveWebhook")]
    async fn receive_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
        body: Raw<HookBody>,
    ) -> Received {
        received(&webhooks, request, (&id.0, None, &token.0), &body).await
    }

    /// Call an incoming webhook by a link
    ///
    /// There is no body, so that a message is posted only if a script makes it from the query.
    #[oai(path = "/hooks/:integrationId/:token", method = "get", operation_id = "receiveWebhookByLink")]
    async fn receive_webhook_by_link(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
    ) -> Received {
        received(&webhooks, request, (&id.0, None, &token.0), &Raw::nothing()).await
    }

    /// Post by an incoming webhook, at its former address
    ///
    /// The user in the address is ignored.
    #[oai(path = "/hooks/:integrationId/:userId/:token", method = "post", operation_id = "receiveWebhookOfUser")]
    async fn receive_webhook_of_user(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
        body: Raw<HookBody>,
    ) -> Received {
        received(&webhooks, request, (&id.0, Some(&user_id.0), &token.0), &body).await
    }

    /// Call an incoming webhook by a link, at its former address
    ///
    /// The user in the address is ignored.
    #[oai(path = "/hooks/:integrationId/:userId/:token", method = "get", operation_id = "receiveWebhookOfUserByLink")]
    async fn receive_webhook_of_user_by_link(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
    ) -> Received {
        received(&webhooks, request, (&id.0, Some(&user_id.0), &token.0), &Raw::nothing()).await
    }

    /// Check the address of an incoming webhook
    ///
    /// Succeeds if the integration exists, and has no effect. Automation services call it when a subscription is set
    /// up.
    #[oai(path = "/hooks/info/:integrationId/:userId/:token", method = "get", operation_id = "checkWebhook")]
    async fn check_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        _user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
    ) -> Answer<Done> {
        let secret = self::token(&token.0);
        auth::checked(request, &[&id.0, &token.0], webhooks.check_webhook(&id.0, &secret)).await?;
        Ok(Json(Done { success: true }))
    }

    /// Get examples of an outgoing webhook's calls
    ///
    /// Returns three messages in the form in which a subscriber of new messages receives them. Automation services call
    /// it when a subscription is set up.
    #[oai(path = "/hooks/sample/:integrationId/:userId/:token", method = "get", operation_id = "sampleWebhook")]
    async fn sample_webhook(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        _user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
    ) -> Answer<Vec<SampleOut>> {
        let secret = self::token(&token.0);
        let sample = auth::checked(request, &[&id.0, &token.0], webhooks.sample_webhook(&id.0, &secret)).await?;
        Ok(Json(wire::samples(&sample)))
    }

    /// Add an outgoing webhook by an incoming one
    ///
    /// Adds it in the name of the incoming webhook's poster, for the channels that the incoming webhook is set up for
    /// and its poster is a member of. Requires the setting `webhooks.self_service_hooks`; without it the address is
    /// reported as unknown.
    #[oai(path = "/hooks/add/:integrationId/:userId/:token", method = "post", operation_id = "addWebhookSubscriber")]
    async fn add_webhook_subscriber(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        _user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
        body: Body<SubscriberIn>,
    ) -> Answer<Done> {
        let secret = self::token(&token.0);
        auth::checked(request, &[&id.0, &token.0], webhooks.add_webhook_subscriber(&id.0, &secret, body.value.into()))
            .await?;
        Ok(Json(Done { success: true }))
    }

    /// Remove an outgoing webhook by an incoming one
    ///
    /// Removes a webhook that the incoming webhook's poster created. Requires the setting
    /// `webhooks.self_service_hooks`.
    #[oai(
        path = "/hooks/remove/:integrationId/:userId/:token",
        method = "post",
        operation_id = "removeWebhookSubscriber"
    )]
    async fn remove_webhook_subscriber(
        &self,
        webhooks: Service<'_, Webhooks>,
        request: &Request,
        /// Id of the integration.
        #[oai(name = "integrationId")]
        id: Path<String>,
        /// Any user; ignored.
        #[oai(name = "userId")]
        _user_id: Path<String>,
        /// Token of the integration.
        token: Path<String>,
        body: Body<UnsubscribeIn>,
    ) -> Answer<Done> {
        let secret = self::token(&token.0);
        auth::checked(
            request,
            &[&id.0, &token.0],
            webhooks.remove_webhook_subscriber(&id.0, &secret, &body.value.target_url),
        )
        .await?;
        Ok(Json(Done { success: true }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_decoded_once_more() {
        for (text, decoded) in [("abc", "abc"), ("%61bc", "abc"), ("", ""), ("%ff", "\u{fffd}")] {
            assert_eq!(token(text).expose(), decoded, "{text}");
        }
    }
}
