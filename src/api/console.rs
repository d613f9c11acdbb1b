//! Pages for browsers: the landing page, the published documents and the console (Swagger UI) over them.
//!
//! All of it is in the binary; nothing is fetched from another server.

use std::sync::Arc;

use bytes::Bytes;
use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Request, Response, Route,
    endpoint::make_sync,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};
use utoipa_swagger_ui::{Config, Url};

use super::shared::documents::{Document, Documents};
use crate::domain::{Error, Result};

const STYLE: &str = include_str!("console/style.css");
const LANDING: &str = include_str!("console/landing.html");

/// The only file of Swagger UI's that we replace.
const INITIALIZER: &str = "swagger-initializer.js";

/// Content security policy of our own pages: our style, and no scripts.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Content security policy of Swagger UI: its own scripts, no inline scripts, and requests to this server alone. The
/// one inline style is that of its logo, which is dark on dark without it.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; style-src-attr 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns the routes `/`, `/style.css`, `/docs/`, `/openapi.json` and `/openapi/<name>.json`.
///
/// # Errors
/// [`Error::Internal`] when Swagger UI cannot be configured with the documents.
pub fn routes(documents: &Documents) -> Result<Route> {
    let mut routes = Route::new()
        .at("/", page(LANDING.replace("{{documents}}", &links(documents))))
        .at("/style.css", asset("text/css; charset=utf-8", STYLE.into()))
        .at("/docs", get(make_sync(|_| moved("/docs/"))))
        .at("/docs/*file", console(documents)?)
        .at("/openapi.json", document(&documents.assembled));
    for one in documents.all() {
        routes = routes.at(location(one), document(one));
    }
    Ok(routes)
}

fn location(document: &Document) -> String {
    format!("/openapi/{}.json", document.name)
}

fn links(documents: &Documents) -> String {
    let link = |one: &Document| format!("<li><a href=\"{}\">{}</a></li>", location(one), one.title);
    documents.all().map(link).collect()
}

/// Answers GET and HEAD, and refuses other methods with `Allow`.
fn get(endpoint: impl IntoEndpoint<Endpoint: 'static>) -> impl Endpoint {
    endpoint.into_endpoint().around(|endpoint, request: Request| async move {
        if [Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = endpoint.get_response(request).await;
            let headers = response.headers_mut();
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            return Ok(response);
        }
        let allow = (header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        Ok(answer(StatusCode::METHOD_NOT_ALLOWED, [allow], Bytes::new()))
    })
}

fn answer(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: impl Into<poem::Body>,
) -> Response {
    let mut response = Response::builder().status(status).body(body);
    response.headers_mut().extend(headers);
    response
}

fn moved(to: &'static str) -> Response {
    answer(StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, HeaderValue::from_static(to))], Bytes::new())
}

/// Serves a page of ours.
pub fn page(html: String) -> impl Endpoint + use<> {
    let html = Bytes::from(html);
    get(make_sync(move |_| {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        answer(StatusCode::OK, headers, html.clone())
    }))
}

fn asset(content_type: &'static str, body: Bytes) -> impl Endpoint {
    get(make_sync(move |_| {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        ];
        answer(StatusCode::OK, headers, body.clone())
    }))
}

/// Serves a document.
fn document(document: &Document) -> impl Endpoint + use<> {
    let text = document.text.clone();
    get(make_sync(move |request: Request| {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        text.response(&request, headers)
    }))
}

fn console(documents: &Documents) -> Result<impl Endpoint + use<>> {
    let places: Vec<_> = documents.all().map(|one| (one.title, location(one))).collect();
    let urls = places.iter().map(|(title, place)| Url::new(title, place));
    let config = Config::new(urls)
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .display_request_duration(true)
        .filter(true)
        .validator_url("none");
    let start = utoipa_swagger_ui::serve(INITIALIZER, Arc::new(config)).map_err(|e| Error::Internal(e.to_string()))?;
    let start = start.map(|file| Bytes::from(file.bytes.into_owned())).unwrap_or_default();
    let nothing = Arc::new(Config::new([Url::new("", "")]));
    Ok(get(make_sync(move |request: Request| {
        let path = request.uri().path().strip_prefix("/docs/").unwrap_or_default();
        let Ok(Some(file)) = utoipa_swagger_ui::serve(path, nothing.clone()) else {
            return answer(StatusCode::NOT_FOUND, [], Bytes::new());
        };
        let content_type = HeaderValue::try_from(&file.content_type);
        let headers = [
            (header::CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"))),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONSOLE_POLICY)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        let body = if path == INITIALIZER { start.clone() } else { file.bytes.into_owned().into() };
        answer(StatusCode::OK, headers, body)
    })))
}

#[cfg(test)]
mod tests {
    use poem::test::TestClient;
    use serde_json::json;

    use super::*;
    use crate::api::shared::packed::Packed;

    fn client() -> TestClient<Route> {
        let text = |text: &str| Packed::pack(text.as_bytes()).unwrap();
        let dialect = Document::new("native", "Native", text(r#"{"openapi": "3.0.3"}"#));
        let assembled = Document::new("tieline", "Everything", text("{}"));
        let documents = Documents { assembled, dialects: vec![dialect] };
        TestClient::new(routes(&documents).unwrap())
    }

    #[tokio::test]
    async fn the_landing_page_leads_everywhere() {
        let response = client().get("/").send().await;
        response.assert_content_type("text/html; charset=utf-8");
        let text = response.0.into_body().into_string().await.unwrap();
        for place in ["/docs/", "/openapi/native.json", "/openapi/tieline.json", "/healthz", "/style.css"] {
            assert!(text.contains(&format!("\"{place}\"")), "{place}");
        }
        assert!(!text.contains("{{") && !text.contains("<script"));
        assert!(text.contains("<h1>Tieline</h1>") && text.contains("tieline token create"), "{text}");
        client().get("/style.css").send().await.assert_content_type("text/css; charset=utf-8");
    }

    #[tokio::test]
    async fn a_document_is_sent_once() {
        let response = client().get("/openapi/native.json").send().await;
        response.assert_header("cache-control", "no-cache");
        let etag = response.0.header("etag").unwrap().to_owned();
        response.assert_json(json!({"openapi": "3.0.3"})).await;
        let again = client().get("/openapi/native.json").header("if-none-match", format!("W/{etag}")).send().await;
        again.assert_status(StatusCode::NOT_MODIFIED);
        client().get("/openapi.json").header("if-none-match", "\"x\"").send().await.assert_status_is_ok();
        let posted = client().post("/openapi.json").send().await;
        posted.assert_header("allow", "GET, HEAD");
    }

    #[tokio::test]
    async fn the_console_knows_every_document() {
        client().get("/docs").send().await.assert_header("location", "/docs/");
        let page = client().get("/docs/").send().await;
        let policy = page.0.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        page.assert_content_type("text/html");
        let start = client().get("/docs/swagger-initializer.js").send().await;
        let start = start.0.into_body().into_string().await.unwrap();
        for word in
            ["/openapi/tieline.json", "/openapi/native.json", "\"validatorUrl\": \"none\"", "persistAuthorization"]
        {
            assert!(start.contains(word), "{word} is not in {start}");
        }
        client().get("/docs/nothing.js").send().await.assert_status(StatusCode::NOT_FOUND);
    }
}
