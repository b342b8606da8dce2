//! Account configs: validate, upload, read, compare, simulate.

mod diff;
mod read;
mod simulate;
mod upload;
mod validate;
mod versions;

use tenantry_ports::Scope::ConfigsRead;

use crate::endpoint::Endpoint;
use crate::endpoint::Place::Both;
use crate::endpoint::Who::Scope;
use crate::problem::Code;

#[cfg(test)]
pub(crate) use read::ConfigView;
pub(crate) use read::{__path_list, __path_read, list, read};
#[cfg(test)]
pub(crate) use upload::UploadedView;
pub(crate) use upload::{__path_upload, upload};
pub(crate) use validate::{__path_validate, validate};
#[cfg(test)]
pub(crate) use validate::{AccountConfigBody, VerdictView};

/// What is done with the versions of a config.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<versions::__path_versions, _, _>(
            versions::versions,
            Both,
            Scope(ConfigsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::ConfigNotFound],
        ),
        Endpoint::new::<versions::__path_read, _, _>(
            versions::read,
            Both,
            Scope(ConfigsRead),
            &[Code::InvalidParameter, Code::ConfigNotFound],
        ),
        Endpoint::new::<diff::__path_compare, _, _>(
            diff::compare,
            Both,
            Scope(ConfigsRead),
            &[Code::InvalidParameter, Code::ConfigNotFound],
        ),
        Endpoint::new::<simulate::__path_simulate, _, _>(
            simulate::simulate,
            Both,
            Scope(ConfigsRead),
            &[Code::ConfigNotFound],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(crate) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<read::ConfigPage>(all);
    generated::<versions::VersionPage>(all);
    generated::<diff::DiffView>(all);
    generated::<simulate::SimulateBody>(all);
    generated::<simulate::SimulationView>(all);
}
