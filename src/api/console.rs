//! Pages for browsers: the landing page, the published documents and the console (Swagger UI) over them.
//!
//! All of it is in the binary; nothing is fetched from another server.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use poem::{Endpoint, Request, Response, Route, endpoint::make_sync, http::StatusCode};
use serde_json::{Value, json};
use url::Url as Address;
use utoipa_swagger_ui::{Config, Url};

use super::shared::{
    asset::{Asset, Caching},
    documents::{Document, Documents},
    page,
};
use crate::domain::{Error, Result};

const ICONS_AND_STYLE: [(&str, &[u8]); 3] = [
    ("text/css; charset=utf-8", include_bytes!("console/style.css")),
    ("image/svg+xml", include_bytes!("console/favicon.svg")),
    ("image/x-icon", include_bytes!("console/favicon.ico")),
];
const LANDING: &str = include_str!("console/landing.html");

/// The only file of Swagger UI's that we replace.
const INITIALIZER: &str = "swagger-initializer.js";

/// Plugin of Swagger UI, before its configuration.
const HIDE_COOKIES: &str = include_str!("console/hide-cookies.js");

/// Content security policy of Swagger UI: its own scripts, no inline scripts, and requests to this server alone. The
/// one inline style is that of its logo, which is dark on dark without it.
const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; style-src-attr 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns the routes `/`, `/style.css`, the icons, `/docs/`, `/openapi.json` and `/openapi/<name>.json`.
///
/// # Errors
/// [`Error::Internal`] when Swagger UI cannot be configured with the documents.
pub fn routes(documents: &Documents, public_url: &Address) -> Result<Route> {
    let [style, svg, ico] = ICONS_AND_STYLE.map(|(content_type, body)| Asset::new(content_type, body, Caching::Hour));
    let mut routes = Route::new()
        .at("/", page(LANDING.replace("{{documents}}", &links(documents))))
        .at("/style.css", file(style))
        .at("/favicon.svg", file(svg))
        .at("/favicon.ico", file(ico))
        .at("/docs", make_sync(|_| page::moved("/docs/")))
        .at("/docs/*file", console(documents)?)
        .at("/openapi.json", document(&documents.assembled, public_url));
    for one in documents.all() {
        routes = routes.at(location(one), document(one, public_url));
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

/// Serves a page of ours.
pub fn page(html: String) -> impl Endpoint + use<> {
    file(page::asset(html))
}

fn file(asset: Asset) -> impl Endpoint {
    make_sync(move |request| asset.answer(&request))
}

/// Serves a document with the server's public address, which it gets when it is first asked for.
fn document(document: &Document, public_url: &Address) -> impl Endpoint + use<> {
    let (published, server) = (document.text.clone(), public_url.as_str().trim_end_matches('/').to_owned());
    let served = OnceLock::new();
    make_sync(move |request| {
        let served = served.get_or_init(|| addressed(&published, &server));
        served.as_ref().unwrap_or(&published).answer(&request)
    })
}

/// Names the server in a document.
fn addressed(published: &Asset, server: &str) -> Option<Asset> {
    let mut document: Value = serde_json::from_slice(&published.content().ok()?).ok()?;
    document["servers"] = json!([{ "url": server, "description": "This server" }]);
    Some(Asset::new("application/json", format!("{document:#}\n"), Caching::Revalidate))
}

/// Serves Swagger UI: the native document first, since most readers come for it.
fn console(documents: &Documents) -> Result<impl Endpoint + use<>> {
    let in_order = documents.dialects.iter().chain([&documents.assembled]);
    let places: Vec<_> = in_order.map(|one| (one.title, location(one))).collect();
    let urls = places.iter().map(|(title, place)| Url::new(title, place));
    let config = Config::new(urls)
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .display_request_duration(true)
        .filter(true)
        .validator_url("none");
    let start = utoipa_swagger_ui::serve(INITIALIZER, Arc::new(config)).map_err(|e| Error::Internal(e.to_string()))?;
    let start = start.map(|file| file.bytes.into_owned()).unwrap_or_default();
    let start = console_file("text/javascript", asking_for_tokens(&start)?);
    Ok(make_sync(move |request: Request| match request.uri().path().strip_prefix("/docs/").unwrap_or_default() {
        INITIALIZER => start.answer(&request),
        path => match swagger_file(path) {
            Some(file) => file.answer(&request),
            None => Response::builder().status(StatusCode::NOT_FOUND).finish(),
        },
    }))
}

/// Adds the plugin that hides the session's cookie from the console's dialog: no script can set it, and the browser
/// sends it by itself.
fn asking_for_tokens(start: &[u8]) -> Result<Vec<u8>> {
    const PLUGIN: &str = "SwaggerUIBundle.plugins.DownloadUrl";
    let start = String::from_utf8_lossy(start);
    if !start.contains(PLUGIN) {
        return Err(Error::Internal(format!("{INITIALIZER} lists no plugins")));
    }
    Ok(format!("{HIDE_COOKIES}{}", start.replace(PLUGIN, &format!("{PLUGIN}, HideCookies"))).into_bytes())
}

fn console_file(content_type: &str, body: impl Into<Bytes>) -> Asset {
    Asset::new(content_type, body, Caching::Revalidate).with_policy(CONSOLE_POLICY)
}

/// Returns a file of Swagger UI, which the binary has compressed. Each is found once a process, when it is first asked for.
fn swagger_file(path: &str) -> Option<Arc<Asset>> {
    static FILES: Mutex<BTreeMap<String, Arc<Asset>>> = Mutex::new(BTreeMap::new());
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(file) = files.get(path) {
        return Some(file.clone());
    }
    let nothing = Arc::new(Config::new([Url::new("", "")]));
    let file = utoipa_swagger_ui::serve(path, nothing).ok()??;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let asset = Arc::new(match file.gzpipped {
        true => Asset::packed(&file.content_type, bytes, Caching::Revalidate).with_policy(CONSOLE_POLICY),
        false => console_file(&file.content_type, bytes),
    });
    files.insert(path.to_owned(), asset.clone());
    Some(asset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shared::test_client::TestClient;

    fn client() -> TestClient<Route> {
        let text = |text: &'static str| Asset::new("application/json", text, Caching::Revalidate);
        let dialect = Document::new("native", "Native", text(r#"{"openapi": "3.0.3"}"#));
        let assembled = Document::new("tieline", "Everything", text("{}"));
        let documents = Documents { assembled, dialects: vec![dialect] };
        TestClient::new(routes(&documents, &"https://tieline.example/".parse().unwrap()).unwrap())
    }

    #[tokio::test]
    async fn the_landing_page_leads_everywhere() {
        let response = client().get("/").send().await;
        response.assert_content_type("text/html; charset=utf-8");
        let text = response.0.into_body().into_string().await.unwrap();
        for place in
            ["/portal/", "/guide/", "/docs/", "/openapi/native.json", "/openapi/tieline.json", "/healthz", "/style.css"]
        {
            assert!(text.contains(&format!("\"{place}\"")), "{place}");
        }
        assert!(!text.contains("{{") && !text.contains("<script"));
        assert!(text.contains("<h1>Tieline</h1>") && text.contains("tieline token create"), "{text}");
        client().get("/style.css").send().await.assert_content_type("text/css; charset=utf-8");
        client().get("/favicon.svg").send().await.assert_content_type("image/svg+xml");
        client().get("/favicon.ico").send().await.assert_content_type("image/x-icon");
    }

    #[tokio::test]
    async fn a_document_is_sent_once() {
        let response = client().get("/openapi/native.json").send().await;
        response.assert_header("cache-control", "no-cache");
        let etag = response.0.header("etag").unwrap().to_owned();
        let servers = json!([{"url": "https://tieline.example", "description": "This server"}]);
        response.assert_json(json!({"openapi": "3.0.3", "servers": servers})).await;
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
        assert!(start.find("/openapi/native.json") < start.find("/openapi/tieline.json"), "the native one is first");
        assert!(start.contains("plugins.DownloadUrl, HideCookies"), "{start}");
        let bundle = client().get("/docs/swagger-ui-bundle.js").header("accept-encoding", "gzip").send().await;
        bundle.assert_header("content-encoding", "gzip");
        let etag = bundle.0.header("etag").unwrap().to_owned();
        assert!(bundle.0.into_body().into_bytes().await.unwrap().len() < 500_000);
        let again = client().get("/docs/swagger-ui-bundle.js").header("if-none-match", etag).send().await;
        again.assert_status(StatusCode::NOT_MODIFIED);
        client().get("/docs/nothing.js").send().await.assert_status(StatusCode::NOT_FOUND);
    }
}
