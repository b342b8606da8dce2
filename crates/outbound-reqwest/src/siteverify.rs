use std::net::IpAddr;
use std::time::Duration;

use reqwest::Client;
use tenantry_ports::{CaptchaAnswer, CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier, Secret};

use crate::answer::judge;
use crate::client;
use crate::endpoint::Endpoint;

/// The longest token that is passed on, in bytes; those of the known providers have up to about two thousand.
const MAX_TOKEN: usize = 8 * 1024;

/// A visitor waits no longer than this.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// How a provider is asked.
#[derive(Debug, Clone)]
pub struct SiteverifySettings {
    /// Where: one of [`endpoint`](crate::endpoint), or another that speaks the protocol. `https`, or `http` to a
    /// loopback address.
    pub endpoint: String,
    /// What the provider knows us by; belongs to the site key that the visitor's page has.
    pub secret: Secret,
    /// The host name of the page where challenges are solved. With it, a token that was solved on another page is
    /// refused, and so is one of which the provider does not say where. A site key that is restricted to its pages at
    /// the provider needs it less.
    pub expected_hostname: Option<String>,
    /// From the look-up of the name to the last byte of the answer; at most 30 seconds.
    pub timeout: Duration,
}

/// The settings cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSiteverify {
    /// The endpoint is no place our secret may be sent to.
    #[error("the captcha endpoint cannot be used: {0}")]
    Endpoint(&'static str),
    /// The secret is empty.
    #[error("the captcha secret is empty")]
    Secret,
    /// The host name is none.
    #[error("the captcha's expected hostname must be a host name alone, such as www.example.com")]
    Hostname,
    /// The timeout is zero or longer than 30 seconds.
    #[error("the captcha timeout must be more than zero and at most 30 seconds")]
    Timeout,
    /// The system does not give what an HTTP client needs, such as certificates to trust.
    #[error("the captcha check cannot be prepared: {0}")]
    Client(String),
}

/// [`CaptchaVerifier`] over the siteverify protocol, which Turnstile, hCaptcha and reCAPTCHA share.
#[derive(Debug)]
pub struct SiteverifyCaptcha {
    client: Client,
    endpoint: Endpoint,
    secret: Secret,
    expected_hostname: Option<String>,
}

impl SiteverifyCaptcha {
    /// Prepares the check; nothing is asked yet.
    pub fn new(settings: SiteverifySettings) -> Result<Self, InvalidSiteverify> {
        let SiteverifySettings { endpoint, secret, expected_hostname, timeout } = settings;
        let endpoint = Endpoint::parse(&endpoint).map_err(InvalidSiteverify::Endpoint)?;
        if secret.expose().is_empty() {
            return Err(InvalidSiteverify::Secret);
        }
        if expected_hostname.as_deref().is_some_and(|name| !is_hostname(name)) {
            return Err(InvalidSiteverify::Hostname);
        }
        if timeout.is_zero() || timeout > MAX_TIMEOUT {
            return Err(InvalidSiteverify::Timeout);
        }
        let client = client::build(&endpoint, timeout).map_err(InvalidSiteverify::Client)?;
        Ok(Self { client, endpoint, secret, expected_hostname })
    }

    async fn ask(
        &self,
        response: &str,
        remote_ip: Option<IpAddr>,
    ) -> Result<CaptchaVerdict, CaptchaUnavailable> {
        if let Some(code) = unaskable(response) {
            return Ok(CaptchaVerdict::Refused { codes: vec![code.to_owned()] });
        }
        // A socket that serves both families tells IPv4 addresses in IPv6 form; providers know them as IPv4.
        let remote_ip = remote_ip.map(|address| address.to_canonical().to_string());
        let mut form = vec![("secret", self.secret.expose()), ("response", response)];
        form.extend(remote_ip.as_deref().map(|address| ("remoteip", address)));
        let (status, body) =
            client::post(&self.client, &self.endpoint, &form).await.map_err(CaptchaUnavailable::new)?;
        judge(status, &body, self.expected_hostname.as_deref())
    }
}

impl CaptchaVerifier for SiteverifyCaptcha {
    fn verify<'a>(&'a self, response: &'a str, remote_ip: Option<IpAddr>) -> CaptchaAnswer<'a> {
        Box::pin(self.ask(response, remote_ip))
    }
}

/// What the provider would say about something that cannot be a token; it need not be asked.
fn unaskable(response: &str) -> Option<&'static str> {
    match response.len() {
        0 => Some("missing-input-response"),
        length if length > MAX_TOKEN => Some("invalid-input-response"),
        _ => None,
    }
}

/// Whether this is a host name, with neither scheme nor port.
pub fn is_hostname(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint;

    fn settings() -> SiteverifySettings {
        SiteverifySettings {
            endpoint: endpoint::TURNSTILE.to_owned(),
            secret: Secret::new("0x-secret"),
            expected_hostname: Some("www.example.com".to_owned()),
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_at_once() {
        let refused = |change: fn(&mut SiteverifySettings)| {
            let mut settings = settings();
            change(&mut settings);
            SiteverifyCaptcha::new(settings).unwrap_err()
        };
        assert_eq!(
            refused(|settings| settings.endpoint = "http://example.com/siteverify".to_owned()).to_string(),
            "the captcha endpoint cannot be used: it must be https, unless it is a loopback address such as 127.0.0.1"
        );
        assert_eq!(refused(|settings| settings.secret = Secret::new("")), InvalidSiteverify::Secret);
        for wrong in [Duration::ZERO, MAX_TIMEOUT + Duration::from_millis(1)] {
            let settings = SiteverifySettings { timeout: wrong, ..settings() };
            assert_eq!(SiteverifyCaptcha::new(settings).unwrap_err(), InvalidSiteverify::Timeout);
        }
        for wrong in ["", "https://example.com", "example.com:443", "example.com/", "ex ample", "*"] {
            let settings = SiteverifySettings { expected_hostname: Some(wrong.to_owned()), ..settings() };
            assert_eq!(SiteverifyCaptcha::new(settings).unwrap_err(), InvalidSiteverify::Hostname, "{wrong}");
        }
    }

    #[test]
    fn the_secret_is_not_in_debug_output() {
        let settings = SiteverifySettings { endpoint: "http://127.0.0.1:1/".to_owned(), ..settings() };
        let text = format!("{settings:?} {:?}", SiteverifyCaptcha::new(settings.clone()).unwrap());
        assert!(text.contains("127.0.0.1") && !text.contains("0x-secret"), "{text}");
    }
}
