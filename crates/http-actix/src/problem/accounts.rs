//! The same for what is done to accounts.

use tenantry_usecases::mappings::{MapError, UnmapError};

use super::{Code, Problem};

fn no_such_account() -> Problem {
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
