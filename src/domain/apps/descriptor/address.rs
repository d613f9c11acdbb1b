//! Addresses in a descriptor: which ones are called, and their syntax.
//!
//! Not here: the check whether an address may be called from this host, which is the guard of the HTTP client's.

use serde_json::{Map, Value};
use url::Url;

use super::{
    AppKind,
    finding::{Findings, Severity, quoted, rule},
    lint::{text, type_of},
};

/// Maximum length of an address, in bytes.
const MAX_URL: usize = 2_048;
/// Maximum size of a logo inside the descriptor.
pub const MAX_LOGO_BYTES: usize = 64 * 1024;

/// Parses an absolute HTTP address; the error is the reason.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let shown = quoted(text);
    let has_scheme = ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if text.len() > MAX_URL {
        return Err(format!("has {} bytes; at most {MAX_URL} are taken", text.len()));
    }
    if !has_scheme {
        return Err(format!("{shown} is not an absolute address such as https://example.com/hook"));
    }
    if text.contains(|c: char| c.is_whitespace() || "<>{}".contains(c)) {
        return Err(format!("{shown} is a placeholder; put the address in its place"));
    }
    let url = Url::parse(text).map_err(|error| format!("{shown} is not an address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or a password in it; leave them out".to_owned());
    }
    Ok(url)
}

/// Recognises the spellings of an absent address.
pub(super) fn is_none(text: &str) -> bool {
    ["none", "null", "nil", "undefined", "\"\"", "''"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A `target_url` or `tick_url` of an object at `base`.
pub(super) struct Called<'a> {
    pub(super) name: &'static str,
    pub(super) needed: bool,
    pub(super) called: bool,
    pub(super) kind: &'a AppKind,
}

impl Called<'_> {
    /// Reads the address, trimmed and otherwise as it came.
    pub(super) fn read(&self, data: &Map<String, Value>, base: &str, findings: &mut Findings) -> Option<String> {
        let path = format!("{base}/{}", self.name);
        let kind = self.kind.as_str();
        let severity = if self.called { Severity::Error } else { Severity::Warning };
        let text = match data.get(self.name) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text.trim(),
            Some(other) => {
                findings.either(severity, rule::TYPE, path, format!("must be a text, not {}", type_of(other)));
                return None;
            }
        };
        if text.is_empty() || is_none(text) {
            if self.needed {
                findings.error(rule::MISSING, path, format!("is missing; type {kind} is called there"));
            } else if !text.is_empty() {
                let message = format!("{} counts as no address; leave it out or empty", quoted(text));
                findings.warning(rule::URL, path, message);
            }
            return None;
        }
        match http_url(text) {
            Err(message) => {
                findings.either(severity, rule::URL, path, message);
                None
            }
            Ok(url) => {
                if matches!(self.kind, AppKind::Other(_)) {
                    // The unknown kind was reported already.
                } else if !self.called {
                    findings.warning(rule::URL_UNUSED, path, format!("is never called: the type is {}", quoted(kind)));
                } else if let Some(message) = unlikely(&url) {
                    findings.warning(rule::URL_LOOP, path, message);
                }
                Some(text.to_owned())
            }
        }
    }
}

/// Returns a warning for a well-formed address that is most likely the wrong one.
fn unlikely(url: &Url) -> Option<&'static str> {
    let host = url.host_str().unwrap_or_default();
    if host.starts_with("ping.") && (host == "ping.telex.im" || host.ends_with(".telex.im")) {
        Some("is a channel's own webhook: what is sent there comes back; put the integration's endpoint here")
    } else if host == "github.com" {
        Some("is a page and not an endpoint; put the address where the integration runs here")
    } else if url.path().ends_with(".json") {
        Some("is a document, likely this one, and not an endpoint")
    } else {
        None
    }
}

/// Returns true if two addresses lead to the same server. The default ports of HTTP and HTTPS count as one.
pub(super) fn same_server(one: &Url, other: &Url) -> bool {
    let port = |url: &Url| url.port_or_known_default().map(|port| if port == 443 { 80 } else { port });
    one.host_str() == other.host_str() && port(one) == port(other)
}

/// Reads a displayed address. A wrong one is left out: nothing is called there, and nobody should click on it.
pub(super) fn shown(address: String, path: String, findings: &mut Findings) -> Option<String> {
    match http_url(&address) {
        _ if is_none(&address) => None,
        Ok(_) => Some(address),
        Err(message) => {
            findings.warning(rule::URL, path, message);
            None
        }
    }
}

/// Reads a logo: an address, or a small picture inside the descriptor.
pub(super) fn logo(object: &Map<String, Value>, name: &str, base: &str, findings: &mut Findings) -> Option<String> {
    let logo = text(object, name, base, findings)?;
    let path = format!("{base}/{name}");
    if !logo.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return shown(logo, path, findings);
    }
    if logo.len() > MAX_LOGO_BYTES {
        let message = format!("has {} bytes; at most {MAX_LOGO_BYTES} are taken inside a descriptor", logo.len());
        findings.error(rule::LOGO, path, message);
        return None;
    }
    if !logo[5..].starts_with("image/") || !logo.contains(',') || logo.chars().any(char::is_control) {
        findings.warning(rule::LOGO, path, "is not a picture, such as data:image/png;base64,…; it is left out");
        return None;
    }
    Some(logo)
}
