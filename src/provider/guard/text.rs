//! Rules for the text of a URL, without I/O.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use url::{Host, Url};

use super::{
    Refusal,
    address::{AddressClass, Networks},
};
use crate::domain::{Error, Result};

/// Maximum length of a URL.
pub const MAX_URL_BYTES: usize = 2048;

/// Permitted targets of tenants' URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Networks that may be called although they are not public, with any port and also by `http`.
    pub allow: Vec<IpNet>,
    /// Permitted ports on the public internet.
    pub ports: Vec<u16>,
    /// Requires `https` on the public internet.
    pub https_only: bool,
    /// Our own hosts, each as `host:port`: the public address, the listening address, the database.
    pub own_hosts: Vec<String>,
}

impl EgressPolicy {
    /// The ports of the web.
    pub const USUAL_PORTS: [u16; 3] = [443, 8443, 80];
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self { allow: Vec::new(), ports: Self::USUAL_PORTS.into(), https_only: true, own_hosts: Vec::new() }
    }
}

/// A URL whose text breaks no rule, in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedUrl {
    pub(super) url: Url,
    /// Reason for a refusal unless the URL leads into a network that the operator allows.
    pub(super) allowed_only: Option<Refusal>,
}

impl GuardedUrl {
    /// Returns the canonical form, which is the one to store and show.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

impl From<GuardedUrl> for Url {
    fn from(guarded: GuardedUrl) -> Self {
        guarded.url
    }
}

/// Compiled rules for the text of a URL.
#[derive(Debug)]
pub(super) struct TextRules {
    networks: Arc<Networks>,
    ports: Vec<u16>,
    https_only: bool,
    own_names: Vec<(String, u16)>,
    own_addresses: Vec<SocketAddr>,
}

impl TextRules {
    pub(super) fn new(policy: EgressPolicy, networks: Arc<Networks>) -> Result<Self> {
        let EgressPolicy { ports, https_only, own_hosts, .. } = policy;
        let mut rules = Self { networks, ports, https_only, own_names: Vec::new(), own_addresses: Vec::new() };
        for own in own_hosts {
            match own.parse() {
                Ok(address) => rules.own_addresses.push(address),
                Err(_) => rules.own_names.push(name_and_port(&own)?),
            }
        }
        Ok(rules)
    }

    pub(super) fn check(&self, text: &str) -> Result<GuardedUrl, Refusal> {
        let url = parse(text)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let mut allowed_only = if port == 0 || !self.ports.contains(&port) {
            Some(Refusal::Port { port })
        } else if self.https_only && url.scheme() != "https" {
            Some(Refusal::Scheme)
        } else {
            None
        };
        let may_be_allowed = match url.host() {
            Some(Host::Domain(name)) => {
                if !is_name(name) {
                    return Err(Refusal::BadName);
                }
                if self.own_names.iter().any(|(own, at)| own == name && *at == port) {
                    return Err(Refusal::Ourselves);
                }
                if METADATA_NAMES.contains(&name) {
                    return Err(Refusal::PrivateName);
                }
                if is_private(name) {
                    allowed_only = Some(Refusal::PrivateName);
                }
                !self.networks.is_public_only()
            }
            Some(Host::Ipv4(address)) => self.check_address(address.into(), port)?,
            Some(Host::Ipv6(address)) => self.check_address(address.into(), port)?,
            None => return Err(Refusal::NotAUrl),
        };
        match allowed_only {
            Some(refusal) if !may_be_allowed || port == 0 => Err(refusal),
            _ => Ok(GuardedUrl { url, allowed_only }),
        }
    }

    /// Returns `true` for an address that the operator allows; it may be public as well.
    fn check_address(&self, address: IpAddr, port: u16) -> Result<bool, Refusal> {
        let class = self.networks.classify(address);
        if class == AddressClass::Denied {
            Err(Refusal::Address)
        } else if self.is_ourselves(address, port) {
            Err(Refusal::Ourselves)
        } else {
            Ok(class == AddressClass::Allowed)
        }
    }

    /// Recognises this service. A listener on all addresses is reached at any loopback address, and the system takes
    /// the unspecified address for one.
    pub(super) fn is_ourselves(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        let is_local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
        self.own_addresses.iter().filter(|own| own.port() == port).any(|own| {
            let own = own.ip().to_canonical();
            own == address || (is_local(own) && is_local(address) && (own.is_unspecified() || address.is_unspecified()))
        })
    }

    /// Reports that one of our own addresses has this port.
    pub(super) fn is_own_port(&self, port: u16) -> bool {
        self.own_addresses.iter().any(|own| own.port() == port)
    }
}

/// Parses a URL strictly. `url` follows browsers and accepts `https:\\user@host`, `https:host` and tabs within; people
/// and other programs parse those in other ways, so they are refused.
fn parse(text: &str) -> Result<Url, Refusal> {
    if text.len() > MAX_URL_BYTES {
        return Err(Refusal::TooLong);
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Refusal::NotAUrl);
    }
    let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Refusal::Scheme);
    }
    let after_scheme = text[url.scheme().len()..].strip_prefix("://").ok_or(Refusal::NotAUrl)?;
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(Refusal::NotAUrl);
    }
    if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Userinfo);
    }
    if url.fragment().is_some() {
        return Err(Refusal::Fragment);
    }
    // A short text may have grown: `ü` becomes `%C3%BC`.
    if url.as_str().len() > MAX_URL_BYTES { Err(Refusal::TooLong) } else { Ok(url) }
}

/// Accepts a DNS name (RFC 1035, 2.3.4), underscores included. `url` has made it lower case.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let letters = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=63).contains(&label.len()) && letters
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Names of the clouds' metadata services.
const METADATA_NAMES: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Top-level labels of private networks: RFC 6761, 6762, 8375, ICANN's `internal`, Kubernetes, and those that routers
/// and administrators use.
const PRIVATE_ENDS: &[&str] = &[
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "svc",
];

/// Reports a name of private networks. One without a dot always is: it is completed there.
fn is_private(name: &str) -> bool {
    let within = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || PRIVATE_ENDS.iter().any(|end| within(end))
}

fn name_and_port(own: &str) -> Result<(String, u16)> {
    let wrong = || Error::Internal(format!("{own} is not a host with a port"));
    let (name, port) = own.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    // In the form in which the host of a URL is compared with it.
    let host = Host::parse(name).map_err(|_| wrong())?;
    Ok((host.to_string(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[&str] = &["tieline.example:443", "0.0.0.0:8080", "10.1.1.1:80", "db.example:5432"];

    fn rules(allow: &[&str]) -> TextRules {
        let allow = allow.iter().map(|network| network.parse().unwrap()).collect::<Vec<_>>();
        let own_hosts = OURS.iter().map(|own| (*own).to_owned()).collect();
        let networks = Arc::new(Networks::new(allow.clone()));
        TextRules::new(EgressPolicy { allow, own_hosts, ..EgressPolicy::default() }, networks).unwrap()
    }

    fn check(text: &str, allow: &[&str]) -> Result<String, Refusal> {
        rules(allow).check(text).map(|guarded| guarded.as_str().to_owned())
    }

    #[test]
    fn a_good_url_is_taken_in_its_canonical_form() {
        let long = format!("https://{}.example/", "a".repeat(63));
        for (text, canonical) in [
            ("https://example.org/hook?a=b", "https://example.org/hook?a=b"),
            ("HTTPS://EXAMPLE.org", "https://example.org/"),
            ("https://example.org:443/", "https://example.org/"),
            ("https://example.org:8443/", "https://example.org:8443/"),
            ("https://example.org:80/", "https://example.org:80/"),
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
            ("https://ｅｘａｍｐｌｅ.org/", "https://example.org/"),
            ("https://my_host.example.org/", "https://my_host.example.org/"),
            ("https://8.8.8.8/", "https://8.8.8.8/"),
            ("https://0x8.8.2056/", "https://8.8.8.8/"),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
            ("https://localhost.example/", "https://localhost.example/"),
            ("https://nonlocal.example.nonlocal/x", "https://nonlocal.example.nonlocal/x"),
            ("https://example.org/@me/http://127.0.0.1?x=a@b", "https://example.org/@me/http://127.0.0.1?x=a@b"),
            (long.as_str(), long.as_str()),
        ] {
            assert_eq!(check(text, &[]).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn oddly_written_urls_are_refused() {
        let label = format!("https://{}.example/", "a".repeat(64));
        let huge_label = format!("https://{}.example/", "a".repeat(255));
        let name = format!("https://{}example/", "a23456789.".repeat(25));
        let long = format!("https://example.org/{}", "a".repeat(MAX_URL_BYTES));
        let grows = format!("https://example.org/{}", "ü".repeat(900));
        for (text, refusal) in [
            ("", Refusal::NotAUrl),
            ("example.org/hook", Refusal::NotAUrl),
            ("/hook", Refusal::NotAUrl),
            ("//example.org/hook", Refusal::NotAUrl),
            ("https:", Refusal::NotAUrl),
            ("https://", Refusal::NotAUrl),
            ("https:example.org", Refusal::NotAUrl),
            ("https:/example.org", Refusal::NotAUrl),
            ("https:///example.org", Refusal::NotAUrl),
            ("https:\\\\example.org", Refusal::NotAUrl),
            ("https://example.org\\@evil.example", Refusal::NotAUrl),
            (" https://example.org", Refusal::NotAUrl),
            ("https://example.org/ x", Refusal::NotAUrl),
            ("https://exa\tmple.org", Refusal::NotAUrl),
            ("https://example.org/\r\nHost: x", Refusal::NotAUrl),
            ("https://example.org\u{a0}/", Refusal::NotAUrl),
            ("https://[::1", Refusal::NotAUrl),
            ("https://[fe80::1%25eth0]/", Refusal::NotAUrl),
            ("https://1.2.3.4.5/", Refusal::NotAUrl),
            ("https://256.1.1.1/", Refusal::NotAUrl),
            ("https://example.org:65536/", Refusal::NotAUrl),
            ("https://exa%mple.org/", Refusal::NotAUrl),
            (&long, Refusal::TooLong),
            (&grows, Refusal::TooLong),
            ("ftp://example.org/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("gopher://127.0.0.1:6379/_x", Refusal::Scheme),
            ("unix:///var/run/docker.sock", Refusal::Scheme),
            ("javascript:alert(1)", Refusal::Scheme),
            ("data:,x", Refusal::Scheme),
            ("http://8.8.8.8/", Refusal::Scheme),
            ("https://user@example.org/", Refusal::Userinfo),
            ("https://user:password@example.org/", Refusal::Userinfo),
            ("https://:@example.org/", Refusal::Userinfo),
            ("https://@example.org/", Refusal::Userinfo),
            ("https://user@ok@127.0.0.1/", Refusal::Userinfo),
            ("https://example.org@127.0.0.1/", Refusal::Userinfo),
            ("https://127.0.0.1:80@example.org/", Refusal::Userinfo),
            ("http://ok#@evil", Refusal::Fragment),
            ("https://example.org/#/hook", Refusal::Fragment),
            ("https://example.org#@127.0.0.1/", Refusal::Fragment),
            ("https://example.org./", Refusal::BadName),
            ("https://localhost./", Refusal::BadName),
            ("https://example..org/", Refusal::BadName),
            ("https://.example.org/", Refusal::BadName),
            ("https://exa{mple.org/", Refusal::BadName),
            ("https://exa*mple.org/", Refusal::BadName),
            (&label, Refusal::BadName),
            (&huge_label, Refusal::BadName),
            (&name, Refusal::BadName),
        ] {
            assert_eq!(check(text, &[]), Err(refusal), "{text}");
            assert_eq!(check(text, &["127.0.0.0/8"]), Err(refusal), "{text}");
        }
    }

    #[test]
    fn other_ports_than_the_webs_are_refused_and_so_is_http() {
        assert_eq!(check("http://example.org/", &[]), Err(Refusal::Scheme));
        assert_eq!(check("http://8.8.8.8/", &[]), Err(Refusal::Scheme));
        for port in [0, 1, 22, 25, 53, 81, 444, 2375, 5432, 6379, 8080, 9200, 11211, 65535] {
            for host in ["example.org", "8.8.8.8", "[2606:4700::1111]"] {
                assert_eq!(check(&format!("https://{host}:{port}/"), &[]), Err(Refusal::Port { port }));
            }
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "00000177.0.0.1",
            "%31%32%37.0.0.1",
            "１２７.０.０.１",
            "127。0。0。1",
            "①②⑦.⓪.⓪.①",
            "0",
            "0.0.0.0",
            "169.254.169.254",
            "0xa9fea9fe",
            "10.0.0.1",
            "192.168.0.1",
            "168.63.129.16",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fc00::1]",
            "[ff02::1]",
        ] {
            let text = format!("https://{host}/");
            assert_eq!(check(&text, &[]), Err(Refusal::Address), "{text}");
            assert_eq!(check(&text, &["172.16.0.0/12"]), Err(Refusal::Address), "{text}");
        }
    }

    #[test]
    fn names_of_private_networks_are_refused() {
        for host in [
            "localhost",
            "LOCALHOST",
            "%6cocalhost",
            "ｌocalhost",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "ip-10-0-0-1.ec2.internal",
            "kubernetes",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "postgres",
            "router.home.arpa",
            "nas.lan",
        ] {
            assert_eq!(check(&format!("https://{host}/"), &[]), Err(Refusal::PrivateName), "{host}");
        }
    }

    #[test]
    fn where_a_network_is_allowed_more_is_left_to_the_addresses() {
        let allow = ["10.0.0.0/8", "::1/128"];
        for (text, refusal) in [
            ("http://10.0.0.1:6379/", Some(Refusal::Port { port: 6379 })),
            ("http://10.0.0.1/", Some(Refusal::Scheme)),
            ("https://10.0.0.1/", None),
            ("http://[::1]:9/", Some(Refusal::Port { port: 9 })),
            ("http://hooks.example/", Some(Refusal::Scheme)),
            ("https://hooks.example:9000/", Some(Refusal::Port { port: 9000 })),
            ("https://hooks.corp.internal/", Some(Refusal::PrivateName)),
            ("http://localhost:3000/", Some(Refusal::PrivateName)),
            ("https://hooks.example/", None),
        ] {
            assert_eq!(rules(&allow).check(text).unwrap().allowed_only, refusal, "{text}");
        }
        for (text, refusal) in [
            ("http://8.8.8.8/", Refusal::Scheme),
            ("https://8.8.8.8:22/", Refusal::Port { port: 22 }),
            ("https://127.0.0.1/", Refusal::Address),
            ("https://10.0.0.1:0/", Refusal::Port { port: 0 }),
            ("https://hooks.example:0/", Refusal::Port { port: 0 }),
            ("http://metadata.google.internal/", Refusal::PrivateName),
        ] {
            assert_eq!(check(text, &allow), Err(refusal), "{text}");
        }
    }

    #[test]
    fn urls_back_to_ourselves_are_refused() {
        let allow = ["127.0.0.0/8", "0.0.0.0/8", "10.0.0.0/8", "::1/128", "::/128"];
        for text in [
            "https://tieline.example/",
            "https://TIELINE.example:443/v1?x",
            "http://127.0.0.1:8080/",
            "http://127.9.9.9:8080/",
            "http://0.0.0.0:8080/",
            "http://[::1]:8080/",
            "http://[::]:8080/",
            "http://10.1.1.1/",
            "http://db.example:5432/",
        ] {
            assert_eq!(check(text, &allow), Err(Refusal::Ourselves), "{text}");
        }
        for text in [
            "https://tieline.example:8443/",
            "https://www.tieline.example/",
            "http://127.0.0.1:8081/",
            "http://10.1.1.2/",
            "http://10.1.1.1:8080/",
        ] {
            assert!(check(text, &allow).is_ok(), "{text}");
        }
    }

    #[test]
    fn our_own_hosts_are_hosts_with_ports() {
        for bad in ["tieline.example", "tieline.example:x", ":", "a b:1", ""] {
            let policy = EgressPolicy { own_hosts: vec![bad.to_owned()], ..EgressPolicy::default() };
            assert!(TextRules::new(policy, Arc::new(Networks::new(vec![]))).is_err(), "{bad}");
        }
    }
}
