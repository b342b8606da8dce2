use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use tenantry_domain::finding::Finding;
use tenantry_ports::{
    EndpointAnswer, EndpointCall, EndpointFailure, EndpointResponse, EndpointSender, EndpointUrl,
    FailureClass,
};
use tokio::time::{Instant, sleep_until, timeout};

use crate::answers::{excerpt, headers, retry_after};
use crate::client;
use crate::endpoint_url::Target;
use crate::guard::EndpointRules;
use crate::names::{CheckedNames, Gatekeeper, Port, SystemNames};

/// By how much a call may last longer than a connection may take, at least.
const MARGIN: Duration = Duration::from_millis(100);

/// How endpoints are called.
#[derive(Debug, Clone)]
pub struct EndpointSettings {
    /// Where they may be.
    pub rules: EndpointRules,
    /// How long the look-up of a name, the connection and TLS may take together, and how long it takes to learn that an endpoint
    /// cannot be reached, whatever the reason; 5 seconds by default.
    pub connect_timeout: Duration,
    /// How much of an answer's body is kept, in bytes; 4 KiB by default.
    pub excerpt: usize,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self { rules: EndpointRules::default(), connect_timeout: Duration::from_secs(5), excerpt: 4096 }
    }
}

/// [`EndpointSender`] over HTTP, for URLs that strangers choose.
///
/// An address is checked where it is connected to: names are resolved by [`CheckedNames`], and addresses in URLs, which no
/// resolver sees, are checked in the very URL that is called.
pub struct GuardedEndpoints {
    gatekeeper: Gatekeeper,
    /// Made when the first call is, since most commands make none.
    clients: OnceLock<Result<Clients, String>>,
    connect_timeout: Duration,
    excerpt: usize,
}

struct Clients {
    /// For endpoints at a port that a server of ours listens at, which takes another look at their names' addresses.
    at_own_ports: Client,
    /// For all others.
    elsewhere: Client,
    /// Why no certificate can be checked, if so: then none is valid, and what goes without TLS still goes.
    trusts_nobody: Option<String>,
}

impl GuardedEndpoints {
    /// Calls with the system's resolver. Nothing is done yet.
    pub fn new(settings: EndpointSettings) -> Self {
        Self::with_names(settings, Arc::new(SystemNames))
    }

    /// The same with names resolved by somebody else, who is not trusted either: what comes from there is checked.
    pub fn with_names(settings: EndpointSettings, names: Arc<dyn reqwest::dns::Resolve>) -> Self {
        let EndpointSettings { rules, connect_timeout, excerpt } = settings;
        let gatekeeper = Gatekeeper { rules: Arc::new(rules), names };
        Self { gatekeeper, clients: OnceLock::new(), connect_timeout, excerpt }
    }

    fn clients(&self) -> Result<&Clients, EndpointFailure> {
        let clients = self
            .clients
            .get_or_init(|| self.make_clients(true, None).or_else(|why| self.make_clients(false, Some(why))));
        clients.as_ref().map_err(|why| unreachable(why.as_str()))
    }

    fn make_clients(&self, trusting: bool, trusts_nobody: Option<String>) -> Result<Clients, String> {
        let client = |port| {
            let names = CheckedNames { gatekeeper: self.gatekeeper.clone(), port };
            client::endpoints(names, self.connect_timeout, trusting)
        };
        Ok(Clients { at_own_ports: client(Port::Own)?, elsewhere: client(Port::Other)?, trusts_nobody })
    }

    async fn call(&self, call: EndpointCall<'_>) -> Result<EndpointResponse, EndpointFailure> {
        let started = Instant::now();
        let outcome = self.attempt(call, started).await;
        if outcome.as_ref().is_err_and(|failure| failure.class == FailureClass::Unreachable) {
            // A port that is filtered takes this long anyway; so does everything that must not be told from it.
            sleep_until(started + self.connect_timeout).await;
        }
        outcome
    }

    async fn attempt(
        &self,
        call: EndpointCall<'_>,
        started: Instant,
    ) -> Result<EndpointResponse, EndpointFailure> {
        let rules = &self.gatekeeper.rules;
        let Target { url, port, address } =
            Target::parse(call.url.as_str(), rules).map_err(|finding| unreachable(finding.message))?;
        let port = if rules.is_own_port(port) { Port::Own } else { Port::Other };
        self.permit(address, port).await?;
        let clients = self.clients()?;
        let client = if port == Port::Own { &clients.at_own_ports } else { &clients.elsewhere };
        let at = call.at;
        let mut response = with_headers(client.post(url), &call)
            .timeout(call.timeout.max(self.connect_timeout + MARGIN))
            .body(Bytes::from_owner(call.body))
            .send()
            .await
            .map_err(|error| failure(error, clients))?;
        let took = started.elapsed();
        Ok(EndpointResponse {
            status: response.status().as_u16(),
            headers: headers(response.headers()),
            retry_after: retry_after(response.headers(), at),
            excerpt: excerpt(&mut response, self.excerpt).await,
            took,
        })
    }

    /// Whether the address that a URL has instead of a name may be called.
    async fn permit(&self, address: Option<IpAddr>, port: Port) -> Result<(), EndpointFailure> {
        let Some(address) = address else { return Ok(()) };
        // Where our own servers are may have to be looked up.
        match timeout(self.connect_timeout, self.gatekeeper.permit(&[address], port)).await {
            Ok(permitted) => permitted.map_err(|refused| unreachable(refused.to_string())),
            Err(_) => Err(unreachable("where our own servers are could not be found out in time")),
        }
    }
}

impl EndpointSender for GuardedEndpoints {
    fn check(&self, url: &str) -> Result<EndpointUrl, Finding> {
        let target = Target::parse(url, &self.gatekeeper.rules)?;
        Ok(EndpointUrl::of_checked(target.url.as_str()))
    }

    fn send<'a>(&'a self, call: EndpointCall<'a>) -> EndpointAnswer<'a> {
        Box::pin(self.call(call))
    }
}

fn with_headers(request: RequestBuilder, call: &EndpointCall<'_>) -> RequestBuilder {
    let request = request
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", call.id)
        .header("webhook-timestamp", call.at.timestamp())
        .header("webhook-signature", call.signature);
    let further = call.headers.iter().filter(|(name, _)| EndpointCall::HEADERS.contains(name));
    further.fold(request, |request, (name, value)| request.header(*name, *value))
}

fn unreachable(detail: impl Into<String>) -> EndpointFailure {
    EndpointFailure { class: FailureClass::Unreachable, detail: detail.into() }
}

fn failure(error: reqwest::Error, clients: &Clients) -> EndpointFailure {
    // A connection that does not come about in time is none.
    let class = match error.is_timeout() && !error.is_connect() {
        true => FailureClass::TimedOut,
        false => FailureClass::Unreachable,
    };
    let mut detail = client::chain(&error.without_url());
    if let Some(why) = &clients.trusts_nobody {
        detail.push_str(&format!("; no certificate can be checked here: {why}"));
    }
    EndpointFailure { class, detail }
}
