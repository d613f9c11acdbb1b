//! The pages that a browser sees when it comes back from a far end: readable, ours alone, and without scripts.

use poem_openapi::{ApiResponse, payload::Html};

use crate::domain::Error;

/// A page.
#[derive(ApiResponse)]
pub enum Page {
    /// It is done, and the page says what; or the page asks whether it is to be.
    #[oai(status = 200)]
    Done(Html<String>),
    /// The far end has to be asked something more first: the browser goes to the address in `Location`.
    #[oai(status = 302)]
    Elsewhere(
        /// The address.
        #[oai(header = "Location")]
        String,
    ),
    /// It is not, and the page says why.
    #[oai(status = 400)]
    NotDone(Html<String>),
    /// It is not, because the far end or this service does not work right now.
    #[oai(status = 503)]
    NotNow(Html<String>),
}

impl Page {
    /// It is done.
    pub fn done(title: &str, text: &str) -> Self {
        Page::Done(Html(html(title, text)))
    }

    /// It is done, and `word` leads on to `address`.
    pub fn done_leading(title: &str, text: &str, (word, address): (&str, &str)) -> Self {
        let link = format!("<p><a href=\"{}\">{}</a></p>", escape(address), escape(word));
        Page::Done(Html(html_with(title, text, &link)))
    }

    /// It can be done: by `yes`, a button that sends `state` to `path`.
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

    /// It is not done, by the doing of whoever sits there.
    pub fn not_done(title: &str, text: &str) -> Self {
        Page::NotDone(Html(html(title, text)))
    }

    /// What went wrong, in words for the person in front of the browser. `title` says what is not done.
    pub fn failed(title: &str, error: &Error) -> Self {
        match error {
            Error::UpstreamUnavailable { .. }
            | Error::RateLimited { .. }
            | Error::Unavailable { .. }
            | Error::Storage(_) => Page::NotNow(Html(html(title, &sentence(error)))),
            Error::Internal(cause) => {
                tracing::error!(cause, "a callback failed");
                Page::NotNow(Html(html(title, "Something went wrong here. Try again later.")))
            }
            // A page that is loaded again after it has done its work comes here too, and then it is connected.
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
            | Error::Refused { .. } => Page::not_done(title, &sentence(error)),
        }
    }
}

/// An error's text for people: it begins in the middle of a sentence.
fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect()
}

fn html(title: &str, text: &str) -> String {
    html_with(title, text, "")
}

fn html_with(title: &str, text: &str, more: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <main><h1>{title}</h1><p>{text}</p>{more}</main></html>",
        title = escape(title),
        text = escape(text),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_in_a_sentence() {
        let error = Error::Unavailable { what: "the database" };
        assert_eq!(sentence(&error), "The database is not available right now; try again later.");
    }

    #[test]
    fn a_page_shows_markup_as_text() {
        assert!(html("T", "<script>\"&").contains("<p>&lt;script&gt;&quot;&amp;</p>"));
    }
}
