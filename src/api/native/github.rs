//! What GitHub sends, and doing it once more.

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

/// A delivery that is taken.
#[derive(ApiResponse)]
enum Taken {
    /// What follows from it is durable.
    #[oai(status = 202)]
    Taken(Json<GithubReceiptOut>),
}

/// A delivery that is worked on once more.
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
    /// The address of the app's webhook. GitHub's signature is the credential. A delivery that came before is accepted
    /// once; what concerns nobody here is taken and passed over.
    #[oai(path = "/v1/github/events", method = "post", operation_id = "receiveGithubEvent")]
    async fn receive_github_event(
        &self,
        github: Service<'_, GithubConnections>,
        /// What happened, such as `push`.
        #[oai(name = "X-GitHub-Event")]
        event: Header<Option<String>>,
        /// The delivery's id; the same when it is delivered again.
        #[oai(name = "X-GitHub-Delivery")]
        delivery_id: Header<Option<String>>,
        /// `sha256=` and GitHub's signature over the body.
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
    /// Takes a delivery of GitHub's that came before as if it were new: GitHub delivers again under the same id, and
    /// that is accepted only once.
    #[oai(
        path = "/v1/github/deliveries/:deliveryId/reprocess",
        method = "post",
        operation_id = "reprocessGithubDelivery"
    )]
    async fn reprocess_github_delivery(
        &self,
        github: Service<'_, GithubConnections>,
        caller: Bearer,
        /// The X-GitHub-Delivery of the delivery.
        #[oai(name = "deliveryId")]
        delivery_id: Path<Uuid>,
    ) -> Result<Again, Refused> {
        let event = github.reprocess_github_delivery(&caller.0, &delivery_id.0.to_string()).await?;
        Ok(Again::Accepted(Json(event.into())))
    }
}
