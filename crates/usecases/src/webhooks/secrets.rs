//! Secrets of endpoints, as they are kept: sealed, each for its endpoint.

use chrono::{DateTime, Utc};
use tenantry_domain::id::WebhookId;
use tenantry_ports::{SealedSecrets, Secret, StoreError, StoreResult, TenantScope, WebhookEndpoint};

use crate::Platform;

const PAGE: usize = 100;

fn place(id: WebhookId) -> String {
    format!("secret of webhook {id}")
}

/// The secret, sealed for this endpoint.
pub(super) fn seal(platform: &Platform, id: WebhookId, secret: &Secret) -> Vec<u8> {
    platform.sealing.seal_answer(&place(id), secret.expose().as_bytes())
}

/// A new secret that is told to nobody.
pub(crate) fn new_secrets(platform: &Platform, id: WebhookId) -> SealedSecrets {
    SealedSecrets { current: seal(platform, id, &platform.endpoints.secrets.mint()), previous: None }
}

/// What calls of the endpoint are signed with at this moment: the secret in force, and the one before while that counts.
pub(super) fn in_force(
    platform: &Platform,
    endpoint: &WebhookEndpoint,
    now: DateTime<Utc>,
) -> StoreResult<Vec<Secret>> {
    let SealedSecrets { current, previous } = &endpoint.secrets;
    let previous = previous.iter().filter(|(_, until)| now < *until).map(|(sealed, _)| sealed);
    std::iter::once(current).chain(previous).map(|sealed| open(platform, endpoint.id, sealed)).collect()
}

fn open(platform: &Platform, id: WebhookId, sealed: &[u8]) -> StoreResult<Secret> {
    let bytes = platform.sealing.open_answer(&place(id), sealed);
    let bytes = bytes.map_err(|error| StoreError::corrupt("webhook secret", error))?;
    let text =
        String::from_utf8(bytes).map_err(|_| StoreError::corrupt("webhook secret", "it is no text"))?;
    Ok(Secret::new(text))
}

/// Seals the secrets of this tenant's endpoints anew, under the master key in force.
pub(crate) fn reseal(platform: &Platform, scope: &TenantScope) -> StoreResult<()> {
    let store = platform.stores.open(scope)?;
    let mut after = None;
    loop {
        let page = store.read(|tx| tx.webhooks().page(after, PAGE))?;
        for endpoint in &page {
            let again = |sealed: &Vec<u8>| {
                open(platform, endpoint.id, sealed).map(|secret| seal(platform, endpoint.id, &secret))
            };
            let current = again(&endpoint.secrets.current)?;
            let previous = endpoint.secrets.previous.as_ref();
            let previous =
                previous.map(|(sealed, until)| Ok::<_, StoreError>((again(sealed)?, *until))).transpose()?;
            let secrets = SealedSecrets { current, previous };
            let resealed = WebhookEndpoint { secrets, version: endpoint.version + 1, ..endpoint.clone() };
            match store.write(|tx| {
                tx.log().lock()?;
                tx.webhooks().update(&resealed)
            }) {
                // Somebody changed it meanwhile, and with that sealed nothing: the next call sees to it.
                Err(StoreError::Stale) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}
