//! Consent: a browser that comes back from Slack or GitHub confirms a flow before it has an effect.
//!
//! Not here: the flows themselves (`slack`, `github`), their completion (`apps::consents`), cookies and pages (`api`).
//!
//! A state proves which member began a flow, but nothing about the browser that comes back: a victim who follows an
//! attacker's link while signed in upstream would connect their own workspace to the attacker's organisation. Therefore
//! the returning browser gets a state of its own in two halves, one for the page and one for a cookie, and is asked.
//! Nothing is exchanged or stored before the answer.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};

use super::{Tenancy, oauth_states::Begun};
use crate::domain::{Error, Result, error::StateFailure, secret::Secret, tenancy::oauth::Flow};

/// Separator between the secret of a ticket and the code that it carries; neither contains it.
const CARRIES: char = '.';

/// Both halves of a confirmation that is pending in a browser.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Half in the page.
    pub state: String,
    /// Half in the browser's cookie, with the code that is exchanged after the answer.
    pub ticket: Secret,
}

impl Tenancy {
    /// Issues the confirmation of a flow that came back to a browser. `code` waits in the ticket for the answer.
    pub(in crate::app) async fn ask_consent(&self, begun: &Begun, flow: Flow, carry: Carry<'_>) -> Result<Consent> {
        let Begun { member, return_url } = begun;
        let [state, secret] = [(); 2].map(|()| BASE64URL.encode(self.base.ambient.random::<32>()));
        let (state, ticket) = match carry {
            Carry::Number(number) => (format!("{state}.{number}"), secret.clone()),
            Carry::Code(code) => (state, format!("{secret}{CARRIES}{}", BASE64URL.encode(code))),
        };
        let text = bound(&state, &secret);
        self.keep_state((member.organisation_id, member.id), flow, (&text, return_url.clone())).await?;
        Ok(Consent { state, ticket: Secret::new(ticket) })
    }
}

/// Content of a confirmation, which the flow needs after the answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) enum Carry<'a> {
    /// Number of an installation, in the page: it is not secret.
    Number(i64),
    /// Code to be exchanged, in the ticket: the page does not show it.
    Code(&'a str),
}

/// Returns the full text of a state with one half in the page and the other in a cookie.
pub(in crate::app) fn bound(state: &str, secret: &str) -> String {
    format!("{state}~{secret}")
}

/// Returns the secret of a ticket, and the code that it carries.
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
