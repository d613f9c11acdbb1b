//! Schemas of the native dialect. An absent optional value is left out, never `null`.

mod actions;
mod apps;
mod audit;
mod channel_apps;
mod channels;
mod connections;
mod deliveries;
mod descriptors;
mod destinations;
mod events;
mod github;
mod identity;
mod operator;
mod registry;
mod registry_interfaces;
mod registry_keys;
mod routes;
mod rules;
mod sessions;
mod statistics;
mod webhook_runs;
mod webhooks;
mod workflows;

use std::{borrow::Cow, collections::BTreeSet};

use poem_openapi::{
    Object,
    param::Query,
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use uuid::Uuid;

pub use actions::{ActionIn, ActionOut};
pub use apps::{AppAuthorisationOut, AppIn, AppOut, AppPatch, AppSettings, SigningSecretOut, in_app_members};
pub use audit::AuditEntryOut;
pub use channel_apps::{ChannelAppOut, ChannelAppPatch, ChannelAppsOut, ChannelWebhookOut};
pub use channels::{ChannelIn, ChannelOut, ChannelPatch, UserOut};
pub use connections::{
    ConnectionAuthorizationOut, ConnectionChannelsOut, ConnectionIn, ConnectionOut, ConnectionPatch,
    ConnectionRepositoriesOut, ConnectionTestOut, Provider,
};
pub use deliveries::{
    AttemptOut, DeliveryDetailOut, DeliveryOut, DestinationOut, DestinationPatch, ReplayAllOut, ReplayFailedIn,
    ReplayOut,
};
pub use descriptors::{LintIn, LintOut};
pub use destinations::{DestinationIn, DestinationSecretOut, DestinationTestOut, RetryScheduleBody};
pub use events::{AcceptedBatchOut, AcceptedOut, BatchEventIn, EventBatchIn, EventDetailOut, EventIn, EventOut};
pub use github::{GithubBody, GithubReceiptOut};
pub use identity::{
    InvitationOut, InvitationsOut, MemberIn, MemberOut, MemberPatch, OrganisationIn, OrganisationOut,
    OrganisationPatch, TokenCreatedOut, TokenIn, TokenOut,
};
pub use operator::{BacklogOut, FailingDestinationOut, OperatorOrganisationOut, RegistryReview, failing_page};
pub use registry::{
    RegistryChange, RegistryCreation, RegistryVersionCreatedOut, RegistryVersionDetailOut, RegistryVersionOut, complete,
};
pub use registry_interfaces::{RegistryInterfaceDetailOut, RegistryInterfaceOut};
pub use registry_keys::{
    RegistryKeyCreatedOut, RegistryKeyIn, RegistryKeyOut, RegistryKeysOut, RegistryLogLineOut, in_log_parameters,
};
pub use routes::{DraftResultsOut, RouteDraftIn, RouteIn, RouteOut, RoutePatch};
pub use sessions::{FrameAncestorsOut, PortalSessionIn, PortalSessionOut, SessionIn, SessionOut, SignInOptionsOut};
pub use statistics::{RetentionOut, StatisticsOut};
pub use webhook_runs::WebhookRunOut;
pub use webhooks::{
    IncomingWebhookIn, IncomingWebhookOut, IncomingWebhookPatch, IncomingWebhookTokenOut, OutgoingWebhookIn,
    OutgoingWebhookOut, OutgoingWebhookPatch, WebhookTokenOut,
};
pub use workflows::{WorkflowIn, WorkflowOut, WorkflowsOut};

use crate::{
    api::shared::{
        time::Timestamp,
        whole_value::whole_value,
        word::{Vocabulary, Word},
    },
    domain::{
        Error, Result,
        page::{Page, PageRequest},
        pipeline::{
            delivery::{AttemptState, DeliveryState},
            destination::Health,
        },
        search::Period,
        tenancy::member::{Permission, Role},
    },
};

/// A page of a list.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct List<T: ParseFromJSON + ToJSON> {
    /// The items, newest first where the operation names no other order.
    pub data: Vec<T>,
    /// Cursor of the next page, to be given as `cursor`; absent on the last page.
    pub next_cursor: Option<String>,
}

impl<T: ParseFromJSON + ToJSON> List<T> {
    /// Converts a page of domain values.
    pub fn of<D: Into<T>>(page: Page<D>) -> Self {
        Self::made(page, Into::into)
    }

    /// Converts a page of domain values by a function.
    pub fn made<D>(page: Page<D>, make: impl FnMut(D) -> T) -> Self {
        let next_cursor = page.next.map(|id| id.simple().to_string());
        Self { data: page.items.into_iter().map(make).collect(), next_cursor }
    }
}

/// The page size that a caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Limit(u32);

impl Type for Limit {
    whole_value!();

    fn name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            minimum: Some(1.0),
            maximum: Some(PageRequest::MAX_LIMIT.into()),
            default: Some(PageRequest::DEFAULT_LIMIT.into()),
            ..MetaSchema::new_with_format("integer", "int64")
        }))
    }
}

impl ParseFromParameter for Limit {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        u32::parse_from_parameter(text).map(Self).map_err(|error| error.propagate())
    }
}

/// Reads the page that a list is asked for.
pub(super) fn page(limit: Query<Option<Limit>>, cursor: Query<Option<String>>) -> Result<PageRequest> {
    PageRequest::new(limit.0.map(|Limit(limit)| limit), self::cursor(cursor.0)?)
}

/// Reads the period that a list is asked for.
pub(super) fn period(since: Query<Option<Timestamp>>, until: Query<Option<Timestamp>>) -> Result<Period> {
    Period::new(since.0.map(Into::into), until.0.map(Into::into))
}

/// Reads a cursor that [`List::of`] wrote.
pub(super) fn cursor(text: Option<String>) -> Result<Option<Uuid>> {
    let unreadable = |_| Error::invalid("cursor", "must be the nextCursor of a previous answer");
    text.map(|text| Uuid::try_parse(&text)).transpose().map_err(unreadable)
}

impl Vocabulary for Role {
    const NAME: &'static str = "Role";
    const DESCRIPTION: &'static str = "Role of a member. A role implies permissions.";

    fn words() -> Vec<(&'static str, Self)> {
        Role::ALL.map(|role| (role.as_str(), role)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Vocabulary for Permission {
    const NAME: &'static str = "Permission";
    const DESCRIPTION: &'static str = "Permission of a member. The scopes of tokens are the same permissions.";

    fn words() -> Vec<(&'static str, Self)> {
        Permission::ALL.map(|permission| (permission.as_str(), permission)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Writes a set of permissions.
fn words(permissions: BTreeSet<Permission>) -> Vec<Word<Permission>> {
    permissions.into_iter().map(Word).collect()
}

/// Reads a set of permissions.
fn meanings(words: Vec<Word<Permission>>) -> BTreeSet<Permission> {
    words.into_iter().map(|Word(permission)| permission).collect()
}

impl Vocabulary for DeliveryState {
    const NAME: &'static str = "DeliveryState";
    const DESCRIPTION: &'static str = "State of a delivery: pending (the first attempt or a retry is due), delivered, failed (no \
         more attempts, unless it is replayed), or skipped (not sent, because of a pause or a filter).";

    fn words() -> Vec<(&'static str, Self)> {
        DeliveryState::ALL.map(|state| (state.as_str(), state)).into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Vocabulary for AttemptState {
    const NAME: &'static str = "AttemptOutcome";
    const DESCRIPTION: &'static str =
        "Outcome of an attempt: delivered, retried (failed, and a retry follows), or failed.";

    fn words() -> Vec<(&'static str, Self)> {
        [AttemptState::Delivered, AttemptState::Retried, AttemptState::Failed]
            .map(|outcome| (outcome.as_str(), outcome))
            .into()
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Health of a destination, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthWord(&'static str);

impl HealthWord {
    /// Reads a health from the database.
    fn stored(text: &str) -> Self {
        let known = ["failing", "disabled"].into_iter().find(|word| *word == text);
        Self(known.unwrap_or("healthy"))
    }
}

impl From<&Health> for HealthWord {
    fn from(health: &Health) -> Self {
        Self(health.as_str())
    }
}

impl Vocabulary for HealthWord {
    const NAME: &'static str = "DestinationHealth";
    const DESCRIPTION: &'static str = "Health of a destination: healthy, failing (several attempts in a row \
         failed, or the target refuses the address; it is still attempted), or disabled (nothing is sent).";

    fn words() -> Vec<(&'static str, Self)> {
        ["healthy", "failing", "disabled"].map(|word| (word, Self(word))).into()
    }

    fn word(self) -> &'static str {
        self.0
    }
}
