//! The HTTP client: how far it may go, for how long, and how much it takes.

use std::error::Error;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, StatusCode, redirect, retry};
use rustls::crypto::{CryptoProvider, ring};

use crate::endpoint::Endpoint;

/// The longest answer that is read, in bytes; siteverify answers have a few hundred.
const MAX_ANSWER: usize = 64 * 1024;

/// A connection is kept for the next request for this long: less than servers and the boxes before them keep it.
const KEPT: Duration = Duration::from_secs(30);

/// So many connections to one host are kept: as many as there may be calls at once of a few endpoints on it.
const KEPT_PER_HOST: usize = 128;

/// A client for this endpoint alone, whose every request ends within `timeout`.
pub(crate) fn build(endpoint: &Endpoint, timeout: Duration) -> Result<Client, String> {
    finish(builder(endpoint.plain).https_only(!endpoint.plain).timeout(timeout))
}

/// A client for webhooks, with TLS or without. Its requests bring their own timeouts.
pub(crate) fn webhooks(plain: bool) -> Result<Client, String> {
    finish(builder(plain).https_only(!plain))
}

/// A client for tenants' endpoints, with TLS and without, which resolves names like this. Its requests bring their own
/// timeouts. If it is not `trusting`, it takes nobody's certificate for valid.
pub(crate) fn endpoints(
    names: impl Resolve + 'static,
    connect_timeout: Duration,
    trusting: bool,
) -> Result<Client, String> {
    let client = builder(!trusting)
        .dns_resolver(names)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(KEPT_PER_HOST);
    finish(client)
}

/// What all our clients have in common.
fn builder(plain: bool) -> ClientBuilder {
    install_tls_provider();
    let client = Client::builder()
        .http1_only()
        // A request carries secrets, or what is for the receiver alone: it goes where it was meant to go, and not through
        // whatever proxy a shell knew.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        // A captcha's token can be asked about once, and when a webhook is called again is for the caller to say.
        .retry(retry::never())
        .pool_idle_timeout(KEPT)
        .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")));
    // Without TLS nobody's certificates are needed, and a machine without any is fine.
    if plain { client.tls_certs_only([]) } else { client }
}

fn finish(client: ClientBuilder) -> Result<Client, String> {
    client.build().map_err(|error| chain(&error.without_url()))
}

/// Gives rustls its cryptography: ring, the only one compiled in. This is the one place where that is done.
///
/// reqwest takes the process's default and panics if there is none. A default that the binary installed earlier stays;
/// if two threads come here at once, both bring the same.
fn install_tls_provider() {
    if CryptoProvider::get_default().is_none() {
        let _ = ring::default_provider().install_default();
    }
}

/// Posts a form once; the status and the whole body, or a sentence for the log that has no secret in it.
pub(crate) async fn post(
    client: &Client,
    endpoint: &Endpoint,
    form: &[(&str, &str)],
) -> Result<(StatusCode, Vec<u8>), String> {
    let mut response =
        client.post(endpoint.url.clone()).form(form).send().await.map_err(|error| told(error, "be asked"))?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| told(error, "be heard to the end"))? {
        if body.len() + part.len() > MAX_ANSWER {
            return Err(format!("the provider's answer is longer than {MAX_ANSWER} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok((response.status(), body))
}

fn told(error: reqwest::Error, what: &str) -> String {
    if error.is_timeout() {
        return "the provider did not answer in time".to_owned();
    }
    format!("the provider could not {what}: {}", chain(&error.without_url()))
}

/// An error and what caused it, outermost first; reqwest's own text names only the outermost.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
