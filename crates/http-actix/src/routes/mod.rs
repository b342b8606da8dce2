//! The endpoints: one file per resource, one table of all of them.

// `#[utoipa::path]` makes a `pub` item beside each handler.
#![allow(unreachable_pub)]

pub(crate) mod accounts;
mod api_keys;
mod configs;
mod configuration;
mod docs;
mod events;
mod health;
mod login;
mod mappings;
mod oauth;
pub(crate) mod organisation;
mod password;
mod people;
mod problems;
mod provisioning;
pub(crate) mod respond;
mod schemas;
mod settings;
mod status;
mod tenants;
pub(crate) mod trades;
mod webhooks;

use tenantry_ports::Scope::{
    AccountsRead, AccountsWrite, ConfigsRead, ConfigsWrite, SettingsRead, SettingsWrite, TradesWrite,
};

use crate::endpoint::Endpoint;
use crate::endpoint::Place::{Both, Prefix, Root};
use crate::endpoint::Who::{Admin, Client, ConfirmToken, Operator, Orderer, Public, Scope};
use crate::limits::Policy;
use crate::problem::Code;

pub(crate) use docs::{asset, page as swagger};
pub(crate) use tenants::{SummaryView, TenantView};

/// What can go wrong where a tenant is to have another status.
const TRANSITION: &[Code] =
    &[Code::TenantNotFound, Code::InvalidState, Code::Conflict, Code::PreconditionFailed];

/// Every endpoint. Those that are called most come first, since paths are matched in this order.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<trades::__path_apply, _, _>(
            trades::apply,
            Both,
            Scope(TradesWrite),
            &[Code::InvalidIdempotencyKey, Code::AccountNotFound, Code::IdempotencyKeyReused],
        ),
        Endpoint::new::<trades::__path_list, _, _>(
            trades::list,
            Both,
            Scope(AccountsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::AccountNotFound],
        ),
        Endpoint::new::<trades::__path_mark, _, _>(trades::mark, Both, Scope(TradesWrite), &[]),
        // Before the account of any id.
        Endpoint::new::<accounts::__path_provision_many, _, _>(
            accounts::provision_many,
            Both,
            Scope(AccountsWrite),
            &[Code::InvalidIdempotencyKey],
        ),
        Endpoint::new::<accounts::__path_read, _, _>(
            accounts::read,
            Both,
            Scope(AccountsRead),
            &[Code::AccountNotFound],
        ),
        Endpoint::new::<accounts::__path_provision, _, _>(
            accounts::provision,
            Both,
            Scope(AccountsWrite),
            &[
                Code::InvalidIdempotencyKey,
                Code::UnknownConfig,
                Code::ConfigNotAllowed,
                Code::QuotaExceeded,
                Code::IdempotencyKeyReused,
            ],
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
            &[
                Code::InvalidIdempotencyKey,
                Code::ConfigIdTaken,
                Code::InvalidConfig,
                Code::QuotaExceeded,
                Code::IdempotencyKeyReused,
            ],
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
            &[Code::InvalidParameter, Code::ProvisioningNotFound],
        )
        .limited(Policy::Status),
        Endpoint::new::<status::__path_stream, _, _>(
            status::stream,
            Root,
            Public,
            &[Code::InvalidParameter, Code::ProvisioningNotFound],
        )
        .limited(Policy::Status),
        Endpoint::new::<login::__path_login, _, _>(
            login::login,
            Prefix,
            Public,
            &[
                Code::InvalidCredentials,
                Code::TenantSuspended,
                Code::TenantDeprovisioning,
                Code::TooManyAttempts,
            ],
        )
        .limited(Policy::Login),
        Endpoint::new::<provisioning::__path_init, _, _>(
            provisioning::init,
            Root,
            Orderer,
            &[Code::InvalidPlan, Code::InvalidIdempotencyKey, Code::SlugTaken, Code::IdempotencyKeyReused],
        )
        .limited(Policy::Orders),
        Endpoint::new::<provisioning::__path_confirm, _, _>(
            provisioning::confirm,
            Root,
            ConfirmToken,
            &[Code::AlreadyConfirmed],
        )
        .limited(Policy::Orders),
        Endpoint::new::<tenants::__path_create, _, _>(
            tenants::create,
            Prefix,
            Orderer,
            &[
                Code::InvalidPlan,
                Code::MissingAuthorization,
                Code::InvalidToken,
                Code::Forbidden,
                Code::InvalidIdempotencyKey,
                Code::SlugTaken,
                Code::IdempotencyInProgress,
                Code::UnknownCluster,
                Code::IdempotencyKeyReused,
                Code::ProvisioningFailed,
                Code::ProvisioningUnfinished,
            ],
        )
        .limited(Policy::Orders),
        Endpoint::new::<tenants::__path_list, _, _>(
            tenants::list,
            Prefix,
            Operator,
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<tenants::__path_read, _, _>(tenants::read, Prefix, Admin, &[]),
        Endpoint::new::<tenants::__path_change, _, _>(
            tenants::change,
            Prefix,
            Operator,
            &[
                Code::InvalidPlan,
                Code::TenantNotFound,
                Code::TenantNotReady,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<tenants::__path_deprovision, _, _>(
            tenants::deprovision,
            Prefix,
            Operator,
            &[
                Code::InvalidParameter,
                Code::TenantNotFound,
                Code::InvalidState,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<tenants::__path_suspend, _, _>(tenants::suspend, Prefix, Operator, TRANSITION),
        Endpoint::new::<tenants::__path_resume, _, _>(tenants::resume, Prefix, Operator, TRANSITION),
        Endpoint::new::<tenants::__path_retry, _, _>(
            tenants::retry,
            Prefix,
            Operator,
            &[
                Code::TenantNotFound,
                Code::InvalidState,
                Code::SlugTaken,
                Code::Conflict,
                Code::PreconditionFailed,
            ],
        ),
        Endpoint::new::<tenants::__path_restore, _, _>(tenants::restore, Prefix, Operator, TRANSITION),
        Endpoint::new::<settings::__path_read, _, _>(settings::read, Prefix, Scope(SettingsRead), &[]),
        Endpoint::new::<settings::__path_replace, _, _>(
            settings::replace,
            Prefix,
            Scope(SettingsWrite),
            &[Code::QuotaRaised, Code::UnknownConfig, Code::PreconditionFailed],
        ),
        Endpoint::new::<settings::__path_usage, _, _>(settings::usage, Prefix, Scope(SettingsRead), &[]),
        Endpoint::new::<oauth::__path_token, _, _>(oauth::token, Root, Client, &[Code::PayloadTooLarge])
            .limited(Policy::Login),
        Endpoint::new::<oauth::__path_keys, _, _>(oauth::keys, Root, Public, &[]),
        Endpoint::new::<oauth::__path_metadata, _, _>(oauth::metadata, Root, Public, &[]),
        Endpoint::new::<api_keys::__path_create, _, _>(
            api_keys::create,
            Prefix,
            Admin,
            &[Code::QuotaExceeded, Code::InvalidIdempotencyKey, Code::IdempotencyKeyReused],
        ),
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
            &[Code::ApiKeyNotFound, Code::PreconditionFailed],
        ),
        Endpoint::new::<api_keys::__path_read, _, _>(api_keys::read, Prefix, Admin, &[Code::ApiKeyNotFound]),
        Endpoint::new::<api_keys::__path_rotate, _, _>(
            api_keys::rotate,
            Prefix,
            Admin,
            &[
                Code::ApiKeyNotFound,
                Code::ApiKeyEnded,
                Code::QuotaExceeded,
                Code::PreconditionFailed,
                Code::InvalidIdempotencyKey,
                Code::IdempotencyKeyReused,
            ],
        ),
        Endpoint::new::<schemas::__path_account_config, _, _>(schemas::account_config, Prefix, Public, &[]),
        Endpoint::new::<health::__path_live, _, _>(health::live, Root, Public, &[]),
        Endpoint::new::<health::__path_ready, _, _>(health::ready, Root, Public, &[Code::NotReady]),
        Endpoint::new::<problems::__path_list, _, _>(problems::list, Root, Public, &[]),
        Endpoint::new::<problems::__path_page, _, _>(problems::page, Root, Public, &[Code::NotFound]),
        Endpoint::new::<docs::__path_document, _, _>(docs::document, Root, Public, &[]),
        Endpoint::new::<docs::__path_page, _, _>(docs::page, Root, Public, &[]),
    ]
    .into_iter()
    .chain(events::endpoints())
    .chain(configuration::endpoints())
    .chain(configs::endpoints())
    .chain(accounts::endpoints())
    .chain(mappings::endpoints())
    .chain(people::endpoints())
    .chain(organisation::endpoints())
    .chain(webhooks::endpoints())
    .collect()
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
    generated::<tenants::TenantPage>(all);
    generated::<tenants::TenantView>(all);
    generated::<tenants::ChangeTenantBody>(all);
    generated::<login::LoginBody>(all);
    generated::<login::SignedInView<'_>>(all);
    generated::<api_keys::NewKeyBody>(all);
    generated::<api_keys::NewKeyView<'_>>(all);
    generated::<api_keys::ApiKeyPage>(all);
    generated::<settings::ReplaceSettingsBody>(all);
    generated::<settings::SettingsView>(all);
    generated::<settings::UsageView>(all);
    generated::<api_keys::RotateBody>(all);
    generated::<oauth::TokenRequest>(all);
    generated::<oauth::TokenView>(all);
    generated::<oauth::OAuthError<'_>>(all);
    generated::<oauth::KeySet>(all);
    generated::<oauth::MetadataView>(all);
    generated::<configs::AccountConfigBody>(all);
    generated::<configs::VerdictView>(all);
    generated::<configs::UploadedView>(all);
    generated::<configs::ConfigView>(all);
    configs::generated(all);
    generated::<accounts::ProvisionBody>(all);
    generated::<accounts::ProvisionedView<'_>>(all);
    generated::<accounts::AccountPage>(all);
    generated::<health::Health>(all);
    generated::<problems::ProblemCatalogue>(all);
    events::generated(all);
    configuration::generated(all);
    accounts::generated(all);
    mappings::generated(all);
    people::generated(all);
    organisation::generated(all);
    trades::generated(all);
    webhooks::generated(all);
}
