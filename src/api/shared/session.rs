//! Cookie of a session, and the proof that a page of ours sent a request with it.
//!
//! Not here: sessions themselves (`app::tenancy::sessions`), and the pages that need an operation (`portal_pages`).

use poem::{
    Request, RequestBody,
    http::{Method, header},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};
use url::Url;

use super::{auth, consent::is_own_page, fault::Fault, portal_pages, refusal::into_error, services::service};
use crate::{
    app::{
        kernel::Base,
        tenancy::{
            Tenancy,
            operators::{BrowserSession, OpenedBrowserSession},
            sessions::{OpenedSession, SignedIn, require_csrf_token},
        },
    },
    domain::{
        Error,
        ambient::Time,
        error::AuthFailure,
        secret::Secret,
        tenancy::{
            operator::Operator,
            session::{SessionRefusal, Transport},
        },
    },
};

/// Header with the CSRF token of a session.
const CSRF: &str = "x-csrf-token";

/// Lifetime of the ticket of a browser that is at an identity provider.
const TICKET_SECS: i64 = 600;

/// Name of the security scheme in the document.
const SCHEME: &str = "cookieAuth";

/// A browser with the cookie of a session, a member's or an operator's. No other credential is accepted.
pub struct SessionCookie(pub BrowserSession);

impl<'a> ApiExtractor<'a> for SessionCookie {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let description = "The session of a browser that is signed in to the portal. Requests that may change something \
                           also need the header `X-CSRF-Token` with the session's `csrfToken`, and have to come from \
                           this service's own origin. Over http on loopback the name is `tieline_session`.";
        registry.create_security_scheme(SCHEME, auth::api_key("cookie", name(Transport::Secure), description));
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        let session = browser(request).await.map_err(into_error)?;
        session.map(Self).ok_or_else(|| into_error(Error::Unauthenticated(AuthFailure::SessionEnded)))
    }
}

/// Authenticates the session of a request, of either kind; `None` if it has no cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] for a session that has ended; [`Error::Session`] without the proof that a page of ours sent
/// the request, or outside the pages of the session.
async fn browser(request: &Request) -> Result<Option<BrowserSession>, Fault> {
    let (tenancy, base): (&Tenancy, &Base) = (service(request)?, service(request)?);
    let Some(secret) = sent(request, base.public_url()) else { return Ok(None) };
    let session = tenancy.authenticate_browser(&secret).await?;
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        require_own_origin(request, base.public_url())?;
        require_csrf_token(session.csrf_token(), request.headers().get(CSRF).map(|token| token.as_bytes()))?;
    }
    if let BrowserSession::Member(signed_in) = &session {
        require_reach(request, signed_in)?;
    }
    auth::known(request);
    Ok(Some(session))
}

/// Demands that a member's session is of the organisation that a request names, and has a page that needs the operation.
fn require_reach(request: &Request, signed_in: &SignedIn) -> Result<(), Fault> {
    if auth::wanted(request)?.is_some_and(|wanted| wanted != signed_in.session.organisation_id) {
        return Err(Error::Unauthenticated(AuthFailure::NotAMember).into());
    }
    let path = request.uri().path();
    if !portal_pages::ALWAYS.contains(&path) {
        signed_in.session.require_page(portal_pages::of(request.method(), path))?;
    }
    Ok(())
}

/// Authenticates the member's session of a request; `None` if it has no cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] for a session that has ended, and for an operator's; [`Error::Session`] without the proof
/// that a page of ours sent the request, or outside the pages of the session.
pub async fn signed_in(request: &Request) -> Result<Option<SignedIn>, Fault> {
    match browser(request).await? {
        Some(BrowserSession::Member(signed_in)) => Ok(Some(*signed_in)),
        Some(BrowserSession::Operator(_)) => Err(Error::Unauthenticated(AuthFailure::NotAMember).into()),
        None => Ok(None),
    }
}

/// Authenticates the operator's session of a request; `None` if it has no cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] for a session that has ended; [`Error::Session`] without the proof that a page of ours sent
/// the request; [`Error::Forbidden`] for a member's.
pub async fn operator(request: &Request) -> Result<Option<Operator>, Fault> {
    match browser(request).await? {
        Some(BrowserSession::Operator(signed_in)) => Ok(Some(signed_in.operator)),
        Some(BrowserSession::Member(_)) => Err(Operator::required().into()),
        None => Ok(None),
    }
}

/// Demands that a page of ours sent a request.
///
/// # Errors
/// [`Error::Session`].
fn require_own_origin(request: &Request, public_url: &Url) -> Result<(), Error> {
    match is_own_page(request.headers(), public_url) {
        true => Ok(()),
        false => Err(Error::Session(SessionRefusal::Origin)),
    }
}

/// Refuses a request that another site's page sent: it would sign the browser in as somebody else. Other clients than
/// browsers name no origin.
///
/// # Errors
/// [`Error::Session`].
pub fn refuse_foreign_origin(request: &Request, public_url: &Url) -> Result<(), Error> {
    match request.headers().contains_key(header::ORIGIN) {
        true => require_own_origin(request, public_url),
        false => Ok(()),
    }
}

/// Reads the secret in the cookie of a request. Of several cookies with the name the first one counts: that of the
/// longest path (RFC 6265, 5.4), and the prefix permits only one.
pub fn sent(request: &Request, public_url: &Url) -> Option<Secret> {
    read(request, name(Transport::of(public_url).ok()?))
}

fn read(request: &Request, name: &str) -> Option<Secret> {
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| Secret::new(value))
}

/// Reads the ticket of a browser that comes back from an identity provider.
pub fn sent_ticket(request: &Request, public_url: &Url) -> Option<Secret> {
    read(request, ticket_name(Transport::of(public_url).ok()?))
}

/// Returns the cookie with the ticket of a browser that is sent to an identity provider. The provider's answer is a
/// navigation from another site, which `SameSite=Lax` permits.
pub fn ticket(ticket: &Secret, public_url: &Url) -> String {
    set(ticket_name, ticket.expose(), (TICKET_SECS, false), public_url)
}

/// Returns the cookie that removes the one of [`ticket`].
pub fn removed_ticket(public_url: &Url) -> String {
    set(ticket_name, "", (0, false), public_url)
}

fn ticket_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Secure => "__Host-tieline_sign_in",
        Transport::Loopback => "tieline_sign_in",
    }
}

/// Returns the cookie of a session that was opened at `now`.
pub fn cookie(opened: &OpenedSession, now: Time, public_url: &Url) -> String {
    let session = &opened.signed_in.session;
    let seconds = (session.expires_at - now).num_seconds().max(0);
    set(name, opened.secret.expose(), (seconds, session.embedded), public_url)
}

/// Returns the cookie of a session of either kind that was opened at `now`.
pub fn browser_cookie(opened: &OpenedBrowserSession, now: Time, public_url: &Url) -> String {
    match opened {
        OpenedBrowserSession::Member(opened) => cookie(opened, now, public_url),
        OpenedBrowserSession::Operator(opened) => {
            let seconds = (opened.signed_in.expires_at - now).num_seconds().max(0);
            set(name, opened.secret.expose(), (seconds, false), public_url)
        }
    }
}

/// Returns the cookie that removes the one of a session.
pub fn removed(session: &BrowserSession, public_url: &Url) -> String {
    let embedded = matches!(session, BrowserSession::Member(signed_in) if signed_in.session.embedded);
    set(name, "", (0, embedded), public_url)
}

/// Makes a cookie that is invisible to scripts. One that is used in a frame on another site is sent there too, in a jar of
/// that site's alone (CHIPS).
fn set(
    name: fn(Transport) -> &'static str,
    value: &str,
    (max_age_secs, embedded): (i64, bool),
    public_url: &Url,
) -> String {
    let transport = Transport::of(public_url).unwrap_or(Transport::Secure);
    let protection = match (transport, embedded) {
        (Transport::Secure, false) => "SameSite=Lax; Secure",
        (Transport::Secure, true) => "SameSite=None; Secure; Partitioned",
        (Transport::Loopback, _) => "SameSite=Lax",
    };
    format!("{}={value}; Path=/; Max-Age={max_age_secs}; HttpOnly; {protection}", name(transport))
}

fn name(transport: Transport) -> &'static str {
    match transport {
        // The prefix asks for `Secure` and `Path=/`, and forbids `Domain` (RFC 6265bis, 4.1.3.2).
        Transport::Secure => "__Host-tieline_session",
        Transport::Loopback => "tieline_session",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_as_strict_as_its_transport_permits() {
        let [plain, secure, open] = ["http://127.0.0.1:8080", "https://tieline.example/sub", "http://tieline.example"]
            .map(|url| url.parse::<Url>().unwrap());
        assert_eq!(
            set(name, "s", (60, false), &plain),
            "tieline_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
        assert_eq!(set(name, "s", (60, true), &plain), "tieline_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let lax = "__Host-tieline_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(name, "s", (60, false), &secure), lax);
        let framed = "__Host-tieline_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure; Partitioned";
        assert_eq!(set(name, "s", (60, true), &secure), framed);
        let cookies = "a=b; tieline_session=plain; __Host-tieline_session=secure";
        let request = Request::builder().header("cookie", cookies).finish();
        assert_eq!(sent(&request, &plain).unwrap().expose(), "plain");
        assert_eq!(sent(&request, &secure).unwrap().expose(), "secure", "another site may have set the other one");
        assert!(sent(&request, &open).is_none());
        let request = Request::builder().header("cookie", "tieline_session=").finish();
        assert!(sent(&request, &plain).is_none());
    }
}
