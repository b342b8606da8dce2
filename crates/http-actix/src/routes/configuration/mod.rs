//! What a tenant configures for its people's programs: its basis and its processes, and what they were before.

mod basis;
mod body;
mod history;
mod processes;
mod restore;
mod view;

use tenantry_domain::id::ProcessConfigId;

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::endpoint::Place::Prefix;
use crate::endpoint::Who::{Admin, Staff};
use crate::problem::{Code, Problem};

/// What can go wrong for any admin where the tenant's database is looked into; for staff it is told anyway.
const NOT_READY: Code = Code::TenantNotReady;
const FAILED: Code = Code::TenantFailed;

const LIST: &[Code] = &[Code::InvalidParameter, Code::InvalidCursor];

/// Every endpoint below `/{tenantId}/config`.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<basis::__path_upsert, _, _>(
            basis::upsert,
            Prefix,
            Admin,
            &[NOT_READY, FAILED, Code::PreconditionFailed],
        ),
        Endpoint::new::<basis::__path_read, _, _>(basis::read, Prefix, Staff, &[Code::BasisNotFound]),
        Endpoint::new::<history::__path_basis, _, _>(history::basis, Prefix, Staff, LIST),
        Endpoint::new::<restore::__path_basis, _, _>(
            restore::basis,
            Prefix,
            Admin,
            &[NOT_READY, FAILED, Code::PreconditionFailed, Code::UnknownVersion],
        ),
        Endpoint::new::<processes::__path_list, _, _>(processes::list, Prefix, Staff, LIST),
        Endpoint::new::<processes::__path_read, _, _>(
            processes::read,
            Prefix,
            Staff,
            &[Code::ProcessNotFound],
        ),
        Endpoint::new::<processes::__path_replace, _, _>(
            processes::replace,
            Prefix,
            Admin,
            &[NOT_READY, FAILED, Code::ProcessNotFound, Code::ProcessNameTaken, Code::PreconditionFailed],
        ),
        Endpoint::new::<processes::__path_remove, _, _>(
            processes::remove,
            Prefix,
            Admin,
            &[NOT_READY, FAILED, Code::ProcessNotFound, Code::PreconditionFailed],
        ),
        Endpoint::new::<history::__path_process, _, _>(
            history::process,
            Prefix,
            Staff,
            &[Code::InvalidParameter, Code::InvalidCursor, Code::ProcessNotFound],
        ),
        Endpoint::new::<restore::__path_process, _, _>(
            restore::process,
            Prefix,
            Admin,
            &[
                NOT_READY,
                FAILED,
                Code::ProcessNotFound,
                Code::ProcessNameTaken,
                Code::PreconditionFailed,
                Code::UnknownVersion,
            ],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<body::UpsertBody>(all);
    generated::<body::ProcessBody>(all);
    generated::<body::RestoreBody>(all);
    generated::<view::UpsertedView>(all);
    generated::<view::BasisView>(all);
    generated::<view::ProcessView>(all);
    generated::<view::ProcessPage>(all);
    generated::<view::ChangePage>(all);
}

/// The process in the path. What cannot be an id is none that there is.
fn process_in_path(call: &Call) -> Result<ProcessConfigId, Problem> {
    call.segment("processId").parse().map_err(|_| no_such_process())
}

fn no_such_process() -> Problem {
    tenantry_usecases::basis::ConfigError::NoSuchProcess.into()
}
