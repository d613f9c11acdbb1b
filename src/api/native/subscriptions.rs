//! Subscriptions of Slack channels to GitHub events.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Created, Done, Refused, Tag,
    wire::{ExplanationOut, Limit, List, SubscriptionIn, SubscriptionOut, SubscriptionPatch, page},
};
use crate::{
    api::shared::{auth::Bearer, body::Body, services::Service},
    app::github::subscriptions,
};

/// The operations.
pub struct Subscriptions;

#[OpenApi(tag = "Tag::Subscriptions")]
impl Subscriptions {
    /// List subscriptions
    ///
    /// Lists the subscriptions of Slack conversations to repositories' events.
    #[oai(path = "/v1/subscriptions", method = "get", operation_id = "listSubscriptions")]
    async fn list_subscriptions(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<SubscriptionOut>> {
        let page = self::page(limit, cursor)?;
        Ok(Json(List::of(subscriptions.list_subscriptions(&caller.0, page).await?)))
    }

    /// Subscribe a Slack channel to GitHub events
    ///
    /// Creates a subscription. Slack has to be connected. Messages arrive only if the bot is in the channel.
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
    /// Returns one subscription with its rules.
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
    /// Fields that are absent from the request stay unchanged, also those of the rules; a given list replaces the
    /// former one.
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
    /// Deletes a subscription. Deliveries that are already queued are still sent.
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
    /// Evaluates a stored event against the subscription's current rules, one by one. The decision that was made when
    /// the event was accepted is in the event's deliveries.
    #[oai(path = "/v1/subscriptions/:id/explanation", method = "get", operation_id = "explainSubscription")]
    async fn explain_subscription(
        &self,
        subscriptions: Service<'_, subscriptions::Subscriptions>,
        caller: Bearer,
        /// The subscription's id.
        id: Path<Uuid>,
        /// The event's id.
        #[oai(name = "eventId")]
        event_id: Query<Uuid>,
    ) -> Answer<ExplanationOut> {
        Ok(Json(subscriptions.explain_subscription(&caller.0, id.0.into(), event_id.0.into()).await?.into()))
    }
}
