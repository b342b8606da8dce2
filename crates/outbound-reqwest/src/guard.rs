//! Where tenants' endpoints may be.

use std::fmt;
use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use crate::zones::{Zone, carried};

/// Which endpoints tenants may name, beside `https` on the internet.
#[derive(Debug, Clone, Default)]
pub struct EndpointRules {
    /// Whether `http` will do.
    pub allow_http: bool,
    /// Whether they may be on this machine and in private networks, over `http` too. For development.
    pub allow_private: bool,
    /// Networks they may be in although those are not the internet.
    pub networks: Networks,
    /// The ports they may have.
    pub ports: Ports,
    /// Where our own servers are; they are refused whatever else is allowed.
    pub own: Vec<OwnPlace>,
}

/// Where a server of ours listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPlace {
    /// Its address or name. The unspecified address: every address of this machine.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Networks; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// This is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither a network such as 10.1.0.0/16 or fd12:3456::/32 nor an address")]
pub struct InvalidNetwork(String);

impl FromStr for Networks {
    type Err = InvalidNetwork;

    /// Networks and addresses with commas or white space between them; maybe none.
    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let network = |word: &str| {
            let address = || word.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            word.parse().or_else(|_| address()).map_err(|_| InvalidNetwork(word.to_owned()))
        };
        words(text).map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl Networks {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// As it is read.
impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

/// Ports; by default those of HTTP and all that are not reserved: 80, 443, 1024-65535.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<RangeInclusive<u16>>);

/// These are no ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no list of ports and ranges, such as 443, 8443, 9000-9999")]
pub struct InvalidPorts(String);

impl Default for Ports {
    fn default() -> Self {
        Self(vec![80..=80, 443..=443, 1024..=u16::MAX])
    }
}

impl FromStr for Ports {
    type Err = InvalidPorts;

    /// Ports and ranges of them with commas or white space between them, at least one.
    fn from_str(text: &str) -> Result<Self, InvalidPorts> {
        let range = |word: &str| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (0 < first && first <= last).then_some(first..=last)
        };
        let ports: Option<Vec<_>> = words(text).map(range).collect();
        match ports {
            Some(ports) if !ports.is_empty() => Ok(Self(ports)),
            _ => Err(InvalidPorts(text.to_owned())),
        }
    }
}

impl Ports {
    pub(crate) fn contain(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }
}

/// As they are read.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |range: &RangeInclusive<u16>| match range.start() == range.end() {
            true => range.start().to_string(),
            false => format!("{}-{}", range.start(), range.end()),
        };
        f.write_str(&self.0.iter().map(range).collect::<Vec<_>>().join(", "))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// Why an address may not be called, for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is not on the internet.
    #[error("{0} is a {1} address")]
    Zone(IpAddr, &'static str),
    /// It leads to an address that is not.
    #[error("{0} leads to {1}")]
    Carried(IpAddr, Box<Refused>),
    /// A server of ours listens there.
    #[error("{0} is an address of our own server at {1}")]
    Own(IpAddr, String),
    /// Whether a server of ours listens there cannot be found out.
    #[error("{0} may be an address of our own server at {1}, which does not resolve")]
    Unknown(IpAddr, String),
}

impl EndpointRules {
    /// Whether there may be an endpoint at this address, were it not for our own servers.
    pub(crate) fn permit(&self, address: IpAddr) -> Result<(), Refused> {
        let address = address.to_canonical();
        let zone = Zone::of(address);
        let permitted = match zone {
            Zone::Public => true,
            Zone::Loopback | Zone::Private => self.allow_private || self.networks.contain(address),
            Zone::Special => self.networks.contain(address),
            Zone::Forbidden => false,
        };
        if !permitted {
            return Err(Refused::Zone(address, zone.name()));
        }
        let IpAddr::V6(outer) = address else { return Ok(()) };
        carried(outer).into_iter().try_for_each(|inner| {
            self.permit(inner.into()).map_err(|refused| Refused::Carried(address, Box::new(refused)))
        })
    }

    /// Whether a server of ours listens at this port, somewhere.
    pub(crate) fn is_own_port(&self, port: u16) -> bool {
        self.own.iter().any(|own| own.port == port)
    }

    /// Whether private names (of the machine, of a network) may lead somewhere.
    pub(crate) fn reach_inside(&self) -> bool {
        self.allow_private || !self.networks.is_empty()
    }
}

/// Whether an endpoint there would be the server of ours that listens at this address.
pub(crate) fn is_same_place(endpoint: IpAddr, own: IpAddr) -> bool {
    let (endpoint, own) = (endpoint.to_canonical(), own.to_canonical());
    match own.is_unspecified() {
        true => is_of_this_machine(endpoint),
        false => endpoint == own || (endpoint.is_loopback() && own.is_loopback()),
    }
}

/// Only a machine's own addresses can be listened at.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(rules: &EndpointRules, address: &str) -> bool {
        rules.permit(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn by_default_only_the_internet_is_permitted() {
        let rules = EndpointRules::default();
        for fine in ["1.2.3.4", "2606:4700::1111", "::ffff:1.2.3.4"] {
            assert!(permitted(&rules, fine), "{fine}");
        }
        for refused in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::1.2.3.4",
            "2002:7f00:1::",
            "2002:102:304::",
            "2001:0:102:304::fefd:fcfb",
            "fd00::1",
            "fe80::1",
            "fec0::1",
        ] {
            assert!(!permitted(&rules, refused), "{refused}");
        }
    }

    #[test]
    fn development_reaches_this_machine_and_private_networks_and_nothing_else() {
        let rules = EndpointRules { allow_private: true, ..EndpointRules::default() };
        for fine in
            ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.20.0.2", "192.168.1.1", "fd12::1"]
        {
            assert!(permitted(&rules, fine), "{fine}");
        }
        for refused in [
            "169.254.169.254",
            "fd00:ec2::254",
            "100.64.0.1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "64:ff9b::7f00:1",
            "192.0.2.1",
        ] {
            assert!(!permitted(&rules, refused), "{refused}");
        }
    }

    #[test]
    fn a_network_that_is_allowed_is_permitted_and_its_neighbours_are_not() {
        let rules = EndpointRules {
            networks: "10.1.0.0/16, 100.64.0.7".parse().unwrap(),
            ..EndpointRules::default()
        };
        for fine in ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "100.64.0.7"] {
            assert!(permitted(&rules, fine), "{fine}");
        }
        for refused in ["10.0.255.255", "10.2.0.0", "100.64.0.8", "127.0.0.1", "2002:a01:203::"] {
            assert!(!permitted(&rules, refused), "{refused}");
        }
    }

    #[test]
    fn allowing_everything_does_not_allow_what_is_no_place_for_endpoints() {
        let rules = EndpointRules { networks: "0.0.0.0/0 ::/0".parse().unwrap(), ..EndpointRules::default() };
        assert!(permitted(&rules, "127.0.0.1") && permitted(&rules, "64:ff9b::10.0.0.1"));
        for refused in
            ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "fe80::1", "ff02::1", "255.255.255.255"]
        {
            assert!(!permitted(&rules, refused), "{refused}");
        }
    }

    #[test]
    fn behind_a_translator_it_is_the_address_it_leads_to_that_counts() {
        let rules = EndpointRules { networks: "64:ff9b::/96".parse().unwrap(), ..EndpointRules::default() };
        assert!(permitted(&rules, "64:ff9b::1.2.3.4"));
        assert!(!permitted(&rules, "64:ff9b::127.0.0.1") && !permitted(&rules, "64:ff9b::169.254.169.254"));
        let refused = rules.permit("64:ff9b::10.0.0.1".parse().unwrap()).unwrap_err();
        assert_eq!(refused.to_string(), "64:ff9b::a00:1 leads to 10.0.0.1 is a private address");
    }

    #[test]
    fn a_server_of_ours_is_known_by_every_address_it_has() {
        let same = |endpoint: &str, own: &str| is_same_place(endpoint.parse().unwrap(), own.parse().unwrap());
        assert!(same("10.0.0.5", "10.0.0.5") && same("::ffff:10.0.0.5", "10.0.0.5"));
        assert!(same("127.0.0.2", "127.0.0.1") && same("::1", "127.0.0.1"));
        assert!(same("127.0.0.1", "0.0.0.0") && same("127.0.0.1", "::"));
        assert!(!same("10.0.0.6", "10.0.0.5") && !same("127.0.0.1", "10.0.0.5"));
        // A documentation address is nobody's.
        assert!(!same("192.0.2.1", "0.0.0.0") && !same("2001:db8::1", "::"));
    }

    #[test]
    fn ports_are_listed_or_ranged_over() {
        let ports: Ports = "443, 9000-9001 80".parse().unwrap();
        assert!([80, 443, 9000, 9001].into_iter().all(|port| ports.contain(port)));
        assert!(![0, 79, 444, 8999, 9002].into_iter().any(|port| ports.contain(port)));
        assert_eq!(ports.to_string(), "443, 9000-9001, 80");
        assert_eq!(Ports::default().to_string().parse(), Ok(Ports::default()));
        assert!(!Ports::default().contain(22) && !Ports::default().contain(0));
        for wrong in ["", ",", "http", "0", "65536", "9-8", "1-2-3", "-1", "443;80"] {
            assert_eq!(wrong.parse::<Ports>(), Err(InvalidPorts(wrong.to_owned())));
        }
    }

    #[test]
    fn networks_are_listed() {
        let networks: Networks = "10.1.0.0/16,fd00::/8\n192.0.2.7".parse().unwrap();
        assert_eq!(networks.to_string(), "10.1.0.0/16, fd00::/8, 192.0.2.7/32");
        assert!(" ".parse::<Networks>().unwrap().is_empty());
        for wrong in ["10.0.0.0/33", "example.com", "10.0.0"] {
            assert_eq!(wrong.parse::<Networks>(), Err(InvalidNetwork(wrong.to_owned())));
        }
    }
}
