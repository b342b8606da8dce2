//! Quotas that are used up, and settings that cannot be.

use tenantry_domain::tenant::{QuotaExceeded, QuotaKind};
use tenantry_domain::{Finding, Pointer};
use tenantry_usecases::settings::ReplaceError;

use super::{Code, Problem};

impl From<QuotaExceeded> for Problem {
    fn from(exceeded: QuotaExceeded) -> Self {
        let QuotaExceeded { kind, limit, used } = exceeded;
        let detail = format!("The tenant has {used} {} and may have {limit}", kind.noun());
        Self::new(Code::QuotaExceeded, detail)
            .with("quota", kind.member())
            .with("limit", limit)
            .with("used", used)
    }
}

impl From<ReplaceError> for Problem {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::Stale { tag } => Self::new(
                Code::PreconditionFailed,
                format!("The settings have changed: their entity tag is \"{tag}\" by now"),
            ),
            ReplaceError::UnknownConfigs(ids) => {
                let at = Pointer::root().member("allowedConfigs");
                let finding = |id| {
                    Finding::new(at.clone(), "unknown_config", format!("There is no account config '{id}'"))
                };
                Self::new(
                    Code::UnknownConfig,
                    "Only configs that exist can be allowed; `errors` names the others",
                )
                .with_errors(ids.iter().map(finding).collect())
            }
            ReplaceError::Raised(kinds) => {
                let quotas = Pointer::root().member("quotas");
                let finding = |kind: &QuotaKind| {
                    let message = format!("Only the operator grants more {}", kind.noun());
                    Finding::new(quotas.member(kind.member()), "quota_raised", message)
                };
                let members: Vec<_> = kinds.iter().map(|kind| kind.member()).collect();
                Self::new(
                    Code::QuotaRaised,
                    format!("Only the operator raises or lifts quotas, here {}", members.join(", ")),
                )
                .with_errors(kinds.iter().map(finding).collect())
            }
            ReplaceError::Store(error) => error.into(),
        }
    }
}
