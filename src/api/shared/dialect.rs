//! What a dialect says of itself. `api::ALL` lists them; mounting, documents and the console read that list.

use std::sync::Arc;

use poem::{Response, endpoint::BoxEndpoint};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use super::{
    fault::Fault,
    guard::{Served, guarded},
    refusal::{self, ErrorShape, Occasion},
};

/// A dialect of the service.
pub struct Dialect {
    /// Its name in file names, metrics and logs.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it is for; Markdown.
    pub description: &'static str,
    /// Where its paths begin: whole segments, none within another's.
    pub prefixes: &'static [&'static str],
    /// Sets of security schemes that only count together.
    pub together: &'static [&'static [&'static str]],
    /// Whether a caller may say by `X-Organisation-Id` which organisation is meant.
    pub names_organisation: bool,
    /// Whether a member of a body that the document does not name is refused.
    pub closed: bool,
    /// What the framework says of its operations.
    pub described: fn() -> String,
    /// An example of its error body with this status.
    pub error_example: fn(u16) -> Option<Value>,
    /// Its error response.
    pub refuse: fn(&Fault, Occasion<'_>) -> Response,
    /// Its operations behind the guard.
    pub endpoint: fn(Arc<Served>) -> BoxEndpoint<'static>,
}

/// What the framework says of some operations, for [`Dialect::described`].
pub fn describe<T: OpenApi + 'static>(operations: T) -> String {
    OpenApiService::new(operations, "", "").spec()
}

/// Operations behind the guard of the shape `S`, for [`Dialect::endpoint`].
pub fn mount<S: ErrorShape, T: OpenApi + 'static>(operations: T, served: Arc<Served>) -> BoxEndpoint<'static> {
    guarded::<S>(OpenApiService::new(operations, "", ""), served)
}

/// An example of the shape `S`, for [`Dialect::error_example`].
pub fn error_example<S: ErrorShape>(status: u16) -> Option<Value> {
    refusal::example::<S>(status)
}
