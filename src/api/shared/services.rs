//! Services as arguments of a handler: each handler names those that it calls.
//!
//! A document is built without services, so a dialect's operations cannot hold them as fields.

use std::{ops::Deref, sync::Arc};

use poem::{FromRequest, Request, RequestBody};

use super::refusal::into_error;
use crate::{
    app::Services,
    domain::{Error, Result},
};

/// Service of the process.
pub struct Service<'a, T>(&'a T);

impl<T> Deref for Service<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<'a, T> FromRequest<'a> for Service<'a, T>
where
    Services: AsRef<T>,
    T: Send + Sync,
{
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        service(request).map(Service).map_err(into_error)
    }
}

/// Returns a service of the process.
///
/// # Errors
/// [`Error::Internal`]: a bug of the composition root.
pub fn service<T>(request: &Request) -> Result<&T>
where
    Services: AsRef<T>,
{
    let services = request.data::<Arc<Services>>();
    let services = services.ok_or_else(|| Error::Internal("a request came without the services".into()))?;
    Ok(Services::as_ref(services))
}
