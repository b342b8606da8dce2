//! Names are resolved to addresses that were checked, and to no others: what is connected to is what was looked at.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::{EndpointRules, OwnPlace, Refused, is_same_place};

/// More addresses of one name are not tried.
const MAX_ADDRESSES: usize = 8;

/// Asks the system, which asks `/etc/hosts`, name servers and whatever else it was set up with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The rules for endpoints, and those who know where our own servers are.
#[derive(Clone)]
pub(crate) struct Gatekeeper {
    pub(crate) rules: Arc<EndpointRules>,
    pub(crate) names: Arc<dyn Resolve>,
}

/// Whether an endpoint's port is one that a server of ours listens at, somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    Own,
    Other,
}

impl Gatekeeper {
    /// Whether an endpoint at all these addresses may be called. One that must not be is enough: a name that leads here as
    /// well as there was made to lead here.
    pub(crate) async fn permit(&self, addresses: &[IpAddr], port: Port) -> Result<(), Refused> {
        addresses.iter().try_for_each(|address| self.rules.permit(*address))?;
        if port == Port::Own {
            for own in &self.rules.own {
                self.keep_off(own, addresses).await?;
            }
        }
        Ok(())
    }

    /// Refuses addresses that a server of ours is at; all of them where that cannot be found out.
    async fn keep_off(&self, own: &OwnPlace, addresses: &[IpAddr]) -> Result<(), Refused> {
        let theirs = match own.host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(&own.host).await.unwrap_or_default(),
        };
        if let (true, Some(first)) = (theirs.is_empty(), addresses.first()) {
            return Err(Refused::Unknown(*first, own.host.clone()));
        }
        let met = |address: &&IpAddr| theirs.iter().any(|own| is_same_place(**address, *own));
        match addresses.iter().find(met) {
            Some(address) => Err(Refused::Own(*address, own.host.clone())),
            None => Ok(()),
        }
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        Ok(self.names.resolve(name.parse()?).await?.map(|address| address.ip()).collect())
    }
}

/// Resolves endpoints' names for one client.
pub(crate) struct CheckedNames {
    pub(crate) gatekeeper: Gatekeeper,
    pub(crate) port: Port,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (gatekeeper, port) = (self.gatekeeper.clone(), self.port);
        Box::pin(async move {
            let addresses: Vec<_> =
                gatekeeper.names.resolve(name).await?.map(|address| address.ip().to_canonical()).collect();
            gatekeeper.permit(&addresses, port).await?;
            // Port 0 is replaced by the URL's.
            let checked =
                addresses.into_iter().take(MAX_ADDRESSES).map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(checked) as Addrs)
        })
    }
}
