//! The dialects of the HTTP API. Each one translates and nothing more.
//!
//! A dialect is `<name>.rs` with its operations and `<name>/{wire,error}.rs` with its schemas; it may use `app`,
//! `domain` and `shared`, never another dialect, never the store. [`ALL`] is the one list of them.

pub mod boomerang;
pub mod botpress;
pub mod console;
#[cfg(test)]
mod error_tables;
pub mod guide;
pub mod linkbreakers;
pub mod native;
pub mod portal;
pub mod rocketchat;
pub mod server;
pub mod shared;
pub mod telex;

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Request, Response, Route,
    endpoint::BoxEndpoint,
    http::{Version, header, uri::Authority},
};
use url::Url;

use self::shared::{
    dialect::Dialect,
    documents::{Document, Documents},
    fault::{Fault, Protocol},
    guard::{Plumbing, Served},
    refusal::Occasion,
};
use crate::domain::{Result, ambient::Ambient};

/// Every dialect. The first one answers requests for unknown paths.
pub const ALL: &[Dialect] = &[
    native::DIALECT,
    linkbreakers::DIALECT,
    boomerang::DIALECT,
    telex::DIALECT,
    rocketchat::DIALECT,
    botpress::DIALECT,
];

/// Returns all HTTP routes: the dialects, the documents, the console, the guide and the portal. Handlers take their
/// services as arguments; the caller of this function adds them.
///
/// # Errors
/// An [internal error](crate::domain::Error::Internal) when the console cannot be configured.
pub fn routes(documents: &'static Documents, plumbing: &Plumbing, public_url: &Url) -> Result<Route> {
    let pages = console::routes(documents, public_url)?.at("/problems", console::page(native::error::page()));
    let mut routes = portal::routes(guide::routes(pages));
    for (index, (dialect, document)) in ALL.iter().zip(&documents.dialects).enumerate() {
        let endpoint: Arc<BoxEndpoint<'static>> = Arc::new((dialect.endpoint)(serve(dialect, document, plumbing)));
        for prefix in dialect.prefixes {
            routes = routes.nest_no_strip(prefix, endpoint.clone());
        }
        if index == 0 {
            // A catch-all at the root would take the landing page too.
            routes = routes.at("/:first", endpoint.clone()).at("/:first/*rest", endpoint);
        }
    }
    Ok(routes)
}

/// Returns the routes of a process of the worker role: its health operations.
pub fn health_routes(documents: &'static Documents, plumbing: &Plumbing) -> Route {
    let (dialect, document) = (&ALL[0], &documents.dialects[0]);
    Route::new().nest_no_strip("/", native::health_endpoint(serve(dialect, document, plumbing)))
}

/// Refuses requests before they are routed, in the body of the path's dialect: those that do not name exactly one host,
/// and those for the `hidden` paths, which are served elsewhere.
pub fn screened(
    endpoint: impl Endpoint<Output = Response> + 'static,
    hidden: &'static [&'static str],
    ambient: Ambient,
) -> impl Endpoint<Output = Response> + 'static {
    endpoint.around(move |endpoint, request| {
        let path = request.uri().path();
        let fault = match hidden.contains(&path) {
            true => Some(Protocol::RouteNotFound { path: path.to_owned() }.into()),
            false => host_fault(&request),
        };
        let refusal = fault.map(|fault| refuse(&fault, path, &ambient));
        async move {
            match refusal {
                Some(response) => Ok(response),
                None => endpoint.call(request).await,
            }
        }
    })
}

/// RFC 9112, 3.2: a request has exactly one valid `Host`. Only HTTP/1.0 permits its absence.
fn host_fault(request: &Request) -> Option<Fault> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let reason = match (first, second) {
        (None, _) if request.version() < Version::HTTP_11 => return None,
        (None, _) => "is missing",
        (Some(_), Some(_)) => "must be sent once",
        (Some(host), None) => match host.as_bytes() {
            b"" => return None,
            host if !host.contains(&b'@') && Authority::try_from(host).is_ok() => return None,
            _ => "is not a host with an optional port",
        },
    };
    Some(Protocol::Parameter { name: "Host".to_owned(), reason: reason.to_owned() }.into())
}

/// Renders a fault in the body of the path's dialect.
fn refuse(fault: &Fault, path: &str, ambient: &Ambient) -> Response {
    let lies_in =
        |prefix: &&str| path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let dialect = ALL.iter().find(|dialect| dialect.prefixes.iter().any(&lies_in)).unwrap_or(&ALL[0]);
    (dialect.refuse)(fault, Occasion { path, now: ambient.now(), mark: ambient.random() })
}

fn serve(dialect: &Dialect, document: &'static Document, plumbing: &Plumbing) -> Arc<Served> {
    let (name, closed_query) = (dialect.name, dialect.closed_query);
    Arc::new(Served { name, document, closed_query, plumbing: plumbing.clone() })
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;
    use serde_json::Value;

    use super::{
        shared::{budget::Limits, test_client::TestClient},
        *,
    };
    use crate::{
        domain::ambient::{Ambient, Clock, Random, Time},
        openapi,
    };

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Time {
            Time::UNIX_EPOCH
        }
    }

    impl Random for Still {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn plumbing() -> Plumbing {
        Plumbing {
            tracer: Default::default(),
            ambient: Ambient::new(Arc::new(Still), Arc::new(Still)),
            tasks: Default::default(),
            body_limit_bytes: 1 << 20,
            limits: Limits::unbounded(),
            strict: Some(Arc::new(|difference| panic!("{difference}"))),
            observe: Arc::new(|_, _, _, _| {}),
        }
    }

    async fn get(routes: Route, path: &str) -> (StatusCode, String, Value) {
        let response = TestClient::new(routes).get(path).send().await.0;
        let content_type = response.content_type().unwrap_or_default().to_owned();
        let (status, body) = (response.status(), response.into_body().into_string().await.unwrap());
        (status, content_type, serde_json::from_str(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn each_dialect_answers_under_its_prefixes_in_its_own_shape() {
        let routes = || routes(openapi::published(), &plumbing(), &"https://tieline.example".parse().unwrap()).unwrap();
        let (status, _, body) = get(routes(), "/v1/slack-integrations/nothing").await;
        assert_eq!((status.as_u16(), &body["error"]["codeType"]), (404, &"NOT_FOUND".into()));
        let (status, _, body) = get(routes(), "/api/v2/integration/nothing").await;
        assert_eq!((status.as_u16(), &body["reason"]), (404, &"PATH_NOT_FOUND".into()));
        for path in ["/organisations/acme/nothing", "/slack/organisations/acme/nothing", "/v1/return", "/v1/webhooks/"]
        {
            let (status, _, body) = get(routes(), path).await;
            assert_eq!((status.as_u16(), &body["message"]), (404, &"Path not found.".into()), "{path}");
        }
        for path in
            ["/nothing", "/v1", "/v1/nothing/at/all", "/openapi/nothing.json", "/v1/channels/", "/api/v2/integrations"]
        {
            let (status, content_type, body) = get(routes(), path).await;
            assert_eq!((status.as_u16(), content_type.as_str()), (404, "application/problem+json"));
            assert_eq!((&body["code"], &body["instance"]), (&"route_not_found".into(), &path.into()));
        }
        for path in ["/", "/docs/", "/guide/", "/portal/", "/openapi.json", "/problems", "/healthz"] {
            assert_eq!(get(routes(), path).await.0, StatusCode::OK, "{path}");
        }
    }

    #[tokio::test]
    async fn a_worker_process_reports_its_liveness() {
        let routes = || health_routes(openapi::published(), &plumbing());
        assert_eq!(get(routes(), "/healthz").await.2["status"], "ok");
        assert_eq!(get(routes(), "/v1/channels").await.0, StatusCode::NOT_FOUND);
        let response = TestClient::new(routes()).delete("/healthz").send().await;
        response.assert_header("allow", "GET, HEAD");
    }

    #[tokio::test]
    async fn a_request_names_one_host() {
        let ambient = Ambient::new(Arc::new(Still), Arc::new(Still));
        let routes = screened(
            Route::new().at("/*path", poem::endpoint::make_sync(|_| "here")).map_to_response(),
            &["/gone"],
            ambient,
        );
        let status = async |path: &str, version: Version, hosts: &[&str]| {
            let mut request = Request::builder().uri(path.parse().unwrap()).version(version).finish();
            for host in hosts {
                request.headers_mut().append(header::HOST, host.parse().unwrap());
            }
            let response = routes.call(request).await.unwrap();
            (response.status().as_u16(), response.content_type().unwrap_or_default().to_owned())
        };
        for hosts in [&["a.example"][..], &["a.example:80"], &["[::1]:8080"], &[""], &["a_b"]] {
            assert_eq!(status("/v1/events", Version::HTTP_11, hosts).await.0, 200, "{hosts:?}");
        }
        for hosts in [&[][..], &["a", "a"], &["a b"], &["a/b"], &["user@a"]] {
            let problem = (400, "application/problem+json".to_owned());
            assert_eq!(status("/v1/events", Version::HTTP_11, hosts).await, problem, "{hosts:?}");
        }
        let json = "application/json".to_owned();
        assert_eq!(status("/hooks/a/b", Version::HTTP_11, &[]).await, (400, json), "in the dialect's body");
        assert_eq!(status("/", Version::HTTP_10, &[]).await.0, 200);
        assert_eq!(status("/", Version::HTTP_10, &["a", "b"]).await.0, 400);
        assert_eq!(status("/gone", Version::HTTP_11, &["a"]).await.0, 404);
    }

    /// Prefixes within another one: agents of Telex post below the paths of Rocket.Chat, to the more specific one.
    const WITHIN: &[&str] = &["/api/v1/return"];

    #[test]
    fn no_prefix_lies_within_another() {
        let all: Vec<_> = ALL.iter().flat_map(|dialect| dialect.prefixes).collect();
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let is_apart = one == other || WITHIN.contains(other) || !other.starts_with(&format!("{one}/"));
            assert!(is_apart, "{other} lies within {one}");
        }
    }
}
