//! Common code of the browser pages: the frame, the style sheet and the escaping of text.

use poem::Response;
use poem::http::StatusCode;
use poem::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};

const STYLE: &str = include_str!("page/style.css");

/// Escapes text for HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut out, character);
    }
    out
}

/// Escapes one character for HTML.
pub(crate) fn push_escaped(out: &mut String, character: char) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    }
}

/// Site of a page.
#[derive(Clone, Copy)]
pub(crate) enum Site {
    Slack,
    GitHub,
}

impl Site {
    /// The first line of every page.
    fn header(self) -> &'static str {
        match self {
            Self::Slack => {
                "<header class=\"top\"><a href=\"/slack\">Slack stand-in</a>\
                 <span>local; nothing here reaches slack.com</span></header>"
            }
            Self::GitHub => {
                "<header class=\"top github\"><a href=\"/github\">GitHub stand-in</a>\
                 <span>local; nothing here reaches github.com</span></header>"
            }
        }
    }
}

/// A page: a title, and a body that is HTML already.
pub(crate) struct Page {
    site: Site,
    title: String,
    body: String,
    refresh_secs: Option<u32>,
    status: StatusCode,
}

impl Page {
    pub(crate) fn new(title: &str, body: String) -> Self {
        Self { site: Site::Slack, title: escape(title), body, refresh_secs: None, status: StatusCode::OK }
    }

    /// Puts the page under another site's head.
    pub(crate) fn on(self, site: Site) -> Self {
        Self { site, ..self }
    }

    /// Makes the page reload itself periodically.
    pub(crate) fn refreshing(self, secs: u32) -> Self {
        Self { refresh_secs: Some(secs), ..self }
    }

    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn into_response(self) -> Response {
        let refresh = self
            .refresh_secs
            .map(|secs| format!("<meta http-equiv=\"refresh\" content=\"{secs}\">"))
            .unwrap_or_default();
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{refresh}\
             <title>{title}</title><style>{STYLE}</style></head><body>\
             {header}<main>{body}</main></body></html>",
            header = self.site.header(),
            title = self.title,
            body = self.body,
        );
        Response::builder()
            .status(self.status)
            .header(CONTENT_TYPE, "text/html; charset=utf-8")
            .header(CACHE_CONTROL, "no-store")
            .body(html)
    }
}

/// A page for a missing thing.
pub(crate) fn not_found(what: &str) -> Response {
    let body = format!("<h1>Not found</h1><p>{}</p>", escape(what));
    Page::new("Not found", body).status(StatusCode::NOT_FOUND).into_response()
}

/// Redirects the browser with a GET.
pub(crate) fn see_other(location: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(LOCATION, location).finish()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_escaped_can_be_markup() {
        assert_eq!(escape("<a href=\"x\" title='&'>"), "&lt;a href=&quot;x&quot; title=&#39;&amp;&#39;&gt;");
    }
}
