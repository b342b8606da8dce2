//! Between endpoints and deliveries and their rows.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use tenantry_domain::event::EventTypePattern;
use tenantry_domain::webhook::{DeliveryStatus, DisabledReason};
use tenantry_ports::{Delivery, EndpointUrl, SealedSecrets, StoreError, StoreResult, WebhookEndpoint};

use crate::convert::{from_json, micros, named, number, optional_time, parse, time, to_json};
use crate::schema::{webhook_deliveries, webhook_endpoints};

/// What is set about an endpoint.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct EndpointRow {
    id: String,
    url: String,
    description: Option<String>,
    event_types: String,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<i64>,
    disabled: Option<String>,
    disabled_at: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

/// What is known of an endpoint besides, and forgotten where somebody changes it.
#[derive(Debug, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct Progress {
    failing_since: Option<i64>,
}

impl Progress {
    pub(super) fn of(endpoint: &WebhookEndpoint) -> Self {
        Self { failing_since: endpoint.failing_since.map(micros) }
    }
}

/// The columns of an [`EndpointRow`], on both databases.
type Columns = <EndpointRow as Selectable<Sqlite>>::SelectExpression;

/// The columns of what [`endpoint`] reads.
pub(super) type Whole = (Columns, webhook_endpoints::failing_since);

/// What [`endpoint`] reads.
pub(super) fn whole() -> Whole {
    (<EndpointRow as Selectable<Sqlite>>::construct_selection(), webhook_endpoints::failing_since)
}

impl EndpointRow {
    pub(super) fn new(endpoint: &WebhookEndpoint) -> StoreResult<Self> {
        let SealedSecrets { current, previous } = endpoint.secrets.clone();
        let (previous_secret, previous_until) = previous.unzip();
        let (disabled, disabled_at) = endpoint.disabled.unzip();
        let patterns: Vec<_> = endpoint.event_types.iter().map(ToString::to_string).collect();
        Ok(Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.as_str().to_owned(),
            description: endpoint.description.clone(),
            event_types: to_json(&patterns)?,
            secret: current,
            previous_secret,
            previous_until: previous_until.map(micros),
            disabled: disabled.map(|reason| reason.to_string()),
            disabled_at: disabled_at.map(micros),
            version: endpoint.version,
            created_at: micros(endpoint.created_at),
            updated_at: micros(endpoint.updated_at),
        })
    }
}

const ENDPOINT: &str = "webhook endpoint";

/// The endpoint of a row, and since when it fails.
pub(super) fn endpoint((row, failing_since): (EndpointRow, Option<i64>)) -> StoreResult<WebhookEndpoint> {
    let patterns: Vec<String> = from_json(ENDPOINT, &row.event_types)?;
    let reason = |text: String| named(ENDPOINT, &text, DisabledReason::parse);
    let disabled = match (row.disabled, row.disabled_at) {
        (None, None) => None,
        (Some(why), Some(at)) => Some((reason(why)?, time(ENDPOINT, at)?)),
        _ => return Err(StoreError::corrupt(ENDPOINT, "it is disabled by half")),
    };
    let previous = match (row.previous_secret, row.previous_until) {
        (Some(secret), Some(until)) => Some((secret, time(ENDPOINT, until)?)),
        _ => None,
    };
    Ok(WebhookEndpoint {
        id: parse(ENDPOINT, &row.id)?,
        url: EndpointUrl::of_checked(row.url),
        description: row.description,
        event_types: patterns
            .iter()
            .map(|text| parse::<EventTypePattern>(ENDPOINT, text))
            .collect::<StoreResult<_>>()?,
        secrets: SealedSecrets { current: row.secret, previous },
        disabled,
        failing_since: optional_time(ENDPOINT, failing_since)?,
        version: row.version,
        created_at: time(ENDPOINT, row.created_at)?,
        updated_at: time(ENDPOINT, row.updated_at)?,
    })
}

/// A row of `webhook_deliveries`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false)]
pub(super) struct DeliveryRow {
    pub(super) id: String,
    pub(super) endpoint_id: String,
    pub(super) sequence: i64,
    pub(super) event_id: String,
    pub(super) event_type: String,
    pub(super) status: String,
    pub(super) due_at: Option<i64>,
    pub(super) attempts: i64,
    pub(super) last_attempt: Option<String>,
    pub(super) created_at: i64,
}

const DELIVERY: &str = "webhook delivery";

impl DeliveryRow {
    pub(super) fn new(delivery: &Delivery) -> StoreResult<Self> {
        Ok(Self {
            id: delivery.id.to_string(),
            endpoint_id: delivery.endpoint.to_string(),
            sequence: delivery.sequence,
            event_id: delivery.event.to_string(),
            event_type: delivery.event_type.to_string(),
            status: delivery.status.to_string(),
            due_at: delivery.due.map(micros),
            attempts: delivery.attempts.into(),
            last_attempt: delivery.last.as_ref().map(to_json).transpose()?,
            created_at: micros(delivery.created_at),
        })
    }

    pub(super) fn delivery(self) -> StoreResult<Delivery> {
        Ok(Delivery {
            id: parse(DELIVERY, &self.id)?,
            endpoint: parse(DELIVERY, &self.endpoint_id)?,
            sequence: self.sequence,
            event: parse(DELIVERY, &self.event_id)?,
            event_type: parse(DELIVERY, &self.event_type)?,
            status: named(DELIVERY, &self.status, DeliveryStatus::parse)?,
            due: optional_time(DELIVERY, self.due_at)?,
            attempts: number(DELIVERY, self.attempts)?,
            last: self.last_attempt.as_deref().map(|text| from_json(DELIVERY, text)).transpose()?,
            created_at: time(DELIVERY, self.created_at)?,
        })
    }
}
