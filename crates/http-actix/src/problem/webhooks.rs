//! The same for webhook endpoints.

use tenantry_domain::timestamp;
use tenantry_usecases::webhooks::WebhookError;

use super::{Code, Problem};
use crate::precondition::stale;

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        Self::from(&error)
    }
}

impl From<&WebhookError> for Problem {
    fn from(error: &WebhookError) -> Self {
        match error {
            WebhookError::NotFound => {
                Self::new(Code::WebhookNotFound, "The tenant has no webhook endpoint of this id")
            }
            WebhookError::NoSuchDelivery => {
                Self::new(Code::DeliveryNotFound, "The webhook endpoint has no delivery of this id")
            }
            WebhookError::Invalid(findings) => Self::invalid(findings.clone()),
            WebhookError::Stale { version } => stale(*version),
            WebhookError::QuotaExceeded(exceeded) => (*exceeded).into(),
            WebhookError::RotationUnderWay { until } => {
                let until = timestamp::to_text(*until);
                let detail = format!("Calls are signed with the secret before, too, until {until}");
                Self::new(Code::RotationUnderWay, detail).with("previousSecretUntil", until)
            }
            WebhookError::Expired { first } => Self::expired(*first),
            WebhookError::Disabled => Self::new(
                Code::WebhookDisabled,
                "Nothing is delivered to the webhook endpoint; it is disabled",
            ),
            WebhookError::Store(error) => error.into(),
        }
    }
}
