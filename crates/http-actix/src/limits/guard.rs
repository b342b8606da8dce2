use std::net::IpAddr;
use std::sync::Once;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::{Buckets, Policy, RateLimit, RateLimits, Standing, Ticks, fields};
use crate::client_address::{Client, TrustedProxies, network};
use crate::{HttpSettings, HttpState};

/// What is counted by client address.
pub(crate) struct Rates {
    limits: RateLimits,
    proxies: TrustedProxies,
    buckets: Buckets<(Policy, IpAddr)>,
    /// Said once.
    proxy: Once,
}

impl Rates {
    /// Nobody has come yet.
    pub(crate) fn new(settings: &HttpSettings, ticks: Ticks) -> Self {
        let HttpSettings { rate_limits, trusted_proxies, .. } = settings;
        Self {
            limits: *rate_limits,
            proxies: trusted_proxies.clone(),
            buckets: Buckets::new(ticks),
            proxy: Once::new(),
        }
    }

    /// Counts a request: by which rate, whether it is let in, and how its sender stands then. None if it is not counted,
    /// as those that come from this very machine.
    fn count(
        &self,
        policy: Policy,
        request: &ServiceRequest,
    ) -> Option<(RateLimit, Result<Standing, Standing>)> {
        let Client::At(address) = Client::of(request.peer_addr(), request.headers(), &self.proxies) else {
            return None;
        };
        let limit = self.limits.of(policy);
        let counted = self.buckets.take(&(policy, network(address)), limit)?;
        if counted.is_err() && address.is_loopback() {
            self.suspect_a_proxy(address);
        }
        Some((limit, counted))
    }

    fn suspect_a_proxy(&self, address: IpAddr) {
        self.proxy.call_once(|| {
            tracing::warn!(
                target: "tenantry::http",
                %address,
                "everybody behind this address is counted as one client and has exceeded the limit together; if it is a \
                 proxy, name it in server.trusted_proxies and have it set X-Forwarded-For"
            );
        });
    }
}

/// The middleware before an endpoint with this policy: refuses what is too much, and tells everybody how they stand.
pub(crate) async fn guard(
    policy: Policy,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<HttpState>>().cloned();
    let counted = state.as_ref().and_then(|state| state.rates.count(policy, &request));
    let Some((limit, counted)) = counted else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let (mut response, standing) = match counted {
        Ok(standing) => (next.call(request).await?.map_into_boxed_body(), standing),
        Err(standing) => (request.error_response(fields::refusal(policy, limit, standing)), standing),
    };
    fields::tell(response.headers_mut(), policy, limit, standing);
    Ok(response)
}
