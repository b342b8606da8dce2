//! The URLs that tenants may name.

use std::net::IpAddr;

use reqwest::Url;
use tenantry_domain::finding::{Finding, Pointer};

use crate::guard::EndpointRules;

/// The longest URL, in bytes.
const MAX_URL: usize = 2048;

/// Names that no resolver of the internet knows, and those that end in them.
const INSIDE: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

/// A URL that a tenant may have named.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) port: u16,
    /// The address, where the URL has one instead of a name. However it was written, this is how it is understood, by
    /// us and by whoever connects.
    pub(crate) address: Option<IpAddr>,
}

impl Target {
    /// What the URL leads to, or what is wrong with it. The message does not repeat it.
    pub(crate) fn parse(text: &str, rules: &EndpointRules) -> Result<Self, Finding> {
        if text.len() > MAX_URL {
            return Err(finding("too_long", format!("it must not be longer than {MAX_URL} characters")));
        }
        // Programs disagree on what these mean, and some leave them out before they look.
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(finding(
                "invalid_url",
                "it must not contain white space, control characters or backslashes",
            ));
        }
        let url: Url = text.parse().map_err(|_| {
            finding("invalid_url", "it is no URL, such as https://hooks.example.com/tenantry")
        })?;
        match url.scheme() {
            "https" => {}
            "http" if rules.allow_http || rules.allow_private => {}
            _ => return Err(finding("scheme_not_allowed", "it must be https")),
        }
        // An empty user is left out by the parser.
        let authority = text.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return Err(finding(
                "credentials_in_url",
                "it must not contain a user or password: calls are signed instead",
            ));
        }
        if url.fragment().is_some() {
            return Err(finding("fragment_in_url", "it must not have a fragment, which is never sent"));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !rules.ports.contain(port) {
            let ports = &rules.ports;
            return Err(finding("port_not_allowed", format!("its port must be one of {ports}")));
        }
        let address = address(&url);
        match address {
            Some(address) => rules.permit(address).map_err(|_| {
                finding("address_not_allowed", "it must not name an address that is not on the internet")
            })?,
            None => check_name(url.host_str().unwrap_or_default(), rules)?,
        }
        Ok(Self { url, port, address })
    }
}

/// The address in a URL. The parser has brought every form of IPv4 (`0x7f.1`, `2130706433`, `１２７.0.0.1`) into this one.
fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Refuses what is certainly no name on the internet; where the others lead is seen when they are called.
fn check_name(name: &str, rules: &EndpointRules) -> Result<(), Finding> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(finding(
            "host_not_allowed",
            "its host must be a name such as hooks.example.com, without a dot at the end",
        ));
    }
    let is_inside =
        |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let inside = !name.contains('.') || INSIDE.into_iter().any(is_inside);
    if inside && !rules.reach_inside() {
        return Err(finding(
            "host_not_allowed",
            "its host must be a name on the internet, such as hooks.example.com",
        ));
    }
    Ok(())
}

fn finding(code: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(Pointer::root().member("url"), code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, rules: &EndpointRules) -> String {
        let finding = Target::parse(text, rules).expect_err(text);
        assert_eq!(finding.pointer.as_str(), "/url");
        assert!(text.len() <= "https://".len() || !finding.message.contains(text), "{finding}");
        finding.code.into_owned()
    }

    #[test]
    fn https_on_the_internet_will_do() {
        let rules = EndpointRules::default();
        for (text, kept, port) in [
            ("https://hooks.example.com/a?b=c", "https://hooks.example.com/a?b=c", 443),
            ("HTTPS://Hooks.Example.COM", "https://hooks.example.com/", 443),
            ("https://hooks.example.com:8443/", "https://hooks.example.com:8443/", 8443),
            ("https://bücher.example/", "https://xn--bcher-kva.example/", 443),
            ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/", 443),
            ("https://my_host.example.com/", "https://my_host.example.com/", 443),
            ("https://1.2.3.4/", "https://1.2.3.4/", 443),
            ("https://[2606:4700::1111]:9000/", "https://[2606:4700::1111]:9000/", 9000),
        ] {
            let target = Target::parse(text, &rules).unwrap_or_else(|finding| panic!("{text}: {finding}"));
            assert_eq!((target.url.as_str(), target.port), (kept, port));
            assert_eq!(target.address.is_some(), kept.contains("1.2.3.4") || kept.contains('['));
        }
    }

    #[test]
    fn what_no_tenant_may_name_is_refused_with_the_reason() {
        let rules = EndpointRules::default();
        let long = format!("https://hooks.example.com/{}", "a".repeat(MAX_URL));
        let long_label = format!("https://{}.example.com/", "a".repeat(64));
        for (code, texts) in [
            ("too_long", &[long.as_str()][..]),
            (
                "invalid_url",
                &["", "hooks.acme.example", "https://", "https://exa mple.com/", "https://a.example/\u{0}"],
            ),
            (
                "invalid_url",
                &["https://a.example\\@127.0.0.1/", "https://127.0.\n0.1/", "\thttps://a.example/"],
            ),
            (
                "invalid_url",
                &[
                    "https://[example.com]/",
                    "https://[::1%25lo]/",
                    "https://[::1%lo]/",
                    "https://a.example:65536/",
                ],
            ),
            (
                "invalid_url",
                &["https://127.0.0.1%00.example.com/", "https://256.256.256.256/", "https://1.2.3.4.5/"],
            ),
            (
                "scheme_not_allowed",
                &[
                    "http://hooks.example.com/",
                    "ftp://a.example/",
                    "file:///etc/hosts",
                    "gopher://a.example/",
                ],
            ),
            (
                "scheme_not_allowed",
                &["javascript:alert(1)", "unix:///run/x.sock", "data:,x", "mailto:a@b.example"],
            ),
            (
                "credentials_in_url",
                &["https://ann@a.example/", "https://ann:hunter2@a.example/", "https://@a.example/"],
            ),
            ("credentials_in_url", &["https://:@a.example/", "https://a.example:443@127.0.0.1/"]),
            ("fragment_in_url", &["https://a.example/#x", "https://a.example/#"]),
            (
                "port_not_allowed",
                &[
                    "https://a.example:22/",
                    "https://a.example:25/",
                    "https://a.example:0/",
                    "https://a.example:1023/",
                ],
            ),
            (
                "host_not_allowed",
                &["https://localhost/", "https://LOCALHOST/", "https://a.localhost/", "https://db/"],
            ),
            (
                "host_not_allowed",
                &["https://metadata.google.internal/", "https://printer.local/", "https://router.home.arpa/"],
            ),
            (
                "host_not_allowed",
                &["https://a.example./", "https://localhost./", "https://a..example/", "https://.a.example/"],
            ),
            ("host_not_allowed", &[long_label.as_str(), "https://a!b.example/"]),
        ] {
            for text in texts {
                assert_eq!(refused(text, &rules), code, "{text:?}");
            }
        }
    }

    /// However it is written, it is the same address.
    #[test]
    fn every_spelling_of_an_address_is_understood_before_it_is_judged() {
        let rules = EndpointRules::default();
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "0",
            "0.0.0.0",
            "0x7f.1",
            "0x7f000001",
            "0x7F.0x0.0x0.0x1",
            "2130706433",
            "017700000001",
            "0177.0.0.1",
            "0177.1",
            "127.0.0.01",
            "１２７.0.0.1",
            "127。0。0。1",
            "127．0．0．1",
            "127｡0｡0｡1",
            "①②⑦.0.0.1",
            "%31%32%37.0.0.1",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b:1::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::80ff:fffe]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fec0::1]",
            "[ff02::1]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "[::ffff:169.254.169.254]",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
        ] {
            assert_eq!(refused(&format!("https://{host}/"), &rules), "address_not_allowed", "{host}");
        }
    }

    #[test]
    fn development_may_name_what_is_near() {
        let rules = EndpointRules { allow_private: true, ..EndpointRules::default() };
        for near in [
            "http://localhost:3000/hooks",
            "http://127.0.0.1:3000/",
            "http://[::1]:3000/",
            "http://receiver:8080/",
        ] {
            Target::parse(near, &rules).unwrap_or_else(|finding| panic!("{near}: {finding}"));
        }
        for never in ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://0:8080/"] {
            assert_eq!(refused(never, &rules), "address_not_allowed");
        }
        let plain = EndpointRules { allow_http: true, ..EndpointRules::default() };
        assert!(Target::parse("http://hooks.example.com/", &plain).is_ok());
        assert_eq!(refused("http://127.0.0.1/", &plain), "address_not_allowed");
    }
}
