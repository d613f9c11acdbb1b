//! Which Slack channels hear of which GitHub events.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{ExplanationOut, List, SubscriptionIn, SubscriptionOut, SubscriptionPatch, cursor},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::github::subscriptions,
    domain::page::PageRequest,
};

/// The operations.
pub struct Subscriptions;

#[OpenApi(tag = "Tag::Subscriptions")]
impl Subscriptions {
    /// List subscriptions
    ///
    /// Which repositories' events go to which conversations.
    #[oai(path = "/v1/subscriptions", method = "get", operation_id = "listSubscriptions")]
    async fn list_subscriptions(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// How many at most, 1 to 250; 50 where it is left out.
        limit: Query<Option<u32>>,
        /// The nextCursor of the previous answer.
        cursor: Query<Option<String>>,
    ) -> Answer<List<SubscriptionOut>> {
        let page = PageRequest::new(limit.0, self::cursor(cursor.0)?)?;
        Ok(Json(List::of(subscriptions.list_subscriptions(&caller.0, page).await?)))
    }

    /// Subscribe a Slack channel to GitHub events
    ///
    /// Slack has to be connected. The bot has to be in the channel for messages to arrive.
    #[oai(path = "/v1/subscriptions", method = "post", operation_id = "createSubscription")]
    async fn create_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        body: Body<SubscriptionIn>,
    ) -> Result<Created<SubscriptionOut>, Refused> {
        let subscription = subscriptions.create_subscription(&caller.0, body.value.into()).await?;
        Ok(Created::Created(Json(subscription.into())))
    }

    /// Get a subscription
    ///
    /// Tells what of a repository goes to which conversation.
    #[oai(path = "/v1/subscriptions/:id", method = "get", operation_id = "getSubscription")]
    async fn get_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// The subscription's id.
        id: Path<Uuid>,
    ) -> Answer<SubscriptionOut> {
        Ok(Json(subscriptions.get_subscription(&caller.0, id.0.into()).await?.into()))
    }

    /// Change a subscription
    ///
    /// What is left out stays, also of the rules; a list that is given takes the place of the whole former one.
    #[oai(path = "/v1/subscriptions/:id", method = "patch", operation_id = "updateSubscription")]
    async fn update_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// The subscription's id.
        id: Path<Uuid>,
        body: Body<SubscriptionPatch>,
    ) -> Answer<SubscriptionOut> {
        Ok(Json(subscriptions.update_subscription(&caller.0, id.0.into(), body.value.into()).await?.into()))
    }

    /// Delete a subscription
    ///
    /// What has been queued already is still delivered.
    #[oai(path = "/v1/subscriptions/:id", method = "delete", operation_id = "deleteSubscription")]
    async fn delete_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// The subscription's id.
        id: Path<Uuid>,
    ) -> Result<Done, Refused> {
        subscriptions.delete_subscription(&caller.0, id.0.into()).await?;
        Ok(Done::Done)
    }

    /// Explain a subscription
    ///
    /// What an event that came in means for it as it is set up now, rule by rule. What it meant when it came in stands
    /// in the event's deliveries.
    #[oai(path = "/v1/subscriptions/:id/explanation", method = "get", operation_id = "explainSubscription")]
    async fn explain_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// The subscription's id.
        id: Path<Uuid>,
        /// The event.
        #[oai(name = "eventId")]
        event_id: Query<Uuid>,
    ) -> Answer<ExplanationOut> {
        Ok(Json(subscriptions.explain_subscription(&caller.0, id.0.into(), event_id.0.into()).await?.into()))
    }
}
