//! Rules for the addresses of a tenant's URL: the public ones, and those that the operator allows.
//!
//! Source: IANA's registries of special-purpose IPv4 and IPv6 addresses (RFC 6890). The standard library's `is_private`
//! and its like are not enough: they miss 100.64.0.1, 192.0.0.1, 198.18.0.1, 240.0.0.1 and `::ffff:127.0.0.1`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Classification of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressClass {
    /// On the public internet.
    Public,
    /// Allowed by the operator.
    Allowed,
    /// Never called.
    Denied,
}

/// The networks that the operator allows, with the rules for all others.
#[derive(Clone, Debug)]
pub(super) struct Networks {
    allow: Vec<IpNet>,
}

impl Networks {
    pub(super) fn new(allow: Vec<IpNet>) -> Self {
        Self { allow }
    }

    /// Reports that only the public internet may be called.
    pub(super) fn is_public_only(&self) -> bool {
        self.allow.is_empty()
    }

    /// Classifies an address.
    pub(super) fn classify(&self, address: IpAddr) -> AddressClass {
        if METADATA.contains(&address) {
            // A whole network is allowed for its other hosts; the machine's metadata service is never meant.
            let alone = IpNet::from(address);
            return if self.allow.contains(&alone) { AddressClass::Allowed } else { AddressClass::Denied };
        }
        if let IpAddr::V6(v6) = address
            && let Some(carried) = carried(v6)
        {
            // A translator's network allows only addresses that may be called directly, too.
            return if self.allows(address) { self.classify(carried.into()) } else { AddressClass::Denied };
        }
        if self.allows(address) {
            AddressClass::Allowed
        } else if is_public(address) {
            AddressClass::Public
        } else {
            AddressClass::Denied
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(&address))
    }
}

/// Addresses of the clouds' metadata services, which hold a machine's credentials. One of them is in a public network.
const METADATA: &[IpAddr] = &[
    v4(169, 254, 169, 254), // AWS, Azure, DigitalOcean, Google, Oracle
    v4(169, 254, 170, 2),   // AWS, containers
    v4(169, 254, 170, 23),  // AWS, Kubernetes
    v4(169, 254, 42, 42),   // Scaleway
    v4(100, 100, 100, 200), // Alibaba
    v4(168, 63, 129, 16),   // Azure
    v4(192, 0, 0, 192),     // Oracle
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]),
];

const NOT_PUBLIC_V4: &[Ipv4Net] = &[
    net4(0, 0, 0, 0, 8),
    net4(10, 0, 0, 0, 8),
    net4(100, 64, 0, 0, 10),
    net4(127, 0, 0, 0, 8),
    net4(169, 254, 0, 0, 16),
    net4(172, 16, 0, 0, 12),
    net4(192, 0, 0, 0, 24),
    net4(192, 0, 2, 0, 24),
    net4(192, 31, 196, 0, 24),
    net4(192, 52, 193, 0, 24),
    net4(192, 88, 99, 0, 24),
    net4(192, 168, 0, 0, 16),
    net4(192, 175, 48, 0, 24),
    net4(198, 18, 0, 0, 15),
    net4(198, 51, 100, 0, 24),
    net4(203, 0, 113, 0, 24),
    net4(224, 0, 0, 0, 4),
    net4(240, 0, 0, 0, 4),
];

/// The public part of IPv6 ...
const GLOBAL_V6: Ipv6Net = net6([0x2000, 0], 3);
/// ... except for these.
const NOT_PUBLIC_V6: &[Ipv6Net] =
    &[net6([0x2001, 0], 23), net6([0x2001, 0xdb8], 32), net6([0x2002, 0], 16), net6([0x3fff, 0], 20)];

const COMPATIBLE: Ipv6Net = net6([0, 0], 96);
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: Ipv6Net = net6([0x64, 0xff9b], 96);
const NAT64_LOCAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48);
const SIX_TO_FOUR: Ipv6Net = net6([0x2002, 0], 16);
const TEREDO: Ipv6Net = net6([0x2001, 0], 32);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|network| network.contains(&v4)),
        IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&v6)),
    }
}

/// Extracts the IPv4 address embedded by a translator: mapped and compatible (RFC 4291), NAT64 (RFC 6052, 8215), 6to4
/// (RFC 3056), Teredo (RFC 4380).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let at = |start: usize| Ipv4Addr::new(bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]);
    let in_one_of = |networks: &[Ipv6Net]| networks.iter().any(|network| network.contains(&address));
    if address.is_loopback() || address.is_unspecified() {
        None
    } else if in_one_of(&[COMPATIBLE, MAPPED, NAT64, NAT64_LOCAL]) {
        Some(at(12))
    } else if SIX_TO_FOUR.contains(&address) {
        Some(at(2))
    } else if TEREDO.contains(&address) {
        Some(Ipv4Addr::from_bits(!at(12).to_bits()))
    } else {
        None
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(s: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]))
}

const fn net4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn net6(start: [u16; 2], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(start[0], start[1], 0, 0, 0, 0, 0, 0), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(allow: &[&str]) -> Networks {
        Networks::new(allow.iter().map(|network| network.parse().unwrap()).collect())
    }

    fn classify(address: &str, allow: &[&str]) -> AddressClass {
        networks(allow).classify(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00::1",
            "2003::1",
            "3ffe:ffff::1",
        ] {
            assert_eq!(classify(address, &[]), AddressClass::Public, "{address}");
        }
    }

    #[test]
    fn all_others_are_denied() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "192.175.48.1",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "::1",
            "::2",
            "::8.8.8.8",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "1fff:ffff::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(classify(address, &[]), AddressClass::Denied, "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_wins() {
        let allow = ["127.0.0.0/8", "10.1.0.0/16", "::1/128", "fc00::/7"];
        for address in ["127.0.0.1", "127.9.9.9", "10.1.2.3", "::1", "fd12::1"] {
            assert_eq!(classify(address, &allow), AddressClass::Allowed, "{address}");
        }
        for address in ["10.2.0.1", "192.168.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "2002:7f00:1::", "fe80::1"] {
            assert_eq!(classify(address, &allow), AddressClass::Denied, "{address}");
        }
        assert_eq!(classify("8.8.8.8", &allow), AddressClass::Public);
        assert_eq!(classify("8.8.8.8", &["8.8.8.0/24"]), AddressClass::Allowed);
    }

    #[test]
    fn a_translators_network_leads_no_further_than_one_could_go_without_it() {
        let allow = ["64:ff9b::/96", "::ffff:0:0/96", "2001::/32", "2002::/16", "10.0.0.0/8"];
        for (address, expected) in [
            ("64:ff9b::8.8.8.8", AddressClass::Public),
            ("64:ff9b::10.0.0.1", AddressClass::Allowed),
            ("64:ff9b::127.0.0.1", AddressClass::Denied),
            ("64:ff9b::169.254.169.254", AddressClass::Denied),
            ("::ffff:10.0.0.1", AddressClass::Allowed),
            ("::ffff:127.0.0.1", AddressClass::Denied),
            ("2002:a00:1::", AddressClass::Allowed),
            ("2002:7f00:1::", AddressClass::Denied),
            // The client behind it is 192.0.2.45.
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", AddressClass::Denied),
            // ... and here 10.0.0.1.
            ("2001:0:4136:e378:8000:63bf:f5ff:fffe", AddressClass::Allowed),
        ] {
            assert_eq!(classify(address, &allow), expected, "{address}");
        }
        assert_eq!(classify("64:ff9b:1:7f00:0:100::", &["64:ff9b:1::/48"]), AddressClass::Denied);
    }

    #[test]
    fn metadata_is_allowed_only_by_its_own_address() {
        for (address, network, alone) in [
            ("169.254.169.254", "169.254.0.0/16", "169.254.169.254/32"),
            ("100.100.100.200", "100.64.0.0/10", "100.100.100.200/32"),
            ("168.63.129.16", "0.0.0.0/0", "168.63.129.16/32"),
            ("fd00:ec2::254", "fc00::/7", "fd00:ec2::254/128"),
        ] {
            assert_eq!(classify(address, &[network]), AddressClass::Denied, "{address}");
            assert_eq!(classify(address, &[network, alone]), AddressClass::Allowed, "{address}");
        }
        assert_eq!(classify("169.254.1.1", &["169.254.0.0/16"]), AddressClass::Allowed);
    }
}
