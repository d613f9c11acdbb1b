//! The browser's half of a question of consent: its cookie, and the origin of its answer. The page is in `native`; the
//! question is in `app::tenancy::consents`.

use poem::{
    Request,
    http::{HeaderMap, header},
};
use url::{Url, form_urlencoded};

use crate::{
    app::tenancy::consents::Consent,
    domain::{secret::Secret, tenancy::oauth::STATE_LIFETIME},
};

/// Path of the page that asks, and of its answer.
pub const PATH: &str = "/v1/consent";

/// Letters of a state that tell the cookies of two tabs apart.
const TAB: usize = 8;

/// Returns the address of the page that asks, and the cookie that the browser has to show there.
pub fn asked(consent: &Consent, public_url: &Url) -> (String, String) {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", &consent.state).finish();
    let cookie = cookie(&consent.state, consent.ticket.expose(), STATE_LIFETIME.as_secs(), public_url);
    (format!("{PATH}?{query}"), cookie)
}

/// Returns the cookie that removes the one of [`asked`].
pub fn forgotten(state: &str, public_url: &Url) -> String {
    cookie(state, "", 0, public_url)
}

/// Reads both halves of a question: the state that was sent, and the ticket in the cookie.
pub fn shown(request: &Request, state: &str, public_url: &Url) -> Option<Consent> {
    let name = name(state, public_url);
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, ticket) = pairs.find(|(key, _)| *key == name)?;
    Some(Consent { state: state.to_owned(), ticket: Secret::new(ticket) })
}

/// Returns whether a form was sent by a page of our own. Browsers assert it by `Origin`, or at least by
/// `Sec-Fetch-Site`.
pub fn is_own_page(headers: &HeaderMap, public_url: &Url) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.as_bytes() == public_url.origin().ascii_serialization().as_bytes(),
        None => headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin"),
    }
}

/// Makes a cookie that is invisible to scripts and to other sites' forms; for an https address, it is restricted to
/// https and to this host.
fn cookie(state: &str, value: &str, max_age_secs: u64, public_url: &Url) -> String {
    let (path, secure) = if is_https(public_url) { ("/", "; Secure") } else { (PATH, "") };
    let name = name(state, public_url);
    format!("{name}={value}; Path={path}; Max-Age={max_age_secs}; HttpOnly; SameSite=Lax{secure}")
}

fn name(state: &str, public_url: &Url) -> String {
    let tab: String = state.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(TAB).collect();
    // The prefix asks for `Path=/` (RFC 6265bis, 4.1.3.2).
    let host = if is_https(public_url) { "__Host-" } else { "" };
    format!("{host}tieline-consent-{tab}")
}

fn is_https(public_url: &Url) -> bool {
    public_url.scheme() == "https"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> [Url; 2] {
        ["http://127.0.0.1:8080", "https://tieline.example/sub"].map(|url| url.parse().unwrap())
    }

    #[test]
    fn a_cookie_is_for_the_page_that_asks() {
        let [plain, secure] = urls();
        let consent = Consent { state: "abcdefghij.7".into(), ticket: Secret::new("t.c") };
        let (location, cookie) = asked(&consent, &plain);
        assert_eq!(location, "/v1/consent?state=abcdefghij.7");
        assert_eq!(cookie, "tieline-consent-abcdefgh=t.c; Path=/v1/consent; Max-Age=600; HttpOnly; SameSite=Lax");
        let (_, cookie) = asked(&consent, &secure);
        assert_eq!(cookie, "__Host-tieline-consent-abcdefgh=t.c; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
        let request = Request::builder().header("cookie", "a=b; tieline-consent-abcdefgh=t.c").finish();
        assert_eq!(shown(&request, "abcdefghij.7", &plain).unwrap().ticket.expose(), "t.c");
        assert!(shown(&request, "abcdefghij.7", &secure).is_none(), "another site may have set it");
        assert!(shown(&request, "b", &plain).is_none());
        assert!(forgotten("a;b", &plain).starts_with("tieline-consent-ab=; Path=/v1/consent; Max-Age=0;"));
    }

    #[test]
    fn an_answer_comes_from_a_page_of_ours() {
        let [plain, secure] = urls();
        let of = |headers: &[(&str, &str)]| {
            headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value)).finish()
        };
        for (headers, url, own) in [
            (&[("origin", "http://127.0.0.1:8080")][..], &plain, true),
            (&[("origin", "https://tieline.example")], &secure, true),
            (&[("sec-fetch-site", "same-origin")], &plain, true),
            (&[("origin", "http://127.0.0.1")], &plain, false),
            (&[("origin", "https://tieline.example.org")], &secure, false),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], &plain, false),
            (&[("sec-fetch-site", "same-site")], &plain, false),
            (&[("sec-fetch-site", "none")], &plain, false),
            (&[], &plain, false),
        ] {
            assert_eq!(is_own_page(of(headers).headers(), url), own, "{headers:?}");
        }
    }
}
