//! The same for what is done to tenants.

use actix_web::http::header::{self, HeaderValue};
use tenantry_domain::tenant::{InvalidTransition, Status, Transition};
use tenantry_domain::{Finding, Pointer};
use tenantry_usecases::access::Denied;
use tenantry_usecases::tenants::{
    ChangeError, ConfirmError, CreateError, InitError, UnknownCluster, UpdateError,
};

use super::{Code, Problem};

impl From<&UnknownCluster> for Problem {
    fn from(UnknownCluster(name): &UnknownCluster) -> Self {
        let sentence = format!("There is no cluster '{name}'");
        let finding = Finding::new(Pointer::root().member("cluster"), "unknown_cluster", sentence.clone());
        Self::new(Code::UnknownCluster, sentence).with_errors(vec![finding])
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NoSuchTenant => Denied::NoSuchTenant.into(),
            ChangeError::Stale => Self::plain(Code::Conflict),
            ChangeError::Refused(refused) => refused.into(),
            ChangeError::SlugTaken(slug) => InitError::SlugTaken(slug).into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NoSuchTenant => Denied::NoSuchTenant.into(),
            UpdateError::Stale => Self::plain(Code::Conflict),
            UpdateError::InWork(status) => Self::new(
                Code::TenantNotReady,
                format!("The tenant is {status}, and a worker is at its database; try again"),
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")),
            UpdateError::Store(error) => error.into(),
        }
    }
}

impl From<InvalidTransition> for Problem {
    fn from(InvalidTransition { from, transition }: InvalidTransition) -> Self {
        let allowed = allowed(from, transition);
        let next = match (from, allowed) {
            (Status::Deprovisioning, []) => {
                "its database is being dropped, and there is no way back".to_owned()
            }
            (_, []) => "nothing can be done with it".to_owned(),
            (_, some) => format!("what can be done with it is: {}", some.join(", ")),
        };
        Self::new(Code::InvalidState, format!("The tenant is {from}; {next}"))
            .with("tenantStatus", from.as_str())
            .with("allowed", allowed)
    }
}

/// What an operator can do with a tenant of this status, after this was refused.
const fn allowed(status: Status, refused: Transition) -> &'static [&'static str] {
    match (status, refused) {
        (Status::Active, _) => &["suspend", "deprovision"],
        (Status::Suspended, _) => &["resume", "deprovision"],
        (Status::Failed, _) => &["retry", "deprovision"],
        // A restore is refused only once it is too late.
        (Status::Deprovisioning, Transition::Restore) => &[],
        (Status::Deprovisioning, _) => &["restore"],
        (
            Status::PendingValidation
            | Status::Queued
            | Status::Provisioning
            | Status::Expired
            | Status::Deleted,
            _,
        ) => &[],
    }
}

impl From<InitError> for Problem {
    fn from(error: InitError) -> Self {
        Self::from(&error)
    }
}

impl From<&InitError> for Problem {
    fn from(error: &InitError) -> Self {
        match error {
            InitError::SlugTaken(slug) => {
                Self::new(Code::SlugTaken, format!("A tenant with slug '{slug}' already exists"))
            }
            InitError::UnknownCluster(unknown) => unknown.into(),
            InitError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::InvalidToken => {
                Self::new(Code::InvalidToken, "The confirmation token is invalid or has expired")
            }
            ConfirmError::AlreadyConfirmed { status } => Self::new(
                Code::AlreadyConfirmed,
                format!("The provisioning was confirmed before; the tenant is {status}"),
            ),
            ConfirmError::Store(error) => error.into(),
        }
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        Self::from(&error)
    }
}

impl From<&CreateError> for Problem {
    fn from(error: &CreateError) -> Self {
        match error {
            CreateError::SlugTaken(slug) => InitError::SlugTaken(slug.clone()).into(),
            CreateError::UnknownCluster(unknown) => unknown.into(),
            CreateError::Invalid(findings) => Self::invalid(findings.clone()),
            CreateError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_overtaken_is_told_to_look_again() {
        for overtaken in [Problem::from(ChangeError::Stale), Problem::from(UpdateError::Stale)] {
            assert_eq!(overtaken.code(), Code::Conflict);
        }
    }

    #[test]
    fn a_transition_that_is_refused_is_not_among_those_allowed() {
        for (transition, action) in [
            (Transition::Suspend, "suspend"),
            (Transition::Resume, "resume"),
            (Transition::Retry, "retry"),
            (Transition::Restore, "restore"),
        ] {
            // The states that allow it never refuse it, but for a restore that comes too late.
            let refusing = Status::ALL.into_iter().filter(|status| {
                !matches!(
                    (transition, status),
                    (Transition::Suspend, Status::Active)
                        | (Transition::Resume, Status::Suspended)
                        | (Transition::Retry, Status::Failed)
                )
            });
            for status in refusing {
                assert!(!allowed(status, transition).contains(&action), "{action} {status}");
            }
        }
    }
}
