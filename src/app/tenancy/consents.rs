//! Consent: the person in front of the browser is asked before a flow through the pages of Slack or GitHub has an effect.
//! Not here: the flows themselves (`slack`, `github`), their completion (`apps::consents`), cookies and pages (`api`).
//!
//! A state proves which member began a flow, and nothing of the browser that comes back: whoever is sent another's link
//! and is signed in upstream would connect their workspace to an organisation of strangers. So the browser that comes back
//! gets a state of its own in two halves, one for the page and one for a cookie, and is asked. Nothing is exchanged or
//! kept before its answer.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};

use super::Tenancy;
use crate::domain::{
    Error, Result,
    error::StateFailure,
    secret::Secret,
    tenancy::{member::Member, oauth::Flow},
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

impl Tenancy {
    /// Issues the question of a flow that came back to a browser. `code` waits in the ticket for the answer.
    pub(in crate::app) async fn ask_consent(&self, member: &Member, flow: Flow, carry: Carry<'_>) -> Result<Consent> {
        let [state, secret] = [(); 2].map(|()| BASE64URL.encode(self.base.ambient.random::<32>()));
        let (state, ticket) = match carry {
            Carry::Number(number) => (format!("{state}.{number}"), secret.clone()),
            Carry::Code(code) => (state, format!("{secret}{CARRIES}{}", BASE64URL.encode(code))),
        };
        self.keep_state((member.organisation_id, member.id), flow, &bound(&state, &secret)).await?;
        Ok(Consent { state, ticket: Secret::new(ticket) })
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
pub(in crate::app) fn bound(state: &str, secret: &str) -> String {
    format!("{state}~{secret}")
}

/// The secret of a ticket, and the code that it carries.
pub(in crate::app) fn opened(consent: &Consent) -> Result<(&str, Option<String>)> {
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
