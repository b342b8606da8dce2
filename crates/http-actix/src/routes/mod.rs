//! The endpoints: one file per resource, one table of all of them.

// `#[utoipa::path]` makes a `pub` item beside each handler.
#![allow(unreachable_pub)]

pub(crate) mod accounts;
mod api_keys;
mod configs;
mod docs;
mod health;
mod login;
mod password;
mod problems;
mod provisioning;
mod respond;
mod schemas;
mod status;
mod tenants;

use tenantry_ports::Scope::{AccountsRead, AccountsWrite, ConfigsRead, ConfigsWrite};

use crate::endpoint::Endpoint;
use crate::endpoint::Place::{Both, Prefix, Root};
use crate::endpoint::Who::{Admin, ConfirmToken, Orderer, Public, Scope};
use crate::problem::Code;

pub(crate) use docs::{asset, page as swagger};

/// Every endpoint. Those that are called most come first, since paths are matched in this order.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<accounts::__path_provision, _, _>(
            accounts::provision,
            Both,
            Scope(AccountsWrite),
            &[
                Code::InvalidIdempotencyKey,
                Code::UnknownConfig,
                Code::ConfigNotAllowed,
                Code::NoCapacity,
                Code::IdempotencyKeyReused,
            ],
        ),
        Endpoint::new::<accounts::__path_read, _, _>(
            accounts::read,
            Both,
            Scope(AccountsRead),
            &[Code::AccountNotFound],
        ),
        Endpoint::new::<accounts::__path_list, _, _>(
            accounts::list,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<configs::__path_validate, _, _>(configs::validate, Both, Scope(ConfigsRead), &[]),
        Endpoint::new::<configs::__path_upload, _, _>(
            configs::upload,
            Both,
            Scope(ConfigsWrite),
            &[Code::ConfigIdTaken, Code::InvalidConfig],
        ),
        Endpoint::new::<configs::__path_read, _, _>(
            configs::read,
            Both,
            Scope(ConfigsRead),
            &[Code::InvalidParameter, Code::ConfigNotFound],
        ),
        Endpoint::new::<configs::__path_list, _, _>(
            configs::list,
            Both,
            Scope(ConfigsRead),
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<status::__path_status, _, _>(
            status::status,
            Root,
            Public,
            &[Code::ProvisioningNotFound],
        ),
        Endpoint::new::<login::__path_login, _, _>(login::login, Prefix, Public, &[Code::InvalidCredentials]),
        Endpoint::new::<provisioning::__path_init, _, _>(
            provisioning::init,
            Root,
            Orderer,
            &[Code::InvalidPlan, Code::SlugTaken],
        ),
        Endpoint::new::<provisioning::__path_confirm, _, _>(
            provisioning::confirm,
            Root,
            ConfirmToken,
            &[Code::AlreadyConfirmed],
        ),
        Endpoint::new::<tenants::__path_create, _, _>(
            tenants::create,
            Prefix,
            Orderer,
            &[Code::InvalidPlan, Code::SlugTaken, Code::ProvisioningFailed, Code::ProvisioningUnfinished],
        ),
        Endpoint::new::<api_keys::__path_create, _, _>(api_keys::create, Prefix, Admin, &[]),
        Endpoint::new::<api_keys::__path_list, _, _>(
            api_keys::list,
            Prefix,
            Admin,
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<api_keys::__path_revoke, _, _>(
            api_keys::revoke,
            Prefix,
            Admin,
            &[Code::ApiKeyNotFound],
        ),
        Endpoint::new::<schemas::__path_account_config, _, _>(schemas::account_config, Prefix, Public, &[]),
        Endpoint::new::<health::__path_live, _, _>(health::live, Root, Public, &[]),
        Endpoint::new::<health::__path_ready, _, _>(health::ready, Root, Public, &[Code::NotReady]),
        Endpoint::new::<problems::__path_list, _, _>(problems::list, Root, Public, &[]),
        Endpoint::new::<problems::__path_page, _, _>(problems::page, Root, Public, &[Code::NotFound]),
        Endpoint::new::<docs::__path_document, _, _>(docs::document, Root, Public, &[]),
        Endpoint::new::<docs::__path_page, _, _>(docs::page, Root, Public, &[]),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(crate) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    use crate::openapi::generated;
    generated::<provisioning::InitTenantBody>(all);
    generated::<provisioning::Initialized>(all);
    generated::<provisioning::ConfirmedView>(all);
    generated::<status::StatusView>(all);
    generated::<tenants::CreateTenantBody>(all);
    generated::<tenants::CreatedView>(all);
    generated::<login::LoginBody>(all);
    generated::<login::SignedInView<'_>>(all);
    generated::<api_keys::NewKeyBody>(all);
    generated::<api_keys::NewKeyView<'_>>(all);
    generated::<api_keys::ApiKeyPage>(all);
    generated::<configs::AccountConfigBody>(all);
    generated::<configs::VerdictView>(all);
    generated::<configs::UploadedView>(all);
    generated::<configs::ConfigView>(all);
    generated::<configs::ConfigPage>(all);
    generated::<accounts::ProvisionBody>(all);
    generated::<accounts::ProvisionedView<'_>>(all);
    generated::<accounts::AccountPage>(all);
    generated::<health::Health>(all);
    generated::<problems::ProblemCatalogue>(all);
}
