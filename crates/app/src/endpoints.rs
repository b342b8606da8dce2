//! How tenants' webhook endpoints are called, and what is kept from them.

use std::sync::Arc;

use tenantry_outbound_reqwest::{EndpointRules, EndpointSettings, GuardedEndpoints, OwnPlace};
use tenantry_security::{StandardWebhooks, SystemEntropy, WebhookSecretMint};
use tenantry_store_diesel::{DatabaseUrl, PostgresUrl};
use tenantry_usecases::endpoints::EndpointCalls;

use crate::settings::{Settings, Webhooks};

/// What calls endpoints by these settings.
pub(crate) fn calls(settings: &Settings, entropy: Arc<SystemEntropy>) -> EndpointCalls {
    let Webhooks { allow_private, allow_http, networks, ports, timeout, excerpt } = settings.webhooks.clone();
    let rules = EndpointRules { allow_private, allow_http, networks, ports, own: own_places(settings) };
    let settings = EndpointSettings { rules, excerpt, ..EndpointSettings::default() };
    EndpointCalls {
        sender: Arc::new(GuardedEndpoints::new(settings)),
        signer: Arc::new(StandardWebhooks),
        secrets: Arc::new(WebhookSecretMint::new(entropy)),
        timeout,
    }
}

/// Where this server and the databases listen: no tenant has them called, whatever else is allowed.
fn own_places(settings: &Settings) -> Vec<OwnPlace> {
    let bind = settings.server.bind;
    let main = match &settings.stores.url {
        DatabaseUrl::Postgres(url) => Some(url),
        DatabaseUrl::Sqlite(_) => None,
    };
    let databases = main.into_iter().chain(settings.stores.clusters.values()).flat_map(PostgresUrl::servers);
    std::iter::once((bind.ip().to_string(), bind.port()))
        .chain(databases)
        .map(|(host, port)| OwnPlace { host, port })
        .collect()
}

/// What tenants may call that is not on the internet, if anything: the setting, and a sentence.
pub(crate) fn lowered_guard(settings: &Settings) -> Option<(&'static str, String)> {
    let Webhooks { allow_private, networks, .. } = &settings.webhooks;
    let (setting, what) = if *allow_private {
        ("webhooks.allow_private", "this machine and private networks".to_owned())
    } else if !networks.is_empty() {
        ("webhooks.allow_networks", networks.to_string())
    } else {
        return None;
    };
    Some((setting, format!("webhooks of every tenant may call {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, layers};

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let environment: Environment =
            pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Settings::read(&layers(None, &environment, &Vec::new()).unwrap()).unwrap()
    }

    #[test]
    fn this_server_and_every_database_is_kept_from_tenants() {
        let place = |(host, port): (&str, u16)| OwnPlace { host: host.to_owned(), port };
        assert_eq!(own_places(&settings(&[])), [("127.0.0.1", 5000)].map(place));
        let far = settings(&[
            ("TENANTRY_BIND", "[::]:5000"),
            ("TENANTRY_DATABASE_URL", "postgres://u:hunter2@db.example,10.0.0.5:6432/control"),
            ("TENANTRY__TENANT_DATABASES__CLUSTERS__EU_1__URL", "postgres://u:hunter2@eu.example/postgres"),
        ]);
        let expected =
            [("::", 5000), ("db.example", 5432), ("10.0.0.5", 6432), ("eu.example", 5432)].map(place);
        assert_eq!(own_places(&far), expected);
    }

    #[test]
    fn who_lowers_the_guard_is_told_so() {
        assert_eq!(lowered_guard(&settings(&[])), None);
        assert_eq!(lowered_guard(&settings(&[("TENANTRY__WEBHOOKS__ALLOW_HTTP", "true")])), None);
        for (variable, value, setting, what) in [
            (
                "TENANTRY_WEBHOOKS_ALLOW_PRIVATE",
                "true",
                "webhooks.allow_private",
                "this machine and private networks",
            ),
            ("TENANTRY__WEBHOOKS__ALLOW_NETWORKS", "10.1.0.0/16", "webhooks.allow_networks", "10.1.0.0/16"),
        ] {
            let (named, said) = lowered_guard(&settings(&[(variable, value)])).unwrap();
            assert_eq!(named, setting);
            assert!(said.contains(what), "{said}");
        }
    }
}
