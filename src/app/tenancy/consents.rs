//! Consent: the person in front of the browser is asked before a flow through the pages of Slack or GitHub has an effect.
//! The flows are begun and completed in `slack_connect` and `github_connect`; cookies and pages are in `api`.
//!
//! A state proves which member began a flow, and nothing of the browser that comes back: whoever is sent another's link
//! and is signed in upstream would connect their workspace to an organisation of strangers. So the browser that comes back
//! gets a state of its own in two halves, one for the page and one for a cookie, and is asked. Nothing is exchanged or
//! kept before its answer.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use url::Url;

use super::oauth_states::carried;
use crate::{
    app::{App, Caller, github::connect::Proof, slack::links::SlackIntegration},
    domain::{
        Error, Result,
        error::StateFailure,
        github::GithubInstallation,
        secret::Secret,
        tenancy::{
            member::{Member, Permission},
            oauth::Flow,
            organisation::Organisation,
        },
    },
    store::{self, github::installations::StoredInstallation},
};

/// Stands between the secret of a ticket and the code that it carries; neither has one.
const CARRIES: char = '.';

/// Both halves of a question that a browser was asked.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The half on the page.
    pub state: String,
    /// The half in the browser's cookie, with the code that waits for the answer.
    pub ticket: Secret,
}

/// Question for the person in front of the browser.
#[derive(Clone, Debug)]
pub struct Question {
    /// The organisation that would be connected.
    pub organisation: Organisation,
    /// The member who began.
    pub asker: Member,
    /// The installation of GitHub's; `None` for the Slack workspace that was just allowed, which has no name before its
    /// code is exchanged.
    pub installation: Option<GithubInstallation>,
}

/// Connection that was agreed to.
#[derive(Clone, Debug)]
pub enum Agreed {
    /// A Slack workspace is connected.
    Slack {
        /// The organisation.
        organisation: Organisation,
        /// Name of the workspace.
        workspace: String,
        /// The address of the app in Slack, for the flow that leads there.
        app: Option<Url>,
    },
    /// A GitHub installation is linked.
    Github {
        /// The organisation.
        organisation: Organisation,
        /// The installation.
        installation: GithubInstallation,
    },
}

impl App {
    /// Issues the question of a flow that came back to a browser. `code` waits in the ticket for the answer.
    pub(in crate::app) async fn ask_consent(&self, member: &Member, flow: Flow, carry: Carry<'_>) -> Result<Consent> {
        let [state, secret] = [(); 2].map(|()| BASE64URL.encode(self.parts.ambient.random::<32>()));
        let (state, ticket) = match carry {
            Carry::Number(number) => (format!("{state}.{number}"), secret.clone()),
            Carry::Code(code) => (state, format!("{secret}{CARRIES}{}", BASE64URL.encode(code))),
        };
        self.keep_state((member.organisation_id, member.id), flow, &bound(&state, &secret)).await?;
        Ok(Consent { state, ticket: Secret::new(ticket) })
    }

    /// Returns the question that a browser was asked, as often as it looks.
    ///
    /// # Errors
    /// [`Error::OAuthState`].
    pub async fn get_consent(&self, consent: &Consent) -> Result<Question> {
        let (secret, _) = opened(consent)?;
        let (flow, member) = self.find_state(&bound(&consent.state, secret)).await?;
        let reader = self.parts.store.reader();
        let organisation = store::tenancy::organisations::find(reader, member.organisation_id).await?;
        let installation = match flow {
            Flow::GithubConfirm => Some(self.installation_of(consent).await?),
            Flow::Slack | Flow::SlackApp | Flow::Github | Flow::SlackConfirm | Flow::SlackAppConfirm => None,
        };
        Ok(Question { organisation, asker: member, installation })
    }

    /// Does what was agreed to. The question is used up, whatever comes of it.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Forbidden`] where the member may not connect any more, and those of the flow.
    pub async fn give_consent(&self, consent: &Consent) -> Result<Agreed> {
        let (secret, code) = opened(consent)?;
        let text = bound(&consent.state, secret);
        let (flow, _) = self.find_state(&text).await?;
        let member = self.take_state(flow, &text, None).await?;
        let organisation =
            store::tenancy::organisations::find(self.parts.store.reader(), member.organisation_id).await?;
        let unknown = || Error::OAuthState(StateFailure::Unknown);
        match flow {
            Flow::SlackConfirm | Flow::SlackAppConfirm => {
                Caller::member(&member, None).require(Permission::SlackManage)?;
                let begun = if flow == Flow::SlackConfirm { Flow::Slack } else { Flow::SlackApp };
                let SlackIntegration { link, .. } = self.connect(&member, begun, &code.ok_or_else(unknown)?).await?;
                let app = (begun == Flow::SlackApp).then(|| link.app_address()).transpose()?;
                Ok(Agreed::Slack { organisation, workspace: link.team_name, app })
            }
            Flow::GithubConfirm => {
                let number = carried(&consent.state).ok_or_else(unknown)?;
                self.link_github(&member, number, Proof::New).await?;
                Ok(Agreed::Github { organisation, installation: self.installation_of(consent).await? })
            }
            Flow::Slack | Flow::SlackApp | Flow::Github => Err(unknown()),
        }
    }

    async fn installation_of(&self, consent: &Consent) -> Result<GithubInstallation> {
        let number = carried(&consent.state).ok_or(Error::OAuthState(StateFailure::Unknown))?;
        let reader = self.parts.store.reader();
        let StoredInstallation { installation, .. } = store::github::installations::demand(reader, number).await?;
        Ok(installation)
    }
}

/// Content of a question, which a flow needs once it is answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) enum Carry<'a> {
    /// The number of an installation, on the page: anybody may know it.
    Number(i64),
    /// A code to be exchanged, in the ticket: the page does not show it.
    Code(&'a str),
}

/// The text of a state of which a browser has one half on the page and the other in a cookie.
fn bound(state: &str, secret: &str) -> String {
    format!("{state}~{secret}")
}

/// The secret of a ticket, and the code that it carries.
fn opened(consent: &Consent) -> Result<(&str, Option<String>)> {
    let Some((secret, code)) = consent.ticket.expose().split_once(CARRIES) else {
        return Ok((consent.ticket.expose(), None));
    };
    let code = BASE64URL.decode(code).ok().and_then(|code| String::from_utf8(code).ok());
    Ok((secret, Some(code.ok_or(Error::OAuthState(StateFailure::Unknown))?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ticket: &str) -> Consent {
        Consent { state: "s".into(), ticket: Secret::new(ticket) }
    }

    #[test]
    fn a_ticket_has_a_secret_and_perhaps_a_code() {
        assert_eq!(opened(&with("secret")).unwrap(), ("secret", None));
        assert_eq!(opened(&with("secret.MS4y")).unwrap(), ("secret", Some("1.2".to_owned())));
        for broken in ["secret.!", "secret._w"] {
            assert!(matches!(opened(&with(broken)), Err(Error::OAuthState(StateFailure::Unknown))), "{broken}");
        }
    }
}
