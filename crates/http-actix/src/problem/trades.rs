//! The same for trades.

use tenantry_usecases::trades::TradeError;

use super::accounts::no_such_account;
use super::{Code, Problem};

impl From<TradeError> for Problem {
    fn from(error: TradeError) -> Self {
        match error {
            TradeError::NoSuchAccount => no_such_account(),
            TradeError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for a different request")
            }
            TradeError::Store(error) => error.as_ref().into(),
        }
    }
}
