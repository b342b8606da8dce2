//! Where a request comes from, as far as anybody vouches for it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What proxies add, each or all, to what they pass on.
const RELAYED: [HeaderName; 4] = [
    FORWARDED_FOR,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("via"),
];

/// The proxies whose word on whom they speak for counts: addresses and networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// This is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither an address such as 10.0.0.1 nor a network such as 10.0.0.0/8 or fd00::/8")]
pub struct InvalidProxy(String);

impl FromStr for TrustedProxies {
    type Err = InvalidProxy;

    /// Addresses and networks with commas or white space between them; maybe none.
    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        let network = |word: &str| {
            let address = || word.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            word.parse().or_else(|_| address()).map_err(|_| InvalidProxy(word.to_owned()))
        };
        words.map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// Somebody on this machine, with no proxy between.
    Local,
    /// Somebody with this address.
    At(IpAddr),
}

impl Client {
    /// Who sent this.
    ///
    /// The peer, unless that is a trusted proxy: then it is the last address of `X-Forwarded-For` that is none of the trusted
    /// proxies, each of which has appended whom it was sent this by. What stands before that, anybody can have written. Where
    /// that word is no address, the peer it is.
    pub(crate) fn of(peer: Option<SocketAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        // Only a socket of this machine's file system has no address.
        let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
            return Self::Local;
        };
        if proxies.include(peer) {
            return Self::At(proxied(headers, proxies).unwrap_or(peer));
        }
        // A proxy nobody told us of, perhaps.
        let relayed = || RELAYED.iter().any(|name| headers.contains_key(name));
        if peer.is_loopback() && proxies.is_empty() && !relayed() { Self::Local } else { Self::At(peer) }
    }
}

impl std::fmt::Display for Client {
    /// The network that counts as one client.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::At(address) => network(*address).fmt(f),
        }
    }
}

/// Whom the trusted proxies speak for; the first of them all if there is nobody else.
fn proxied(headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).map(|line| line.to_str().ok()).collect::<Option<_>>()?;
    let mut speaker = None;
    for word in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let address = address(word.trim())?;
        speaker = Some(address);
        if !proxies.include(address) {
            break;
        }
    }
    speaker
}

/// An address, with a port perhaps, which some proxies add.
fn address(word: &str) -> Option<IpAddr> {
    let bracketed = || word.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    let with_port = || word.parse().ok().map(|address: SocketAddr| address.ip());
    word.parse().ok().or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

/// The network that counts as one client: of IPv6 everybody has 64 bits of addresses at least.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const PROXIES: &str = "10.0.0.0/8, 192.0.2.7 fd00::/8";

    /// Who sends `forwarded` (a header each) from `peer`.
    fn client(proxies: &str, peer: &str, forwarded: &[&str]) -> Client {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        Client::of(Some(peer), &headers, &proxies.parse().unwrap())
    }

    fn remote(address: &str) -> Client {
        Client::At(address.parse().unwrap())
    }

    #[test]
    fn without_trusted_proxies_nobody_speaks_for_another() {
        for peer in ["203.0.113.5", "2001:db8::5", "10.0.0.1"] {
            assert_eq!(client("", peer, &[]), remote(peer));
            assert_eq!(client("", peer, &["198.51.100.1"]), remote(peer));
        }
    }

    #[test]
    fn a_trusted_proxy_speaks_for_the_last_address_that_is_none_of_them() {
        for (forwarded, expected) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["198.51.100.1, 10.0.0.9"], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1, 192.0.2.7, fd00::1"], "198.51.100.1"),
            (&["1.1.1.1", "198.51.100.1", "10.0.0.9"], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1", "10.0.0.9,10.0.0.8"], "198.51.100.1"),
            (&["  198.51.100.1  "], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
            (&["[2001:db8::9]:4711"], "2001:db8::9"),
            (&["[2001:db8::9]"], "2001:db8::9"),
            (&["2001:db8::9"], "2001:db8::9"),
            // Everybody is trusted: the one it began with.
            (&["10.0.0.3, 10.0.0.9"], "10.0.0.3"),
        ] {
            for peer in ["10.0.0.1", "192.0.2.7", "fd00::2", "::ffff:10.0.0.1"] {
                assert_eq!(client(PROXIES, peer, forwarded), remote(expected), "{peer} {forwarded:?}");
            }
        }
    }

    #[test]
    fn what_stands_before_that_address_may_be_made_up() {
        for made_up in ["127.0.0.1", "10.0.0.1", "not an address", "", "1.1.1.1, 2.2.2.2"] {
            let line = format!("{made_up}, 198.51.100.1");
            assert_eq!(client(PROXIES, "10.0.0.1", &[&line]), remote("198.51.100.1"), "{made_up}");
            assert_eq!(client(PROXIES, "10.0.0.1", &[made_up, "198.51.100.1"]), remote("198.51.100.1"));
        }
    }

    #[test]
    fn who_is_no_trusted_proxy_speaks_for_itself() {
        for peer in ["203.0.113.5", "192.0.2.8", "2001:db8::5"] {
            for forwarded in ["198.51.100.1", "127.0.0.1", "10.0.0.1"] {
                assert_eq!(client(PROXIES, peer, &[forwarded]), remote(peer));
            }
        }
    }

    #[test]
    fn where_the_word_is_no_address_it_is_the_peer() {
        let broken = [
            "",
            "unknown",
            "198.51.100.1, ",
            "198.51.100.1, _hidden",
            "198.51.100.256",
            "[::1",
            "é",
            "1.1.1.1;",
        ];
        for forwarded in broken {
            assert_eq!(client(PROXIES, "10.0.0.1", &[forwarded]), remote("10.0.0.1"), "{forwarded}");
            assert_eq!(client(PROXIES, "10.0.0.1", &["198.51.100.1", forwarded]), remote("10.0.0.1"));
        }
        assert_eq!(client(PROXIES, "10.0.0.1", &[]), remote("10.0.0.1"));
    }

    #[test]
    fn somebody_on_this_machine_is_local_unless_there_are_proxies() {
        for peer in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            let address = peer.parse::<IpAddr>().unwrap().to_canonical();
            assert_eq!(client("", peer, &[]), Client::Local);
            assert_eq!(client("", peer, &["198.51.100.1"]), Client::At(address));
            assert_eq!(client(PROXIES, peer, &[]), Client::At(address));
            assert_eq!(client("127.0.0.0/8 ::1", peer, &["198.51.100.1"]), remote("198.51.100.1"));
            assert_eq!(client("127.0.0.0/8 ::1", peer, &[]), Client::At(address));
            assert_eq!(client("127.0.0.0/8 ::1", peer, &["127.0.0.1"]), remote("127.0.0.1"));
        }
        for name in RELAYED {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("x"))]);
            let peer = "127.0.0.1:1".parse().ok();
            let client = Client::of(peer, &headers, &TrustedProxies::default());
            assert!(matches!(client, Client::At(_)), "{client:?}");
        }
        assert_eq!(Client::of(None, &HeaderMap::new(), &TrustedProxies::default()), Client::Local);
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        for (text, count) in [("", 0), (" , ", 0), ("10.0.0.1", 1), ("10.0.0.0/8,::1\nfd00::/8", 3)] {
            assert_eq!(text.parse::<TrustedProxies>().unwrap().0.len(), count, "{text}");
        }
        for wrong in ["10.0.0.0/33", "proxy.example.com", "10.0.0.1:80", "10.0.0", "/8", "[::1]"] {
            assert_eq!(wrong.parse::<TrustedProxies>(), Err(InvalidProxy(wrong.to_owned())));
        }
    }

    #[test]
    fn of_ipv6_sixty_four_bits_are_one_client() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2::"), "2001:db8:1:2::");
        assert_ne!(network("2001:db8:1:3::"), network("2001:db8:1:2::"));
        assert_eq!(network("203.0.113.5"), "203.0.113.5");
    }
}
