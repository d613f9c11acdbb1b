//! Page that asks for consent before an OAuth flow of Slack or GitHub connects anything, and its answer.

use poem::{
    Request,
    http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE},
};
use poem_openapi::{Object, OpenApi, param::Query, payload::Response};
use url::{Url, form_urlencoded};

use super::Tag;
use crate::{
    api::shared::{
        consent,
        media::Media,
        page::Page,
        services::Service,
        signed::{Inbound, Raw},
    },
    app::{
        apps::{
            Apps,
            consents::{Agreed, Connected, Question},
        },
        kernel::Base,
        tenancy::consents::Consent,
    },
};

/// The operations.
pub struct Consents;

const NOTHING: &str = "Nothing was connected";
const UNKNOWN_BROWSER: &str = "This browser was not asked, it was asked too long ago, or it does not keep cookies. Start \
                               again from where you began.";
const OTHER_PAGE: &str = "The answer did not come from this page. Start again from where you began.";

/// Returns the content security policy of the page: its form may be sent only to this service, and redirected to the
/// page at which the flow ends.
fn asking(return_url: Option<&Url>) -> String {
    let elsewhere = return_url.map(|url| format!(" {}", url.origin().ascii_serialization())).unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{elsewhere}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// Answer to the question of consent.
#[derive(Object)]
#[oai(rename = "ConsentAnswer")]
struct AnswerIn {
    /// State of the question.
    #[oai(rename = "state")]
    _state: String,
}

/// Content type of the answer.
struct AnswerForm;

impl Inbound for AnswerForm {
    const MEDIA: &'static [Media] = &[Media::Form];
    const LIMIT_BYTES: usize = 4096;
    /// A state is looked up by its hash, and a person is answered with a page.
    const CHECKS_TEXT: bool = false;

    type Schema = AnswerIn;
}

#[OpenApi(tag = "Tag::Callbacks")]
impl Consents {
    /// Show the question of consent
    ///
    /// Slack's and GitHub's redirects end here. The page names the organisation and the member that began the flow, and
    /// has a button. It is shown only to a browser that presents the cookie set with the redirect.
    #[oai(path = "/v1/consent", method = "get", operation_id = "getConsent")]
    async fn get_consent(
        &self,
        apps: Service<'_, Apps>,
        base: Service<'_, Base>,
        request: &Request,
        /// State of the question.
        state: Query<Option<String>>,
    ) -> Response<Page> {
        let state = state.0.unwrap_or_default();
        let Some(consent) = consent::shown(request, &state, base.public_url()) else {
            return Response::new(Page::not_done(NOTHING, UNKNOWN_BROWSER));
        };
        match apps.get_consent(&consent).await {
            // Under no-referrer a form says that its origin is null.
            Ok(question) => Response::new(asked(&question, &state))
                .header(CONTENT_SECURITY_POLICY, asking(question.return_url.as_ref()))
                .header(REFERRER_POLICY, "same-origin"),
            Err(error) => Response::new(Page::failed(NOTHING, &error)),
        }
    }

    /// Give consent
    ///
    /// Sent by the button of the consent page, from this origin and with the cookie of the browser that was asked. The
    /// connection is made, and the browser is sent to the page that was named when it began, or shown one that says so. The
    /// question is used up whether or not that succeeds.
    #[oai(path = "/v1/consent", method = "post", operation_id = "giveConsent")]
    async fn give_consent(
        &self,
        apps: Service<'_, Apps>,
        base: Service<'_, Base>,
        request: &Request,
        body: Raw<AnswerForm>,
    ) -> Response<Page> {
        if !consent::is_own_page(request.headers(), base.public_url()) {
            return Response::new(Page::not_done(NOTHING, OTHER_PAGE));
        }
        let state = form_urlencoded::parse(&body.bytes).find(|(name, _)| name == "state").map(|(_, state)| state);
        let state = state.unwrap_or_default();
        let Some(consent) = consent::shown(request, &state, base.public_url()) else {
            return Response::new(Page::not_done(NOTHING, UNKNOWN_BROWSER));
        };
        Response::new(given(&apps, &consent).await).header(SET_COOKIE, consent::forgotten(&state, base.public_url()))
    }
}

async fn given(apps: &Apps, consent: &Consent) -> Page {
    match apps.give_consent(consent).await {
        Ok(Agreed { return_url: Some(url), .. }) => Page::Elsewhere(url.into()),
        Ok(Agreed { connected, return_url: None }) => self::connected(&connected),
        Err(error) => Page::failed(NOTHING, &error),
    }
}

fn asked(question: &Question, state: &str) -> Page {
    let Question { organisation, asker, installation, .. } = question;
    // Two organisations may have the same name; only the slug is unique.
    let (name, slug, asker) = (&organisation.name, organisation.slug.as_str(), &asker.username);
    let (title, effect, yes) = match installation {
        None => (
            format!("Connect the Slack workspace to {name}?"),
            format!(
                "The member {asker} of the organisation {name} ({slug}) asks for the Slack workspace that you just \
                 allowed: the organisation would post there, and read what the app may read."
            ),
            format!("Connect it to {name}"),
        ),
        Some(installation) => {
            let account = &installation.account.login;
            (
                format!("Link the GitHub account {account} to {name}?"),
                format!(
                    "The member {asker} of the organisation {name} ({slug}) asks for it: the organisation would hear of \
                     everything in the repositories that the GitHub account {account} opened to the app."
                ),
                format!("Link {account} to {name}"),
            )
        }
    };
    let text = format!("{effect} Close this page if that is not what you want.");
    Page::asked(&title, &text, (&yes, consent::PATH, state))
}

fn connected(connected: &Connected) -> Page {
    match connected {
        Connected::Slack { organisation, workspace, app } => {
            let text = format!(
                "The Slack workspace {workspace} is connected to {}. Choose a channel next; you may close this page.",
                organisation.name
            );
            // Not a redirect: `form-action` lets a browser follow a form to its own origin alone.
            match app {
                Some(app) => Page::done_leading("Slack is connected", &text, ("Open the app in Slack", app.as_str())),
                None => Page::done("Slack is connected", &text),
            }
        }
        Connected::Github { organisation, installation } => {
            let (account, name) = (&installation.account.login, &organisation.name);
            let text = format!("The GitHub account {account} is linked to {name}. You may close this page.");
            Page::done("GitHub is connected", &text)
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
        tenancy::{
            member::{Member, Role},
            organisation::{Organisation, Slug},
        },
    };

    fn text(page: Page) -> String {
        match page {
            Page::Done(Html(page)) => page,
            Page::Elsewhere(_) | Page::NotDone(_) | Page::NotNow(_) => String::new(),
        }
    }

    fn organisation() -> Organisation {
        Organisation {
            id: Uuid::from_u128(1).into(),
            slug: Slug::parse("acme").unwrap(),
            name: "Acme & Sons".into(),
            created_at: Time::UNIX_EPOCH,
        }
    }

    fn installation() -> GithubInstallation {
        let account = GithubAccount {
            id: 2,
            login: "octo-org".into(),
            kind: AccountKind::Organization,
            html_url: "https://github.com/octo-org".into(),
        };
        GithubInstallation {
            id: 3,
            app_id: 4,
            account,
            events: Vec::new(),
            all_repositories: true,
            suspended_at: None,
            updated_at: Time::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_page_names_both_sides_and_the_member_who_asks() {
        let asker = Member {
            id: Uuid::from_u128(5).into(),
            organisation_id: Uuid::from_u128(1).into(),
            user_id: Uuid::from_u128(6).into(),
            username: "mallory".into(),
            email: None,
            subject: None,
            role: Role::Admin,
            permissions: None,
            unproven: Default::default(),
            created_at: Time::UNIX_EPOCH,
        };
        let mut question =
            Question { organisation: organisation(), asker, installation: Some(installation()), return_url: None };
        let page = text(asked(&question, "a\"b"));
        assert!(page.contains("<h1>Link the GitHub account octo-org to Acme &amp; Sons?</h1>"), "{page}");
        assert!(page.contains("<form method=\"post\" action=\"/v1/consent\">"), "{page}");
        assert!(page.contains("name=\"state\" value=\"a&quot;b\""), "{page}");
        assert!(page.contains(">Link octo-org to Acme &amp; Sons</button>"), "{page}");
        assert!(page.contains("The member mallory of the organisation Acme &amp; Sons (acme)"), "{page}");
        question.installation = None;
        let page = text(asked(&question, "s"));
        assert!(page.contains("<h1>Connect the Slack workspace to Acme &amp; Sons?</h1>"), "{page}");
        assert!(page.contains("The member mallory of the organisation Acme &amp; Sons (acme)"), "{page}");
        let page = text(connected(&Connected::Github { organisation: organisation(), installation: installation() }));
        assert!(page.contains("The GitHub account octo-org is linked to Acme &amp; Sons."), "{page}");
    }
}
