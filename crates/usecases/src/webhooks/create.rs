use tenantry_domain::event::EventTypePattern;
use tenantry_domain::tenant::QuotaKind;
use tenantry_domain::text::{check_length, check_printable};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{
    EndpointUrl, IdempotencyKey, LogHead, SealedSecrets, Secret, TenantScope, TenantTx, WebhookEndpoint,
};

use super::kept::once_sealed;
use super::{Hand, WebhookError, marking, secrets};
use crate::idempotency::{Answer, Once};
use crate::journal::webhooks as events;
use crate::{Platform, journal, limits};

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 255;
/// How many patterns an endpoint may have.
const MOST_PATTERNS: usize = 50;

/// An endpoint that is wanted.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where to.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Of which events it is told; of all, if there is none.
    pub event_types: Vec<EventTypePattern>,
}

/// An endpoint with a new secret, which is known only to the caller from now on.
#[derive(Debug, Clone)]
pub struct Created {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// What its calls are signed with.
    pub secret: Secret,
}

/// Creates an endpoint, which is told of what happens from now on. The answer to a request that may come again is kept sealed.
pub fn create(
    platform: &Platform,
    scope: &TenantScope,
    wish: NewEndpoint,
    hand: Hand,
    request: Option<&IdempotencyKey>,
    answer: impl FnOnce(&Result<Created, WebhookError>) -> Option<Answer>,
) -> Result<Once<Created>, WebhookError> {
    let now = platform.clock.now();
    let url = checked(platform, &wish)?;
    let id = platform.ids.next();
    let secret = platform.endpoints.secrets.mint();
    let endpoint = WebhookEndpoint {
        id,
        url,
        description: wish.description,
        event_types: wish.event_types,
        secrets: SealedSecrets { current: secrets::seal(platform, id, &secret), previous: None },
        disabled: None,
        failing_since: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let act = |tx: &mut dyn TenantTx, head: LogHead| {
        let settings = tx.settings().get()?.unwrap_or_default();
        let allowance = limits::allowance(platform, scope, &settings.quotas);
        let used = tx.webhooks().count()?;
        allowance.admit(QuotaKind::Webhooks, used)?;
        let mut told = vec![events::created(&endpoint, &hand)];
        told.extend(limits::passed_by_one(QuotaKind::Webhooks, &allowance, used, &hand.trace));
        // It is not told of its own creation.
        tx.webhooks().insert(&endpoint, head.sequence + told.len() as i64)?;
        journal::append(platform, scope, tx, head, told, now)?;
        Ok(Created { endpoint: endpoint.clone(), secret: secret.clone() })
    };
    marking::mark(&platform.control, scope.tenant(), now)?;
    let created = once_sealed(platform, scope, request, now, act, answer)?;
    platform.nudge.endpoint_added(scope.tenant());
    Ok(created)
}

/// The URL as it is to be kept, if everything about the wish is as it may be.
fn checked(platform: &Platform, wish: &NewEndpoint) -> Result<EndpointUrl, WebhookError> {
    let mut findings = Vec::new();
    let url = platform.endpoints.sender.check(&wish.url).map_err(|finding| findings.push(finding));
    findings.extend(about(wish.description.as_deref(), &wish.event_types));
    match url {
        Ok(url) if findings.is_empty() => Ok(url),
        _ => Err(WebhookError::Invalid(findings)),
    }
}

/// What is wrong with these.
pub(super) fn about(description: Option<&str>, event_types: &[EventTypePattern]) -> Vec<Finding> {
    let root = Pointer::root();
    let mut findings = Vec::new();
    let check = |text| {
        check_length("The description", text, 0, LONGEST_DESCRIPTION)?;
        check_printable("The description", text, "invalid_description")
    };
    if let Some(Err(error)) = description.map(check) {
        findings.push(error.at(root.member("description")));
    }
    if event_types.len() > MOST_PATTERNS {
        let message = format!("An endpoint may have at most {MOST_PATTERNS} patterns; '*' means every type");
        findings.push(Finding::new(root.member("eventTypes"), "too_many_items", message));
    }
    findings
}
