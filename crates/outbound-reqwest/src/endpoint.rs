//! Where the known providers are asked, and which other places may be.

use reqwest::Url;

/// Cloudflare Turnstile.
pub const TURNSTILE: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// hCaptcha.
pub const HCAPTCHA: &str = "https://api.hcaptcha.com/siteverify";

/// Google reCAPTCHA, with keys of the kind that shows a challenge (v2).
pub const RECAPTCHA: &str = "https://www.google.com/recaptcha/api/siteverify";

/// Whether our secret may be sent there; if not, a sentence that says why and does not repeat the URL.
pub fn check(text: &str) -> Result<(), &'static str> {
    Endpoint::parse(text).map(drop)
}

/// A place our secret may be sent to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: Url,
    /// Without TLS, which only this machine's own addresses are spared.
    pub(crate) plain: bool,
}

impl Endpoint {
    /// The endpoint, or the sentence that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let url: Url = text.parse().map_err(|_| "it is not a URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not contain a user or password");
        }
        if url.fragment().is_some() {
            return Err("it must not have a fragment");
        }
        match url.scheme() {
            "https" => Ok(Self { url, plain: false }),
            "http" if is_loopback(&url) => Ok(Self { url, plain: true }),
            "http" => Err("it must be https, unless it is a loopback address such as 127.0.0.1"),
            _ => Err("it must be https"),
        }
    }
}

/// Whether the host is a loopback address. A name is not, not even `localhost`: it is whatever the resolver says.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_providers_are_asked_over_tls() {
        for known in [TURNSTILE, HCAPTCHA, RECAPTCHA] {
            let endpoint = Endpoint::parse(known).unwrap();
            assert!(!endpoint.plain);
            assert_eq!(endpoint.url.as_str(), known);
        }
    }

    #[test]
    fn only_loopback_addresses_are_spared_tls() {
        for fine in ["http://127.0.0.1:8080/siteverify", "http://127.9.9.9/", "http://[::1]:8080/siteverify"]
        {
            assert!(Endpoint::parse(fine).unwrap().plain, "{fine}");
        }
        // The URL parser turns the last three into 10.0.0.1, 0.0.0.0 and a mapped address.
        for open in [
            "http://example.com/siteverify",
            "http://localhost/siteverify",
            "http://127.0.0.1.example.com/",
            "http://192.168.1.1/",
            "http://[fe80::1]/",
            "http://167772161/",
            "http://0/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(
                Endpoint::parse(open).unwrap_err(),
                "it must be https, unless it is a loopback address such as 127.0.0.1",
                "{open}"
            );
        }
    }

    #[test]
    fn what_is_no_place_to_post_to_is_refused() {
        for (wrong, why) in [
            ("", "it is not a URL"),
            ("challenges.cloudflare.com/turnstile", "it is not a URL"),
            ("https://", "it is not a URL"),
            ("file:///etc/hosts", "it must be https"),
            ("ftp://127.0.0.1/", "it must be https"),
            ("https://user@example.com/", "it must not contain a user or password"),
            ("https://:secret@example.com/", "it must not contain a user or password"),
            ("https://example.com/#fragment", "it must not have a fragment"),
        ] {
            assert_eq!(Endpoint::parse(wrong).unwrap_err(), why, "{wrong}");
        }
    }
}
