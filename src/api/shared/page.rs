//! Pages for a browser that comes back from a provider: readable, self-contained, and without scripts.

use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{ApiResponse, payload::Html};

use super::asset::{Asset, Caching};
use crate::domain::Error;

/// Content security policy of a page: our style, and no scripts.
pub const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Makes a page of ours that everybody gets alike.
pub fn asset(html: String) -> Asset {
    Asset::new("text/html; charset=utf-8", html, Caching::Revalidate).with_policy(POLICY)
}

/// Redirects permanently.
pub fn moved(to: &'static str) -> Response {
    let mut response = Response::builder().status(StatusCode::PERMANENT_REDIRECT).finish();
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    response
}

/// A page with its status.
#[derive(ApiResponse)]
pub enum Page {
    /// The request succeeded, or asks for confirmation.
    #[oai(status = 200)]
    Done(Html<String>),
    /// Redirect to the provider for a further step, or to the page at which the flow ends; the address is in `Location`.
    #[oai(status = 302)]
    Elsewhere(
        /// The address.
        #[oai(header = "Location")]
        String,
    ),
    /// The request was refused; the page has the reason.
    #[oai(status = 400)]
    NotDone(Html<String>),
    /// The provider or this service is unavailable.
    #[oai(status = 503)]
    NotNow(Html<String>),
}

impl Page {
    /// Page for a completed request.
    pub fn done(title: &str, text: &str) -> Self {
        Page::Done(Html(html(title, text)))
    }

    /// Page for a completed request, with `word` as a link to `address`.
    pub fn done_leading(title: &str, text: &str, (word, address): (&str, &str)) -> Self {
        let links = format!("{}{PORTAL}", link(word, address));
        Page::Done(Html(html_with(title, text, &links)))
    }

    /// Page that asks for confirmation: `yes` is a button that sends `state` to `path`.
    pub fn asked(title: &str, text: &str, (yes, path, state): (&str, &str, &str)) -> Self {
        let form = format!(
            "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"state\" value=\"{}\">\
             <button class=\"button\" type=\"submit\">{}</button></form>",
            escape(path),
            escape(state),
            escape(yes),
        );
        Page::Done(Html(html_with(title, text, &form)))
    }

    /// Page for a request that was refused because of the user's input.
    pub fn not_done(title: &str, text: &str) -> Self {
        Page::NotDone(Html(html(title, text)))
    }

    /// Page that explains an error to the person in front of the browser, under `title`.
    pub fn failed(title: &str, error: &Error) -> Self {
        match error {
            Error::UpstreamUnavailable { .. }
            | Error::RateLimited { .. }
            | Error::Unavailable { .. }
            | Error::Storage(_) => Page::NotNow(Html(html(title, &sentence(error)))),
            Error::Internal(cause) => {
                tracing::error!(cause, "callback failed");
                Page::NotNow(Html(html(title, "Internal server error. Please retry later.")))
            }
            // A page that is reloaded after it has done its work comes here too, and by then the connection exists.
            Error::OAuthState(_) => Page::not_done("Nothing was connected", &sentence(error)),
            Error::Unauthenticated(_)
            | Error::Forbidden { .. }
            | Error::NotProven { .. }
            | Error::NotFound { .. }
            | Error::NotConnected { .. }
            | Error::Conflict { .. }
            | Error::InUse { .. }
            | Error::Invalid(_)
            | Error::Issues(_)
            | Error::FailedPrecondition { .. }
            | Error::Webhook(_)
            | Error::IdempotencyMismatch { .. }
            | Error::IdempotencyInFlight { .. }
            | Error::Session(_)
            | Error::Refused { .. } => Page::not_done(title, &sentence(error)),
        }
    }
}

/// Makes a sentence of an error's text, which begins in lower case.
pub fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect()
}

/// Renders a page with `word` as a link to `address`.
pub fn html_leading(title: &str, text: &str, (word, address): (&str, &str)) -> String {
    html_with(title, text, &link(word, address))
}

/// Link that every page ends in, whichever way the flow went.
const PORTAL: &str = "<p><a href=\"/portal/\">Go to the portal</a></p>";

fn html(title: &str, text: &str) -> String {
    html_with(title, text, PORTAL)
}

fn link(word: &str, address: &str) -> String {
    format!("<p><a href=\"{}\">{}</a></p>", escape(address), escape(word))
}

/// Renders a page with markup after its text.
pub fn html_with(title: &str, text: &str, more: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <link rel=\"icon\" href=\"/favicon.svg\">\
         <main><h1>{title}</h1><p>{text}</p>{more}</main></html>",
        title = escape(title),
        text = escape(text),
    )
}

/// Escapes a text for HTML, also within an attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_sentence() {
        let error = Error::Unavailable { what: "the database" };
        assert_eq!(sentence(&error), "The database is not available right now; try again later.");
    }

    #[test]
    fn a_page_shows_markup_as_text() {
        let page = html("T", "<script>\"&");
        assert!(page.contains("<p>&lt;script&gt;&quot;&amp;</p>"), "{page}");
        assert!(page.contains("href=\"/portal/\""), "{page}");
    }
}
