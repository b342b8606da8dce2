//! The same for organisations.

use serde_json::json;
use tenantry_domain::{Finding, Pointer};
use tenantry_usecases::organisation::{Dependents, OrgError};

use super::{Code, Internal, Problem};
use crate::routes::organisation::wire;

impl From<OrgError> for Problem {
    fn from(error: OrgError) -> Self {
        match error {
            OrgError::NoSuchUnit => {
                Self::new(Code::OrgUnitNotFound, "The tenant's organisation has no unit of this kind and id")
            }
            OrgError::Stale { version } => Self::new(
                Code::PreconditionFailed,
                format!("It has changed: its version is {version} by now, and its entity tag \"{version}\""),
            ),
            OrgError::Unknown(ids) => {
                let finding = |id: &tenantry_domain::organisation::OrgId| {
                    let message = format!("The tenant has no {} '{id}'", id.kind().noun());
                    Finding::new(Pointer::root().member(wire(id.kind()).id), "unknown_org_unit", message)
                };
                let findings: Vec<_> = ids.iter().map(finding).collect();
                let detail: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
                Self::new(Code::UnknownOrgUnit, detail.join("; ")).with_errors(findings)
            }
            OrgError::CodeTaken { kind, code } => {
                let detail = format!("Another {} with code '{code}' exists", kind.noun());
                Self::new(Code::OrgCodeTaken, detail).with("unitCode", code.as_str())
            }
            OrgError::Assigned => Self::new(
                Code::OrgAssignmentExists,
                "The purchasing organisation is assigned to this company code or plant already",
            ),
            OrgError::InUse(dependents) => in_use(&dependents),
            OrgError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for a different request")
            }
            // It is sent as it was kept, and not written anew.
            error @ OrgError::RefusedBefore(_) => Self::from(Internal).because(error),
            OrgError::Store(error) => error.into(),
        }
    }
}

impl Problem {
    /// A document about an organisation that is wrong in these ways, of which at most [`TOLD`] are told.
    pub(crate) fn invalid_organisation(mut findings: Vec<Finding>) -> Self {
        let detail = match findings.as_slice() {
            [only] => only.message.clone(),
            more if more.len() <= TOLD => {
                format!("The document has {} faults; `errors` lists them all", more.len())
            }
            more => format!("The document has {} faults; `errors` lists the first {TOLD}", more.len()),
        };
        findings.truncate(TOLD);
        Self::new(Code::InvalidOrganisation, detail).with_errors(findings)
    }
}

/// How many findings are told at most: nobody mends ten thousand by hand.
const TOLD: usize = 1_000;

fn in_use(dependents: &[Dependents]) -> Problem {
    let told = dependents.iter().map(|Dependents { kind, count, codes }| {
        let plural = if *count == 1 { "" } else { "s" };
        let more = if codes.len() < *count { ", …" } else { "" };
        format!("{count} {}{plural} ({}{more})", kind.noun(), codes.join(", "))
    });
    let told: Vec<_> = told.collect();
    let members = dependents
        .iter()
        .map(|Dependents { kind, count, codes }| json!({ "kind": kind, "count": count, "codes": codes }));
    Problem::new(Code::OrgUnitInUse, format!("On it hang: {}", told.join(", ")))
        .with("dependents", members.collect::<Vec<_>>())
}
