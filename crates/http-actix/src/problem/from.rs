//! From the use cases' errors to problems: exhaustively, so that a new variant has to be decided on here.

use actix_web::http::header::{self, HeaderValue};
use chrono::TimeDelta;
use tenantry_domain::tenant::Status;
use tenantry_domain::{Finding, timestamp};
use tenantry_ports::{Constraint, StoreError};
use tenantry_usecases::access::Denied;
use tenantry_usecases::accounts::ProvisionError;
use tenantry_usecases::api_keys::{ChangeKeyError, NewKeyError};
use tenantry_usecases::configs::{SimulateError, UploadError};
use tenantry_usecases::sign_in::LoginError;
use tenantry_usecases::signatures::SignatureError;

use super::{Code, Problem};
use crate::pools::JobError;

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Code::Unavailable, "The database is unavailable; try again").because(error)
            }
            // Somebody else was faster, and the use case had no better word for it: the same request will see that.
            StoreError::Stale
            | StoreError::Conflict(
                Constraint::IdempotencyKey | Constraint::LogSequence | Constraint::ApiKeyRequest,
            ) => Self::new(Code::Unavailable, "Somebody else was changing the same thing; try again")
                .because(error),
            _ => Self::from(Internal).because(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// Something that should not happen did.
pub(crate) struct Internal;

impl From<Internal> for Problem {
    fn from(_: Internal) -> Self {
        Self::new(
            Code::InternalError,
            "An unexpected error occurred; the log has the details under this request id",
        )
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Refused => Self::new(
                Code::Overloaded,
                "The server has more to do than it can; this request was not begun",
            ),
            JobError::Lost => Self::from(Internal).because("the job panicked"),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::OtherTenant => Self::new(
                Code::WrongTenant,
                "The credential does not belong to the tenant that the request names",
            ),
            Denied::NoSuchTenant => Self::new(Code::TenantNotFound, "No tenant has this id or slug"),
            Denied::MissingScope(scope) => {
                Self::new(Code::MissingScope, format!("The API key lacks the scope '{scope}'"))
                    .with("requiredScope", scope.as_str())
            }
            Denied::MissingRole => {
                Self::new(Code::Forbidden, "Only the operator or an admin of the tenant may do this")
            }
            Denied::NotStaff => Self::new(
                Code::Forbidden,
                "Only the operator, or an admin or a user of the tenant, may do this; send an access token of theirs",
            ),
            Denied::NotAPerson => Self::new(
                Code::Forbidden,
                "Only somebody who has signed in may do this; send their access token",
            ),
            Denied::Suspended => Self::new(Code::TenantSuspended, "The tenant is suspended"),
            Denied::NotReady(status) => not_ready(status),
            Denied::Failed => {
                Self::new(Code::TenantFailed, "The tenant's provisioning failed; it has to be Active")
            }
            Denied::Leaving => Self::new(
                Code::TenantDeprovisioning,
                "The tenant is being deprovisioned; it has to be Active",
            ),
        }
    }
}

/// Waiting helps.
fn not_ready(status: Status) -> Problem {
    Problem::new(Code::TenantNotReady, format!("The tenant is {status}; it has to be Active"))
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

impl From<&NewKeyError> for Problem {
    fn from(error: &NewKeyError) -> Self {
        match error {
            NewKeyError::Invalid(findings) => Self::invalid(findings.clone()),
            NewKeyError::QuotaExceeded(exceeded) => (*exceeded).into(),
            NewKeyError::IdempotencyKeyReused => Self::plain(Code::IdempotencyKeyReused),
            NewKeyError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeKeyError> for Problem {
    fn from(error: ChangeKeyError) -> Self {
        Self::from(&error)
    }
}

impl From<&ChangeKeyError> for Problem {
    fn from(error: &ChangeKeyError) -> Self {
        match error {
            ChangeKeyError::NotFound => {
                Self::new(Code::ApiKeyNotFound, "The tenant has no API key of this id")
            }
            ChangeKeyError::Ended => {
                Self::new(Code::ApiKeyEnded, "The key was revoked or has expired; make a new one")
            }
            ChangeKeyError::Changed(version) => Self::new(
                Code::PreconditionFailed,
                format!("It has changed: its version is {version} by now, and its entity tag \"{version}\""),
            ),
            ChangeKeyError::New(error) => error.into(),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::InvalidCredentials => {
                Self::new(Code::InvalidCredentials, "The e-mail address or the password is wrong")
            }
            LoginError::TooEarly(refused) => refused.into(),
            LoginError::Suspended => Denied::Suspended.into(),
            LoginError::Leaving => Denied::Leaving.into(),
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<SignatureError> for Problem {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::OutOfTime { at, now, window } => {
                let seconds = |delta: TimeDelta| {
                    count(delta.num_milliseconds().unsigned_abs().div_ceil(1000), "second")
                };
                let side = if at < now { "behind" } else { "ahead of" };
                let detail = format!(
                    "X-Signature-Timestamp is {} {side} the server's clock; at most {} are accepted",
                    seconds(now - at),
                    seconds(window),
                );
                Self::new(Code::ClockSkew, detail).with("serverTime", timestamp::to_text(now))
            }
            SignatureError::Wrong => Self::new(
                Code::InvalidSignature,
                "The signature does not match the request: another secret was used, or what was signed is not what arrived",
            ),
            SignatureError::Replayed => Self::new(
                Code::NonceReused,
                "A request with this nonce was taken before; sign anew, with another nonce",
            ),
            SignatureError::Store(error) => error.into(),
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        Self::from(&error)
    }
}

impl From<&UploadError> for Problem {
    fn from(error: &UploadError) -> Self {
        match error {
            UploadError::Invalid { errors, warnings } => {
                let problem = Self::new(
                    Code::InvalidConfig,
                    format!(
                        "The account config has {}; `errors` lists them all",
                        count(errors.len() as u64, "fault")
                    ),
                );
                let warnings = serde_json::to_value(warnings).unwrap_or_default();
                problem.with_errors(errors.clone()).with("warnings", warnings)
            }
            UploadError::IdTaken { id, suggestion } => Self::new(
                Code::ConfigIdTaken,
                format!("Another account config is stored as '{id}'; the next free id is '{suggestion}'"),
            )
            .with("suggestedId", suggestion.as_str()),
            UploadError::QuotaExceeded(exceeded) => (*exceeded).into(),
            UploadError::Store(error) => error.into(),
        }
    }
}

impl From<SimulateError> for Problem {
    fn from(error: SimulateError) -> Self {
        match error {
            SimulateError::UnknownConfig => {
                Self::new(Code::ConfigNotFound, "The tenant has no such account config, or not that version")
            }
            SimulateError::Invalid(findings) => Self::invalid(findings),
            SimulateError::Store(error) => error.into(),
        }
    }
}

impl From<ProvisionError> for Problem {
    fn from(error: ProvisionError) -> Self {
        Self::from(&error)
    }
}

impl From<&ProvisionError> for Problem {
    fn from(error: &ProvisionError) -> Self {
        match error {
            ProvisionError::UnknownConfig(id) => {
                Self::new(Code::UnknownConfig, format!("There is no account config '{id}'"))
            }
            ProvisionError::UnknownVersion(id, version) => Self::new(
                Code::UnknownConfig,
                format!("There is no version {version} of the account config '{id}'"),
            ),
            ProvisionError::ConfigNotAllowed(id) => Self::new(
                Code::ConfigNotAllowed,
                format!("The account config '{id}' is not among the tenant's allowed configs"),
            ),
            ProvisionError::QuotaExceeded(exceeded) => (*exceeded).into(),
            ProvisionError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for a different request")
            }
            ProvisionError::Store(error) => error.as_ref().into(),
        }
    }
}

impl Problem {
    /// Input that is wrong in these ways.
    pub(crate) fn invalid(findings: Vec<Finding>) -> Self {
        let detail = match findings.as_slice() {
            [only] => only.message.clone(),
            more => format!("The request has {}; `errors` lists them all", count(more.len() as u64, "fault")),
        };
        Self::new(Code::ValidationFailed, detail).with_errors(findings)
    }
}

/// `1 fault`, `2 faults`.
fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_unavailable_and_the_rest_is_internal() {
        for (error, code) in [
            (StoreError::Unavailable("no route to 10.0.0.1".to_owned()), Code::Unavailable),
            (StoreError::Stale, Code::Unavailable),
            (StoreError::Conflict(Constraint::LogSequence), Code::Unavailable),
            (StoreError::Conflict(Constraint::AccountId), Code::InternalError),
            (StoreError::corrupt("tenant", "status 'x'"), Code::InternalError),
        ] {
            let problem = Problem::from(&error);
            assert_eq!(problem.code(), code, "{error:?}");
            assert_eq!(problem.cause(), Some(error.to_string().as_str()));
            assert!(!problem.to_string().contains("10.0.0.1"), "{problem}");
        }
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(count(1, "fault"), "1 fault");
        assert_eq!(count(0, "fault"), "0 faults");
    }
}
