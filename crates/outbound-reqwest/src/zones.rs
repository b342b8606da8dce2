//! What is known about addresses without asking anybody: IANA's special-purpose registries, and what clouds keep where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// On the internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// Another special purpose: shared by a provider's customers, documentation, tests, translation, tunnels.
    Special,
    /// No place anybody has business with over HTTP: a cloud's instance metadata, the link, many machines at once, none.
    Forbidden,
}

impl Zone {
    /// The zone of an address; one that is IPv4 in IPv6 form is taken for what it means.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// For the operator's log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Special => "special-purpose",
            Self::Forbidden => "link-local, metadata or no machine's",
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// The first that contains an address counts.
const V4: [(Ipv4Net, Zone); 20] = [
    (v4(0, 0, 0, 0, 8), Zone::Forbidden),
    (v4(127, 0, 0, 0, 8), Zone::Loopback),
    (v4(10, 0, 0, 0, 8), Zone::Private),
    (v4(172, 16, 0, 0, 12), Zone::Private),
    (v4(192, 168, 0, 0, 16), Zone::Private),
    // Instance metadata and credentials of AWS, Azure, Google, Hetzner and others are here.
    (v4(169, 254, 0, 0, 16), Zone::Forbidden),
    // Alibaba's, Oracle's, and the one of Azure that looks public.
    (v4(100, 100, 100, 200, 32), Zone::Forbidden),
    (v4(192, 0, 0, 192, 32), Zone::Forbidden),
    (v4(168, 63, 129, 16, 32), Zone::Forbidden),
    (v4(100, 64, 0, 0, 10), Zone::Special),
    (v4(192, 0, 0, 0, 24), Zone::Special),
    (v4(192, 0, 2, 0, 24), Zone::Special),
    (v4(192, 31, 196, 0, 24), Zone::Special),
    (v4(192, 52, 193, 0, 24), Zone::Special),
    (v4(192, 88, 99, 0, 24), Zone::Special),
    (v4(192, 175, 48, 0, 24), Zone::Special),
    (v4(198, 18, 0, 0, 15), Zone::Special),
    (v4(198, 51, 100, 0, 24), Zone::Special),
    (v4(203, 0, 113, 0, 24), Zone::Special),
    // Multicast, reserved, broadcast.
    (v4(224, 0, 0, 0, 3), Zone::Forbidden),
];

/// The first that contains an address counts; outside them only 2000::/3 is the internet.
const V6: [(Ipv6Net, Zone); 9] = [
    // Instance metadata of AWS and of Google.
    (v6(0xfd00, 0xec2, 0, 32), Zone::Forbidden),
    (v6(0xfd20, 0xce, 0, 32), Zone::Forbidden),
    (v6(0xfc00, 0, 0, 7), Zone::Private),
    (v6(0xfe80, 0, 0, 10), Zone::Forbidden),
    (v6(0xff00, 0, 0, 8), Zone::Forbidden),
    // Of the IETF: Teredo, ORCHID, benchmarks and the like.
    (v6(0x2001, 0, 0, 23), Zone::Special),
    (v6(0x2001, 0xdb8, 0, 32), Zone::Special),
    (v6(0x2002, 0, 0, 16), Zone::Special),
    (v6(0x3fff, 0, 0, 20), Zone::Special),
];

const INTERNET: Ipv6Net = v6(0x2000, 0, 0, 3);

fn of_v4(address: Ipv4Addr) -> Zone {
    V4.iter().find(|(network, _)| network.contains(&address)).map_or(Zone::Public, |(_, zone)| *zone)
}

fn of_v6(address: Ipv6Addr) -> Zone {
    if address.is_loopback() {
        return Zone::Loopback;
    }
    if address.is_unspecified() {
        return Zone::Forbidden;
    }
    let beyond = if INTERNET.contains(&address) { Zone::Public } else { Zone::Special };
    V6.iter().find(|(network, _)| network.contains(&address)).map_or(beyond, |(_, zone)| *zone)
}

/// The IPv4 addresses that translators and tunnels take out of an IPv6 address: where it really leads, if they are there.
pub(crate) fn carried(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let segments = address.segments();
    let at =
        |index: usize| Ipv4Addr::from((u32::from(segments[index]) << 16) | u32::from(segments[index + 1]));
    match segments {
        // Not compatible with IPv4, but this machine and none.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // Compatible; mapped; translated; NAT64, well-known and local.
        [0, 0, 0, 0, 0, 0, ..]
        | [0, 0, 0, 0, 0, 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, 1, ..] => vec![at(6)],
        // 6to4.
        [0x2002, ..] => vec![at(1)],
        // Teredo: the server, and the client with its bits turned over.
        [0x2001, 0, ..] => vec![at(2), Ipv4Addr::from(!at(6).to_bits())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(text: &str) -> Zone {
        Zone::of(text.parse().unwrap())
    }

    #[test]
    fn every_special_network_is_known_from_its_first_to_its_last_address() {
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", Zone::Forbidden),
            ("10.0.0.0", "10.255.255.255", Zone::Private),
            ("100.64.0.0", "100.127.255.255", Zone::Special),
            ("127.0.0.0", "127.255.255.255", Zone::Loopback),
            ("169.254.0.0", "169.254.255.255", Zone::Forbidden),
            ("172.16.0.0", "172.31.255.255", Zone::Private),
            ("192.0.0.0", "192.0.0.255", Zone::Special),
            ("192.0.2.0", "192.0.2.255", Zone::Special),
            ("192.88.99.0", "192.88.99.255", Zone::Special),
            ("192.168.0.0", "192.168.255.255", Zone::Private),
            ("198.18.0.0", "198.19.255.255", Zone::Special),
            ("198.51.100.0", "198.51.100.255", Zone::Special),
            ("203.0.113.0", "203.0.113.255", Zone::Special),
            ("224.0.0.0", "239.255.255.255", Zone::Forbidden),
            ("240.0.0.0", "255.255.255.255", Zone::Forbidden),
            ("64:ff9b::", "64:ff9b::ffff:ffff", Zone::Special),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("100::", "100::ffff:ffff:ffff:ffff", Zone::Special),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Private),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Forbidden),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Special),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Zone::Forbidden),
        ] {
            assert_eq!((zone(first), zone(last)), (expected, expected), "{first} to {last}");
        }
        assert_eq!((zone("::"), zone("::1"), zone("::2")), (Zone::Forbidden, Zone::Loopback, Zone::Special));
    }

    #[test]
    fn what_lies_beside_them_is_public() {
        for public in [
            "1.0.0.0",
            "1.2.3.4",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(zone(public), Zone::Public, "{public}");
        }
    }

    #[test]
    fn clouds_metadata_is_forbidden_wherever_it_is_kept() {
        for metadata in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
        ] {
            assert_eq!(zone(metadata), Zone::Forbidden, "{metadata}");
        }
    }

    #[test]
    fn ipv4_is_found_in_every_ipv6_form_of_it() {
        for (address, expected) in [
            ("::127.0.0.1", &["127.0.0.1"][..]),
            ("::ffff:127.0.0.1", &["127.0.0.1"]),
            ("::ffff:0:127.0.0.1", &["127.0.0.1"]),
            ("64:ff9b::10.0.0.1", &["10.0.0.1"]),
            ("64:ff9b:1::10.0.0.1", &["10.0.0.1"]),
            ("2002:7f00:1::", &["127.0.0.1"]),
            ("2001:0:a00:1::80ff:fffe", &["10.0.0.1", "127.0.0.1"]),
            ("::1", &[]),
            ("::", &[]),
            ("2606:4700::1111", &[]),
        ] {
            let expected: Vec<Ipv4Addr> = expected.iter().map(|text| text.parse().unwrap()).collect();
            assert_eq!(carried(address.parse().unwrap()), expected, "{address}");
        }
    }
}
