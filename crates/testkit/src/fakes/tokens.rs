use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tenantry_ports::{AccessClaims, ConfirmClaims, Secret, TokenError, Tokens};

/// Opaque tokens that are looked up in what was issued. One of another kind, or past its time, is refused.
#[derive(Debug, Default)]
pub struct FakeTokens(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    confirm: BTreeMap<String, ConfirmClaims>,
    access: BTreeMap<String, AccessClaims>,
}

impl FakeTokens {
    /// Nothing issued yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens for FakeTokens {
    /// The same claims give the same token, as signing does.
    fn confirm(&self, claims: &ConfirmClaims) -> Secret {
        let mut issued = self.issued();
        if let Some((known, _)) = issued.confirm.iter().find(|(_, known)| *known == claims) {
            return Secret::new(known.clone());
        }
        let token = format!("confirm-{}", issued.confirm.len() + 1);
        issued.confirm.insert(token.clone(), claims.clone());
        Secret::new(token)
    }

    fn check_confirm(&self, token: &str, now: DateTime<Utc>) -> Result<ConfirmClaims, TokenError> {
        let claims = self.issued().confirm.get(token).cloned().ok_or(TokenError)?;
        in_time(claims.issued_at, claims.expires_at, now).map(|()| claims)
    }

    /// The same claims give the same token, as signing does.
    fn access(&self, claims: &AccessClaims) -> Secret {
        let mut issued = self.issued();
        if let Some((known, _)) = issued.access.iter().find(|(_, known)| *known == claims) {
            return Secret::new(known.clone());
        }
        let token = format!("access-{}", issued.access.len() + 1);
        issued.access.insert(token.clone(), claims.clone());
        Secret::new(token)
    }

    fn check_access(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError> {
        let claims = self.issued().access.get(token).cloned().ok_or(TokenError)?;
        in_time(claims.issued_at, claims.expires_at, now).map(|()| claims)
    }
}

fn in_time(
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    if issued_at <= now && now < expires_at { Ok(()) } else { Err(TokenError) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::sample;

    #[test]
    fn a_token_says_what_was_issued_until_it_expires() {
        let tokens = FakeTokens::new();
        let claims = sample::confirm_claims(&sample::tenant("acme"));
        let token = tokens.confirm(&claims);
        assert_eq!(tokens.check_confirm(token.expose(), claims.issued_at), Ok(claims.clone()));
        let last = claims.expires_at - TimeDelta::microseconds(1);
        assert!(tokens.check_confirm(token.expose(), last).is_ok());
        assert_eq!(tokens.check_confirm(token.expose(), claims.expires_at), Err(TokenError));
        let early = claims.issued_at - TimeDelta::microseconds(1);
        assert_eq!(tokens.check_confirm(token.expose(), early), Err(TokenError));
    }

    #[test]
    fn a_token_of_another_kind_or_of_nobodys_making_is_refused() {
        let tokens = FakeTokens::new();
        let claims = sample::confirm_claims(&sample::tenant("acme"));
        let token = tokens.confirm(&claims);
        assert_eq!(tokens.check_access(token.expose(), claims.issued_at), Err(TokenError));
        assert_eq!(tokens.check_confirm("confirm-2", claims.issued_at), Err(TokenError));
    }
}
