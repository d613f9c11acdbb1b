//! Where Slack and GitHub send the browser after their pages: readable pages of our own.

use poem::web::Data;
use poem_openapi::{OpenApi, param::Query};
use url::form_urlencoded;

use super::{Tag, page::Page};
use crate::app::{
    App,
    github_connect::{CONFIRM, GithubCallback, GithubConnected},
};

/// The operations. The state in the address says for whom.
pub struct Callbacks;

const NO_SLACK: &str = "Slack is not connected";
const NO_GITHUB: &str = "GitHub is not connected";

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
            return Page::not_done(NO_SLACK, refused(error.0.as_deref()));
        };
        match app.complete_slack_oauth_in_browser(&code, &state).await {
            Ok((organisation, integration)) => {
                let text = format!(
                    "The Slack workspace {} is connected to {}. Choose a channel next; you may close this page.",
                    integration.link.team_name, organisation.name
                );
                Page::done("Slack is connected", &text)
            }
            Err(error) => Page::failed(NO_SLACK, &error),
        }
    }

    /// Complete a GitHub installation in the browser
    ///
    /// GitHub sends the browser here after the app was installed, changed, or asked for. The page asks whether the
    /// account is to be linked to the organisation of the member who opened the card's link, and its link does it.
    #[oai(path = "/v1/github/callback", method = "get", operation_id = "completeGithubInstall")]
    async fn complete_github_install(
        &self,
        app: Data<&App>,
        /// GitHub's code: the proof of who sits there.
        code: Query<Option<String>>,
        /// GitHub's number of the installation.
        #[oai(name = "installation_id")]
        installation_id: Query<Option<String>>,
        /// `install`, `update`, or `request` where an owner at GitHub has to approve first; `confirm` is our page's.
        #[oai(name = "setup_action")]
        setup_action: Query<Option<String>>,
        /// The state of the card's link.
        state: Query<Option<String>>,
        /// GitHub's word for why there is no code.
        error: Query<Option<String>>,
    ) -> Page {
        // A number in the document would be refused by the framework, and not with a page.
        let Ok(installation_id) = installation_id.0.map(|id| id.parse()).transpose() else {
            return Page::not_done(NO_GITHUB, "The address is not complete. Open the card's link again to retry.");
        };
        let callback = GithubCallback {
            code: code.0,
            installation_id,
            setup_action: setup_action.0,
            state: state.0,
            error: error.0,
        };
        match app.complete_github_install(callback).await {
            Ok(connected) => github(&connected),
            Err(error) => Page::failed(NO_GITHUB, &error),
        }
    }
}

fn refused(error: Option<&str>) -> &'static str {
    match error {
        Some("access_denied") => "Slack's page was left with Cancel. Ask for the OAuth URL again to retry.",
        Some(_) => "Slack refused. Ask for the OAuth URL again to retry.",
        None => "The address is not complete. Ask for the OAuth URL again to retry.",
    }
}

fn github(connected: &GithubConnected) -> Page {
    match connected {
        GithubConnected::Linked { organisation, installation } => {
            let (account, name) = (&installation.account.login, &organisation.name);
            let text = format!("The GitHub account {account} is linked to {name}. You may close this page.");
            Page::done("GitHub is connected", &text)
        }
        GithubConnected::Proven { organisation, installation, state } => {
            let (account, name) = (&installation.account.login, &organisation.name);
            // Anybody may call an organisation what another is called, but for its slug.
            let slug = organisation.slug.as_str();
            let text = format!(
                "The organisation {name} ({slug}) would hear of everything in the repositories that the GitHub account \
                 {account} opened to the app. Close this page if that is not what you want."
            );
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("setup_action", CONFIRM)
                .append_pair("state", state)
                .finish();
            let yes = format!("Link {account} to {name}");
            Page::asked(&format!("Link the GitHub account {account} to {name}?"), &text, (&yes, &query))
        }
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
            Page::done("The installation was changed", "GitHub tells us what changed. You may close this page.")
        }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::payload::Html;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ambient::Time,
        github::{AccountKind, GithubAccount, GithubInstallation},
        organisation::{Organisation, Slug},
    };

    fn told(connected: &GithubConnected) -> String {
        match github(connected) {
            Page::Done(Html(page)) => page,
            Page::Elsewhere(_) | Page::NotDone(_) | Page::NotNow(_) => String::new(),
        }
    }

    #[test]
    fn a_page_says_what_was_linked_with_whom() {
        let organisation = || Organisation {
            id: Uuid::from_u128(1).into(),
            slug: Slug::parse("acme").unwrap(),
            name: "Acme & Sons".into(),
            created_at: Time::UNIX_EPOCH,
        };
        let account = GithubAccount {
            id: 2,
            login: "octo-org".into(),
            kind: AccountKind::Organization,
            html_url: "https://github.com/octo-org".into(),
        };
        let installation = GithubInstallation {
            id: 3,
            app_id: 4,
            account,
            events: Vec::new(),
            all_repositories: true,
            suspended_at: None,
            updated_at: Time::UNIX_EPOCH,
        };
        let page = told(&GithubConnected::Proven {
            organisation: organisation(),
            installation: installation.clone(),
            state: "a&b".to_owned(),
        });
        assert!(page.contains("<h1>Link the GitHub account octo-org to Acme &amp; Sons?</h1>"), "{page}");
        let link = "<a href=\"?setup_action=confirm&amp;state=a%26b\">Link octo-org to Acme &amp; Sons</a>";
        assert!(page.contains(link) && page.contains("Acme &amp; Sons (acme) would hear"), "{page}");
        let page = told(&GithubConnected::Linked { organisation: organisation(), installation });
        assert!(page.contains("The GitHub account octo-org is linked to Acme &amp; Sons."), "{page}");
        let page = told(&GithubConnected::Requested { organisation: organisation() });
        assert!(page.contains("waits for approval") && page.contains("Acme &amp; Sons"), "{page}");
        assert!(told(&GithubConnected::Updated).contains("was changed"));
    }
}
