//! Signatures of the providers' requests, checked while the body is being read: a request that is not a provider's is
//! refused before, or at the end of, its body, and nothing of it is parsed.
//!
//! Not here: reading bodies (`api::shared::media`), the signature schemes (`provider`).

use crate::{
    app::App,
    domain::{Error, Result, error::AuthFailure},
    provider::{github, slack},
};

/// Signature check of a request whose body is still being read.
pub struct SignatureCheck(Scheme);

enum Scheme {
    Github(github::signature::Check),
    Slack(Box<slack::signature::Check>),
}

/// Proof that a body was signed by its provider. Only [`SignatureCheck::finish`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Verified(());

impl SignatureCheck {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Scheme::Github(check) => check.update(bytes),
            Scheme::Slack(check) => check.update(bytes),
        }
    }

    /// Compares the signature once the body has ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn finish(self) -> Result<Verified> {
        match self.0 {
            Scheme::Github(check) => check.finish().map_err(|forgery| refused("GitHub", &forgery))?,
            Scheme::Slack(check) => check.finish().map_err(|forgery| refused("Slack", &forgery))?,
        }
        Ok(Verified(()))
    }
}

impl App {
    /// Begins to check a request of GitHub's by its `X-Hub-Signature-256`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the header is missing or malformed, [`Error::FailedPrecondition`] where no GitHub
    /// App is configured.
    pub fn begin_github_signature(&self, signature: Option<&[u8]>) -> Result<SignatureCheck> {
        self.github()?;
        let verifier = self.parts.github_signatures.as_ref();
        let verifier = verifier.ok_or_else(|| Error::Internal("GitHub's signatures cannot be verified".into()))?;
        let check = verifier.begin(signature).map_err(|forgery| refused("GitHub", &forgery))?;
        Ok(SignatureCheck(Scheme::Github(check)))
    }

    /// Begins to check a request of Slack's by its `X-Slack-Request-Timestamp` and `X-Slack-Signature`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where a header is missing or malformed or the time is too far away,
    /// [`Error::FailedPrecondition`] where no Slack app is configured.
    pub fn begin_slack_signature(&self, timestamp: Option<&[u8]>, signature: Option<&[u8]>) -> Result<SignatureCheck> {
        self.slack()?;
        let verifier = self.parts.slack_signatures.as_ref();
        let verifier = verifier.ok_or_else(|| Error::Internal("Slack's signatures cannot be verified".into()))?;
        let check = verifier.begin(timestamp, signature, self.now()).map_err(|forgery| refused("Slack", &forgery))?;
        Ok(SignatureCheck(Scheme::Slack(Box::new(check))))
    }
}

fn refused(provider: &'static str, forgery: &dyn std::fmt::Display) -> Error {
    tracing::warn!(provider, %forgery, "a request without its provider's signature was refused");
    Error::Unauthenticated(AuthFailure::NotSigned)
}
