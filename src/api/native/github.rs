//! GitHub's webhook, and reprocessing of its deliveries.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Refused, Tag,
    wire::{AcceptedOut, GithubBody, GithubReceiptOut},
};
use crate::{
    api::shared::{
        auth::Bearer,
        media::Media,
        services::Service,
        signed::{Raw, SignatureHeader},
    },
    app::github::{GithubConnections, inbound::GithubDelivery},
};

/// The operations.
pub struct Github;

/// An accepted delivery of GitHub's.
#[derive(ApiResponse)]
enum Taken {
    /// The resulting events are durable.
    #[oai(status = 202)]
    Taken(Json<GithubReceiptOut>),
}

/// A reprocessed delivery.
#[derive(ApiResponse)]
enum Again {
    /// The event is durable.
    #[oai(status = 202)]
    Accepted(Json<AcceptedOut>),
}

#[OpenApi(tag = "Tag::Github")]
impl Github {
    /// Receive a GitHub event
    ///
    /// Accepts an event at the webhook URL of the GitHub App. GitHub's signature is the credential. A repeated delivery
    /// is accepted once; an event that concerns no organisation is accepted and ignored.
    #[oai(path = "/v1/github/events", method = "post", operation_id = "receiveGithubEvent")]
    async fn receive_github_event(
        &self,
        github: Service<'_, GithubConnections>,
        /// Name of the event, such as `push`.
        #[oai(name = "X-GitHub-Event")]
        event: Header<Option<String>>,
        /// Id of the delivery; a redelivery has the same id.
        #[oai(name = "X-GitHub-Delivery")]
        delivery_id: Header<Option<String>>,
        /// `sha256=` and GitHub's signature of the body.
        #[oai(name = "X-Hub-Signature-256")]
        _signature: SignatureHeader,
        body: Raw<GithubBody>,
    ) -> Result<Taken, Refused> {
        let delivery = GithubDelivery {
            event: event.0.as_deref(),
            delivery_id: delivery_id.0.as_deref(),
            signature: body.verified()?,
            content_type: body.media.map(Media::name),
            body: body.bytes,
        };
        Ok(Taken::Taken(Json(github.receive_github_event(delivery).await?.into())))
    }

    /// Reprocess a GitHub delivery
    ///
    /// Accepts a delivery of GitHub's anew. GitHub redelivers under the same id, which is accepted only once, so that a
    /// redelivery alone has no effect.
    #[oai(
        path = "/v1/github/deliveries/:deliveryId/reprocess",
        method = "post",
        operation_id = "reprocessGithubDelivery"
    )]
    async fn reprocess_github_delivery(
        &self,
        github: Service<'_, GithubConnections>,
        caller: Bearer,
        /// X-GitHub-Delivery header of the delivery.
        #[oai(name = "deliveryId")]
        delivery_id: Path<Uuid>,
    ) -> Result<Again, Refused> {
        let event = github.reprocess_github_delivery(&caller.0, &delivery_id.0.to_string()).await?;
        Ok(Again::Accepted(Json(event.into())))
    }
}
