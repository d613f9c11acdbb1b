//! The portal: its files, which are in the binary, and the path that opens a portal session.
//!
//! Not here: the operations that its pages call (`native`), and its sources (`portal/` at the top level).

mod sign_in;

use std::{collections::BTreeMap, sync::LazyLock};

use poem::{
    Request, Response, Route,
    endpoint::make,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use rust_embed::RustEmbed;
use url::form_urlencoded;

use super::shared::{
    asset::{Asset, Caching, refuse_method},
    page,
    services::service,
    session,
};
use crate::{
    app::{
        kernel::Base,
        tenancy::{
            Tenancy,
            portal_sessions::{OPEN, PORTAL},
            sign_in::{BEGIN, CALLBACK},
        },
    },
    domain::{Error, Result, error::AuthFailure, secret::Secret, tenancy::session::FrameAncestors},
};

/// Files that `portal/` was built to.
#[derive(RustEmbed)]
#[folder = "portal/dist"]
struct Dist;

/// The page of every path that is no file: the application routes by path.
const INDEX: &str = "index.html";

/// Prefix of the files whose names change with their content.
const HASHED: &str = "assets/";

/// Content security policy of the portal, without the origins that may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
                      font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'";

/// Files by their names. They are made once a process, when the first one is asked for.
static FILES: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(files);

/// Returns the routes below `/portal`.
pub fn routes(route: Route) -> Route {
    route
        .at("/portal", make(async |_| moved(StatusCode::PERMANENT_REDIRECT, PORTAL)))
        .at(OPEN, make(async |request: Request| open(&request).await))
        .at(BEGIN, make(async |request: Request| sign_in::begin(&request).await))
        .at(CALLBACK, make(async |request: Request| sign_in::complete(&request).await))
        .at(PORTAL, make(app))
        .at("/portal/*path", make(app))
}

fn files() -> BTreeMap<String, Asset> {
    let file = |name: std::borrow::Cow<'static, str>| {
        let body = Dist::get(&name)?.data.into_owned();
        let caching = if name.starts_with(HASHED) { Caching::Immutable } else { Caching::Revalidate };
        let asset = Asset::new(content_type(&name), body, caching);
        Some((name.into_owned(), asset))
    };
    Dist::iter().filter_map(file).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// Serves the files, and the page for every other path.
async fn app(request: Request) -> Response {
    let name = request.uri().path().strip_prefix(PORTAL).unwrap_or_default();
    match FILES.get(name).filter(|_| name != INDEX) {
        Some(file) => file.answer(&request),
        None if name.starts_with(HASHED) => status(StatusCode::NOT_FOUND),
        None => index(&request).await,
    }
}

async fn index(request: &Request) -> Response {
    let Some(index) = FILES.get(INDEX) else { return status(StatusCode::NOT_FOUND) };
    let mut response = index.answer(request);
    let policy = format!("{POLICY}; frame-ancestors {}", frame_ancestors(request).await.directive());
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // The origins are the session's.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Cookie"));
    response
}

async fn frame_ancestors(request: &Request) -> FrameAncestors {
    let (Ok(tenancy), Ok(base)) = (service::<Tenancy>(request), service::<Base>(request)) else {
        return FrameAncestors::default();
    };
    tenancy.frame_ancestors_of(session::sent(request, base.public_url()).as_ref()).await
}

/// Opens a portal session: the browser gets its cookie, and is sent on to an address without the code.
async fn open(request: &Request) -> Response {
    if let Some(refusal) = refuse_method(request) {
        return refusal;
    }
    // Programs that look at links, and browsers that fetch ahead, do not use the link up where they say so.
    let is_ahead = ["sec-purpose", "purpose"].iter().filter_map(|name| request.header(*name));
    if request.method() == Method::HEAD || is_ahead.into_iter().any(|purpose| purpose.contains("prefetch")) {
        return status(StatusCode::NO_CONTENT);
    }
    match opened(request).await {
        Ok(cookie) => sent(PORTAL, &cookie),
        Err(error) => refused(&error),
    }
}

async fn opened(request: &Request) -> Result<String> {
    let (tenancy, base): (&Tenancy, &Base) = (service(request)?, service(request)?);
    let code = Secret::new(parameter(request, "code").unwrap_or_default());
    let opened = tenancy.open_portal_session(&code).await?;
    Ok(session::cookie(&opened, base.ambient().now(), base.public_url()))
}

/// Page for a link that does not open the portal.
fn refused(error: &Error) -> Response {
    let (title, text) = match error {
        Error::Unauthenticated(AuthFailure::SessionEnded) => (
            "This link does not open the portal any more",
            "A link opens it once, and within five minutes. Go back to where you found it, and ask for another one; or \
             sign in."
                .to_owned(),
        ),
        other => ("The portal could not be opened", page::sentence(other)),
    };
    let status = match error {
        Error::Unauthenticated(_) | Error::FailedPrecondition { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    page_response(status, page::html_leading(title, &text, ("Sign in", "/portal/sign-in")))
}

/// Reads a parameter of the query.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Sends the browser on, with a cookie.
fn sent(to: &str, cookie: &str) -> Response {
    let mut response = moved(StatusCode::SEE_OTHER, to);
    headers(response.headers_mut(), &[(header::SET_COOKIE, cookie)]);
    response
}

fn page_response(status: StatusCode, html: String) -> Response {
    let mut response = Response::builder().status(status).body(html);
    headers(
        response.headers_mut(),
        &[(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, page::POLICY)],
    );
    response
}

fn moved(status: StatusCode, to: &str) -> Response {
    let mut response = self::status(status);
    headers(response.headers_mut(), &[(header::LOCATION, to)]);
    response
}

/// Returns an answer that nobody keeps.
fn status(status: StatusCode) -> Response {
    let mut response = Response::builder().status(status).finish();
    headers(response.headers_mut(), &[]);
    response
}

fn headers(headers: &mut HeaderMap, more: &[(header::HeaderName, &str)]) {
    let common = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in common.iter().chain(more) {
        if let Ok(value) = HeaderValue::try_from(*value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shared::test_client::TestClient;

    async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
        let response = TestClient::new(routes(Route::new())).get(path).send().await.0;
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, response.into_body().into_string().await.unwrap_or_default())
    }

    #[tokio::test]
    async fn every_path_of_the_application_is_its_page() {
        for path in ["/portal/", "/portal/index.html", "/portal/routes/new", "/portal/deliveries/1", "/portal/sign-in"]
        {
            let (status, headers, body) = get(path).await;
            assert_eq!(
                (status, &headers["content-type"]),
                (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
            );
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.ends_with("; frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!((&headers["cache-control"], headers.contains_key("etag")), (&"no-cache".parse().unwrap(), true));
            assert!(body.contains("<!doctype html>") && !body.contains("<style") && !body.contains("style="), "{path}");
        }
        assert_eq!(get("/portal/assets/nothing-1.js").await.0, StatusCode::NOT_FOUND);
        assert_eq!(get("/portal").await.1["location"], "/portal/");
    }

    #[tokio::test]
    async fn what_is_built_is_what_the_page_asks_for() {
        let (_, _, page) = get("/portal/").await;
        for name in Dist::iter().filter(|name| name.starts_with(HASHED)) {
            let (status, headers, _) = get(&format!("{PORTAL}{name}")).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
        }
        let asked = page.split('"').filter_map(|text| text.strip_prefix("/portal/assets/"));
        for name in asked {
            assert!(Dist::get(&format!("{HASHED}{name}")).is_some(), "{name} was not built");
        }
    }
}
