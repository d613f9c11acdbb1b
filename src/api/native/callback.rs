//! Where Slack sends the browser after its page: a readable page of our own.

use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi, param::Query, payload::Html};

use super::Tag;
use crate::{app::App, domain::Error};

/// The operations. The state in the address says for whom.
pub struct Callbacks;

/// A page.
#[derive(ApiResponse)]
enum Page {
    /// Slack is connected.
    #[oai(status = 200)]
    Connected(Html<String>),
    /// It is not, and the page says why.
    #[oai(status = 400)]
    NotConnected(Html<String>),
    /// It is not, because Slack or this service does not work right now.
    #[oai(status = 503)]
    NotNow(Html<String>),
}

#[OpenApi(tag = "Tag::Callbacks")]
impl Callbacks {
    /// Complete Slack OAuth in the browser
    ///
    /// Slack's page sends the browser here after Allow or Cancel. The connection is made for the member who asked for
    /// the OAuth URL.
    #[oai(path = "/v1/slack/oauth/callback", method = "get", operation_id = "completeSlackOAuthInBrowser")]
    async fn complete_slack_oauth_in_browser(
        &self,
        app: Data<&App>,
        /// Slack's authorization code.
        code: Query<Option<String>>,
        /// The state of the OAuth URL.
        state: Query<Option<String>>,
        /// Slack's word for why there is no code.
        error: Query<Option<String>>,
    ) -> Page {
        let (Some(code), Some(state), None) = (code.0, state.0, &error.0) else {
            return Page::NotConnected(Html(page("Slack is not connected", &refused(error.0.as_deref()))));
        };
        match app.complete_slack_oauth_in_browser(&code, &state).await {
            Ok((organisation, integration)) => {
                let text = format!(
                    "The Slack workspace {} is connected to {}. Choose a channel next; you may close this page.",
                    integration.link.team_name, organisation.name
                );
                Page::Connected(Html(page("Slack is connected", &text)))
            }
            Err(error) => not_connected(&error),
        }
    }
}

fn refused(error: Option<&str>) -> String {
    match error {
        Some("access_denied") => "Slack's page was left with Cancel. Ask for the OAuth URL again to retry.".to_owned(),
        Some(_) => "Slack refused. Ask for the OAuth URL again to retry.".to_owned(),
        None => "The address is not complete. Ask for the OAuth URL again to retry.".to_owned(),
    }
}

/// What went wrong, in words for the person in front of the browser.
fn not_connected(error: &Error) -> Page {
    match error {
        Error::UpstreamUnavailable { .. } | Error::Unavailable { .. } => {
            Page::NotNow(Html(page("Slack is not connected", &sentence(error))))
        }
        Error::Internal(cause) => {
            tracing::error!(cause, "a Slack callback failed");
            Page::NotNow(Html(page("Slack is not connected", "Something went wrong here. Try again later.")))
        }
        // A page that is loaded again after it has done its work comes here too, and then Slack is connected.
        Error::OAuthState(_) => Page::NotConnected(Html(page("Nothing was connected", &sentence(error)))),
        Error::Unauthenticated(_)
        | Error::Forbidden { .. }
        | Error::NotProven { .. }
        | Error::NotFound { .. }
        | Error::NotConnected { .. }
        | Error::Conflict { .. }
        | Error::Invalid(_)
        | Error::FailedPrecondition { .. }
        | Error::IdempotencyMismatch { .. }
        | Error::IdempotencyInFlight { .. }
        | Error::Refused { .. } => Page::NotConnected(Html(page("Slack is not connected", &sentence(error)))),
    }
}

/// An error's text for people: it begins in the middle of a sentence.
fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect()
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <main><h1>{title}</h1><p>{text}</p></main></html>",
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
        assert!(page("T", "<script>\"&").contains("<p>&lt;script&gt;&quot;&amp;</p>"));
    }
}
