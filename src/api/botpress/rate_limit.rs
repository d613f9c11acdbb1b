//! Rate limit headers with the workspace's remaining calls, on every response, for the product's command line.

use std::time::Duration;

use poem::{
    Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderName, HeaderValue},
};

use super::auth::Noted;
use crate::{api::shared::services::service, app::registry::Registry};

/// The headers, with their descriptions.
pub const HEADERS: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("ratelimit-limit"), "Maximum number of the workspace's calls in a second"),
    (HeaderName::from_static("ratelimit-remaining"), "Number of remaining calls"),
    (HeaderName::from_static("ratelimit-reset"), "Seconds until the full number is available again"),
];

struct WithHeaders(BoxEndpoint<'static>);

/// Adds the headers to every response.
pub fn with_headers(inner: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
    WithHeaders(inner).boxed()
}

impl Endpoint for WithHeaders {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let noted = Noted::default();
        request.set_data(noted.clone());
        let untouched = service::<Registry>(&request).ok().map(Registry::untouched_room);
        let mut response = self.0.call(request).await?;
        if let Some(room) = noted.get().copied().or(untouched) {
            let seconds = room.reset.as_secs() + u64::from(room.reset > Duration::from_secs(room.reset.as_secs()));
            let values = [u64::from(room.limit), u64::from(room.remaining), seconds];
            for ((name, _), value) in HEADERS.into_iter().zip(values) {
                response.headers_mut().insert(name, HeaderValue::from(value));
            }
        }
        Ok(response)
    }
}
