//! Webhook endpoints in archives: without their secrets, which are sealed for the installation they are in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::WebhookId;
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::{EndpointUrl, TenantTx, WebhookEndpoint};

use super::archive::{Kind, Writer};
use super::export::{ExportError, PAGE};
use super::record::exact;
use crate::Platform;
use crate::webhooks::new_secrets;

/// A webhook endpoint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookRecord {
    pub(super) id: WebhookId,
    url: String,
    description: Option<String>,
    #[serde(with = "patterns")]
    event_types: Vec<EventTypePattern>,
    #[serde(with = "exact")]
    created_at: DateTime<Utc>,
}

impl From<WebhookEndpoint> for WebhookRecord {
    fn from(endpoint: WebhookEndpoint) -> Self {
        let WebhookEndpoint { id, url, description, event_types, created_at, .. } = endpoint;
        Self { id, url: url.as_str().to_owned(), description, event_types, created_at }
    }
}

impl WebhookRecord {
    /// The endpoint with a secret that nobody knows, disabled: whoever enables it has the secret replaced first. Whether its URL may
    /// be called here is seen when it is.
    pub(super) fn endpoint(self, platform: &Platform, now: DateTime<Utc>) -> WebhookEndpoint {
        WebhookEndpoint {
            id: self.id,
            url: EndpointUrl::of_checked(self.url),
            description: self.description,
            event_types: self.event_types,
            secrets: new_secrets(platform, self.id),
            disabled: Some((DisabledReason::Requested, now)),
            failing_since: None,
            version: 1,
            created_at: self.created_at,
            updated_at: now,
        }
    }
}

pub(super) fn export(tx: &mut dyn TenantTx, archive: &mut Writer<'_>) -> Result<(), ExportError> {
    let mut after = None;
    loop {
        let page = tx.webhooks().page(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for endpoint in page {
            archive.record(Kind::Webhook, &WebhookRecord::from(endpoint))?;
        }
    }
}

/// Patterns as texts.
mod patterns {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tenantry_domain::event::EventTypePattern;

    pub(super) fn serialize<S: Serializer>(
        patterns: &[EventTypePattern],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(patterns.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<EventTypePattern>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
