use tenantry_ports::Scope::{AccountsRead, AccountsWrite};

use super::{change, events, migrate};
use crate::endpoint::Endpoint;
use crate::endpoint::Place::Both;
use crate::endpoint::Who::Scope;
use crate::problem::Code;

/// The endpoints about accounts that are not called all the time.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<change::__path_change, _, _>(
            change::change,
            Both,
            Scope(AccountsWrite),
            &[Code::AccountNotFound, Code::AccountFinal, Code::Conflict, Code::PreconditionFailed],
        ),
        Endpoint::new::<change::__path_close, _, _>(
            change::close,
            Both,
            Scope(AccountsWrite),
            &[
                Code::InvalidParameter,
                Code::AccountNotFound,
                Code::AccountFinal,
                Code::OpenPositions,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<migrate::__path_migrate, _, _>(
            migrate::migrate,
            Both,
            Scope(AccountsWrite),
            &[
                Code::AccountNotFound,
                Code::UnknownConfig,
                Code::ConfigNotAllowed,
                Code::OtherCurrency,
                Code::AccountFinal,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<events::__path_violations, _, _>(
            events::violations,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::AccountNotFound],
        ),
        Endpoint::new::<events::__path_audit_logs, _, _>(
            events::audit_logs,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::AccountNotFound],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(crate) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use super::bulk;
    use crate::openapi::generated;
    generated::<bulk::BulkBody>(all);
    generated::<bulk::BulkView>(all);
    generated::<change::ChangeAccountBody>(all);
    generated::<migrate::MigrateBody>(all);
    generated::<migrate::MigrationView>(all);
    generated::<events::ViolationPage>(all);
    generated::<events::EventPage>(all);
}
