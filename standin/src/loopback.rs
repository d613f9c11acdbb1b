//! Addresses that are safe redirect targets without registration: those of this machine.

use url::Url;

/// Accepts a web address of this machine.
pub(crate) fn is_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    local && matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_addresses_are_loopback() {
        for good in ["http://127.0.0.1:8080/cb", "http://localhost/cb", "http://[::1]:9/x"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in
            ["http://example.com/cb", "ftp://127.0.0.1/", "javascript:alert(1)", "http://127.0.0.1.evil.test/", ""]
        {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
