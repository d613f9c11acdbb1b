//! Redirect targets of Slack's and GitHub's pages. The browser is redirected to `consent`, the page that asks for
//! confirmation; where nothing can be confirmed, it gets a readable page of our own.

use poem::http::header::SET_COOKIE;
use poem_openapi::{OpenApi, param::Query, payload::Response};

use super::Tag;
use crate::{
    api::shared::{consent, page::Page, services::Service},
    app::{
        github::{
            GithubConnections,
            connect::{GithubCallback, GithubConnected},
        },
        kernel::Base,
        slack::SlackConnections,
        tenancy::consents::Consent,
    },
};

/// The operations. The state in the query names the organisation and the member.
pub struct Callbacks;

const NO_SLACK: &str = "Slack is not connected";
const NO_GITHUB: &str = "GitHub is not connected";

#[OpenApi(tag = "Tag::Callbacks")]
impl Callbacks {
    /// Complete Slack OAuth in the browser
    ///
    /// Slack redirects the browser here after Allow or Cancel. The browser is redirected to the page that asks whether
    /// to connect the workspace to the organisation of the member who requested the OAuth URL; nothing is connected
    /// before that page is confirmed.
    #[oai(path = "/v1/slack/oauth/callback", method = "get", operation_id = "completeSlackOAuthInBrowser")]
    async fn complete_slack_oauth_in_browser(
        &self,
        slack: Service<'_, SlackConnections>,
        base: Service<'_, Base>,
        /// Slack's authorization code.
        code: Query<Option<String>>,
        /// The state of the OAuth URL.
        state: Query<Option<String>>,
        /// Slack's error code, in place of a code.
        error: Query<Option<String>>,
    ) -> Response<Page> {
        let (Some(code), Some(state), None) = (code.0, state.0, &error.0) else {
            return Response::new(Page::not_done(NO_SLACK, refused(error.0.as_deref())));
        };
        match slack.complete_slack_oauth_in_browser(&code, &state).await {
            Ok(consent) => asked(&base, &consent),
            Err(error) => Response::new(Page::failed(NO_SLACK, &error)),
        }
    }

    /// Complete a GitHub installation in the browser
    ///
    /// GitHub redirects the browser here after the app was installed, changed or requested. The browser is redirected
    /// to the page that asks whether to link the account to the organisation of the member who opened the card's link;
    /// nothing is linked before that page is confirmed.
    #[oai(path = "/v1/github/callback", method = "get", operation_id = "completeGithubInstall")]
    #[allow(clippy::too_many_arguments, reason = "each part of the query is one")]
    async fn complete_github_install(
        &self,
        github: Service<'_, GithubConnections>,
        base: Service<'_, Base>,
        /// GitHub's code, which proves the identity of the GitHub user.
        code: Query<Option<String>>,
        /// GitHub's installation id.
        #[oai(name = "installation_id")]
        installation_id: Query<Option<String>>,
        /// `install`, `update`, or `request` if an owner at GitHub has to approve first.
        #[oai(name = "setup_action")]
        setup_action: Query<Option<String>>,
        /// The state of the card's link.
        state: Query<Option<String>>,
        /// GitHub's error code, in place of a code.
        error: Query<Option<String>>,
    ) -> Response<Page> {
        // A parameter of a numeric type would be refused by the framework, without a page.
        let Ok(installation_id) = installation_id.0.map(|id| id.parse()).transpose() else {
            let text = "The address is not complete. Open the card's link again to retry.";
            return Response::new(Page::not_done(NO_GITHUB, text));
        };
        let callback = GithubCallback {
            code: code.0,
            installation_id,
            setup_action: setup_action.0,
            state: state.0,
            error: error.0,
        };
        match github.complete_github_install(callback).await {
            Ok(connected) => linked(&base, &connected),
            Err(error) => Response::new(Page::failed(NO_GITHUB, &error)),
        }
    }
}

/// Redirects the browser from an address that contains a code to the consent page.
fn asked(base: &Base, consent: &Consent) -> Response<Page> {
    let (location, cookie) = consent::asked(consent, base.public_url());
    Response::new(Page::Elsewhere(location)).header(SET_COOKIE, cookie)
}

fn refused(error: Option<&str>) -> &'static str {
    match error {
        Some("access_denied") => "Slack's page was left with Cancel. Ask for the OAuth URL again to retry.",
        Some(_) => "Slack refused. Ask for the OAuth URL again to retry.",
        None => "The address is not complete. Ask for the OAuth URL again to retry.",
    }
}

fn linked(base: &Base, connected: &GithubConnected) -> Response<Page> {
    let page = match connected {
        GithubConnected::Proven(consent) => return asked(base, consent),
        GithubConnected::Requested { organisation } => {
            let text = format!(
                "An owner of the GitHub organisation has been asked to approve the installation. When they have, open \
                 the link of the GitHub card of {} again.",
                organisation.name
            );
            Page::done("The installation waits for approval", &text)
        }
        GithubConnected::Authorize(url) => Page::Elsewhere(url.to_string()),
        GithubConnected::Updated => {
            Page::done("The installation was changed", "GitHub sends us the changes. You may close this page.")
        }
    };
    Response::new(page)
}
