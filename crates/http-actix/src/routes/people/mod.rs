//! People: staying signed in and signing out, their sessions, and what admins do with users.

pub(super) mod cookies;
mod me;
mod password;
mod refresh;
mod register;
mod same_site;
mod sessions;
mod sign_out;
mod sign_out_everywhere;
mod users;

use std::net::IpAddr;

use actix_web::http::header;
use tenantry_domain::people::Device;

use crate::call::Call;
use crate::client_address::{Client, network};
use crate::endpoint::Endpoint;
use crate::endpoint::Place::Prefix;
use crate::endpoint::Who::{Admin, Person, RefreshCookie};
use crate::problem::Code;

/// What can go wrong where the tenant's database is looked into, besides what can go wrong for any admin.
const OUT_OF_SERVICE: [Code; 2] = [Code::TenantNotReady, Code::TenantFailed];

const USER: &[Code] = &[OUT_OF_SERVICE[0], OUT_OF_SERVICE[1], Code::UserNotFound];
const SESSION: &[Code] = &[OUT_OF_SERVICE[0], OUT_OF_SERVICE[1], Code::UserNotFound, Code::SessionNotFound];
const LIST: &[Code] = &[OUT_OF_SERVICE[0], OUT_OF_SERVICE[1], Code::InvalidParameter, Code::InvalidCursor];

/// Every endpoint about people but for signing in.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<refresh::__path_refresh, _, _>(
            refresh::refresh,
            Prefix,
            RefreshCookie,
            &[Code::InvalidRefreshToken, Code::TenantSuspended, Code::TenantDeprovisioning],
        ),
        Endpoint::new::<sign_out::__path_logout, _, _>(sign_out::logout, Prefix, RefreshCookie, &[]),
        Endpoint::new::<me::__path_me, _, _>(me::me, Prefix, Person, &[]),
        Endpoint::new::<password::__path_change_password, _, _>(
            password::change_password,
            Prefix,
            Person,
            &[Code::WrongPassword, Code::TooManyAttempts],
        ),
        Endpoint::new::<sessions::__path_own, _, _>(
            sessions::own,
            Prefix,
            Person,
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<sessions::__path_end_own, _, _>(
            sessions::end_own,
            Prefix,
            Person,
            &[Code::SessionNotFound],
        ),
        Endpoint::new::<sign_out_everywhere::__path_own, _, _>(sign_out_everywhere::own, Prefix, Person, &[]),
        Endpoint::new::<register::__path_register, _, _>(
            register::register,
            Prefix,
            Admin,
            &[
                OUT_OF_SERVICE[0],
                OUT_OF_SERVICE[1],
                Code::InvalidIdempotencyKey,
                Code::EmailTaken,
                Code::UsernameTaken,
                Code::QuotaExceeded,
                Code::IdempotencyKeyReused,
            ],
        ),
        Endpoint::new::<me::__path_role_config, _, _>(me::role_config, Prefix, Admin, &OUT_OF_SERVICE),
        Endpoint::new::<users::__path_list, _, _>(users::list, Prefix, Admin, LIST),
        Endpoint::new::<users::__path_read, _, _>(users::read, Prefix, Admin, USER),
        Endpoint::new::<users::__path_change, _, _>(
            users::change,
            Prefix,
            Admin,
            &[
                OUT_OF_SERVICE[0],
                OUT_OF_SERVICE[1],
                Code::UserNotFound,
                Code::LastAdmin,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<sessions::__path_of_user, _, _>(
            sessions::of_user,
            Prefix,
            Admin,
            &[
                OUT_OF_SERVICE[0],
                OUT_OF_SERVICE[1],
                Code::UserNotFound,
                Code::InvalidParameter,
                Code::InvalidCursor,
            ],
        ),
        Endpoint::new::<sessions::__path_end_of_user, _, _>(sessions::end_of_user, Prefix, Admin, SESSION),
        Endpoint::new::<sign_out_everywhere::__path_of_user, _, _>(
            sign_out_everywhere::of_user,
            Prefix,
            Admin,
            USER,
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<password::ChangePasswordBody>(all);
    generated::<sessions::SessionPage>(all);
    generated::<register::RegisterBody>(all);
    generated::<register::RegisteredView<'_>>(all);
    generated::<me::RoleConfigView>(all);
    generated::<users::PersonPage>(all);
    generated::<users::PersonView>(all);
    generated::<users::ChangeUserBody>(all);
}

/// What the caller's device is to be shown as, and the network that attempts are counted by; none for a caller on this very
/// machine.
pub(super) fn device(call: &Call) -> (Device, Option<IpAddr>) {
    let proxies = &call.state.settings.trusted_proxies;
    let address = match Client::of(call.request().peer_addr(), call.headers(), proxies) {
        Client::Local => None,
        Client::At(address) => Some(address),
    };
    let agent = call.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    (Device::new(agent, address), address.map(network))
}
