//! What others speak to us: the dialects. Each translates and nothing more.
//!
//! A dialect is `<name>.rs` with its operations and `<name>/{wire,error}.rs` with its shapes; it may use `app`,
//! `domain` and `shared`, never another dialect, never the store. [`ALL`] is the one list of them.

pub mod console;
pub mod linkbreakers;
pub mod native;
pub mod shared;

use std::sync::Arc;

use poem::{Route, endpoint::BoxEndpoint};

use self::shared::{
    contract::Contract,
    dialect::Dialect,
    documents::{Document, Documents},
    guard::{Plumbing, Served},
};
use crate::domain::{Error, Result};

/// Every dialect. The first one answers for paths that nobody knows.
pub const ALL: &[Dialect] = &[native::DIALECT, linkbreakers::DIALECT];

/// Everything that is served over HTTP: the dialects, the documents and the console. Handlers ask for `Data<&App>`,
/// which the caller of this adds.
///
/// # Errors
/// [`Error::Internal`] when a published document cannot be compiled: a bug that the tests find.
pub fn routes(documents: &Documents, plumbing: &Plumbing) -> Result<Route> {
    let mut routes = console::routes(documents)?;
    for (index, (dialect, document)) in ALL.iter().zip(&documents.dialects).enumerate() {
        let endpoint: Arc<BoxEndpoint<'static>> = Arc::new((dialect.endpoint)(serve(dialect, document, plumbing)?));
        for prefix in dialect.prefixes {
            routes = routes.nest_no_strip(prefix, endpoint.clone());
        }
        if index == 0 {
            routes = routes.at("/*path", endpoint);
        }
    }
    Ok(routes)
}

/// What a process serves that only works: whether it lives.
///
/// # Errors
/// As [`routes`].
pub fn health_routes(documents: &Documents, plumbing: &Plumbing) -> Result<Route> {
    let (dialect, document) = (&ALL[0], &documents.dialects[0]);
    Ok(Route::new().nest_no_strip("/", native::health_endpoint(serve(dialect, document, plumbing)?)))
}

fn serve(dialect: &Dialect, document: &Document, plumbing: &Plumbing) -> Result<Arc<Served>> {
    let contract = Contract::compile(&document.value, plumbing.strict);
    let contract = contract.map_err(|error| Error::Internal(format!("{}.json: {error}", dialect.name)))?;
    Ok(Arc::new(Served { name: dialect.name, contract, plumbing: plumbing.clone() }))
}
