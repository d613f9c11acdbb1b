//! Completion of the flows through the pages of Slack or GitHub, after the confirmation in the browser.
//!
//! Not here: the confirmation and its two halves (`tenancy::consents`), the exchange (`slack`, `github`).

use url::Url;

use super::Apps;
use crate::{
    app::{
        Caller,
        github::connect::Proof,
        slack::links::SlackIntegration,
        tenancy::{
            consents::{Consent, bound, opened},
            oauth_states::{Begun, carried},
        },
    },
    domain::{
        Error, Result,
        error::StateFailure,
        github::GithubInstallation,
        tenancy::{
            member::{Member, Permission},
            oauth::Flow,
            organisation::Organisation,
        },
    },
    store::{self, github::installations::StoredInstallation},
};

/// Content of a confirmation page.
#[derive(Clone, Debug)]
pub struct Question {
    /// The organisation that would be connected.
    pub organisation: Organisation,
    /// Member who began the flow.
    pub asker: Member,
    /// GitHub's installation; `None` for a Slack workspace, which was authorised but has no name before its code is
    /// exchanged.
    pub installation: Option<GithubInstallation>,
    /// Page to which the browser is sent afterwards, if it is not one of ours.
    pub return_url: Option<Url>,
}

/// A confirmed connection.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// Connected account.
    pub connected: Connected,
    /// Page to which the browser is sent, if it is not one of ours.
    pub return_url: Option<Url>,
}

/// Account that a confirmation connected.
#[derive(Clone, Debug)]
pub enum Connected {
    /// A Slack workspace is connected.
    Slack {
        /// The organisation.
        organisation: Organisation,
        /// Name of the workspace.
        workspace: String,
        /// Address of the app in Slack, for the flow that ends there.
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

impl Apps {
    /// Returns the content of a confirmation page. It is not used up by reading.
    ///
    /// # Errors
    /// [`Error::OAuthState`].
    pub async fn get_consent(&self, consent: &Consent) -> Result<Question> {
        let (secret, _) = opened(consent)?;
        let (flow, Begun { member, return_url }) = self.tenancy.find_state(&bound(&consent.state, secret)).await?;
        let reader = self.base.store.reader();
        let organisation = store::tenancy::organisations::find(reader, member.organisation_id).await?;
        let installation = match flow.confirms() {
            Some(Flow::Github) => Some(self.installation_of(consent).await?),
            _ => None,
        };
        Ok(Question { organisation, asker: member, installation, return_url })
    }

    /// Completes a confirmed flow. The confirmation is used up even if the flow fails.
    ///
    /// # Errors
    /// [`Error::OAuthState`], [`Error::Forbidden`] where the member no longer may connect, and those of the flow.
    pub async fn give_consent(&self, consent: &Consent) -> Result<Agreed> {
        let (secret, code) = opened(consent)?;
        let text = bound(&consent.state, secret);
        let (flow, _) = self.tenancy.find_state(&text).await?;
        let Begun { member, return_url } = self.tenancy.take_state(flow, &text, None).await?;
        let organisation =
            store::tenancy::organisations::find(self.base.store.reader(), member.organisation_id).await?;
        let unknown = || Error::OAuthState(StateFailure::Unknown);
        let connected = match flow.confirms().ok_or_else(unknown)? {
            Flow::Github => {
                let number = carried(&consent.state).ok_or_else(unknown)?;
                self.github.link_github(&member, number, Proof::New).await?;
                Connected::Github { organisation, installation: self.installation_of(consent).await? }
            }
            begun => {
                Caller::member(&member, None).require(Permission::SlackManage)?;
                let SlackIntegration { link, .. } =
                    self.slack.connect(&member, begun, &code.ok_or_else(unknown)?).await?;
                let app = (begun == Flow::SlackApp).then(|| link.app_address()).transpose()?;
                Connected::Slack { organisation, workspace: link.team_name, app }
            }
        };
        Ok(Agreed { connected, return_url })
    }

    async fn installation_of(&self, consent: &Consent) -> Result<GithubInstallation> {
        let number = carried(&consent.state).ok_or(Error::OAuthState(StateFailure::Unknown))?;
        let reader = self.base.store.reader();
        let StoredInstallation { installation, .. } = store::github::installations::demand(reader, number).await?;
        Ok(installation)
    }
}
