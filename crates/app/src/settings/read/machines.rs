//! Settings about machines' credentials, and about the key that everything hangs on.

use tenantry_ports::Secret;
use tenantry_security::MasterKey;

use super::Reader;

impl Reader<'_> {
    pub(super) fn public_url(&mut self) -> Option<String> {
        self.read("server.public_url", None, |text| match text {
            "" => Ok(None),
            url => origin(url).map(Some),
        })
    }

    pub(super) fn previous_secret_keys(&mut self) -> Vec<Secret> {
        let keys = self
            .secret("secrets.previous_secret_keys", |keys| keys.split_whitespace().try_for_each(master_key));
        keys.iter().flat_map(|keys| keys.expose().split_whitespace()).map(Secret::new).collect()
    }
}

pub(super) fn master_key(text: &str) -> Result<(), String> {
    MasterKey::from_base64(text).map(drop).map_err(|error| error.to_string())
}

/// A scheme and an authority: what an issuer is compared by, letter by letter.
fn origin(text: &str) -> Result<String, String> {
    let url = text.strip_suffix('/').unwrap_or(text);
    let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    match authority {
        Some(authority) if !authority.is_empty() && authority.chars().all(plain) => Ok(url.to_owned()),
        _ => Err(format!(
            "'{text}' is no URL of a scheme, a host in lower case and perhaps a port, such as https://api.example.com"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn a_public_url_is_a_scheme_and_a_host() {
        for (given, read) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com"),
            ("http://localhost:5000", "http://localhost:5000"),
            ("http://[::1]:5000", "http://[::1]:5000"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(read), "{given}");
        }
        for wrong in [
            "api.example.com",
            "ftp://api.example.com",
            "https://",
            "https://API.example.com",
            "https://api.example.com/v1",
            "https://user@api.example.com",
            "https://api.example.com?x",
            "https://api example.com",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
