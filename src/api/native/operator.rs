//! Operations for operators, the people who run the service: facts about all organisations, and the registry's versions
//! that wait for them.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Answer, Tag,
    wire::{
        BacklogOut, FailingDestinationOut, Limit, List, OperatorOrganisationOut, RegistryReview, RegistryVersionOut,
        failing_page, page,
    },
};
use crate::{
    api::shared::{auth::OperatorBearer, body::Body, services::Service, word::Word},
    app::{
        kernel::Base,
        pipeline::{
            Pipeline,
            operators::{OrganisationOrder, OrganisationsQuery, Unhealthy},
        },
        registry::Registry,
    },
};

/// The operations.
pub struct Operators;

#[OpenApi(tag = "Tag::Operators")]
impl Operators {
    /// List all organisations
    ///
    /// Lists the organisations of the service with the number of their members, destinations, events of the last 24 hours,
    /// and pending deliveries. A number of 10,000 means that or more.
    #[oai(path = "/v1/operator/organisations", method = "get", operation_id = "listOperatorOrganisations")]
    #[allow(clippy::too_many_arguments, reason = "each is a query parameter of the documented operation")]
    async fn list_operator_organisations(
        &self,
        pipeline: Service<'_, Pipeline>,
        operator: OperatorBearer,
        /// Order of the list: `newest` first, which is the default, or by `slug`.
        order: Query<Option<Word<OrganisationOrder>>>,
        /// Only organisations whose slug begins with this text.
        slug: Query<Option<String>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<OperatorOrganisationOut>> {
        let order = order.0.map_or(OrganisationOrder::Newest, |Word(order)| order);
        let query = OrganisationsQuery { order, slug: slug.0, page: page(limit, cursor)? };
        Ok(Json(List::of(pipeline.list_operator_organisations(&operator.0, query).await?)))
    }

    /// Get the backlog
    ///
    /// Returns the pending deliveries of all organisations: by state, by kind of destination, by organisation and by
    /// destination. The 500 destinations that are due longest are looked at, and a million deliveries are counted at most;
    /// `complete` is false where there is more.
    #[oai(path = "/v1/operator/backlog", method = "get", operation_id = "getBacklog")]
    async fn get_backlog(&self, pipeline: Service<'_, Pipeline>, operator: OperatorBearer) -> Answer<BacklogOut> {
        Ok(Json(pipeline.get_backlog(&operator.0).await?.into()))
    }

    /// List failing destinations
    ///
    /// Lists the destinations of all organisations that are failing, or those that are disabled, the most recent problem
    /// first. The reason is one line, in which secrets are redacted.
    #[oai(path = "/v1/operator/failing-destinations", method = "get", operation_id = "listFailingDestinations")]
    async fn list_failing_destinations(
        &self,
        pipeline: Service<'_, Pipeline>,
        operator: OperatorBearer,
        /// Health of the destinations; `failing` by default.
        health: Query<Option<Word<Unhealthy>>>,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<FailingDestinationOut>> {
        let health = health.0.map_or(Unhealthy::Failing, |Word(health)| health);
        let page = failing_page(limit, cursor)?;
        Ok(Json(pipeline.list_failing_destinations(&operator.0, health, page).await?.into()))
    }

    /// List registry versions that wait
    ///
    /// Lists the versions of all organisations whose verification was requested, the oldest first.
    #[oai(path = "/v1/operator/registry-versions", method = "get", operation_id = "listPendingRegistryVersions")]
    async fn list_pending_registry_versions(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        operator: OperatorBearer,
        /// Maximum number of items, 1 to 250; 50 by default.
        limit: Query<Option<Limit>>,
        /// The `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Answer<List<RegistryVersionOut>> {
        let page = registry.list_pending_registry_versions(&operator.0, page(limit, cursor)?).await?;
        Ok(Json(List::made(page, |listed| RegistryVersionOut::for_operator(&base, listed))))
    }

    /// Review a registry version
    ///
    /// Sets the verification or the lifecycle of a version of any organisation; absent members stay unchanged. Existing
    /// installations are not affected. The organisation's audit log has an entry of it.
    #[oai(path = "/v1/operator/registry-versions/:id", method = "patch", operation_id = "reviewRegistryVersion")]
    async fn review_registry_version(
        &self,
        registry: Service<'_, Registry>,
        base: Service<'_, Base>,
        operator: OperatorBearer,
        /// The version's id.
        id: Path<Uuid>,
        body: Body<RegistryReview>,
    ) -> Answer<RegistryVersionOut> {
        let reviewed = registry.review_registry_version(&operator.0, &id.0.to_string(), body.value.into()).await?;
        Ok(Json(RegistryVersionOut::for_operator(&base, reviewed)))
    }
}
