//! What is left of a workspace's calls, on every answer, in the headers that the product's command line reads.

use std::time::Duration;

use poem::{
    Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderName, HeaderValue},
};

use super::auth::Noted;
use crate::{api::shared::services::service, app::registry::Registry};

/// The headers, with what they mean.
pub const HEADERS: [(HeaderName, &str); 3] = [
    (HeaderName::from_static("ratelimit-limit"), "How many calls the workspace may make in a second"),
    (HeaderName::from_static("ratelimit-remaining"), "How many of these are left"),
    (HeaderName::from_static("ratelimit-reset"), "The seconds until all of these are left again"),
];

struct Told(BoxEndpoint<'static>);

/// Puts the headers on whatever is answered.
pub fn told(inner: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
    Told(inner).boxed()
}

impl Endpoint for Told {
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
