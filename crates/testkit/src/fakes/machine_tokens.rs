use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tenantry_ports::{
    Algorithm, MachineClaims, MachineTokens, Secret, SigningKey, SigningPair, TokenError, Unopenable,
};

/// Opaque tokens that are looked up in what was issued, under keys that are only numbers.
#[derive(Debug, Default)]
pub struct FakeMachineTokens(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    keys: usize,
    /// By token, with the key and the issuer.
    tokens: BTreeMap<String, (String, String, MachineClaims)>,
}

impl FakeMachineTokens {
    /// Nothing issued yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MachineTokens for FakeMachineTokens {
    fn generate(&self) -> SigningPair {
        let mut issued = self.issued();
        issued.keys += 1;
        let kid = format!("fake{}", issued.keys);
        SigningPair {
            public_jwk: format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","use":"sig","alg":"ES256"}}"#),
            sealed_private: format!("sealed for {kid}"),
            kid,
            algorithm: Algorithm::Es256,
        }
    }

    fn sign(&self, key: &SigningKey, issuer: &str, claims: &MachineClaims) -> Result<Secret, Unopenable> {
        let sealed = key.sealed_private.as_deref().ok_or(Unopenable)?;
        if !sealed.ends_with(&format!("for {}", key.kid)) {
            return Err(Unopenable);
        }
        let mut issued = self.issued();
        let token = format!("machine.{}.{}", key.kid, issued.tokens.len() + 1);
        let entry = (key.kid.clone(), issuer.to_owned(), claims.clone());
        issued.tokens.insert(token.clone(), entry);
        Ok(Secret::new(token))
    }

    fn kid(&self, token: &str) -> Option<String> {
        Some(token.strip_prefix("machine.")?.split_once('.')?.0.to_owned())
    }

    fn check(
        &self,
        key: &SigningKey,
        issuer: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<MachineClaims, TokenError> {
        let issued = self.issued();
        let (kid, by, claims) = issued.tokens.get(token).ok_or(TokenError)?;
        let holds = *kid == key.kid && by == issuer && claims.issued_at <= now && now < claims.expires_at;
        if holds { Ok(claims.clone()) } else { Err(TokenError) }
    }

    fn rewrap(&self, _key: &SigningKey) -> Result<Option<String>, Unopenable> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sample;

    fn key(tokens: &FakeMachineTokens) -> SigningKey {
        let pair = tokens.generate();
        SigningKey { kid: pair.kid, sealed_private: Some(pair.sealed_private), ..sample::signing_key(1) }
    }

    #[test]
    fn a_token_says_what_was_issued_to_its_own_key_and_issuer() {
        let tokens = FakeMachineTokens::new();
        let (key, other) = (key(&tokens), key(&tokens));
        let claims = MachineClaims {
            key: sample::id(),
            tenant: sample::id(),
            scopes: BTreeSet::new(),
            token: sample::uuid(),
            issued_at: sample::at(0),
            expires_at: sample::at(10),
        };
        let token = tokens.sign(&key, "here", &claims).unwrap();
        let check = |key, issuer, at| tokens.check(key, issuer, token.expose(), sample::at(at));
        assert_eq!(tokens.kid(token.expose()), Some(key.kid.clone()));
        assert_eq!(check(&key, "here", 9), Ok(claims));
        assert_eq!(check(&key, "here", 10), Err(TokenError));
        assert_eq!(check(&key, "there", 9), Err(TokenError));
        assert_eq!(check(&other, "here", 9), Err(TokenError));
        assert_eq!(tokens.kid("access-1"), None);
    }

    #[test]
    fn a_seal_of_another_key_does_not_open() {
        let tokens = FakeMachineTokens::new();
        let (one, other) = (key(&tokens), key(&tokens));
        let claims = MachineClaims {
            key: sample::id(),
            tenant: sample::id(),
            scopes: BTreeSet::new(),
            token: sample::uuid(),
            issued_at: sample::at(0),
            expires_at: sample::at(10),
        };
        let swapped = SigningKey { sealed_private: other.sealed_private, ..one };
        assert_eq!(tokens.sign(&swapped, "here", &claims), Err(Unopenable));
    }
}
