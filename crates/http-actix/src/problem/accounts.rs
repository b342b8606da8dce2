//! The same for what is done to accounts.

use tenantry_domain::account::engine::Refusal;
use tenantry_usecases::accounts::{ChangeAccountError, MigrateError};
use tenantry_usecases::mappings::{MapError, UnmapError};

use super::{Code, Problem};
use crate::precondition::stale;

pub(super) fn no_such_account() -> Problem {
    Problem::new(Code::AccountNotFound, "The tenant has no account of this id")
}

impl From<MapError> for Problem {
    fn from(error: MapError) -> Self {
        match error {
            MapError::NoSuchAccount => no_such_account(),
            MapError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for a different request")
            }
            MapError::Store(error) => error.into(),
        }
    }
}

impl From<UnmapError> for Problem {
    fn from(error: UnmapError) -> Self {
        match error {
            UnmapError::NoSuchAccount => no_such_account(),
            UnmapError::NotMapped => {
                Self::new(Code::MappingNotFound, "The account is not mapped to this user; it may have been")
            }
            UnmapError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Final(status) => Self::new(
                Code::AccountFinal,
                format!("The account is {status} for good; only its notes can still be changed"),
            )
            .with("accountStatus", status.as_str()),
            // What is done by hand is refused for nothing else: each of these is about trades, or about order.
            Refusal::OutOfOrder { .. }
            | Refusal::TimeOutOfRange
            | Refusal::Paused
            | Refusal::Disabled
            | Refusal::Rule(_)
            | Refusal::ContractSize { .. }
            | Refusal::Overflow
            | Refusal::Status(_) => Self::plain(Code::Conflict).because(refusal),
        }
    }
}

impl From<ChangeAccountError> for Problem {
    fn from(error: ChangeAccountError) -> Self {
        match error {
            ChangeAccountError::NoSuchAccount => no_such_account(),
            ChangeAccountError::Stale { version } => stale(version),
            ChangeAccountError::Refused(refusal) => refusal.into(),
            ChangeAccountError::OpenPositions(count) => Self::new(
                Code::OpenPositions,
                format!(
                    "The account's open positions number {count}; `force=true` closes them at their marks"
                ),
            )
            .with("openPositions", count),
            ChangeAccountError::Store(error) => error.into(),
        }
    }
}

impl From<MigrateError> for Problem {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::NoSuchAccount => no_such_account(),
            MigrateError::Stale { version } => stale(version),
            MigrateError::UnknownConfig(id, None) => {
                Self::new(Code::UnknownConfig, format!("There is no account config '{id}'"))
            }
            MigrateError::UnknownConfig(id, Some(version)) => Self::new(
                Code::UnknownConfig,
                format!("There is no version {version} of an account config '{id}'"),
            ),
            MigrateError::ConfigNotAllowed(id) => Self::new(
                Code::ConfigNotAllowed,
                format!("The account config '{id}' is not among the tenant's allowed configs"),
            ),
            MigrateError::OtherCurrency { account, config } => Self::new(
                Code::OtherCurrency,
                format!(
                    "The account is kept in {}, and the config is in {}",
                    account.as_str(),
                    config.as_str()
                ),
            ),
            MigrateError::Refused(refusal) => refusal.into(),
            MigrateError::Store(error) => error.into(),
        }
    }
}
