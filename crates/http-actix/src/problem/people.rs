//! The same for people and their sessions.

use actix_web::http::header::{self, HeaderValue};
use tenantry_usecases::access::Denied;
use tenantry_usecases::sign_in::{ChangePasswordError, RefreshError, TooEarly};
use tenantry_usecases::users::{ChangeUserError, RegisterError};

use super::{Code, Internal, Problem};

impl From<TooEarly> for Problem {
    fn from(TooEarly { now, until }: TooEarly) -> Self {
        let wait = (until - now).num_milliseconds().max(0).unsigned_abs().div_ceil(1000).max(1);
        Self::new(Code::TooManyAttempts, format!("Too many attempts have failed; try again in {wait} s"))
            .with_header(header::RETRY_AFTER, HeaderValue::from(wait))
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid | RefreshError::Reused(_) => Self::new(
                Code::InvalidRefreshToken,
                "The refresh token does not work (any more); sign in again",
            ),
            RefreshError::Suspended => Denied::Suspended.into(),
            RefreshError::Leaving => Denied::Leaving.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::WrongPassword => {
                Self::new(Code::WrongPassword, "The current password is wrong")
            }
            ChangePasswordError::TooEarly(refused) => refused.into(),
            ChangePasswordError::Invalid(findings) => Self::invalid(findings),
            ChangePasswordError::Gone => Self::new(Code::InvalidToken, "The session is over; sign in again"),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::EmailTaken => {
                Self::new(Code::EmailTaken, "A user with this e-mail address already exists")
            }
            RegisterError::UsernameTaken => {
                Self::new(Code::UsernameTaken, "A user with this username already exists")
            }
            RegisterError::Invalid(findings) => Self::invalid(findings),
            RegisterError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for a different request")
            }
            // It is sent as it was kept, and not written anew.
            error @ RegisterError::RefusedBefore(_) => Self::from(Internal).because(error),
            RegisterError::QuotaExceeded(exceeded) => exceeded.into(),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeUserError> for Problem {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::NoSuchUser => Self::new(Code::UserNotFound, "The tenant has no user of this id"),
            ChangeUserError::Stale => Self::plain(Code::Conflict),
            ChangeUserError::LastAdmin => Self::new(
                Code::LastAdmin,
                "This is the tenant's last admin who can sign in; make somebody else an admin first",
            ),
            ChangeUserError::Invalid(findings) => Self::invalid(findings),
            ChangeUserError::Store(error) => error.into(),
        }
    }
}
