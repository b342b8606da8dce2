//! Webhook endpoints of a tenant, and what was delivered to them.

mod again;
mod change;
mod create;
mod deliveries;
mod read;
mod secret;
mod test;
mod view;

use tenantry_domain::id::{DeliveryId, WebhookId};
use tenantry_ports::Scope::{WebhooksRead, WebhooksWrite};
use tenantry_usecases::access::Principal;
use tenantry_usecases::webhooks::{Hand, WebhookError};

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::endpoint::Place::Both;
use crate::endpoint::Who::Scope;
use crate::problem::{Code, Problem};

/// Every endpoint about webhooks.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<create::__path_create, _, _>(
            create::create,
            Both,
            Scope(WebhooksWrite),
            &[Code::QuotaExceeded, Code::InvalidIdempotencyKey, Code::IdempotencyKeyReused],
        ),
        Endpoint::new::<read::__path_list, _, _>(
            read::list,
            Both,
            Scope(WebhooksRead),
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<read::__path_read, _, _>(
            read::read,
            Both,
            Scope(WebhooksRead),
            &[Code::WebhookNotFound],
        ),
        Endpoint::new::<change::__path_change, _, _>(
            change::change,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound, Code::PreconditionFailed],
        ),
        Endpoint::new::<change::__path_remove, _, _>(
            change::remove,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound, Code::PreconditionFailed],
        ),
        Endpoint::new::<secret::__path_rotate, _, _>(
            secret::rotate,
            Both,
            Scope(WebhooksWrite),
            &[
                Code::WebhookNotFound,
                Code::RotationUnderWay,
                Code::PreconditionFailed,
                Code::InvalidIdempotencyKey,
                Code::IdempotencyKeyReused,
            ],
        ),
        Endpoint::new::<secret::__path_end_previous, _, _>(
            secret::end_previous,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound, Code::PreconditionFailed],
        ),
        Endpoint::new::<test::__path_test, _, _>(
            test::test,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound],
        ),
        Endpoint::new::<again::__path_recover, _, _>(
            again::recover,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound, Code::WebhookDisabled],
        ),
        Endpoint::new::<deliveries::__path_list, _, _>(
            deliveries::list,
            Both,
            Scope(WebhooksRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::WebhookNotFound],
        ),
        Endpoint::new::<deliveries::__path_read, _, _>(
            deliveries::read,
            Both,
            Scope(WebhooksRead),
            &[Code::WebhookNotFound, Code::DeliveryNotFound],
        ),
        Endpoint::new::<again::__path_redeliver, _, _>(
            again::redeliver,
            Both,
            Scope(WebhooksWrite),
            &[Code::WebhookNotFound, Code::DeliveryNotFound, Code::EventsExpired, Code::WebhookDisabled],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<create::NewWebhookBody>(all);
    generated::<view::NewWebhookView<'_>>(all);
    generated::<read::WebhookPage>(all);
    generated::<change::ChangeWebhookBody>(all);
    generated::<secret::RotateSecretBody>(all);
    generated::<test::TrialView>(all);
    generated::<again::RecoverBody>(all);
    generated::<again::RecoveryView>(all);
    generated::<deliveries::DeliveryPage>(all);
    generated::<deliveries::DeliveryInFull>(all);
}

fn webhook_in_path(call: &Call) -> Result<WebhookId, Problem> {
    call.segment("webhookId").parse().map_err(|_| WebhookError::NotFound.into())
}

fn delivery_in_path(call: &Call) -> Result<DeliveryId, Problem> {
    call.segment("deliveryId").parse().map_err(|_| WebhookError::NoSuchDelivery.into())
}

fn hand(call: &Call, caller: &Principal) -> Hand {
    Hand { actor: caller.actor(), trace: call.request_id() }
}
