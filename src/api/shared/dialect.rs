//! Description of a dialect for the rest of the program. `api::ALL` lists them; mounting, documents and the console
//! read that list.

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
    /// Name in file names, metrics and logs.
    pub name: &'static str,
    /// Display name.
    pub title: &'static str,
    /// Description of the dialect; Markdown.
    pub description: &'static str,
    /// Prefixes of its paths: whole segments, none within another's.
    pub prefixes: &'static [&'static str],
    /// Sets of security schemes that are valid only together.
    pub together: &'static [&'static [&'static str]],
    /// True if a caller may name the organisation by `X-Organisation-Id`.
    pub names_organisation: bool,
    /// True if members of a body that the document does not name are refused.
    pub closed: bool,
    /// True if query parameters that the document does not name are refused.
    pub closed_query: bool,
    /// Returns the framework's document of its operations.
    pub described: fn() -> String,
    /// Returns an example of its error body with this status.
    pub error_example: fn(u16) -> Option<Value>,
    /// Renders a fault as its error response.
    pub refuse: fn(&Fault, Occasion<'_>) -> Response,
    /// Makes the endpoint: its operations behind the guard.
    pub endpoint: fn(Arc<Served>) -> BoxEndpoint<'static>,
}

/// Returns the framework's document of some operations, for [`Dialect::described`].
pub fn describe<T: OpenApi + 'static>(operations: T) -> String {
    OpenApiService::new(operations, "", "").spec()
}

/// Makes the endpoint of operations behind the guard, with the error format `S`, for [`Dialect::endpoint`].
pub fn mount<S: ErrorShape, T: OpenApi + 'static>(operations: T, served: Arc<Served>) -> BoxEndpoint<'static> {
    guarded::<S>(OpenApiService::new(operations, "", ""), served)
}

/// Returns an example of the error format `S`, for [`Dialect::error_example`].
pub fn error_example<S: ErrorShape>(status: u16) -> Option<Value> {
    refusal::example::<S>(status)
}
