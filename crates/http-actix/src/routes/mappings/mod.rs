//! Whose accounts are, both ways.

mod change;
mod read;
mod view;

use actix_web::FromRequest as _;
use actix_web::web::Path;
use serde::Deserialize;
use tenantry_domain::account::WebsiteUserId;
use tenantry_domain::id::AccountId;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::Scope::{AccountsRead, AccountsWrite};

use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::endpoint::Place::Both;
use crate::endpoint::Who::Scope;
use crate::problem::{Code, Problem};

/// Every endpoint about whose accounts are.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<read::__path_accounts_of, _, _>(
            read::accounts_of,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<read::__path_users_of, _, _>(
            read::users_of,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::AccountNotFound],
        ),
        Endpoint::new::<change::__path_map, _, _>(
            change::map,
            Both,
            Scope(AccountsWrite),
            &[
                Code::InvalidParameter,
                Code::InvalidIdempotencyKey,
                Code::AccountNotFound,
                Code::IdempotencyKeyReused,
            ],
        ),
        Endpoint::new::<change::__path_unmap, _, _>(
            change::unmap,
            Both,
            Scope(AccountsWrite),
            &[Code::InvalidParameter, Code::AccountNotFound, Code::MappingNotFound],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<view::MappingView>(all);
    generated::<read::MappingPage>(all);
    generated::<read::MappedAccountPage>(all);
}

/// The website's user in the path. It may hold anything, a slash too, which routing leaves encoded.
async fn user_in_path(call: &Call) -> Result<WebsiteUserId, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        user_id: String,
    }
    let named = Path::<Named>::extract(call.request()).await;
    let named = named.map_err(|error| Problem::plain(Code::BadRequest).because(error))?.into_inner();
    WebsiteUserId::new(named.user_id).map_err(|error| {
        let finding = Finding::new(Pointer::root().member("userId"), error.code, error.to_string());
        Problem::new(Code::InvalidParameter, finding.message.clone()).with_errors(vec![finding])
    })
}

fn account_in_path(call: &Call) -> Result<AccountId, Problem> {
    call.segment("accountId").parse().map_err(|_| no_such_account())
}

fn no_such_account() -> Problem {
    Problem::new(Code::AccountNotFound, "The tenant has no account of this id")
}
